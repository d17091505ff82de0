"""The verify command on rendered and on real clips: verdicts and exit statuses."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.trajectory_io import write_cameras
from scaling4d.storage.video import write_video
from tests.geometry.test_epipolar import turning_clip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CameraPath]:
    """A video of the analytic room and the cameras that saw it."""
    clip = turning_clip()
    video = tmp_path_factory.mktemp("clip") / "room.mp4"
    write_video(video, clip.rgb, 8.0)
    return video, CameraPath(clip.world_from_camera, clip.intrinsics, 240, 320)


@pytest.mark.parametrize("name", ["colmap", "vista4d", "nerfstudio"])
def test_the_convention_of_a_true_file_is_confirmed(
    name: str,
    rendered: tuple[Path, CameraPath],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    video, cameras = rendered
    path = tmp_path / {"vista4d": "c.npz", "nerfstudio": "transforms.json"}.get(name, "sparse")
    write_cameras(path, cameras, name)
    assert main(["verify", "cameras", str(video), f"{name}:{path}", "--pairs", "3"]) == 0
    assert "confirmed" in capsys.readouterr().out


def test_images_numbered_as_ffmpeg_does_belong_to_their_own_frames(
    rendered: tuple[Path, CameraPath], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    video, cameras = rendered
    write_cameras(tmp_path, cameras, "colmap")
    rows = (tmp_path / "images.txt").read_text().splitlines()
    rows = [row for row in rows if row.endswith(".png")]
    named = [
        f"{row.rpartition(' ')[0]} frame_{number:05d}.png\n\n"
        for number, row in enumerate(rows, start=1)
    ]
    (tmp_path / "images.txt").write_text("".join(named))
    command = ["verify", "cameras", str(video), f"colmap:{tmp_path}", "--pairs", "3"]
    assert main(command) == 0
    assert "in 3 frame pairs" in capsys.readouterr().out, "the last image is the last frame"
    assert main([*command, "--first-frame", "0"]) == 0  # 0 is wrong, and puts it past the end
    assert "in 2 frame pairs" in capsys.readouterr().out


def test_key_frames_with_times_belong_to_the_frames_at_those_times(
    rendered: tuple[Path, CameraPath],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
) -> None:
    video, cameras = rendered
    keys = CameraPath(cameras.world_from_camera[[0, 1, 3]], times=np.array([0, 1, 3]) / 8)
    write_cameras(tmp_path / "keys.tum", keys, "tum")
    k = cameras.intrinsics[0]
    lens = [str(v) for v in (k[0, 0], k[1, 1], k[0, 2], k[1, 2])]
    command = ["verify", "cameras", str(video), f"tum:{tmp_path / 'keys.tum'}", "--intrinsics"]
    with caplog.at_level(logging.INFO):
        assert main([*command, *lens, "--pairs", "3"]) == 0
    assert "3 cameras belong to frames 0 to 3 of the video's 4 by their times" in caplog.text
    write_cameras(tmp_path / "keys.tum", keys.replaced(times=np.array([0, 2, 3])), "tum")
    assert main([*command, *lens]) == 2
    assert "and the video is 4 frames at 8 per second" in capsys.readouterr().err


def test_a_video_cut_short_takes_the_cameras_in_order(
    rendered: tuple[Path, CameraPath],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The times are those of a longer video with another rate, as RealEstate10K's may be."""
    video, cameras = rendered
    frames = len(cameras)
    longer = CameraPath(
        np.concatenate([cameras.world_from_camera, cameras.world_from_camera[::-1]]),
        np.concatenate([cameras.intrinsics, cameras.intrinsics]),
        240,
        320,
        times=np.arange(2 * frames) / 3.0,
    )
    write_cameras(tmp_path / "c.txt", longer, "re10k")
    with caplog.at_level(logging.INFO, logger="scaling4d"):
        assert main(["verify", "cameras", str(video), f"re10k:{tmp_path / 'c.txt'}"]) == 0
    assert "taking the first cameras for the video's frames in order" in caplog.text
    assert "confirmed" in capsys.readouterr().out


def test_inverted_poses_are_found_out_and_named(
    rendered: tuple[Path, CameraPath], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    video, cameras = rendered
    wrong = cameras.replaced(world_from_camera=cameras.camera_from_world)
    write_cameras(tmp_path / "c.npz", wrong, "vista4d")
    assert main(["verify", "cameras", str(video), str(tmp_path / "c.npz"), "--pairs", "3"]) == 1
    out = capsys.readouterr().out
    assert "should be camera-to-world opencv, but this file is world-to-camera opencv" in out


def test_wrong_poses_are_refuted(
    rendered: tuple[Path, CameraPath], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    video, cameras = rendered
    shuffled = cameras.replaced(world_from_camera=cameras.world_from_camera[[2, 0, 3, 1]])
    write_cameras(tmp_path / "c.npz", shuffled, "vista4d")
    assert main(["verify", "cameras", str(video), str(tmp_path / "c.npz"), "--pairs", "3"]) == 1
    assert "refuted: no reading" in capsys.readouterr().out


def test_missing_intrinsics_are_asked_for_and_can_be_given(
    rendered: tuple[Path, CameraPath], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    video, cameras = rendered
    write_cameras(tmp_path / "c.kitti", cameras, "kitti")
    command = ["verify", "cameras", str(video), str(tmp_path / "c.kitti"), "--pairs", "3"]
    assert main(command) == 2
    assert "give --intrinsics FX FY CX CY" in capsys.readouterr().err
    k = cameras.intrinsics[0]
    lens = [str(v) for v in (k[0, 0], k[1, 1], k[0, 2], k[1, 2])]
    assert main([*command, "--intrinsics", *lens]) == 0


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        ("nowhere.tum", "nowhere.tum"),
        ("das:motion.txt", "not the poses of this video"),
        ("orbit:yaw=3", "is a camera preset, the motion of a new camera: here a file is needed"),
    ],
)
def test_mistakes_end_in_one_sentence(
    poses: str,
    message: str,
    rendered: tuple[Path, CameraPath],
    capsys: pytest.CaptureFixture,
) -> None:
    assert main(["verify", "cameras", str(rendered[0]), poses]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_missing_video_ends_in_one_sentence(capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", "cameras", "nowhere.mp4", "x.tum"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.full
def test_a_spatialvid_clip_is_confirmed(test_data: Path, capsys: pytest.CaptureFixture) -> None:
    root = test_data / "spatialvid" / "SpatialVid" / "HQ"
    folder = sorted((root / "annotations").glob("*/*"))[1]
    video = root / "videos" / folder.parent.name / f"{folder.name}.mp4"
    options = ["--pairs", "2", "--cameras", "12"]
    assert main(["verify", "cameras", str(video), str(folder), *options]) == 0
    assert "world-to-camera opencv" in capsys.readouterr().out


def test_poses_beyond_the_video_are_left_out(
    rendered: tuple[Path, CameraPath], tmp_path: Path
) -> None:
    video, cameras = rendered
    longer = CameraPath(
        np.concatenate([cameras.world_from_camera, cameras.world_from_camera]),
        np.concatenate([cameras.intrinsics, cameras.intrinsics]),
    )
    write_cameras(tmp_path / "c.npz", longer, "vista4d")
    assert main(["verify", "cameras", str(video), str(tmp_path / "c.npz"), "--pairs", "3"]) == 0
