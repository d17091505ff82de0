"""Videos whose damage shows only when they are decoded, or that go away during a run."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from scaling4d.data.clip_pairs import ClipPairConfig
from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.real_pairs import FlowConfig, RealPairs
from scaling4d.data.sources import DataConfig, open_source
from scaling4d.data.spatialvid import read_spatialvid
from tests.data.samples import put_header_first, write_sample_video

SIZE = ClipSize(frames=5, height=48, width=48)


def cut_short(path: Path) -> None:
    """Keep the header, which lies in front and promises every frame, and a part of the rest."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def overwrite_the_middle(path: Path) -> None:
    """Let every frame from the middle on be noise."""
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    noise = np.random.default_rng(0).integers(0, 256, len(content) - half, dtype=np.uint8)
    path.write_bytes(bytes(content[:half]) + noise.tobytes())


def source(folder: Path, *, skip_broken: bool = True) -> RealPairs:
    config = DataConfig(
        frames=SIZE.frames,
        height=SIZE.height,
        width=SIZE.width,
        pairs=ClipPairConfig(max_offset=6),
        flow=FlowConfig(name="dis"),
        skip_broken=skip_broken,
    )
    opened = open_source(folder, config, cache=DiskCache(None), seed=0)
    assert isinstance(opened, RealPairs)
    return opened


def draw(item: int, epoch: int = 0) -> Draw:
    return Draw(position=0, source="real", item=item, epoch=epoch, seed=7)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for number, name in enumerate("abc"):
        put_header_first(write_sample_video(tmp_path / f"{name}.mp4", frames=24 + number))
    return tmp_path


@pytest.mark.parametrize("damage", [cut_short, overwrite_the_middle, Path.unlink])
def test_broken_clip_hands_over_to_the_next_and_is_named_once(
    videos: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    whole = source(videos)
    expected = [whole.pair(draw(2)), whole.pair(draw(2, epoch=1))]
    if damage is Path.unlink:
        pairs = source(videos)
        damage(videos / "b.mp4")
    else:
        damage(videos / "b.mp4")
        pairs = source(videos)
    assert len(pairs) == 3, "nothing shows at the start"
    with caplog.at_level(logging.WARNING):
        made = [pairs.pair(draw(1)), pairs.pair(draw(1, epoch=1))]
    assert caplog.text.count("b.mp4") == 1, "one warning for a clip, however often it is drawn"
    for pair, other in zip(made, expected, strict=True):
        (passed,) = pair.report["passed_over"]
        assert passed["clip"] == "b.mp4"
        assert str(videos / "b.mp4") in passed["broken"]
        torch.testing.assert_close(pair.control, other.control, rtol=0, atol=0)
    assert pairs.pair(draw(0)).report["passed_over"] == []


@pytest.mark.parametrize("damage", [cut_short, Path.unlink])
def test_without_skipping_the_file_and_the_remedy_are_named(
    videos: Path, damage: Callable[[Path], None]
) -> None:
    pairs = source(videos, skip_broken=False)
    damage(videos / "b.mp4")
    with pytest.raises(DataError, match=r"b\.mp4.*replace or remove.*data\.skip_broken=true"):
        pairs.pair(draw(1))


def test_clips_that_are_all_broken_end_in_a_sentence(videos: Path) -> None:
    for path in videos.glob("*.mp4"):
        cut_short(path)
    with pytest.raises(DataError, match=r"none of the 3 clips .* 3 cannot be read .*a\.mp4"):
        source(videos).pair(draw(1))


def test_workers_skip_too(videos: Path) -> None:
    cut_short(videos / "b.mp4")
    pairs = pickle.loads(pickle.dumps(source(videos)))
    assert pairs.pair(draw(1)).origin.startswith("c.mp4")


def write_spatialvid(folder: Path) -> Path:
    """Write clips a and b in the data set's layout; return the folder of their videos."""
    table = folder / "data" / "train" / "SpatialVID_HQ_metadata.csv"
    table.parent.mkdir(parents=True)
    columns = "id,video path,annotation path,num frames,fps,resolution\n"
    rows = [f"{n},videos/{n}.mp4,annotations/{n},24,16.0,64x64\n" for n in "ab"]
    table.write_text(columns + "".join(rows))
    videos = folder / "SpatialVid" / "HQ" / "videos"
    videos.mkdir(parents=True)
    for name in "ab":
        write_sample_video(videos / f"{name}.mp4", frames=24)
        (videos.parent / "annotations" / name).mkdir(parents=True)
    return videos


def test_empty_spatialvid_clip_is_named_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (write_spatialvid(tmp_path) / "b.mp4").write_bytes(b"")
    with pytest.raises(DataError, match=r"b\.mp4 is an empty file; .*skip_broken"):
        read_spatialvid(tmp_path, SIZE, skip_broken=False)
    with caplog.at_level(logging.WARNING):
        clips = read_spatialvid(tmp_path, SIZE, skip_broken=True)
    assert [clip.path.name for clip in clips] == ["a.mp4"]
    assert "b.mp4 is an empty file" in caplog.text


@pytest.mark.parametrize("content", [b"caf\xe9", b'{"SceneSummary": ', b"[1]"])
def test_broken_caption_of_spatialvid_is_named_or_skipped(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    annotations = write_spatialvid(tmp_path).parent / "annotations"
    (annotations / "b" / "caption.json").write_bytes(content)
    with pytest.raises(DataError, match=r"b/caption\.json.*skip_broken"):
        read_spatialvid(tmp_path, SIZE, skip_broken=False)
    with caplog.at_level(logging.WARNING):
        clips = read_spatialvid(tmp_path, SIZE, skip_broken=True)
    assert [clip.path.name for clip in clips] == ["a.mp4"]
    assert "caption.json" in caplog.text


def test_caption_in_another_encoding_is_named_or_skipped(
    videos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (videos / "a.txt").write_text("a café", encoding="utf-8")
    (videos / "b.txt").write_text("a café", encoding="latin-1")
    with pytest.raises(DataError, match=r"b\.txt.*UTF-8.*skip_broken"):
        source(videos, skip_broken=False)
    with caplog.at_level(logging.WARNING):
        clips = source(videos).clips
    assert [(clip.path.name, clip.prompt) for clip in clips] == [
        ("a.mp4", "a café"),
        ("c.mp4", ""),
    ]
    assert str(videos / "b.txt") in caplog.text
