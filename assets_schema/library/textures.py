"""Procedural, seamless texture maps: a pattern between two colours as albedo, normal and roughness.

Every pattern is a periodic height or tone field, so its maps tile without a seam. Maps are uint8:
albedo (H, W, 3) sRGB, normal (H, W, 3) tangent space with +y up (OpenGL), roughness (H, W).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from . import cloth_patterns as cloth
from . import hard_patterns as hard
from .pattern import Pattern, fractal

__all__ = ["PATTERNS", "TextureMaps", "draw", "fractal"]


@dataclass(frozen=True)
class TextureMaps:
    """The three image maps of a finish."""

    albedo: np.ndarray
    normal: np.ndarray
    roughness: np.ndarray


PATTERNS: dict[str, Callable[[np.random.Generator, int], Pattern]] = {
    "wood": hard.wood,
    "planks": hard.planks,
    "fabric": cloth.fabric,
    "linen": cloth.linen,
    "knit": cloth.knit,
    "denim": cloth.denim,
    "stripes": cloth.stripes(6, 0.5),
    "pinstripes": cloth.stripes(14, 0.22),
    "check": cloth.check,
    "leather": cloth.leather,
    "marble": hard.marble,
    "granite": hard.granite,
    "concrete": hard.concrete,
    "brushed": hard.brushed,
    "carpet": cloth.carpet,
    "paint": hard.paint,
    "tiles": hard.tiles,
    "wicker": cloth.wicker,
}


def draw(
    pattern: str,
    dark: Sequence[float],
    light: Sequence[float],
    roughness: float,
    relief: float = 1.0,
    size: int = 256,
    seed: int = 0,
) -> TextureMaps:
    """The maps of a pattern between two colours.

    `dark`, `light`: sRGB 0..255 at tone -1 and +1; `roughness` 0..1 is the mean; `relief` scales
    the normal map. Raises ValueError for an unknown pattern.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"unknown texture pattern {pattern!r}; choose one of {sorted(PATTERNS)}")
    field = PATTERNS[pattern](named_rng(seed, "texture", pattern), size)
    mix = np.clip(0.5 + 0.5 * field.tone, -0.15, 1.15)[..., None]
    albedo = np.asarray(dark, float) * (1 - mix) + np.asarray(light, float) * mix
    dx = (np.roll(field.height, -1, 1) - np.roll(field.height, 1, 1)) / 2 * relief
    dy = (np.roll(field.height, -1, 0) - np.roll(field.height, 1, 0)) / 2 * relief
    # Image rows run down while texture v runs up, so +y of the normal follows +d/drow.
    normal = np.stack([-dx, dy, np.ones_like(dx)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    rough = np.clip(roughness + field.roughness, 0.03, 1.0)
    return TextureMaps(
        _stepped(albedo, 3), _stepped((normal * 0.5 + 0.5) * 255, 4), _stepped(rough * 255, 8)
    )


def _stepped(values: np.ndarray, step: int) -> np.ndarray:
    """uint8 in even steps: invisible in a texture, and half the bytes in a PNG.

    128 stays 128, so that a flat normal map is flat.
    """
    return np.clip(128 + np.round((values - 128) / step) * step, 0, 255).astype(np.uint8)
