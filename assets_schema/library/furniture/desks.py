"""Desks and dressing tables."""

from __future__ import annotations

import numpy as np

from ..arrange import along, both, placed
from ..mesh import Mesh
from ..solids import arch, box, ellipse, rounded_rectangle, slab
from ..turned import sphere, tube
from .chairs import stool
from .fronts import carcass, front
from .legs import corner_legs
from .ornaments import books, stack_of_books, vase
from .tables import top

HIGH, WIDE, DEEP = 0.74, 1.4, 0.66  # of a desk, metres


def desk(style: str) -> list[Mesh]:
    """Styles: pedestal (drawers one side), trestle, secretary (with hutch), simple."""
    rng = np.random.default_rng(11)
    board = top(WIDE, DEEP, HIGH, 0.028, 0.012)
    if style == "trestle":
        legs = [
            tube([(0.5 + s * 0.14, y, 0), (0.5, y, HIGH - 0.03)], 0.016, 10, "wood")
            for s in (-1, 1)
            for y in (-0.26, 0.26)
        ]
        spread = 0.14 * (1 - 0.3 / (HIGH - 0.03))
        rung = tube([(0.5, -0.26, 0.3), (0.5, 0.26, 0.3)], 0.011, 8, "wood")
        rungs = along(rung, (-spread, 0, 0), (spread, 0, 0))
        return [board, *both(*legs, *rungs), *stack_of_books(rng, 4, -0.45, 0.12, HIGH)]
    if style == "simple":
        return [
            board,
            *corner_legs(
                WIDE, DEEP, HIGH - 0.02, style="taper", thick=0.05, inset=0.02, slot="metal"
            ),
            *carcass(0.9, 0.5, 0.11, HIGH - 0.14, thick=0.014),
            *both(*front(0.43, 0.09, (0.22, -0.25, HIGH - 0.085), grip="knob")),
        ]
    x, deep, tall = WIDE / 2 - 0.22, DEEP - 0.06, HIGH - 0.09
    legs = corner_legs(WIDE, DEEP, HIGH - 0.02, inset=0.0)
    parts = [
        board,
        *placed(carcass(0.42, deep, tall, 0.06), (x, 0, 0)),
        *(leg for leg in legs if leg.bounds[1][0] < 0),
        box((0.36, DEEP - 0.14, 0.06), (x, 0, 0.03), 0.004, slot="metal"),
        box((WIDE - 0.5, 0.018, 0.28), (-0.2, DEEP / 2 - 0.08, HIGH - 0.17), 0.003),
    ]
    for share, high in ((0.13, 0.145), (0.38, 0.145), (0.72, 0.29)):
        parts += front(0.40, high, (x, -deep / 2, HIGH - 0.03 - share * tall))
    if style == "secretary":
        hutch = carcass(WIDE, 0.26, 0.42, HIGH, shelves=(0.5,), uprights=(-0.2, 0.2))
        parts += placed(hutch, (0, DEEP / 2 - 0.13, 0))
        parts += books(rng, 0.34, 0.18, 0.2, -0.66, DEEP / 2 - 0.14, HIGH + 0.02)
        parts += books(rng, 0.34, 0.17, 0.2, 0.3, DEEP / 2 - 0.14, HIGH + 0.22)
    return parts


def dressing_table(style: str) -> list[Mesh]:
    """A vanity with drawers, a mirror and a stool; styles round, arch, wide."""
    width, depth, high = (1.2 if style == "wide" else 0.9), 0.42, 0.75
    half = (width - 0.08) / 2
    outline, centre = {
        "round": (ellipse(0.56, 0.56, 48), high + 0.36),
        "arch": (arch(0.52, 0.72), high + 0.42),
        "wide": (rounded_rectangle(0.95, 0.62, 0.06), high + 0.37),
    }[style]
    frame = slab(outline * 1.06, 0.022, 0, 0.008).turned(90, "x")
    glass = slab(outline, 0.006, 0, 0.001, "mirror").turned(90, "x")
    y = depth / 2 - 0.03
    drawer = (half / 2, -(depth - 0.03) / 2, high - 0.10)
    x = width * 0.36
    return [
        top(width, depth, high, 0.022),
        *carcass(width - 0.06, depth - 0.03, 0.16, high - 0.18, thick=0.016, uprights=(0.0,)),
        *both(*front(half - 0.01, 0.13, drawer, grip="knob")),
        *corner_legs(
            width - 0.03, depth - 0.02, high - 0.18, style="taper", thick=0.045, inset=0.01
        ),
        frame.moved(0, depth / 2 - 0.02, centre),
        glass.moved(0, depth / 2 - 0.04, centre),
        *both(tube([(0.12, y, high - 0.02), (0.12, y, centre - 0.15)], 0.009, 8)),
        vase(0.09, 0.025, (x, 0.08, high), "bottle", "glass"),
        vase(0.06, 0.03, (width * 0.28, 0.0, high), "cup"),
        sphere(0.02, (x, 0.08, high + 0.1)),
        *placed([part.scaled(0.95, 0.95, 0.95) for part in stool("bench")], (0, -0.34, 0)),
    ]
