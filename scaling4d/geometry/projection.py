"""Equations 1 and 2: unproject a depth map to a point map, move it, project it again.

Depth is planar z in metres. Every function takes numpy arrays or torch tensors. Intrinsics and
poses may carry leading axes (one per frame, say); these are the leading axes of the points.
"""

from __future__ import annotations

import numpy as np

from scaling4d.geometry.arrays import Array, constant_like, namespace, with_axes_for


def pixel_centers(height: int, width: int, like: Array | None = None) -> Array:
    """Return the (height, width, 2) positions (x, y) of pixel centres; the first is (0.5, 0.5).

    Args:
        height, width: image size in pixels.
        like: array whose kind, dtype and device the result takes; float64 numpy when not given.
    """
    like = np.empty(0) if like is None else like
    xp = namespace(like)
    x = constant_like(np.arange(width) + 0.5, like)
    y = constant_like(np.arange(height) + 0.5, like)
    return xp.stack(xp.meshgrid(x, y, indexing="xy"), -1)


def rays_through(xy: Array, intrinsics: Array) -> Array:
    """Return ray directions (..., 3) with z = 1 through image positions ``xy`` (..., 2).

    Multiplied by planar depth they are points in the camera frame.

    Args:
        xy: positions in pixels, corner convention.
        intrinsics: (batch..., 3, 3), upper triangular; skew is respected.
    """
    xp = namespace(xy)
    k = with_axes_for(intrinsics, xy)
    y = (xy[..., 1] - k[..., 1, 2]) / k[..., 1, 1]
    x = (xy[..., 0] - k[..., 0, 2] - k[..., 0, 1] * y) / k[..., 0, 0]
    return xp.stack((x, y, xp.ones_like(x)), -1)


def unproject(depth: Array, intrinsics: Array) -> Array:
    """Lift depth maps to points in the camera frame (Eq. 1, the inverse perspective projection).

    Args:
        depth: planar z in metres, (..., height, width).
        intrinsics: (..., 3, 3) in pixels.

    Returns:
        Points in the camera frame, (..., height, width, 3). Where depth is not finite, neither is
        the point: for points at infinity use `rays_through`, the limit of their direction.
    """
    height, width = depth.shape[-2:]
    xy = pixel_centers(height, width, like=intrinsics)
    xy = xy.reshape(*(1,) * (intrinsics.ndim - 2), height, width, 2)
    with np.errstate(invalid="ignore"):
        return rays_through(xy, intrinsics) * depth[..., None]


def project(points_in_camera: Array, intrinsics: Array) -> tuple[Array, Array]:
    """Project points of the camera frame to the image (Eq. 2, the perspective projection).

    Args:
        points_in_camera: (..., 3) in metres.
        intrinsics: (batch..., 3, 3) in pixels, last row 0 0 1.

    Returns:
        ``xy`` (..., 2) in pixels and planar depth ``z`` (...,) in metres. A point with z <= 0 is
        behind the camera: its ``xy`` means nothing, and the caller has to drop it.
    """
    xp = namespace(points_in_camera)
    k = with_axes_for(intrinsics, points_in_camera)
    z = points_in_camera[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = points_in_camera[..., 0] / z
        y = points_in_camera[..., 1] / z
        u = k[..., 0, 0] * x + k[..., 0, 1] * y + k[..., 0, 2]
        v = k[..., 1, 1] * y + k[..., 1, 2]
    return xp.stack((u, v), -1), z


def transform_points(pose: Array, points: Array) -> Array:
    """Move points (batch..., anything..., 3) by poses ``b_from_a`` (batch..., 4, 4)."""
    matrix = with_axes_for(pose, points)
    with np.errstate(invalid="ignore"):
        return (matrix[..., :3, :3] @ points[..., None])[..., 0] + matrix[..., :3, 3]
