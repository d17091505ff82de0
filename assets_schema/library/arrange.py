"""Where parts go: on both sides, at four corners, around an axis, along a line, within a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from .mesh import Mesh
from .solids import box

__all__ = ["along", "around", "both", "corners", "frame", "placed"]


def placed(
    parts: Iterable[Mesh],
    at: Sequence[float] | np.ndarray = (0.0, 0.0, 0.0),
    turn: float = 0.0,
    axis: str = "z",
) -> list[Mesh]:
    """Parts turned together by `turn` degrees about an axis, then moved to `at`."""
    return [(part.turned(turn, axis) if turn else part).moved(*at) for part in parts]


def both(*parts: Mesh) -> list[Mesh]:
    """Parts and their mirror images across x = 0."""
    return [each for part in parts for each in (_other_grain(part.mirrored(), 1), part)]


def corners(*parts: Mesh) -> list[Mesh]:
    """Parts at (x, y) repeated at (-x, y), (x, -y) and (-x, -y)."""
    back = [_other_grain(part.scaled(1.0, -1.0, 1.0), 2) for part in parts]
    return both(*parts, *back)


def around(count: int, *parts: Mesh, start: float = 0.0) -> list[Mesh]:
    """Parts repeated `count` times about the z axis, the first turned by `start` degrees."""
    return [
        _other_grain(part.turned(start + 360.0 * k / count), k)
        for k in range(count)
        for part in parts
    ]


def along(part: Mesh, *places: Sequence[float]) -> list[Mesh]:
    """One part at several places."""
    return [_other_grain(part.moved(*place), k) for k, place in enumerate(places)]


def frame(
    width: float,
    height: float,
    bar: float,
    thick: float,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    *,
    rail: float | None = None,
    bevel: float = 0.004,
    slot: str = "wood",
) -> list[Mesh]:
    """Two stiles and, between them, two rails around an upright rectangle; `rail` is their height.

    `center` is the middle of the rectangle, metres.
    """
    rail = bar if rail is None else rail
    stile = box((bar, thick, height), ((width - bar) / 2, 0, 0), bevel, slot=slot, grain=2)
    level = box((width - 2 * bar, thick, rail), (0, 0, (height - rail) / 2), bevel, slot=slot)
    parts = [*both(stile), level, _other_grain(level.moved(z=rail - height), 1)]
    return placed(parts, center)


def _other_grain(part: Mesh, k: int) -> Mesh:
    """A copy that shows another piece of its texture, so that repeats do not look stamped."""
    return replace(part, uv=part.uv + np.array([0.37, 0.61]) * k) if k else part
