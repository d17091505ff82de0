"""Rotations and interpolation against scipy, and against what interpolation must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, Slerp

from scaling4d.geometry.camera import require_rigid
from scaling4d.geometry.interpolation import METHODS, cubic_spline, interpolate_poses, linear
from scaling4d.geometry.rotation import (
    nearest_rotation,
    quaternion_from_rotation,
    rotation_about,
    rotation_from_quaternion,
    rotation_from_vector,
    rotation_vector,
    slerp,
)
from tests.geometry.camera_paths import camera_path, poses

TIMES = np.array([0.0, 1.0, 2.5, 3.0, 7.0])


@settings(max_examples=200, deadline=None)
@given(pose=poses())
def test_quaternion_and_vector_give_the_rotation_back(pose: np.ndarray) -> None:
    rotation = pose[:3, :3]
    np.testing.assert_allclose(
        rotation_from_quaternion(quaternion_from_rotation(rotation)), rotation, atol=1e-14
    )
    np.testing.assert_allclose(
        rotation_from_vector(rotation_vector(rotation)), rotation, atol=1e-13
    )


def test_quaternions_and_vectors_agree_with_scipy() -> None:
    reference = Rotation.random(500, rng=1)
    matrices = reference.as_matrix()
    wxyz = np.roll(reference.as_quat(canonical=True), 1, axis=1)
    np.testing.assert_allclose(quaternion_from_rotation(matrices), wxyz, atol=1e-14)
    np.testing.assert_allclose(rotation_vector(matrices), reference.as_rotvec(), atol=1e-13)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_rotation_about_an_axis_agrees_with_scipy(axis: str) -> None:
    angles = np.linspace(-4.0, 4.0, 9)
    expected = Rotation.from_euler(axis, angles[:, None]).as_matrix()
    np.testing.assert_allclose(rotation_about(axis, angles), expected, atol=1e-15)


@pytest.mark.parametrize("bad", [(0.0, 0.0, 0.0, 0.0), (np.nan, 0.0, 0.0, 1.0)])
def test_impossible_quaternions_are_refused(bad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="quaternion"):
        rotation_from_quaternion(bad)


def test_slerp_agrees_with_scipy() -> None:
    ends = Rotation.random(2, rng=5)
    fractions = np.linspace(0.0, 1.0, 11)
    first, second = ends.as_matrix()
    expected = Slerp([0.0, 1.0], ends)(fractions).as_matrix()
    ours = slerp(np.tile(first, (11, 1, 1)), np.tile(second, (11, 1, 1)), fractions)
    np.testing.assert_allclose(ours, expected, atol=1e-13)


def test_nearest_rotation_undoes_rounding_and_never_mirrors() -> None:
    matrices = Rotation.random(50, rng=2).as_matrix()
    noise = np.random.default_rng(0).normal(scale=1e-4, size=matrices.shape)
    cleaned = nearest_rotation(matrices + noise)
    np.testing.assert_allclose(cleaned, matrices, atol=1e-3)
    np.testing.assert_allclose(
        cleaned @ cleaned.swapaxes(1, 2), np.tile(np.eye(3), (50, 1, 1)), atol=1e-13
    )
    np.testing.assert_allclose(np.linalg.det(nearest_rotation(-matrices)), 1.0)


def test_cubic_spline_agrees_with_scipys_natural_spline() -> None:
    values = np.random.default_rng(0).normal(size=(5, 3))
    new = np.linspace(0.0, 7.0, 101)
    expected = CubicSpline(TIMES, values, bc_type="natural")(new)
    np.testing.assert_allclose(cubic_spline(values, TIMES, new), expected, atol=1e-12)


def test_cubic_spline_goes_through_as_many_keys_as_a_video_has_frames() -> None:
    generator = np.random.default_rng(0)
    times = np.cumsum(generator.uniform(0.5, 2.0, 50_000))
    values = generator.normal(size=(50_000, 2))
    new = np.linspace(times[0], times[-1], 101)
    expected = CubicSpline(times, values, bc_type="natural")(new)
    np.testing.assert_allclose(cubic_spline(values, times, new), expected, atol=1e-9)


def test_linear_agrees_with_numpy() -> None:
    values = np.random.default_rng(0).normal(size=(5, 2))
    new = np.linspace(0.0, 7.0, 33)
    expected = np.stack([np.interp(new, TIMES, column) for column in values.T], axis=1)
    np.testing.assert_allclose(linear(values, TIMES, new), expected, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_interpolation_passes_through_its_keys_and_stays_rigid(method: str) -> None:
    keys = camera_path(5).world_from_camera
    np.testing.assert_allclose(interpolate_poses(keys, TIMES, TIMES, method), keys, atol=1e-12)
    dense = interpolate_poses(keys, TIMES, np.linspace(0.0, 7.0, 57), method)
    require_rigid(dense, "dense", tolerance=1e-12)


def test_slerp_path_agrees_with_scipy() -> None:
    keys = camera_path(5).world_from_camera
    new = np.linspace(0.0, 7.0, 40)
    dense = interpolate_poses(keys, TIMES, new, "slerp")
    expected = Slerp(TIMES, Rotation.from_matrix(keys[:, :3, :3]))(new).as_matrix()
    np.testing.assert_allclose(dense[:, :3, :3], expected, atol=1e-12)


def test_spline_keeps_a_steady_turn_steady() -> None:
    angles = 0.3 * TIMES
    keys = np.tile(np.eye(4), (5, 1, 1))
    keys[:, :3, :3] = rotation_about("y", angles)
    new = np.linspace(0.0, 7.0, 29)
    dense = interpolate_poses(keys, TIMES, new, "spline")
    np.testing.assert_allclose(dense[:, :3, :3], rotation_about("y", 0.3 * new), atol=1e-12)


def test_spline_turns_without_a_corner_where_slerp_has_one() -> None:
    keys = np.tile(np.eye(4), (3, 1, 1))
    keys[1, :3, :3] = rotation_about("y", 0.5)
    keys[2, :3, :3] = rotation_about("y", 0.5) @ rotation_about("x", 0.7)
    step = 1e-5

    def corner(method: str) -> float:
        before, at, after = interpolate_poses(
            keys, [0.0, 1.0, 2.0], [1.0 - step, 1.0, 1.0 + step], method
        )[:, :3, :3]
        incoming = rotation_vector(before.T @ at) / step
        outgoing = rotation_vector(at.T @ after) / step
        return float(np.linalg.norm(incoming - outgoing))

    assert corner("spline") < 1e-3
    assert corner("slerp") > 0.5


def test_two_keys_make_a_straight_line_at_constant_speed() -> None:
    keys = camera_path(2).world_from_camera
    new = np.linspace(0.0, 1.0, 9)
    spline = interpolate_poses(keys, [0.0, 1.0], new, "spline")
    np.testing.assert_allclose(
        spline, interpolate_poses(keys, [0.0, 1.0], new, "slerp"), atol=1e-12
    )


@pytest.mark.parametrize(
    ("times", "new", "message"),
    [
        ([0.0, 0.0], [0.0], "strictly increasing"),
        ([0.0, 1.0], [1.5], "outside the keys"),
        ([0.0], [0.0], "one time for each"),
        ([0.0, np.nan], [0.0], "finite"),
    ],
)
def test_bad_times_are_refused(times: list[float], new: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        interpolate_poses(camera_path(2).world_from_camera, times, new)


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="slerp, spline"):
        interpolate_poses(camera_path(2).world_from_camera, [0, 1], [0.5], "cubic")


@settings(max_examples=50, deadline=None)
@given(fraction=st.floats(0.0, 1.0), first=poses(), second=poses())
def test_slerp_is_the_same_from_either_end(
    fraction: float, first: np.ndarray, second: np.ndarray
) -> None:
    a, b = first[:3, :3], second[:3, :3]
    if np.linalg.norm(rotation_vector(a.T @ b)) < np.pi - 1e-4:  # a half turn has two shortest ways
        np.testing.assert_allclose(
            slerp(a, b, np.array(fraction)), slerp(b, a, np.array(1.0 - fraction)), atol=1e-9
        )


def test_spline_passes_a_key_at_the_rate_of_the_parabola_through_its_neighbours() -> None:
    times = np.array([0.0, 1.0, 4.0])
    keys = np.tile(np.eye(4), (3, 1, 1))
    keys[:, :3, :3] = rotation_about("z", 0.1 * times + 0.05 * times**2)
    step = 1e-6
    before, after = interpolate_poses(keys, times, [1.0 - step, 1.0 + step], "spline")[:, :3, :3]
    rate = rotation_vector(before.T @ after)[2] / (2 * step)
    assert rate == pytest.approx(0.1 + 0.1 * 1.0, abs=1e-6)
