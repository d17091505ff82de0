"""Round parts of furniture: turned on a lathe, bent from tube, and smooth curves for both."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from .mesh import Mesh
from .solids import grid_faces, texture_offset, tile_of

__all__ = ["cylinder", "hoop", "lathe", "smooth", "sphere", "tube"]

Points = Sequence[Sequence[float]] | np.ndarray


def smooth(points: Points, steps: int = 4, corner: float = 181.0) -> np.ndarray:
    """A line (n, d) through the same points in `steps` pieces per segment, without overshoot.

    Corners sharper than `corner` degrees stay; belly, neck and bend become round.
    """
    line = np.asarray(points, float)
    step = np.diff(line, axis=0)
    unit = step / np.linalg.norm(step, axis=1, keepdims=True)
    bend = np.degrees(np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1)))
    ends = [0, *(np.flatnonzero(bend > corner) + 1), len(line) - 1]
    pieces = [line[:1]]
    for first, last in itertools.pairwise(ends):
        run = line[first : last + 1]
        if len(run) == 2:
            pieces.append(run[1:])
            continue
        length = np.sqrt(np.linalg.norm(np.diff(run, axis=0), axis=1))
        at = np.concatenate([[0.0], np.cumsum(length)])
        fine = np.interp(np.arange(1, steps * (len(run) - 1) + 1) / steps, np.arange(len(at)), at)
        pieces.append(PchipInterpolator(at, run)(fine))
    return np.concatenate(pieces)


def lathe(
    profile: Points,
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
        uv + texture_offset(center),
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
    path: Points,
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
        np.concatenate(all_uv) + texture_offset(line[0]),
        slot,
    )


def hoop(
    radius: float,
    thick: float,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    slot: str = "metal",
    count: int = 32,
) -> Mesh:
    """A round rod bent to a level circle."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.zeros(count)])
    return tube(ring + np.asarray(center), thick, 8, slot, closed=True)


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
