"""Camera files as targets: cropped, resized and picked by frame as the video is."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import write_cameras
from scaling4d.inference.source import Source, read_source
from scaling4d.inference.target_path import read_target

HEIGHT, WIDTH = 48, 96
K = intrinsics_matrix(80.0, 84.0, 50.0, 22.0)


def clip(
    *, frames: int = 5, video_frames: int = 5, step: int = 1, known: bool = True, **how: object
) -> Source:
    return read_source(
        np.zeros((video_frames, HEIGHT, WIDTH, 3), np.uint8),
        depth="infinity",
        intrinsics=K if known else None,
        frames=frames,
        frame_step=step,
        device=torch.device("cpu"),
        **{"size": None, **how},  # type: ignore[arg-type]
    )


def cameras(count: int, **changes: object) -> CameraPath:
    """Camera i stands i metres to the right of camera 0."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.arange(count)
    path = CameraPath(poses, np.tile(K, (count, 1, 1)), HEIGHT, WIDTH, np.arange(count) / 8)
    return path.replaced(**changes)


def written(path: Path, name: str, cams: CameraPath) -> str:
    write_cameras(path, cams, name, Given(HEIGHT, WIDTH, fps=8.0))
    return f"{name}:{path}"


@pytest.mark.parametrize("name", ["re10k", "nerfstudio", "colmap"])
@pytest.mark.parametrize("size", [None, (32, 32), (24, 48), (96, 48)])
@pytest.mark.parametrize("known", [True, False])
def test_the_source_cameras_own_file_moves_nothing(name, size, known, tmp_path: Path) -> None:
    """Whatever crop and resize the video gets, its own camera's file is the same camera."""
    source = clip(size=size, known=known)
    text = written(tmp_path / ("c.json" if name == "nerfstudio" else "c"), name, cameras(5))
    path, source = read_target(text, source, None)
    np.testing.assert_allclose(
        path.target_intrinsics(source.intrinsics), source.intrinsics, atol=1e-6
    )
    np.testing.assert_allclose(source.intrinsics, clip(size=size).intrinsics, atol=1e-6)


@pytest.mark.parametrize(("count", "used"), [(5, [0, 1, 2, 3, 4]), (11, [0, 2, 4, 6, 8])])
def test_cameras_belong_to_the_clips_frames_or_to_the_videos(count, used, tmp_path: Path) -> None:
    source = clip(video_frames=11, step=2)
    path, _ = read_target(written(tmp_path / "c", "re10k", cameras(count)), source, None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], used, atol=1e-6)


def test_key_frames_stand_at_their_frames_of_the_whole_video(tmp_path: Path) -> None:
    """SpatialVID keeps every n-th pose: 5 for 21 frames are those of frames 0, 5, 10, ..."""
    source = clip(frames=9, video_frames=21)
    text = written(tmp_path / "annotation", "spatialvid", cameras(5))
    path, _ = read_target(text, source, None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(9) / 5, atol=1e-6)
    with pytest.raises(ValueError, match="frames 0 to 20, and the clip shows 0 to 21"):
        read_target(text, clip(frames=22, video_frames=22), None)


@pytest.mark.parametrize("frames", [5, 6])
def test_numbered_cameras_stand_at_their_frames_however_many_there_are(frames, tmp_path) -> None:
    numbers = np.arange(5) * 8
    keys = cameras(5, frame_index=numbers, times=None)
    keys.world_from_camera[:, 0, 3] = numbers
    text = written(tmp_path / "c", "colmap", keys)
    path, _ = read_target(text, clip(frames=frames, video_frames=33), None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(frames), atol=1e-6)


def test_cameras_numbered_in_a_longer_video_serve_a_clip_cut_out_of_it(tmp_path: Path) -> None:
    text = written(
        tmp_path / "c", "colmap", cameras(5, frame_index=np.arange(100, 105), times=None)
    )
    path, _ = read_target(text, clip(), None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(5), atol=1e-6)
    gaps = cameras(5, frame_index=np.array([100, 101, 103, 104, 105]), times=None)
    with pytest.raises(ValueError, match="frames 100 to 105, and the clip shows 0 to 4"):
        read_target(written(tmp_path / "g", "colmap", gaps), clip(), None)


def test_a_file_for_images_of_the_outputs_shape_is_only_resized(tmp_path: Path) -> None:
    square = cameras(5, intrinsics=np.tile(intrinsics_matrix(40, 40, 16, 16), (5, 1, 1)))
    text = written(tmp_path / "c", "colmap", square.replaced(height=32, width=32))
    path, _ = read_target(text, clip(size=(64, 64)), None)
    np.testing.assert_allclose(path.intrinsics[0], intrinsics_matrix(80, 80, 32, 32))  # type: ignore[index]
    with pytest.raises(
        ValueError, match=r"images of 32x32 .* neither the shape of the video, 48x96"
    ):
        read_target(text, clip(size=(32, 48)), None)


def test_a_length_that_fits_nothing_is_refused_with_the_remedy(tmp_path: Path) -> None:
    text = written(tmp_path / "c", "re10k", cameras(7))
    with pytest.raises(ValueError, match="holds 7 cameras: give one for each of the 5 frames"):
        read_target(text, clip(video_frames=11), None)


def test_an_assumed_lens_is_said_and_a_known_one_is_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_target("pan:angle=5", clip(), None)
        assert not caplog.records
        read_target("pan:angle=5", clip(known=False), None)
    assert "assuming a horizontal field of view of 55 degrees" in caplog.text
