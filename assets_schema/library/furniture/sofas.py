"""Upholstered seats: sofas, corner sofas and easy chairs."""

from __future__ import annotations

import numpy as np

from ..arrange import both, placed
from ..mesh import Mesh
from ..soft import cushion, pillow, sheet
from ..solids import box, ellipse, slab
from ..turned import cylinder, smooth, tube
from .legs import bent, corner_legs

ARM = {"block": 0.17, "slim": 0.09, "round": 0.22}
SEAT, ARM_TOP, BACK = 0.44, 0.62, 0.82


def sofa(
    seats: int = 3,
    width: float = 2.1,
    depth: float = 0.92,
    arm: str = "block",
    legs: str = "taper",
    pillows: int = 2,
    tufted: bool = False,
    seed: int = 1,
) -> list[Mesh]:
    """A sofa with seat and back cushions, arms (block, slim, round), a plinth and legs."""
    leg = 0.13 if legs != "none" else 0.03
    inner = width - 2 * ARM[arm]
    each, back_y = inner / seats, depth / 2
    back = (width - 0.02, 0.16, BACK - leg - 0.02)
    parts = [
        box((width - 0.04, depth - 0.06, 0.17), (0, 0, leg + 0.085), 0.02, 3, "fabric"),
        box(back, (0, back_y - 0.09, (BACK + leg) / 2), 0.05, 4, "fabric"),
        *_arms(arm, width, depth, leg, seed),
    ]
    for i in range(seats):
        x = -inner / 2 + (i + 0.5) * each
        size = (each - 0.006, depth - 0.24, 0.17)
        parts.append(cushion(size, (x, -0.11, SEAT - 0.075), 0.03, 0.045, seed=seed + i))
        rest = cushion((each - 0.008, 0.42, 0.19), crown=0.045, radius=0.055, seed=seed + 10 + i)
        parts += placed([rest.turned(79, "x")], (x, back_y - 0.27, SEAT + 0.21))
        if tufted:
            dot = cylinder(0.014, 0.012, slot="fabric", segments=10).turned(80, "x")
            for row in range(2):
                y, z = back_y - 0.375 + 0.035 * row, SEAT + 0.14 + 0.15 * row
                parts += [dot.moved(x + k * each * 0.28, y, z) for k in (-1, 0, 1)]
    if legs != "none":
        thick, slot = (0.02, "metal") if legs == "pin" else (0.045, "wood")
        parts += corner_legs(
            width, depth, leg + 0.01, style=legs, thick=thick, slot=slot, inset=0.05
        )
    for k in range(pillows):
        side = -1 if k % 2 == 0 else 1
        scatter = pillow(0.46, 0.46, 0.15, seed=seed + 20 + k).turned(68, "x")
        reach = inner / 2 - 0.27 - 0.30 * (k // 2)
        place = (side * reach, back_y - 0.44, SEAT + 0.24)
        parts += placed([scatter], place, side * 10 - 4 * k)
    return parts


def _arms(style: str, width: float, depth: float, leg: float, seed: int) -> list[Mesh]:
    wide = ARM[style]
    x, middle = (width - wide) / 2, (ARM_TOP + leg) / 2
    if style == "round":
        side = (wide * 0.8, depth - 0.03, ARM_TOP - leg - 0.06)
        y = np.linspace(-depth / 2 + 0.02, depth / 2 - 0.03, 8)
        roll = np.column_stack([np.full(8, x), y, np.full(8, ARM_TOP - wide / 3)])
        return both(
            box(side, (x, 0, middle - 0.04), 0.03, 3, "fabric"), tube(roll, wide / 2, 20, "fabric")
        )
    pad = cushion((ARM_TOP - leg, depth - 0.02, wide), crown=0.012, radius=0.05, seed=seed + 5)
    return both(pad.turned(90, "y").moved(x, 0, middle))


def corner_sofa(
    mirror: bool = False, chaise: float = 1.55, width: float = 2.6, arm: str = "block"
) -> list[Mesh]:
    """A sofa with a chaise, on the right or, mirrored, on the left."""
    depth, wide, leg = 0.95, 0.80, 0.13
    long = chaise - depth
    x, y = (width - wide) / 2 - 0.01, -chaise / 2
    foot = box((0.045, 0.045, leg), (wide / 2 - 0.07, y - long / 2 + 0.06, leg / 2), 0.004)
    parts = [
        *sofa(3, width, depth, arm, "taper", 3, seed=4),
        box((wide, long + 0.1, 0.17), (x, y + 0.03, leg + 0.085), 0.02, 3, "fabric"),
        cushion((wide - 0.01, long + 0.14, 0.17), (x, y + 0.03, SEAT - 0.07), 0.03, 0.045, seed=9),
        *placed(both(foot), (x, 0, 0)),
    ]
    return [part.mirrored() for part in parts] if mirror else parts


def armchair(style: str) -> list[Mesh]:
    """An easy chair: club (upholstered), lounge (wood frame), shell (rounded back)."""
    if style == "club":
        return sofa(1, 0.86, 0.84, "block", "taper", 0)
    return _lounge_chair() if style == "lounge" else _shell_chair()


def _lounge_chair() -> list[Mesh]:
    seat = cushion((0.60, 0.62, 0.13), crown=0.025, radius=0.045, seed=1).turned(8, "x")
    rest = cushion((0.60, 0.60, 0.13), crown=0.025, radius=0.045, seed=2).turned(68, "x")
    x = 0.345
    front = [(x, -0.34, 0.0), (x, -0.33, 0.3), (x, -0.31, 0.56)]
    post = [(x, 0.42, 0.0), (x, 0.34, 0.3), (x, 0.36, 0.57), (x * 0.95, 0.44, 0.88)]
    arm = [(x, -0.38, 0.575), (x * 1.03, -0.2, 0.585), (x * 1.02, 0.1, 0.575), (x, 0.37, 0.56)]
    parts = both(
        bent(front, [0.016, 0.02, 0.018]),
        bent(post, [0.016, 0.02, 0.02, 0.014]),
        tube(smooth(arm), 0.026, 12, "wood", flat=0.5),
        tube([(x, -0.33, 0.36), (x, 0.35, 0.27)], 0.016, 8, "wood"),
    )
    rails = [
        tube([(-x, y, z), (x, y, z)], 0.016, 8, "wood")
        for y, z in ((-0.325, 0.34), (0.34, 0.27), (0.44, 0.84))
    ]
    return [seat.moved(0, -0.04, 0.40), rest.moved(0, 0.29, 0.66), *parts, *rails]


def _shell_chair() -> list[Mesh]:
    turn = np.linspace(np.radians(-35), np.radians(215), 34)[::-1]
    share = np.linspace(0, 1, 12)[:, None]
    height = 0.30 + share * (0.24 + 0.26 * np.clip(np.sin(turn), 0, 1) ** 1.2)
    x, y = (0.37 + 0.03 * share) * np.cos(turn), (0.36 + 0.05 * share) * np.sin(turn)
    uv = np.stack(np.broadcast_arrays(turn[None] * 0.37, share * 0.45), -1) / 0.35
    return [
        cushion((0.66, 0.62, 0.16), (0, -0.06, 0.40), 0.03, 0.06, seed=1),
        sheet(np.stack([x, y, height], -1), uv, "fabric", thickness=0.055),
        slab(ellipse(0.72, 0.70), 0.12, 0.24, 0.03, "fabric"),
        *corner_legs(0.62, 0.6, 0.26, style="splay", thick=0.035, splay=0.16),
    ]
