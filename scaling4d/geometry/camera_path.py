"""Cameras as they stand in a file: world poses, and the intrinsics, sizes and times it may hold."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import (
    invert_pose,
    read_only,
    require_lenses,
    require_pixels,
    require_rigid,
)
from scaling4d.geometry.frame_count import MOST_FRAMES
from scaling4d.geometry.interpolation import interpolate_poses, linear

logger = logging.getLogger(__name__)

TIMES_HELP = (
    "cameras with times and no frame numbers (TUM, RealEstate10K) belong to the video's frames in "
    "order where there is one for each, else to the frames at those times; a line says which"
)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraPath:
    """A sequence of cameras in one world, in our conventions whatever file they came from.

    The arrays are copies of those given and cannot be written to: copy them for torch.from_numpy.

    Attributes:
        world_from_camera: (n, 4, 4) float64 rigid poses, OpenCV axes.
        intrinsics: (n, 3, 3) in pixels of a height x width image, corner convention, or None.
        height, width: image size in pixels, or None.
        times: (n,) seconds, increasing, or None.
        frame_index: (n,) frame numbers >= 0, each once, of the video that the cameras belong to, or
            None: 0, 1, 2...

    Raises:
        ValueError: on shapes that disagree, poses that are not rigid, intrinsics that are not those
            of a lens in pixels of the image, times that do not increase, or frame numbers that are
            negative or stand twice.
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
        object.__setattr__(self, "world_from_camera", read_only(poses))
        if (self.height is None) != (self.width is None):
            raise ValueError("give both height and width of the image, or neither")
        if self.height is not None and self.width is not None and min(self.height, self.width) < 1:
            raise ValueError(
                f"an image is 1 pixel high and wide or more, got a height of {self.height} and a "
                f"width of {self.width}"
            )
        if self.intrinsics is not None:
            lenses = require_lenses(self.intrinsics, len(poses))
            if self.width is not None:
                require_pixels(lenses, self.width)
            object.__setattr__(self, "intrinsics", read_only(lenses))
        if self.times is not None:
            times = np.asarray(self.times, dtype=np.float64)
            if times.shape != (len(poses),) or not np.isfinite(times).all():
                raise ValueError(f"times must be {len(poses)} finite numbers, got {times.shape}")
            if np.any(np.diff(times) <= 0.0):
                late = int(np.argmax(np.diff(times) <= 0.0))
                raise ValueError(
                    f"the times of cameras must increase, got {times[late + 1]:g} s after "
                    f"{times[late]:g} s: order the cameras by time"
                )
            object.__setattr__(self, "times", read_only(times))
        if self.frame_index is not None:
            index = np.asarray(self.frame_index)
            if index.shape != (len(poses),) or index.dtype.kind not in "iu":
                raise ValueError(
                    f"frame_index must be {len(poses)} whole numbers, got {index.dtype} of shape "
                    f"{index.shape}"
                )
            index = index.astype(np.int64)
            numbers, count = np.unique(index, return_counts=True)
            bad = numbers[(numbers < 0) | (count > 1)]
            if len(bad) > 0:
                raise ValueError(
                    f"each camera needs a frame number of its own, >= 0, and {bad[0]} is negative "
                    f"or stands twice: correct the numbers"
                )
            object.__setattr__(self, "frame_index", read_only(index))

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
            numbers: (m,) frame numbers within the path's, increasing, fractions allowed.
            method: see `scaling4d.geometry.interpolation.interpolate_poses`; intrinsics and times
                are interpolated linearly.

        Raises:
            ValueError: if the frame numbers, of the path or wanted, do not increase, or those of
                the path are left.
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
        """Return the path with another number of cameras, evenly spread over its frame numbers.

        They belong to a video of that many frames, numbered 0, 1, 2...; only where they are one for
        every frame from the first to the last do they keep the numbers of these. A single camera is
        repeated, and the copies have no times.
        """
        if len(self) == 1 and frames > 1:
            lens = None if self.intrinsics is None else np.repeat(self.intrinsics, frames, axis=0)
            poses = np.repeat(self.world_from_camera, frames, axis=0)
            return CameraPath(poses, lens, self.height, self.width)
        keys = np.arange(len(self)) if self.frame_index is None else self.frame_index
        spread = self.at_frames(np.linspace(keys[0], keys[-1], frames), method)
        return spread if frames == keys[-1] - keys[0] + 1 else spread.replaced(frame_index=None)

    def in_video(self, frames: int | None, fps: float, name: str) -> CameraPath:
        """Return the path with numbers of the video's frames, from the times where it has none.

        A camera at t seconds belongs to frame round(t fps). Times that do not lie within the video
        are those of another clock, and are counted from the first camera, at frame 0. As many
        cameras as the video has frames are taken in order whatever their times, which may be those
        of a longer video that it was cut from. So are cameras without times. A line of the log says
        what was done.

        Args:
            frames: of the whole video, or None where it is not known: as many as a video can have.
            fps: frames per second of the video.
            name: of the file, for messages.

        Raises:
            ValueError: if two cameras fall on one frame, or one beyond the video's last, unless
                camera i belongs to frame i.
        """
        if self.frame_index is not None or self.times is None:
            return self
        if len(self) == frames:
            logger.info(
                "%s: its %d cameras are taken for the video's frames in order", name, frames
            )
            return self
        numbers, clock = np.rint(self.times * fps), "are seconds of the video"
        most = MOST_FRAMES if frames is None else frames
        if numbers[0] < 0 or numbers[-1] >= most:
            numbers = np.rint((self.times - self.times[0]) * fps)
            clock = "are counted from the first camera, at frame 0"
        in_order = np.array_equal(numbers, np.arange(len(self)))
        if not in_order and (numbers[-1] >= most or np.any(np.diff(numbers) < 1)):
            span = self.times[-1] - self.times[0]
            length = "has frames at" if frames is None else f"is {frames} frames at"
            raise ValueError(
                f"{name} holds {len(self)} cameras over {span:g} s, and the video {length} "
                f"{fps:g} per second: give one camera for each frame, or times in "
                f"seconds within the video, each on a frame of its own"
            )
        logger.info(
            "%s: its %d cameras belong to frames %d to %d%s by their times, which %s",
            name, len(self), numbers[0], numbers[-1],
            "" if frames is None else f" of the video's {frames}", clock,
        )  # fmt: skip
        return self.replaced(frame_index=numbers.astype(np.int64))

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
