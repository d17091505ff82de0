"""Room shells: floor, walls, ceiling, skirting and cornice, as materials and as rooms to stand in.

The composer builds the shell of a layout itself and takes the materials of a look from here; the
shapes are whole rooms for previews and for scenes without a layout. The side towards -y is open.
"""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..solids import box
from .recipe import Recipe, looks

THICK = 0.10


def _wall(
    length: float, height: float, opening: tuple[float, float, float, float] | None
) -> list[Mesh]:
    """A wall along x facing -y with an optional opening (x0, x1, z0, z1) and its skirting."""
    pieces = [(-length / 2, length / 2, 0.0, height)]
    if opening is not None:
        x0, x1, z0, z1 = opening
        pieces = [
            (-length / 2, x0, 0.0, height),
            (x1, length / 2, 0.0, height),
            (x0, x1, z1, height),
        ]
        if z0 > 0:
            pieces.append((x0, x1, 0.0, z0))
    parts = [
        box((b - a, THICK, d - c), ((a + b) / 2, THICK / 2, (c + d) / 2), 0.001, 1, "wall", grain=0)
        for a, b, c, d in pieces
    ]
    spans = [(a, b) for a, b, low, _ in pieces if low == 0.0]
    parts += [
        box((b - a, 0.016, 0.09), ((a + b) / 2, -0.008, 0.045), 0.004, slot="skirting", grain=0)
        for a, b in spans
    ]
    parts.append(box((length, 0.05, 0.05), (0, -0.02, height - 0.025), 0.02, 3, "ceiling", grain=0))
    return parts


def shell(
    width: float, depth: float, height: float, *, window: bool = True, beams: bool = False
) -> list[Mesh]:
    """A room of inner size width x depth x height, open towards -y, a window in its back wall."""
    parts = [
        box(
            (width + 2 * THICK, depth + THICK, 0.05),
            (0, THICK / 2, -0.025),
            0.001,
            1,
            "floor_wood",
            grain=0,
        ),
        box(
            (width + 2 * THICK, depth + THICK, 0.05),
            (0, THICK / 2, height + 0.025),
            0.001,
            1,
            "ceiling",
        ),
    ]
    hole = (-0.7, 0.7, 0.85, min(2.15, height - 0.3)) if window else None
    parts += [p.moved(0, depth / 2) for p in _wall(width, height, hole)]
    door = (-0.45, 0.45, 0.0, 2.05)
    parts += [p.turned(90).moved(-width / 2, 0) for p in _wall(depth, height, door)]
    parts += [p.turned(-90).moved(width / 2, 0) for p in _wall(depth, height, None)]
    if beams:
        parts += [
            box((0.16, depth, 0.18), (x, 0, height - 0.09), 0.01, slot="skirting", grain=1)
            for x in np.linspace(-width / 2, width / 2, 5)[1:-1]
        ]
    return parts


LOOKS = looks(
    {"ceiling": "ceiling_white"},
    white_oak={"wall": "wall_white", "floor_wood": "planks_oak", "skirting": "white_wood"},
    sage_pale={"wall": "wall_sage", "floor_wood": "planks_pale", "skirting": "white_wood"},
    blue_walnut={"wall": "wall_blue", "floor_wood": "planks_walnut", "skirting": "walnut"},
    clay_stone={"wall": "wall_clay", "floor_wood": "concrete", "skirting": "white_wood"},
    grey_carpet={"wall": "wall_grey", "floor_wood": "carpet_beige", "skirting": "oak"},
    tiled={"wall": "tiles_white", "floor_wood": "tiles_slate", "skirting": "white_metal"},
)

RECIPES = [
    Recipe(
        "room_shell",
        "room",
        {
            "living": lambda: shell(4.8, 4.0, 2.6),
            "bedroom": lambda: shell(3.6, 3.4, 2.5),
            "loft": lambda: shell(6.0, 4.6, 3.2, beams=True),
            "store": lambda: shell(2.4, 2.2, 2.4, window=False),
        },
        LOOKS,
        kind="room",
        fit_mode="keep",
        tags=("room",),
        quickstart=True,
    )
]
