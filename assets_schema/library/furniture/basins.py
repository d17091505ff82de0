"""Basins with their taps: wash basins, kitchen sinks, and cabinets that carry them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrange import along, both, placed
from ..mesh import Mesh, smooth_normals
from ..solids import box, ellipse, grid_faces, rounded_rectangle, tile_of
from ..turned import cylinder, smooth, tube
from .cabinets import cabinet
from .ornaments import vase
from .profiles import turned


def loft(outline: np.ndarray, sections: Sequence[Sequence[float]], slot: str) -> Mesh:
    """A skin over scaled outlines (n, 2), listed upwards outside then inwards, closed at the end.

    A section is (scale, z) or (scale, z, y): the outline's factor, height and shift, metres.
    """
    ring = np.concatenate([outline, outline[:1]])
    rows = [(*section, 0.0)[:3] for section in sections]
    grid = np.stack(
        [np.column_stack([ring * s + (0.0, y), np.full(len(ring), z)]) for s, z, y in rows]
    )
    points, faces = grid.reshape(-1, 3), grid_faces(*grid.shape[:2])[:, ::-1]
    last = np.arange(len(ring)) + len(points) - len(ring)
    hub = np.full(len(last) - 1, len(points))
    points = np.concatenate([points, grid[-1].mean(axis=0)[None]])
    faces = np.concatenate([faces, np.stack([hub, last[:-1], last[1:], last[1:]], axis=1)])
    around = np.linalg.norm(np.diff(grid.max(axis=0), axis=0), axis=1)
    u = np.concatenate([[0.0], np.cumsum(around)])
    climb = np.linalg.norm(np.diff(grid, axis=0), axis=2).mean(axis=1)
    v = np.concatenate([[0.0], np.cumsum(climb)])
    uv = np.stack(np.broadcast_arrays(u[None], v[:, None]), -1).reshape(-1, 2)
    uv = np.concatenate([uv, [[u[-1] / 2, v[-1] + 0.1]]]) / tile_of(slot)
    return Mesh(points, faces, smooth_normals(points, faces), uv, slot)


def bowl(
    outline: np.ndarray, rim: float, depth: float, wall: float = 0.05, slot: str = "ceramic"
) -> list[Mesh]:
    """A basin: outside, rim and inside of an outline, the rim at height `rim`."""
    outside = [(0.62, rim - depth - 0.02), (0.80, rim - 0.7 * depth), (0.97, rim - 0.02)]
    lip = [(1.0, rim - 0.006), (0.985, rim)]
    shares = ((1.0, 0.0), (1.4, 0.08), (3.2, 0.55), (6.0, 0.9), (10.0, 1.0))
    inside = [(1 - wall * inset, rim - depth * share) for inset, share in shares]
    sections = [*smooth(outside, 3), *lip, *smooth(inside, 3)]
    return [loft(outline, sections, slot), cylinder(0.022, 0.006, (0, 0, rim - depth))]


def faucet(x: float, y: float, z: float, reach: float = 0.13, high: float = 0.16) -> list[Mesh]:
    """A mixer tap that reaches towards -y."""
    shares = [(0, 0), (0, 0.62), (0.22, 0.95), (0.6, 1), (0.93, 0.9), (1, 0.72)]
    neck = [(0, -reach * out, high * up) for out, up in shares]
    parts = [
        tube(smooth(neck, 5), 0.012, 14),
        cylinder(0.024, 0.012),
        tube([(0, 0, high * 0.5), (0.055, 0.01, high * 0.6)], 0.007, 8),
    ]
    return placed(parts, (x, y, z))


def hand_sink(style: str) -> list[Mesh]:
    """Wash basins: pedestal, wall (carried by two legs in front), vessel (bowl on a stand)."""
    if style == "vessel":
        return [
            *bowl(ellipse(0.42, 0.36, 40), 0.97, 0.13),
            box((0.8, 0.46, 0.05), (0, 0, 0.80), 0.006),
            *both(box((0.04, 0.40, 0.78), (0.36, 0, 0.39), grain=2)),
            box((0.68, 0.38, 0.02), (0, 0, 0.3)),
            *faucet(0, 0.2, 0.825, 0.16, 0.26),
        ]
    if style == "pedestal":
        column = turned("column_basin", "ceramic", corner=70)
        return [*bowl(ellipse(0.56, 0.44, 40), 0.85, 0.14), *faucet(0, 0.17, 0.845), column]
    trap = [(0, 0.02, 0.70), (0, 0.02, 0.58), (0, 0.05, 0.53), (0, 0.10, 0.52), (0, 0.2, 0.52)]
    x, y, z = 0.21, -0.145, 0.75
    return [
        *bowl(rounded_rectangle(0.58, 0.42, 0.09), 0.85, 0.14),
        *faucet(0, 0.17, 0.845),
        tube(smooth(trap), 0.018, 12),
        *both(
            tube([(x, y, 0), (x, y, z)], 0.012, 12),
            tube([(x, y, z - 0.12), (x, 0.2, z - 0.12)], 0.010),
        ),
        tube([(-x, y, z - 0.12), (x, y, z - 0.12)], 0.010),
    ]


def sink(style: str) -> list[Mesh]:
    """Kitchen sinks set into a counter: single, double, drainer."""
    wide, bowls = {
        "single": (0.56, [(0.0, 0.46)]),
        "double": (0.82, [(-0.2, 0.36), (0.2, 0.36)]),
        "drainer": (0.9, [(-0.2, 0.42)]),
    }[style]
    slot = "metal_basin"
    rim = [(-wide / 2, wide / 2, -0.24, -0.225), (-wide / 2, wide / 2, 0.165, 0.24)]
    edges = [-wide / 2, *(x + s * (w / 2 + 0.01) for x, w in bowls for s in (-1, 1)), wide / 2]
    rim += [
        (a, b, -0.24, 0.18) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.005
    ]
    parts = [
        box((x1 - x0, y1 - y0, 0.008), ((x0 + x1) / 2, (y0 + y1) / 2, 0.2), 0.003, 1, slot)
        for x0, x1, y0, y1 in rim
    ]
    for x, w in bowls:
        basin = bowl(rounded_rectangle(w + 0.03, 0.40, 0.05), 0.20, 0.18, 0.04, slot)
        parts += placed(basin, (x, -0.03, 0))
    if style == "drainer":
        rib = tube([(0.12, -0.2, 0.206), (0.12, 0.13, 0.208)], 0.005, 6, slot)
        parts += along(rib, *((0.045 * k, 0, 0) for k in range(7)))
    return [*parts, *faucet(0, 0.2, 0.204, 0.2, 0.30)]


def bathroom_cabinet(style: str) -> list[Mesh]:
    """Vanity units: single (basin on drawers), double, mirror (wall cabinet)."""
    if style == "mirror":
        return [
            box((0.8, 0.14, 0.7), (0, 0, 0.35), 0.006),
            *both(box((0.395, 0.008, 0.69), (0.2, -0.073, 0.35), 0.002, slot="mirror")),
            box((0.7, 0.05, 0.03), (0, -0.06, 0.714), 0.008, slot="metal"),
        ]
    wide, columns, places = (1.3, 2, (-0.32, 0.32)) if style == "double" else (0.8, 1, (0.0,))
    rows = [(0.5, "drawer"), (0.5, "drawer")]
    parts = cabinet(wide, 0.46, 0.78, columns, rows, legs="none", lift=0.18, top=False)
    parts.append(box((wide + 0.02, 0.48, 0.03), (0, 0, 0.795), 0.006, slot="wood_top"))
    for x in places:
        parts += placed(bowl(rounded_rectangle(0.46, 0.34, 0.1), 0.93, 0.10), (x, -0.02, 0))
        parts += faucet(x, 0.19, 0.81, 0.15, 0.2)
    return parts


def washing_cabinet(style: str) -> list[Mesh]:
    """Laundry units with a tub sink let into the top: doors, open, wide."""
    wide, x = (1.2, -0.25) if style == "wide" else (0.8, 0.0)
    filling = "open" if style == "open" else "pair"
    tub = bowl(rounded_rectangle(0.52, 0.42, 0.07), 0.845, 0.2)
    body = cabinet(wide, 0.55, 0.8, 1, [(1.0, filling)], style="slatted", grip="knob", top=False)
    return [
        *(
            part for part in body if part.bounds[0][2] < 0.77
        ),  # the tub takes the upper board's room
        *_counter(wide + 0.02, 0.57, 0.835, (x - 0.25, x + 0.25, -0.22, 0.18)),
        *placed(tub, (x, -0.02, 0)),
        *faucet(x, 0.23, 0.835, 0.2, 0.28),
        vase(0.18, 0.04, (wide * 0.4, 0.1, 0.835), "bottle"),
    ]


def _counter(
    width: float, depth: float, top: float, hole: tuple[float, float, float, float]
) -> list[Mesh]:
    """A worktop with its upper side at `top` around a hole (x0, x1, y0, y1)."""
    x0, x1, y0, y1 = hole
    x, y, thick = width / 2, depth / 2, 0.035
    pieces = ((-x, x0, -y, y), (x1, x, -y, y), (x0, x1, -y, y0), (x0, x1, y1, y))
    return [
        box(
            (b - a, d - c, thick),
            ((a + b) / 2, (c + d) / 2, top - thick / 2),
            slot="wood_top",
            grain=0,
        )
        for a, b, c, d in pieces
    ]
