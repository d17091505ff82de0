"""Beds, pillows and cushions."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..soft import bed_cover, cushion, pillow
from ..solids import box, rounded_rectangle, slab, tube
from .parts import corner_legs
from .recipe import Recipe, looks, styles


def bed(style: str = "upholstered", width: float = 1.6, length: float = 2.0) -> list[Mesh]:
    """A made bed, its head at +y; styles upholstered, wooden, metal, low, single."""
    deck, mattress = {"low": 0.17, "metal": 0.34}.get(style, 0.27), 0.22
    top = deck + mattress
    outer, back = width + 0.10, length / 2 + 0.05
    parts = [
        cushion(
            (width - 0.01, length - 0.02, mattress),
            (0, 0, deck + mattress / 2),
            0.012,
            0.06,
            slot="fabric_sheet",
            seed=1,
        )
    ]
    frame_slot = "fabric_frame" if style == "upholstered" else "wood"
    if style == "metal":
        parts += _metal_bed(outer, length, deck)
    else:
        rail = 0.13 if style == "low" else 0.2
        parts.extend(
            box(
                (0.045, length + 0.06, rail),
                (sx * (outer / 2 - 0.02), 0, deck + 0.06 - rail / 2),
                0.015,
                3,
                frame_slot,
                grain=1,
            )
            for sx in (-1, 1)
        )
        parts.append(
            box(
                (outer, 0.045, rail),
                (0, -back + 0.01, deck + 0.06 - rail / 2),
                0.015,
                3,
                frame_slot,
                grain=0,
            )
        )
        parts.append(box((width, length, 0.03), (0, 0, deck - 0.015), 0.004, slot="wood"))
        legs = corner_legs(outer - 0.04, length, deck - 0.06, style="taper", thick=0.06, inset=0.04)
        parts += legs
        parts += _headboard(style, outer, back)
    parts.append(
        bed_cover(width + 0.03, length * 0.70, top, 0.26, "fabric", 3).moved(
            0, length / 2 - length * 0.30
        )
    )
    fold = bed_cover(width + 0.05, 0.34, top + 0.035, 0.20, "fabric_sheet", 8, 0.02, 0.015)
    parts.append(_without_front(fold).moved(0, length / 2 - length * 0.27))
    places = (-width / 4, width / 4) if width > 1.2 else (0.0,)
    for k, x in enumerate(places):
        parts.append(
            pillow(0.68, 0.44, 0.17, "fabric_sheet", 4 + k)
            .turned(22, "x")
            .moved(x, length / 2 - 0.26, top + 0.13)
        )
        parts.append(
            pillow(0.62, 0.42, 0.16, "fabric", 7 + k)
            .turned(48, "x")
            .moved(x * 1.02, length / 2 - 0.42, top + 0.19)
        )
    if style in ("upholstered", "wooden"):
        parts.append(
            pillow(0.46, 0.30, 0.13, "fabric_pillow", 12)
            .turned(58, "x")
            .moved(0, length / 2 - 0.60, top + 0.18)
        )
        throw = bed_cover(width + 0.07, 0.5, top + 0.04, 0.24, "fabric_pillow", 5, 0.012, 0.02)
        parts.append(_without_front(throw).moved(0, -length / 2 + 0.75))
    return parts


def _without_front(cover: Mesh) -> Mesh:
    """The band of a cover that lies on the bed: its front flap is folded flat."""
    points = cover.points.copy()
    front = -np.quantile(-points[:, 1], 0.98)
    points[:, 1] = np.maximum(points[:, 1], front)
    return Mesh(points, cover.faces, cover.normals, cover.uv, cover.slot)


def _headboard(style: str, outer: float, back: float) -> list[Mesh]:
    if style == "low":
        return [box((outer + 0.7, 0.04, 0.5), (0, back, 0.42), 0.01, slot="wood", grain=0)]
    if style == "upholstered":
        count = 5
        each = outer / count
        panels = [
            cushion(
                (each - 0.004, 0.88, 0.11),
                (0, 0, 0),
                0.02,
                0.035,
                "fabric_frame",
                seed=20 + i,
                resolution=8,
            )
            .turned(90, "x")
            .moved(-outer / 2 + (i + 0.5) * each, back + 0.02, 0.66)
            for i in range(count)
        ]
        return [*panels, box((outer, 0.05, 0.6), (0, back + 0.03, 0.4), 0.01, slot="fabric_frame")]
    if style == "single":
        arch = rounded_rectangle(outer, 0.75, 0.16, 8)
        return [slab(arch, 0.035, 0, 0.012, "wood").turned(90, "x").moved(0, back + 0.03, 0.58)]
    parts: list[Mesh] = []
    parts.extend(
        box(
            (0.065, 0.065, 1.08),
            (sx * (outer / 2 - 0.03), back, 0.54),
            0.008,
            slot="wood",
            grain=2,
        )
        for sx in (-1, 1)
    )
    parts += [
        box((outer - 0.1, 0.035, 0.09), (0, back, z), 0.008, slot="wood", grain=0)
        for z in (1.0, 0.45)
    ]
    parts += [
        box((0.055, 0.018, 0.5), (x, back, 0.72), 0.004, slot="wood", grain=2)
        for x in np.linspace(-outer / 2 + 0.14, outer / 2 - 0.14, 11)
    ]
    return parts


def _metal_bed(outer: float, length: float, deck: float) -> list[Mesh]:
    parts: list[Mesh] = []
    for y, high in ((length / 2 + 0.04, 1.1), (-length / 2 - 0.04, 0.72)):
        parts.extend(
            tube(
                [(sx * (outer / 2 - 0.02), y, 0), (sx * (outer / 2 - 0.02), y, high - 0.1)],
                0.018,
                12,
                "metal",
            )
            for sx in (-1, 1)
        )
        t = np.linspace(0, np.pi, 17)
        arch = np.column_stack(
            [-(outer / 2 - 0.02) * np.cos(t), np.full(17, y), high - 0.1 + 0.12 * np.sin(t)]
        )
        parts += [
            tube(arch, 0.018, 12, "metal"),
            tube([(-outer / 2, y, deck + 0.08), (outer / 2, y, deck + 0.08)], 0.014, 10, "metal"),
        ]
        for x in np.linspace(-outer / 2 + 0.16, outer / 2 - 0.16, 9):
            rise = high - 0.1 + 0.12 * np.sqrt(max(0.0, 1 - (x / (outer / 2 - 0.02)) ** 2))
            parts.append(tube([(x, y, deck + 0.08), (x, y, rise)], 0.008, 8, "metal"))
    parts += [
        box((0.03, length, 0.05), (sx * (outer / 2 - 0.03), 0, deck), 0.006, slot="metal")
        for sx in (-1, 1)
    ]
    return [*parts, box((outer - 0.1, length, 0.02), (0, 0, deck - 0.02), 0.002, slot="metal")]


def pillows(style: str) -> list[Mesh]:
    """Bed pillows: plump, pair, bolster."""
    if style == "pair":
        return [
            pillow(0.70, 0.46, 0.17, "fabric_sheet", 2).moved(0, 0, 0.09),
            pillow(0.68, 0.45, 0.16, "fabric", 3).turned(7).moved(0.02, 0.02, 0.225),
        ]
    if style == "bolster":
        return [cushion((0.75, 0.22, 0.22), (0, 0, 0.11), 0.01, 0.1, slot="fabric", seed=4)]
    return [pillow(0.72, 0.48, 0.20, "fabric_sheet", 5).moved(0, 0, 0.1)]


def scatter(style: str) -> list[Mesh]:
    """Scatter cushions: square, long, round."""
    if style == "round":
        return [
            cushion(
                (0.42, 0.42, 0.14),
                (0, 0, 0.07),
                0.03,
                0.065,
                slot="fabric_pillow",
                seed=6,
                resolution=8,
            )
        ]
    if style == "long":
        return [pillow(0.6, 0.32, 0.16, "fabric_pillow", 8).turned(70, "x").moved(0, 0, 0.17)]
    return [pillow(0.46, 0.46, 0.17, "fabric_pillow", 9).turned(72, "x").moved(0, 0, 0.24)]


BED_LOOKS = looks(
    {"fabric_sheet": "fabric_white"},
    grey={
        "fabric": "linen_grey",
        "fabric_frame": "linen_grey",
        "fabric_pillow": "fabric_mustard",
        "wood": "oak",
        "metal": "black_metal",
    },
    blue={
        "fabric": "linen_blue",
        "fabric_frame": "fabric_navy",
        "fabric_pillow": "stripes_navy",
        "wood": "walnut",
        "metal": "white_metal",
    },
    cream={
        "fabric": "linen_cream",
        "fabric_frame": "linen_cream",
        "fabric_pillow": "fabric_rust",
        "wood": "birch",
        "metal": "brass",
    },
    sage={
        "fabric": "fabric_sage",
        "fabric_frame": "fabric_charcoal",
        "fabric_pillow": "knit_cream",
        "wood": "white_wood",
        "metal": "black_metal",
    },
    blush={
        "fabric": "fabric_blush",
        "fabric_frame": "fabric_teal",
        "fabric_pillow": "knit_grey",
        "wood": "dark_oak",
        "metal": "copper",
    },
)

RECIPES = [
    Recipe(
        "bed",
        "bed",
        {
            "upholstered": lambda: bed("upholstered"),
            "wooden": lambda: bed("wooden"),
            "metal": lambda: bed("metal", 1.4),
            "low": lambda: bed("low", 1.8),
            "single": lambda: bed("single", 0.95),
        },
        BED_LOOKS,
        tags=("bedroom",),
        quickstart=True,
    ),
    Recipe(
        "pillow",
        "pillow",
        styles(pillows, "plump", "pair", "bolster"),
        BED_LOOKS,
        support="on_top",
        tags=("bedroom", "soft"),
    ),
    Recipe(
        "cushion",
        "cushion",
        styles(scatter, "square", "long", "round"),
        BED_LOOKS,
        support="on_top",
        tags=("soft",),
    ),
]
