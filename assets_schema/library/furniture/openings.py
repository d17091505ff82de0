"""Doors and windows: they fill the openings of a room's walls, their middle in the wall's plane."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..solids import box, sphere, tube
from .parts import handle
from .recipe import Recipe, looks, styles


def door(style: str, width: float = 0.9, height: float = 2.05) -> list[Mesh]:
    """A closed door in its frame; styles panel, flush, glazed, double."""
    jamb, deep = 0.06, 0.13
    if style == "double":
        width = 1.5
    parts = [
        box(
            (jamb, deep, height),
            (sx * (width - jamb) / 2, 0, height / 2),
            0.006,
            slot="wood_frame",
            grain=2,
        )
        for sx in (-1, 1)
    ]
    parts.append(
        box(
            (width - 2 * jamb, deep, jamb),
            (0, 0, height - jamb / 2),
            0.006,
            slot="wood_frame",
            grain=0,
        )
    )
    leaves = (
        [(-1, (width - 2 * jamb) / 4), (1, (width - 2 * jamb) / 4)]
        if style == "double"
        else [(0, 0.0)]
    )
    for side, x in leaves:
        wide = (width - 2 * jamb) / len(leaves) - 0.004
        parts += [p.moved(side * x) for p in _leaf(style, wide, height - jamb - 0.008)]
        grip = (wide / 2 - 0.065) * (1 if side <= 0 else -1)
        for sy in (-1, 1):
            y = sy * 0.02
            parts.append(
                tube(
                    [
                        (grip, y, 1.0),
                        (grip, y + sy * 0.045, 1.0),
                        (grip - np.sign(grip) * 0.02, y + sy * 0.055, 1.0),
                        (grip - np.sign(grip) * 0.12, y + sy * 0.055, 1.0),
                    ],
                    0.0085,
                    10,
                    "metal",
                ).moved(side * x)
            )
            parts.append(
                box((0.038, 0.008, 0.16), (grip + side * x, sy * 0.022, 0.96), 0.003, slot="metal")
            )
    parts.extend(
        tube(
            [(-(width / 2 - jamb), -0.03, z - 0.05), (-(width / 2 - jamb), -0.03, z + 0.05)],
            0.008,
            8,
            "metal",
        )
        for z in (0.25, 1.05, 1.8)
    )
    return parts


def _leaf(style: str, width: float, height: float) -> list[Mesh]:
    thick, stile = 0.04, 0.11
    if style == "flush":
        return [box((width, thick, height), (0, 0, height / 2 + 0.006), 0.004, grain=2)]
    parts = [
        box(
            (stile, thick, height),
            (sx * (width - stile) / 2, 0, height / 2 + 0.006),
            0.004,
            grain=2,
        )
        for sx in (-1, 1)
    ]
    rails = (0.0, 0.92, height) if style in ("glazed", "double") else (0.0, 0.78, 1.35, height)
    for z, tall in zip(rails, (0.22, *[0.12] * (len(rails) - 2), 0.12), strict=True):
        centre = min(max(z, tall / 2), height - tall / 2) + 0.006
        parts.append(box((width - 2 * stile, thick, tall), (0, 0, centre), 0.004, grain=0))
    parts.append(box((width - 2 * stile + 0.02, 0.012, 0.72), (0, 0, 0.52), 0.002))
    if style == "panel":
        parts.append(
            box(
                (width - 2 * stile + 0.02, 0.012, height - 0.9),
                (0, 0, 0.85 + (height - 0.9) / 2),
                0.002,
            )
        )
        for low, high in ((0.24, 0.70), (0.86, 1.27), (1.43, height - 0.14)):
            parts.append(
                box(
                    (width - 2 * stile - 0.07, 0.026, high - low - 0.04),
                    (0, 0, (low + high) / 2),
                    0.012,
                    2,
                    grain=2,
                )
            )
    else:
        parts.append(
            box(
                (width - 2 * stile + 0.01, 0.006, height - 1.05),
                (0, 0, 0.97 + (height - 1.05) / 2),
                0.001,
                1,
                "glass",
            )
        )
        parts.extend(
            box((width - 2 * stile, 0.022, 0.022), (0, 0, z), 0.003, 1)
            for z in np.linspace(1.0, height - 0.1, 4)[1:-1]
        )
    return parts


def window(style: str, width: float = 1.4, height: float = 1.3) -> list[Mesh]:
    """A glazed window with a sill; styles casement, grid, sash, picture."""
    frame, deep = 0.055, 0.11
    parts = [
        box(
            (frame, deep, height),
            (sx * (width - frame) / 2, 0, height / 2),
            0.005,
            slot="wood_frame",
            grain=2,
        )
        for sx in (-1, 1)
    ]
    parts += [
        box((width - 2 * frame, deep, frame), (0, 0, z), 0.005, slot="wood_frame", grain=0)
        for z in (frame / 2, height - frame / 2)
    ]
    inner_w, inner_h = width - 2 * frame, height - 2 * frame
    parts.append(box((inner_w, 0.008, inner_h), (0, 0.008, height / 2), 0.001, 1, "glass"))
    sashes = {"casement": 2, "grid": 2, "sash": 1, "picture": 1}[style]
    wide = inner_w / sashes
    for i in range(sashes):
        x = -inner_w / 2 + (i + 0.5) * wide
        parts += [
            box(
                (0.045, 0.05, inner_h),
                (x + s * (wide - 0.045) / 2, 0, height / 2),
                0.005,
                slot="wood",
                grain=2,
            )
            for s in (-1, 1)
        ]
        parts += [
            box(
                (wide - 0.09, 0.05, 0.045),
                (x, 0, height / 2 + s * (inner_h - 0.045) / 2),
                0.005,
                slot="wood",
                grain=0,
            )
            for s in (-1, 1)
        ]
        if style == "grid":
            parts += [
                box((wide - 0.09, 0.022, 0.02), (x, 0, frame + inner_h * share), 0.003, slot="wood")
                for share in (1 / 3, 2 / 3)
            ]
            parts.append(box((0.02, 0.022, inner_h - 0.09), (x, 0, height / 2), 0.003, slot="wood"))
        if style in ("casement", "grid"):
            side = x + (1 if i == 0 else -1) * (wide / 2 - 0.02)
            parts += [
                p.moved(side, -0.025, height / 2)
                for p in handle("bar", (0, 0, 0), 0.10, upright=True)
            ]
    if style == "sash":
        parts += [
            box((inner_w, 0.06, 0.05), (0, -0.01, height / 2), 0.006, slot="wood"),
            sphere(0.014, (0, -0.05, height / 2), slot="metal"),
        ]
        parts.append(box((0.022, 0.022, inner_h - 0.09), (0, 0, height / 2), 0.003, slot="wood"))
    parts.append(box((width + 0.08, 0.10, 0.028), (0, -0.085, 0.014), 0.008, slot="wood_frame"))
    return parts


LOOKS = looks(
    {"glass": "glass"},
    white={"wood": "white_wood", "wood_frame": "white_wood", "metal": "chrome"},
    oak={"wood": "oak", "wood_frame": "oak", "metal": "black_metal"},
    walnut={"wood": "walnut", "wood_frame": "walnut", "metal": "brass"},
    navy={"wood": "navy_paint", "wood_frame": "white_wood", "metal": "brass"},
    black={"wood": "black_metal", "wood_frame": "black_metal", "metal": "steel"},
)

RECIPES = [
    Recipe(
        "door",
        "door",
        styles(door, "panel", "flush", "glazed", "double"),
        LOOKS,
        support="wall",
        tags=("room", "opening"),
        quickstart=True,
    ),
    Recipe(
        "window",
        "window",
        styles(window, "casement", "grid", "sash", "picture"),
        LOOKS,
        support="wall",
        tags=("room", "opening"),
        quickstart=True,
    ),
]
