"""Room shells: floor, walls, ceiling, skirting and cornice, as materials and as rooms to stand in.

The composer builds the shell of a layout itself and takes the materials of a look from here; the
shapes are whole rooms for previews and for scenes without a layout. The side towards -y is open.
"""

from __future__ import annotations

import numpy as np

from ..arrange import along, placed
from ..mesh import Mesh
from ..solids import box

THICK = 0.10

Opening = tuple[float, float, float, float]  # x0, x1, z0, z1 in the wall, metres


def _wall(length: float, height: float, opening: Opening | None) -> list[Mesh]:
    """A wall along x facing -y with an optional opening and its skirting."""
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
    parts = [box((length, 0.05, 0.05), (0, -0.02, height - 0.025), 0.02, 3, "ceiling", grain=0)]
    for a, b, low, high in pieces:
        size, middle = (b - a, THICK, high - low), ((a + b) / 2, THICK / 2, (low + high) / 2)
        parts.append(box(size, middle, 0.0002, 1, "wall", grain=0))
        if low == 0.0:
            board = (b - a, 0.016, 0.09)
            parts.append(box(board, (middle[0], -0.008, 0.045), slot="skirting", grain=0))
    return parts


def shell(
    width: float, depth: float, height: float, *, window: bool = True, beams: bool = False
) -> list[Mesh]:
    """A room of inner size width x depth x height, open towards -y, a window in its back wall."""
    plate = (width + 2 * THICK, depth + THICK, 0.05)
    hole = (-0.7, 0.7, 0.85, min(2.15, height - 0.3)) if window else None
    parts = [
        box(plate, (0, THICK / 2, -0.025), 0.001, 1, "floor_wood", grain=0),
        box(plate, (0, THICK / 2, height + 0.025), 0.001, 1, "ceiling"),
        # The back wall closes both corners behind the side walls.
        *placed(_wall(width + 2 * THICK, height, hole), (0, depth / 2, 0)),
        *placed(_wall(depth, height, (-0.45, 0.45, 0.0, 2.05)), (-width / 2, 0, 0), 90),
        *placed(_wall(depth, height, None), (width / 2, 0, 0), -90),
    ]
    if beams:
        beam = box((0.16, depth, 0.18), (0, 0, height - 0.09), 0.01, slot="skirting", grain=1)
        places = np.linspace(-width / 2, width / 2, 5)[1:-1]
        parts += along(beam, *((x, 0, 0) for x in places))
    return parts
