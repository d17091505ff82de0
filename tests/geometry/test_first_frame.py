"""Files whose frame numbers start elsewhere than at 0: shots that start at 1001."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from scaling4d.storage.video import write_video
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path
from tests.geometry.test_epipolar import turning_clip

FILES = {"usd": "a.usda", "vipe": "vipe", "recammaster": "a.json"}


@pytest.fixture(params=FILES)
def shot(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with the frames 1001 to 1004."""
    path = tmp_path / FILES[request.param]
    cameras = camera_path(4).replaced(frame_index=np.arange(1001, 1005), times=None)
    if request.param == "recammaster":
        cameras = cameras.replaced(intrinsics=None)
    write_cameras(path, cameras, request.param)
    return path


@pytest.mark.parametrize(("first_frame", "expected"), [(None, 1001), (1001, 0), (999, 2)])
def test_numbers_count_from_the_first_frame(
    shot: Path, first_frame: int | None, expected: int
) -> None:
    cameras = read_cameras(shot, given=Given(HEIGHT, WIDTH, first_frame=first_frame))
    index = np.arange(4) if cameras.frame_index is None else cameras.frame_index
    np.testing.assert_array_equal(index, expected + np.arange(4))
    if shot.suffix == ".usda":
        np.testing.assert_allclose(cameras.times, index / 24.0)


def test_frames_before_the_first_are_handles_of_a_stage_and_errors_elsewhere(
    shot: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = read_cameras(shot)
    if shot.suffix != ".usda":
        with pytest.raises(ValueError, match="1001 lies before the given first frame, 1003: give"):
            read_cameras(shot, given=Given(first_frame=1003))
        return
    with caplog.at_level("INFO", logger="scaling4d"):
        cameras = read_cameras(shot, given=Given(first_frame=1003))
    np.testing.assert_array_equal(cameras.world_from_camera, whole.world_from_camera[2:])
    np.testing.assert_array_equal(cameras.frame_index, [0, 1])
    assert "left out 2 time codes before 1003" in caplog.text
    with pytest.raises(ValueError, match="ends at time code 1004, before the given first frame"):
        read_cameras(shot, given=Given(first_frame=1005))


def test_verify_takes_the_first_frame_and_names_it_where_it_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = turning_clip()
    write_video(tmp_path / "room.mp4", clip.rgb, 8.0)
    numbers = 1001 + np.arange(len(clip.rgb))
    cameras = CameraPath(clip.world_from_camera, clip.intrinsics, 240, 320, frame_index=numbers)
    write_cameras(tmp_path / "a.usda", cameras, "usd")
    command = ["verify", "cameras", str(tmp_path / "room.mp4"), str(tmp_path / "a.usda")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "holds poses for frames 1001 to " in said
    assert "--first-frame" in said
    assert main([*command, "--first-frame", "1001", "--pairs", "3"]) == 0
    assert "confirmed" in capsys.readouterr().out
