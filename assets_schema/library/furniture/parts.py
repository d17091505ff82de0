"""Parts that much furniture shares: legs, fronts with handles, open shelves, books and vases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..mesh import Mesh
from ..solids import box, cylinder, lathe, sphere, tube

__all__ = ["books", "carcass", "corner_legs", "front", "handle", "vase"]


def corner_legs(
    width: float,
    depth: float,
    height: float,
    *,
    style: str = "square",
    thick: float = 0.05,
    inset: float = 0.03,
    slot: str = "wood",
    splay: float = 0.0,
) -> list[Mesh]:
    """Four legs under a width x depth frame, from z = 0 to `height`.

    Styles: square, taper (square, thinner below), turned, pin (thin metal rod), hairpin, splay.
    """
    parts = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (width / 2 - inset - thick / 2), sy * (depth / 2 - inset - thick / 2)
            parts += [part.moved(x, y) for part in _leg(style, height, thick, slot, sx, sy, splay)]
    return parts


def _leg(
    style: str, height: float, thick: float, slot: str, sx: int, sy: int, splay: float
) -> list[Mesh]:
    if style == "square":
        return [box((thick, thick, height), (0, 0, height / 2), 0.004, slot=slot, grain=2)]
    if style == "taper":
        leg = box((thick, thick, height), (0, 0, height / 2), 0.004, slot=slot, grain=2)
        share = 1 - leg.points[:, 2:] / height
        return [
            Mesh(
                leg.points * np.hstack([1 - 0.45 * share, 1 - 0.45 * share, np.ones_like(share)]),
                leg.faces,
                leg.normals,
                leg.uv,
                slot,
            )
        ]
    if style == "turned":
        r = thick / 2
        shape = [
            (0, 0),
            (0.5, 0),
            (0.62, 0.03),
            (0.5, 0.08),
            (0.55, 0.12),
            (0.9, 0.45),
            (0.95, 0.6),
            (0.7, 0.7),
            (0.95, 0.73),
            (0.95, 0.76),
            (0.7, 0.79),
            (1, 0.85),
            (1, 1),
            (0, 1),
        ]
        return [lathe([(r * a, height * b) for a, b in shape], segments=16, slot=slot, crease=50)]
    if style == "hairpin":
        lines = []
        for dx, dy in ((0.9, 0.1), (0.1, 0.9)):
            top = (-sx * dx * 0.09, -sy * dy * 0.09, height)
            path = [top, (-sx * dx * 0.01, -sy * dy * 0.01, 0.012), (0, 0, 0.006)]
            lines.append(tube(path, 0.006, 8, slot))
        lines.append(
            box((0.11, 0.11, 0.004), (-sx * 0.035, -sy * 0.035, height - 0.002), 0.001, 1, slot)
        )
        return lines
    lean = splay if style == "splay" else 0.0
    foot = (sx * lean * height, sy * lean * height, 0.0)
    line = np.linspace(foot, (0, 0, height), 6)
    radius = thick / 2 * np.linspace(0.55, 1.0, 6) if style == "splay" else np.full(6, thick / 2)
    return [tube(line, radius, 14, slot)]


def handle(
    style: str,
    center: Sequence[float],
    length: float = 0.14,
    slot: str = "metal",
    upright: bool = False,
) -> list[Mesh]:
    """A handle on a front at `center` (its plane), reaching out to -y: bar, knob, cup, none."""
    x, y, z = center
    if style == "none":
        return []
    if style == "knob":
        stem = [
            (0.006, 0),
            (0.005, 0.012),
            (0.014, 0.018),
            (0.016, 0.024),
            (0.012, 0.031),
            (0, 0.033),
        ]
        return [lathe(stem, segments=16, slot=slot, crease=70).turned(90, "x").moved(x, y, z)]
    if style == "cup":
        t = np.linspace(0, np.pi, 9)
        path = np.column_stack([np.cos(t) * length / 3, np.full(9, -0.012), -np.sin(t) * 0.012])
        return [tube(path, 0.009, 8, slot).moved(x, y, z)]
    half, out = length / 2, -0.028
    path = np.array(
        [
            [-half, 0, 0],
            [-half, out * 0.8, 0],
            [-half + 0.006, out, 0],
            [half - 0.006, out, 0],
            [half, out * 0.8, 0],
            [half, 0, 0],
        ]
    )
    bar = tube(path, 0.0055, 10, slot)
    return [(bar.turned(90, "y") if upright else bar).moved(x, y, z)]


def front(
    width: float,
    height: float,
    center: Sequence[float],
    *,
    style: str = "flat",
    slot: str = "wood",
    thick: float = 0.018,
    grip: str = "bar",
    grip_at: tuple[float, float] = (0.0, 0.0),
    upright: bool = False,
    metal: str = "metal",
) -> list[Mesh]:
    """A drawer or door front whose back lies at `center`; styles flat, shaker, slatted, glass.

    `grip_at` places the handle as shares (-0.5..0.5) of the front's size.
    """
    x, y, z = center
    parts: list[Mesh] = []
    frame = min(0.065, 0.24 * min(width, height))
    if style in ("shaker", "glass"):
        parts.extend(
            box(
                (frame, thick, height),
                (x + sx * (width - frame) / 2, y - thick / 2, z),
                0.003,
                slot=slot,
                grain=2,
            )
            for sx in (-1, 1)
        )
        parts.extend(
            box(
                (width - 2 * frame, thick, frame),
                (x, y - thick / 2, z + sz * (height - frame) / 2),
                0.003,
                slot=slot,
                grain=0,
            )
            for sz in (-1, 1)
        )
        inner = (width - 2 * frame, 0.006, height - 2 * frame)
        parts.append(
            box(
                inner,
                (x, y - 0.005, z),
                0.001,
                1,
                slot="glass" if style == "glass" else slot,
                grain=2 if height > width else 0,
            )
        )
    elif style == "slatted":
        count = max(4, round(width / 0.03))
        pitch = width / count
        parts.append(box((width, thick * 0.5, height), (x, y - thick / 4, z), 0.001, 1, slot))
        parts += [
            box(
                (pitch * 0.7, thick * 0.6, height),
                (x - width / 2 + (i + 0.5) * pitch, y - thick * 0.75, z),
                0.003,
                1,
                slot,
                grain=2,
            )
            for i in range(count)
        ]
    else:
        parts.append(
            box(
                (width, thick, height),
                (x, y - thick / 2, z),
                0.003,
                slot=slot,
                grain=2 if height > width else 0,
            )
        )
    place = (x + grip_at[0] * width, y - thick, z + grip_at[1] * height)
    length = min(0.16, 0.45 * (height if upright else width))
    return parts + handle(grip, place, length, metal, upright)


def carcass(
    width: float,
    depth: float,
    height: float,
    base: float = 0.0,
    *,
    thick: float = 0.02,
    slot: str = "wood",
    shelves: Sequence[float] = (),
    back: bool = True,
    uprights: Sequence[float] = (),
) -> list[Mesh]:
    """Sides, top, bottom, back, shelves (z shares) and uprights (x shares of the inside)."""
    parts = [
        box(
            (thick, depth, height),
            (sx * (width - thick) / 2, 0, base + height / 2),
            0.003,
            slot=slot,
            grain=2,
        )
        for sx in (-1, 1)
    ]
    inner = width - 2 * thick
    parts += [
        box((inner, depth - 0.002, thick), (0, 0, base + z), 0.003, slot=slot, grain=0)
        for z in (thick / 2, height - thick / 2)
    ]
    if back:
        parts.append(
            box(
                (inner, 0.008, height - 2 * thick),
                (0, depth / 2 - 0.012, base + height / 2),
                0.001,
                1,
                slot,
            )
        )
    parts += [
        box(
            (inner, depth - 0.03, thick * 0.9),
            (0, -0.006, base + share * height),
            0.002,
            slot=slot,
            grain=0,
        )
        for share in shelves
    ]
    parts += [
        box(
            (thick * 0.9, depth - 0.03, height - 2 * thick),
            (share * inner, -0.006, base + height / 2),
            0.002,
            slot=slot,
            grain=2,
        )
        for share in uprights
    ]
    return parts


def books(
    rng: np.random.Generator,
    width: float,
    height: float,
    depth: float,
    x: float,
    y: float,
    z: float,
    fill: float = 0.8,
) -> list[Mesh]:
    """Books standing on z from x to the right, spines at -y, some leaning, of five cover slots."""
    parts: list[Mesh] = []
    at, end = x, x + width * fill
    while True:
        thick = float(rng.uniform(0.014, 0.045))
        if at + thick > end:
            break
        tall = height * float(rng.uniform(0.62, 0.93))
        deep = min(depth, float(rng.uniform(0.7, 0.95)) * depth)
        cover = f"book_{rng.integers(1, 6)}"
        shift = y - depth / 2 + deep / 2 + 0.005
        board = box((thick, deep, tall), (0, 0, tall / 2), 0.0025, 1, cover)
        pages = box(
            (thick * 0.72, deep * 0.96, tall * 0.965),
            (0, deep * 0.025, tall / 2 + tall * 0.02),
            0.001,
            1,
            "paper",
        )
        lean = 9.0 if at + thick + 0.06 > end and rng.uniform() < 0.5 else 0.0
        parts.extend(
            part.turned(-lean, "y").moved(at + thick / 2, shift, z) for part in (board, pages)
        )
        at += thick + 0.001
    return parts


def stack_of_books(
    rng: np.random.Generator, count: int, x: float, y: float, z: float
) -> list[Mesh]:
    """Books lying on one another."""
    parts = []
    for _ in range(count):
        thick = float(rng.uniform(0.018, 0.035))
        wide, deep = float(rng.uniform(0.17, 0.24)), float(rng.uniform(0.13, 0.17))
        turn = float(rng.uniform(-12, 12))
        cover = box((wide, deep, thick), (0, 0, thick / 2), 0.002, 1, f"book_{rng.integers(1, 6)}")
        pages = box(
            (wide * 0.97, deep * 0.97, thick * 0.7), (0.004, 0.004, thick / 2), 0.001, 1, "paper"
        )
        parts += [part.turned(turn).moved(x, y, z) for part in (cover, pages)]
        z += thick
    return parts


def vase(
    height: float,
    radius: float,
    center: Sequence[float],
    style: str = "round",
    slot: str = "ceramic",
) -> Mesh:
    """A vase; styles round, bottle, cup."""
    shapes = {
        "round": [
            (0, 0),
            (0.5, 0),
            (0.8, 0.15),
            (1, 0.42),
            (0.8, 0.72),
            (0.42, 0.88),
            (0.5, 1),
            (0.44, 1),
            (0.34, 0.88),
            (0, 0.7),
        ],
        "bottle": [
            (0, 0),
            (0.8, 0),
            (1, 0.1),
            (1, 0.45),
            (0.35, 0.65),
            (0.3, 0.95),
            (0.4, 1),
            (0.25, 1),
            (0.2, 0.9),
            (0, 0.8),
        ],
        "cup": [(0, 0), (0.6, 0), (0.8, 0.2), (1, 1), (0.93, 1), (0.72, 0.2), (0, 0.12)],
    }
    profile = [(radius * r, height * z) for r, z in shapes[style]]
    return lathe(profile, center, 20, slot, crease=50)


BOOK_FINISHES = {
    "book_1": "cloth_red",
    "book_2": "cloth_navy",
    "book_3": "cloth_cream",
    "book_4": "cloth_green",
    "book_5": "cloth_black",
    "paper": "paper",
}

__all__ += ["BOOK_FINISHES", "cylinder", "sphere", "stack_of_books"]
