"""Bookcases, wardrobes, clothes racks and wine cabinets."""

from __future__ import annotations

import numpy as np

from ..arrange import around, both, placed
from ..mesh import Mesh
from ..soft import curtain
from ..solids import box
from ..turned import cylinder, smooth, sphere, tube
from .cabinets import Row, cabinet
from .fronts import carcass
from .ornaments import books, folded_stack, hanging_garment, things, vase
from .profiles import turned


def bookcase(style: str) -> list[Mesh]:
    """Styles: tall, low, ladder, cube."""
    if style == "ladder":
        return _ladder_shelf()
    if style == "low":
        rows: list[Row] = [(0.5, "books"), (0.5, "books")]
        return cabinet(1.2, 0.32, 0.85, 3, rows, legs="taper", lift=0.12, seed=4)
    if style == "cube":
        rows = [(0.25, each) for each in ("books", "things", "books", "door")]
        return cabinet(1.5, 0.36, 1.5, 4, rows, grip="knob", top=False, lift=0.04, seed=5)
    rows = [(0.17, "things"), (0.2, "books"), (0.2, "books"), (0.21, "books"), (0.22, "books")]
    return cabinet(0.85, 0.32, 2.0, 1, rows, seed=6)


def _ladder_shelf() -> list[Mesh]:
    rng = np.random.default_rng(3)
    parts = both(
        tube([(0.36, -0.19, 0), (0.36, 0.17, 1.85)], 0.015),
        tube([(0.36, 0.18, 0), (0.36, 0.18, 1.85)], 0.015),
    )
    for i, z in enumerate((0.15, 0.55, 0.95, 1.35, 1.72)):
        deep = 0.36 - 0.06 * i
        parts.append(box((0.74, deep, 0.022), (0, 0.18 - deep / 2, z), 0.004))
        if i == 4:
            break
        if i % 2 == 0:
            parts += books(rng, 0.42, 0.26, min(0.18, deep - 0.03), -0.34, 0.09, z + 0.012)
        else:
            parts += things(rng, 0.5, 0.3, 0.1, z + 0.012)
        parts += placed(things(rng, 0.3, 0.25, 0, z + 0.012), (0.2, 0.08, 0))
    return parts


def wardrobe(style: str) -> list[Mesh]:
    """Styles: two_door, four_door, sliding (mirror), open."""
    if style == "two_door":
        rows: list[Row] = [(0.78, "pair"), (0.22, "drawer")]
        return cabinet(0.95, 0.58, 2.0, 1, rows, style="shaker", grip="knob")
    if style == "four_door":
        return cabinet(1.8, 0.58, 2.15, 2, [(1.0, "pair")])
    if style == "sliding":
        parts = [*placed(carcass(2.0, 0.58, 2.12, 0.08), (0, 0.02, 0))]
        parts.append(box((1.96, 0.5, 0.08), (0, 0.03, 0.04), 0.003))
        for x, y in ((-0.5, -0.275), (0.5, -0.30)):
            parts.append(box((1.02, 0.02, 2.06), (x, y, 1.14), 0.004, grain=2))
            pull = (x - 0.48, y - 0.012, 1.14)
            parts.append(box((0.022, 0.02, 2.06), pull, 0.004, slot="metal"))
        return [*parts, box((0.9, 0.004, 1.94), (0.5, -0.312, 1.14), 0.001, 1, "mirror")]
    parts = placed(carcass(1.3, 0.55, 2.0, 0.08, uprights=(0.12,)), (0, 0.01, 0))
    parts += [
        box((1.26, 0.5, 0.08), (0, 0.02, 0.04), 0.003),
        tube([(-0.63, 0, 1.85), (0.14, 0, 1.85)], 0.013, 12),
    ]
    for k, x in enumerate(np.linspace(-0.55, 0.05, 8)):
        parts += hanging_garment(float(x), 1.85, k)
    for i, z in enumerate((0.5, 0.9, 1.3, 1.65)):
        parts.append(box((0.47, 0.5, 0.018), (0.385, 0.01, z), 0.002))
        if i < 3:
            parts += folded_stack(0.385, 0.0, z + 0.01, 3, i)
    return [*parts, *folded_stack(0.385, 0.0, 0.1, 4, 9)]


def clothes_rack(style: str) -> list[Mesh]:
    """Styles: rail, tree, frame."""
    if style == "tree":
        return _coat_tree()
    x, slot = 0.6, "wood" if style == "frame" else "metal"
    if style == "frame":
        ends = [tube([(x, y, 0), (x, 0, 1.6)], 0.014, 10, slot) for y in (-0.22, 0.22)]
    else:
        ends = [
            tube([(x, 0, 0.05), (x, 0, 1.6)], 0.013),
            tube([(x, -0.24, 0.05), (x, 0.24, 0.05)], 0.013),
            *(sphere(0.027, (x, y, 0.027)) for y in (-0.23, 0.23)),
        ]
    parts = [
        *both(*ends),
        tube([(-x - 0.05, 0, 1.6), (x + 0.05, 0, 1.6)], 0.014, 10, slot),
        box((2 * x, 0.32, 0.018), (0, 0, 0.2), 0.003),
        box((0.3, 0.26, 0.15), (0.36, 0, 0.284), 0.004, slot="fabric_2"),
        box((0.31, 0.27, 0.03), (0.36, 0, 0.36), 0.004, slot="fabric_3"),
    ]
    first, count = (0, 9) if style == "rail" else (2, 6)
    for k, at in enumerate(np.linspace(-0.45, 0.4, count)):
        parts += hanging_garment(float(at), 1.6, k + first)
    return parts


def _coat_tree() -> list[Mesh]:
    bend = smooth([(0, 0, -0.08), (0.10, 0, -0.03), (0.15, 0, 0.06)])
    hook = tube(bend, np.linspace(0.014, 0.009, len(bend)), 8, "wood")
    coat = curtain(0.34, 0.95, 4, 0.09, "fabric_1", seed=3)
    shoulder = np.clip((coat.points[:, 2] / 0.95 - 0.85) / 0.15, 0, 1)
    coat.points[:, 0] *= 1 - 0.7 * shoulder
    scarf = curtain(0.12, 0.8, 2, 0.05, "fabric_3", seed=4)
    return [
        tube([(0, 0, 0.02), (0, 0, 1.75)], 0.022, 12, "wood"),
        cylinder(0.2, 0.03, (0, 0, 0), 0.01, 32, "wood"),
        sphere(0.034, (0, 0, 1.77), slot="wood"),
        *around(3, hook.moved(z=1.66)),
        *around(3, hook.moved(z=1.46), start=60),
        coat.moved(0, -0.15, 0.62),
        scarf.turned(90).moved(0.13, 0, 0.84),
    ]


def wine_cabinet(style: str) -> list[Mesh]:
    """Styles: lattice, glass, bar."""
    if style == "glass":
        parts = cabinet(0.7, 0.42, 1.8, 1, [(0.70, "glass"), (0.30, "pair")], seed=3)
        lying = [(i, r) for i in range(5) for r in range(3)]
        return parts + [_bottle(-0.24 + 0.12 * i, 0.86 + 0.25 * r, i + r) for i, r in lying]
    wide, high, rows, columns = (0.8, 1.0, 5, 6) if style == "bar" else (0.6, 1.7, 9, 4)
    dx, dz = (wide - 0.04) / columns, (high - 0.04) / rows
    left, low = -wide / 2 + 0.02, 0.08
    parts = [
        *placed(carcass(wide, 0.36, high, 0.06), (0, 0.01, 0)),
        box((wide + 0.03, 0.4, 0.03), (0, 0, high + 0.075), 0.006, slot="wood_top"),
        box((wide - 0.04, 0.3, 0.06), (0, 0.02, 0.03), 0.002),
    ]
    for r in range(1, rows):
        parts.append(box((wide - 0.04, 0.32, 0.012), (0, 0.02, low + r * dz), 0.001, 1))
    for c in range(1, columns):
        wall = (0.012, 0.32, high - 0.04)
        parts.append(box(wall, (left + c * dx, 0.02, 0.06 + high / 2), 0.001, 1))
    for r in range(rows):
        for c in range(columns):
            if (r * 7 + c * 5) % 4:
                parts.append(_bottle(left + (c + 0.5) * dx, low + r * dz + 0.045, c + r))
    if style == "bar":
        parts += [vase(0.12, 0.035, (x, 0, high + 0.09), "cup", "glass") for x in (-0.2, -0.1, 0.0)]
        parts.append(turned("wine_bottle", "bottle_1", (0.2, 0.02, high + 0.09), segments=16))
    return parts


def _bottle(x: float, z: float, k: int) -> Mesh:
    """A bottle lying with its neck to the front."""
    bottle = turned("wine_bottle", f"bottle_{k % 2 + 1}", segments=14)
    return bottle.turned(90, "x").moved(x, 0.13, z)
