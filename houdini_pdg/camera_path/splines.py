"""Uniform cubic B-splines over time and their Bezier pieces: the curves that cameras follow.

A curve over [0, duration] with n pieces has n + 3 control points. Consecutive pieces join with
continuous velocity and acceleration. Every bound used by the certificate is a bound on Bezier
control points, in whose convex hull the curve lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TimeSpline:
    """Control points (n + 3, dimensions) of a uniform cubic B-spline over `duration` seconds."""

    control: np.ndarray
    duration: float

    @property
    def pieces(self) -> int:
        return len(self.control) - 3

    @property
    def step(self) -> float:
        """Seconds per piece."""
        return self.duration / self.pieces

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """Values (..., dimensions) at times (...) in seconds, 0 <= time <= duration."""
        x = np.asarray(times, dtype=np.float64) / self.step
        index = np.clip(np.floor(x).astype(int), 0, self.pieces - 1)
        u = (x - index)[..., None]
        p0, p1, p2, p3 = (self.control[index + k] for k in range(4))
        w0, w3 = (1 - u) ** 3, u**3
        w1 = 3 * u**3 - 6 * u**2 + 4
        w2 = -3 * u**3 + 3 * u**2 + 3 * u + 1
        return (w0 * p0 + w1 * p1 + w2 * p2 + w3 * p3) / 6

    def bezier(self) -> np.ndarray:
        """Bezier control points (pieces, 4, dimensions)."""
        p0, p1, p2, p3 = (self.control[k : k + self.pieces] for k in range(4))
        return np.stack(
            [(p0 + 4 * p1 + p2) / 6, (2 * p1 + p2) / 3, (p1 + 2 * p2) / 3, (p1 + 4 * p2 + p3) / 6],
            axis=1,
        )

    def speed_bound(self) -> float:
        """Upper bound of the speed, per second: the longest control edge of the derivative."""
        return float(np.linalg.norm(np.diff(self.control, axis=0), axis=1).max()) / self.step

    def acceleration_bound(self) -> float:
        """Upper bound of the acceleration, exact at the joints because it is linear between."""
        second = np.diff(self.control, n=2, axis=0)
        return float(np.linalg.norm(second, axis=1).max()) / self.step**2


def control_times(duration: float, pieces: int) -> np.ndarray:
    """Times (pieces + 3,) that the control points stand for: one step before 0 to one after."""
    return (np.arange(pieces + 3) - 1) * (duration / pieces)


def through_ends(samples: np.ndarray) -> np.ndarray:
    """Control points (..., n + 3, d) from samples (..., n + 1, d) at the joints.

    The phantom points mirror their neighbours, so the curve starts at the first sample and ends at
    the last one exactly, without acceleration there.
    """
    first = 2 * samples[..., :1, :] - samples[..., 1:2, :]
    last = 2 * samples[..., -1:, :] - samples[..., -2:-1, :]
    return np.concatenate([first, samples, last], axis=-2)


def restrict(bezier: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Bezier control points (m, 4, d) of pieces restricted to [low, high] (m,) of [0, 1].

    They are the blossom's values at (a, a, a), (a, a, b), (a, b, b) and (b, b, b).
    """
    arguments = [(low, low, low), (low, low, high), (low, high, high), (high, high, high)]
    points = []
    for triple in arguments:
        level = bezier
        for value in triple:
            weight = value[:, None, None]
            level = (1 - weight) * level[:, :-1] + weight * level[:, 1:]
        points.append(level[:, 0])
    return np.stack(points, axis=1)


def enclosing_balls(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A ball around each set of points (m, k, d): centres (m, d) and radii (m,)."""
    centre = (points.min(axis=1) + points.max(axis=1)) / 2
    radius = np.linalg.norm(points - centre[:, None], axis=-1).max(axis=1)
    return centre, radius
