"""Which frames of a video cameras with times and without frame numbers belong to."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path


def timed(*times: float) -> CameraPath:
    return CameraPath(np.tile(np.eye(4), (len(times), 1, 1)), times=np.array(times))


@pytest.mark.parametrize(
    ("times", "numbers", "said"),
    [
        ((0, 0.4, 0.8), [0, 4, 8], "seconds of the video"),
        ((0.31, 0.69), [3, 7], "seconds of the video"),
        ((1e9, 1e9 + 0.4), [0, 4], "counted from the first camera, at frame 0"),
        ((-0.2, 0.2), [0, 4], "counted from the first camera"),
        (tuple(np.arange(12) / 10), list(range(12)), "frames 0 to 11"),  # more than the video
    ],
)
def test_times_give_the_frame_numbers(times, numbers, said, caplog) -> None:
    with caplog.at_level(logging.INFO):
        placed = timed(*times).in_video(9, 10.0, "a.tum")
    np.testing.assert_array_equal(placed.frame_index, numbers)
    assert said in caplog.text


def test_as_many_cameras_as_frames_are_taken_in_order(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert timed(90.0, 90.5, 91.0).in_video(3, 30.0, "clip.txt").frame_index is None
    assert "clip.txt: its 3 cameras are taken for the video's frames in order" in caplog.text


def test_known_numbers_stay_and_cameras_without_times_are_in_order() -> None:
    numbered = timed(0, 0.4).replaced(frame_index=np.array([2, 3]))
    assert numbered.in_video(9, 10.0, "c") is numbered
    plain = CameraPath(np.tile(np.eye(4), (3, 1, 1)))
    assert plain.in_video(9, 10.0, "c") is plain


@pytest.mark.parametrize(
    "times",
    [
        (0, 0.4, 0.96),  # frame 10 of 9
        (0, 0.01, 0.4),  # a recorder that is faster than the video
        (0, 4e8, 8e8),  # nanoseconds
    ],
)
def test_times_that_do_not_fit_the_video_are_refused(times) -> None:
    expected = "c.tum holds 3 cameras over .* s, and the video is 9 frames at 10 per second: give"
    with pytest.raises(ValueError, match=expected):
        timed(*times).in_video(9, 10.0, "c.tum")


def test_time_codes_of_a_stage_are_frame_numbers_whatever_its_rate(tmp_path: Path) -> None:
    cameras = camera_path(3).replaced(frame_index=None, times=None)
    write_cameras(tmp_path / "a.usda", cameras, "usd", Given(fps=24.0))
    read = read_cameras(tmp_path / "a.usda")
    np.testing.assert_array_equal(read.in_video(9, 60.0, "a.usda").frame_index, [0, 1, 2])
