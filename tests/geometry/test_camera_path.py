"""Paths of cameras as values: nobody changes them from outside, and resampling renumbers them."""

from __future__ import annotations

import numpy as np
import pytest

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.trajectory import Trajectory
from tests.geometry.camera_paths import camera_path


def trajectory() -> Trajectory:
    """A trajectory with intrinsics and held frames."""
    cameras = camera_path(4)
    return Trajectory(
        cameras.world_from_camera, cameras.intrinsics, source_index=np.array([0, 1, 1, 1])
    )


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (camera_path, ("world_from_camera", "intrinsics", "times", "frame_index")),
        (trajectory, ("target_from_source", "intrinsics", "source_index")),
        (
            lambda: Trajectory.preset("zoom", 4, pivot_depth=None),
            ("target_from_source", "focal_scale"),
        ),
    ],
)
def test_the_arrays_of_a_path_are_its_own(kind, names: tuple[str, ...]) -> None:
    path = kind()
    given = {name: getattr(path, name).copy() for name in names}
    copy = type(path)(**given)
    for name in names:
        given[name][:] = 0
        np.testing.assert_array_equal(getattr(copy, name), getattr(path, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(copy, name)[:] = 0


def test_what_a_trajectory_returns_may_be_changed() -> None:
    path = trajectory()
    before = path.target_from_source.copy(), path.intrinsics.copy()
    path.relative_to(None)[:, 1, 3] = 5.0
    path.target_intrinsics(np.eye(3))[:] = 0.0
    np.testing.assert_array_equal(path.target_from_source, before[0])
    np.testing.assert_array_equal(path.intrinsics, before[1])


@pytest.mark.parametrize("frames", [24, 25, 97])
def test_a_resampled_path_counts_its_own_frames(frames: int) -> None:
    poses = np.tile(np.eye(4), (49, 1, 1))
    poses[:, 0, 3] = np.arange(49)
    path = CameraPath(poses, frame_index=np.arange(10, 59)).resampled(frames)
    np.testing.assert_allclose(path.world_from_camera[:, 0, 3], np.linspace(0, 48, frames))
    assert path.frame_index is None


def test_key_frames_that_are_filled_up_keep_the_numbers_of_the_video() -> None:
    path = camera_path(3).replaced(frame_index=np.array([10, 14, 18])).resampled(9)
    np.testing.assert_array_equal(path.frame_index, np.arange(10, 19))


def test_a_single_camera_is_repeated() -> None:
    one = camera_path(1)
    path = one.resampled(3)
    np.testing.assert_array_equal(
        path.world_from_camera, np.repeat(one.world_from_camera, 3, axis=0)
    )
    np.testing.assert_array_equal(path.intrinsics, np.repeat(one.intrinsics, 3, axis=0))
    assert path.times is None
