"""An open video stream: how many frames it shows and when, and its frames as displayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class VideoError(ValueError):
    """A video cannot be read or written as asked."""


@dataclass(frozen=True)
class Timeline:
    """The frames that a stream shows, in the order in which it shows them."""

    count: int
    """How many decoding gives: the parts that an edit list cuts away are not counted."""
    times: tuple[int, ...] | None
    """When each is shown, in units of the stream's time base, increasing; None where the container
    does not say or says the same twice."""


class VideoStream:
    """The first video stream of a file; decoding errors come out as `VideoError`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> VideoStream:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _open(self) -> None:
        import av

        if not self.path.is_file():
            raise VideoError(f"no video at {self.path}")
        try:
            self._container = av.open(str(self.path))
        except av.FFmpegError as error:
            raise VideoError(f"{self.path} is not a readable video: {error.strerror}") from None
        # FFmpeg draws any text file as the screen of a terminal ("tty").
        if not self._container.streams.video or self._container.format.name == "tty":
            self._container.close()
            raise VideoError(f"{self.path} holds no video stream")
        self._stream: Any = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"

    def rewind(self) -> None:
        """Return to the first frame. Seeking to 0 would not: times before an edit are negative."""
        self._container.close()
        self._open()

    @property
    def fps(self) -> float:
        """Frames per second, on average."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        if not rate:
            raise VideoError(f"{self.path} states no frame rate: re-encode it with one")
        return float(rate)

    def decode(self) -> Iterator[Any]:
        """Yield decoded frames, not yet converted; `picture` converts one."""
        import av

        try:
            yield from self._container.decode(self._stream)
        except av.FFmpegError as error:
            raise VideoError(f"{self.path} breaks off while decoding: {error.strerror}") from None

    def picture(self, frame: Any) -> NDArray[np.uint8]:
        """Convert a frame as displayed (rotation applied): (H, W, 3) uint8 RGB."""
        image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
        # Phones store upright clips sideways; `rotation` is counter-clockwise degrees.
        turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image

    def timeline(self) -> Timeline:
        """Count and time the frames, by their packets where those can be trusted.

        The count that a header states is that of all frames stored, and some containers state none.
        Decoding a film to count it takes a hundred times as long as listing its packets.
        """
        state = self.path.stat()
        return _timeline(self.path, state.st_size, state.st_mtime_ns)

    def packets(self) -> Iterator[Any]:
        """Yield the stream's packets, undecoded."""
        import av

        try:
            yield from (packet for packet in self._container.demux(self._stream) if packet.size)
        except av.FFmpegError as error:
            raise VideoError(f"{self.path} breaks off while reading: {error.strerror}") from None


@lru_cache(maxsize=64)
def _timeline(path: Path, size: int, modified: int) -> Timeline:
    """List the frames of a file; its size and time of change tell when to do so again."""
    with VideoStream(path) as stream:
        packets = [
            (packet.pts, packet.is_keyframe, packet.is_discard) for packet in stream.packets()
        ]
        times = [time for time, _, discarded in packets if not discarded]
        if _starts_clean(packets):
            return Timeline(len(times), _increasing(sorted(times)) if None not in times else None)
        stream.rewind()
        times = [frame.pts for frame in stream.decode()]
        return Timeline(len(times), None if None in times else _increasing(times))


def _starts_clean(packets: list[tuple[int | None, bool, bool]]) -> bool:
    """Say whether every packet becomes a frame.

    Decoders drop what comes before the first key frame, and frames shown before it that refer to
    one that was cut away.
    """
    if not packets or not packets[0][1]:
        return False
    first = packets[0][0]
    return first is None or all(
        time is None or time >= first for time, _, discarded in packets if not discarded
    )


def _increasing(times: list[int]) -> tuple[int, ...] | None:
    return tuple(times) if len(set(times)) == len(times) and times == sorted(times) else None
