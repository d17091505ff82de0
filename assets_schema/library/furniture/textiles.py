"""Hung and laid cloth: rugs, curtains and folding screens."""

from __future__ import annotations

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..arrange import along, both, placed
from ..mesh import Mesh
from ..soft import curtain, sheet
from ..solids import box, ellipse, slab, tile_of
from ..turned import sphere, tube


def carpet(style: str) -> list[Mesh]:
    """Rugs: rectangle, round, runner with a border, fringed."""
    if style == "round":
        ring = ellipse(1.7, 1.7, 72)
        band = np.column_stack([ring, np.full(len(ring), 0.0135)])
        return [
            slab(ellipse(1.9, 1.9, 72), 0.014, 0, 0.006, "carpet"),
            tube(band, 0.012, 6, "carpet_border", closed=True, flat=0.15),
        ]
    width, depth = {"runner": (0.8, 2.4), "fringed": (2.0, 1.4)}.get(style, (2.2, 1.5))
    x, y = np.meshgrid(
        np.linspace(-width / 2, width / 2, 36),
        np.linspace(-depth / 2, depth / 2, 28),
        indexing="ij",
    )
    ripple = 0.0012 * np.sin(3 * x + 1.3 * y) + 0.001 * np.sin(5 * y - 2 * x)
    points = np.stack([x, y, 0.012 + ripple], -1)
    pile = sheet(points, points[..., :2] / tile_of("carpet"), "carpet", 0.010)
    return [pile, *(_fringe(width, depth) if style == "fringed" else _border(width, depth))]


def _border(width: float, depth: float) -> list[Mesh]:
    """A wide and a narrow woven band."""
    parts = []
    for inset, wide in ((0.10, 0.045), (0.17, 0.015)):
        x, y = width / 2 - inset, depth / 2 - inset
        side = box((wide, 2 * y, 0.004), (x, 0, 0.0135), 0.0015, 1, "carpet_border")
        end = box((2 * x, wide, 0.004), (0, y, 0.0135), 0.0015, 1, "carpet_border")
        parts += [*both(side), end, end.scaled(1, -1, 1)]
    return parts


def _fringe(width: float, depth: float) -> list[Mesh]:
    rng = named_rng(7, "fringe")
    parts = []
    for side in (-1, 1):
        for y in np.linspace(-depth / 2 + 0.01, depth / 2 - 0.01, 90):
            x, drift = side * width / 2, rng.uniform(-0.012, 0.012)
            thread = [
                (x, y, 0.006),
                (x + side * 0.03, y + drift * 0.5, 0.005),
                (x + side * 0.06, y + drift, 0.003),
            ]
            parts.append(tube(thread, 0.003, 5, "carpet_border"))
    return parts


def drapes(style: str) -> list[Mesh]:
    """Curtains on a rod: open pair, closed, tied, roman blind."""
    width, height = 1.8, 2.3
    if style == "roman":
        return _roman_blind()
    x, z = width / 2 + 0.08, height + 0.03
    parts = [tube([(-x, 0, z), (x, 0, z)], 0.013, 12), *both(sphere(0.026, (x + 0.01, 0, z)))]
    if style == "closed":
        half = [curtain(width / 2 + 0.08, height, 8, 0.09, seed=seed) for seed in (1, 2)]
        return [*parts, half[0].moved(-width / 4 + 0.01), half[1].moved(width / 4 - 0.01)]
    wide, gather = (0.55, 0.45) if style == "tied" else (0.42, 0.0)
    at = (width - wide) / 2
    for side in (-1, 1):
        cloth = curtain(wide, height, 6, 0.10, seed=3 + side, gather=gather)
        parts.append(cloth.moved(side * at))
    if style == "tied":
        parts += both(box((wide * 0.62, 0.09, 0.05), (at, 0, height * 0.42), 0.015, 2, "metal"))
    return parts


def _roman_blind() -> list[Mesh]:
    z = np.linspace(0, 1, 40)
    fold = 0.02 * np.abs(np.sin(np.pi * 5 * z)) * (z < 0.6)
    across = np.linspace(-0.6, 0.6, 12)[:, None]
    grid = np.stack(np.broadcast_arrays(across, -fold[None], (0.9 + z * 0.6)[None]), -1)
    cloth = sheet(grid, grid[..., [0, 2]] / tile_of("fabric"), "fabric", 0.006)
    return [cloth, box((1.22, 0.05, 0.04), (0, 0.01, 1.51), 0.008)]


def screen(style: str) -> list[Mesh]:
    """Folding screens: paper, cloth, slatted."""
    wide, high, bar = 0.48, 1.75, 0.03
    inner, middle = wide - 2 * bar, high / 2 + 0.03
    leaf = [
        *both(box((bar, 0.025, high), ((wide - bar) / 2, 0, high / 2), grain=2)),
        *(box((inner, 0.025, bar), (0, 0, z), grain=0) for z in (0.08, high - 0.015)),
    ]
    if style == "slatted":
        slat = box((inner, 0.008, 0.03), (0, 0, 0.13), 0.002, 1, grain=0)
        leaf += along(slat, *((0, 0, 0.045 * i) for i in range(36)))
    else:
        slot = "paper" if style == "paper" else "fabric"
        leaf.append(box((inner, 0.004, high - 0.12), (0, 0, middle), 0.001, 1, slot, grain=0))
    if style == "paper":
        leaf += both(box((0.01, 0.014, high - 0.12), (0.07, 0, middle), 0.002, 1, grain=2))
        bars = box((inner, 0.014, 0.01), (0, 0, 0), 0.002, 1, grain=0)
        leaf += along(bars, *((0, 0, z) for z in np.linspace(0.3, high - 0.25, 6)))
    step = wide * np.cos(np.radians(20))
    return [
        part
        for k, turn in enumerate((20, -20, 20, -20))
        for part in placed(leaf, ((k - 1.5) * step, 0, 0), turn)
    ]
