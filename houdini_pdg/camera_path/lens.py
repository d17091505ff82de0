"""Lenses: primes on a full-frame sensor, and the cone of view that certainly fits in the image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.camera import intrinsics_from_fov

from .config import TrajectoryConfig

SENSOR_WIDTH = 36.0
"""Millimetres; focal lengths are quoted for this width whatever the image's aspect."""
PRIMES = (16.0, 18.0, 20.0, 21.0, 24.0, 28.0, 32.0, 35.0, 40.0, 50.0, 65.0, 85.0)


@dataclass(frozen=True)
class Lens:
    """A lens by its focal length in millimetres over SENSOR_WIDTH."""

    focal_length: float

    @property
    def horizontal_fov(self) -> float:
        """Degrees."""
        return math.degrees(2 * math.atan(SENSOR_WIDTH / 2 / self.focal_length))

    def intrinsics(self, height: int, width: int) -> np.ndarray:
        """Intrinsics (3, 3) in pixels, square pixels, centred principal point."""
        return intrinsics_from_fov(height, width, self.horizontal_fov)

    def half_angle(self, height: int, width: int, margin: float) -> float:
        """Radians of the widest cone about the axis inside the image less its margin.

        `margin` is a share of the smaller side, kept free at each edge.
        """
        smaller = min(height, width)
        radius = smaller * (0.5 - margin)
        return math.atan(radius / (width * self.focal_length / SENSOR_WIDTH))


def cone_in_image(intrinsics: np.ndarray, height: int, width: int, margin: float) -> float:
    """Radians of the widest cone that stays in the image less its margin with every one of the
    intrinsics (n, 3, 3), whatever their principal point; `Lens.half_angle` of any pinhole."""
    keep = margin * min(height, width)
    focal, centre = intrinsics[:, (0, 1), (0, 1)], intrinsics[:, :2, 2]
    far = np.array([width, height]) - centre
    return float(np.arctan((np.minimum(centre, far) - keep) / focal).min())


def draw_lens(config: TrajectoryConfig, rng: np.random.Generator) -> Lens:
    """Draw a prime within the allowed fields of view, or the nearest focal length to them."""
    low, high = config.horizontal_fov
    fitting = [f for f in PRIMES if low <= Lens(f).horizontal_fov <= high]
    if fitting:
        return Lens(fitting[int(rng.integers(len(fitting)))])
    return Lens(SENSOR_WIDTH / 2 / math.tan(math.radians((low + high) / 4)))
