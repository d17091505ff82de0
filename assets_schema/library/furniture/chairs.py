"""Chairs and stools: dining chairs, bar chairs, stools, poufs."""

from __future__ import annotations

import numpy as np

from ..arrange import around, both
from ..mesh import Mesh
from ..soft import cushion, sheet
from ..solids import box, ellipse, rounded_rectangle, slab
from ..turned import cylinder, hoop, smooth, tube
from .legs import bent, corner_legs, slanted_leg

SEAT = 0.455


def dining_chair(style: str) -> list[Mesh]:
    """A straight chair: spindle back, upholstered, ladder back, bent metal, wishbone."""
    if style == "metal":
        return _metal_chair()
    if style == "upholstered":
        rest = cushion((0.46, 0.50, 0.085), crown=0.015, radius=0.035, seed=3).turned(80, "x")
        return [
            cushion((0.48, 0.46, 0.11), (0, -0.01, SEAT - 0.03), 0.022, 0.04, seed=2),
            box((0.45, 0.43, 0.05), (0, -0.01, SEAT - 0.085), 0.012, slot="fabric"),
            rest.moved(0, 0.215, SEAT + 0.25),
            *corner_legs(
                0.46, 0.46, SEAT - 0.1, style="splay", thick=0.036, inset=0.02, splay=0.07
            ),
        ]
    if style == "wishbone":
        pad = cushion((0.50, 0.46, 0.05), (0, -0.01, SEAT - 0.02), 0.012, 0.02, seed=4)
        return [pad, *_chair_frame(0.72), *_wishbone_back()]
    outline = rounded_rectangle(0.44, 0.42, 0.06)
    outline[:, 0] *= 1 - 0.12 * (outline[:, 1] / 0.42 + 0.5)
    return [slab(outline, 0.032, SEAT - 0.032, 0.012), *_chair_frame(0.90), *_back(style)]


LEAN = 0.085  # of a back, metres from seat to top


def _chair_frame(top: float) -> list[Mesh]:
    hip, knee = (0.178, 0.185, SEAT + 0.05), (0.18, 0.175, SEAT * 0.75)
    post = [(0.195, 0.22, 0), knee, hip, (0.19, 0.19 + LEAN, top)]
    front = [(0.20, -0.19, 0), (0.195, -0.175, SEAT - 0.01)]
    return [
        *both(
            tube(front, [0.014, 0.019], 12, "wood"),
            bent(post, [0.014, 0.018, 0.017, 0.012]),
            tube([(0.197, -0.18, 0.2), (0.187, 0.2, 0.17)], 0.010, 8, "wood"),
        ),
        tube([(-0.197, -0.18, 0.26), (0.197, -0.18, 0.26)], 0.010, 8, "wood"),
    ]


def _back(style: str) -> list[Mesh]:
    """The top rail with spindles or, as a ladder, with three slats."""
    top, arc = 0.90, np.linspace(-1, 1, 9)
    rail = np.column_stack([0.19 * arc, 0.19 + LEAN + 0.03 * (1 - arc**2), np.full(9, top - 0.03)])
    parts = [tube(rail, 0.032, 12, "wood", flat=0.42)]
    if style == "spindle":
        for share in (-0.66, -0.33, 0.0, 0.33, 0.66):
            end = 0.215 + LEAN * 0.95 + 0.02 * (1 - share**2)
            line = [
                (0.17 * share, 0.18, SEAT - 0.01),
                (0.18 * share, 0.20 + LEAN * 0.5, 0.66),
                (0.185 * share, end, top - 0.03),
            ]
            parts.append(tube(line, [0.007, 0.009, 0.006], 8, "wood"))
        return parts
    for z in (0.56, 0.68, 0.79):
        y = 0.19 + LEAN * (z - SEAT) / (top - SEAT)
        slat = np.column_stack([0.18 * arc, y + 0.02 * (1 - arc**2), np.full(9, z)])
        parts.append(tube(slat, 0.026, 10, "wood", flat=0.35))
    return parts


def _wishbone_back() -> list[Mesh]:
    t = np.linspace(-0.35, np.pi + 0.35, 19)
    rail = np.column_stack([0.275 * np.cos(t), 0.255 * np.sin(t), 0.70 + 0.03 * np.sin(t)])
    fork = smooth([(0, 0.235, 0.53), (0.06, 0.25, 0.66), (0.09, 0.25, 0.715)])
    return [
        tube(rail, 0.017, 12, "wood"),
        tube([(0, 0.215, SEAT), (0, 0.235, 0.54)], 0.012, 8, "wood", flat=0.6),
        *both(tube(fork, 0.012, 8, "wood", flat=0.6)),
    ]


def _metal_chair() -> list[Mesh]:
    x = 0.19
    bend = [
        (x * 1.08, -0.20, 0.0),
        (x, -0.18, 0.43),
        (x, 0.12, 0.435),
        (x, 0.18, 0.47),
        (x, 0.21, 0.62),
        (x, 0.24, 0.82),
    ]
    back = slab(rounded_rectangle(0.42, 0.17, 0.06), 0.016, 0, 0.006).turned(80, "x")
    return [
        slab(rounded_rectangle(0.42, 0.42, 0.09), 0.022, SEAT - 0.02, 0.008),
        *both(tube(bend, 0.010), tube([(x * 1.08, 0.21, 0.0), (x, 0.14, 0.43)], 0.010)),
        back.moved(0, 0.235, 0.74),
    ]


def bar_chair(style: str) -> list[Mesh]:
    """A high seat at a counter: round (pedestal), back (four legs and a low back), saddle."""
    seat = 0.74
    if style == "round":
        return [
            slab(ellipse(0.37, 0.37), 0.05, seat - 0.055, 0.02, "fabric"),
            slab(ellipse(0.38, 0.38), 0.045, seat - 0.01, 0.022, "fabric"),
            cylinder(0.028, seat - 0.06, (0, 0, 0.02)),
            cylinder(0.21, 0.022, (0, 0, 0), 0.01, 32),
            hoop(0.14, 0.009, (0, 0, 0.30)),
            tube([(-0.14, 0, 0.30), (0.14, 0, 0.30)], 0.008, 8),
        ]
    splay, top = 0.12, seat - 0.02
    parts = corner_legs(0.36, 0.36, top, style="splay", thick=0.036, inset=0.05, splay=splay)

    def reach(z: float) -> float:
        """How far from the axis the legs stand at height z."""
        return 0.112 + splay * (top - z)

    low, high = reach(0.26), reach(0.32)
    parts += [tube([(-low, y, 0.26), (low, y, 0.26)], 0.010, 8) for y in (-low, low)]
    parts += both(tube([(high, -high, 0.32), (high, high, 0.32)], 0.010, 8, "wood"))
    if style == "saddle":
        return [*parts, slab(ellipse(0.42, 0.32), 0.045, seat - 0.02, 0.018)]
    arc = np.linspace(0.15, np.pi - 0.15, 11)
    rest = np.column_stack([0.21 * np.cos(arc), 0.20 * np.sin(arc), np.full(11, seat + 0.24)])
    return [
        *parts,
        cushion((0.40, 0.36, 0.07), (0, 0, seat), 0.015, 0.03, seed=6),
        tube(rest, 0.024, 10, "fabric", flat=1.4),
        *both(tube([(0.13, 0.12, seat), (0.1365, 0.155, seat + 0.23)], 0.009, 8)),
    ]


def stool(style: str) -> list[Mesh]:
    """A low stool: turned (four legs), pouf, bench, tripod."""
    if style == "pouf":
        return puff(0.5, 0.38)
    if style == "bench":
        return [
            cushion((0.48, 0.38, 0.09), (0, 0, 0.43), 0.02, 0.035, seed=8),
            box((0.45, 0.35, 0.05), (0, 0, 0.37), 0.006),
            *corner_legs(0.47, 0.37, 0.36, style="taper", thick=0.045, inset=0.01),
        ]
    legs = 3 if style == "tripod" else 4
    return [
        slab(ellipse(0.36, 0.36), 0.038, 0.42, 0.014),
        *around(legs, slanted_leg(0.19, 0.11, 0.43, (0.013, 0.019)), start=45),
        hoop(0.165, 0.008, (0, 0, 0.17)),
    ]


def puff(width: float, height: float, slot: str = "fabric", panels: int = 8) -> list[Mesh]:
    """A stuffed round cushion sewn of panels, with a button on top, standing on z = 0."""
    t = np.linspace(-np.pi / 2, np.pi / 2, 15)
    side = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.45
    level = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.75
    turn = np.linspace(0, 2 * np.pi, 8 * panels + 1)
    seam = 1 - 0.045 * np.exp(-((np.abs(np.sin(panels * turn / 2)) / 0.22) ** 2))
    radius = width / 2 * side[:, None] * seam
    z = (height / 2 * (1 + level))[:, None]
    grid = np.stack(np.broadcast_arrays(radius * np.cos(turn), radius * np.sin(turn), z), -1)
    arc = np.stack(np.broadcast_arrays(turn * width / 2, (t * width / 2)[:, None]), -1) / 0.35
    button = cylinder(0.06 * width, 0.02, (0, 0, height - 0.008), 0.008, 20, slot)
    return [sheet(grid[::-1], arc[::-1], slot), button]
