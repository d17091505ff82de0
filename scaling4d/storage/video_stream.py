"""An open video stream: how many frames it shows and when, and its frames as displayed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORTH_SEEKING = 48
"""First frame wanted from which on looking for a key frame costs less than decoding up to it."""


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
    keys: tuple[tuple[int, int], ...]
    """Frames that need none before them, and the time to seek to for each; none without times."""


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
        """Convert a frame as displayed: (H, W, 3) uint8 RGB.

        Pixels that are not square are made so by the width, and the display matrix is applied:
        quarter turns, and mirrorings as of a front camera. Other angles go to the nearest of these.
        """
        width = round(frame.width * (self._stream.sample_aspect_ratio or 1))
        if width != frame.width:
            method = "AREA" if width < frame.width else "BICUBIC"
            frame = frame.reformat(width=width, format="rgb24", interpolation=method)
        image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
        return _displayed(image, frame)

    def collect(
        self,
        first: int,
        last: int,
        needed: Container[int],
        convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> dict[int, NDArray[np.uint8]]:
        """Convert the needed frames by number, of those from ``first`` to ``last`` inclusive.

        Decoding starts at the last key frame before them, and at the first frame of the file where
        that cannot be done exactly. Numbers beyond the end are left out.
        """
        timeline = self.timeline() if first >= _WORTH_SEEKING else None
        key = max((k for k in timeline.keys if k[0] <= first), default=None) if timeline else None
        if timeline and key and key[0] > 0:
            try:
                return self._collect(self._from_key(timeline, *key), last, needed, convert)
            except VideoError:
                self.rewind()
        return self._collect(enumerate(self.decode()), last, needed, convert)

    def _collect(
        self,
        frames: Iterator[tuple[int, Any]],
        last: int,
        needed: Container[int],
        convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> dict[int, NDArray[np.uint8]]:
        found = {}
        for number, frame in frames:
            if number in needed:
                found[number] = convert(self.picture(frame))
            if number >= last:
                break
        return found

    def _from_key(self, timeline: Timeline, key: int, seek: int) -> Iterator[tuple[int, Any]]:
        """Yield (number, frame) from a key frame on.

        Containers seek to about the place, and decoders leave out what they cannot show exactly:
        the times of the frames tell which they are.

        Raises:
            VideoError: if the frames are not those that the timeline lists.
        """
        import av

        times = timeline.times
        assert times is not None
        number = key
        try:
            self._container.seek(seek, stream=self._stream)
        except av.FFmpegError as error:
            raise VideoError(f"{self.path} cannot be searched: {error.strerror}") from None
        for frame in self.decode():
            if number == key and frame.pts is not None and frame.pts < times[key]:
                continue
            if number == len(times) or frame.pts != times[number]:
                raise VideoError(f"{self.path} shows frame {number} at a time that is not its own")
            yield number, frame
            number += 1
        if number < len(times):
            raise VideoError(f"{self.path} ends before frame {number}")

    def timeline(self) -> Timeline:
        """Count and time the frames, by their packets where those can be trusted.

        The count that a header states is that of all frames stored, and some containers state none.
        Decoding a film to count it takes a hundred times as long as listing its packets.
        """
        state = self.path.stat()
        return _timeline(self.path, state.st_size, state.st_mtime_ns)

    def seconds(self) -> NDArray[np.float64] | None:
        """Return when each frame is shown, from the first one on; None where that is unknown."""
        times = self.timeline().times
        if times is None or self._stream.time_base is None:
            return None
        ticks = np.array(times, dtype=np.int64)
        return (ticks - ticks[:1]) * float(self._stream.time_base)

    def packets(self) -> Iterator[Any]:
        """Yield the stream's packets, undecoded."""
        import av

        try:
            yield from (packet for packet in self._container.demux(self._stream) if packet.size)
        except av.FFmpegError as error:
            raise VideoError(f"{self.path} breaks off while reading: {error.strerror}") from None


def _displayed(image: NDArray[np.uint8], frame: Any) -> NDArray[np.uint8]:
    """Apply a frame's display matrix: x' = a x + c y, y' = b x + d y, in fixed point."""
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
    if abs(b) > abs(a):
        image, a, d = image.swapaxes(0, 1), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


@lru_cache(maxsize=64)
def _timeline(path: Path, size: int, modified: int) -> Timeline:
    """List the frames of a file; its size and time of change tell when to do so again."""
    with VideoStream(path) as stream:
        packets = [
            (packet.pts, packet.dts, packet.is_keyframe, packet.is_discard)
            for packet in stream.packets()
        ]
        if _starts_clean(packets):
            found = [pts for pts, _, _, discarded in packets if not discarded]
            shown = found if None in found else sorted(found)
        else:
            stream.rewind()
            shown = [frame.pts for frame in stream.decode()]
    if None in shown or any(after <= before for before, after in pairwise(shown)):
        return Timeline(len(shown), None, ())
    numbers = {time: number for number, time in enumerate(shown)}
    keys = [
        (numbers[pts], pts if dts is None else dts)
        for pts, dts, is_key, discarded in packets
        if is_key and not discarded and pts in numbers
    ]
    return Timeline(len(shown), tuple(shown), tuple(keys))


def _starts_clean(packets: list[tuple[int | None, int | None, bool, bool]]) -> bool:
    """Say whether every packet (pts, dts, is key frame, is discarded) becomes a frame.

    Decoders drop what comes before the first key frame, and frames shown before it that refer to
    one that was cut away.
    """
    if not packets or not packets[0][2]:
        return False
    first = packets[0][0]
    return first is None or all(
        pts is None or pts >= first for pts, _, _, discarded in packets if not discarded
    )
