"""Styles of camera movement: families of curves that leave a start point.

Each style proposes many curves at once, (proposals, SAMPLES, 3), by arc length from the start, long
enough for the asked travel; the planner keeps the first that can be proved. Parameters are drawn
from the camera's own random stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SAMPLES = 49
PROPOSALS = 20


@dataclass(frozen=True)
class Move:
    """What a style is given.

    `start` and `subject` (3,) in the world; `travel` metres to cover; `drift` (SAMPLES, 3) the
    subject's displacement over the clip; `eye_levels` the least and greatest height of a camera.
    """

    start: np.ndarray
    subject: np.ndarray
    travel: float
    drift: np.ndarray
    eye_levels: tuple[float, float]
    rng: np.random.Generator


def propose(style: str, move: Move) -> np.ndarray:
    """Return PROPOSALS curves of a style, the most ambitious first.

    Later proposals travel less, down to a third, so that tight places still allow a move.
    """
    scale = np.repeat(np.linspace(1.0, 0.35, PROPOSALS // 2), 2)
    sign = np.tile([1.0, -1.0], PROPOSALS // 2) * (1 if move.rng.integers(2) else -1)
    return _STYLES[style](move, scale, sign)


def _radial(move: Move) -> tuple[np.ndarray, float, np.ndarray]:
    """Unit direction (2,) from subject to start, its length, and the tangent (2,)."""
    outward = (move.start - move.subject)[:2]
    radius = max(float(np.linalg.norm(outward)), 1e-6)
    outward = outward / radius
    return outward, radius, np.array([-outward[1], outward[0]])


def _ramp() -> np.ndarray:
    return np.linspace(0.0, 1.0, SAMPLES)


def _around(move: Move, sweep: np.ndarray, growth: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Turn about the subject by `sweep` (p,) radians while the radius and height change."""
    outward, radius, tangent = _radial(move)
    u = _ramp()
    angle = sweep[:, None] * u
    distance = radius * (1 + growth[:, None] * u)
    flat = np.cos(angle)[..., None] * outward + np.sin(angle)[..., None] * tangent
    xy = move.subject[:2] + distance[..., None] * flat
    z = np.broadcast_to(move.start[2] + lift[:, None] * u, angle.shape)
    return np.concatenate([xy, z[..., None]], axis=-1)


def _orbit(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    radius = _radial(move)[1]
    sweep = sign * scale * min(move.travel / radius, np.pi * 0.9)
    zero = np.zeros_like(scale)
    return _around(move, sweep, zero, zero)


def _arc(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    radius = _radial(move)[1]
    sweep = 0.8 * sign * scale * min(move.travel / radius, np.pi / 2)
    growth = move.rng.uniform(-0.5, 0.35, len(scale)) * scale * min(move.travel / radius, 0.6)
    lift = move.rng.uniform(-0.3, 0.3, len(scale)) * scale * min(move.travel, 1.5)
    return _around(move, sweep, growth, lift)


def _straight(move: Move, offset: np.ndarray) -> np.ndarray:
    return move.start + _ramp()[:, None] * offset[:, None, :]


def _dolly(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """In, out, or a truck to the side, with up to 20 degrees of slant."""
    outward, radius, tangent = _radial(move)
    sideways = move.rng.random() < 0.4
    main, other = (tangent, outward) if sideways else (outward, tangent)
    length = scale * move.travel
    if not sideways:
        length = np.where(sign < 0, np.minimum(length, max(radius - 1.2, 0.2)), length)
    slant = move.rng.uniform(-0.36, 0.36, len(scale)) * length
    flat = (sign * length)[:, None] * main + slant[:, None] * other
    rise = move.rng.uniform(-0.1, 0.1, len(scale)) * length
    return _straight(move, np.concatenate([flat, rise[:, None]], axis=1))


def _crane(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Up or down, with a little sideways movement, so that the parallax is more than vertical."""
    outward, _, tangent = _radial(move)
    low, high = move.eye_levels
    room = np.where(sign > 0, high - move.start[2], move.start[2] - low)
    lift = sign * np.minimum(scale * move.travel, np.maximum(room, 0.0)) * scale
    side = move.rng.uniform(-0.5, 0.5, len(scale)) * scale * move.travel
    push = move.rng.uniform(-0.3, 0.3, len(scale)) * scale * move.travel
    flat = side[:, None] * tangent + push[:, None] * outward
    return _straight(move, np.concatenate([flat, lift[:, None]], axis=1))


def _handheld(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """A slow wandering step; the shake itself is added over time by the planner."""
    heading = move.rng.uniform(0, 2 * np.pi, len(scale))
    turn = move.rng.uniform(-0.8, 0.8, len(scale))
    u = _ramp()
    angle = heading[:, None] + turn[:, None] * u
    steps = np.stack([np.cos(angle), np.sin(angle), 0.1 * np.sin(angle * 2)], axis=-1)
    length = (0.45 * scale * move.travel)[:, None, None] / SAMPLES
    return move.start + np.cumsum(steps * length, axis=1) - steps[:, :1] * length


def _follow(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Go along with the subject, from the side, from behind or in front of it."""
    share = np.linspace(1.0, 0.5, len(scale))
    _outward, _, tangent = _radial(move)
    drift = move.drift * np.array([1.0, 1.0, 0.0])
    side = sign * move.rng.uniform(0.0, 0.3, len(scale)) * scale * move.travel
    extra = _ramp()[:, None] * np.append(tangent, 0.0)
    return move.start + share[:, None, None] * drift + side[:, None, None] * extra


def _still(move: Move, scale: np.ndarray, sign: np.ndarray) -> np.ndarray:
    return np.broadcast_to(move.start, (len(scale), SAMPLES, 3)).copy()


_STYLES: dict[str, Callable[[Move, np.ndarray, np.ndarray], np.ndarray]] = {
    "orbit": _orbit,
    "arc": _arc,
    "dolly": _dolly,
    "crane": _crane,
    "handheld": _handheld,
    "follow": _follow,
    "still": _still,
}
