"""Cameras as they stand in a file: world poses, and the intrinsics, sizes and times it may hold."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import invert_pose, require_lenses, require_rigid
from scaling4d.geometry.interpolation import interpolate_poses, linear

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraPath:
    """A sequence of cameras in one world, in our conventions whatever file they came from.

    Attributes:
        world_from_camera: (n, 4, 4) float64 rigid poses, OpenCV axes.
        intrinsics: (n, 3, 3) in pixels of a height x width image, corner convention, or None.
        height, width: image size in pixels, or None.
        times: (n,) seconds, increasing, or None.
        frame_index: (n,) frame numbers of the video that the cameras belong to, or None: 0, 1, 2...

    Raises:
        ValueError: on shapes that disagree, poses that are not rigid, or focal lengths <= 0.
    """

    world_from_camera: FloatArray
    intrinsics: FloatArray | None = None
    height: int | None = None
    width: int | None = None
    times: FloatArray | None = None
    frame_index: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Check the fields against each other (see the class docstring)."""
        poses = require_rigid(self.world_from_camera, "world_from_camera")
        if poses.ndim != 3 or len(poses) == 0:
            raise ValueError(f"a camera path needs (n, 4, 4) poses, n >= 1, got {poses.shape}")
        object.__setattr__(self, "world_from_camera", poses)
        if (self.height is None) != (self.width is None):
            raise ValueError("give both height and width of the image, or neither")
        if self.intrinsics is not None:
            object.__setattr__(self, "intrinsics", require_lenses(self.intrinsics, len(poses)))
        if self.times is not None:
            times = np.asarray(self.times, dtype=np.float64)
            if times.shape != (len(poses),) or not np.isfinite(times).all():
                raise ValueError(f"times must be {len(poses)} finite numbers, got {times.shape}")
            object.__setattr__(self, "times", times)
        if self.frame_index is not None:
            index = np.asarray(self.frame_index, dtype=np.int64)
            if index.shape != (len(poses),):
                raise ValueError(f"frame_index must have {len(poses)} entries, got {index.shape}")
            object.__setattr__(self, "frame_index", index)

    def __len__(self) -> int:
        """Number of cameras."""
        return len(self.world_from_camera)

    @property
    def camera_from_world(self) -> FloatArray:
        """(n, 4, 4) inverse poses, world-to-camera."""
        return invert_pose(self.world_from_camera)

    def at_frames(self, numbers: npt.ArrayLike, method: str = "spline") -> CameraPath:
        """Return the cameras at other frame numbers, between those that the path holds.

        Args:
            numbers: (m,) frame numbers within the path's, fractions allowed.
            method: see `scaling4d.geometry.interpolation.interpolate_poses`; intrinsics and times
                are interpolated linearly.

        Raises:
            ValueError: if the frame numbers of the path do not increase, or are left.
        """
        keys = np.arange(len(self)) if self.frame_index is None else self.frame_index
        numbers = np.asarray(numbers, dtype=np.float64)
        intrinsics, times = self.intrinsics, self.times
        if intrinsics is not None:
            intrinsics = linear(intrinsics.reshape(-1, 9), keys, numbers).reshape(-1, 3, 3)
        if times is not None:
            times = linear(times[:, None], keys, numbers)[:, 0]
        whole = np.rint(numbers).astype(np.int64)
        return CameraPath(
            interpolate_poses(self.world_from_camera, keys, numbers, method),
            intrinsics,
            self.height,
            self.width,
            times,
            whole if np.array_equal(whole, numbers) else None,
        )

    def resampled(self, frames: int, method: str = "spline") -> CameraPath:
        """Return the path with another number of cameras, evenly spread over its frame numbers."""
        keys = np.arange(len(self)) if self.frame_index is None else self.frame_index
        return self.at_frames(np.linspace(keys[0], keys[-1], frames), method)

    def replaced(self, **changes: object) -> CameraPath:
        """Return a copy with fields replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def require_size(self, format_name: str) -> tuple[int, int]:
        """Return height and width, which the format needs.

        Raises:
            ValueError: if they are unknown.
        """
        if self.height is None or self.width is None:
            raise ValueError(f"{format_name} needs the image size: give height and width in pixels")
        return self.height, self.width

    def require_intrinsics(self, format_name: str, *, skew: bool = False) -> FloatArray:
        """Return fx, fy, cx, cy in pixels, (n, 4), which the format needs.

        Raises:
            ValueError: if they are unknown, or hold a skew that the format cannot.
        """
        if self.intrinsics is None:
            raise ValueError(
                f"{format_name} holds intrinsics and none are known: give fx, fy, cx, cy"
            )
        k = self.intrinsics
        plain = np.zeros((3, 3), dtype=bool)
        plain[0, 0] = plain[1, 1] = plain[0, 2] = plain[1, 2] = plain[2, 2] = True
        if np.any(k[:, ~plain] != 0.0) or np.any(k[:, 2, 2] != 1.0):
            raise ValueError(f"{format_name} holds fx, fy, cx, cy and cannot hold a skew")
        return np.stack((k[:, 0, 0], k[:, 1, 1], k[:, 0, 2], k[:, 1, 2]), axis=-1)
