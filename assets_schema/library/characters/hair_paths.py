"""Paths of locks: along the comb over the scalp, then down with gravity, or to a knot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .scalp import Scalp

__all__ = ["Style", "bun", "fall", "resampled", "scatter", "tail", "to_tie"]


@dataclass(frozen=True)
class Style:
    """A haircut.

    `length` metres of locks; `volume` metres that they stand off the scalp; `count` of locks;
    `part` where hair is parted (-1 left, 1 right, 0 not: combed back); `curl` radius of a wave;
    `fringe` whether front locks fall forward; `tie` where locks gather ("", "tail", "bun");
    `thick` half width of a lock; `fade` how much shorter sides and nape are; `hairline` how far
    the hairline is shifted back, in radii of the head; `cap` lift of the cap, metres.
    """

    length: float
    volume: float = 0.014
    count: int = 260
    part: float = 0.0
    curl: float = 0.0
    fringe: bool = False
    tie: str = ""
    thick: float = 0.0065
    fade: float = 0.0
    hairline: float = 0.0
    cap: float = 0.005


def scatter(count: int, rng: np.random.Generator) -> np.ndarray:
    """Directions (n, 3) spread evenly over the sphere with a little jitter."""
    k = np.arange(2 * count) + 0.5
    z = 1 - k / count
    turn = k * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(np.maximum(1 - z**2, 0))
    points = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    points += 0.03 * rng.standard_normal(points.shape)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def comb(direction: np.ndarray, style: Style) -> np.ndarray:
    """The direction (3,) in which hair at a unit direction of the head is combed."""
    x, y, z = direction
    if style.fringe:
        flow = np.array([0.5 * x + 0.2, -0.9 if y < 0.25 else 0.5, -0.35])
    elif style.part:
        side = 1.0 if x > 0.35 * style.part else -1.0
        flow = np.array([0.9 * side, 0.15 + 0.5 * y, -0.35])
    else:
        flow = np.array([0.4 * x, 0.9, -0.5])
    return flow + np.array([0.0, 0.0, -0.6 * (1 - max(z, 0.0))])


def fall(direction: np.ndarray, scalp: Scalp, style: Style, rng: np.random.Generator) -> np.ndarray:
    """A lock (n, 3): along the scalp where it is combed, then down, never inside the head."""
    low_down = np.clip(0.55 - direction[2], 0, 1)
    length = style.length * rng.uniform(0.82, 1.06) * (1 - style.fade * low_down)
    steps = max(7, int(np.ceil(length / 0.02)))
    place = scalp.centre + direction * (scalp.radii + 0.001)
    path = [place]
    lift = style.volume * rng.uniform(0.6, 1.3)
    brow = (0.16 if style.fringe else 0.30) + rng.uniform(-0.05, 0.05)
    for share in np.linspace(0, 1, steps)[1:]:
        around = scalp.directions(place)
        outward = around / scalp.radii
        outward /= np.linalg.norm(outward)
        flow = comb(around, style)
        flow = flow - outward * (flow @ outward)
        held = around[1] < -0.3 and abs(around[0]) < 0.75 and not style.fringe
        weight = 0.0 if held else np.clip((0.55 - around[2]) / 0.6, 0, 1)
        heading = (1 - weight) * flow / np.linalg.norm(flow) + weight * np.array([0.0, 0.0, -1.0])
        place = place + heading / np.linalg.norm(heading) * length / (steps - 1)
        shell = scalp.radii + lift * min(1.0, 2.5 * share) + 0.002
        offset = (place - scalp.centre) / shell
        reach = np.linalg.norm(offset)
        if reach < 1.0 or (held and share < 0.6):
            place = scalp.centre + offset / reach * shell
        if place[2] < scalp.centre[2] - 0.06:
            place = _clear_of_neck(place, scalp)
        if _before_face((place - scalp.centre) / scalp.radii, brow):
            break  # cut where it would fall over the eyes
        path.append(place)
    line = np.asarray(path if len(path) > 1 else [*path, path[0] + 0.004 * direction])
    if style.curl:
        line = line + style.curl * _swirl(len(line), rng)
    return line


def _swirl(count: int, rng: np.random.Generator) -> np.ndarray:
    """Curls (n, 3) of radius 1 that grow from the root."""
    t, phase = np.linspace(0, 1, count), rng.uniform(0, 6.28)
    turns = [np.sin(14 * t + phase), np.cos(14 * t + phase), np.sin(11 * t + 2 * phase)]
    return t[:, None] * (np.stack(turns, axis=1) + 0.2 * rng.standard_normal(3))


def _before_face(offset: np.ndarray, brow: float) -> bool:
    """Whether a point, in radii from the centre, hangs before the face and not beside it."""
    x, y, z = offset
    return bool(y < -0.30 and z < brow and abs(x) < 0.80 + 0.25 * (y > -0.6))


def _clear_of_neck(place: np.ndarray, scalp: Scalp) -> np.ndarray:
    """Beside face and neck hair lies on a cylinder that widens over the shoulders."""
    back = np.array([0.0, 0.012])
    flat = place[:2] - scalp.centre[:2] - back
    widen = 1.0 + 0.9 * np.clip((scalp.centre[2] - 0.16 - place[2]) / 0.2, 0, 1)
    limit = np.array([0.92, 0.86]) * scalp.radii[:2] * (1.0, widen)
    flat = flat / min(1.0, max(np.linalg.norm(flat / limit), 1e-6))
    out = place.copy()
    out[:2] = scalp.centre[:2] + back + flat
    out[1] = max(out[1], scalp.centre[1] - 0.45 * scalp.radii[1])
    return out


def to_tie(direction: np.ndarray, tie: np.ndarray, scalp: Scalp, style: Style) -> np.ndarray:
    """A lock pulled tight over the head to where hair is tied."""
    goal = (tie - scalp.centre) / np.linalg.norm(tie - scalp.centre)
    shares = np.linspace(0, 1, 10)
    arc = direction[None] * (1 - shares[:, None]) + goal[None] * shares[:, None]
    arc /= np.linalg.norm(arc, axis=1, keepdims=True)
    lift = style.volume * (0.3 + 0.7 * np.sin(np.pi * shares))[:, None]
    return scalp.centre + arc * (scalp.radii + lift)


def tail(tie: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Locks (n, steps, 3) of a tail that springs from the tie and hangs."""
    spread = rng.standard_normal((60, 1, 2)) * 0.018
    t = np.linspace(0, 1, 12)[None, :, None]
    long = rng.uniform(0.85, 1.05, (60, 1, 1))
    x = spread[..., :1] * np.sqrt(t)
    y = (
        (0.035 + spread[..., 1:]) * np.sqrt(t)
        + 0.02 * t
        + 0.03 * np.sin(np.pi * np.clip(2.2 * t, 0, 1))
    )
    z = -0.30 * long * t**1.3 + 0.02 * np.sin(np.pi * np.clip(2.2 * t, 0, 1))
    return tie + np.concatenate(np.broadcast_arrays(x, y, z), axis=2)


def bun(tie: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Locks (n, steps, 3) wound into a knot about the tie."""
    axis = rng.standard_normal((44, 3)) * (0.6, 1.0, 0.6)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first = np.cross(axis, [0.3, 0.5, 0.8])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    turn = (np.linspace(0, 3.6, 12)[None] + np.arange(44)[:, None])[..., None]
    return tie + 0.036 * (np.cos(turn) * first[:, None] + np.sin(turn) * second[:, None])


def resampled(path: np.ndarray, steps: int) -> np.ndarray:
    """A path (n, 3) as `steps` points evenly spaced along it."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    goal = np.linspace(0, arc[-1], steps)
    return np.stack([np.interp(goal, arc, path[:, k]) for k in range(3)], axis=1)
