"""Tables: coffee, side and dining tables, alone and with chairs around them."""

from __future__ import annotations

import numpy as np

from ..arrange import around, both, placed
from ..mesh import Mesh
from ..solids import box, ellipse, rounded_rectangle, slab
from ..turned import cylinder, smooth, tube
from .chairs import dining_chair
from .fronts import carcass, front
from .legs import corner_legs, slanted_leg
from .ornaments import stack_of_books, vase
from .profiles import turned

HIGH = 0.75  # of a dining table, metres


def top(
    width: float, depth: float, height: float, thick: float = 0.03, corner: float = 0.02
) -> Mesh:
    """A table top whose upper side is at `height`."""
    outline = rounded_rectangle(width, depth, corner)
    return slab(outline, thick, height - thick, min(0.008, thick / 3), "wood_top")


def coffee_table(style: str) -> list[Mesh]:
    """Styles: shelf, round, drawer, block."""
    rng = np.random.default_rng(5)
    if style == "round":
        return [
            slab(ellipse(0.84, 0.84), 0.028, 0.38, 0.01, "wood_top"),
            *around(3, slanted_leg(0.36, 0.24, 0.385, (0.014, 0.022)), start=29),
            vase(0.22, 0.07, (0.12, 0.1, 0.408)),
            *stack_of_books(rng, 2, -0.12, -0.05, 0.408),
        ]
    if style == "block":
        return [
            slab(rounded_rectangle(1.1, 0.62, 0.12), 0.04, 0.30, 0.012, "wood_top"),
            *both(cylinder(0.17, 0.30, (0.3, 0, 0), 0.01, 32, "wood")),
            vase(0.13, 0.10, (0.25, 0.05, 0.34), "cup"),
        ]
    parts = [top(1.15, 0.6, 0.42)]
    if style == "drawer":
        return [
            *parts,
            *carcass(1.09, 0.56, 0.15, 0.24, uprights=(0.0,)),
            *both(*front(0.52, 0.125, (0.263, -0.28, 0.315), grip="knob")),
            *corner_legs(1.1, 0.56, 0.25, style="taper", thick=0.05, inset=0.02),
            *stack_of_books(rng, 3, -0.25, 0, 0.42),
        ]
    return [
        *parts,
        *corner_legs(1.15, 0.6, 0.395, thick=0.045, slot="metal", inset=0.01),
        box((1.06, 0.51, 0.02), (0, 0, 0.12), 0.004),
        *(box((1.06, 0.02, 0.03), (0, y, 0.375), 0.003, slot="metal") for y in (-0.26, 0.26)),
        *stack_of_books(rng, 3, 0.25, 0.02, 0.13),
        *stack_of_books(rng, 2, -0.2, 0, 0.42),
        vase(0.16, 0.06, (0.22, 0.08, 0.42), "bottle"),
    ]


def side_table(style: str) -> list[Mesh]:
    """Styles: tray, pedestal, cube, hairpin."""
    if style == "tray":
        legs = around(3, tube([(0.2, 0, 0), (0.13, 0, 0.5)], 0.011, 10, "wood"))
        return [turned("tray", "metal", segments=36, corner=50), *legs]
    if style == "pedestal":
        column = turned("column_side_table", "wood", corner=50)
        return [slab(ellipse(0.46, 0.46), 0.025, 0.53, 0.01, "wood_top"), column]
    if style == "cube":
        return [
            *carcass(0.45, 0.42, 0.48, 0.03, shelves=(0.45,)),
            top(0.46, 0.43, 0.53, 0.022),
            *corner_legs(0.44, 0.41, 0.04, thick=0.04),
            *stack_of_books(np.random.default_rng(2), 3, 0, 0, 0.255),
        ]
    legs = corner_legs(0.5, 0.4, 0.495, style="hairpin", slot="metal", thick=0.012, inset=0.05)
    return [top(0.5, 0.4, 0.52, 0.028, 0.06), *legs]


def dining_table(style: str) -> list[Mesh]:
    """Styles: farm, trestle, round, pedestal (oval), modern."""
    width, depth = 1.7, 0.9
    if style == "round":
        bend = smooth([(0.05, 0, 0.16), (0.25, 0, 0.09), (0.40, 0, 0.028)])
        foot = tube(bend, np.linspace(0.042, 0.026, len(bend)), 12, "wood")
        return [
            slab(ellipse(1.15, 1.15, 56), 0.032, HIGH - 0.032, 0.012, "wood_top"),
            turned("column_dining", "wood", corner=50),
            *around(4, foot, start=45),
        ]
    if style == "pedestal":
        column = turned("column_tulip", "metal", segments=36, corner=60)
        oval = ellipse(width, depth + 0.1, 64)
        return [slab(oval, 0.03, HIGH - 0.03, 0.012, "wood_top"), column.scaled(1.25, 1, 1)]
    if style == "trestle":
        x = width / 2 - 0.28
        stilts = [
            tube([(x + 0.05, y, 0.0), (x, y * 0.35, HIGH - 0.05)], 0.026, 12, "wood")
            for y in (-0.36, 0.36)
        ]
        return [
            top(width, depth, HIGH, 0.03, 0.05),
            *both(
                *stilts,
                box((0.06, 0.66, 0.045), (x, 0, HIGH - 0.055), 0.006, grain=1),
                box((0.045, 0.48, 0.045), (x + 0.025, 0, 0.36), 0.006, grain=1),
            ),
            box((width - 0.56, 0.035, 0.07), (0, 0, 0.36), 0.006),
        ]
    legs, thick, board = (
        ("turned", 0.085, (0.036, 0.015)) if style == "farm" else ("taper", 0.06, (0.03, 0.05))
    )
    x, y, z = width / 2 - 0.075, depth / 2 - 0.075, HIGH - 0.08
    return [
        top(width, depth, HIGH, *board),
        *corner_legs(width, depth, HIGH - 0.03, style=legs, thick=thick),
        *(box((width - 0.26, 0.022, 0.09), (0, s * y, z), 0.004) for s in (-1, 1)),
        *both(box((0.022, depth - 0.26, 0.09), (x, 0, z), 0.004)),
    ]


def dining_set(table: str, chair: str, seats: int) -> list[Mesh]:
    """A table with chairs pushed in, and plates with glasses on it."""
    parts = dining_table(table)
    seat = dining_chair(chair)
    if table == "round":
        parts += around(seats, *placed(seat, (0, -0.74, 0)))
        turn = np.arange(seats) * 2 * np.pi / seats
        settings = [(0.36 * np.sin(a), -0.36 * np.cos(a)) for a in turn]
    else:
        row = [float(x) for x in np.linspace(-1, 1, seats // 2) * (0.56 if seats > 4 else 0.4)]
        for x in row:
            parts += placed(seat, (x, -0.60, 0)) + placed(seat, (x, 0.60, 0), 180)
        settings = [(x, y) for x in row for y in (-0.27, 0.27)]
    plate = turned("plate", "ceramic", (0, 0, 0.752), radius=0.116, height=0.018, corner=60)
    for x, y in settings:
        glass = (x + 0.14, y + 0.09 * np.sign(-y or 1), HIGH + 0.001)
        parts += [plate.moved(x, y), vase(0.11, 0.032, glass, "cup", "glass")]
    return [*parts, vase(0.24, 0.08, (0, 0, HIGH))]


def leisure_set(chair: str, table: str) -> list[Mesh]:
    """Two chairs that half face each other over a small table."""
    parts = [part.scaled(1.15, 1.15, 1.2) for part in side_table(table)]
    for side in (-1, 1):
        parts += placed(dining_chair(chair), (side * 0.66, 0, 0), side * 52)
    board = {"pedestal": 0.666, "tray": 0.6144, "hairpin": 0.624}[table]
    return [*parts, vase(0.10, 0.045, (0.05, 0.0, board), "cup")]
