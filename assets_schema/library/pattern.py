"""What a texture pattern is made of: periodic noise, cells and displaced reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["Field", "Pattern", "axes", "cells", "displaced", "fractal"]

Field = np.ndarray


@dataclass(frozen=True)
class Pattern:
    """What a pattern yields before colouring: tone -1..1, height in texels, roughness offset."""

    tone: Field
    height: Field
    roughness: Field


def fractal(
    rng: np.random.Generator,
    size: int,
    slope: float = 2.0,
    stretch: Sequence[float] = (1.0, 1.0),
    low: float = 1.0,
) -> Field:
    """Periodic noise (size, size) with power ~ frequency^-slope, mean 0 and deviation 1.

    `stretch` (along rows, along columns) lengthens features; `low` is the lowest frequency kept,
    in cycles per texture.
    """
    white = np.fft.rfft2(rng.standard_normal((size, size)))
    fy = np.fft.fftfreq(size, 1 / size)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(size, 1 / size)[None] * stretch[1]
    frequency = np.hypot(fy, fx)
    gain = np.where(frequency >= low, np.maximum(frequency, 1e-9) ** (-slope / 2), 0.0)
    field = np.fft.irfft2(white * gain, s=(size, size))
    return field / max(float(field.std()), 1e-12)


def axes(size: int) -> tuple[Field, Field]:
    """Texture coordinates v (down the rows) and u (along them), each (size, size) in [0, 1)."""
    t = np.arange(size) / size
    return t[:, None] * np.ones((1, size)), t[None] * np.ones((size, 1))


def displaced(field: Field, dy: Field, dx: Field) -> Field:
    """The periodic field read at positions displaced by (dy, dx) texels (nearest)."""
    size = len(field)
    rows, columns = np.indices(field.shape)
    return field[np.rint(rows + dy).astype(int) % size, np.rint(columns + dx).astype(int) % size]


def cells(rng: np.random.Generator, size: int, count: int) -> tuple[Field, Field]:
    """Distances to the nearest and second nearest of `count` random points on the torus."""
    tree = cKDTree(rng.uniform(0, 1, (count, 2)), boxsize=1.0)
    v, u = axes(size)
    distance, _ = tree.query(np.stack([v, u], -1).reshape(-1, 2), k=2)
    return distance[:, 0].reshape(size, size), distance[:, 1].reshape(size, size)
