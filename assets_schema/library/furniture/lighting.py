"""Lamps that emit: a glowing shade or bulb, and a UsdLux light inside."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..solids import box, cylinder, lathe, sphere, tube
from .recipe import Glow, Recipe, looks, styles


def shade(
    low: float,
    high: float,
    height: float,
    z: float,
    slot: str = "shade",
    x: float = 0.0,
    y: float = 0.0,
) -> Mesh:
    """An open lamp shade (a drum or cone with a wall)."""
    wall = 0.003
    ring = [(low, 0), (high, height), (high - wall, height), (low - wall, 0), (low, 0)]
    return lathe(ring, (x, y, z), 32, slot, crease=60)


def bulb(z: float, radius: float = 0.04, x: float = 0.0, y: float = 0.0) -> list[Mesh]:
    """A bulb whose middle is at height z."""
    return [sphere(radius, (x, y, z), 16, "bulb")]


def floor_lamp(style: str) -> list[Mesh]:
    """Styles: drum, tripod, arc, reading, paper."""
    base = cylinder(0.15, 0.025, (0, 0, 0), 0.01, 36, "metal")
    if style == "tripod":
        legs = [
            tube(
                [
                    (0.30 * np.cos(a), 0.30 * np.sin(a), 0),
                    (0.03 * np.cos(a), 0.03 * np.sin(a), 1.18),
                ],
                [0.014, 0.018],
                12,
                "wood",
            )
            for a in np.arange(3) * 2 * np.pi / 3 + 0.5
        ]
        return [
            *legs,
            cylinder(0.045, 0.05, (0, 0, 1.16), slot="metal"),
            shade(0.25, 0.20, 0.30, 1.24),
            *bulb(1.38),
        ]
    if style == "arc":
        t = np.linspace(0, 1, 22)
        path = np.column_stack(
            [-0.55 + 1.0 * t**1.5, 0 * t, 0.03 + 1.85 * np.sin(np.pi * (0.05 + 0.62 * t)) ** 0.8]
        )
        path[0] = (-0.55, 0, 0.0)
        end = path[-1]
        dome = lathe(
            [
                (0.17, -0.14),
                (0.165, -0.06),
                (0.12, 0.0),
                (0.03, 0.03),
                (0.0, 0.03),
                (0.0, 0.022),
                (0.11, -0.01),
                (0.155, -0.07),
                (0.16, -0.14),
                (0.17, -0.14),
            ],
            tuple(end),
            32,
            "metal",
            60,
        )
        return [
            cylinder(0.19, 0.05, (-0.55, 0, 0), 0.012, 36, "stone"),
            tube(path, 0.013, 12, "metal"),
            dome,
            sphere(0.07, (end[0], 0, end[2] - 0.08), 20, "bulb"),
        ]
    if style == "reading":
        stalk = [(0, 0, 0), (0, 0, 1.28), (0, -0.03, 1.36), (0, -0.12, 1.42), (0, -0.26, 1.42)]
        head = lathe(
            [
                (0.09, 0),
                (0.075, 0.09),
                (0.03, 0.14),
                (0, 0.14),
                (0, 0.13),
                (0.07, 0.08),
                (0.085, 0),
                (0.09, 0),
            ],
            segments=28,
            slot="metal",
            crease=60,
        )
        return [
            base,
            tube(stalk, 0.011, 12, "metal"),
            head.turned(-20, "x").moved(0, -0.27, 1.30),
            *bulb(1.345, 0.04, 0, -0.28),
        ]
    if style == "paper":
        ribs = np.linspace(0, 1, 33)
        radius = 0.19 * (0.72 + 0.28 * np.sin(np.pi * ribs)) + 0.004 * np.cos(np.pi * np.arange(33))
        body = [
            (0.02, 0.06),
            *[(float(r), 0.06 + 1.14 * float(s)) for r, s in zip(radius, ribs, strict=True)],
            (0.03, 1.2),
        ]
        feet = [
            tube(
                [
                    (0.12 * np.cos(a), 0.12 * np.sin(a), 0),
                    (0.10 * np.cos(a), 0.10 * np.sin(a), 0.07),
                ],
                0.007,
                8,
                "metal",
            )
            for a in np.arange(3) * 2.094
        ]
        return [lathe(body, segments=36, slot="shade", crease=80), *feet]
    return [
        base,
        tube([(0, 0, 0.02), (0, 0, 1.38)], 0.012, 12, "metal"),
        shade(0.24, 0.21, 0.28, 1.27),
        *bulb(1.40),
        tube([(-0.2, 0, 1.36), (0.2, 0, 1.36)], 0.003, 6, "metal"),
    ]


def table_lamp(style: str) -> list[Mesh]:
    """Styles: gourd, cone, globe."""
    if style == "globe":
        return [
            cylinder(0.07, 0.10, (0, 0, 0), 0.008, 28, "stone"),
            sphere(0.11, (0, 0, 0.2), 28, "shade"),
        ]
    if style == "cone":
        return [
            cylinder(0.085, 0.02, (0, 0, 0), 0.008, 28, "metal"),
            tube([(0, 0, 0.01), (0, 0, 0.32)], 0.008, 10, "metal"),
            shade(0.14, 0.06, 0.18, 0.26),
            *bulb(0.34, 0.032),
        ]
    foot = [
        (0, 0),
        (0.06, 0),
        (0.065, 0.01),
        (0.045, 0.03),
        (0.09, 0.12),
        (0.08, 0.19),
        (0.03, 0.25),
        (0.02, 0.30),
        (0, 0.30),
    ]
    return [
        lathe(foot, segments=28, slot="ceramic", crease=50),
        tube([(0, 0, 0.3), (0, 0, 0.40)], 0.006, 8, "metal"),
        shade(0.16, 0.11, 0.2, 0.32),
        *bulb(0.40, 0.03),
    ]


def ceiling_lamp(style: str) -> list[Mesh]:
    """Close to the ceiling: disc, drum, spots, square; its top is the ceiling."""
    if style == "disc":
        dome = [(0.0, 0.0), (0.12, 0.008), (0.19, 0.03), (0.225, 0.06), (0.23, 0.075), (0.0, 0.075)]
        return [
            lathe(dome, segments=40, slot="shade", crease=60),
            cylinder(0.235, 0.025, (0, 0, 0.075), 0.006, 40, "metal"),
        ]
    if style == "drum":
        return [
            shade(0.24, 0.24, 0.16, 0.0),
            cylinder(0.235, 0.004, (0, 0, 0.012), 0.001, 40, "shade"),
            cylinder(0.07, 0.03, (0, 0, 0.16), 0.006, 24, "metal"),
            *bulb(0.09),
        ]
    if style == "square":
        return [
            box((0.46, 0.46, 0.05), (0, 0, 0.035), 0.015, 3, "shade"),
            box((0.48, 0.48, 0.03), (0, 0, 0.075), 0.006, slot="metal"),
        ]
    parts = [box((0.9, 0.06, 0.025), (0, 0, 0.165), 0.006, slot="metal")]
    for k, x in enumerate((-0.36, -0.12, 0.12, 0.36)):
        can = lathe(
            [
                (0.042, 0),
                (0.045, 0.1),
                (0.02, 0.115),
                (0, 0.115),
                (0, 0.02),
                (0.036, 0.0),
                (0.042, 0),
            ],
            segments=24,
            slot="metal",
            crease=60,
        )
        parts += [
            can.moved(z=-0.1).turned((-1) ** k * 16, "x").moved(x, 0, 0.145),
            sphere(0.03, (x, (-1) ** k * 0.02, 0.06), 14, "bulb"),
            tube([(x, 0, 0.1), (x, 0, 0.16)], 0.008, 8, "metal"),
        ]
    return parts


def chandelier(style: str) -> list[Mesh]:
    """Hanging lights: pendant, classic (arms with candles), ring, cluster; hung from the top."""
    rose = cylinder(0.06, 0.03, (0, 0, 0.87), 0.008, 24, "metal")
    if style == "pendant":
        dome = lathe(
            [
                (0.22, 0),
                (0.215, 0.06),
                (0.16, 0.15),
                (0.05, 0.20),
                (0.0, 0.205),
                (0, 0.195),
                (0.15, 0.14),
                (0.205, 0.055),
                (0.21, 0),
                (0.22, 0),
            ],
            segments=40,
            slot="metal",
            crease=60,
        )
        return [
            dome,
            tube([(0, 0, 0.2), (0, 0, 0.88)], 0.004, 8, "metal"),
            rose,
            sphere(0.06, (0, 0, 0.07), 20, "bulb"),
        ]
    if style == "ring":
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        parts = [rose]
        for radius, z in ((0.36, 0.16), (0.24, 0.34)):
            loop = np.column_stack([radius * np.cos(t), radius * np.sin(t), np.full(48, z)])
            parts += [
                tube(loop, 0.016, 10, "metal", closed=True),
                tube(loop - (0, 0, 0.013), 0.012, 8, "shade", closed=True),
            ]
            parts += [
                tube([(radius * np.cos(a), radius * np.sin(a), z), (0, 0, 0.88)], 0.002, 6, "metal")
                for a in np.arange(3) * 2.094
            ]
        return [*parts, sphere(0.01, (0, 0, 0.145), slot="bulb")]
    if style == "cluster":
        parts = [cylinder(0.14, 0.025, (0, 0, 0.875), 0.006, 32, "metal")]
        for k in range(5):
            a, z = 2.4 * k, 0.08 + 0.13 * k
            x, y = 0.13 * np.cos(a), 0.13 * np.sin(a)
            parts += [
                sphere(0.085, (x, y, z), 24, "shade"),
                cylinder(0.025, 0.05, (x, y, z + 0.07), slot="metal"),
                tube(
                    [(x, y, z + 0.1), (0.08 * np.cos(a), 0.08 * np.sin(a), 0.88)], 0.003, 6, "metal"
                ),
            ]
        return [*parts, sphere(0.01, (0, 0, 0.2), slot="bulb")]
    body = [
        (0, 0.12),
        (0.03, 0.13),
        (0.05, 0.17),
        (0.03, 0.22),
        (0.02, 0.3),
        (0.045, 0.38),
        (0.02, 0.46),
        (0.008, 0.5),
        (0, 0.5),
    ]
    parts = [
        lathe(body, segments=24, slot="metal", crease=60),
        tube([(0, 0, 0.5), (0, 0, 0.88)], 0.006, 8, "metal"),
        rose,
    ]
    for a in np.arange(6) * np.pi / 3:
        arm = np.array([(0.02, 0.2), (0.12, 0.13), (0.22, 0.12), (0.30, 0.17), (0.32, 0.24)])
        x, y = 0.32 * np.cos(a), 0.32 * np.sin(a)
        parts.append(
            tube(
                np.column_stack([arm[:, 0] * np.cos(a), arm[:, 0] * np.sin(a), arm[:, 1]]),
                0.008,
                10,
                "metal",
            )
        )
        parts += [
            lathe([(0, 0.24), (0.03, 0.245), (0.042, 0.26), (0, 0.255)], (x, y, 0), 20, "metal"),
            cylinder(0.011, 0.08, (x, y, 0.255), 0.003, 14, "candle"),
        ]
        parts.append(
            lathe(
                [(0, 0), (0.013, 0.012), (0.012, 0.028), (0, 0.058)], (x, y, 0.335), 12, "bulb", 60
            )
        )
    return parts


LAMP_LOOKS = looks(
    {"stone": "marble_white", "candle": "ceramic_white"},
    brass={
        "metal": "brass",
        "wood": "oak",
        "shade": "shade_white",
        "bulb": "bulb_warm",
        "ceramic": "ceramic_blue",
    },
    black={
        "metal": "black_metal",
        "wood": "walnut",
        "shade": "shade_linen",
        "bulb": "bulb_warm",
        "ceramic": "ceramic_black",
    },
    chrome={
        "metal": "chrome",
        "wood": "birch",
        "shade": "shade_paper",
        "bulb": "bulb_neutral",
        "ceramic": "ceramic_white",
    },
    copper={
        "metal": "copper",
        "wood": "dark_oak",
        "shade": "shade_amber",
        "bulb": "bulb_warm",
        "ceramic": "ceramic_green",
    },
)

RECIPES = [
    Recipe(
        "floor_lamp",
        "floor-standing_lamp",
        styles(floor_lamp, "drum", "tripod", "arc", "reading", "paper"),
        LAMP_LOOKS,
        tags=("light",),
        glow=Glow(0.88, 0.05, 40.0),
        quickstart=True,
    ),
    Recipe(
        "table_lamp",
        "table_lamp",
        styles(table_lamp, "gourd", "cone", "globe"),
        LAMP_LOOKS,
        support="on_top",
        tags=("light",),
        glow=Glow(0.72, 0.03, 40.0),
    ),
    Recipe(
        "illumination",
        "illumination",
        styles(ceiling_lamp, "disc", "drum", "spots", "square"),
        LAMP_LOOKS,
        support="ceiling",
        tags=("light",),
        glow=Glow(-0.3, 0.08, 40.0),
        quickstart=True,
    ),
    Recipe(
        "chandelier",
        "chandelier",
        styles(chandelier, "pendant", "classic", "ring", "cluster"),
        LAMP_LOOKS,
        support="ceiling",
        tags=("light",),
        glow=Glow(-0.06, 0.08, 40.0),
    ),
]
