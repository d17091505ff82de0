"""Doors and windows: they fill the openings of a room's walls, their middle in the wall's plane."""

from __future__ import annotations

import numpy as np

from ..arrange import along, both, frame, placed
from ..mesh import Mesh
from ..solids import box
from ..turned import smooth, sphere, tube
from .fronts import handle


def door(style: str, width: float = 0.9, height: float = 2.05) -> list[Mesh]:
    """A closed door in its frame; styles panel, flush, glazed, double."""
    jamb, deep = 0.06, 0.13
    width = 1.5 if style == "double" else width
    head = (width - 2 * jamb, deep, jamb)
    parts = [
        *both(
            box(
                (jamb, deep, height),
                ((width - jamb) / 2, 0, height / 2),
                0.006,
                slot="wood_frame",
                grain=2,
            )
        ),
        box(head, (0, 0, height - jamb / 2), 0.006, slot="wood_frame", grain=0),
    ]
    opening, tall = width - 2 * jamb, height - jamb - 0.008
    if style == "double":
        leaf = _leaf(style, opening / 2 - 0.004, tall) + _lever(-(opening / 4 - 0.067))
        parts += both(*placed(leaf, (opening / 4, 0, 0)))
    else:
        parts += _leaf(style, opening - 0.004, tall) + _lever(opening / 2 - 0.067)
    hinge = tube([(-opening / 2, -0.03, -0.05), (-opening / 2, -0.03, 0.05)], 0.008, 8)
    return parts + along(hinge, *((0, 0, z) for z in (0.25, 1.05, 1.8)))


def _lever(x: float) -> list[Mesh]:
    """A lever and its plate on both faces of a leaf at `x`, pointing to the leaf's middle."""
    way = -np.sign(x)
    bend = [
        (x, 0.02, 1.0),
        (x, 0.062, 1.0),
        (x + way * 0.02, 0.075, 1.0),
        (x + way * 0.12, 0.075, 1.0),
    ]
    plate = box((0.038, 0.008, 0.16), (x, 0.022, 0.96), 0.003, slot="metal")
    back = [tube(smooth(bend), 0.0085), plate]
    return [*back, *(part.scaled(1, -1, 1) for part in back)]


def _leaf(style: str, width: float, height: float) -> list[Mesh]:
    """A door leaf: flush, or stiles and rails with panels, the upper ones of glass if glazed."""
    thick, stile, low = 0.04, 0.11, 0.006
    if style == "flush":
        return [box((width, thick, height), (0, 0, height / 2 + low), grain=2)]
    inner, glazed = width - 2 * stile, style != "panel"
    rails = (0.92,) if glazed else (0.78, 1.35)
    parts = [
        *both(box((stile, thick, height), ((width - stile) / 2, 0, height / 2 + low), grain=2)),
        box((inner, thick, 0.22), (0, 0, 0.11 + low), grain=0),
        *(box((inner, thick, 0.12), (0, 0, z + low), grain=0) for z in (*rails, height - 0.06)),
        box((inner + 0.02, 0.012, 0.72), (0, 0, 0.52), 0.002),
    ]
    if glazed:
        pane = (inner + 0.01, 0.006, height - 1.05)
        bars = np.linspace(1.0, height - 0.1, 4)[1:-1]
        return [
            *parts,
            box(pane, (0, 0, 0.97 + (height - 1.05) / 2), 0.001, 1, "glass"),
            *(box((inner, 0.022, 0.022), (0, 0, z), 0.003, 1) for z in bars),
        ]
    parts.append(box((inner + 0.02, 0.012, height - 0.9), (0, 0, 0.4 + height / 2), 0.002))
    for bottom, top in ((0.24, 0.70), (0.86, 1.27), (1.43, height - 0.14)):
        field = (inner - 0.07, 0.026, top - bottom - 0.04)
        parts.append(box(field, (0, 0, (bottom + top) / 2), 0.012, 2, grain=2))
    return parts


def window(style: str, width: float = 1.4, height: float = 1.3) -> list[Mesh]:
    """A glazed window with a sill; styles casement, grid, sash, picture."""
    bar, middle = 0.055, height / 2
    inner, tall = width - 2 * bar, height - 2 * bar
    parts = [
        *frame(width, height, bar, 0.11, (0, 0, middle), bevel=0.005, slot="wood_frame"),
        box((inner, 0.008, tall), (0, 0.008, middle), 0.001, 1, "glass"),
        box((width + 0.08, 0.10, 0.028), (0, -0.085, 0.014), 0.008, slot="wood_frame"),
    ]
    upright = box((0.022, 0.022, tall - 0.09), (0, 0, middle), 0.003)
    if style in ("sash", "picture"):
        parts += frame(inner, tall, 0.045, 0.05, (0, 0, middle), bevel=0.005)
        if style == "sash":
            meeting = box((inner, 0.06, 0.05), (0, -0.01, middle), 0.006)
            parts += [meeting, upright, sphere(0.014, (0, -0.05, middle))]
        return parts
    wide = inner / 2
    sash = frame(wide, tall, 0.045, 0.05, (wide / 2, 0, middle), bevel=0.005)
    if style == "grid":
        level = box((wide - 0.09, 0.022, 0.02), (wide / 2, 0, bar), 0.003)
        sash += along(level, (0, 0, tall / 3), (0, 0, 2 * tall / 3))
        sash.append(upright.scaled(0.02 / 0.022, 1, 1).moved(wide / 2))
    return parts + both(*sash, *handle("bar", (0.02, -0.025, middle), 0.10, upright=True))
