"""Primitives: closed, outward, of the size asked for."""

from __future__ import annotations

import numpy as np
import pytest

from assets_schema.library import arrange, foliage, soft, solids, turned
from assets_schema.library.mesh import Mesh, merge


def volume(mesh: Mesh) -> float:
    """Signed volume by the divergence theorem; right only for a closed, outward mesh."""
    triangles = np.concatenate([mesh.faces[:, [0, 1, 2]], mesh.faces[:, [0, 2, 3]]])
    a, b, c = (mesh.points[triangles[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def open_edges(mesh: Mesh) -> int:
    """Directed edges without their opposite, points of one position counted once."""
    _, weld = np.unique(np.round(mesh.points * 1e6), axis=0, return_inverse=True)
    faces = weld.reshape(-1)[mesh.faces]
    edges = np.concatenate([faces[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = edges[edges[:, 0] != edges[:, 1]]
    forward = {tuple(edge) for edge in edges.tolist()}
    return sum((b, a) not in forward for a, b in forward)


CLOSED = {
    "box": (lambda: solids.box((1.0, 0.5, 0.3), bevel=0.02), 0.15),
    "cylinder": (lambda: turned.cylinder(0.1, 0.5, segments=64), np.pi * 0.01 * 0.5),
    "sphere": (lambda: turned.sphere(0.2, segments=64), 4 / 3 * np.pi * 0.008),
    "slab": (lambda: solids.slab(solids.ellipse(1.0, 0.6, 80), 0.05), np.pi * 0.15 * 0.05),
    "tube": (lambda: turned.tube([(0, 0, 0), (0, 0, 1)], 0.05, 64), np.pi * 0.0025),
}


@pytest.mark.parametrize("name", CLOSED)
def test_solids_are_closed_outward_and_of_their_volume(name: str) -> None:
    make, expected = CLOSED[name]
    mesh = make()
    assert open_edges(mesh) == 0
    assert volume(mesh) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("name", CLOSED)
def test_normals_are_unit_and_agree_with_the_faces(name: str) -> None:
    mesh = CLOSED[name][0]()
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-6)
    a, b, c = (mesh.points[mesh.faces[:, k]] for k in range(3))
    facing = (np.cross(b - a, c - a) * mesh.normals[mesh.faces].mean(axis=1)).sum(axis=1)
    assert (facing > 0).all()


def test_a_mirror_keeps_the_volume_positive() -> None:
    mesh = solids.box((1.0, 0.5, 0.3), (2.0, 0.0, 0.0))
    assert volume(mesh.mirrored()) == pytest.approx(volume(mesh))
    assert mesh.mirrored().bounds[0][0] == pytest.approx(-2.5)


def test_turning_follows_the_right_hand() -> None:
    arrow = solids.box((0.1, 0.1, 1.0), (0, 0, 0.5))
    assert arrow.turned(90, "x").bounds[0][1] == pytest.approx(-1.0)
    assert arrow.turned(90, "y").bounds[1][0] == pytest.approx(1.0)


def test_merge_joins_by_slot_and_keeps_faces_apart() -> None:
    merged = merge(
        [
            solids.box((1, 1, 1), slot="a"),
            solids.box((1, 1, 1), (3, 0, 0), slot="a"),
            turned.sphere(1, slot="b"),
        ]
    )
    assert list(merged) == ["a", "b"]
    assert volume(merged["a"]) == pytest.approx(2.0, rel=0.01)


def test_a_cushion_fills_its_box_and_a_pillow_is_thickest_in_the_middle() -> None:
    cushion = soft.cushion((0.6, 0.5, 0.16), (0, 0, 0.08), crown=0.03)
    low, high = cushion.bounds
    assert high - low == pytest.approx([0.6, 0.5, 0.16], rel=0.06)
    pillow = soft.pillow(0.7, 0.5, 0.18)
    middle = np.abs(pillow.points[:, :2]).max(axis=1) < 0.1
    assert np.ptp(pillow.points[middle, 2]) == pytest.approx(0.18, rel=0.15)


def test_leaves_are_seeded() -> None:
    first = merge(foliage.tree(np.random.default_rng(4), 0.3, 1.5, 5, 0.2))["leaf"]
    second = merge(foliage.tree(np.random.default_rng(4), 0.3, 1.5, 5, 0.2))["leaf"]
    assert np.array_equal(first.points, second.points)


def test_smooth_keeps_every_point_and_never_overshoots() -> None:
    bent = [(0.0, 0.0), (1.0, 0.0), (2.0, 1.0), (2.0, 2.0), (1.5, 3.0)]
    line = turned.smooth(bent, steps=4)
    assert line[::4] == pytest.approx(np.array(bent))
    assert line.min(axis=0) == pytest.approx([0, 0])
    assert line.max(axis=0) == pytest.approx([2, 3])


def test_smooth_leaves_corners_and_straight_lines_alone() -> None:
    corner = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    assert turned.smooth(corner, corner=60) == pytest.approx(np.array(corner))
    rounded = turned.smooth(corner, corner=120)
    assert len(rounded) > 3
    straight = turned.smooth([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)])
    assert straight[:, 0] == pytest.approx(straight[:, 1])


def test_parts_repeat_on_both_sides_at_corners_and_around_an_axis() -> None:
    part = solids.box((0.2, 0.1, 1.0), (0.5, 0.3, 0.5))

    def middles(parts: list[Mesh]) -> set[tuple[float, ...]]:
        return {tuple(np.round(each.bounds, 6).mean(axis=0)[:2] + 0.0) for each in parts}

    assert middles(arrange.both(part)) == {(0.5, 0.3), (-0.5, 0.3)}
    assert middles(arrange.corners(part)) == {(x, y) for x in (0.5, -0.5) for y in (0.3, -0.3)}
    assert all(volume(each) == pytest.approx(volume(part)) for each in arrange.corners(part))
    assert middles(arrange.around(2, part)) == {(0.5, 0.3), (-0.5, -0.3)}


def test_a_frame_fills_its_rectangle_and_leaves_the_middle_open() -> None:
    parts = arrange.frame(1.0, 0.6, 0.1, 0.02, (0.0, 0.0, 1.0), bevel=0.0001)
    merged = merge(parts)["wood"]
    assert merged.bounds[0] == pytest.approx([-0.5, -0.01, 0.7])
    assert merged.bounds[1] == pytest.approx([0.5, 0.01, 1.3])
    inside = np.abs(merged.points - [0, 0, 1])
    assert not ((inside[:, 0] < 0.399) & (inside[:, 2] < 0.199)).any()
    assert volume(merged) == pytest.approx(0.02 * (1.0 * 0.6 - 0.8 * 0.4), rel=0.01)


def test_repeats_show_other_pieces_of_their_texture() -> None:
    part = solids.box((0.2, 0.1, 1.0), (0.5, 0.3, 0.5))
    first, second = arrange.along(part, (0, 0, 0), (1, 0, 0))
    assert not np.allclose(first.uv, second.uv)
