"""Pivot depth, depth scale and Sim(3) alignment recover what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scaling4d.geometry.camera import require_rigid
from scaling4d.geometry.scale import central_depth, depth_scale, sim3
from scaling4d.geometry.trajectory import Trajectory
from tests.geometry.camera_paths import camera_path, poses
from tests.scenes import default_camera, occluder, sphere


def test_central_depth_of_the_card_is_its_distance() -> None:
    assert central_depth(occluder(near=3.0, far=6.0).depth(0.0, default_camera())) == 3.0


def test_central_depth_leaves_out_what_is_no_surface() -> None:
    depth = np.full((40, 40), np.inf)
    depth[18:22, 18:20] = 2.5
    depth[20, 20] = np.nan
    depth[21, 21] = -1.0
    assert central_depth(depth) == 2.5


def test_a_central_window_full_of_sky_asks_for_the_depth() -> None:
    depth = sphere(radius=0.1, distance=4.0).depth(0.0, default_camera())
    depth[18:30, 24:40] = np.inf
    with pytest.raises(ValueError, match="give the pivot depth in metres"):
        central_depth(depth)
    with pytest.raises(ValueError, match="one depth map"):
        central_depth(np.ones((2, 4, 4)))


@settings(max_examples=50, deadline=None)
@given(factor=st.floats(1e-3, 1e3), wrong=st.integers(0, 40))
def test_depth_scale_is_exact_with_almost_half_of_the_values_wrong(
    factor: float, wrong: int
) -> None:
    generator = np.random.default_rng(0)
    measured = generator.uniform(0.5, 10.0, 100)
    reference = factor * measured
    reference[:wrong] *= generator.uniform(3.0, 50.0, wrong)
    reference[95:] = (np.inf, np.nan, 0.0, -2.0, np.inf)
    assert depth_scale(measured, reference) == pytest.approx(factor, rel=1e-12)


def test_depth_scale_puts_a_trajectory_in_the_unit_of_the_depth() -> None:
    depth = occluder().depth(0.0, default_camera())
    unscaled = Trajectory.preset("orbit", 5, pivot_depth=central_depth(depth / 7.0), yaw=20)
    metric = Trajectory.preset("orbit", 5, pivot_depth=central_depth(depth), yaw=20)
    factor = depth_scale(depth / 7.0, depth)
    np.testing.assert_allclose(
        unscaled.scaled(factor).target_from_source, metric.target_from_source, atol=1e-12
    )


def test_depth_scale_needs_enough_pairs_of_one_shape() -> None:
    with pytest.raises(ValueError, match="only 3 pairs"):
        depth_scale(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="pair up"):
        depth_scale(np.ones(30), np.ones(31))


@settings(max_examples=50, deadline=None)
@given(motion=poses(), scale=st.floats(1e-2, 1e2))
def test_sim3_recovers_scale_rotation_and_translation(motion: np.ndarray, scale: float) -> None:
    source = np.random.default_rng(1).normal(size=(12, 3))
    target = scale * source @ motion[:3, :3].T + motion[:3, 3]
    found = sim3(source, target)
    assert found.scale == pytest.approx(scale, rel=1e-9)
    np.testing.assert_allclose(found.rotation, motion[:3, :3], atol=1e-9)
    np.testing.assert_allclose(found.apply(source), target, atol=1e-9 * (1 + np.abs(target).max()))


def test_sim3_rotation_agrees_with_scipy_on_noisy_points() -> None:
    generator = np.random.default_rng(2)
    source = generator.normal(size=(30, 3))
    target = source @ Rotation.random(rng=1).as_matrix().T + generator.normal(
        scale=0.1, size=(30, 3)
    )
    a, b = source - source.mean(0), target - target.mean(0)
    expected, _ = Rotation.align_vectors(b, a)
    np.testing.assert_allclose(sim3(source, target).rotation, expected.as_matrix(), atol=1e-10)


def test_sim3_never_mirrors_even_when_a_mirror_fits_better() -> None:
    source = np.random.default_rng(3).normal(size=(20, 3))
    found = sim3(source, source * (1.0, 1.0, -1.0))
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_sim3_is_the_best_of_nearby_similarities() -> None:
    generator = np.random.default_rng(4)
    source, target = generator.normal(size=(2, 15, 3))
    found = sim3(source, target)
    best = np.sum((found.apply(source) - target) ** 2)
    for _ in range(50):
        turn = Rotation.from_rotvec(generator.normal(scale=0.02, size=3)).as_matrix()
        scale = found.scale * (1 + generator.normal(scale=0.02))
        shift = found.translation + generator.normal(scale=0.02, size=3)
        moved = scale * source @ (turn @ found.rotation).T + shift
        assert np.sum((moved - target) ** 2) >= best


def test_sim3_moves_poses_and_keeps_them_rigid() -> None:
    path = camera_path(6).world_from_camera
    found = sim3(path[:, :3, 3], 2.5 * path[:, :3, 3] + 1.0)
    moved = found.apply_to_poses(path)
    require_rigid(moved, "moved", tolerance=1e-9)
    np.testing.assert_allclose(moved[:, :3, 3], 2.5 * path[:, :3, 3] + 1.0, atol=1e-9)


def test_rigid_alignment_keeps_the_scale() -> None:
    source = np.random.default_rng(5).normal(size=(9, 3))
    assert sim3(source, 3.0 * source, with_scale=False).scale == 1.0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((5, 3)), "line or in one place"),
        (np.arange(15.0)[:, None] * np.ones(3), "line or in one place"),
        (np.ones((2, 3)), "3 or more points"),
        (np.full((5, 3), np.nan), "finite"),
    ],
)
def test_alignments_without_an_answer_are_refused(source: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sim3(source, source)
