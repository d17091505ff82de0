"""Meshes of an empty flat: walls with openings, skirting, doors, windows, floor and ceiling.

Whatever stands out from a wall stays within FITTING metres of it, which `layout_solids` adds to
the walls that cameras avoid.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from houdini_pdg.layout.model import Layout, Opening, Wall
from houdini_pdg.layout.solids import FITTING, FloorRegion, is_passage, wall_blocks

_SKIRTING_HEIGHT = 0.08
_CASING = 0.07  # metres of the frame around an opening
_WINDOW_FRAME = 0.06
_EASE, _HAIR = 1e-3, 2e-4
"""Metres by which parts that meet keep their faces apart: two faces in one place shadow each other,
and a path tracer renders them black."""

Corners = np.ndarray  # (4, 3), counter-clockwise seen from outside


@dataclass
class QuadMesh:
    """Quads (n, 4, 3) in the world with texture coordinates (n, 4, 2) in metres."""

    material: str
    quads: list[Corners] = field(default_factory=list)

    def box(self, centre: np.ndarray, half: np.ndarray, along: np.ndarray) -> None:
        """Add a box whose first half extent runs along the unit vector `along` (2,)."""
        axes = np.array([[along[0], along[1], 0], [-along[1], along[0], 0], [0, 0, 1.0]])
        for axis in range(3):
            for sign in (-1.0, 1.0):
                u, v = axes[(axis + 1) % 3], axes[(axis + 2) % 3]
                du, dv = u * half[(axis + 1) % 3], v * half[(axis + 2) % 3] * sign
                middle = centre + sign * axes[axis] * half[axis]
                self.quads.append(
                    np.stack(
                        [middle - du - dv, middle + du - dv, middle + du + dv, middle - du + dv]
                    )
                )

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (4 n, 3) and texture coordinates (4 n, 2), u along the floor or the wall."""
        quads = np.stack(self.quads)
        normal = np.cross(quads[:, 1] - quads[:, 0], quads[:, 3] - quads[:, 0])
        flat = np.abs(normal[:, 2]) > 0.9 * np.linalg.norm(normal, axis=1)
        along = np.where(np.abs(normal[:, :1]) > np.abs(normal[:, 1:2]), [[0, 1, 0]], [[1, 0, 0]])
        u = np.where(flat[:, None], quads[..., 0], (quads * along[:, None]).sum(-1))
        v = np.where(flat[:, None], quads[..., 1], quads[..., 2])
        return quads.reshape(-1, 3), np.stack([u, v], axis=-1).reshape(-1, 2)


def build_shell(layout: Layout, region: FloorRegion) -> dict[str, QuadMesh]:
    """Return the meshes of a layout's shell by prim name, walls under their layout names."""
    meshes: dict[str, QuadMesh] = {
        "floor": QuadMesh("floor"),
        "ceiling": QuadMesh("ceiling"),
        "trim": QuadMesh("trim"),
    }
    for low, high in floor_rectangles(layout, region):
        meshes["floor"].quads.append(_level(low, high, layout.floor_height, up=True))
        meshes["ceiling"].quads.append(_level(low, high, layout.ceiling_height, up=False))
    for index, wall in enumerate(layout.walls):
        openings = [o for o in (*layout.doors, *layout.windows) if o.wall == wall.name]
        meshes[wall.name] = mesh = QuadMesh("wall")
        for centre, half in wall_blocks(wall, openings, reach=_reach(wall, layout)):
            mesh.box(centre, half, wall.direction)
        _add_skirting(meshes["trim"], wall, index, layout, region)
    for door in layout.doors:
        wall = layout.wall(door.wall)
        _add_casing(meshes["trim"], wall, door, sill=False)
        if not is_passage(layout, door, region):
            meshes[door.name] = leaf = QuadMesh("door")
            _add_leaf(leaf, wall, door)
    for window in layout.windows:
        wall = layout.wall(window.wall)
        _add_casing(meshes["trim"], wall, window, sill=True)
        meshes[window.name] = frame = QuadMesh("frame")
        _add_window(frame, wall, window)
    return {name: mesh for name, mesh in meshes.items() if mesh.quads}


def _reach(wall: Wall, layout: Layout) -> tuple[float, float]:
    """Metres that a wall goes on beyond its two ends, into the walls that it meets there; none
    where another one goes on in its line."""

    def beyond(end: np.ndarray) -> float:
        for other in layout.walls:
            along = abs(float(other.direction @ wall.direction)) > 1 - 1e-6
            meets = min(np.hypot(*(end - np.asarray(p[:2]))) for p in (other.a, other.b)) < _EASE
            if other is not wall and along and meets:
                return 0.0
        return wall.solid_thickness / 2 - _EASE

    return beyond(np.asarray(wall.a[:2])), beyond(np.asarray(wall.b[:2]))


def floor_rectangles(
    layout: Layout, region: FloorRegion
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Rectangles (low, high) that cover the floor up to the walls' centre lines.

    Walls that are not parallel to an axis give one rectangle around everything.
    """
    ends = np.array([p[:2] for wall in layout.walls for p in (wall.a, wall.b)])
    slanted = any(np.abs(wall.direction).min() > 1e-3 for wall in layout.walls)
    low, high = ends.min(0), ends.max(0)
    if slanted:
        return [((low[0], low[1]), (high[0], high[1]))]
    xs, ys = (_distinct(ends[:, axis]) for axis in (0, 1))
    rectangles = []
    for x0, x1 in itertools.pairwise(xs):
        for y0, y1 in itertools.pairwise(ys):
            inner = np.stack(
                np.meshgrid(np.linspace(x0, x1, 7)[1:-1], np.linspace(y0, y1, 7)[1:-1]), axis=-1
            )
            if region.contains(inner).mean() > 0.3:
                rectangles.append(((x0, y0), (x1, y1)))
    return rectangles or [((low[0], low[1]), (high[0], high[1]))]


def _distinct(values: np.ndarray) -> list[float]:
    """Sorted values with those within 3 cm of one another merged."""
    kept: list[float] = []
    for value in sorted(float(v) for v in values):
        if not kept or value - kept[-1] > 0.03:
            kept.append(value)
    return kept


def _level(low: tuple[float, float], high: tuple[float, float], z: float, *, up: bool) -> Corners:
    (x0, y0), (x1, y1) = low, high
    corners = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
    return corners if up else corners[::-1].copy()


def _place(wall: Wall, along: float, across: float, z: float) -> np.ndarray:
    direction = wall.direction
    normal = np.array([-direction[1], direction[0]])
    xy = np.asarray(wall.a[:2]) + along * direction + across * normal
    return np.array([xy[0], xy[1], z])


def _span(wall: Wall, opening: Opening) -> tuple[float, float]:
    middle = float((np.asarray(opening.position[:2]) - np.asarray(wall.a[:2])) @ wall.direction)
    return middle - opening.width / 2, middle + opening.width / 2


def _add_skirting(
    mesh: QuadMesh, wall: Wall, index: int, layout: Layout, region: FloorRegion
) -> None:
    """A board along the foot of both sides that face a floor, broken by doors.

    Boards of neighbours run into each other: their tops differ by a hair.
    """
    doors = sorted(_span(wall, d) for d in layout.doors if d.wall == wall.name)
    board = _SKIRTING_HEIGHT - _HAIR * (index % 50)  # also in layouts of hundreds of walls
    edges = [wall.solid_thickness / 2 + _EASE]
    for left, right in doors:
        edges += [left - _CASING, right + _CASING]
    edges.append(wall.length - wall.solid_thickness / 2 - _EASE)
    for side in (-1.0, 1.0):
        across = side * (wall.solid_thickness / 2 + FITTING / 2)
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            middle = _place(wall, (start + end) / 2, side * (wall.solid_thickness / 2 + 0.2), 0)
            if end - start > 0.02 and region.contains(middle[:2]):
                z = wall.a[2] + board / 2
                half = np.array([(end - start) / 2, FITTING / 2, board / 2])
                mesh.box(_place(wall, (start + end) / 2, across, z), half, wall.direction)


def _add_casing(mesh: QuadMesh, wall: Wall, opening: Opening, *, sill: bool) -> None:
    """Boards around an opening on both faces of the wall."""
    left, right = _span(wall, opening)
    bottom = opening.position[2] - opening.height / 2
    top = opening.position[2] + opening.height / 2
    boards = [
        (left - _CASING, left, bottom, top),
        (right, right + _CASING, bottom, top),
        (left - _CASING, right + _CASING, top, top + _CASING),
    ]
    if sill:
        boards.append((left - _CASING, right + _CASING, bottom - 0.04, bottom))
    for side in (-1.0, 1.0):
        across = side * (wall.solid_thickness / 2 + FITTING / 2)
        for u0, u1, z0, z1 in boards:
            half = np.array([(u1 - u0) / 2, FITTING / 2, (z1 - z0) / 2])
            centre = _place(wall, (u0 + u1) / 2, across, (z0 + z1) / 2)
            mesh.box(centre, half, wall.direction)


def _add_leaf(mesh: QuadMesh, wall: Wall, door: Opening) -> None:
    """A closed door leaf with two raised panels on each face."""
    left, right = _span(wall, door)
    middle = (left + right) / 2
    bottom = door.position[2] - door.height / 2
    half = np.array([door.width / 2, 0.02, door.height / 2])
    mesh.box(_place(wall, middle, 0.0, door.position[2]), half, wall.direction)
    for low, high in ((0.12, 0.45), (0.52, 0.93)):
        z0, z1 = bottom + low * door.height, bottom + high * door.height
        panel = np.array([door.width / 2 - 0.13, 0.026, (z1 - z0) / 2])
        mesh.box(_place(wall, middle, 0.0, (z0 + z1) / 2), panel, wall.direction)
    knob = np.array([0.06, 0.05, 0.011])
    mesh.box(_place(wall, left + 0.1, 0.0, bottom + 1.02), knob, wall.direction)


def _add_window(mesh: QuadMesh, wall: Wall, window: Opening) -> None:
    """A frame with mullions; the panes are left open, so sky is seen and lights the room."""
    left, right = _span(wall, window)
    middle, z = (left + right) / 2, window.position[2]
    side = np.array([_WINDOW_FRAME / 2, 0.03, window.height / 2])
    for along in (left + side[0], right - side[0]):
        mesh.box(_place(wall, along, 0.0, z), side, wall.direction)
    rail = np.array([window.width / 2 - _WINDOW_FRAME, 0.03, _WINDOW_FRAME / 2])
    for edge in (-1.0, 1.0):
        height = z + edge * (window.height / 2 - rail[2])
        mesh.box(_place(wall, middle, 0.0, height), rail, wall.direction)
    panes = max(1, round(window.width / 0.8))
    bar = np.array([0.02, 0.025, window.height / 2 - _WINDOW_FRAME])
    for index in range(1, panes):
        along = left + index * window.width / panes
        mesh.box(_place(wall, along, 0.0, z), bar, wall.direction)
