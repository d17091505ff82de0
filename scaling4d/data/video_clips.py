"""Monocular videos as clips: windows of files, resampled in time, cropped and resized."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaling4d.data.disk_cache import DiskCache, content_hash, settings_hash
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.storage.video import VideoError, frame_times, probe_video, read_frames

log = logging.getLogger(__name__)

MAX_CLIP_SECONDS = 20.0
"""Longer videos are cut into windows of this length, so that a film counts for its length."""


_READ_VERSION = 2
"""Part of the key of cached frames: raise it when a file is read into other frames than before."""


@dataclass(frozen=True)
class VideoClip:
    """A window of a video file."""

    path: Path
    indices: tuple[int, ...]
    """Frames of the file, at the clip's own rate."""
    fps: float
    """Frames per second of ``indices``, on average."""
    prompt: str = ""

    @cached_property
    def identity(self) -> str:
        """Hash of the file's bytes and the window; independent of name and folder."""
        state = self.path.stat()
        content = _content_hash(self.path, state.st_size, state.st_mtime_ns)
        return settings_hash(content, self.indices[0], self.indices[-1], self.fps)

    def read(self, size: ClipSize, cache: DiskCache) -> NDArray[np.uint8]:
        """Return all frames (N, H, W, 3) uint8, from the cache where they are kept.

        Raises:
            DataError: if the file is broken or ends before the window does.
        """
        target = (size.height, size.width)

        def decode() -> NDArray[np.uint8]:
            try:
                return read_frames(self.path, self.indices, size=target)
            except VideoError as error:
                raise DataError(f"{error}; replace or remove the file") from None

        key = settings_hash(_READ_VERSION, self.identity, target)
        return cache.get_frames("frames", key, decode)


def resampled_indices(
    frames: int, fps: float, wanted_fps: float, times: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """Choose the frames nearest to a regular clock of ``wanted_fps`` that starts at frame 0.

    A video slower than the clock keeps its own frames: repeating them would teach the model a
    stutter. Returned indices therefore increase strictly.

    Args:
        frames: length of the video.
        fps: its mean rate.
        wanted_fps: rate of the clock.
        times: when each frame is shown, in seconds after the first; None if the rate is constant.
            Phones and screen recorders slow down and speed up within a video.
    """
    if times is not None and not _is_regular(times, fps):
        return _nearest_in_time(times, wanted_fps)
    if wanted_fps >= fps:
        return np.arange(frames)
    ticks = np.arange(int((frames - 1) / fps * wanted_fps + 1e-6) + 1)
    return np.minimum(np.floor(ticks * (fps / wanted_fps) + 0.5), frames - 1).astype(np.int64)


def _is_regular(times: NDArray[np.float64], fps: float) -> bool:
    """Say whether times are those of a constant rate but for the rounding of containers.

    Choosing by rounded times would break ties, such as those of 24 frames per second at a clock of
    16, now one way and now the other.
    """
    return bool(np.abs(times * fps - np.arange(len(times))).max() <= 0.25)


def _nearest_in_time(times: NDArray[np.float64], fps: float) -> NDArray[np.int64]:
    ticks = np.arange(int(times[-1] * fps + 1e-6) + 1) / fps
    middles = (times[1:] + times[:-1]) / 2
    # Where frames are farther apart than ticks the same one is nearest to several.
    return np.unique(np.searchsorted(middles, ticks + 1e-9))


def windows(
    path: Path,
    frames: int,
    fps: float,
    size: ClipSize,
    prompt: str = "",
    times: NDArray[np.float64] | None = None,
) -> list[VideoClip]:
    """Cut a video into clips of at most `MAX_CLIP_SECONDS`, none shorter than ``size.frames``.

    They are longer only where clips of ``size.frames`` would not fit otherwise.
    """
    indices = resampled_indices(frames, fps, size.fps, times)
    rate = min(fps, size.fps)
    if times is not None and len(indices) > 1 and not _is_regular(times, fps):
        rate = min(size.fps, (len(indices) - 1) / float(times[indices[-1]] - times[0]))
    longest = max(size.frames, int(MAX_CLIP_SECONDS * rate))
    pieces = max(1, min(math.ceil(len(indices) / longest), len(indices) // size.frames))
    parts = [part for part in np.array_split(indices, pieces) if len(part) >= size.frames]
    return [VideoClip(path, tuple(part.tolist()), rate, prompt) for part in parts]


def collect_clips(
    videos: Iterable[tuple[Path, str]],
    size: ClipSize,
    *,
    skip_broken: bool,
    probe: Callable[[Path], tuple[int, float]] | None = None,
) -> list[VideoClip]:
    """Turn (video, prompt) pairs into clips.

    Args:
        videos: files and their captions.
        size: clips are resampled to its rate and must hold its number of frames.
        skip_broken: leave out unreadable and too short files with a warning instead of raising.
        probe: returns (frames, fps) of a file without opening it, where an index knows; the rate is
            then taken to be constant.

    Raises:
        DataError: for a broken or too short video (unless skipped), or if no clip is left.
    """
    clips: list[VideoClip] = []
    given = 0
    for path, prompt in videos:
        given += 1
        try:
            frames, fps = (probe or _probe)(path)
            times = None if probe else frame_times(path)
            found = windows(path, frames, fps, size, prompt, times)
            if not found:
                rate, count = (
                    min(fps, size.fps),
                    len(resampled_indices(frames, fps, size.fps, times)),
                )
                raise DataError(
                    f"{path} gives {count} frames at {rate:g} fps, "
                    f"a clip needs {size.frames} ({size.frames / rate:.1f} s)"
                )
        except (DataError, VideoError) as error:
            if not skip_broken:
                hint = "remove it or set data.skip_broken=true"
                raise DataError(f"{error}; {hint}") from None
            log.warning("skipped: %s", error)
            continue
        clips += found
    if not clips:
        raise DataError(f"none of the {given} videos can be used for clips of {size.frames} frames")
    return clips


@lru_cache(maxsize=4096)
def _content_hash(path: Path, size: int, modified: int) -> str:
    """Hash a file once for all its windows; its size and time of change tell when to do so anew."""
    return content_hash(path)


def _probe(path: Path) -> tuple[int, float]:
    info = probe_video(path)
    return info.frames, info.fps
