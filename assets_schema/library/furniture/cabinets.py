"""Cabinets: a carcass on legs whose rows hold drawers, doors, books or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrange import placed
from ..mesh import Mesh
from ..solids import box
from .fronts import carcass, front
from .legs import corner_legs
from .ornaments import books, things

__all__ = ["cabinet"]

THICK = 0.02
GAP = 0.004

Row = tuple[float, str]  # share of the height, what fills it


def cabinet(
    width: float,
    depth: float,
    height: float,
    columns: int,
    rows: Sequence[Row],
    *,
    style: str = "flat",
    grip: str = "bar",
    legs: str = "plinth",
    lift: float = 0.08,
    top: bool = True,
    seed: int = 0,
) -> list[Mesh]:
    """A cabinet: columns of equal width, rows from the top down of drawers, doors, or open shelves.

    A row's filling is "drawer", "door" (one per column), "pair" (two leaves per column), "glass",
    "open" (empty), "books" or "things".
    """
    rng = np.random.default_rng(seed)
    uprights = [(i + 1) / columns - 0.5 for i in range(columns - 1)]
    parts = placed(
        carcass(width, depth - 0.02, height - lift, lift, uprights=uprights), (0, 0.01, 0)
    )
    parts += _base(width, depth, lift, legs)
    if top:
        board = (width + 0.02, depth + 0.01, 0.025)
        parts.append(box(board, (0, 0, height + 0.0125), 0.006, slot="wood_top"))
    inside, z_top = height - lift - 2 * THICK, height - THICK
    column = (width - 2 * THICK) / columns
    for share, filling in rows:
        tall = share * inside
        z_top -= tall
        if z_top > lift + THICK + 0.01:
            shelf = (width - 2 * THICK, depth - 0.06, 0.016)
            parts.append(box(shelf, (0, 0.01, z_top), 0.002))
        for i in range(columns):
            x = -width / 2 + THICK + (i + 0.5) * column
            centre = (x, -(depth - 0.02) / 2 + 0.01, z_top + tall / 2)
            parts += _fronts(filling, column, tall, centre, style, grip, i)
            floor = z_top + 0.008
            if filling == "books":
                left = x - column / 2 + 0.012
                fill = float(rng.uniform(0.45, 0.95))
                parts += books(
                    rng, column - 0.03, tall - 0.02, depth - 0.08, left, 0.0, floor, fill
                )
            elif filling in ("things", "glass"):
                parts += things(rng, column, tall, x, floor)
    return parts


def _base(width: float, depth: float, lift: float, legs: str) -> list[Mesh]:
    if legs == "none":
        return []
    if legs == "plinth":
        return [box((width - 0.04, depth - 0.08, lift), (0, 0.02, lift / 2), 0.002)]
    slot = "metal" if legs in ("hairpin", "pin") else "wood"
    return corner_legs(width, depth, lift + 0.005, style=legs, thick=0.045, inset=0.02, slot=slot)


def _fronts(
    filling: str,
    column: float,
    tall: float,
    centre: tuple[float, float, float],
    style: str,
    grip: str,
    index: int,
) -> list[Mesh]:
    """The fronts of one field; handles of doors sit where a hand expects them."""
    x, y, z = centre
    size = (column - GAP, tall - GAP)
    if filling == "drawer":
        up = 0.12 if tall > 0.25 else 0.0
        return front(*size, centre, style=style, grip=grip, grip_at=(0.0, up))
    grip = "knob" if grip == "cup" else grip  # a cup pull is for drawers
    if filling in ("door", "glass"):
        side, up = (0.42 if index % 2 == 0 else -0.42), (0.0 if tall > 1 else 0.2)
        leaf = "glass" if filling == "glass" else style
        return front(*size, centre, style=leaf, grip=grip, grip_at=(side, up), upright=True)
    if filling == "pair":
        up = 0.0 if tall > 1 else 0.15
        half = (column / 2 - GAP, tall - GAP)
        return [
            part
            for s in (-1, 1)
            for part in front(
                *half,
                (x + s * column / 4, y, z),
                style=style,
                grip=grip,
                grip_at=(-s * 0.38, up),
                upright=True,
            )
        ]
    return []
