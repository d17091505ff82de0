"""Patterns of hard surfaces: wood, planks, stone, metal, paint, tiles."""

from __future__ import annotations

import numpy as np

from .pattern import Pattern, axes, displaced, fractal


def wood(rng: np.random.Generator, size: int) -> Pattern:
    """Plain-sawn boards: growth rings stretched along u, pores and a soft figure."""
    v, u = axes(size)
    warp = fractal(rng, size, 3.4, (1.0, 5.0))
    cathedral = (
        0.55 * np.exp(-(((v - 0.5) / 0.22) ** 2)) * np.sin(2 * np.pi * u + rng.uniform(0, 6))
    )
    rings = 9 * v + 0.42 * warp + cathedral
    ring = np.sin(2 * np.pi * rings) * 0.5 + np.sin(4 * np.pi * rings + 1) * 0.18
    ring = np.sign(ring) * np.abs(ring) ** 0.8
    fibre = fractal(rng, size, 1.2, (1.0, 24.0))
    pores = np.clip(fractal(rng, size, 0.7, (1.0, 14.0)) - 1.25, 0, 2)
    figure = fractal(rng, size, 3.0, (1.5, 3.0))
    tone = 0.42 * ring + 0.20 * fibre + 0.22 * figure - 0.55 * pores
    return Pattern(tone, 0.18 * fibre - 0.9 * pores + 0.12 * ring, 0.03 * fibre + 0.05 * ring)


def planks(rng: np.random.Generator, size: int) -> Pattern:
    """A floor of staggered boards, each with its own tone and a thin dark joint."""
    base = wood(rng, size)
    v, u = axes(size)
    rows = 8
    row = np.floor(v * rows).astype(int)
    shift = np.array([0.0, 0.46, 0.21, 0.71, 0.36, 0.87, 0.11, 0.59])[row % 8]
    along = (u + shift) % 1.0
    board = np.floor(along * 1.0).astype(int) + 2 * row
    tones = rng.normal(0, 0.42, 64)
    jump = rng.integers(0, size, 64)
    tone = displaced(base.tone, jump[board % 64] * 1.0, jump[(board + 7) % 64] * 1.0)
    height = displaced(base.height, jump[board % 64] * 1.0, jump[(board + 7) % 64] * 1.0)
    gap_v = np.abs((v * rows + 0.5) % 1.0 - 0.5) * size / rows
    gap_u = np.minimum(along, 1 - along) * size
    gap = np.exp(-((np.minimum(gap_v, gap_u) / 0.9) ** 2))
    tone = 0.75 * tone + tones[board % 64] - 1.9 * gap
    return Pattern(tone, height - 2.0 * gap, base.roughness + 0.1 * gap)


def marble(rng: np.random.Generator, size: int) -> Pattern:
    """Polished stone with branching veins."""
    cloud = fractal(rng, size, 3.2)
    vein = np.zeros((size, size))
    for slope, width, weight in ((3.3, 0.05, 1.0), (2.8, 0.035, 0.7), (2.4, 0.03, 0.4)):
        ridge = fractal(rng, size, slope, low=1.0)
        vein += (
            weight * np.exp(-np.abs(ridge) / width) * np.clip(fractal(rng, size, 3.2) + 0.6, 0, 1.5)
        )
    tone = 0.22 * cloud - 1.25 * np.clip(vein, 0, 1.2)
    return Pattern(tone, np.zeros_like(cloud), 0.02 * cloud)


def granite(rng: np.random.Generator, size: int) -> Pattern:
    """Speckled stone: grains of several tones."""
    grain = fractal(rng, size, 0.9, low=14)
    big = fractal(rng, size, 1.6, low=5)
    dark = np.clip(fractal(rng, size, 1.0, low=10) - 1.1, 0, 1.5)
    return Pattern(0.5 * grain + 0.3 * big - 1.0 * dark, 0.05 * grain, 0.05 * dark)


def concrete(rng: np.random.Generator, size: int) -> Pattern:
    """Cast concrete: clouds, pits and trowel streaks."""
    cloud, streak = fractal(rng, size, 2.6), fractal(rng, size, 1.8, (1.0, 3.0))
    pits = np.clip(fractal(rng, size, 0.8, low=20) - 2.1, 0, 1)
    tone = 0.38 * cloud + 0.15 * streak - 1.2 * pits
    return Pattern(tone, 0.2 * streak - 2.5 * pits, 0.05 * cloud)


def brushed(rng: np.random.Generator, size: int) -> Pattern:
    """Metal brushed along u."""
    line = fractal(rng, size, 0.6, (1.0, 60.0), low=2)
    smudge = fractal(rng, size, 3.0)
    return Pattern(0.35 * line + 0.1 * smudge, 0.10 * line, 0.06 * line + 0.05 * smudge)


def paint(rng: np.random.Generator, size: int) -> Pattern:
    """Rolled wall paint: a faint orange-peel relief."""
    peel = fractal(rng, size, 1.4, low=8)
    cloud = fractal(rng, size, 3.0)
    return Pattern(0.05 * cloud + 0.02 * peel, 0.30 * peel, 0.03 * cloud)


def tiles(rng: np.random.Generator, size: int) -> Pattern:
    """Glazed square tiles with recessed grout, four by four."""
    v, u = axes(size)
    count = 4
    index = (np.floor(v * count) * count + np.floor(u * count)).astype(int)
    tone = rng.normal(0, 0.18, count * count)[index]
    edge = (
        np.minimum(
            np.minimum((u * count) % 1, 1 - (u * count) % 1),
            np.minimum((v * count) % 1, 1 - (v * count) % 1),
        )
        * size
        / count
    )
    grout = (edge < 1.6).astype(float)
    bevel = np.clip(edge / 4.0, 0, 1)
    glaze = fractal(rng, size, 3.0)
    return Pattern(tone + 0.10 * glaze - 1.3 * grout, 2.5 * bevel, 0.45 * grout)
