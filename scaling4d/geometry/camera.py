"""Pinhole cameras: intrinsics in pixels, rigid poses with OpenCV axes (DESIGN section 4).

The centre of the top-left pixel is (0.5, 0.5) and the image corner is (0, 0), so cropping is a
shift and resizing is a plain scaling of the first two rows. Functions that take arrays accept
numpy arrays and torch tensors alike and keep their dtype and device.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.arrays import Array, constant_like, namespace
from scaling4d.geometry.axes import convert_axes as convert_axes

FloatArray = npt.NDArray[np.float64]

_SHORTEST_FOCAL = 0.02  # of the image's width: 175 degrees of view, which no pinhole has


def intrinsics_matrix(
    fx: npt.ArrayLike, fy: npt.ArrayLike, cx: npt.ArrayLike, cy: npt.ArrayLike
) -> FloatArray:
    """Return the matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], float64, (..., 3, 3).

    Args:
        fx, fy: focal lengths in pixels, scalars or arrays that broadcast together.
        cx, cy: principal point in pixels, measured from the image corner.
    """
    fx, fy, cx, cy = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (fx, fy, cx, cy))
    )
    intrinsics = np.zeros((*fx.shape, 3, 3))
    intrinsics[..., 0, 0] = fx
    intrinsics[..., 1, 1] = fy
    intrinsics[..., 0, 2] = cx
    intrinsics[..., 1, 2] = cy
    intrinsics[..., 2, 2] = 1.0
    return intrinsics


def intrinsics_from_fov(height: int, width: int, horizontal_fov_degrees: float) -> FloatArray:
    """Return the (3, 3) intrinsics of a camera with square pixels and a centred principal point.

    Raises:
        ValueError: if the field of view does not lie strictly between 0 and 180 degrees.
    """
    if not 0.0 < horizontal_fov_degrees < 180.0:
        raise ValueError(
            f"a horizontal field of view must lie between 0 and 180 degrees, "
            f"got {horizontal_fov_degrees}"
        )
    focal = 0.5 * width / math.tan(math.radians(horizontal_fov_degrees) / 2.0)
    return intrinsics_matrix(focal, focal, width / 2.0, height / 2.0)


def horizontal_fov(intrinsics: Array, width: int) -> Array:
    """Return the full horizontal field of view in degrees, (...), of intrinsics (..., 3, 3).

    It is the angle between the rays through the left and the right image border.
    """
    xp = namespace(intrinsics)
    fx, cx = intrinsics[..., 0, 0], intrinsics[..., 0, 2]
    return xp.rad2deg(xp.arctan(cx / fx) + xp.arctan((width - cx) / fx))


def crop_intrinsics(intrinsics: Array, *, top: float, left: float) -> Array:
    """Return the intrinsics (..., 3, 3) after ``top`` rows and ``left`` columns were cut away."""
    shift = [[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]]
    return constant_like(shift, intrinsics) @ intrinsics


def pad_intrinsics(intrinsics: Array, *, top: float, left: float) -> Array:
    """Return the intrinsics (..., 3, 3) after ``top`` rows and ``left`` columns were added."""
    return crop_intrinsics(intrinsics, top=-top, left=-left)


def resize_intrinsics(
    intrinsics: Array, *, height: int, width: int, new_height: int, new_width: int
) -> Array:
    """Return the intrinsics (..., 3, 3) after resizing height x width to new_height x new_width."""
    scale = np.diag([new_width / width, new_height / height, 1.0]).tolist()
    return constant_like(scale, intrinsics) @ intrinsics


def invert_pose(pose: Array) -> Array:
    """Return the inverse (..., 4, 4) of rigid poses: ``b_from_a`` becomes ``a_from_b``.

    It transposes the rotation instead of solving, so the result is exactly as rigid as the input.
    """
    xp = namespace(pose)
    rotation = pose[..., :3, :3].swapaxes(-1, -2)
    translation = -(rotation @ pose[..., :3, 3:])
    return xp.concatenate((xp.concatenate((rotation, translation), -1), pose[..., 3:, :]), -2)


def relative_pose(world_from_target: Array, world_from_source: Array) -> Array:
    """Return ``target_from_source`` (..., 4, 4), the T^r of Eq. 2, from two camera poses."""
    return invert_pose(world_from_target) @ world_from_source


def look_at(
    eye: npt.ArrayLike, target: npt.ArrayLike, up: npt.ArrayLike = (0.0, 0.0, 1.0)
) -> FloatArray:
    """Return ``world_from_camera`` (..., 4, 4) of cameras at ``eye`` that look at ``target``.

    Args:
        eye: camera centres in the world, (..., 3).
        target: points that land on the optical axis, (..., 3).
        up: world direction that points up in the image, (..., 3).

    Raises:
        ValueError: if the eye is at the target, or the view direction is parallel to ``up``.
    """
    eye, target, up = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (eye, target, up))
    )
    forward = target - eye
    distance = np.linalg.norm(forward, axis=-1, keepdims=True)
    if not np.all(distance > 0.0):
        raise ValueError("look_at needs an eye and a target that differ: move one of them")
    forward = forward / distance
    right = np.cross(forward, up)
    sine = np.linalg.norm(right, axis=-1, keepdims=True)
    if not np.all(sine > 1e-9 * np.linalg.norm(up, axis=-1, keepdims=True)):
        raise ValueError("look_at cannot look along its up direction: choose another `up`")
    right = right / sine
    pose = np.zeros((*eye.shape[:-1], 4, 4))
    pose[..., :3, 0] = right
    pose[..., :3, 1] = np.cross(forward, right)  # down
    pose[..., :3, 2] = forward
    pose[..., :3, 3] = eye
    pose[..., 3, 3] = 1.0
    return pose


def require_lenses(intrinsics: npt.ArrayLike, count: int) -> FloatArray:
    """Return ``intrinsics`` as float64 (count, 3, 3) after checking that each is a lens.

    Raises:
        ValueError: on another shape, values that are not finite, a focal length that is not > 0, or
            another last row than 0 0 1.
    """
    checked = np.asarray(intrinsics, dtype=np.float64)
    if checked.shape != (count, 3, 3):
        raise ValueError(f"intrinsics must have the shape {(count, 3, 3)}, got {checked.shape}")
    finite = np.isfinite(checked).all(axis=(1, 2))
    if not finite.all():
        raise ValueError(
            f"intrinsics must be finite, but those of camera {int(np.argmin(finite))} hold a value "
            f"that is not: correct them"
        )
    focal = checked[:, (0, 1), (0, 1)]
    if not np.all(focal > 0.0):
        bad = int(np.argmax((focal <= 0.0).any(axis=1)))
        fx, fy = focal[bad].tolist()
        raise ValueError(
            f"focal lengths must be > 0 pixels, but camera {bad} has fx {fx:g} and fy {fy:g}: "
            f"correct the intrinsics"
        )
    last_row = (np.abs(checked[:, 2] - (0.0, 0.0, 1.0)) <= 1e-6).all(axis=1)
    if not last_row.all():
        raise ValueError(
            f"intrinsics must end in the row 0 0 1, but those of camera {int(np.argmin(last_row))} "
            f"do not: correct or transpose them"
        )
    return checked


def require_pixels(intrinsics: FloatArray, width: int) -> None:
    """Check that intrinsics (n, 3, 3) are in pixels of images of that width.

    Raises:
        ValueError: for focal lengths so short that they can only be shares of the image.
    """
    shortest = intrinsics[:, 0, 0].min()
    if shortest < _SHORTEST_FOCAL * width:
        raise ValueError(
            f"intrinsics are in pixels, got a focal length of {shortest:.3g} for {width} pixels of "
            f"width: multiply shares of the image by its size"
        )


def read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy that nobody can change, for the fields of frozen objects."""
    copy = values.copy()
    copy.flags.writeable = False
    return copy


def require_rigid(poses: npt.ArrayLike, name: str, *, tolerance: float = 1e-4) -> FloatArray:
    """Return ``poses`` as float64 (..., 4, 4) after checking that each is a proper rigid motion.

    Raises:
        ValueError: naming the first pose that is not finite, not a rotation (by more than
            ``tolerance`` in any entry of R^T R), a reflection, or has another last row.
    """
    checked = np.asarray(poses, dtype=np.float64)
    if checked.shape[-2:] != (4, 4):
        raise ValueError(f"{name} must be 4x4 matrices, got an array of shape {checked.shape}")
    flat = checked.reshape(-1, 4, 4)
    rotation = flat[:, :3, :3]
    finite = np.isfinite(flat).all((1, 2))
    last_row = (np.abs(flat[:, 3] - (0.0, 0.0, 0.0, 1.0)) <= 1e-6).all(1)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(rotation.swapaxes(1, 2) @ rotation - np.eye(3)).max((1, 2))
        proper = np.linalg.det(rotation) > 0.0
    complaints = (
        (~finite, "holds values that are not finite"),
        (~last_row, "does not end in the row 0 0 0 1 (is it transposed?)"),
        (~(error <= tolerance), "is not a rotation and a translation (is it scaled?)"),
        (~proper, "is a reflection (a left-handed frame that was not converted?)"),
    )
    for bad, complaint in complaints:
        if bad.any():
            raise ValueError(f"{name}: matrix {int(np.argmax(bad))} {complaint}")
    return checked
