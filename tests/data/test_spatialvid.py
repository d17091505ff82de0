from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.real_pairs import FlowConfig
from scaling4d.data.sources import DataConfig, open_source
from scaling4d.data.spatialvid import (
    drop_camera_sentences,
    is_spatialvid,
    list_spatialvid,
)


@pytest.fixture(scope="module")
def root(test_data: Path) -> Path:
    return test_data / "spatialvid"


def test_partial_download_is_reported_and_the_rest_is_used(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        clips = list_spatialvid(root)
    assert len(clips) == 6
    assert "6 of 20 clips" in caplog.text
    assert {round(clip.fps, 2) for clip in clips} == {29.97, 30.0, 59.94}


def test_folder_is_recognised_by_its_layout(root: Path, tmp_path: Path) -> None:
    assert is_spatialvid(root)
    assert not is_spatialvid(root / "SpatialVid")
    config = DataConfig(frames=17, height=64, width=64, flow=FlowConfig(name="dis"))
    source = open_source(root, config, cache=DiskCache(tmp_path), seed=0)
    assert len(source) == 6


def test_prompts_do_not_speak_of_the_camera(root: Path) -> None:
    for clip in list_spatialvid(root):
        prompt = clip.prompt()
        assert len(prompt) > 50
        assert "camera" not in prompt.lower()
        assert "aerial view" not in prompt.lower()


def test_dropping_camera_sentences_keeps_the_others_word_for_word() -> None:
    text = "A quiet road. The camera pans left! Trees line it? It shifts to an aerial view."
    assert drop_camera_sentences(text) == "A quiet road. Trees line it?"
    assert drop_camera_sentences("") == ""
    assert drop_camera_sentences("A panther in a span of grass.") == "A panther in a span of grass."


def test_key_frames_cover_the_clip(root: Path) -> None:
    """That the poses fit the pictures is shown in tests/geometry/test_epipolar.py."""
    for clip in list_spatialvid(root):
        cameras = clip.cameras()
        assert 0.8 * clip.frames < cameras.frame_index[-1] < clip.frames
        assert (cameras.intrinsics[:, 0, 2] > 0.3 * clip.width).all()
        between = cameras.at_frames([0, 1, 7])
        np.testing.assert_allclose(between.world_from_camera[0], cameras.world_from_camera[0])
        np.testing.assert_allclose(np.linalg.det(between.world_from_camera[:, :3, :3]), 1)


def test_missing_annotation_is_named(root: Path, tmp_path: Path) -> None:
    clip = dataclasses.replace(list_spatialvid(root)[0], annotations=tmp_path)
    with pytest.raises(DataError, match=r"poses\.npy"):
        clip.cameras()


def test_foreign_table_and_missing_files_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="metadata"):
        list_spatialvid(tmp_path)
    table = tmp_path / "data" / "train" / "my_metadata.csv"
    table.parent.mkdir(parents=True)
    table.write_text("name,length\nfoo,3\n")
    with pytest.raises(DataError, match="not SpatialVID's"):
        list_spatialvid(tmp_path)
    original = next((root / "data" / "train").glob("*.csv"))
    table.write_text(original.read_text())
    with pytest.raises(DataError, match="none of the 20 videos"):
        list_spatialvid(tmp_path)


def test_clip_size_of_the_recipe_reaches_the_data() -> None:
    config = DataConfig(frames=17, height=64, width=48)
    assert config.clip == ClipSize(frames=17, height=64, width=48)
    with pytest.raises(ValueError, match="fps"):
        DataConfig(fps=0.0)
