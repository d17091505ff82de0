"""Round-trip residual between two synchronised views: do depth, pose and RGB agree? (Eq. 1, 2)

A source pixel is lifted by its depth, moved to the target camera and projected; there the target's
own inverse depth is sampled bilinearly (inverse depth is linear across a plane's image), and the
point it gives goes back to the source. The distance to the pixel it started from, in source
pixels, is zero for exact data and measures errors of depth, intrinsics, pose and timing at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaling4d.geometry.camera import relative_pose
from scaling4d.geometry.projection import (
    pixel_centers,
    project,
    rays_through,
    transform_points,
    unproject,
)

_SAME_SURFACE = 0.01  # relative depth difference below which two views see the same point
_FLAT = 0.05  # relative spread of the four sampled depths above which they straddle an edge


@dataclass(frozen=True)
class RoundTrip:
    """Of each source pixel: is it seen by the target, how far off is the way back, and where.

    Attributes:
        covisible: (H, W) bool.
        residual: (H, W) float64, source pixels; meaningful where ``covisible``.
        target_xy: (H, W, 2) float64, position in the target image, corner convention.
    """

    covisible: NDArray[np.bool_]
    residual: NDArray[np.float64]
    target_xy: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class View:
    """One frame of one camera: rgb (H, W, 3) uint8, depth (H, W), intrinsics, world_from_camera."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    world_from_camera: NDArray[np.float64]


def round_trip(source: View, target: View) -> RoundTrip:
    """Send every source pixel to the target view and back."""
    target_from_source = relative_pose(target.world_from_camera, source.world_from_camera)
    points = unproject(source.depth.astype(np.float64), source.intrinsics)
    points_in_target = transform_points(target_from_source, points)
    xy, z = project(points_in_target, target.intrinsics)
    seen = np.isfinite(source.depth) & (z > 0)
    inverse, spread, inside = _sample_inverse_depth(target.depth, np.where(seen[..., None], xy, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        same = np.abs(inverse * z - 1) < _SAME_SURFACE
        sampled = rays_through(xy, target.intrinsics) / inverse[..., None]
    source_from_target = relative_pose(source.world_from_camera, target.world_from_camera)
    back, _ = project(transform_points(source_from_target, sampled), source.intrinsics)
    start = pixel_centers(*source.depth.shape)
    residual = np.linalg.norm(back - start, axis=-1)
    covisible = seen & inside & same & (spread < _FLAT)
    return RoundTrip(covisible, np.where(covisible, residual, np.nan), xy)


def rgb_difference(source: View, target: View, trip: RoundTrip) -> float:
    """Median absolute RGB difference (0..1) of co-visible pixels, the target sampled bilinearly.

    Returns:
        NaN when no pixel is co-visible.
    """
    if not trip.covisible.any():
        return float("nan")
    corners, weights, _ = _corners(trip.target_xy[trip.covisible], target.depth.shape)
    colours = target.rgb.reshape(-1, 3)[corners].astype(np.float64)
    sampled = (colours * weights[..., None]).sum(0)
    difference = np.abs(sampled - source.rgb[trip.covisible]) / 255
    return float(np.median(difference))


def _sample_inverse_depth(
    depth: NDArray[np.float32], xy: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Bilinear inverse depth, relative spread of the four depths used, and whether all exist."""
    corners, weights, inside = _corners(xy, depth.shape)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / depth.astype(np.float64).reshape(-1)[corners]
    mean = (inverse * weights).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.ptp(inverse, axis=0) / mean
    return mean, np.nan_to_num(spread, nan=np.inf), inside & (inverse > 0).all(0)


def _corners(
    xy: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Flat indices (4, ...) and weights of the pixel centres around ``xy``; and if they exist."""
    height, width = shape
    shifted = xy - 0.5
    low = np.floor(shifted)
    inside = (low >= 0).all(-1) & (low[..., 0] + 1 < width) & (low[..., 1] + 1 < height)
    low = np.where(inside[..., None], low, 0).astype(np.int64)
    part = np.where(inside[..., None], shifted - low, 0.0)
    x, y, u, v = low[..., 0], low[..., 1], part[..., 0], part[..., 1]
    step_x = 1 if width > 1 else 0
    step_y = width if height > 1 else 0
    first = y * width + x
    corners = np.stack([first, first + step_x, first + step_y, first + step_x + step_y])
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v])
    return np.minimum(corners, height * width - 1), weights, inside
