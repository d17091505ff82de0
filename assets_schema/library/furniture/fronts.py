"""Cabinet makers' parts: handles, drawer and door fronts, carcasses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrange import along, both, frame, placed
from ..mesh import Mesh
from ..solids import box
from ..turned import cylinder, tube
from .profiles import turned

__all__ = ["button", "carcass", "front", "handle"]

Point = Sequence[float]


def button(radius: float, out: float, at: Point, slot: str = "metal") -> Mesh:
    """A round button or dial on a front at `at`, reaching `out` towards -y."""
    return cylinder(radius, out, slot=slot).turned(90, "x").moved(*at)


def handle(
    style: str, center: Point, length: float = 0.14, slot: str = "metal", upright: bool = False
) -> list[Mesh]:
    """A handle on a front at `center` (its plane), reaching out to -y: bar, knob, cup, none."""
    if style == "none":
        return []
    if style == "knob":
        grip = turned("knob", slot, segments=16, corner=70).turned(90, "x")
    elif style == "cup":
        t = np.linspace(0, np.pi, 9)
        path = np.column_stack([np.cos(t) * length / 3, np.full(9, -0.012), -np.sin(t) * 0.012])
        grip = tube(path, 0.009, 8, slot)
    else:
        half, out = length / 2, -0.028
        side = [(half - 0.006, out, 0), (half, 0.8 * out, 0), (half, 0, 0)]
        grip = tube([*((-x, y, z) for x, y, z in side[::-1]), *side], 0.0055, 10, slot)
    return placed([grip], center, 90 if upright and style == "bar" else 0, "y")


def front(
    width: float,
    height: float,
    center: Point,
    *,
    style: str = "flat",
    slot: str = "wood",
    thick: float = 0.018,
    grip: str = "bar",
    grip_at: tuple[float, float] = (0.0, 0.0),
    upright: bool = False,
) -> list[Mesh]:
    """A drawer or door front whose back lies at `center`; styles flat, shaker, slatted, glass.

    `grip_at` places the handle as shares (-0.5..0.5) of the front's size.
    """
    along = 2 if height > width else 0
    if style in ("shaker", "glass"):
        bar = min(0.065, 0.24 * min(width, height))
        inner = (width - 2 * bar, 0.006, height - 2 * bar)
        fill = "glass" if style == "glass" else slot
        parts = [
            *frame(width, height, bar, thick, (0, -thick / 2, 0), bevel=0.003, slot=slot),
            box(inner, (0, -0.005, 0), 0.001, 1, fill, grain=along),
        ]
    elif style == "slatted":
        count = max(4, round(width / 0.03))
        pitch = width / count
        parts = [box((width, thick * 0.5, height), (0, -thick / 4, 0), 0.001, 1, slot)]
        for x in (np.arange(count) + 0.5) * pitch - width / 2:
            slat = (pitch * 0.7, thick * 0.6, height)
            parts.append(box(slat, (x, -thick * 0.75, 0), 0.003, 1, slot, grain=2))
    else:
        parts = [box((width, thick, height), (0, -thick / 2, 0), 0.003, slot=slot, grain=along)]
    place = (grip_at[0] * width, -thick, grip_at[1] * height)
    length = min(0.16, 0.45 * (height if upright else width))
    return placed([*parts, *handle(grip, place, length, "metal", upright)], center)


def carcass(
    width: float,
    depth: float,
    height: float,
    base: float = 0.0,
    *,
    thick: float = 0.02,
    shelves: Sequence[float] = (),
    uprights: Sequence[float] = (),
) -> list[Mesh]:
    """Sides, top, bottom, back, shelves (z shares) and uprights (x shares of the inside)."""
    inner, middle = width - 2 * thick, base + height / 2
    side = box((thick, depth, height), ((width - thick) / 2, 0, middle), 0.003, grain=2)
    back = (inner, 0.008, height - 2 * thick)
    parts = [*both(side), box(back, (0, depth / 2 - 0.012, middle), 0.001, 1)]
    plate = box((inner, depth - 0.002, thick), (0, 0, base + thick / 2), 0.003, grain=0)
    parts += along(plate, (0, 0, 0), (0, 0, height - thick))
    for share in shelves:
        board = (inner, depth - 0.03, thick * 0.9)
        parts.append(box(board, (0, -0.006, base + share * height), 0.002, grain=0))
    for share in uprights:
        board = (thick * 0.9, depth - 0.03, height - 2 * thick)
        parts.append(box(board, (share * inner, -0.006, middle), 0.002, grain=2))
    return parts
