"""What is seen through the windows: a sky with clouds over far hills, trees and a lawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

_HEIGHT, _WIDTH = 320, 640
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class _Weather:
    """sRGB colours in [0, 1] of the sky at the horizon and overhead, of clouds and of leaves."""

    horizon: Colour
    zenith: Colour
    cloud: Colour
    leaves: Colour


_HOURS = {
    "morning": _Weather(
        (0.98, 0.9, 0.78), (0.45, 0.62, 0.86), (1.0, 0.95, 0.9), (0.33, 0.37, 0.24)
    ),
    "noon": _Weather((0.8, 0.88, 0.95), (0.33, 0.54, 0.84), (0.97, 0.97, 0.98), (0.32, 0.39, 0.24)),
    "afternoon": _Weather(
        (0.88, 0.89, 0.9), (0.4, 0.57, 0.82), (0.98, 0.96, 0.94), (0.34, 0.39, 0.25)
    ),
    "evening": _Weather(
        (0.97, 0.7, 0.48), (0.36, 0.38, 0.6), (0.9, 0.62, 0.55), (0.17, 0.17, 0.14)
    ),
    "night": _Weather((0.1, 0.12, 0.2), (0.02, 0.03, 0.08), (0.11, 0.12, 0.17), (0.02, 0.03, 0.03)),
}
_OVERCAST = _Weather((0.8, 0.81, 0.83), (0.74, 0.76, 0.79), (0.84, 0.85, 0.86), (0.3, 0.35, 0.25))


_RIDGES = ((1.0, 6.0, 20.0, 0.65), (0.5, 7.0, 8.0, 0.4), (-3.0, 16.0, 3.0, 0.1))
"""Hills, a wood and trees: lowest crest and swing in degrees, smoothness in pixels, haze."""


def draw_sky(time_of_day: str, *, overcast: bool, rng: np.random.Generator) -> np.ndarray:
    """Return a latitude-longitude image (320, 640, 3) uint8 sRGB, zenith in the first row."""
    weather = _OVERCAST if overcast else _HOURS[time_of_day]
    elevation = 90.0 - (np.arange(_HEIGHT) + 0.5)[:, None] * (180.0 / _HEIGHT)
    up = np.clip(elevation / 60.0, 0.0, 1.0)[..., None] ** 0.6
    image = _mix(np.array(weather.horizon), np.array(weather.zenith), up)
    image = np.broadcast_to(image, (_HEIGHT, _WIDTH, 3))
    cover = 0.45 if overcast else float(rng.uniform(0.52, 0.68))
    density = np.clip((_noise(rng) - cover) * 6.0, 0.0, 0.9) * (elevation > 0)
    image = _mix(image, np.array(weather.cloud), density[..., None])
    haze, shade = np.array(weather.horizon), 0.85 + 0.3 * _noise(rng)[..., None]
    for base, swing, smooth, fade in _RIDGES:
        crest = base + swing * _crest(rng, smooth)
        land = _mix(np.array(weather.leaves) * shade, haze, np.array(fade))
        image = np.where((elevation < crest)[..., None], land, image)
    image = np.where((elevation < -2.0)[..., None], np.array(weather.leaves) * 1.2 * shade, image)
    return np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)


def write_sky(path: Path, image: np.ndarray) -> None:
    """Write the image as PNG."""
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise OSError(f"{path} could not be written")


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + share * (second - first)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (320, 640) in [0, 1] that meets itself at the image's sides."""
    total = np.zeros((_HEIGHT, _WIDTH))
    for octave in range(5):
        cells = 8 << octave
        coarse = rng.random((cells, 2 * cells))
        at = np.mgrid[0:_HEIGHT, 0:_WIDTH] * (cells / _HEIGHT)
        total += map_coordinates(coarse, at, order=1, mode="grid-wrap") / 2**octave
    return (total - total.min()) / np.ptp(total)


def _crest(rng: np.random.Generator, smooth: float) -> np.ndarray:
    """Heights (640,) in [0, 1] of a far ridge of hills or trees, closed around the horizon."""
    line = gaussian_filter1d(rng.normal(size=_WIDTH), smooth, mode="wrap")
    return (line - line.min()) / np.ptp(line)
