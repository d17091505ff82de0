"""Lamps that emit: a glowing shade or bulb, and a UsdLux light inside (`assets.yaml`: glow)."""

from __future__ import annotations

import numpy as np

from ..arrange import around
from ..mesh import Mesh
from ..solids import box
from ..turned import cylinder, hoop, lathe, smooth, sphere, tube
from .legs import slanted_leg
from .profiles import turned


def shade(low: float, high: float, height: float, z: float) -> Mesh:
    """An open lamp shade: a drum or cone with a wall."""
    wall = 0.003
    ring = [(low, 0), (high, height), (high - wall, height), (low - wall, 0), (low, 0)]
    return lathe(ring, (0, 0, z), 36, "shade", crease=60)


def bulb(radius: float, x: float, y: float, z: float) -> Mesh:
    """A bulb about (x, y, z)."""
    return sphere(radius, (x, y, z), 18, "bulb")


def floor_lamp(style: str) -> list[Mesh]:
    """Styles: drum, tripod, arc, reading, paper."""
    base = cylinder(0.15, 0.025, (0, 0, 0), 0.01, 36)
    if style == "tripod":
        return [
            *around(3, slanted_leg(0.30, 0.03, 1.18, (0.014, 0.018)), start=29),
            cylinder(0.045, 0.05, (0, 0, 1.16)),
            shade(0.25, 0.20, 0.30, 1.24),
            bulb(0.04, 0, 0, 1.38),
            tube([(0, 0, 1.2), (0, 0, 1.36)], 0.006, 8),
        ]
    if style == "arc":
        return _arc_lamp()
    if style == "reading":
        stalk = [(0, 0, 0), (0, 0, 1.28), (0, -0.03, 1.36), (0, -0.12, 1.42), (0, -0.26, 1.42)]
        head = turned("dome_reading", "metal", corner=60).turned(-20, "x").moved(0, -0.27, 1.30)
        return [base, tube(smooth(stalk), 0.011, 12), head, bulb(0.04, 0, -0.28, 1.345)]
    if style == "paper":
        ribs = np.linspace(0, 1, 33)
        radius = 0.19 * (0.72 + 0.28 * np.sin(np.pi * ribs)) + 0.004 * np.cos(np.pi * np.arange(33))
        body = np.column_stack([radius, 0.06 + 1.14 * ribs])
        lantern = lathe([(0.02, 0.06), *body, (0.03, 1.2)], segments=36, slot="shade", crease=80)
        return [lantern, *around(3, tube([(0.12, 0, 0), (0.10, 0, 0.07)], 0.007, 8))]
    return [
        base,
        tube([(0, 0, 0.02), (0, 0, 1.38)], 0.012, 12),
        shade(0.24, 0.21, 0.28, 1.27),
        bulb(0.04, 0, 0, 1.40),
        tube([(-0.2, 0, 1.36), (0.2, 0, 1.36)], 0.003, 6),
    ]


def _arc_lamp() -> list[Mesh]:
    t = np.linspace(0, 1, 22)
    rise = 0.03 + 1.85 * np.sin(np.pi * (0.05 + 0.62 * t)) ** 0.8
    path = np.column_stack([-0.55 + 1.0 * t**1.5, 0 * t, rise])
    path[0] = (-0.55, 0, 0.0)
    x, _, z = path[-1]
    return [
        cylinder(0.19, 0.05, (-0.55, 0, 0), 0.012, 36, "stone"),
        tube(path, 0.013, 12),
        turned("dome_arc", "metal", (x, 0, z), segments=32, corner=60),
        bulb(0.07, x, 0, z - 0.08),
    ]


def table_lamp(style: str) -> list[Mesh]:
    """Styles: gourd, cone, globe."""
    if style == "globe":
        stand = cylinder(0.07, 0.10, (0, 0, 0), 0.008, 28, "stone")
        return [stand, sphere(0.11, (0, 0, 0.2), 28, "shade")]
    if style == "cone":
        return [
            cylinder(0.085, 0.02, (0, 0, 0), 0.008, 28),
            tube([(0, 0, 0.01), (0, 0, 0.32)], 0.008),
            shade(0.14, 0.06, 0.18, 0.26),
            bulb(0.032, 0, 0, 0.34),
        ]
    return [
        turned("lamp_gourd", "ceramic", corner=50),
        tube([(0, 0, 0.3), (0, 0, 0.40)], 0.006, 8),
        shade(0.16, 0.11, 0.2, 0.32),
        bulb(0.03, 0, 0, 0.40),
    ]


def ceiling_lamp(style: str) -> list[Mesh]:
    """Close to the ceiling: disc, drum, spots, square; its top is the ceiling."""
    if style == "disc":
        rim = cylinder(0.235, 0.025, (0, 0, 0.075), 0.006, 40)
        return [turned("disc_lamp", "shade", segments=40, corner=60), rim]
    if style == "drum":
        return [
            shade(0.24, 0.24, 0.16, 0.0),
            cylinder(0.235, 0.004, (0, 0, 0.012), 0.001, 40, "shade"),
            cylinder(0.07, 0.03, (0, 0, 0.16), 0.006, 24),
            cylinder(0.236, 0.004, (0, 0, 0.150), 0.001, 40),
            bulb(0.04, 0, 0, 0.09),
        ]
    if style == "square":
        return [
            box((0.46, 0.46, 0.05), (0, 0, 0.035), 0.015, 3, "shade"),
            box((0.48, 0.48, 0.03), (0, 0, 0.075), 0.006, slot="metal"),
        ]
    parts = [box((0.9, 0.06, 0.025), (0, 0, 0.165), 0.006, slot="metal")]
    for k, x in enumerate((-0.36, -0.12, 0.12, 0.36)):
        lean = (-1) ** k
        can = turned("spot", "metal", (0, 0, -0.1), segments=24, corner=60)
        parts += [
            can.turned(lean * 16, "x").moved(x, 0, 0.145),
            bulb(0.03, x, lean * 0.02, 0.06),
            tube([(x, 0, 0.1), (x, 0, 0.16)], 0.008, 8),
        ]
    return parts


def chandelier(style: str) -> list[Mesh]:
    """Hanging lights: pendant, classic (arms with candles), ring, cluster; hung from the top."""
    if style == "cluster":
        return _cluster()
    rose = cylinder(0.06, 0.03, (0, 0, 0.87), 0.008, 24)
    if style == "pendant":
        dome = turned("dome_pendant", "metal", segments=40, corner=60)
        cable = tube([(0, 0, 0.2), (0, 0, 0.88)], 0.004, 8)
        return [dome, cable, rose, bulb(0.06, 0, 0, 0.07)]
    if style == "ring":
        parts = [rose]
        for radius, z in ((0.36, 0.16), (0.24, 0.34)):
            parts += [
                hoop(radius, 0.016, (0, 0, z), count=48),
                hoop(radius, 0.012, (0, 0, z - 0.013), "shade", 48),
                *around(3, tube([(radius, 0, z), (0, 0, 0.88)], 0.002, 6)),
            ]
        return parts
    arm = smooth(
        [(0.02, 0, 0.2), (0.12, 0, 0.13), (0.22, 0, 0.12), (0.30, 0, 0.17), (0.32, 0, 0.24)]
    )
    x = 0.32
    holder = [
        tube(arm, 0.008, 10),
        turned("candle_dish", "metal", (x, 0, 0), segments=20),
        cylinder(0.011, 0.08, (x, 0, 0.255), 0.003, 14, "candle"),
        turned("flame", "bulb", (x, 0, 0.335), segments=12, corner=60),
    ]
    return [
        turned("chandelier", "metal", corner=60),
        tube([(0, 0, 0.5), (0, 0, 0.88)], 0.006, 8),
        rose,
        *around(6, *holder),
    ]


def _cluster() -> list[Mesh]:
    parts = [cylinder(0.14, 0.025, (0, 0, 0.875), 0.006, 32)]
    for k in range(5):
        turn, z = np.degrees(2.4 * k), 0.08 + 0.13 * k
        globe = [
            sphere(0.085, (0.13, 0, z), 24, "shade"),
            cylinder(0.025, 0.05, (0.13, 0, z + 0.07)),
            tube([(0.13, 0, z + 0.1), (0.08, 0, 0.88)], 0.003, 6),
        ]
        parts += around(1, *globe, start=turn)
    return parts
