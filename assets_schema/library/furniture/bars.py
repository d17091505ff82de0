"""Bar counters."""

from __future__ import annotations

import numpy as np

from ..arrange import along, both, placed
from ..mesh import Mesh
from ..solids import box
from ..turned import tube
from .chairs import bar_chair
from .ornaments import vase

WIDE, BOARDS = 1.8, 14


def bar(style: str) -> list[Mesh]:
    """Bar counters: straight, island (with stools), corner."""
    pitch = WIDE / BOARDS
    board = box((pitch * 0.7, 0.02, 0.95), (0, -0.205, 0.5), 0.005, 1, grain=2)
    parts = [
        box((WIDE, 0.5, 1.02), (0, 0.05, 0.51), 0.006),
        box((WIDE + 0.1, 0.72, 0.04), (0, 0, 1.04), 0.008, slot="wood_top"),
        *along(board, *((x, 0, 0) for x in (np.arange(BOARDS) + 0.5) * pitch - WIDE / 2)),
        tube([(-WIDE / 2, -0.3, 0.2), (WIDE / 2, -0.3, 0.2)], 0.018, 12),
        *(tube([(x, -0.3, 0.2), (x, -0.2, 0.2)], 0.012, 8) for x in (-0.8, 0.0, 0.8)),
        *(vase(0.14, 0.035, (0.3 + 0.1 * k, 0.05, 1.06), "cup", "glass") for k in range(3)),
        vase(0.30, 0.04, (0.7, 0.1, 1.06), "bottle", "bottle_1"),
        vase(0.28, 0.04, (0.6, 0.12, 1.06), "bottle", "bottle_2"),
    ]
    if style == "corner":
        x = WIDE / 2 + 0.2
        parts += [
            box((0.5, 1.0, 1.02), (x, 0.3, 0.51), 0.006),
            box((0.62, 1.2, 0.04), (x, 0.24, 1.04), 0.008, slot="wood_top"),
        ]
    elif style == "island":
        parts += both(*placed(bar_chair("saddle"), (0.5, -0.62, 0)))
    return parts
