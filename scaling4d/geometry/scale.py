"""Scales: the depth of the pivot, and a trajectory's unit of length against a depth map.

Depth from a video without a scale, and poses from a tool with another one, agree only up to a
factor: `depth_scale` finds it from points seen by both, `sim3` from two camera paths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def central_depth(depth: npt.ArrayLike, share: float = 0.25) -> float:
    """Return the median depth in metres of the middle of an image: the default pivot depth.

    Args:
        depth: planar z, (height, width); values that are not finite or not positive are left out.
        share: side of the central window as a share of the image's.

    Raises:
        ValueError: if nothing valid is in the window, naming what to do.
    """
    depth = np.asarray(depth, dtype=np.float64)
    if depth.ndim != 2:
        raise ValueError(f"expected one depth map (height, width), got shape {depth.shape}")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"the central window is a share of the image in (0, 1], got {share}")
    height, width = depth.shape
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    window = depth[top : top + rows, left : left + columns]
    valid = window[np.isfinite(window) & (window > 0.0)]
    if valid.size == 0:
        raise ValueError(
            "no surface in the middle of the depth map: give the pivot depth in metres"
        )
    return float(np.median(valid))


def depth_scale(
    measured: npt.ArrayLike, reference: npt.ArrayLike, minimum_points: int = 10
) -> float:
    """Return the factor s with s x ``measured`` = ``reference`` for depths.

    It is the exponential of the median log ratio, so half of the values may be wrong by any amount.
    A trajectory in the measured unit is brought to the reference by ``trajectory.scaled(s)``.

    Args:
        measured: depths in the unit to be converted, any shape (for example the depths of a
            reconstruction's points in one frame).
        reference: depths at the same pixels in the wanted unit, the same shape.
        minimum_points: how many pairs must be valid (finite and > 0).

    Raises:
        ValueError: if the shapes differ or too few pairs are valid.
    """
    measured = np.asarray(measured, dtype=np.float64)
    reference = np.asarray(reference, dtype=np.float64)
    if measured.shape != reference.shape:
        raise ValueError(f"depths must pair up, got shapes {measured.shape} and {reference.shape}")
    valid = np.isfinite(measured) & np.isfinite(reference) & (measured > 0) & (reference > 0)
    if valid.sum() < minimum_points:
        raise ValueError(
            f"only {int(valid.sum())} pairs of depths are valid, {minimum_points} are needed"
        )
    return float(np.exp(np.median(np.log(reference[valid] / measured[valid]))))


@dataclass(frozen=True)
class Sim3:
    """A similarity: target = scale x rotation x source + translation."""

    scale: float
    rotation: FloatArray
    translation: FloatArray

    def apply(self, points: npt.ArrayLike) -> FloatArray:
        """Map points (..., 3)."""
        return self.scale * np.asarray(points) @ self.rotation.T + self.translation

    def apply_to_poses(self, world_from_camera: npt.ArrayLike) -> FloatArray:
        """Map camera poses (..., 4, 4) to the target's world; they stay rigid."""
        poses = np.array(world_from_camera, dtype=np.float64)
        poses[..., :3, 3] = self.apply(poses[..., :3, 3])
        poses[..., :3, :3] = self.rotation @ poses[..., :3, :3]
        return poses


def sim3(source: npt.ArrayLike, target: npt.ArrayLike, *, with_scale: bool = True) -> Sim3:
    """Return the similarity that maps points ``source`` (n, 3) onto ``target`` in least squares.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point sets".

    Args:
        source, target: corresponding points, for example camera centres, (n, 3), n >= 3.
        with_scale: False keeps the scale at 1 (a rigid alignment).

    Raises:
        ValueError: with fewer than 3 points, or points on a line, where the rotation is undefined.
    """
    source = np.asarray(source, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 3 or len(source) < 3:
        raise ValueError(
            f"an alignment needs two sets of 3 or more points, (n, 3), got {source.shape} and "
            f"{target.shape}"
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("an alignment needs finite points")
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    left, singular, right = np.linalg.svd(b.T @ a / len(source))
    if singular[1] <= 1e-9 * max(singular[0], np.finfo(float).tiny):
        raise ValueError("the points lie on a line or in one place: their rotation is undefined")
    sign = np.array([1.0, 1.0, np.linalg.det(left) * np.linalg.det(right)])
    rotation = (left * sign) @ right
    variance = (a**2).sum() / len(source)
    scale = float((singular * sign).sum() / variance) if with_scale else 1.0
    return Sim3(scale, rotation, target_mean - scale * rotation @ source_mean)
