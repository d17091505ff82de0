"""No file passes cameras off as those of other frames: times, gaps and the first frame."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory import parse_trajectory
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, every_frame
from tests.geometry.test_formats import HOLDS, SIZE, held

NUMBERED = ["colmap", "nerfstudio", "vipe", "recammaster"]
PLAIN = ["kitti", "vista4d", "gen3c", "megasam", "ex4d"]
LENS = ("--height", HEIGHT, "--width", WIDTH, "--intrinsics", 70, 70, 40, 30)


def convert(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Return the exit status and the errors of a conversion."""
    status = main(["trajectory", "convert", *map(str, arguments)])
    return status, capsys.readouterr().err


def timed(path: Path, *times: float) -> Path:
    """A TUM file of cameras at those times."""
    write_cameras(path, every_frame(len(times)).replaced(intrinsics=None, times=times), "tum")
    return path


def one_lens(frames: int, *numbers: int) -> CameraPath:
    """Cameras at those frames, with one lens."""
    cameras = every_frame(frames)
    lens = np.tile(cameras.intrinsics[0], (frames, 1, 1))
    return cameras.replaced(intrinsics=lens, frame_index=np.array(numbers))


@pytest.mark.parametrize("name", NUMBERED)
def test_times_become_frame_numbers_at_the_rate_of_the_video(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = timed(tmp_path / "keys.tum", 0.0, 0.2, 0.4, 0.8)
    out = tmp_path / HOLDS[name].file
    status, error = convert(capsys, source, f"{name}:{out}", *LENS)
    assert (status, "keys.tum has cameras at uneven times" in error) == (2, True)
    assert "give --fps" in error
    assert not out.exists()
    assert convert(capsys, source, f"{name}:{out}", *LENS, "--fps", 30)[0] == 0
    np.testing.assert_array_equal(read_cameras(out, name).frame_index, (0, 6, 12, 24))


@pytest.mark.parametrize("rate", [(), ("--fps", 30)])
@pytest.mark.parametrize("first", [0.0, 52.5])
def test_the_cameras_of_a_whole_clip_stay_in_order(
    rate: tuple, first: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As RealEstate10K has them: microseconds, in a longer video that the clip was cut from.
    times = first + np.round(np.arange(4) / 29.97, 6)
    source = timed(tmp_path / "clip.tum", *times)
    assert convert(capsys, source, f"colmap:{tmp_path / 'sparse'}", *LENS, *rate)[0] == 0
    assert read_cameras(tmp_path / "sparse").frame_index is None


def test_key_frames_at_even_times_are_said_to_be_taken_for_every_frame(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    source = timed(tmp_path / "keys.tum", 0.0, 0.2, 0.4)
    assert convert(capsys, source, f"colmap:{tmp_path / 'a'}", *LENS)[0] == 0
    assert "every frame of a video of 5 frames per second: give --fps" in caplog.text
    assert convert(capsys, source, f"colmap:{tmp_path / 'b'}", *LENS, "--fps", 30)[0] == 0
    np.testing.assert_array_equal(read_cameras(tmp_path / "b").frame_index, (0, 6, 12))


def test_with_the_length_of_the_video_the_times_place_a_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = timed(tmp_path / "part.tum", *(np.arange(20, 24) / 30))
    command = (source, f"colmap:{tmp_path / 'sparse'}", *LENS, "--fps", 30)
    assert convert(capsys, *command, "--video-frames", 90)[0] == 0
    np.testing.assert_array_equal(read_cameras(tmp_path / "sparse").frame_index, (20, 21, 22, 23))


def test_uneven_times_are_filled_in_by_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cameras = every_frame(3).replaced(intrinsics=None, times=np.array([0.0, 0.1, 0.4]))
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = (0, 1, 4)
    source, out = tmp_path / "keys.tum", tmp_path / "path.yaml"
    write_cameras(source, cameras.replaced(world_from_camera=poses), "tum")
    status, error = convert(capsys, source, out, "--fps", 10)
    assert (status, "give --frames 5 for all between them" in error) == (2, True)
    assert convert(capsys, source, out, "--fps", 10, "--frames", 5)[0] == 0
    x = parse_trajectory(out).source_from_target[:, 0, 3]
    np.testing.assert_allclose(x, np.arange(5), atol=1e-9)


def test_two_cameras_on_one_frame_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = timed(tmp_path / "fast.tum", 0.0, 0.01, 0.4)
    status, error = convert(capsys, source, f"colmap:{tmp_path / 'sparse'}", *LENS, "--fps", 10)
    assert (status, "the video has frames at 10 per second" in error) == (2, True)


@pytest.mark.parametrize("name", [*NUMBERED, *PLAIN, "spatialvid"])
def test_uneven_times_are_not_dropped_in_python_either(name: str, tmp_path: Path) -> None:
    cameras = one_lens(3, 0, 1, 2).replaced(frame_index=None, times=np.array([0.0, 0.1, 0.4]))
    with pytest.raises(ValueError, match=rf"uneven times.* {name} holds frames and no times"):
        write_cameras(tmp_path / HOLDS[name].file, cameras, name, SIZE)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", PLAIN)
def test_gaps_are_refused_and_the_first_frame_is_said(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / HOLDS[name].file
    with pytest.raises(ValueError, match=rf"{name} holds every frame.*give --frames 5"):
        write_cameras(path, one_lens(3, 20, 21, 24), name)
    assert not any(tmp_path.iterdir())
    write_cameras(path, one_lens(3, 0, 1, 2), name)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        write_cameras(path, one_lens(3, 20, 21, 22), name)
    assert f"{name} counts frames from 0, and its first camera is that of frame 20" in caplog.text


def test_key_frames_at_uneven_steps_are_not_written_as_even_ones(tmp_path: Path) -> None:
    path = tmp_path / "clip"
    for numbers, remedy in (((0, 2, 30), "or give --frames 31"), ((4, 8, 12), "choose colmap")):
        with pytest.raises(ValueError, match=f"at even steps from frame 0.*{remedy}"):
            write_cameras(path, one_lens(3, *numbers), "spatialvid")
    assert not path.exists()
    write_cameras(path, one_lens(3, 0, 6, 12), "spatialvid")
    again = read_cameras(path, given=Given(HEIGHT, WIDTH, video_frames=18))
    np.testing.assert_array_equal(again.frame_index, (0, 6, 12))


def test_numbers_that_no_video_has_are_not_to_be_filled_in(tmp_path: Path) -> None:
    cameras = one_lens(3, 0, 50_000_000, 100_000_000)  # nanoseconds
    for name in ("kitti", "gen3c"):
        with pytest.raises(ValueError, match="a video has no such numbers") as caught:
            write_cameras(tmp_path / HOLDS[name].file, held(cameras, HOLDS["vipe"]), name)
        assert "--frames" not in str(caught.value)
