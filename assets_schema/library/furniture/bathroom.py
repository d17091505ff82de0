"""Bathroom fixtures: toilets, bathtubs and showers."""

from __future__ import annotations

import numpy as np

from ..arrange import both, corners, placed
from ..mesh import Mesh
from ..soft import curtain, sheet
from ..solids import box, ellipse, panel, rounded_rectangle, slab
from ..turned import cylinder, smooth, sphere, tube
from .basins import faucet, loft
from .fronts import handle
from .profiles import turned


def toilet(style: str) -> list[Mesh]:
    """Toilets: close_coupled, wall (hung on a boxed-in cistern), round (lid down)."""
    seat = ellipse(0.36, 0.46, 44)
    seat[:, 1] = np.where(seat[:, 1] > 0, seat[:, 1] * 0.8, seat[:, 1])
    hung = style == "wall"
    low, foot = (0.17, 0.35) if hung else (0.0, 0.58)
    outside = [
        (foot, low, 0.03),
        (0.60, low + 0.03, 0.03),
        (0.66, 0.24, 0.02),
        (0.9, 0.33),
        (1.0, 0.385),
    ]
    inside = [(0.86, 0.398), (0.78, 0.37), (0.5, 0.26), (0.2, 0.22)]
    outside = smooth([(*each, 0.0)[:3] for each in outside], 3).tolist()
    ring = np.column_stack([seat * 0.9, np.full(len(seat), 0.408)])
    lid = slab(seat * 0.98, 0.022, 0, 0.01, "seat")
    closed = style == "round"
    parts = [
        loft(seat, [*outside, (1.0, 0.395), *smooth(inside, 3)], "ceramic"),
        tube(ring, 0.024, 10, "seat", closed=True, flat=1.6),
        lid.moved(z=0.425) if closed else lid.turned(80, "x").moved(0, 0.20, 0.64),
        box((0.26, 0.1, 0.03), (0, 0.19, 0.40), 0.01, slot="ceramic"),
    ]
    if hung:
        return [
            *parts,
            box((0.25, 0.1, 0.16), (0, 0.20, 0.29), 0.02, 3, "ceramic"),
            box((0.58, 0.16, 1.14), (0, 0.31, 0.57), 0.006, slot="wood"),
            box((0.60, 0.18, 0.025), (0, 0.305, 1.15), 0.006, slot="wood_top"),
            box((0.25, 0.012, 0.16), (0, 0.226, 0.98), 0.006, slot="metal"),
            *both(box((0.105, 0.008, 0.12), (0.058, 0.218, 0.98), 0.003, slot="metal")),
        ]
    return [
        *parts,
        box((0.38, 0.16, 0.36), (0, 0.30, 0.58), 0.03, 4, "ceramic"),
        box((0.40, 0.18, 0.03), (0, 0.30, 0.775), 0.012, 3, "ceramic"),
        cylinder(0.025, 0.012, (0, 0.30, 0.788)),
        box((0.24, 0.2, 0.40), (0, 0.25, 0.2), 0.03, 3, "ceramic"),
    ]


def tub(style: str) -> list[Mesh]:
    """Bathtubs: built_in, freestanding, clawfoot."""
    if style == "built_in":
        outline, share = rounded_rectangle(1.7, 0.75, 0.1, 8), 0.905
        outside: np.ndarray = np.array([(1.0, 0.0), (1.0, 0.565)])
    else:
        outline, share = ellipse(1.65, 0.78, 64), 0.91
        low = 0.13 if style == "clawfoot" else 0.0
        outside = smooth(
            [(0.70, low), (0.76, low + 0.05), (0.86, 0.33), (0.95, 0.52), (1.0, 0.565)], 4
        )
    deep = [(1.0, 0.58), (0.97, 0.55), (0.84, 0.25), (0.66, 0.165), (0.3, 0.16)]
    inside = smooth([(share * inset, z) for inset, z in deep], 4)
    parts = [loft(outline, [*outside, (1.0, 0.58), *inside], "ceramic")]
    if style == "clawfoot":
        claw = [(0.5, 0.22, 0.04), (0.52, 0.235, 0.10), (0.49, 0.20, 0.19)]
        leg = smooth(claw)
        thick = np.linspace(0.022, 0.042, len(leg))
        parts += corners(sphere(0.04, claw[0]), tube(leg, thick, 12))
    return [*parts, *faucet(0.0, 0.345 if style == "built_in" else 0.37, 0.575, 0.16, 0.17)]


def shower(style: str) -> list[Mesh]:
    """Shower sets on a wall: rain, rail, bath (with mixer)."""
    hose = [
        (0, -0.02, 0.62),
        (0.06, -0.03, 0.40),
        (0.12, -0.03, 0.12),
        (0.06, -0.03, -0.12),
        (0, -0.02, -0.05),
    ]
    parts = [
        tube([(0, 0, 0.0), (0, 0, 1.05)], 0.010, 12),
        *(tube([(0, 0, z), (0, 0.05, z)], 0.012) for z in (0.06, 0.98)),
        turned("shower_hand", "metal", corner=50).turned(-60, "x").moved(0, -0.075, 0.80),
        tube([(0, -0.05, 0.79), (0, -0.02, 0.62)], 0.011),
        tube(smooth(hose, 8), 0.007, 8),
        tube([(-0.13, -0.02, -0.05), (0.13, -0.02, -0.05)], 0.021, 14),
        *both(sphere(0.027, (0.14, -0.02, -0.05))),
    ]
    if style == "rain":
        arm = [(0, 0, 1.05), (0, -0.03, 1.12), (0, -0.3, 1.14), (0, -0.36, 1.12)]
        head = turned("shower_rain", "metal", (0, -0.36, 1.085), segments=36, corner=50)
        parts += [tube(smooth(arm), 0.010, 12), head]
    elif style == "bath":
        spout = [(0, -0.02, -0.05), (0, -0.14, -0.06), (0, -0.16, -0.10)]
        parts.append(tube(smooth(spout), 0.014))
    return parts


SIDE, HIGH = 0.9, 2.05  # of a shower cabin, metres


def shower_room(style: str) -> list[Mesh]:
    """Shower cabins with two closed sides: square, quadrant (rounded), curtain."""
    half = SIDE / 2
    make = {"square": _square_cabin, "quadrant": _quadrant_cabin, "curtain": _curtain_cabin}[style]
    middle, tall = HIGH / 2 + 0.035, HIGH - 0.03
    return [
        *make(half),
        box((SIDE, 0.012, tall), (0, half - 0.006, middle), 0.002, slot="ceramic"),
        box((0.012, SIDE, tall), (0.006 - half, 0, middle), 0.002, slot="ceramic"),
        cylinder(0.045, 0.005, (0, 0, 0.07)),
        *placed(shower("rail"), (-0.1, half - 0.06, 0.9)),
    ]


def _square_cabin(half: float) -> list[Mesh]:
    edge, middle = half - 0.012, HIGH / 2 + 0.04
    post = (0.022, 0.022, HIGH - 0.06)
    pane = (0.007, SIDE - 0.02, HIGH - 0.08)
    return [
        slab(rounded_rectangle(SIDE, SIDE, 0.05), 0.07, 0, 0.015, "ceramic"),
        panel(SIDE - 0.02, HIGH - 0.08, (0, 0.01 - half, middle), 0.007, "glass"),
        box(pane, (half - 0.01, 0, middle), 0.001, 1, "glass"),
        *(
            box(post, (x, y, middle), 0.003, slot="metal")
            for x, y in ((-edge, -edge), (edge, -edge), (edge, edge))
        ),
        box((SIDE, 0.024, 0.024), (0, -edge, HIGH + 0.01), 0.003, slot="metal"),
        box((0.024, SIDE, 0.024), (edge, 0, HIGH + 0.01), 0.003, slot="metal"),
        *handle("bar", (-0.05, 0.005 - half, 1.05), 0.3, upright=True),
    ]


def _quadrant_cabin(half: float) -> list[Mesh]:
    t = np.linspace(0, np.pi / 2, 14)
    arc = np.column_stack([-half + 0.35 + 0.55 * np.sin(t), half - 0.35 - 0.55 * np.cos(t)])
    tray = np.concatenate([[(-half, half), (-half, -half)], arc, [(half, half)]])
    edge = half - 0.01
    line = np.concatenate([[(-edge, -edge)], arc * 0.985, [(edge, edge)]])
    low, high = (np.column_stack([line, np.full(len(line), z)]) for z in (0.08, HIGH))
    grid = np.stack([low, high])
    return [
        slab(tray, 0.07, 0, 0.015, "ceramic"),
        *(tube(rail, 0.012, 8) for rail in (low, high)),
        sheet(grid, grid[..., [0, 2]], "glass", 0.006),
    ]


def _curtain_cabin(half: float) -> list[Mesh]:
    rod = [(-half, -half, HIGH), (half, -half, HIGH), (half, half, HIGH)]
    return [
        slab(rounded_rectangle(SIDE, SIDE, 0.05), 0.07, 0, 0.015, "ceramic"),
        tube(rod, 0.012),
        curtain(0.62, HIGH - 0.12, 6, 0.07, seed=4).moved(-0.13, -half, 0.1),
        curtain(0.5, HIGH - 0.12, 5, 0.07, seed=5).turned(90).moved(half, 0.15, 0.1),
    ]
