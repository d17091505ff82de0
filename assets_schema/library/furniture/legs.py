"""Legs of tables, chairs and cabinets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arrange import corners
from ..mesh import Mesh
from ..solids import box
from ..turned import smooth, tube
from .profiles import turned

__all__ = ["bent", "corner_legs", "slanted_leg"]


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

    Styles: square, taper (square, thinner below), turned, pin (thin metal rod), hairpin, splay
    (leaning outwards by `splay` metres per metre).
    """
    at = (width / 2 - inset - thick / 2, depth / 2 - inset - thick / 2)
    return corners(*[part.moved(*at) for part in _leg(style, height, thick, slot, splay)])


def _leg(style: str, height: float, thick: float, slot: str, splay: float) -> list[Mesh]:
    """A leg on the z axis of a piece that lies towards -x and -y."""
    if style in ("square", "taper"):
        leg = box((thick, thick, height), (0, 0, height / 2), 0.004, slot=slot, grain=2)
        if style == "square":
            return [leg]
        slim = 1 - 0.45 * (1 - leg.points[:, 2:] / height)
        return [replace(leg, points=leg.points * np.hstack([slim, slim, np.ones_like(slim)]))]
    if style == "turned":
        return [turned("leg_turned", slot, radius=thick / 2, height=height, segments=16)]
    if style == "hairpin":
        plate = box((0.11, 0.11, 0.004), (-0.035, -0.035, height - 0.002), 0.001, 1, slot)
        ends = ((-0.081, -0.009), (-0.009, -0.081))
        rods = [[(x, y, height), (x / 9, y / 9, 0.012), (0, 0, 0.006)] for x, y in ends]
        return [*(tube(rod, 0.006, 8, slot) for rod in rods), plate]
    lean = splay * height if style == "splay" else 0.0
    line = np.linspace((lean, lean, 0.0), (0, 0, height), 6)
    slim = np.linspace(0.55, 1.0, 6) if style == "splay" else np.ones(6)
    return [tube(line, thick / 2 * slim, 14, slot)]


def bent(path: Sequence[Sequence[float]], thick: Sequence[float], slot: str = "wood") -> Mesh:
    """A stick bent smoothly through points, its radius given at each of them."""
    line = smooth(path)
    share = np.linspace(0, len(path) - 1, len(line))
    return tube(line, np.interp(share, np.arange(len(path)), thick), 12, slot)


def slanted_leg(
    foot: float, top: float, height: float, thick: tuple[float, float], slot: str = "wood"
) -> Mesh:
    """A leg in the plane y = 0 from radius `foot` on the floor to `top`, for `around`."""
    return tube([(foot, 0, 0), (top, 0, height)], thick, 12, slot)
