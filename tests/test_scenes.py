"""The analytic scenes are themselves right: homographies, symmetry, brute force and round trips."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scenes import (
    SCENES,
    STATIC_SCENES,
    Ball,
    Box,
    Camera,
    default_camera,
    moving_box,
    occluder,
    plane,
    rigid,
    rotation_z,
    sphere,
)


def _target(source: Camera) -> Camera:
    return source.orbit(2, yaw=12.0, pivot=(0.0, 4.0, 0.0))[1]


def test_plane_correspondence_is_the_homography_of_the_plane() -> None:
    source, scene = default_camera(), plane(distance=4.0, tilt_degrees=20.0)
    target = _target(source)
    match = scene.correspondence(0.0, source, 0.0, target)
    # n . x = d in the source camera gives H = K (R + t n^T / d) K^-1 for target_from_source R, t.
    relative = np.linalg.inv(target.world_from_camera) @ source.world_from_camera
    wall = scene.bodies[0].world_from_body
    normal = source.world_from_camera[:3, :3].T @ wall[:3, 2]
    distance = normal @ (
        source.world_from_camera[:3, :3].T @ (wall[:3, 3] - source.world_from_camera[:3, 3])
    )
    homography = (
        target.intrinsics
        @ (relative[:3, :3] + np.outer(relative[:3, 3], normal) / distance)
        @ np.linalg.inv(source.intrinsics)
    )
    xy = source.pixel_centers()
    mapped = np.concatenate((xy, np.ones_like(xy[..., :1])), axis=-1) @ homography.T
    np.testing.assert_allclose(
        xy + match.displacement, mapped[..., :2] / mapped[..., 2:], rtol=0, atol=1e-9
    )


def test_upright_wall_has_constant_depth_and_the_card_covers_the_pixels_it_should() -> None:
    depth = occluder(near=3.0, far=6.0).depth(0.0, default_camera(48, 64, fov=60.0))
    focal = 32.0 / np.tan(np.radians(30.0))
    x = (np.arange(64) + 0.5 - 32.0) / focal * 3.0
    y = (np.arange(48) + 0.5 - 24.0) / focal * 3.0
    card = (np.abs(y)[:, None] <= 0.6) & (np.abs(x)[None] <= 0.8)
    np.testing.assert_allclose(depth, np.where(card, 3.0, 6.0), rtol=1e-12)


def test_sphere_depth_satisfies_the_equation_of_the_sphere_and_is_the_near_side() -> None:
    camera, scene = default_camera(), sphere(radius=1.0, distance=4.0)
    hit = scene.trace(0.0, camera)
    found = hit.body >= 0
    offsets = hit.points_in_world[found] - (0.0, 4.0, 0.0)
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=-1), 1.0, atol=1e-12)
    assert (np.sum(offsets * hit.points_in_world[found], axis=-1) <= 1e-9).all()
    assert np.isinf(scene.depth(0.0, camera)[~found]).all()


@pytest.mark.parametrize("shape", [Ball(0.7), Box((0.5, 0.3, 0.4))])
def test_intersections_equal_a_march_along_the_ray(shape: Ball | Box) -> None:
    generator = np.random.default_rng(3)
    origin = np.array([0.2, -2.0, 0.3])
    directions = generator.normal(size=(200, 3)) * 0.25 + (0.0, 1.0, 0.0)
    steps = np.linspace(0.0, 4.0, 40001)

    def inside(points: np.ndarray) -> np.ndarray:
        if isinstance(shape, Ball):
            return np.linalg.norm(points, axis=-1) <= shape.radius
        return (np.abs(points) <= shape.half_extents).all(axis=-1)

    for direction, parameter in zip(directions, shape.intersect(origin, directions), strict=True):
        met = inside(origin + steps[:, None] * direction)
        if met.sum() > 2:
            assert parameter == pytest.approx(steps[np.argmax(met)], abs=2e-4)
        elif not met.any():
            assert np.isinf(parameter)


@pytest.mark.parametrize("name", SCENES)
def test_visible_points_look_the_same_and_have_the_predicted_depth_in_the_target(name: str) -> None:
    scene, source = SCENES[name](), default_camera()
    target = _target(source)
    match = scene.correspondence(0.0, source, 0.5, target)
    xy = (source.pixel_centers() + match.displacement)[match.visible]
    seen = scene.trace(0.5, target, xy)
    assert match.visible.mean() > 0.3
    np.testing.assert_allclose(seen.depth, match.target_depth[match.visible], rtol=1e-6)
    np.testing.assert_allclose(seen.rgb, scene.trace(0.0, source).rgb[match.visible], atol=1e-6)


@pytest.mark.parametrize("name", SCENES)
def test_hidden_points_have_something_nearer_in_front(name: str) -> None:
    scene, source = SCENES[name](), default_camera()
    target = _target(source)
    match = scene.correspondence(0.0, source, 0.5, target)
    xy = source.pixel_centers() + match.displacement
    hidden = target.holds(xy) & ~match.visible
    if hidden.any():
        assert (scene.trace(0.5, target, xy[hidden]).depth < match.target_depth[hidden]).all()
    assert hidden.any() == (name in ("occluder", "sphere", "moving_box", "room"))


@pytest.mark.parametrize("name", SCENES)
def test_the_same_camera_and_time_is_the_identity(name: str) -> None:
    scene, camera = SCENES[name](), default_camera()
    match = scene.correspondence(0.3, camera, 0.3, camera)
    np.testing.assert_allclose(match.displacement, 0.0, atol=1e-9)
    np.testing.assert_allclose(match.target_depth, scene.depth(0.3, camera), rtol=1e-9)
    assert match.visible.mean() > 0.99


def test_points_at_infinity_ignore_the_translation_of_the_camera() -> None:
    scene, source = sphere(), default_camera()
    shifted = source.moved(rigid(np.eye(3), (0.5, 0.2, -0.3)))
    match = scene.correspondence(0.0, source, 0.0, shifted)
    sky = ~np.isfinite(scene.depth(0.0, source))
    np.testing.assert_allclose(match.displacement[sky], 0.0, atol=1e-9)
    assert np.isinf(match.target_depth[sky]).all()


def test_a_moving_body_moves_its_pixels_under_a_still_camera() -> None:
    scene, camera = moving_box(speed=0.4, spin_degrees=0.0), default_camera()
    match = scene.correspondence(0.0, camera, 0.5, camera)
    hit = scene.trace(0.0, camera)
    on_box = hit.body == 1
    expected = camera.intrinsics[0, 0] * 0.4 * 0.5 / hit.depth[on_box]
    np.testing.assert_allclose(match.displacement[on_box, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(match.displacement[hit.body == 0], 0.0, atol=1e-9)


def test_points_behind_the_target_camera_have_no_position() -> None:
    source = default_camera()
    passed = source.moved(rigid(np.eye(3), (0.0, 0.0, 5.0)))
    match = occluder(near=3.0, far=6.0).correspondence(0.0, source, 0.0, passed)
    behind = occluder(near=3.0, far=6.0).depth(0.0, source) == 3.0
    assert behind.any()
    assert np.isnan(match.displacement[behind]).all()
    assert not match.visible[behind].any()
    assert (match.target_depth[behind] < 0.0).all()


def test_clip_stacks_frames_at_the_given_rate() -> None:
    cameras = default_camera(12, 16).orbit(3, yaw=10.0, pivot=(0.0, 4.0, 0.0))
    clip = moving_box().clip(cameras, fps=4.0)
    assert clip.rgb.shape == (3, 12, 16, 3)
    assert clip.rgb.dtype == np.uint8
    np.testing.assert_array_equal(clip.times, (0.0, 0.25, 0.5))
    np.testing.assert_array_equal(clip.depth[2], moving_box().depth(0.5, cameras[2]))


def test_orbit_keeps_the_distance_to_the_pivot_and_travels_right() -> None:
    cameras = default_camera().orbit(4, yaw=30.0, pivot=(0.0, 4.0, 0.0))
    centers = np.array([camera.world_from_camera[:3, 3] for camera in cameras])
    np.testing.assert_allclose(np.linalg.norm(centers - (0.0, 4.0, 0.0), axis=1), 4.0)
    assert (np.diff(centers[:, 0]) > 0).all()
    np.testing.assert_allclose(rotation_z(0.0), np.eye(3))


@pytest.mark.parametrize("name", STATIC_SCENES)
def test_static_scenes_do_not_change_with_time(name: str) -> None:
    camera = default_camera(12, 16)
    np.testing.assert_array_equal(SCENES[name]().rgb(0.0, camera), SCENES[name]().rgb(3.0, camera))
