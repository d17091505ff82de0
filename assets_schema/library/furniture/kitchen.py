"""Kitchen and laundry machines: cookers, hobs, hoods, refrigerators, ovens, washing machines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrange import along, around, both, corners, placed
from ..mesh import Mesh, smooth_normals
from ..solids import box, rounded_rectangle, slab
from ..turned import cylinder, hoop, tube
from .fronts import button, handle
from .profiles import turned


def refrigerator(style: str) -> list[Mesh]:
    """Refrigerators: double (freezer below), side_by_side, retro (rounded)."""
    wide, deep, high = {
        "double": (0.6, 0.65, 1.85),
        "side_by_side": (0.91, 0.72, 1.78),
        "retro": (0.6, 0.66, 1.5),
    }[style]
    soft = 0.045 if style == "retro" else 0.012
    y = -deep / 2 + 0.03
    body = (wide, deep - 0.07, high - 0.04)
    parts = [
        box(body, (0, 0.035, high / 2 + 0.02), 0.054 if style == "retro" else 0.0072, 4, "body"),
        *corners(cylinder(0.02, 0.04, (wide * 0.42, deep * 0.38, 0), slot="plastic")),
    ]
    if style == "side_by_side":
        door = (wide / 2 - 0.004, 0.065, high - 0.06)
        return [
            *parts,
            *both(
                box(door, (wide / 4, y, high / 2 + 0.03), 0.012, 3, "body"),
                *handle("bar", (0.045, y - 0.032, high * 0.55), 0.8, upright=True),
            ),
            box((0.2, 0.01, 0.32), (-wide / 4, y - 0.03, 1.15), 0.004, slot="dark"),
        ]
    share, grips = (0.38, (-0.16, 0.2)) if style == "double" else (0.74, (-0.2, 0.13))
    split = share * high
    for low, top in ((0.04 * high, split), (split, high)):
        door = (wide, 0.065, top - low - 0.008)
        parts.append(box(door, (0, y, (low + top) / 2), soft, 4, "body"))
    for z in grips:
        parts += handle("bar", (-wide * 0.42, y - 0.033, split + z), 0.24, upright=True)
    if style == "retro":
        parts.append(box((0.14, 0.006, 0.025), (0.12, y - 0.033, 0.62 * high), 0.002, slot="metal"))
    return parts


def washing_machine(style: str) -> list[Mesh]:
    """Washing machines: front (porthole), stack (with dryer), top (lid)."""
    if style == "stack":
        return [*_porthole_machine(), *placed(_porthole_machine(), (0, 0, 0.86))]
    if style == "front":
        return _porthole_machine()
    return [
        box((0.58, 0.6, 0.88), (0, 0, 0.44), 0.02, 3, "body"),
        box((0.5, 0.42, 0.02), (0, -0.06, 0.885), 0.008, slot="dark"),
        box((0.56, 0.12, 0.09), (0, 0.23, 0.92), 0.02, 3, "plastic"),
        *both(button(0.028, 0.02, (0.18, 0.17, 0.925))),
        box((0.14, 0.004, 0.04), (0, 0.169, 0.93), 0.001, 1, "led"),
        *handle("bar", (0, -0.3, 0.84), 0.3),
    ]


def _porthole_machine() -> list[Mesh]:
    return [
        box((0.6, 0.58, 0.85), (0, 0, 0.425), 0.012, 3, "body"),
        hoop(0.185, 0.024, count=40).turned(90, "x").moved(0, -0.295, 0.40),
        turned("porthole", "dark", segments=32, corner=60).turned(90, "x").moved(0, -0.29, 0.40),
        box((0.56, 0.012, 0.09), (0, -0.288, 0.775), 0.004, slot="plastic"),
        button(0.032, 0.02, (0.06, -0.293, 0.775)),
        box((0.16, 0.006, 0.07), (-0.18, -0.296, 0.775), 0.003, slot="body"),
        box((0.09, 0.004, 0.035), (0.2, -0.295, 0.775), 0.002, 1, "led"),
    ]


def hob(width: float, depth: float, z: float, slot: str = "dark") -> list[Mesh]:
    """A glass plate at height z with four gas burners and their pan supports."""
    prong = tube([(0.02, 0, 0.033), (0.1, 0, 0.033), (0.1, 0, 0)], 0.005, 6, "iron")
    burner = [turned("burner", "metal", segments=24, corner=50), *around(4, prong, start=45)]
    places = [(sx * width * 0.25, y * depth, z + 0.012) for sx in (-1, 1) for y in (-0.22, 0.24)]
    return [
        slab(rounded_rectangle(width, depth, 0.02), 0.012, z, 0.003, slot),
        *(part for place in places for part in placed(burner, place)),
    ]


def _oven(x: float, z: float, wide: float, high: float, glass: float) -> list[Mesh]:
    """An oven door with its window and handle."""
    return [
        box((wide, 0.03, high), (x, -0.305, z), 0.01, slot="body"),
        box((wide - 0.1, 0.008, glass), (x, -0.322, z), 0.006, slot="dark"),
        *handle("bar", (x, -0.32, z + high / 2 - 0.03), wide * 0.85),
    ]


def stove(style: str) -> list[Mesh]:
    """Cookers: range (oven below), wide (two ovens), retro (high back)."""
    width, dials = (0.9, 6) if style == "wide" else (0.6, 5)
    ovens = [(-0.2, 0.42), (0.25, 0.36)] if style == "wide" else [(0.0, 0.5)]
    dial = button(0.021, 0.028, (0, -0.30, 0.785))
    parts = [
        box((width, 0.6, 0.86), (0, 0, 0.45), 0.008, slot="body"),
        box((width - 0.04, 0.5, 0.06), (0, 0.03, 0.03), 0.002, slot="dark"),
        *hob(width - 0.01, 0.58, 0.88),
        *(part for x, wide in ovens for part in _oven(x, 0.42, wide, 0.42, 0.24)),
        *along(dial, *((x, 0, 0) for x in np.linspace(-width * 0.38, width * 0.38, dials))),
        box((width - 0.04, 0.03, 0.11), (0, -0.30, 0.135), 0.008, slot="body"),
    ]
    if style == "retro":
        parts += [
            box((width, 0.04, 0.18), (0, 0.28, 0.98), 0.015, 3, "body"),
            button(0.045, 0.006, (0, 0.262, 1.0), "ceramic"),
        ]
    return parts


def integrated_stove(style: str) -> list[Mesh]:
    """Cookers with hood in one: tower, wide, slim."""
    wide = {"tower": 0.9, "wide": 1.1, "slim": 0.75}[style]
    doors = 2 if style == "wide" else 1
    slot = box((wide - 0.1, 0.012, 0.03), (0, 0.185, 0.93), 0.003, 1, "dark")
    parts = [
        box((wide, 0.58, 0.82), (0, 0, 0.41), 0.008, slot="body"),
        *hob(wide - 0.02, 0.5, 0.83),
        box((wide, 0.10, 0.42), (0, 0.24, 1.03), 0.02, 3, "body"),
        *along(slot, *((0, 0, 0.05 * k) for k in range(5))),
        *both(button(0.022, 0.03, (0.2, -0.29, 0.74))),
        box((0.16, 0.006, 0.05), (0, -0.291, 0.74), 0.002, 1, "led"),
    ]
    for i in range(doors):
        x = (i - (doors - 1) / 2) * 0.48
        parts += placed(_oven(x, 0.40, wide / doors - 0.12, 0.46, 0.28), (0, 0.01, 0))
    return parts


def gas_stove(style: str) -> list[Mesh]:
    """Hobs set into a counter: four, two (narrow), enamel."""
    width, dials = (0.36, 2) if style == "two" else (0.62, 4)
    dial = cylinder(0.017, 0.022, (0, -0.215, 0.012))
    return [
        *hob(width, 0.5, 0.0, "body" if style == "enamel" else "dark"),
        *along(dial, *((x, 0, 0) for x in np.linspace(-width * 0.2, width * 0.2, dials))),
    ]


def range_hood(style: str) -> list[Mesh]:
    """Extractor hoods: chimney, slanted, box."""
    if style == "slanted":
        plate = box((0.8, 0.03, 0.62), (0, 0, 0), 0.006, slot="dark").turned(-28, "x")
        return [
            plate.moved(0, -0.1, 0.30),
            box((0.34, 0.16, 0.75), (0, 0.16, 0.5), 0.006, slot="metal"),
            box((0.7, 0.3, 0.12), (0, 0.06, 0.1), 0.01, slot="metal"),
        ]
    grille = box((0.22, 0.30, 0.006), (0.15, -0.02, -0.001), 0.001, 1, "dark")
    lamp = button(0.008, 0.006, (0, -0.252, 0.03), "led")
    wide = 0.9 if style == "chimney" else 0.6
    parts = [
        box((wide, 0.5, 0.06), (0, 0, 0.03), 0.006, slot="metal"),
        *both(grille),
        *along(lamp, (0, 0, 0), (0.035, 0, 0), (0.07, 0, 0)),
    ]
    if style == "box":
        return [*parts, box((0.6, 0.32, 0.36), (0, 0.09, 0.24), 0.008, slot="body")]
    duct = box((0.28, 0.26, 0.6), (0, 0.11, 0.56), slot="metal")
    return [*parts, _funnel((0.9, 0.5), (0.3, 0.28), 0.06, 0.28), duct]


def _funnel(low: tuple[float, float], high: tuple[float, float], z0: float, z1: float) -> Mesh:
    """A block that narrows upwards from `low` to `high` (width, depth), its back upright."""
    block = box((1, 1, 1), (0, 0, 0), 0.01, 2, "metal")
    t = block.points[:, 2] + 0.5
    wide, deep = (low[k] * (1 - t) + high[k] * t for k in (0, 1))
    y = block.points[:, 1] * deep + (low[1] - deep) / 2
    points = np.column_stack([block.points[:, 0] * wide, y, z0 + (z1 - z0) * t])
    return replace(block, points=points, normals=smooth_normals(points, block.faces))


def microwave(style: str) -> list[Mesh]:
    """Microwave ovens: dial, keypad, retro."""
    parts = [
        box((0.48, 0.34, 0.27), (0, 0, 0.145), 0.04 if style == "retro" else 0.008, 4, "body"),
        box((0.30, 0.02, 0.20), (-0.06, -0.168, 0.145), 0.012, 3, "dark"),
        *corners(cylinder(0.012, 0.012, (0.2, 0.13, 0), slot="plastic")),
        *handle("bar", (0.105, -0.17, 0.145), 0.17, upright=True),
        box((0.075, 0.004, 0.03), (0.182, -0.171, 0.235), 0.001, 1, "led"),
    ]
    if style != "keypad":
        return parts + [button(0.026, 0.022, (0.182, -0.168, z)) for z in (0.17, 0.09)]
    key = box((0.02, 0.006, 0.015), (0.158, -0.171, 0.19), 0.002, 1, "plastic")
    return parts + along(key, *((0.024 * c, 0, -0.024 * r) for r in range(4) for c in range(3)))
