"""What hangs on walls: pictures, mirrors, clocks, shelves and plates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..arrange import around, both, frame
from ..mesh import Mesh
from ..solids import arch, box, ellipse, panel, rounded_rectangle, slab
from ..turned import cylinder, hoop, tube
from .ornaments import books, vase
from .profiles import turned


def painting(style: str) -> list[Mesh]:
    """Framed pictures: landscape, portrait, square, triptych; the canvas slot is "canvas"."""
    if style == "triptych":
        return [
            part.moved(0.46 * (k - 1))
            for k in range(3)
            for part in _framed(0.42, 0.85, 0.015, 0.0, k / 3, 1 / 3)
        ]
    size = {"landscape": (0.95, 0.65), "portrait": (0.55, 0.78), "square": (0.6, 0.6)}[style]
    return _framed(*size, 0.035, 0.06 if style == "portrait" else 0.0)


def _framed(
    width: float, height: float, bar: float, mat: float, u0: float = 0.0, span: float = 1.0
) -> list[Mesh]:
    """A picture in a frame and, where `mat` is not 0, a passe-partout; u runs from u0 by span."""
    wide, high = width - 2 * bar, height - 2 * bar
    picture = panel(wide - 2 * mat, high - 2 * mat, (0, 0.002, height / 2), 0.004, "canvas")
    parts = frame(width, height, bar, 0.03, (0, 0, height / 2), bevel=0.005)
    if mat:
        parts.append(panel(wide, high, (0, 0.006, height / 2), 0.004, "paper"))
    return [*parts, replace(picture, uv=picture.uv * (span, 1.0) + (u0, 0.0))]


def mirror(style: str) -> list[Mesh]:
    """Wall or standing mirrors: round, arch, tall (leaning), wide."""
    if style == "tall":
        leaning = _mirror(rounded_rectangle(0.65, 1.75, 0.03), 0.035)
        return [part.turned(-8, "x") for part in leaning]
    outline = {
        "round": ellipse(0.8, 0.8, 64),
        "arch": arch(0.66, 1.13),
        "wide": rounded_rectangle(1.1, 0.7, 0.12),
    }[style]
    return _mirror(outline, 0.025)


def _mirror(outline: np.ndarray, bar: float) -> list[Mesh]:
    size = np.abs(outline).max(axis=0)
    board = slab(outline * (1 + bar / size), 0.028, 0, 0.01, "metal").turned(90, "x")
    glass = slab(outline, 0.004, 0, 0.001, "mirror").turned(90, "x")
    return [board, glass.moved(y=-0.027)]


def wall_decoration(style: str) -> list[Mesh]:
    """Wall pieces: clock, sunburst, shelf, plates."""
    if style == "shelf":
        rng = named_rng(7, "shelf")
        return [
            box((0.9, 0.2, 0.03), (0, 0, 0.015)),
            *both(box((0.025, 0.16, 0.10), (0.36, 0.02, -0.05), slot="metal")),
            *books(rng, 0.36, 0.24, 0.16, -0.42, 0.0, 0.03),
            vase(0.22, 0.07, (0.15, 0, 0.03)),
            vase(0.12, 0.045, (0.32, 0, 0.03), "bottle"),
        ]
    flat = {"clock": _clock, "sunburst": _sunburst, "plates": _plates}[style]()
    return [part.turned(90, "x") for part in flat]


def _clock() -> list[Mesh]:
    """A clock lying on its back; ten to two."""
    hour = box((0.005, 0.034, 0.003), (0, 0.138, 0.0135), 0.0005, 1, "metal")
    tick = box((0.005, 0.022, 0.003), (0, 0.138, 0.0135), 0.0005, 1, "metal")
    return [
        turned("clock_face", "face", segments=48, corner=60),
        hoop(0.168, 0.011, (0, 0, 0.012), "wood", 48),
        *around(4, hour),
        *around(4, tick, start=30),
        *around(4, tick, start=60),
        box((0.007, 0.10, 0.003), (0, 0.035, 0.017), 0.001, 1, "metal").turned(-50),
        box((0.005, 0.14, 0.003), (0, 0.05, 0.020), 0.001, 1, "metal").turned(65),
        cylinder(0.01, 0.014, (0, 0, 0.012)),
    ]


def _sunburst() -> list[Mesh]:
    rays = [
        tube([(0.13, 0, 0.01), (0.13 + long, 0, 0.008)], [0.008, 0.002], 8) for long in (0.13, 0.20)
    ]
    face = turned("convex_mirror", "mirror", segments=40, corner=50)
    return [face, *around(16, rays[0]), *around(16, rays[1], start=11.25)]


def _plates() -> list[Mesh]:
    """Four plates with a rim of metal and a ring around the well."""
    parts = []
    for x, y, r in (
        (-0.22, 0.1, 0.13),
        (0.05, 0.22, 0.16),
        (0.28, 0.02, 0.11),
        (0.02, -0.12, 0.10),
    ):
        parts += [
            turned("plate", "ceramic", (x, y, 0), radius=r, height=0.2 * r, segments=36, corner=60),
            hoop(r, 0.0022, (x, y, 0.197 * r), count=36),
            hoop(0.6 * r, 0.0018, (x, y, 0.09 * r), count=36),
        ]
    return parts
