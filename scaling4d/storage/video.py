"""Read and write frames; nothing else in the project decodes or encodes video."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaling4d.storage.atomic import atomic_path
from scaling4d.storage.video_stream import VideoError, VideoStream

__all__ = [
    "Video",
    "VideoError",
    "VideoInfo",
    "contact_sheet",
    "crop_box",
    "find_videos",
    "fit_image",
    "frame_times",
    "probe_video",
    "read_frames",
    "read_video",
    "write_image",
    "write_video",
]

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")


@dataclass(frozen=True)
class VideoInfo:
    """Length, size as displayed and rate of a video."""

    frames: int
    """How many decoding gives, which may be fewer than the header states (edit lists)."""
    height: int
    width: int
    fps: float


@dataclass(frozen=True)
class Video:
    """Decoded frames (T, H, W, 3) uint8 RGB and their rate in frames per second."""

    frames: NDArray[np.uint8]
    fps: float


def probe_video(path: str | Path) -> VideoInfo:
    """Return frame count, size as displayed and rate of a video.

    Raises:
        VideoError: if the file is missing or holds no decodable video.
    """
    with VideoStream(path) as stream:
        frame = next(stream.decode(), None)
        if frame is None:
            raise VideoError(f"{path} holds no video frames")
        height, width = stream.picture(frame).shape[:2]
        return VideoInfo(stream.timeline().count, height, width, stream.fps)


def frame_times(path: str | Path) -> NDArray[np.float64] | None:
    """Return when each frame is shown, in seconds after the first; None if the file says nothing.

    Raises:
        VideoError: if the file is missing or holds no decodable video.
    """
    with VideoStream(path) as stream:
        return stream.seconds()


def read_video(
    path: str | Path,
    *,
    start: int = 0,
    frames: int | None = None,
    step: int = 1,
    size: tuple[int, int] | None = None,
) -> Video:
    """Read frames ``start, start + step, ...`` of a video.

    Args:
        path: any container and codec that the installed FFmpeg decodes.
        start: first frame, 0-based.
        frames: how many frames to return; None reads to the end.
        step: take every step-th frame; the returned rate is divided by it.
        size: (height, width) of the result: the largest centred crop of that shape, resized by
            area averaging when shrinking. None keeps the video's size.

    Raises:
        VideoError: if the file is missing or broken, or holds fewer frames than asked for.
    """
    if start < 0 or step < 1 or (frames is not None and frames < 1):
        raise VideoError(
            f"start >= 0, step >= 1, frames >= 1 expected, got {start}, {step}, {frames}"
        )
    stop = sys.maxsize if frames is None else start + frames * step
    needed = range(start, stop, step)
    with VideoStream(path) as stream:
        found = stream.collect(start, needed[-1], needed, _fitting(size))
        fps = stream.fps / step
    images = [found[index] for index in sorted(found)]
    wanted = 1 if frames is None else frames
    if len(images) < wanted:
        raise VideoError(
            f"{path} gives {len(images)} frames from frame {start} in steps of {step}, "
            f"{wanted} needed: use a longer video or fewer frames"
        )
    return Video(np.stack(images), fps)


def read_frames(
    path: str | Path, indices: Sequence[int] | NDArray[Any], *, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Read frames by index, in any order and with repeats: (N, H, W, 3) uint8.

    The frames are those that decoding from the start gives, for every codec; it begins at a key
    frame where the container's times allow that.

    Raises:
        VideoError: if the file is missing or broken, or an index lies outside the video.
    """
    wanted = [int(index) for index in indices]
    if not wanted or min(wanted) < 0:
        raise VideoError(f"frame indices must be >= 0 and at least one, got {wanted[:8]}")
    needed = frozenset(wanted)
    with VideoStream(path) as stream:
        found = stream.collect(min(needed), max(needed), needed, _fitting(size))
    missing = sorted(needed - set(found))
    if missing:
        raise VideoError(f"{path} has no frame {missing[0]}: it ended before")
    return np.stack([found[index] for index in wanted])


def write_video(
    path: str | Path, frames: NDArray[np.uint8], fps: float, *, quality: int = 18
) -> None:
    """Write an H.264 mp4 that browsers play, atomically.

    Args:
        path: final place, suffix ``.mp4``.
        frames: (T, H, W, 3) uint8 RGB; odd sizes are padded by one repeated row or column,
            because the 4:2:0 pixel format needs even ones.
        fps: frames per second, > 0.
        quality: x264 constant rate factor, 0 (lossless) to 51.

    Raises:
        VideoError: if ``frames`` has another shape or type.
    """
    import av

    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise VideoError(f"frames must be (T, H, W, 3) uint8, got {frames.shape} {frames.dtype}")
    if Path(path).suffix.lower() != ".mp4":
        raise VideoError(f"videos are written as .mp4, got {path}")
    even = [(0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)]
    frames = np.pad(frames, even, mode="edge")
    # The index goes to the front, so that a browser can begin before it has the whole file.
    faststart = {"movflags": "+faststart"}
    with atomic_path(path) as partial, av.open(str(partial), "w", options=faststart) as container:
        rate = Fraction(fps).limit_denominator(100_000)
        options = {"crf": str(quality), "threads": "1"}
        # Without it x264's fastest code reads memory that nobody wrote, at most widths: the same
        # frames then give other bytes each time, and training pairs are seeded by a file's bytes.
        options["x264-params"] = "cpu-independent=1"
        stream: Any = container.add_stream("libx264", rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def write_image(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 RGB picture as PNG or JPEG, by suffix, atomically."""
    import cv2

    with atomic_path(path) as partial:
        if not cv2.imwrite(str(partial), image[..., ::-1]):
            raise VideoError(f"cannot write a picture to {path}: use the suffix .png or .jpg")


def contact_sheet(
    images: Sequence[NDArray[np.uint8]], *, columns: int, gap: int = 4, background: int = 255
) -> NDArray[np.uint8]:
    """Lay pictures of one size, each (H, W, 3) uint8, on a grid, row by row."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full(
        (rows * (height + gap) + gap, columns * (width + gap) + gap, 3), background, dtype=np.uint8
    )
    for index, image in enumerate(images):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def crop_box(
    height: int, width: int, target_height: int, target_width: int
) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the largest centred crop with the target's shape."""
    scale = min(height / target_height, width / target_width)
    crop_height = min(height, round(target_height * scale))
    crop_width = min(width, round(target_width * scale))
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


def fit_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Crop centrally to the shape of ``size`` (height, width) and resize: (H, W, 3) uint8."""
    import cv2

    top, left, height, width = crop_box(image.shape[0], image.shape[1], size[0], size[1])
    crop = image[top : top + height, left : left + width]
    method = cv2.INTER_AREA if height > size[0] else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(crop, (size[1], size[0]), interpolation=method))


def _fitting(size: tuple[int, int] | None) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    return lambda image: image if size is None else fit_image(image, size)


def find_videos(folder: str | Path) -> list[Path]:
    """Return the video files anywhere below a folder, sorted by path.

    Links to folders are followed; what several lead to, or a loop, is listed once.

    Raises:
        VideoError: if the folder does not exist or holds no video.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise VideoError(f"no folder of videos at {folder}")
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        # Folders before links to them, so that files keep the path of their own folder.
        folders.sort(key=lambda name: (Path(place, name).is_symlink(), name))
        found += [
            Path(place, name)
            for name in names
            if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".")
        ]
    if not found:
        raise VideoError(f"{folder} holds no video ({', '.join(VIDEO_SUFFIXES)})")
    return sorted(found)
