"""The flat's shell: watertight where it must be, open where windows and passages are."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import generate_layout
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FITTING, floor_region, layout_solids
from houdini_pdg.usd.shell import QuadMesh, build_shell, floor_rectangles
from tests.houdini_pdg.layout.test_solids import TWO_ROOMS

LAYOUT = parse_layout(TWO_ROOMS)


def _mesh(parts: dict[str, QuadMesh]) -> trimesh.Trimesh:
    quads = np.concatenate([np.stack(part.quads) for part in parts.values()])
    faces = np.arange(4 * len(quads)).reshape(-1, 4)
    return trimesh.Trimesh(
        quads.reshape(-1, 3), np.concatenate([faces[:, :3], faces[:, [0, 2, 3]]]), process=False
    )


def _hit(layout: Layout, origin: list[float], direction: list[float]) -> float:
    mesh = _mesh(build_shell(layout, floor_region(layout)))
    location, _, _ = mesh.ray.intersects_location([origin], [direction])
    if not len(location):
        return np.inf
    return float(np.linalg.norm(location - origin, axis=1).min())


def test_rays_meet_walls_floor_and_ceiling_where_the_layout_says() -> None:
    assert _hit(LAYOUT, [1.5, 1.0, 1.3], [-1, 0, 0]) == pytest.approx(1.45, abs=1e-6)
    assert _hit(LAYOUT, [1.5, 1.0, 1.3], [0, 0, -1]) == pytest.approx(1.3, abs=1e-6)
    assert _hit(LAYOUT, [1.5, 1.0, 1.3], [0, 0, 1]) == pytest.approx(1.2, abs=1e-6)


def test_sky_is_seen_through_windows_and_the_next_room_through_passages() -> None:
    assert _hit(LAYOUT, [4.0, 1.7, 1.4], [1, 0, 0]) == np.inf
    assert _hit(LAYOUT, [1.0, 2.0, 0.6], [1, 0, 0]) == pytest.approx(4.95, abs=1e-6)
    assert _hit(LAYOUT, [1.5, 1.0, 0.2], [0, -1, 0]) < 1.0  # the outer door's closed leaf


def test_faces_look_outwards() -> None:
    for name, part in build_shell(LAYOUT, floor_region(LAYOUT)).items():
        if part.material in ("wall", "trim", "door", "frame"):
            mesh = _mesh({name: part})
            mesh.merge_vertices()
            assert mesh.volume > 0, name


def test_nothing_stands_out_from_the_solids_that_cameras_avoid() -> None:
    for seed in range(8):
        layout = generate_layout(LayoutConfig(), seed)
        region = floor_region(layout)
        solids = layout_solids(layout, region)
        for name, part in build_shell(layout, region).items():
            points = np.stack(part.quads).reshape(-1, 3)
            assert (solids.distance(points) <= 1e-9).all(), name


def test_fittings_stay_within_their_allowance() -> None:
    part = build_shell(LAYOUT, floor_region(LAYOUT))["trim"]
    x = np.stack(part.quads).reshape(-1, 3)[:, 0]
    assert x.max() == pytest.approx(6 + 0.05 + FITTING)  # the window's outer casing


@pytest.mark.parametrize("shape", ["rectangle", "l_shape", "rooms"])
def test_the_floor_covers_every_room_and_not_the_notch(shape: str) -> None:
    for seed in range(5):
        layout = generate_layout(LayoutConfig(shapes={shape: 1.0}), seed)
        region = floor_region(layout)
        rectangles = floor_rectangles(layout, region)
        area = sum((x1 - x0) * (y1 - y0) for (x0, y0), (x1, y1) in rectangles)
        ends = np.array([p[:2] for wall in layout.walls for p in (wall.a, wall.b)])
        perimeter = sum(wall.length for wall in layout.walls)
        assert region.area < area < region.area + 0.13 * perimeter
        if shape != "l_shape":
            assert area == pytest.approx(np.prod(np.ptp(ends, axis=0)))


def test_slanted_walls_get_one_floor_around_them() -> None:
    layout = parse_layout(
        "wall_0=Wall(0,0,0,4,1,0,3,0)\nwall_1=Wall(4,1,0,2,4,0,3,0)\nwall_2=Wall(2,4,0,0,0,0,3,0)\n"
    )
    assert floor_rectangles(layout, floor_region(layout)) == [((0.0, 0.0), (4.0, 4.0))]


def test_texture_coordinates_are_metres_on_the_surface() -> None:
    for part in build_shell(LAYOUT, floor_region(LAYOUT)).values():
        points, st = part.arrays()
        edges = np.diff(points.reshape(-1, 4, 3), axis=1)
        steps = np.diff(st.reshape(-1, 4, 2), axis=1)
        lengths = np.linalg.norm(edges, axis=-1)
        np.testing.assert_allclose(np.linalg.norm(steps, axis=-1), lengths, atol=1e-9)


def _same_faces(layout: Layout) -> list[tuple[str, str, float]]:
    """Square metres that two faces share in one plane, looking the same way: (part, part, area)."""
    names, quads = [], []
    for name, part in build_shell(layout, floor_region(layout)).items():
        names += [name] * len(part.quads)
        quads += part.quads
    corners = np.stack(quads)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    offset = (normal * corners[:, 0]).sum(axis=1)
    level = (np.abs(normal[:, 2]) > 0.9) & np.isclose(
        np.abs(corners[:, 0, 2] - (layout.floor_height + layout.ceiling_height) / 2),
        (layout.ceiling_height - layout.floor_height) / 2,
    )
    hidden = level & [name not in ("floor", "ceiling") for name in names]
    names = [name for name, gone in zip(names, hidden, strict=True) if not gone]
    corners, first, second, normal, offset = (
        values[~hidden] for values in (corners, first, second, normal, offset)
    )
    found = []
    for a in range(len(corners)):
        near = (normal[a + 1 :] @ normal[a] > 1 - 1e-9) & (
            np.abs(offset[a + 1 :] - offset[a]) < 1e-6
        )
        for b in a + 1 + np.flatnonzero(near):
            axes = np.stack([first[a], second[a]])
            axes /= np.linalg.norm(axes, axis=1, keepdims=True)
            one, two = corners[a] @ axes.T, corners[b] @ axes.T
            shared = np.minimum(one.max(0), two.max(0)) - np.maximum(one.min(0), two.min(0))
            if (shared > 1e-6).all():
                found.append((names[a], names[b], float(np.prod(shared))))
    return found


def test_no_two_faces_share_a_place() -> None:
    """Such faces shadow each other: a path tracer renders them black, as it once did the corners of
    windows. What faces up or down at the floor or the ceiling is hidden by them."""
    for seed in range(12):
        assert _same_faces(generate_layout(LayoutConfig(), seed)) == []
