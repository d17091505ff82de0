"""The vertical cylinder that holds a character at every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .skinning import BakedCharacter


@dataclass(frozen=True)
class Footprint:
    """Vertical cylinder that holds a character at every frame, in its root space.

    `centres` (frames, 2), one `radius`, `low` and `high` z; metres.
    """

    centres: np.ndarray
    radius: float
    low: float
    high: float


def measure_footprint(baked: BakedCharacter) -> Footprint:
    """Measure the cylinder from the baked points, with its axis in the middle of their bounds."""
    points = baked.points_in_root()
    flat = points[..., :2].astype(np.float64)
    centres = (flat.min(axis=1) + flat.max(axis=1)) / 2
    radius = float(np.linalg.norm(flat - centres[:, None], axis=-1).max())
    low, high = float(points[..., 2].min()), float(points[..., 2].max())
    return Footprint(centres, math.ceil(radius * 1e3) / 1e3, low, high)
