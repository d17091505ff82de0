"""Plants: bent stems, leaves of several shapes, pots and soil."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh, smooth_normals
from .solids import grid_faces
from .turned import lathe, tube

__all__ = ["aimed", "frond", "leaf", "pot", "rosette", "stem", "tree"]


def leaf(
    length: float,
    width: float,
    droop: float = 0.3,
    fold: float = 0.25,
    tip: float = 1.0,
    slot: str = "leaf",
    rows: int = 7,
    split: float = 0.0,
) -> Mesh:
    """One leaf from the origin along +x, its face up; `droop` is its bend in radians.

    `split` cuts fingers into the edge, as a share of the width. Texture coordinates run 0..1 along
    (u) and across (v) the leaf.
    """
    t = np.linspace(0, 1, rows)
    s = np.linspace(-1, 1, 5)
    outline = width / 2 * np.sin(np.pi * t**0.8) ** 0.85 * (1 - 0.25 * tip * t)
    outline[0] = 0.05 * width
    outline[-1] = 0.01 * width
    outline[2:-1:2] *= 1 - split
    bend = droop * t
    step = np.gradient(t) * length
    x = np.cumsum(np.cos(bend) * step) - step[0]
    z = -np.cumsum(np.sin(bend) * step)
    across = outline[:, None] * s[None]
    lift = fold * np.abs(across)
    points = np.stack(
        [
            x[:, None] + np.sin(bend)[:, None] * lift,
            across,
            z[:, None] + np.cos(bend)[:, None] * lift,
        ],
        axis=-1,
    ).reshape(-1, 3)
    faces = grid_faces(rows, 5)
    uv = np.stack(np.broadcast_arrays(t[:, None], (s[None] + 1) / 2), -1).reshape(-1, 2)
    back = points - np.array([0, 0, 0.0015])
    both = np.concatenate([points, back])
    both_faces = np.concatenate([faces, faces[:, ::-1] + len(points)])
    return Mesh(both, both_faces, smooth_normals(both, both_faces), np.tile(uv, (2, 1)), slot)


def stem(
    start: np.ndarray,
    heading: np.ndarray,
    length: float,
    radius: float,
    bend: float,
    slot: str = "stem",
    points: int = 8,
) -> tuple[Mesh, np.ndarray]:
    """A tapering stem that bends down by `bend` radians; returns it with its path (n, 3)."""
    flat = np.array([heading[0], heading[1], 0.0])
    flat = flat / max(float(np.linalg.norm(flat)), 1e-9)
    rise = np.arctan2(heading[2], np.linalg.norm(heading[:2]))
    angle = rise - bend * np.linspace(0, 1, points)
    step = length / (points - 1)
    delta = (np.cos(angle)[:, None] * flat + np.sin(angle)[:, None] * [0, 0, 1]) * step
    path = np.asarray(start) + np.concatenate([np.zeros((1, 3)), np.cumsum(delta[:-1], axis=0)])
    return tube(path, radius * np.linspace(1, 0.45, points), 7, slot), path


def aimed(mesh: Mesh, direction: np.ndarray, place: np.ndarray, roll: float = 0.0) -> Mesh:
    """A mesh built along +x turned to `direction`, rolled about it and moved to `place`."""
    forward = direction / np.linalg.norm(direction)
    side = np.cross([0.0, 0.0, 1.0], forward)
    side = side / np.linalg.norm(side) if np.linalg.norm(side) > 1e-6 else np.array([0.0, 1.0, 0.0])
    up = np.cross(forward, side)
    side, up = side * np.cos(roll) + up * np.sin(roll), up * np.cos(roll) - side * np.sin(roll)
    return mesh.transformed(np.column_stack([forward, side, up])).moved(*place)


def rosette(
    rng: np.random.Generator,
    leaves: int,
    length: float,
    width: float,
    base: float,
    upright: float = 1.1,
    droop: float = 0.9,
    fall: float = 0.75,
) -> list[Mesh]:
    """Sword or oval leaves from one crown at height `base`: aloe, snake plant, fern crown.

    The innermost leaf rises at `upright` radians, the outermost a share `fall` lower.
    """
    parts = []
    for i in range(leaves):
        turn = i * 2.39996 + rng.uniform(-0.2, 0.2)
        share = (i + 0.5) / leaves
        rise = upright * (1 - fall * share) + rng.uniform(-0.06, 0.06)
        scale = 0.65 + 0.35 * rng.uniform()
        heading = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
        blade = leaf(length * scale, width * scale, droop * (0.4 + share), fold=0.35)
        parts.append(aimed(blade, heading, np.array([0, 0, base]), rng.uniform(-0.2, 0.2)))
    return parts


def frond(
    rng: np.random.Generator,
    start: np.ndarray,
    heading: np.ndarray,
    length: float,
    bend: float,
    leaflet: float,
    pairs: int = 9,
) -> list[Mesh]:
    """A palm or fern frond: a bent stem with leaflets in pairs."""
    rib, path = stem(start, heading, length, 0.006, bend, points=pairs + 3)
    parts = [rib]
    for i in range(2, len(path)):
        share = i / (len(path) - 1)
        size = leaflet * (1.15 - 0.75 * share)
        forward = path[i] - path[i - 1]
        forward /= np.linalg.norm(forward)
        side = np.cross([0.0, 0.0, 1.0], forward)
        side /= max(float(np.linalg.norm(side)), 1e-6)
        for sign in (-1.0, 1.0):
            heading_i = (
                forward * 0.7 + sign * side * 0.75 + [0, 0, 0.12 + 0.05 * rng.standard_normal()]
            )
            blade = leaf(size, 0.16 * size, 0.7, fold=0.2, rows=5)
            parts.append(aimed(blade, heading_i, path[i]))
    return parts


def tree(
    rng: np.random.Generator,
    base: float,
    height: float,
    branches: int,
    leaf_size: float,
    spread: float = 0.5,
    leaf_shape: float = 0.55,
    start: float = 0.35,
) -> list[Mesh]:
    """A small indoor tree: a wavy trunk, branches and broad leaves on them."""
    t = np.linspace(0, 1, 10)
    sway = rng.uniform(-0.04, 0.04, 2)
    trunk = np.column_stack(
        [
            sway[0] * np.sin(3 * t),
            sway[1] * np.sin(2 * t + 1),
            base - 0.03 + t * (height * 0.82 - base),
        ]
    )
    parts = [tube(trunk, 0.016 * (1.15 - 0.6 * t), 8, "stem")]
    for i in range(branches):
        share = start + (1 - start) * (i + 0.5) / branches
        place = trunk[min(9, int(share * 9.99))]
        turn = i * 2.39996 + rng.uniform(-0.3, 0.3)
        rise = 0.35 + 0.75 * share
        heading = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
        reach = spread * (1.1 - 0.6 * share) * rng.uniform(0.75, 1.0)
        twig, path = stem(place, heading, reach, 0.006, 0.7)
        parts.append(twig)
        for k in range(3, len(path)):
            for sign in (-1.0, 1.0):
                angle = turn + sign * rng.uniform(0.5, 1.2)
                tilt = rng.uniform(-0.1, 0.45)
                size = leaf_size * rng.uniform(0.75, 1.05)
                aim = np.array(
                    [np.cos(angle) * np.cos(tilt), np.sin(angle) * np.cos(tilt), np.sin(tilt)]
                )
                blade = leaf(size, leaf_shape * size, rng.uniform(0.4, 0.9), fold=0.15, rows=6)
                parts.append(aimed(blade, aim, path[k], rng.uniform(-0.3, 0.3)))
    return parts


def pot(radius: float, height: float, style: str = "tapered", slot: str = "ceramic") -> list[Mesh]:
    """A planter standing on z = 0 with a rim and soil; styles tapered, bowl, cylinder, urn."""
    foot, belly = {
        "tapered": (0.68, 0.86),
        "bowl": (0.55, 0.98),
        "cylinder": (0.97, 1.0),
        "urn": (0.5, 1.08),
    }[style]
    wall = 0.09 * radius
    outside = [(0.0, 0.0), (foot * radius * 0.95, 0.0), (foot * radius, 0.02 * height)]
    for share in np.linspace(0.1, 1, 9):
        mix = np.sin(share * np.pi / 2) if style in ("bowl", "urn") else share
        width = foot + (belly - foot) * mix if style == "urn" else foot + (1 - foot) * mix
        if style == "urn":
            width -= 0.12 * np.sin(np.pi * share) ** 8
        outside.append((width * radius, share * height))
    top = outside[-1][0]
    rim = [
        (top + 0.25 * wall, height),
        (top, height + 0.5 * wall),
        (top - wall, height + 0.4 * wall),
    ]
    inside = [(top - wall, height * 0.86), (0.0, height * 0.86)]
    shell = lathe([*outside, *rim, *inside[:1]], segments=28, slot=slot, crease=50)
    soil = lathe(
        [(top - 0.6 * wall, height * 0.84), (0.5 * top, height * 0.90), (0.0, height * 0.91)],
        segments=20,
        slot="soil",
        crease=80,
    )
    return [shell, soil]
