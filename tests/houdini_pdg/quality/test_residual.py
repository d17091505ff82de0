"""The round trip between views: zero for exact data, and the size of a planted error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from houdini_pdg.quality.config import PackConfig
from houdini_pdg.quality.preview import shade_depth
from houdini_pdg.quality.report import evenly, judge, measure
from houdini_pdg.quality.residual import View, rgb_difference, round_trip
from scaling4d.storage.scene_file import CameraTrack
from tests.scenes import Camera, occluder, plane, room

HEIGHT, WIDTH = 60, 80


def camera(eye) -> Camera:
    return Camera.look_at(HEIGHT, WIDTH, eye=eye, target=(0, 0, 0.6), fov=60)


def view(scene, cam, *, pose=None, intrinsics=None) -> View:
    return View(
        rgb=scene.rgb(0.0, cam),
        depth=scene.depth(0.0, cam).astype(np.float32),
        intrinsics=cam.intrinsics if intrinsics is None else intrinsics,
        world_from_camera=cam.world_from_camera if pose is None else pose,
    )


@pytest.mark.parametrize("make", [plane, room])
def test_exact_data_has_no_residual(make):
    scene = make()
    trip = round_trip(view(scene, camera((0, -3, 1.2))), view(scene, camera((0.6, -2.8, 1.3))))
    assert trip.covisible.mean() > 0.3
    assert np.median(trip.residual[trip.covisible]) < 1e-4


def test_covisible_is_what_the_closed_form_says():
    scene = occluder()
    first, second = camera((0, -4, 1.5)), camera((0.8, -4, 1.5))
    trip = round_trip(view(scene, first), view(scene, second))
    truth = scene.correspondence(0.0, first, 0.0, second).visible
    assert trip.covisible.sum() > 500
    assert not (trip.covisible & ~truth).any()
    # Edges, where the four sampled depths straddle two surfaces, are left out.
    assert (trip.covisible | ~truth).mean() > 0.85


def test_a_camera_nearer_than_it_says_shows_as_parallax():
    """Depth off by d at distance z and baseline b moves a point by f b d / z^2 pixels."""
    scene, off = plane(), 0.01
    source, target = camera((0, -4, 1.5)), camera((0.6, -4, 1.5))
    wrong = target.world_from_camera.copy()
    wrong[:3, 3] += off * wrong[:3, 2]
    trip = round_trip(view(scene, source), view(scene, target, pose=wrong))
    row, column = HEIGHT // 2, WIDTH // 2
    depth = scene.depth(0.0, source)[row, column]
    expected = source.intrinsics[0, 0] * 0.6 * off / depth**2
    assert trip.residual[row, column] == pytest.approx(expected, rel=0.3)


def test_distance_along_the_ray_in_place_of_planar_depth_is_found():
    """The most frequent mistake of such data sets (planar z or Euclidean distance?)."""
    scene, cam = plane(), camera((0.6, -3.8, 1.6))
    good = view(scene, cam)
    rays = np.linalg.norm(
        np.stack(
            np.broadcast_arrays(
                (np.arange(WIDTH) + 0.5 - cam.intrinsics[0, 2]) / cam.intrinsics[0, 0],
                ((np.arange(HEIGHT) + 0.5 - cam.intrinsics[1, 2]) / cam.intrinsics[1, 1])[:, None],
                1.0,
            ),
            -1,
        ),
        axis=-1,
    )
    bad = View(
        rgb=good.rgb,
        depth=(good.depth * rays).astype(np.float32),
        intrinsics=good.intrinsics,
        world_from_camera=good.world_from_camera,
    )
    trip = round_trip(view(scene, camera((0, -4, 1.5))), bad)
    if trip.covisible.any():
        assert np.median(trip.residual[trip.covisible]) > 0.02


def test_points_at_infinity_are_not_covisible():
    scene = plane()
    first = view(scene, camera((0, -4, 1.5)))
    sky = View(
        rgb=first.rgb,
        depth=np.full((HEIGHT, WIDTH), np.inf, np.float32),
        intrinsics=first.intrinsics,
        world_from_camera=first.world_from_camera,
    )
    assert not round_trip(sky, first).covisible.any()
    assert not round_trip(first, sky).covisible.any()
    assert np.isnan(rgb_difference(first, sky, round_trip(first, sky)))


def track(scene, eye, frames=3) -> CameraTrack:
    cams = [camera((eye[0] + 0.05 * i, eye[1], eye[2])) for i in range(frames)]
    return CameraTrack(
        rgb=np.stack([scene.rgb(0.0, c) for c in cams]),
        depth=np.stack([scene.depth(0.0, c) for c in cams]).astype(np.float32),
        intrinsics=np.stack([c.intrinsics for c in cams]),
        world_from_camera=np.stack([c.world_from_camera for c in cams]),
    )


@pytest.fixture
def tracks():
    scene = room()
    return {"cam0": track(scene, (0, -2.5, 0.3)), "cam1": track(scene, (0.6, -2.4, 0.5))}


def far_away(values: CameraTrack) -> dict[str, np.ndarray]:
    """The same pictures, said to be taken 500 m from there."""
    poses = values.world_from_camera.copy()
    poses[:, 0, 3] += 500
    return {"world_from_camera": poses}


def test_a_good_scene_passes(tracks):
    report = measure(tracks, PackConfig())
    assert judge(report, PackConfig()) is None
    assert report["residual_px_median"] < 1e-3
    assert report["views"]["cam0"]["travel_m"] == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda t: {"rgb": np.zeros_like(t.rgb)}, "is black"),
        (lambda t: {"rgb": np.full_like(t.rgb, 255)}, "is clipped"),
        (lambda t: {"depth": np.full_like(t.depth, np.inf)}, "sees a surface in 0.0%"),
        (lambda t: {"rgb": 255 - t.rgb}, "the colours from"),
        (lambda t: {"depth": t.depth * np.float32(1.006)}, "the round trip from"),
        (far_away, "cam0 shares at most 0.0%"),
    ],
)
def test_each_fault_is_named(tracks, break_it, reason):
    values = {f: getattr(tracks["cam1"], f) for f in CameraTrack.__dataclass_fields__}
    tracks["cam1"] = CameraTrack(**{**values, **break_it(tracks["cam1"])})
    assert reason in judge(measure(tracks, PackConfig()), PackConfig())


@pytest.mark.parametrize(
    ("threshold", "reason"),
    [
        ({"max_residual_px": 0.0}, "the round trip from"),
        ({"max_rgb_difference": 0.0}, "the colours from"),
        ({"min_covisible": 1.0}, "shares at most"),
        ({"min_finite_depth": 1.01}, "sees a surface in"),
        ({"min_mean_rgb": 1.0}, "is black"),
        ({"max_clipped": -1.0}, "is clipped"),
    ],
)
def test_each_threshold_of_the_spec_counts(tracks, threshold, reason):
    strict = PackConfig(**threshold)
    assert reason in judge(measure(tracks, strict), strict)


def test_a_view_that_shares_nothing_with_any_other_is_named(tracks):
    third = {"cam2": track(room(), (0.3, -2.4, 0.4))}
    away = {"cam1": replace(tracks["cam1"], **far_away(tracks["cam1"]))}
    report = measure({**tracks, **third, **away}, PackConfig())
    assert report["covisible"] == 0
    assert "cam1 shares at most 0.0%" in judge(report, PackConfig())


def test_two_groups_of_views_may_share_nothing_with_each_other(tracks):
    two_rooms = {f"far{k}": replace(t, **far_away(t)) for k, t in enumerate(tracks.values())}
    report = measure({**tracks, **two_rooms}, PackConfig())
    assert min(pair["covisible"] for pair in report["pairs"]) == 0
    assert judge(report, PackConfig()) is None


def test_one_camera_has_no_pairs_and_passes(tracks):
    alone = {"cam0": tracks["cam0"]}
    report = measure(alone, PackConfig())
    assert report["pairs"] == []
    assert judge(report, PackConfig()) is None


def test_evenly_spread_choices_keep_both_ends():
    assert evenly(range(17), 5) == [0, 4, 8, 12, 16]
    assert evenly([1, 2], 5) == [1, 2]


def test_depth_shading_marks_nothing_black_and_near_red():
    depth = np.array([[[1.0, 4.0, np.inf]]], np.float32)
    picture = shade_depth(depth)
    assert picture[0, 0, 2].tolist() == [0, 0, 0]
    assert picture[0, 0, 0, 0] > picture[0, 0, 0, 2]  # near: red over blue
    assert picture[0, 0, 1, 2] >= picture[0, 0, 1, 0]
