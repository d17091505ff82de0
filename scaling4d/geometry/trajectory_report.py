"""What a trajectory does, in numbers a person can check, and what looks wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.rotation import rotation_vector
from scaling4d.geometry.trajectory import Trajectory

_JUMP = 5.0  # a step this many times the median one is a jump
_SHARE = 10.0  # pixels; a lens of 6 degrees has this focal length as a share of the image


@dataclass(frozen=True)
class TrajectoryReport:
    """Lines for a person, and warnings."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]


def describe(trajectory: Trajectory, cameras: CameraPath | None = None) -> TrajectoryReport:
    """Return length, extent, turns and lens of a trajectory, with warnings about jumps.

    Args:
        trajectory: what is described.
        cameras: the cameras of the file it came from, for image size and times.
    """
    poses = trajectory.source_from_target
    centers = poses[:, :3, 3]
    steps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
    turns = np.degrees(
        np.linalg.norm(
            rotation_vector(poses[:-1, :3, :3].swapaxes(1, 2) @ poses[1:, :3, :3]), axis=1
        )
    )
    whole = np.degrees(
        np.linalg.norm(rotation_vector(poses[0, :3, :3].T @ poses[:, :3, :3]), axis=1)
    )
    extent = " ".join(f"{side:.4g}" for side in np.ptp(centers, axis=0))
    lines = [
        f"frames           {len(trajectory)}, mode {trajectory.mode}",
        f"path             {steps.sum():.4g} m long, extent x y z {extent} m",
        f"largest turn     {whole.max():.4g} degrees away from the first frame",
    ]
    if len(steps):
        lines.append(f"largest step     {steps.max():.4g} m, {turns.max():.4g} degrees per frame")
    if trajectory.intrinsics is not None:
        fx = trajectory.intrinsics[:, 0, 0]
        lines.append(f"focal length     {fx.min():.6g} to {fx.max():.6g} px")
    if trajectory.focal_scale is not None:
        low, high = trajectory.focal_scale.min(), trajectory.focal_scale.max()
        lines.append(f"zoom             {low:.4g} to {high:.4g} times the source's focal length")
    if cameras is not None and cameras.height is not None:
        lines.append(f"image size       {cameras.height} x {cameras.width} (height x width)")
    if cameras is not None and cameras.times is not None and len(cameras) > 1:
        lines.append(f"duration         {cameras.times[-1] - cameras.times[0]:.6g} s")
    if trajectory.source_index is not None:
        lines.append(f"source frames    {sorted(set(trajectory.source_index.tolist()))[:8]}")
    warnings = _warnings(trajectory, steps, turns)
    if trajectory.intrinsics is not None and (cameras is None or cameras.height is None):
        longest = trajectory.intrinsics[:, 0, 0].max()
        if longest < _SHARE:
            warnings.append(
                f"a focal length of {longest:.4g} pixels is more likely a share of the image: give "
                f"--height and --width to check it"
            )
    return TrajectoryReport(tuple(lines), tuple(warnings))


def _warnings(trajectory: Trajectory, steps: np.ndarray, turns: np.ndarray) -> list[str]:
    found = []
    for name, values, unit in (("step", steps, "m"), ("turn", turns, "degrees")):
        moving = values[values > 1e-9]
        if len(moving) >= 4 and values.max() > _JUMP * np.median(moving):
            at = int(values.argmax())
            found.append(
                f"the {name} from frame {at} to {at + 1} is {values[at]:.4g} {unit}, "
                f"{values[at] / np.median(moving):.1f} times the usual one"
            )
    start = trajectory.target_from_source[0]
    if trajectory.mode == "relative" and np.abs(start - np.eye(4)).max() > 1e-6:
        found.append("the first target camera is not the source camera")
    return found
