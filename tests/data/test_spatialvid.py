from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.real_pairs import FlowConfig
from scaling4d.data.sources import DataConfig, open_source
from scaling4d.data.spatialvid import (
    SpatialVidClip,
    drop_camera_sentences,
    is_spatialvid,
    list_spatialvid,
)
from scaling4d.geometry.camera import relative_pose
from scaling4d.storage.video import read_frames


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


def _epipolar_residual(clip: SpatialVidClip) -> float:
    """Median distance in pixels of matched points to the epipolar lines of the poses."""
    frames, intrinsics, world_from_camera = clip.cameras()
    a, b = 2, 4
    images = read_frames(clip.video, [frames[a], frames[b]])
    first, second = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images)
    points = cv2.goodFeaturesToTrack(first, 800, 0.01, 8)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, points, None)
    back, _, _ = cv2.calcOpticalFlowPyrLK(second, first, moved, None)
    good = (found[:, 0] == 1) & (np.abs(back - points).max(axis=(1, 2)) < 0.5)
    x, y = points[good, 0] + 0.5, moved[good, 0] + 0.5
    target_from_source = relative_pose(world_from_camera[b], world_from_camera[a])
    R, t = target_from_source[:3, :3], target_from_source[:3, 3]
    cross = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    F = np.linalg.inv(intrinsics[b]).T @ cross @ R @ np.linalg.inv(intrinsics[a])
    lines = np.c_[x, np.ones(len(x))] @ F.T
    distance = np.abs((lines * np.c_[y, np.ones(len(y))]).sum(1)) / np.hypot(*lines[:, :2].T)
    return float(np.median(distance))


def test_annotated_cameras_fit_the_pictures(root: Path) -> None:
    residuals = [_epipolar_residual(clip) for clip in list_spatialvid(root)[:4]]
    assert np.median(residuals) < 0.6, residuals


def test_key_frames_cover_the_clip(root: Path) -> None:
    for clip in list_spatialvid(root):
        frames, intrinsics, poses = clip.cameras()
        assert len(frames) == len(intrinsics) == len(poses)
        assert 0.8 * clip.frames < frames[-1] < clip.frames
        assert (intrinsics[:, 0, 2] > 0.3 * clip.width).all()
        np.testing.assert_allclose(np.linalg.det(poses[:, :3, :3]), 1, atol=1e-6)


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
