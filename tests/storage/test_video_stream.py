"""What a stream shows and when: counted by packets, the same as decoding gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from scaling4d.storage.video import VideoError, probe_video, read_frames, read_video
from scaling4d.storage.video_stream import VideoStream
from tests.storage.encoded import CODECS, copy_stream, drifting_texture, encode

FRAMES = 130


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("encoded")
    texture = drifting_texture(FRAMES)

    def make(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            codec, options = CODECS[name]
            encode(path, texture, codec=codec, options=options)
        return path

    return make


def decoded_frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("name", CODECS)
def test_packets_count_as_many_frames_as_decoding_gives(
    encoded: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    rewind = VideoStream.rewind
    monkeypatch.setattr(VideoStream, "rewind", lambda self: (decoded.append(1), rewind(self)))
    assert probe_video(encoded(name)).frames == len(decoded_frames(encoded(name))) == FRAMES
    assert not decoded, "counting packets must do"


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
def test_trimmed_videos_are_as_long_as_decoding_gives(
    encoded: Callable[[str], Path], tmp_path: Path, name: str, suffix: str
) -> None:
    path = copy_stream(encoded(name), tmp_path / f"trimmed.{suffix}", trim=40)
    count = probe_video(path).frames
    assert count == len(decoded_frames(path))
    assert count == (FRAMES if suffix == "mkv" else FRAMES - 40)
    assert read_frames(path, [count - 1]).shape == (1, 64, 96, 3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
def test_frames_whose_references_were_cut_away_are_not_counted(
    encoded: Callable[[str], Path], tmp_path: Path, name: str, suffix: str
) -> None:
    """Of an open group of pictures the decoder shows nothing before its key frame."""
    path = copy_stream(encoded(name), tmp_path / f"cut.{suffix}", drop_keys=2)
    with av.open(str(path)) as container:
        packets = sum(1 for packet in container.demux(video=0) if packet.size)
    assert probe_video(path).frames == len(decoded_frames(path)) < packets


def test_a_file_that_changed_is_counted_anew(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", drifting_texture(12))
    assert probe_video(path).frames == 12
    encode(path, drifting_texture(15))
    assert probe_video(path).frames == 15


def test_times_are_those_of_the_decoded_frames(encoded: Callable[[str], Path]) -> None:
    for name in CODECS:
        with VideoStream(encoded(name)) as stream:
            times = stream.timeline().times
        if name != "h264.avi":  # an avi holds no times, and FFmpeg guesses them in coding order
            assert times == tuple(frame.pts for frame in decoded_frames(encoded(name)))


def assert_reads_equal_decoding(path: Path) -> None:
    everything = np.stack([frame.to_ndarray(format="rgb24") for frame in decoded_frames(path)])
    for first in (48, 59, 60, 61, 63, 75, len(everything) - 2):
        numbers = list(range(first, min(first + 6, len(everything))))
        np.testing.assert_array_equal(read_frames(path, numbers), everything[numbers])
    tail = read_video(path, start=50).frames
    np.testing.assert_array_equal(tail, everything[50:])
    with pytest.raises(VideoError, match=f"no frame {len(everything)}"):
        read_frames(path, [60, len(everything)])


@pytest.mark.parametrize("name", CODECS)
def test_frames_read_from_a_key_frame_on_are_those_of_decoding_from_the_start(
    encoded: Callable[[str], Path], name: str
) -> None:
    assert_reads_equal_decoding(encoded(name))


@pytest.mark.parametrize("change", [{"trim": 40}, {"drop_keys": 1}], ids=str)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
def test_frames_of_cut_files_are_those_of_decoding_from_the_start(
    encoded: Callable[[str], Path], tmp_path: Path, name: str, suffix: str, change: dict[str, int]
) -> None:
    assert_reads_equal_decoding(copy_stream(encoded(name), tmp_path / f"cut.{suffix}", **change))


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "hevc.mp4", "vp9.webm", "mpeg4.avi"])
def test_the_frames_before_a_window_are_not_decoded(
    encoded: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def counted(stream: VideoStream) -> Iterator[object]:
        nonlocal count
        for frame in decode(stream):
            count += 1
            yield frame

    decode = VideoStream.decode
    monkeypatch.setattr(VideoStream, "decode", counted)
    read_frames(encoded(name), [121, 122])
    assert count <= 40  # its key frame is at most 30 frames before, and some seek one further


def test_only_the_frames_asked_for_are_converted(
    encoded: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = []
    picture = VideoStream.picture
    monkeypatch.setattr(
        VideoStream, "picture", lambda self, frame: converted.append(1) or picture(self, frame)
    )
    read_frames(encoded("h264.mp4"), [5, 30, 90])
    assert len(converted) == 3
