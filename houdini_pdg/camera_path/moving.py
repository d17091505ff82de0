"""People as moving vertical cylinders that hold their bodies at every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class MovingCylinder:
    """A vertical cylinder whose axis moves in straight lines from frame to frame.

    `track` (frames, 2) holds the axis in the floor plane at each frame; metres and seconds.
    """

    name: str
    track: np.ndarray
    radius: float
    low: float
    high: float
    fps: float

    def swept_distance(self, points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Signed distance (m,) of points (m, 3) to the cylinder swept over [start, end] (m,).

        The sweep covers whole frame steps, so it is never smaller than the true one.
        """
        a = self.track[:-1] if len(self.track) > 1 else self.track
        b = self.track[1:] if len(self.track) > 1 else self.track
        edge = b - a
        length = np.maximum((edge**2).sum(-1), 1e-18)
        offset = points[:, None, :2] - a
        along = np.clip((offset * edge).sum(-1) / length, 0.0, 1.0)
        flat = np.linalg.norm(offset - along[..., None] * edge, axis=-1)
        last = len(a) - 1
        first = np.clip(np.floor(start * self.fps - 1e-9), 0, last)
        final = np.clip(np.ceil(end * self.fps + 1e-9) - 1, first, last)
        step = np.arange(len(a))
        used = (step >= first[:, None]) & (step <= final[:, None])
        across = np.where(used, flat, np.inf).min(axis=1) - self.radius
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        above = np.abs(points[:, 2] - middle) - half
        outside = np.hypot(np.maximum(across, 0.0), np.maximum(above, 0.0))
        return outside + np.minimum(np.maximum(across, above), 0.0)

    def position(self, times: np.ndarray) -> np.ndarray:
        """Axis (..., 2) at times (...), linear between frames, held after the last."""
        x = np.asarray(times) * self.fps
        frames = np.arange(len(self.track))
        return np.stack([np.interp(x, frames, self.track[:, k]) for k in (0, 1)], axis=-1)


def read_characters(document: Mapping[str, Any]) -> tuple[MovingCylinder, ...]:
    """Return the moving cylinders of a characters.json document."""
    people: Sequence[Mapping[str, Any]] = document["characters"]
    return tuple(
        MovingCylinder(
            name=person["name"],
            track=np.asarray(person["track"], dtype=float).reshape(-1, 2),
            radius=float(person["radius"]),
            low=float(person["low"]),
            high=float(person["high"]),
            fps=float(document["fps"]),
        )
        for person in people
    )
