"""A video as a clip: its frames at the output's size, and which frames of the video they are."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scaling4d.storage.video import fit_image, probe_video, read_video

logger = logging.getLogger(__name__)

MAX_DEFAULT_FRAMES = 49
"""The paper's clip length; more frames must be asked for."""


@dataclass(frozen=True)
class Clip:
    """Frames at the output's size, and what of the video they are.

    Attributes:
        frames: (T, H, W, 3) uint8.
        fps: frames per second.
        original: the video's own height and width.
        length: the video's own number of frames.
        step: every which of them was taken.
        video_fps: frames per second of the video, or None where an array does not tell.
    """

    frames: NDArray[np.uint8]
    fps: float
    original: tuple[int, int]
    length: int
    step: int
    video_fps: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.frames.shape[1], self.frames.shape[2]

    def of_these_frames(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        """Take what belongs to the clip's frames from values per frame of the video or the clip."""
        count = len(self.frames)
        if len(values) == self.length:
            return values[:: self.step][:count]
        if len(values) != count:
            raise ValueError(
                f"{name} has {len(values)} frames: give it for all {self.length} of the video, or "
                f"for the {count} that are used (every {self.step} of them)"
            )
        return values

    def per_frame(self, matrices: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """One float64 matrix per frame of the clip, from one for all or some per frame."""
        values = np.asarray(matrices, dtype=np.float64)
        if values.shape == shape:
            return np.tile(values, (len(self.frames), 1, 1))
        if values.ndim != 3 or values.shape[1:] != shape:
            raise ValueError(
                f"{name} must be {shape} or (frames, {shape[0]}, {shape[1]}), got {values.shape}"
            )
        return self.of_these_frames(values, name)


def read_clip(
    video: str | Path | NDArray[np.uint8],
    frames: int | None,
    size: tuple[int, int] | None,
    step: int,
    compression: int,
) -> Clip:
    """Read a video file, or take frames (see `read_source`).

    Raises:
        ValueError: naming what does not fit.
    """
    if step < 1:
        raise ValueError(f"frame_step must be at least 1, got {step}")
    if frames is not None and frames < 1:
        raise ValueError(f"frames must be at least 1, got {frames}")
    if isinstance(video, (str, Path)):
        info = probe_video(video)
        wanted = frames
        if wanted is None:
            wanted = _default_frames(-(-info.frames // step), compression)
        read = read_video(video, frames=wanted, step=step, size=size)
        original = (info.height, info.width)
        return Clip(read.frames, read.fps, original, info.frames, step, info.fps)
    images = np.asarray(video)
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"a video array must be (frames, height, width, 3) uint8 RGB, "
            f"got {images.shape} {images.dtype}"
        )
    length, original = len(images), (images.shape[1], images.shape[2])
    images = images[::step]
    wanted = _default_frames(len(images), compression) if frames is None else frames
    if len(images) < wanted:
        raise ValueError(f"the video has {len(images)} frames, {wanted} needed: ask for fewer")
    images = images[:wanted]
    if size is not None and size != original:
        images = np.stack([fit_image(image, size) for image in images])
    return Clip(images, 16.0, original, length, step)


def _default_frames(available: int, compression: int) -> int:
    """As many as there are, at most 49, fewer where the model's rule rk+1 has no place for them."""
    legal = (min(available, MAX_DEFAULT_FRAMES) - 1) // compression * compression + 1
    if legal != available:
        logger.info("using the first %d of %d frames (%dk+1)", legal, available, compression)
    return legal
