"""Camera files as targets: cropped, resized and picked by frame as the video is."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import write_cameras
from scaling4d.inference.source import Source, read_source
from scaling4d.inference.target_path import read_target
from scaling4d.storage.video import write_video

HEIGHT, WIDTH = 48, 96
K = intrinsics_matrix(80.0, 84.0, 50.0, 22.0)


def clip(
    *,
    frames: int = 5,
    video_frames: int = 5,
    step: int = 1,
    known: bool = True,
    file: Path | None = None,
    **how: object,
) -> Source:
    """A black clip; with ``file``, of a video at 8 frames per second that is written there."""
    images = np.zeros((video_frames, HEIGHT, WIDTH, 3), np.uint8)
    if file is not None:
        write_video(file, images, 8.0)
    return read_source(
        images if file is None else file,
        depth="infinity",
        intrinsics=K if known else None,
        frames=frames,
        frame_step=step,
        device=torch.device("cpu"),
        **{"size": None, **how},  # type: ignore[arg-type]
    )


def cameras(count: int, spacing: int = 1, **changes: object) -> CameraPath:
    """Camera i stands ``spacing`` * i metres to the right of camera 0."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.arange(count) * spacing
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
    keys = cameras(5, spacing=8, frame_index=numbers, times=None)
    text = written(tmp_path / "c", "colmap", keys)
    path, _ = read_target(text, clip(frames=frames, video_frames=33), None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(frames), atol=1e-6)


@pytest.mark.parametrize("step", [1, 2])
def test_key_frames_with_times_stand_at_the_frames_of_those_times(step, tmp_path: Path) -> None:
    """Camera i at frame 4 i of a video at 8 frames per second, whatever step the clip has."""
    text = written(tmp_path / "k", "re10k", cameras(4, spacing=4, times=np.arange(4) / 2))
    source = clip(video_frames=21, step=step, file=tmp_path / "v.mp4")
    path, _ = read_target(text, source, None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(5) * step, atol=1e-6)
    with pytest.raises(ValueError, match=r"4 cameras over 1\.5 s, and the video is 11 frames at 8"):
        read_target(text, clip(video_frames=11, file=tmp_path / "w.mp4"), None)


def test_as_many_cameras_as_the_clips_frames_are_taken_in_order_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = written(tmp_path / "c", "re10k", cameras(5, times=90 + np.arange(5) / 2))
    with caplog.at_level(logging.INFO):
        path, _ = read_target(text, clip(video_frames=21, file=tmp_path / "v.mp4"), None)
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], np.arange(5), atol=1e-6)
    assert "its 5 cameras are taken for the clip's frames in order" in caplog.text


def test_one_camera_of_a_file_with_several_is_named(tmp_path: Path) -> None:
    files = []
    for number in (1, 2):
        path = tmp_path / f"cam0{number}.json"
        one = cameras(5, spacing=number, intrinsics=None)
        write_cameras(path, one, "recammaster", Given(camera=path.stem))
        files.append(json.loads(path.read_text()))
    both = tmp_path / "two.json"
    both.write_text(json.dumps({frame: files[0][frame] | files[1][frame] for frame in files[0]}))
    with pytest.raises(ValueError, match="holds the cameras cam01, cam02: name the one you mean"):
        read_target(f"recammaster:{both}", clip(), None)
    path, _ = read_target(f"recammaster:{both}", clip(), None, "cam02")
    np.testing.assert_allclose(path.source_from_target[:, 0, 3], 2.0 * np.arange(5), atol=1e-6)


@pytest.mark.parametrize("trajectory", ["pan:angle=5", Trajectory(np.tile(np.eye(4), (5, 1, 1)))])
def test_a_camera_is_refused_where_there_is_no_file_of_cameras(trajectory) -> None:
    with pytest.raises(ValueError, match=r"'cam02' was given for .*, which is no file of cameras"):
        read_target(trajectory, clip(), None, "cam02")


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
