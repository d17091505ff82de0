"""Flat parts of furniture: bevelled boxes, slabs of any outline, panes, and the outlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mesh import Mesh, smooth_normals

__all__ = [
    "arch",
    "box",
    "ellipse",
    "grid_faces",
    "panel",
    "rounded_rectangle",
    "slab",
    "texture_offset",
    "tile_of",
]

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


def texture_offset(center: Sequence[float]) -> np.ndarray:
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
    offset, tile = texture_offset(center), tile_of(slot)
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


def arch(width: float, height: float, segments: int = 24) -> np.ndarray:
    """The outline (n, 2) of a rectangle under a half round, counter-clockwise, middle at origin."""
    turn = np.linspace(0, np.pi, segments)
    spring = height / 2 - width / 2
    crown = np.column_stack([np.cos(turn) * width / 2, spring + np.sin(turn) * width / 2])
    return np.concatenate([crown, [(-width / 2, -height / 2), (width / 2, -height / 2)]])


def panel(
    width: float, height: float, center: Sequence[float], depth: float = 0.002, slot: str = "glass"
) -> Mesh:
    """A thin upright pane facing -y with texture coordinates 0..1 over its front."""
    mesh = box((width, depth, height), (0, 0, 0), bevel=0.0005, segments=1, slot=slot)
    uv = mesh.points[:, [0, 2]] / (width, height) + 0.5
    return Mesh(mesh.points + np.asarray(center, float), mesh.faces, mesh.normals, uv, slot)
