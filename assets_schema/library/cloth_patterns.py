"""Patterns of cloth and hide: weaves, knits, stripes, leather, carpet, cane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .pattern import Pattern, axes, cells, fractal


def fabric(rng: np.random.Generator, size: int) -> Pattern:
    """A plain weave with slubs."""
    return _weave(rng, size, threads=56, slub=0.30)


def linen(rng: np.random.Generator, size: int) -> Pattern:
    """A coarse weave with uneven threads, as linen or canvas."""
    return _weave(rng, size, threads=34, slub=0.55)


def _weave(rng: np.random.Generator, size: int, threads: int, slub: float) -> Pattern:
    v, u = axes(size)
    warp_noise = fractal(rng, size, 1.6, (9.0, 1.0))
    weft_noise = fractal(rng, size, 1.6, (1.0, 9.0))
    a, b = np.pi * threads * u, np.pi * threads * v
    over = np.sin(a) * np.sin(b) > 0
    warp, weft = np.abs(np.sin(a)) ** 0.6, np.abs(np.sin(b)) ** 0.6
    height = np.where(
        over, warp * (1 + 0.35 * np.abs(np.cos(b))), weft * (1 + 0.35 * np.abs(np.cos(a)))
    )
    thread_tone = np.where(over, warp_noise, weft_noise)
    mottle = fractal(rng, size, 2.6)
    tone = 0.55 * (height - height.mean()) + slub * 0.42 * thread_tone + 0.12 * mottle
    return Pattern(tone, 1.1 * height + 0.2 * slub * thread_tone, 0.04 * thread_tone)


def knit(rng: np.random.Generator, size: int) -> Pattern:
    """Rows of knitted V stitches."""
    v, u = axes(size)
    columns, rows = 22, 30
    cell = (u * columns) % 1.0
    slant = np.abs(cell - 0.5) * 1.5
    stitch = np.abs(np.sin(np.pi * (v * rows + slant)))
    rib = np.abs(np.sin(2 * np.pi * u * columns)) ** 0.5
    height = stitch**0.7 * rib
    fuzz = fractal(rng, size, 1.0)
    return Pattern(
        0.6 * (height - height.mean()) + 0.14 * fuzz, 2.0 * height + 0.2 * fuzz, 0.03 * fuzz
    )


def denim(rng: np.random.Generator, size: int) -> Pattern:
    """A twill: diagonal wales, light and dark threads, gentle wear."""
    v, u = axes(size)
    wale = np.sin(2 * np.pi * 44 * (u + v))
    thread = fractal(rng, size, 1.2, (7.0, 1.0))
    wear = fractal(rng, size, 3.0)
    return Pattern(
        0.35 * wale + 0.40 * thread + 0.22 * wear, 0.7 * wale + 0.2 * thread, 0.03 * wear
    )


def stripes(count: int, share: float) -> Callable[[np.random.Generator, int], Pattern]:
    """Woven stripes: `count` bands along u, each light over `share` of its width."""

    def draw(rng: np.random.Generator, size: int) -> Pattern:
        base = fabric(rng, size)
        _, u = axes(size)
        band = ((u * count) % 1.0 < share).astype(float)
        return Pattern(0.6 * base.tone + 2.2 * (band - 0.5), base.height, base.roughness)

    return draw


def check(rng: np.random.Generator, size: int) -> Pattern:
    """A woven gingham check."""
    base = fabric(rng, size)
    v, u = axes(size)
    bands = ((u * 4) % 1.0 < 0.5).astype(float) + ((v * 4) % 1.0 < 0.5).astype(float)
    return Pattern(0.5 * base.tone + 1.5 * (bands - 1.0), base.height, base.roughness)


def leather(rng: np.random.Generator, size: int) -> Pattern:
    """Grained hide: periodic cells with soft valleys."""
    near, second = cells(rng, size, 420)
    valley = np.clip((second - near) / (0.35 / np.sqrt(420)), 0, 1) ** 0.6
    age = fractal(rng, size, 2.8)
    return Pattern(0.45 * (valley - 0.8) + 0.22 * age, 1.5 * valley, -0.10 * valley + 0.04 * age)


def carpet(rng: np.random.Generator, size: int) -> Pattern:
    """Cut pile: tufts with shade that follows brushing."""
    tuft = fractal(rng, size, 0.7, low=18)
    shade = fractal(rng, size, 2.8, low=2)
    return Pattern(0.50 * tuft + 0.22 * shade, 2.0 * tuft, np.zeros_like(tuft))


def wicker(rng: np.random.Generator, size: int) -> Pattern:
    """Woven cane or rattan."""
    base = _weave(rng, size, threads=20, slub=0.5)
    return Pattern(1.3 * base.tone, 2.2 * base.height, base.roughness)
