"""What is seen through the windows: a sky with clouds over far hills, trees and a lawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

_HEIGHT, _WIDTH = 1024, 2048
_DEGREES = np.float32(180.0 / _HEIGHT)
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


@dataclass(frozen=True)
class _Land:
    """A silhouette on the horizon. Angles in degrees; ``haze`` is the share of the sky's colour."""

    base: float
    swing: float
    smooth: float
    crowns: int
    leaves: float
    haze: float


_LANDS = (
    _Land(base=1.0, swing=6.0, smooth=11.0, crowns=0, leaves=0.05, haze=0.65),  # hills
    _Land(base=0.5, swing=3.0, smooth=4.5, crowns=240, leaves=0.3, haze=0.35),  # a wood
    _Land(base=-4.0, swing=1.5, smooth=6.0, crowns=24, leaves=0.6, haze=0.05),  # near trees
)


def draw_sky(time_of_day: str, *, overcast: bool, rng: np.random.Generator) -> np.ndarray:
    """Return a latitude-longitude image (1024, 2048, 3) uint8 sRGB, zenith in the first row.

    A pixel is 0.18 degrees wide, near to what a 480-pixel view of 60 degrees resolves.
    """
    weather = _OVERCAST if overcast else _HOURS[time_of_day]
    elevation = 90.0 - (np.arange(_HEIGHT, dtype=np.float32) + 0.5)[:, None] * _DEGREES
    up = np.clip(elevation / 60.0, 0.0, 1.0)[..., None] ** 0.6
    image = _mix(_colour(weather.horizon), _colour(weather.zenith), up)
    image = np.broadcast_to(image, (_HEIGHT, _WIDTH, 3))
    cover = 0.45 if overcast else float(rng.uniform(0.52, 0.68))
    density = np.clip((_noise(rng, octaves=6) - cover) * 6.0, 0.0, 0.9)
    clouds = np.where(elevation > 0, density, 0.0)[..., None]
    image = _mix(image, _colour(weather.cloud), clouds)
    haze, green = _colour(weather.horizon), _colour(weather.leaves)
    patches, twigs = _noise(rng, octaves=3), _noise(rng, octaves=4, cells=128)
    for land in _LANDS:
        below = _crest(rng, land) - elevation
        light = 0.25 * np.exp(-np.clip(below, 0.0, 90.0) / 4.0)  # from above, on the crowns
        shade = 0.75 + 0.3 * patches + light + land.leaves * (twigs - 0.5)
        colour = _mix(green * shade[..., None], haze, land.haze)
        inside = np.clip(below / _DEGREES + 0.5, 0.0, 1.0)
        image = _mix(image, colour, inside[..., None])
    lawn = np.clip((-2.0 - elevation) / _DEGREES + 0.5, 0.0, 1.0)
    grass = green * (1.2 * (0.85 + 0.3 * patches + 0.12 * (twigs - 0.5)))[..., None]
    image = _mix(image, grass, lawn[..., None])
    return np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)


def write_sky(path: Path, image: np.ndarray) -> None:
    """Write the image as PNG."""
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise OSError(f"{path} could not be written")


def _colour(channels: Colour) -> NDArray[np.float32]:
    return np.array(channels, np.float32)


def _mix(
    first: NDArray[np.float32], second: NDArray[np.float32], share: NDArray[np.float32] | float
) -> NDArray[np.float32]:
    return first + share * (second - first)


def _noise(rng: np.random.Generator, *, octaves: int, cells: int = 8) -> NDArray[np.float32]:
    """Smooth noise (1024, 2048) in [0, 1] that meets itself at the image's sides.

    The first octave has ``cells`` cells from zenith to nadir.
    """
    total = np.zeros((_HEIGHT, _WIDTH), np.float32)
    for octave in range(octaves):
        count = cells << octave
        coarse = rng.random((count, 2 * count), np.float32)
        coarse = np.pad(coarse, ((0, 1), (0, 1)), mode="wrap")
        at = np.arange(_WIDTH, dtype=np.float32) * (count / _HEIGHT)
        left, beyond = at.astype(int), at % 1
        wide = _mix(coarse[:, left], coarse[:, left + 1], beyond)
        top, below = left[:_HEIGHT], beyond[:_HEIGHT, None]
        total += _mix(wide[top], wide[top + 1], below) / np.float32(2**octave)
    return (total - total.min()) / np.ptp(total)


def _crest(rng: np.random.Generator, land: _Land) -> NDArray[np.float32]:
    """Elevation (2048,) of a silhouette in degrees, closed around the horizon."""
    line = gaussian_filter1d(rng.normal(size=_WIDTH), land.smooth / _DEGREES, mode="wrap")
    line = land.base + land.swing * (line - line.min()) / np.ptp(line)
    azimuth = np.arange(_WIDTH) * _DEGREES
    if land.crowns:
        spacing = 360.0 / land.crowns
        radius = spacing * rng.uniform(0.45, 1.0, land.crowns)
        centre = rng.uniform(0.0, 360.0, land.crowns)
        height = rng.uniform(0.0, 0.7, land.crowns) * radius
        apart = np.abs((azimuth[:, None] - centre + 180.0) % 360.0 - 180.0) / radius
        crowns = height + radius * np.sqrt(np.clip(1.0 - apart**2, 0.0, None))
        line = line + np.where(apart < 1.0, crowns, 0.0).max(axis=1)
    ragged = gaussian_filter1d(rng.normal(size=_WIDTH), 1.5, mode="wrap")
    return (line + land.leaves * ragged).astype(np.float32)
