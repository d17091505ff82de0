"""Curves over time that motions are drawn with: eases, keys, turns and breathing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .motion import FPS

__all__ = ["breath", "ease", "keys", "turn"]


def ease(t: np.ndarray) -> np.ndarray:
    """Smooth 0..1 with no speed and no acceleration at both ends (quintic)."""
    t = np.clip(t, 0.0, 1.0)
    return t**3 * (10 - 15 * t + 6 * t**2)


def keys(frames: int, *points: tuple[float, float]) -> np.ndarray:
    """A curve (T,) through (second, value) keys, eased between each two."""
    time = np.arange(frames) / FPS
    out = np.full(frames, float(points[0][1]))
    for (t0, v0), (t1, v1) in pairwise(points):
        out = np.where(time >= t0, v0 + (v1 - v0) * ease((time - t0) / (t1 - t0)), out)
    return out


def turn(
    frames: int,
    x: np.ndarray | float = 0.0,
    y: np.ndarray | float = 0.0,
    z: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Degrees (T, 3) from curves or constants."""
    return np.stack([np.broadcast_to(np.asarray(c, float), frames) for c in (x, y, z)], axis=1)


def breath(frames: int, seconds: float = 3.5, phase: float = 0.0) -> np.ndarray:
    """A breathing wave (T,) that closes over the clip."""
    cycles = max(1, round(frames / FPS / seconds))
    return np.sin(2 * np.pi * cycles * np.arange(frames) / (frames - 1) + phase)
