"""Soft parts: cushions, pillows, hanging cloth and bed covers, wrinkled with seeded noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from .mesh import Mesh, smooth_normals
from .solids import grid_faces, tile_of
from .turned import tube

__all__ = ["bed_cover", "curtain", "cushion", "pillow", "sheet"]


def sheet(points: np.ndarray, uv: np.ndarray, slot: str = "fabric", thickness: float = 0.0) -> Mesh:
    """A cloth from a point grid (rows, columns, 3); with a thickness it gets a back and a rim."""
    rows, columns = points.shape[:2]
    flat, faces = points.reshape(-1, 3), grid_faces(rows, columns)
    flat_uv = uv.reshape(-1, 2)
    if thickness > 0:
        normal = smooth_normals(flat, faces)
        border = np.concatenate(
            [
                np.arange(columns - 1),
                np.arange(rows - 1) * columns + columns - 1,
                rows * columns - 1 - np.arange(columns - 1),
                (rows - 1 - np.arange(rows - 1)) * columns,
            ]
        )
        following = np.roll(border, -1)
        count = len(flat)
        rim = np.stack([border, following, following + count, border + count], axis=1)
        faces = np.concatenate([faces, faces[:, ::-1] + count, rim])
        flat = np.concatenate([flat, flat - thickness * normal])
        flat_uv = np.concatenate([flat_uv, flat_uv])
    return Mesh(flat, faces, smooth_normals(flat, faces), flat_uv, slot)


def wrinkles(shape: tuple[int, int], amount: float, sigma: float, seed: int) -> np.ndarray:
    """Smooth random displacement (rows, columns), metres, of standard deviation `amount`."""
    noise = gaussian_filter(
        np.random.default_rng(seed).standard_normal(shape), sigma, mode="nearest"
    )
    return noise * (amount / max(float(noise.std()), 1e-12))


def cushion(
    size: Sequence[float],
    center: Sequence[float] = (0.0, 0.0, 0.0),
    crown: float = 0.02,
    radius: float | None = None,
    slot: str = "fabric",
    piping: bool = False,
    seed: int = 0,
    resolution: int = 12,
) -> Mesh:
    """An upholstered block: soft edges, a crown in the middle of its large faces, light wrinkles.

    `size` is the box it fills with the crown included in z; metres.
    """
    full = np.asarray(size, float)
    half = full / 2 - np.array([0.0, 0.0, min(crown, 0.3 * full[2])])
    radius = min(0.45 * float(half.min()) * 2, 0.06) if radius is None else radius
    radius = min(radius, 0.98 * float(half.min()))
    angle = np.linspace(0, np.pi / 4, 4)[::-1]
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, 6)
    tile = tile_of(slot)
    points: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    uvs: list[np.ndarray] = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        grids = []
        for other in (first, second):
            inner = np.linspace(-1, 1, resolution)
            slope = np.concatenate(
                [-np.tan(angle[:-1]), np.zeros(resolution), np.tan(angle[:-1][::-1])]
            )
            place = np.concatenate([-np.ones(3), inner, np.ones(3)]) * (half[other] - radius)
            grids.append((slope, place))
        for sign in (-1.0, 1.0):
            count = resolution + 6
            direction = np.empty((count, count, 3))
            direction[..., axis] = sign
            direction[..., first] = grids[0][0][:, None]
            direction[..., second] = grids[1][0][None]
            direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
            inner_point = np.empty_like(direction)
            inner_point[..., axis] = sign * (half[axis] - radius)
            inner_point[..., first] = grids[0][1][:, None]
            inner_point[..., second] = grids[1][1][None]
            point = (inner_point + radius * direction).reshape(-1, 3)
            quads = grid_faces(count, count) + sum(len(p) for p in points)
            faces.append(quads if sign > 0 else quads[:, ::-1])
            points.append(point)
            uvs.append(point[:, [first, second]] / tile)
    p = np.concatenate(points)
    unit = p / half
    dome = (1 - unit[:, 0] ** 2).clip(0) * (1 - unit[:, 1] ** 2).clip(0)
    lift = (full[2] / 2 - half[2]) * np.sqrt(dome)
    crease = (
        0.03
        * lift.max()
        * (
            np.sin(9 * unit[:, 0] + phase[0] + 3 * np.sin(2 * unit[:, 1] + phase[1]))
            + np.sin(7 * unit[:, 1] + phase[2] + 2 * np.sin(3 * unit[:, 0] + phase[3]))
        )
    )
    p = p.copy()
    p[:, 2] += unit[:, 2].clip(-1, 1) * (lift + crease * dome)
    all_faces = np.concatenate(faces)
    normals = smooth_normals(p, all_faces)
    return Mesh(p + np.asarray(center, float), all_faces, normals, np.concatenate(uvs), slot)


def pillow(
    width: float,
    height: float,
    thickness: float,
    slot: str = "fabric_pillow",
    seed: int = 0,
    resolution: int = 20,
) -> Mesh:
    """A stuffed pillow lying in the xy plane, centred at the origin, with pinched corners."""
    t = np.linspace(-1, 1, resolution)
    u, v = np.meshgrid(t, t, indexing="ij")
    pinch = 1 - 0.10 * (1 - u**2) * v**4
    pinch_v = 1 - 0.10 * (1 - v**2) * u**4
    x, y = u * width / 2 * pinch_v, v * height / 2 * pinch
    dome = ((1 - u**6).clip(0) * (1 - v**6).clip(0)) ** 0.5
    body = 0.55 * dome + 0.45 * dome * (1 - 0.5 * u**2 - 0.5 * v**2)
    edge_fold = wrinkles((resolution, resolution), 0.018 * thickness / 0.12, 1.6, seed) * dome * 0.5
    sides = []
    for sign in (1.0, -1.0):
        z = sign * (thickness / 2) * body + edge_fold * 0.5
        sides.append(np.stack([x, y, z], axis=-1).reshape(-1, 3))
    quads = grid_faces(resolution, resolution)
    points = np.concatenate(sides)
    points[:, 2] *= thickness / (points[:, 2].max() - points[:, 2].min())
    faces = np.concatenate([quads, quads[:, ::-1] + resolution**2])
    uv = np.tile(np.stack([x, y], -1).reshape(-1, 2) / tile_of(slot), (2, 1))
    return Mesh(points, faces, smooth_normals(points, faces), uv, slot)


def curtain(
    width: float,
    height: float,
    folds: int = 7,
    depth: float = 0.06,
    slot: str = "fabric",
    seed: int = 0,
    gather: float = 0.0,
) -> Mesh:
    """Hanging cloth in the xz plane up to z = `height`, folded in y; `gather` ties its waist."""
    rng = np.random.default_rng(seed)
    columns, rows = folds * 10 + 1, 14
    s = np.linspace(0, 1, columns)[None, :]
    z = np.linspace(0, 1, rows)[:, None]
    wobble = 0.5 * np.sin(2 * np.pi * s * 1.3 + rng.uniform(0, 6)) + 0.4 * np.sin(
        2 * np.pi * s * 2.7 + rng.uniform(0, 6)
    )
    phase = 2 * np.pi * folds * s + wobble + 0.25 * (1 - z) * np.sin(5 * s + rng.uniform(0, 6))
    amplitude = depth / 2 * (0.75 + 0.25 * (1 - z)) * (1 + 0.15 * np.sin(3 * z + 4 * s))
    waist = 1 - gather * np.exp(-(((z - 0.42) / 0.16) ** 2))
    x = (s - 0.5) * width * waist
    y = amplitude * np.sin(phase) * np.clip(waist, 0.6, 1)
    points = np.stack(np.broadcast_arrays(x, y, z * height), axis=-1)
    cloth = 1.6
    uv = np.stack(np.broadcast_arrays(s * width * cloth, z * height), -1) / tile_of(slot)
    points[..., 1] *= 1.0
    return sheet(points[:, ::-1], uv[:, ::-1], slot, thickness=0.004)


def bed_cover(
    width: float,
    length: float,
    top: float,
    drop: float,
    slot: str = "fabric",
    seed: int = 0,
    puff: float = 0.03,
    side: float = 0.03,
) -> Mesh:
    """A duvet over a mattress: flat and puffed on top, round over the edges, wavy where it hangs.

    Covers x in +-width/2 and y from -length (front, hangs too) to 0, upper side about z = top.
    """
    radius = min(0.07, drop * 0.6)
    across = _over_edge(width / 2, drop, radius, 20)
    along = _over_edge(length, drop, radius, 26)[len(_over_edge(length, drop, radius, 26)) // 2 :]
    along = np.concatenate([[[0.0, 0.0]], along[along[:, 0] > 1e-6]])
    ax, az = across[:, 0][None, :], across[:, 1][None, :]
    by, bz = along[:, 0][:, None], along[:, 1][:, None]
    shape = (len(along), len(across))
    hang = np.clip(-np.minimum(az, bz) / max(drop, 1e-6), 0, 1)
    x = np.broadcast_to(ax, shape).copy()
    y = -np.broadcast_to(by, shape).copy()
    z = top + np.minimum(az, bz) * np.ones(shape)
    bump = wrinkles(shape, puff * 0.35, 1.7, seed) + wrinkles(shape, puff * 0.16, 0.9, seed + 1)
    z += np.where(hang < 0.3, puff * 0.6 + bump, 0.3 * bump)
    wave = side * hang * np.sin(np.arange(shape[0]) * 1.1 + seed)[:, None]
    wave_front = side * hang * np.sin(np.arange(shape[1]) * 0.9 + seed)[None, :]
    x += np.where(az < bz, np.sign(ax) * (wave + side * hang), 0)
    y -= np.where(bz < az, wave_front + side * hang, 0)
    points = np.stack([x, y, z], axis=-1)
    step_x = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(across, axis=0), axis=1))])
    step_y = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(along, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(step_x[None], step_y[:, None]), -1) / tile_of(slot)
    return sheet(points, uv, slot, thickness=0.02)


def _over_edge(half: float, drop: float, radius: float, flat: int) -> np.ndarray:
    """The section (n, 2) of cloth over both edges of a flat top: offset and height below it."""
    bend = np.linspace(0, np.pi / 2, 5)[1:]
    top = np.linspace(-(half - radius), half - radius, flat)
    right = [np.column_stack([half - radius + radius * np.sin(bend), radius * (np.cos(bend) - 1)])]
    fall = np.linspace(radius, drop, 6)[1:]
    right.append(np.column_stack([np.full(5, half), -fall]))
    side = np.concatenate(right)
    mirrored = side[::-1] * (-1, 1)
    return np.concatenate([mirrored, np.column_stack([top, np.zeros(flat)]), side])


def piping(outline: np.ndarray, radius: float = 0.006, slot: str = "fabric") -> Mesh:
    """A sewn cord along a closed outline (n, 3)."""
    return tube(outline, radius, 6, slot, closed=True)
