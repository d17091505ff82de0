"""Turned parts by the name of their profile in ``profiles.yaml``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from ..mesh import Mesh
from ..turned import lathe, smooth

__all__ = ["turned"]


@functools.cache
def _profiles() -> dict[str, np.ndarray]:
    text = Path(__file__).with_name("profiles.yaml").read_text(encoding="utf-8")
    return {name: np.array(rows, float) for name, rows in yaml.safe_load(text).items()}


def turned(
    name: str,
    slot: str,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    *,
    radius: float = 1.0,
    height: float = 1.0,
    segments: int = 28,
    corner: float = 40.0,
) -> Mesh:
    """A part turned to a named profile, scaled by `radius` and `height`.

    The profile is rounded between corners sharper than `corner` degrees.
    """
    line = smooth(_profiles()[name] * (radius, height), 3, corner)
    return lathe(line, center, segments, slot, crease=corner)
