"""Solids against brute force: distances by dense surface sampling, rays by marching."""

from __future__ import annotations

import numpy as np
import pytest

from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import generate_layout
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import (
    FITTING,
    Solids,
    floor_region,
    is_passage,
    layout_solids,
    wall_blocks,
)

TWO_ROOMS = """\
wall_0=Wall(0,0,0,3,0,0,2.5,0.1)
wall_1=Wall(3,0,0,6,0,0,2.5,0.1)
wall_2=Wall(6,0,0,6,4,0,2.5,0.1)
wall_3=Wall(6,4,0,3,4,0,2.5,0.1)
wall_4=Wall(3,4,0,0,4,0,2.5,0.1)
wall_5=Wall(0,4,0,0,0,0,2.5,0.1)
wall_6=Wall(3,0,0,3,4,0,2.5,0.1)
door_0=Door(wall_6,3,2,1,1.2,2.0)
door_1=Door(wall_0,1.5,0,1,0.9,2.0)
window_0=Window(wall_2,6,2,1.5,1.5,1.2)
"""


def _solids(centre: np.ndarray, half: np.ndarray, yaw: np.ndarray) -> Solids:
    names = tuple(f"bbox_{i}" for i in range(len(centre)))
    return Solids(names, centre, half, yaw, floor=-50.0, ceiling=50.0)


def test_distance_equals_the_nearest_point_of_the_surface() -> None:
    rng = np.random.default_rng(0)
    solids = _solids(
        rng.uniform(-1, 1, (1, 3)), rng.uniform(0.2, 0.8, (1, 3)), rng.uniform(-3, 3, 1)
    )
    side = np.linspace(-1, 1, 81)
    u, v = (axis.ravel() for axis in np.meshgrid(side, side))
    faces = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.zeros((len(u), 3))
            face[:, axis], face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = sign, u, v
            faces.append(face)
    local = np.concatenate(faces) * solids.half[0]
    cos, sin = np.cos(solids.yaw[0]), np.sin(solids.yaw[0])
    surface = local @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]]) + solids.centre[0]
    points = rng.uniform(-2, 2, (200, 3))
    brute = np.linalg.norm(points[:, None] - surface, axis=-1).min(axis=1)
    distance = solids.distance(points)
    np.testing.assert_allclose(np.abs(distance), brute, atol=0.02)
    offset = points - solids.centre[0]
    inside = (
        np.abs(offset @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])) < solids.half[0]
    ).all(1)
    assert (inside == (distance < 0)).all()
    assert inside.any()


def test_distance_is_one_lipschitz() -> None:
    layout = generate_layout(LayoutConfig(), 11)
    solids = layout_solids(layout)
    rng = np.random.default_rng(1)
    low, high = layout.bounds()
    a = rng.uniform((*low, -0.5), (*high, 3.5), (4000, 3))
    b = a + rng.normal(0, 0.4, a.shape)
    change = np.abs(solids.distance(a) - solids.distance(b))
    assert (change <= np.linalg.norm(a - b, axis=1) + 1e-12).all()


def test_rays_hit_where_marching_does() -> None:
    layout = generate_layout(LayoutConfig(), 4)
    solids = layout_solids(layout)
    rng = np.random.default_rng(2)
    region = floor_region(layout)
    low, high = layout.bounds()
    origins = rng.uniform((*low, 0.5), (*high, 2.0), (400, 3))
    origins = origins[region.contains(origins[:, :2]) & (solids.distance(origins) > 0.05)][:120]
    directions = rng.normal(size=origins.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    hit, _ = solids.hits(origins, directions)
    travelled = np.zeros(len(origins))
    for _ in range(400):
        travelled += solids.distance(origins + travelled[:, None] * directions)
    np.testing.assert_allclose(hit, travelled, atol=2e-3)


def test_plan_distance_ignores_what_hangs_above() -> None:
    solids = _solids(
        np.array([[0.0, 0, 2.5], [3.0, 0, 0.5]]), np.full((2, 3), 0.5), np.array([0.0, np.pi / 4])
    )
    xy = np.array([[0.0, 0.0], [3.0, 2.0]])
    np.testing.assert_allclose(
        solids.plan_distance(xy, 0.1, 1.8), [3 - np.sqrt(0.5), 2 - np.sqrt(0.5)], atol=1e-12
    )


def test_only_a_door_between_two_rooms_is_a_passage() -> None:
    layout = parse_layout(TWO_ROOMS)
    region = floor_region(layout)
    assert [is_passage(layout, door, region) for door in layout.doors] == [True, False]
    solids = layout_solids(layout, region)
    through = np.array([[3.0, 2.0, 1.0], [1.5, 0.0, 1.0], [6.0, 2.0, 1.5]])
    distance = solids.distance(through)
    assert distance[0] == pytest.approx(0.6)  # half the passage
    assert (distance[1:] <= -0.05).all()  # an outer door and a window are solid
    assert solids.distance(np.array([3.0, 2.0, 2.2])) < 0  # the lintel


def test_walls_without_thickness_are_solid_and_hold_their_fittings() -> None:
    layout = parse_layout("wall_0=Wall(0,0,0,4,0,0,2.8,0.0)\n")
    solids = layout_solids(layout)
    assert solids.distance(np.array([2.0, 1.0, 1.4])) == pytest.approx(1.0 - 0.05 - FITTING)


def test_wall_blocks_and_openings_fill_the_wall_exactly() -> None:
    layout: Layout = parse_layout(TWO_ROOMS)
    wall = layout.wall("wall_2")
    blocks = wall_blocks(wall, list(layout.windows), reach=(0.0, 0.0))
    volume = sum(float(np.prod(2 * half)) for _, half in blocks)
    assert volume == pytest.approx((4 * 2.5 - 1.5 * 1.2) * 0.1)


def test_floor_of_walls_that_do_not_close_is_their_surroundings() -> None:
    layout = parse_layout("wall_0=Wall(0,0,0,4,0,0,2.8,0)\nwall_1=Wall(4,0,0,4,3,0,2.8,0)\n")
    region = floor_region(layout)
    assert region.contains(np.array([[2.0, 1.5]])).all()
    assert not region.contains(np.array([[2.0, -1.5]])).any()
