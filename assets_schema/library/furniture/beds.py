"""Beds, bunk beds, pillows and cushions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrange import along, both, corners, placed
from ..mesh import Mesh
from ..soft import bed_cover, cushion, pillow
from ..solids import box, rounded_rectangle, slab
from ..turned import tube
from .chairs import puff
from .desks import desk
from .fronts import front
from .legs import corner_legs

MATTRESS = 0.22


def bed(style: str, width: float = 1.6, length: float = 2.0) -> list[Mesh]:
    """A made bed, its head at +y; styles upholstered, wooden, metal, low, single."""
    deck = {"low": 0.17, "metal": 0.34}.get(style, 0.27)
    outer, back = width + 0.10, length / 2 + 0.05
    size = (width - 0.01, length - 0.02, MATTRESS)
    mattress = cushion(size, (0, 0, deck + MATTRESS / 2), 0.012, 0.06, "fabric_sheet", seed=1)
    parts = [mattress, *_bedding(style, width, length, deck + MATTRESS)]
    if style == "metal":
        return parts + _metal_bed(outer, length, deck)
    slot, rail = "fabric_frame" if style == "upholstered" else "wood", 0.2
    if style == "low":
        rail = 0.13
    z = deck + 0.06 - rail / 2
    side = box((0.045, length + 0.06, rail), (outer / 2 - 0.02, 0, z), 0.015, 3, slot, grain=1)
    return [
        *parts,
        *both(side),
        box((outer, 0.045, rail), (0, -back + 0.01, z), 0.015, 3, slot, grain=0),
        box((width + 0.02, length, 0.03), (0, 0, deck - 0.015)),
        *corner_legs(outer - 0.04, length, deck - 0.03, style="taper", thick=0.06, inset=0.04),
        *_headboard(style, outer, back),
    ]


def _bedding(style: str, width: float, length: float, top: float) -> list[Mesh]:
    """Cover, folded sheet, pillows and throw; the cover hangs over the outside of the rails."""
    head, wide = length / 2, width + (0.03 if style == "metal" else 0.15)
    cover = bed_cover(wide, length * 0.70, top + 0.012, 0.17, "fabric", 3)
    fold = bed_cover(wide + 0.02, 0.34, top + 0.045, 0.15, "fabric_sheet", 8, 0.02, 0.015)
    parts = [
        cover.moved(0, head - length * 0.30),
        _without_front(fold).moved(0, head - length * 0.27),
    ]
    for k, x in enumerate((-width / 4, width / 4) if width > 1.2 else (0.0,)):
        under = pillow(0.68, 0.44, 0.17, "fabric_sheet", 4 + k).turned(22, "x")
        upper = pillow(0.62, 0.42, 0.16, "fabric", 7 + k).turned(48, "x")
        parts.append(under.moved(x, head - 0.26, top + 0.14))
        parts.append(upper.moved(x * 1.02, head - 0.42, top + 0.20))
    if style in ("upholstered", "wooden"):
        scatter = pillow(0.46, 0.30, 0.13, "fabric_pillow", 12).turned(58, "x")
        throw = bed_cover(wide + 0.04, 0.5, top + 0.052, 0.16, "fabric_pillow", 5, 0.012, 0.02)
        parts.append(scatter.moved(0, head - 0.60, top + 0.19))
        parts.append(_without_front(throw).moved(0, -length / 2 + 0.75))
    return parts


def _without_front(cover: Mesh) -> Mesh:
    """The band of a cover that lies on the bed: its front flap is folded flat."""
    points = cover.points.copy()
    points[:, 1] = np.maximum(points[:, 1], np.quantile(points[:, 1], 0.02))
    return replace(cover, points=points)


def _headboard(style: str, outer: float, back: float) -> list[Mesh]:
    if style == "low":
        return [box((outer + 0.7, 0.04, 0.5), (0, back, 0.42), 0.01, grain=0)]
    if style == "single":
        board = slab(rounded_rectangle(outer, 0.75, 0.16, 8), 0.035, 0, 0.012)
        return [board.turned(90, "x").moved(0, back + 0.015, 0.58)]
    if style == "upholstered":
        each = outer / 5
        size = (each - 0.004, 0.88, 0.11)
        pads = [
            cushion(size, (0, 0, 0), 0.02, 0.035, "fabric_frame", seed=20 + i, resolution=8)
            .turned(90, "x")
            .moved(-outer / 2 + (i + 0.5) * each, back + 0.02, 0.66)
            for i in range(5)
        ]
        return [*pads, box((outer, 0.05, 0.6), (0, back + 0.03, 0.4), 0.01, slot="fabric_frame")]
    post = box((0.065, 0.065, 1.08), (outer / 2 - 0.03, back, 0.54), 0.008, grain=2)
    slats = np.linspace(-outer / 2 + 0.14, outer / 2 - 0.14, 11)
    return [
        *both(post),
        *(box((outer - 0.1, 0.035, 0.09), (0, back, z), 0.008, grain=0) for z in (1.0, 0.45)),
        *(box((0.055, 0.018, 0.5), (x, back, 0.72), 0.004, grain=2) for x in slats),
    ]


def _metal_bed(outer: float, length: float, deck: float) -> list[Mesh]:
    half = outer / 2 - 0.02
    parts = both(box((0.03, length, 0.05), (half - 0.01, 0, deck), 0.006, slot="metal"))
    parts.append(box((outer - 0.1, length, 0.02), (0, 0, deck - 0.02), 0.002, slot="metal"))
    t = np.linspace(0, np.pi, 17)
    for y, high in ((length / 2 + 0.04, 1.1), (-length / 2 - 0.04, 0.72)):
        bow = np.column_stack([-half * np.cos(t), np.full(17, y), high - 0.1 + 0.12 * np.sin(t)])
        low = deck + 0.08
        parts += both(tube([(half, y, 0), (half, y, high - 0.1)], 0.018, 12))
        parts += [tube(bow, 0.018, 12), tube([(-half, y, low), (half, y, low)], 0.014)]
        for x in np.linspace(-outer / 2 + 0.16, outer / 2 - 0.16, 9):
            rise = high - 0.1 + 0.12 * np.sqrt(max(0.0, 1 - (x / half) ** 2))
            parts.append(tube([(x, y, low), (x, y, rise)], 0.008, 8))
    return parts


def bunk(style: str) -> list[Mesh]:
    """Beds with more uses: bunk, loft (with a desk), drawers."""
    lower = bed("single", 0.95)
    if style == "drawers":
        pair = [part for x in (-0.5, 0.5) for part in front(0.9, 0.2, (x, 0, 0.14), grip="cup")]
        return [*lower, *placed(pair, (0.53, 0, 0), 90), *placed(pair, (-0.53, 0, 0), -90)]
    upper = [part for part in placed(bed("low", 0.95), (0, 0, 1.25)) if not _of_the_floor(part)]
    stile = box((0.035, 0.05, 1.8), (0.60, 0, 0.9), 0.005, grain=2)
    rungs = [(0, 0, z) for z in np.linspace(0.25, 1.65, 6)]
    return [
        *(lower if style == "bunk" else placed(desk("simple"), (0.1, 0.2, 0), 90)),
        *upper,
        *corners(box((0.07, 0.07, 1.95), (0.53, 1.02, 0.975), 0.008, grain=2)),
        *both(*(box((0.03, 2.0, 0.08), (0.53, 0, z), 0.006, grain=1) for z in (1.75, 1.9))),
        *along(stile, (0, -0.75, 0), (0, -0.4, 0)),
        *along(tube([(0.60, -0.75, 0), (0.60, -0.4, 0)], 0.015, 10, "wood"), *rungs),
    ]


def _of_the_floor(part: Mesh) -> bool:
    """Whether a part of the low bed serves only on the floor: its legs and its wide headboard."""
    width, depth, _ = np.ptp(part.points, axis=0)
    return width > 1.5 or max(width, depth) < 0.1


def pillows(style: str) -> list[Mesh]:
    """Bed pillows: plump, pair, bolster."""
    if style == "pair":
        return [
            pillow(0.70, 0.46, 0.17, "fabric_sheet", 2).moved(0, 0, 0.09),
            pillow(0.68, 0.45, 0.16, "fabric", 3).turned(7).moved(0.02, 0.02, 0.225),
        ]
    if style == "bolster":
        return placed(puff(0.22, 0.75, panels=1), (0.375, 0, 0.11), -90, "y")
    return [pillow(0.72, 0.48, 0.20, "fabric_sheet", 5).moved(0, 0, 0.1)]


def scatter(style: str) -> list[Mesh]:
    """Scatter cushions: square, long, round."""
    if style == "round":
        return puff(0.42, 0.15, "fabric_pillow")
    if style == "long":
        return [pillow(0.6, 0.32, 0.16, "fabric_pillow", 8).turned(70, "x").moved(0, 0, 0.17)]
    return [pillow(0.46, 0.46, 0.17, "fabric_pillow", 9).turned(72, "x").moved(0, 0, 0.24)]
