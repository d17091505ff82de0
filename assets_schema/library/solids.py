"""Hard parts of furniture: bevelled boxes, turned parts, bent tubes and rounded slabs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mesh import Mesh, smooth_normals

__all__ = ["TILE", "box", "cylinder", "grid_faces", "lathe", "panel", "slab", "sphere", "tube"]

# Metres covered by one repeat of a texture; the finish families are drawn for these sizes.
TILE = {"wood": 1.0, "fabric": 0.35, "leather": 0.35, "stone": 1.0, "metal": 0.5, "carpet": 0.7}
DEFAULT_TILE = 0.5


def tile_of(slot: str) -> float:
    """Metres per texture repeat of a slot, by the family its name starts with."""
    return TILE.get(slot.split("_")[0], DEFAULT_TILE)


def grid_faces(rows: int, columns: int) -> np.ndarray:
    """Quads (F, 4) of a rows x columns point grid, counter-clockwise seen from +(row x column)."""
    index = np.arange(rows * columns).reshape(rows, columns)
    return np.stack(
        [index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1
    ).reshape(-1, 4)


def _offset(center: Sequence[float]) -> np.ndarray:
    """A texture offset that differs between parts but only depends on where a part is."""
    return np.modf(np.abs(np.asarray(center) @ [[12.9898, 4.1414], [78.233, 9.73], [37.719, 3.3]]))[
        0
    ]


def box(
    size: Sequence[float],
    center: Sequence[float] = (0.0, 0.0, 0.0),
    bevel: float = 0.004,
    segments: int = 2,
    slot: str = "wood",
    grain: int | None = None,
) -> Mesh:
    """A box with rounded edges.

    `size` and `center` in metres; `grain` is the axis along which wood runs (the longest one if
    not given); texture coordinates are box-projected with u along the grain.
    """
    half = np.asarray(size, float) / 2
    radius = min(bevel, 0.98 * float(half.min()))
    angle = np.linspace(0, np.pi / 4, segments + 1)
    slope = np.concatenate([-np.tan(angle[::-1]), np.tan(angle)])
    side = np.repeat([-1.0, 1.0], segments + 1)
    grain = int(np.argmax(half)) if grain is None else grain
    offset, tile = _offset(center), tile_of(slot)
    points: list[np.ndarray] = []
    normals, uvs, faces = [], [], []
    count = len(slope)
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            direction = np.empty((count, count, 3))
            direction[..., axis] = sign
            direction[..., first] = slope[:, None]
            direction[..., second] = slope[None, :]
            direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
            inner = np.empty_like(direction)
            inner[..., axis] = sign * (half[axis] - radius)
            inner[..., first] = (side * (half[first] - radius))[:, None]
            inner[..., second] = (side * (half[second] - radius))[None, :]
            point = (inner + radius * direction).reshape(-1, 3)
            along, across = (second, first) if second == grain else (first, second)
            quads = grid_faces(count, count) + sum(len(p) for p in points)
            faces.append(quads if sign > 0 else quads[:, ::-1])
            points.append(point)
            normals.append(direction.reshape(-1, 3))
            uvs.append(point[:, [along, across]] / tile + offset)
    return Mesh(
        np.concatenate(points) + np.asarray(center, float),
        np.concatenate(faces),
        np.concatenate(normals),
        np.concatenate(uvs),
        slot,
    )


def lathe(
    profile: Sequence[tuple[float, float]],
    center: Sequence[float] = (0.0, 0.0, 0.0),
    segments: int = 24,
    slot: str = "wood",
    crease: float = 35.0,
) -> Mesh:
    """A turned part: the (radius, height) profile, listed upwards on the outside, about z.

    Profile corners sharper than `crease` degrees stay sharp.
    """
    profile_rz = np.asarray(profile, float)
    step = np.diff(profile_rz, axis=0)
    length = np.linalg.norm(step, axis=1)
    keep = length > 1e-9
    profile_rz = np.concatenate([profile_rz[:1], profile_rz[1:][keep]])
    step, length = step[keep], length[keep]
    outward = np.stack([step[:, 1], -step[:, 0]], axis=1) / length[:, None]
    arc = np.concatenate([[0.0], np.cumsum(length)])
    bend = np.degrees(np.arccos(np.clip((outward[1:] * outward[:-1]).sum(1), -1, 1)))
    rows: list[tuple[np.ndarray, np.ndarray, float]] = [(profile_rz[0], outward[0], arc[0])]
    breaks = []
    for i in range(1, len(profile_rz) - 1):
        if bend[i - 1] > crease:
            rows.append((profile_rz[i], outward[i - 1], arc[i]))
            breaks.append(len(rows) - 1)
            rows.append((profile_rz[i], outward[i], arc[i]))
        else:
            mean = outward[i - 1] * length[i] + outward[i] * length[i - 1]
            rows.append((profile_rz[i], mean / np.linalg.norm(mean), arc[i]))
    rows.append((profile_rz[-1], outward[-1], arc[-1]))
    turn = np.linspace(0, 2 * np.pi, segments + 1)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points = np.concatenate(
        [np.column_stack([rz[0] * ring, np.full(len(turn), rz[1])]) for rz, _, _ in rows]
    )
    normals = np.concatenate(
        [np.column_stack([n[0] * ring, np.full(len(turn), n[1])]) for _, n, _ in rows]
    )
    around = 2 * np.pi * float(profile_rz[:, 0].mean())
    tile = tile_of(slot)
    repeats = max(1, round(around / tile))
    uv = np.concatenate(
        [
            np.column_stack([np.full(len(turn), s / tile), turn / (2 * np.pi) * repeats])
            for *_, s in rows
        ]
    )
    faces = grid_faces(len(rows), segments + 1)[:, ::-1].reshape(len(rows) - 1, segments, 4)
    faces = np.delete(faces, breaks, axis=0).reshape(-1, 4)
    return Mesh(
        points + np.asarray(center, float),
        _without_slivers(points, faces),
        normals,
        uv + _offset(center),
        slot,
    )


def _without_slivers(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Quads with a collapsed edge become triangles; faces of no area go."""
    same = np.linalg.norm(points[faces] - points[np.roll(faces, -1, axis=1)], axis=2) < 1e-9
    out = faces.copy()
    for edge in range(4):
        rows = same[:, edge]
        order = [(edge + 1 + k) % 4 for k in range(4)]
        rolled = faces[rows][:, order]
        out[rows] = np.column_stack([rolled[:, :3], rolled[:, 2]])
    return out[same.sum(axis=1) < 2]


def cylinder(
    radius: float,
    height: float,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    bevel: float = 0.003,
    segments: int = 24,
    slot: str = "metal",
    top_radius: float | None = None,
) -> Mesh:
    """A closed cylinder or cone stump standing on z = 0 of its centre."""
    top = radius if top_radius is None else top_radius
    b = min(bevel, 0.45 * height, 0.9 * radius, 0.9 * top)
    profile = [(0.0, 0.0), (radius - b, 0.0), (radius - 0.3 * b, 0.3 * b), (radius, b)]
    profile += [
        (top, height - b),
        (top - 0.3 * b, height - 0.3 * b),
        (top - b, height),
        (0.0, height),
    ]
    return lathe(profile, center, segments, slot, crease=60.0)


def sphere(
    radius: float,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    segments: int = 20,
    slot: str = "metal",
) -> Mesh:
    """A sphere about its centre."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    profile = [(max(0.0, radius * np.cos(a)), radius * np.sin(a)) for a in angle]
    profile[0], profile[-1] = (0.0, -radius), (0.0, radius)
    return lathe(profile, center, segments, slot, crease=90.0)


def tube(
    path: Sequence[Sequence[float]] | np.ndarray,
    radius: float | Sequence[float] | np.ndarray = 0.01,
    segments: int = 10,
    slot: str = "metal",
    closed: bool = False,
    flat: float = 1.0,
) -> Mesh:
    """A round tube along a path (n, 3); `radius` one value or one per point; `flat` squashes it."""
    line = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), len(line)).copy()
    if closed:
        line = np.concatenate([line, line[:1]])
        radii = np.concatenate([radii, radii[:1]])
    tangent = np.gradient(line, axis=0)
    if closed:
        tangent[0] = tangent[-1] = line[1] - line[-2]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    sides = _transported_sides(tangent)
    if closed:
        sides[-1] = sides[0]
    ups = np.cross(tangent, sides)
    turn = np.linspace(0, 2 * np.pi, segments + 1)
    normal = (
        np.cos(turn)[None, :, None] * sides[:, None]
        + flat * np.sin(turn)[None, :, None] * ups[:, None]
    )
    points = (line[:, None] + radii[:, None, None] * normal).reshape(-1, 3)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    tile = tile_of(slot)
    uv = np.stack(np.broadcast_arrays(arc[:, None] / tile, turn[None] / (2 * np.pi) * 0.25), -1)
    faces = [grid_faces(len(line), segments + 1)[:, ::-1]]
    all_points, all_uv = [points], [uv.reshape(-1, 2)]
    all_normals = [(normal / np.linalg.norm(normal, axis=2, keepdims=True)).reshape(-1, 3)]
    if not closed:
        for row, sign in ((0, -1.0), (len(line) - 1, 1.0)):
            start = sum(len(p) for p in all_points)
            ring = points.reshape(len(line), segments + 1, 3)[row, :-1]
            all_points.append(np.concatenate([line[row][None], ring]))
            all_normals.append(np.repeat(sign * tangent[row][None], segments + 1, axis=0))
            all_uv.append(np.zeros((segments + 1, 2)))
            first = 1 + np.arange(segments)
            second = 1 + (np.arange(segments) + 1) % segments
            fan = np.stack([np.zeros(segments, int), first, second, second], axis=1)
            if sign < 0:
                fan = fan[:, [0, 2, 1, 1]]
            faces.append(fan + start)
    return Mesh(
        np.concatenate(all_points),
        np.concatenate(faces),
        np.concatenate(all_normals),
        np.concatenate(all_uv) + _offset(line[0]),
        slot,
    )


def _transported_sides(tangent: np.ndarray) -> np.ndarray:
    """A side vector per path point that turns as little as the path allows."""
    start = np.array([0.0, 0.0, 1.0]) if abs(tangent[0, 2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    sides = np.empty_like(tangent)
    side = start
    for i, direction in enumerate(tangent):
        side = side - direction * (side @ direction)
        side = side / np.linalg.norm(side)
        sides[i] = side
    return sides


def slab(
    outline: np.ndarray,
    height: float,
    base: float = 0.0,
    bevel: float = 0.006,
    slot: str = "wood",
) -> Mesh:
    """A star-shaped outline (n, 2), counter-clockwise, extruded from z = base with soft edges."""
    ring = np.asarray(outline, float)
    edge = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
    outward = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    b = min(bevel, 0.48 * height)
    levels = [(-b, 0.0), (-0.3 * b, 0.3 * b), (0.0, b)]
    levels += [(0.0, height - b), (-0.3 * b, height - 0.3 * b), (-b, height)]
    count = len(ring)
    wrap = np.append(np.arange(count), 0)
    tile = tile_of(slot)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(ring - np.roll(ring, -1, 0), axis=1))])
    points = np.concatenate(
        [
            np.column_stack([(ring + inset * outward)[wrap], np.full(count + 1, base + z)])
            for inset, z in levels
        ]
    )
    uv = np.concatenate([np.column_stack([arc, np.full(count + 1, z)]) / tile for _, z in levels])
    faces = [grid_faces(len(levels), count + 1)[:, ::-1]]
    cap_points, cap_uv = [points], [uv]
    for inset, z, up in ((levels[0][0], base, False), (levels[-1][0], base + height, True)):
        start = sum(len(p) for p in cap_points)
        flat = ring + inset * outward
        cap = np.column_stack([np.vstack([flat.mean(axis=0), flat]), np.full(count + 1, z)])
        cap_points.append(cap)
        cap_uv.append(cap[:, :2] / tile)
        first, second = 1 + np.arange(count), 1 + (np.arange(count) + 1) % count
        fan = np.stack([np.zeros(count, int), first, second, second], axis=1)
        faces.append((fan if up else fan[:, [0, 2, 1, 1]]) + start)
    all_points = np.concatenate(cap_points)
    all_faces = np.concatenate(faces)
    return Mesh(
        all_points, all_faces, smooth_normals(all_points, all_faces), np.concatenate(cap_uv), slot
    )


def rounded_rectangle(width: float, depth: float, radius: float, segments: int = 6) -> np.ndarray:
    """The outline (n, 2) of a rectangle with round corners, counter-clockwise about the origin."""
    radius = min(radius, width / 2 - 1e-4, depth / 2 - 1e-4)
    corner = np.linspace(0, np.pi / 2, segments + 1)
    arcs = []
    for quarter, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        angle = corner + quarter * np.pi / 2
        centre = (sx * (width / 2 - radius), sy * (depth / 2 - radius))
        arcs.append(np.column_stack([np.cos(angle), np.sin(angle)]) * radius + centre)
    return np.concatenate(arcs)


def ellipse(width: float, depth: float, segments: int = 40) -> np.ndarray:
    """The outline (n, 2) of an ellipse, counter-clockwise about the origin."""
    turn = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    return np.column_stack([np.cos(turn) * width / 2, np.sin(turn) * depth / 2])


def panel(
    width: float, height: float, center: Sequence[float], depth: float = 0.002, slot: str = "glass"
) -> Mesh:
    """A thin upright pane facing -y with texture coordinates 0..1 over its front."""
    mesh = box((width, depth, height), (0, 0, 0), bevel=0.0005, segments=1, slot=slot)
    uv = mesh.points[:, [0, 2]] / (width, height) + 0.5
    return Mesh(mesh.points + np.asarray(center, float), mesh.faces, mesh.normals, uv, slot)
