"""Which frames cameras belong to, and the files that would pass them off as others.

Some formats hold times, some frame numbers, and some neither: line i is frame i. What a file cannot
hold is written only where its reader finds the same frames without it.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.frame_count import MOST_FRAMES

logger = logging.getLogger(__name__)

_FILM = 20.0  # frames per second; cameras further apart than this are more likely key frames
_NUMBERED = "colmap, nerfstudio, vipe, recammaster or usd"


def placed_by_times(cameras: CameraPath, given: Given, source: str, target: str) -> CameraPath:
    """Return cameras with frame numbers from their times, for a file that holds no times.

    Cameras one frame apart stay frames 0, 1, 2..., whatever the first time is: that of a clip
    counts from the video that it was cut from. With ``given.video_frames`` the times decide, see
    `CameraPath.in_video`.

    Args:
        cameras: what is to be written.
        given: the frame rate, and the number of frames of the video where it is known.
        source: name of the file that holds them, for messages.
        target: name of the format, for messages.

    Raises:
        ValueError: for times further apart than a frame, without a frame rate.
    """
    if cameras.times is None or cameras.frame_index is not None:
        return cameras
    if given.fps is None:
        require_even_times(cameras, source, target)
        rate = (len(cameras) - 1) / max(float(np.ptp(cameras.times)), 1e-9)
        if 0.0 < rate < _FILM:
            logger.warning(
                "%s: its cameras are taken for every frame of a video of %.4g frames per "
                "second: give --fps, if it has more", source, rate,
            )  # fmt: skip
        return cameras
    if given.video_frames is None and _one_apart(cameras.times, 1.0 / given.fps):
        if round(cameras.times[0] * given.fps) != 0:
            logger.info(
                "%s: its %d cameras, the first at %g s, are taken for frames 0 to %d in order "
                "(give --video-frames to place them by their times)",
                source, len(cameras), cameras.times[0], len(cameras) - 1,
            )  # fmt: skip
        return cameras
    return cameras.in_video(given.video_frames, given.fps, source)


def require_even_times(cameras: CameraPath, source: str, target: str) -> None:
    """Check that cameras without frame numbers are one frame apart by their times, if any.

    Raises:
        ValueError: if some lie further apart than others, naming both files.
    """
    times = cameras.times
    if times is None or cameras.frame_index is not None or len(times) < 2:
        return
    steps = np.diff(times)
    if not _one_apart(times, float(np.median(steps))):
        raise ValueError(
            f"{source} has cameras at uneven times, {steps.min():.4g} to {steps.max():.4g} s "
            f"apart, and {target} holds frames and no times: give --fps, the video's frame rate, "
            f"to place them (in Python `CameraPath.in_video`)"
        )


def require_every_frame(cameras: CameraPath, source: str, target: str) -> None:
    """Check that cameras are those of consecutive frames, for a file that holds no frame numbers.

    A first frame other than 0 is written, because the video may be cut there, and said in a line
    of the log.

    Raises:
        ValueError: for gaps between the frame numbers, naming both files.
    """
    numbers = frame_numbers(cameras)
    if np.any(np.diff(numbers) != 1):
        raise ValueError(
            f"{target} holds every frame, and {source} has cameras at some, {_some(numbers)}: "
            f"{_filled(numbers)}"
        )
    if numbers[0] != 0:
        logger.warning(
            "%s counts frames from 0, and its first camera is that of frame %d: cut the video "
            "there too, or choose %s (--first-frame %d, if the video starts with that image)",
            target, numbers[0], _NUMBERED, numbers[0],
        )  # fmt: skip


def require_even_steps(cameras: CameraPath, source: str, target: str) -> None:
    """Check that cameras stand at even steps from frame 0, for a file with one per key frame.

    Raises:
        ValueError: if they do not, naming both files.
    """
    numbers = frame_numbers(cameras)
    steps = np.diff(numbers)
    if numbers[0] != 0 or np.any(steps != steps[:1]):
        filled = f", or {_filled(numbers)}" if numbers[0] == 0 else ""
        raise ValueError(
            f"{target} holds one pose per key frame at even steps from frame 0, and {source} has "
            f"cameras at frames {_some(numbers)}: choose {_NUMBERED}, which hold frame "
            f"numbers{filled}"
        )


def _one_apart(times: npt.NDArray[np.float64], step: float) -> bool:
    """Whether each time is nearer to one step after the time before it than to two or none."""
    return bool(np.all(np.rint(np.diff(times) / step) == 1.0))


def _some(numbers: npt.NDArray[np.int64]) -> str:
    return f"{numbers[0]} to {numbers[-1]}"


def _filled(numbers: npt.NDArray[np.int64]) -> str:
    """Return what fills the gaps between frame numbers."""
    count = numbers[-1] - numbers[0] + 1
    if count <= MOST_FRAMES:
        return f"give --frames {count} for all between them (in Python `CameraPath.resampled`)"
    return "a video has no such numbers, which may be times: number the images by frame"
