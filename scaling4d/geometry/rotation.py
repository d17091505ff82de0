"""Rotations as matrices, quaternions (w x y z) and rotation vectors, exact near 0 and near pi."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def rotation_about(axis: str, angle: npt.ArrayLike) -> FloatArray:
    """Return right-handed rotations (..., 3, 3) about "x", "y" or "z" by ``angle`` in radians."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    angle = np.asarray(angle, dtype=np.float64)
    rotation = np.zeros((*angle.shape, 3, 3))
    rotation[..., "xyz".index(axis), "xyz".index(axis)] = 1.0
    rotation[..., first, first] = rotation[..., second, second] = np.cos(angle)
    rotation[..., second, first] = np.sin(angle)
    rotation[..., first, second] = -np.sin(angle)
    return rotation


def rotation_from_quaternion(quaternion: npt.ArrayLike) -> FloatArray:
    """Return rotations (..., 3, 3) of quaternions (..., 4) in the order w x y z, of any length > 0.

    Raises:
        ValueError: if a quaternion has length 0 or is not finite.
    """
    quaternion = np.asarray(quaternion, dtype=np.float64)
    length = np.linalg.norm(quaternion, axis=-1, keepdims=True)
    if not np.all(np.isfinite(length) & (length > 0.0)):
        raise ValueError("a quaternion must be finite and differ from 0 0 0 0")
    w, x, y, z = np.moveaxis(quaternion / length, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2)


def quaternion_from_rotation(rotation: npt.ArrayLike) -> FloatArray:
    """Return unit quaternions (..., 4), order w x y z, w >= 0, of rotations (..., 3, 3)."""
    m = np.asarray(rotation, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    # Row i is 4 q_i q; the row with the largest diagonal loses no digits (Shepperd 1978).
    rows = (
        (1 + xx + yy + zz, wx, wy, wz),
        (wx, 1 + xx - yy - zz, xy, xz),
        (wy, xy, 1 - xx + yy - zz, yz),
        (wz, xz, yz, 1 - xx - yy + zz),
    )
    outer = np.stack([np.stack(row, -1) for row in rows], -2)
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    quaternion = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return np.where(quaternion[..., :1] < 0.0, -quaternion, quaternion)


def rotation_vector(rotation: npt.ArrayLike) -> FloatArray:
    """Return axis times angle (..., 3), radians, angle in [0, pi], of rotations (..., 3, 3)."""
    quaternion = quaternion_from_rotation(rotation)
    vector = quaternion[..., 1:]
    sine = np.linalg.norm(vector, axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quaternion[..., :1])
    return vector * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)


def rotation_from_vector(vector: npt.ArrayLike) -> FloatArray:
    """Return the rotations (..., 3, 3) about vectors (..., 3) by their length in radians."""
    vector = np.asarray(vector, dtype=np.float64)
    angle = np.linalg.norm(vector, axis=-1, keepdims=True)
    imaginary = vector * (0.5 * np.sinc(angle / (2.0 * np.pi)))
    return rotation_from_quaternion(np.concatenate((np.cos(angle / 2.0), imaginary), axis=-1))


def slerp(first: npt.ArrayLike, second: npt.ArrayLike, fraction: npt.ArrayLike) -> FloatArray:
    """Return the rotations (..., 3, 3) at ``fraction`` (...) of the shortest way to the second."""
    first = np.asarray(first, dtype=np.float64)
    step = rotation_vector(first.swapaxes(-1, -2) @ np.asarray(second, dtype=np.float64))
    return first @ rotation_from_vector(np.asarray(fraction)[..., None] * step)


def nearest_rotation(matrix: npt.ArrayLike) -> FloatArray:
    """Return the rotation (..., 3, 3) nearest to a matrix in the Frobenius norm."""
    left, _, right = np.linalg.svd(np.asarray(matrix, dtype=np.float64))
    sign = np.ones(left.shape[:-1])
    sign[..., 2] = np.linalg.det(left @ right)
    return (left * sign[..., None, :]) @ right
