"""From curves by arc length to splines over time that keep the limits of a human operator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .splines import TimeSpline, through_ends

PIECE_SECONDS = 0.125
_ROUNDS = 4
_TURN_RESERVE = 0.95  # turning is sampled coarsely while time is scaled


@dataclass(frozen=True)
class Limits:
    """Metres per second, metres per second squared, radians per second."""

    speed: float
    acceleration: float
    turn_rate: float


@dataclass(frozen=True)
class Shake:
    """Offsets of eye and aim control points (pieces + 3, 3) and of the roll (pieces + 3, 1).

    All are zero at time 0, so that cameras which share a start pose share it exactly.
    """

    eye: np.ndarray
    aim: np.ndarray
    roll: np.ndarray


def piece_count(duration: float) -> int:
    return max(4, math.ceil(duration / PIECE_SECONDS - 1e-9))


def draw_shake(strength: float, distance: float, pieces: int, rng: np.random.Generator) -> Shake:
    """Draw hand-held shake: about 6 mm, 0.4 degrees of aim and of roll at strength 1."""

    def noise(dimensions: int, deviation: float) -> np.ndarray:
        values = rng.normal(0.0, strength * deviation, (pieces + 5, dimensions))
        smooth = (values[:-2] + 2 * values[1:-1] + values[2:]) / 4
        return smooth - (smooth[0] + 4 * smooth[1] + smooth[2]) / 6

    angle = math.radians(0.4)
    return Shake(noise(3, 0.006), noise(3, angle * distance), noise(1, angle))


STEADY = np.array([1.0, 0.0, 0.0])
"""Pace of constant speed, see `progress`."""


def draw_pace(rng: np.random.Generator) -> np.ndarray:
    """Weights (3,) of constant speed, easing in and out, and setting off from rest."""
    kind = int(rng.choice(3, p=[0.45, 0.35, 0.2]))
    return np.eye(3)[kind]


def progress(pace: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the path done at share x of the time."""
    eased = 0.5 * x + 0.5 * x * x * (3 - 2 * x)
    return pace[0] * x + pace[1] * eased + pace[2] * x * x * (2 - x)


def retime(
    curves: np.ndarray,
    aim: TimeSpline,
    *,
    pace: np.ndarray,
    shake: Shake,
    limits: Limits,
) -> np.ndarray:
    """Return eye control points (proposals, pieces + 3, 3) that keep the limits.

    Where a curve is too fast for the clip, the clip covers only its beginning: time is scaled, the
    shape is not changed.

    Args:
        curves: (proposals, samples, 3) evenly by arc length.
        aim: where the camera looks over time; its duration is the clip's.
        pace: see `progress`.
        shake: added to the control points.
        limits: for the whole motion, shake included.
    """
    duration, pieces = aim.duration, aim.pieces
    step = duration / pieces
    shake_speed = float(np.linalg.norm(np.diff(shake.eye, axis=0), axis=1).max()) / step
    second = np.linalg.norm(np.diff(shake.eye, n=2, axis=0), axis=1)
    shake_acceleration = float(second.max()) / step**2
    speed = max(limits.speed - shake_speed, 0.05)
    acceleration = max(limits.acceleration - shake_acceleration, 0.05)
    share = progress(pace, np.linspace(0.0, 1.0, pieces + 1))
    slower = np.ones(len(curves))
    for _ in range(_ROUNDS):
        control = through_ends(_at(curves, share / slower[:, None]))
        v = np.linalg.norm(np.diff(control, axis=1), axis=2).max(1) / step / speed
        a = np.linalg.norm(np.diff(control, n=2, axis=1), axis=2).max(1) / step**2 / acceleration
        w = turn_rates(control + shake.eye, aim).max(1) / (_TURN_RESERVE * limits.turn_rate)
        excess = np.maximum(np.maximum(v, np.sqrt(a)), w)
        if (excess <= 1.0).all():
            break
        slower = slower * np.where(excess > 1.0, excess * 1.02, 1.0)
    return control + shake.eye


def turn_rates(control: np.ndarray, aim: TimeSpline, *, per_piece: int = 2) -> np.ndarray:
    """Radians per second (proposals, steps) of the viewing direction, `per_piece` steps a piece."""
    times = np.linspace(0.0, aim.duration, per_piece * aim.pieces + 1)
    eyes = evaluate(control, aim.duration, times)
    forward = aim(times) - eyes
    forward /= np.maximum(np.linalg.norm(forward, axis=-1, keepdims=True), 1e-9)
    chord = np.linalg.norm(np.diff(forward, axis=1), axis=-1)
    angles: np.ndarray = 2 * np.arcsin(np.clip(chord / 2, 0, 1)) / (times[1] - times[0])
    return angles


def evaluate(control: np.ndarray, duration: float, times: np.ndarray) -> np.ndarray:
    """Positions (proposals, times, 3) of many splines (proposals, pieces + 3, 3) at once."""
    count, points, _ = control.shape
    flat = control.transpose(1, 0, 2).reshape(points, count * 3)
    values = TimeSpline(flat, duration)(times)
    return values.reshape(len(times), count, 3).transpose(1, 0, 2)


def _at(curves: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points (p, m, 3) of curves (p, samples, 3) at shares (p, m) of their length."""
    x = np.clip(share, 0.0, 1.0) * (curves.shape[1] - 1)
    low = np.minimum(x.astype(int), curves.shape[1] - 2)
    weight = (x - low)[..., None]
    row = np.arange(len(curves))[:, None]
    return (1 - weight) * curves[row, low] + weight * curves[row, low + 1]
