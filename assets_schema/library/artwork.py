"""Pictures for frames and screens: small procedural images, sRGB uint8 (H, W, 3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from .textures import fractal

__all__ = ["ARTWORKS", "paint_artwork"]

SIZE = 256


def _mix(low: tuple[int, int, int], high: tuple[int, int, int], t: np.ndarray) -> np.ndarray:
    return np.asarray(low, float) * (1 - t[..., None]) + np.asarray(high, float) * t[..., None]


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    return x, y


def coast(rng: np.random.Generator) -> np.ndarray:
    """A beach under an evening sky."""
    x, y = _grid()
    cloud = np.clip(0.5 + 0.3 * fractal(rng, SIZE, 2.8, (1, 3)), 0, 1)
    image = _mix((120, 168, 204), (248, 208, 164), np.clip(y / 0.5, 0, 1))
    image += (cloud * np.clip(1 - y / 0.45, 0, 1))[..., None] * 46
    sun = np.exp(-(((x - 0.68) ** 2 + (y - 0.42) ** 2) / 0.0016))
    image += sun[..., None] * (90, 60, 10)
    waves = 0.5 + 0.35 * fractal(rng, SIZE, 1.8, (1, 7))
    sea = _mix((36, 92, 124), (118, 172, 184), np.clip(waves, 0, 1))
    shore = 0.74 + 0.03 * np.sin(7 * x) + 0.02 * np.sin(17 * x + 1)
    image = np.where((y > 0.5)[..., None], sea, image)
    sand = _mix(
        (196, 164, 120), (226, 200, 160), np.clip(0.5 + 0.2 * fractal(rng, SIZE, 1.0), 0, 1)
    )
    return np.where((y > shore)[..., None], sand, image)


def hills(rng: np.random.Generator) -> np.ndarray:
    """Layers of blue hills."""
    x, y = _grid()
    image = _mix((236, 200, 170), (250, 236, 216), y * 1.4)
    for k in range(6):
        ridge = (
            0.34
            + 0.11 * k
            + 0.07 * np.interp(x[0], np.linspace(0, 1, 9), rng.standard_normal(9))
            + 0.012 * np.interp(x[0], np.linspace(0, 1, 60), rng.standard_normal(60))
        )
        tone = np.array([150, 170, 186]) * (1 - 0.15 * k) + np.array([10, -2, -12])
        image = np.where((y > ridge[None])[..., None], tone, image)
    return image


def circles(rng: np.random.Generator) -> np.ndarray:
    """Overlapping discs and rings."""
    x, y = _grid()
    image = np.full((SIZE, SIZE, 3), (238, 230, 214), float)
    palette = [(196, 84, 52), (34, 62, 84), (224, 172, 76), (92, 128, 116), (60, 40, 44)]
    for k in range(9):
        cx, cy, radius = *rng.uniform(0.15, 0.85, 2), rng.uniform(0.08, 0.26)
        d = np.hypot(x - cx, y - cy)
        mask = d < radius if k % 3 else (d < radius) & (d > radius * 0.75)
        image = np.where(mask[..., None], 0.18 * image + 0.82 * np.array(palette[k % 5]), image)
    return image


def blocks(rng: np.random.Generator) -> np.ndarray:
    """Soft colour fields."""
    _, y = _grid()
    image = np.full((SIZE, SIZE, 3), (132, 44, 34), float)
    for top, bottom, color in (
        (0.08, 0.42, (226, 146, 62)),
        (0.48, 0.66, (44, 34, 48)),
        (0.71, 0.92, (206, 84, 52)),
    ):
        edge = 0.012 * np.interp(np.arange(SIZE), np.linspace(0, SIZE, 30), rng.standard_normal(30))
        x = np.arange(SIZE)[None] / SIZE
        inside = 1 / (
            1
            + np.exp(
                -(
                    np.minimum(np.minimum(y - top, bottom - y), np.minimum(x - 0.07, 0.93 - x))
                    + edge
                )
                * 140
            )
        )
        image = image * (1 - inside[..., None]) + np.array(color) * inside[..., None]
    return image + 7 * fractal(rng, SIZE, 1.8)[..., None]


def bloom(rng: np.random.Generator) -> np.ndarray:
    """A botanical print."""
    x, y = _grid()
    image = (
        np.full((SIZE, SIZE, 3), (240, 234, 220), float) + 2 * fractal(rng, SIZE, 1.4)[..., None]
    )
    for k in range(15):
        t = 0.12 + 0.052 * k
        side = 1 if k % 2 else -1
        cx, cy, angle = (
            0.5 + 0.05 * np.sin(6 * t) + side * 0.11 * (1.1 - t),
            1 - t,
            side * (0.6 - 0.3 * t),
        )
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
        mask = (u / 0.10) ** 2 + (v / (0.028 + 0.015 * np.cos(12 * u))) ** 2 < 1
        image = np.where(mask[..., None], (62 + 6 * k, 104 + 3 * k, 70), image)
    stalk = np.abs(x - 0.5 - 0.05 * np.sin(6 * (1 - y))) < 0.006
    image = np.where((stalk & (y > 0.08) & (y < 0.95))[..., None], (74, 92, 56), image)
    for k in range(6):
        a = k * np.pi / 3
        mask = ((x - 0.5 - 0.045 * np.cos(a)) / 0.035) ** 2 + (
            (y - 0.12 - 0.045 * np.sin(a)) / 0.035
        ) ** 2 < 1
        image = np.where(mask[..., None], (206, 92, 84), image)
    return image


def desktop(rng: np.random.Generator) -> np.ndarray:
    """A computer screen: wallpaper, a window with text lines, a dock."""
    x, y = _grid()
    image = _mix(
        (24, 44, 92),
        (160, 92, 140),
        np.clip(0.5 * x + 0.6 * y + 0.06 * fractal(rng, SIZE, 3.4), 0, 1),
    )
    window = (x > 0.16) & (x < 0.78) & (y > 0.12) & (y < 0.80)
    image = np.where(window[..., None], (246, 246, 248), image)
    image = np.where((window & (y < 0.18))[..., None], (206, 208, 214), image)
    for row in range(11):
        line = (
            (np.abs(y - 0.25 - 0.048 * row) < 0.008)
            & (x > 0.20)
            & (x < 0.30 + 0.42 * rng.uniform())
        )
        image = np.where(line[..., None], (96, 100, 112), image)
    dock = (y > 0.90) & (y < 0.97) & (x > 0.25) & (x < 0.75)
    image = np.where(dock[..., None], image * 0.5 + 110, image)
    for k in range(7):
        icon = (np.abs(x - 0.30 - 0.066 * k) < 0.02) & (np.abs(y - 0.935) < 0.022)
        image = np.where(icon[..., None], rng.integers(60, 240, 3), image)
    return image


ARTWORKS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "coast": coast,
    "hills": hills,
    "circles": circles,
    "blocks": blocks,
    "bloom": bloom,
    "desktop": desktop,
}


def paint_artwork(name: str) -> np.ndarray:
    """The picture of that name; raises ValueError for an unknown one."""
    if name not in ARTWORKS:
        raise ValueError(f"unknown artwork {name!r}; choose one of {sorted(ARTWORKS)}")
    return np.clip(ARTWORKS[name](named_rng(0, "artwork", name)), 0, 255).round().astype(np.uint8)
