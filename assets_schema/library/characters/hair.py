"""Hair: a cap grown from the scalp and locks that are combed over the head and fall with gravity.

Styles are made on the template's head and laid over another body by the box of its head; hair is
skinned to the head, and what hangs below the chin is shared with the upper spine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..mesh import Mesh, merge
from ..soft import sheet
from .human import HumanTemplate

__all__ = ["HAIR_STYLES", "Barber", "Hair"]


@dataclass(frozen=True)
class Hair:
    """Hair on one body: points (N, 3), faces (F, 4), normals (N, 3), uv (N, 2), weights (N, J)."""

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Style:
    """A haircut.

    `length` metres of locks; `volume` metres that they stand off the scalp; `count` of locks;
    `part` the side from which hair is combed (-1 left, 0 back, 1 right); `curl` radius of a wave;
    `fringe` whether front locks fall forward; `tie` where locks gather ("", "tail", "bun");
    `hairline` degrees by which the hairline is shifted back.
    """

    length: float = 0.09
    volume: float = 0.014
    count: int = 260
    part: float = 0.0
    curl: float = 0.0
    fringe: bool = False
    tie: str = ""
    thick: float = 0.011
    hairline: float = 0.0
    cap: float = 0.006


HAIR_STYLES: dict[str, Style] = {
    "short": Style(length=0.042, volume=0.010, count=420, fringe=True, thick=0.008),
    "side_part": Style(length=0.075, volume=0.014, count=420, part=1.0, thick=0.008, hairline=0.04),
    "bob": Style(length=0.20, volume=0.014, count=420, part=-0.6, thick=0.0105),
    "long": Style(length=0.42, volume=0.012, count=400, part=0.4, thick=0.011),
    "ponytail": Style(length=0.13, volume=0.005, count=420, tie="tail", thick=0.008),
    "bun": Style(length=0.13, volume=0.005, count=420, tie="bun", thick=0.008),
    "curly": Style(length=0.075, volume=0.026, count=520, curl=0.011, thick=0.009, fringe=True),
    "buzz": Style(length=0.0, count=0, cap=0.003),
}


class Barber:
    """Makes each style once on the template's head and lays it over bodies."""

    def __init__(self, template: HumanTemplate, template_points: np.ndarray) -> None:
        self.template = template
        self.points = template_points
        body = np.unique(template.groups["body"])
        head = template.joints.index("Head")
        self.skin = body[template.weights[body, head] > 0.6]
        self.low, self.high = self._box(template_points)
        self._made: dict[str, Mesh] = {}

    def _box(self, base_points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        skull = base_points[self.skin]
        return skull.min(axis=0), skull.max(axis=0)

    def cut(self, style: str, base_points: np.ndarray) -> Hair:
        """A style of `HAIR_STYLES` on the body with these base-mesh positions (S, 3)."""
        if style not in self._made:
            self._made[style] = self._grow(HAIR_STYLES[style], named_rng(0, "hair", style))
        mesh = self._made[style]
        low, high = self._box(base_points)
        scale = (high - low) / (self.high - self.low)
        points = (mesh.points - self.low) * scale + low
        normals = mesh.normals / scale
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        # Judged on the template's head, so that every body shares one set of weights.
        hang = np.clip((self.low[2] + 0.02 - mesh.points[:, 2]) / 0.25, 0, 0.75)
        weights = np.zeros((len(points), len(self.template.joints)))
        weights[:, self.template.joints.index("Head")] = 1 - hang
        weights[:, self.template.joints.index("Spine2")] = hang
        return Hair(points, mesh.faces, normals, mesh.uv, weights)

    def _grow(self, style: Style, rng: np.random.Generator) -> Mesh:
        centre, radii = self._skull()
        parts = [self._cap(style, centre, radii)]
        comb = _comb(style)
        directions = _scatter(style.count, rng)
        directions = directions[self._hairy(directions, style) > 0.02]
        tie = np.array([0.0, centre[1] + radii[1] + 0.012, centre[2] + 0.035])
        if style.tie == "bun":
            tie = np.array([0.0, centre[1] + 0.75 * radii[1], centre[2] + 0.70 * radii[2]])
        locks: list[np.ndarray] = []
        for direction in directions:
            if style.tie:
                path = _to_tie(direction, tie, centre, radii, style)
            else:
                path = _fall(direction, comb(direction), centre, radii, style, rng)
            locks.append(_resampled(path, 8 if style.length < 0.3 else 10))
        if locks:
            widths = style.thick * rng.uniform(0.75, 1.25, len(locks))
            parts.append(_locks(np.stack(locks), widths, 0.8 if style.curl else 0.5, centre))
        if style.tie:
            extra = _tail(tie, rng) if style.tie == "tail" else _bun(tie, rng)
            parts.append(_locks(extra, np.full(len(extra), 0.009), 0.7, tie))
        return merge(parts)["hair"]

    def _skull(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre and radii of an ellipsoid about the cranium."""
        skull = self.points[self.skin]
        top = skull[:, 2].max()
        upper = skull[skull[:, 2] > top - 0.13]
        radii = np.array(
            [np.abs(upper[:, 0]).max(), (upper[:, 1].max() - upper[:, 1].min()) / 2, 0.118]
        )
        centre = np.array([0.0, (upper[:, 1].max() + upper[:, 1].min()) / 2, top - 0.118])
        return centre, radii

    def _hairy(self, direction: np.ndarray, style: Style) -> np.ndarray:
        """Positive where hair grows, for unit directions (..., 3) from the skull's centre."""
        x, y, z = np.moveaxis(direction, -1, 0)
        front = np.clip(-y, 0, 1)
        back = np.clip(y, 0, 1)
        # Forehead to temple, round the ear, down to the nape.
        line = 0.47 * front**0.7 - 0.12 * (1 - front) * (1 - back) - 0.58 * back
        sideburn = 0.10 * np.exp(-(((y + 0.25) / 0.16) ** 2)) * (np.abs(x) > 0.6)
        return z - (line - sideburn + style.hairline)

    def _cap(self, style: Style, centre: np.ndarray, radii: np.ndarray) -> Mesh:
        """A thin cap along the hairline that hides the scalp between the locks."""
        from scipy.spatial import cKDTree

        turn = np.linspace(0, 2 * np.pi, 73)
        rows = np.linspace(0, 1, 22)
        flat = np.stack([np.sin(turn), -np.cos(turn)], axis=1)
        grid = np.empty((len(rows), len(turn), 3))
        levels = np.linspace(-0.95, 0.9, 200)
        for k, (x, y) in enumerate(flat):
            ring = np.sqrt(1 - levels**2)
            ray = np.stack([x * ring, y * ring, levels], axis=1)
            grows = self._hairy(ray, style) > 0
            lowest = levels[np.argmax(grows)] if grows.any() else 0.5
            angle = np.arcsin(lowest) + (np.pi / 2 - np.arcsin(lowest)) * rows
            grid[:, k] = np.stack([x * np.cos(angle), y * np.cos(angle), np.sin(angle)], axis=1)
        skull = self.points[self.skin]
        outward = skull - centre
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        distance, nearest = cKDTree(outward).query(grid.reshape(-1, 3), k=4)
        share = 1 / np.maximum(distance, 1e-6)
        share /= share.sum(axis=1, keepdims=True)
        reach = (np.linalg.norm(skull - centre, axis=1)[nearest] * share).sum(axis=1)
        lift = (
            style.cap * np.minimum(1.0, rows / 0.1)[:, None].repeat(len(turn), 1).ravel() + 0.0015
        )
        points = centre + grid.reshape(-1, 3) * (reach + lift)[:, None]
        uv = np.stack(np.broadcast_arrays(rows[:, None] * 0.6, turn[None] * 1.2), -1)
        return sheet(points.reshape(*grid.shape[:2], 3)[:, ::-1], uv[:, ::-1], "hair", 0.0)


def _scatter(count: int, rng: np.random.Generator) -> np.ndarray:
    """Directions (n, 3) spread evenly over the sphere with a little jitter."""
    k = np.arange(2 * count) + 0.5
    z = 1 - k / count
    turn = k * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(np.maximum(1 - z**2, 0))
    points = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    points += 0.03 * rng.standard_normal(points.shape)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _comb(style: Style) -> Callable[[np.ndarray], np.ndarray]:
    """The direction (3,) in which hair at a unit direction of the head is combed."""

    def comb(direction: np.ndarray) -> np.ndarray:
        x, y, z = direction
        if style.fringe:
            flow = np.array([0.5 * x + 0.25, -0.9 if y < 0.35 else 0.5, -0.35])
        elif style.part:
            side = 1.0 if x * np.sign(style.part) > -0.35 else -1.0
            flow = np.array([np.sign(style.part) * side * 0.9, 0.25 + 0.5 * y, -0.5])
        else:
            flow = np.array([0.4 * x, 0.9, -0.5])
        return flow + np.array([0.0, 0.0, -0.6 * (1 - max(z, 0.0))])

    return comb


def _fall(
    direction: np.ndarray,
    flow: np.ndarray,
    centre: np.ndarray,
    radii: np.ndarray,
    style: Style,
    rng: np.random.Generator,
) -> np.ndarray:
    """A lock (n, 3): out of the scalp, along the comb, then down, never inside the head."""
    steps = 9 if style.length < 0.3 else 14
    length = style.length * rng.uniform(0.8, 1.08)
    step = length / (steps - 1)
    place = centre + direction * (radii + 0.001)
    heading = direction * 0.5 + flow / np.linalg.norm(flow)
    path = [place]
    phase, twist = rng.uniform(0, 6.28), rng.standard_normal(3)
    lift = style.volume * rng.uniform(0.6, 1.3)
    for i in range(1, steps):
        share = i / (steps - 1)
        heading = heading + np.array([0.0, 0.0, -0.55 - 0.5 * share]) * (0.5 + share)
        heading = heading / np.linalg.norm(heading)
        place = place + heading * step
        offset = (place - centre) / (radii + lift * min(1.0, 3.0 * share) + 0.002)
        reach = np.linalg.norm(offset)
        if reach < 1.0:
            outside = centre + offset / reach * (radii + lift * min(1.0, 3.0 * share) + 0.002)
            heading = outside - path[-1]
            place = outside
        if place[2] < centre[2] - 0.06:  # beside the face and neck hair hangs clear of the jaw
            place = _clear_of_neck(place, centre, radii)
        if _before_face(place, centre, radii, style):
            break  # cut where it would fall over the eyes
        path.append(place)
    line = np.asarray(path if len(path) > 1 else [*path, path[0] + 0.004 * direction])
    if style.curl:
        t = np.linspace(0, 1, len(line))[:, None]
        swirl = np.concatenate(
            [np.sin(14 * t + phase), np.cos(14 * t + phase), np.sin(11 * t + 2 * phase)], axis=1
        )
        line = line + style.curl * t * (swirl + 0.2 * twist)
    return line


def _before_face(place: np.ndarray, centre: np.ndarray, radii: np.ndarray, style: Style) -> bool:
    """Whether a point hangs before the face: low, in front, and not beside the cheeks."""
    x, y, z = (place - centre) / radii
    brow = 0.10 if style.fringe else 0.30
    return bool(y < -0.30 and z < brow and abs(x) < 0.80 + 0.25 * (y > -0.6))


def _clear_of_neck(place: np.ndarray, centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Long hair lies on a cylinder that widens over the shoulders and stays out of the face."""
    flat = place[:2] - centre[:2] - (0.0, 0.012)
    widen = 1.0 + 0.9 * np.clip((centre[2] - 0.16 - place[2]) / 0.2, 0, 1)
    limit = np.array([0.92, 0.86]) * radii[:2] * (1.0, widen)
    reach = np.linalg.norm(flat / limit)
    if reach < 1.0:
        flat = flat / max(reach, 1e-6)
    out = place.copy()
    out[:2] = centre[:2] + np.array([0.0, 0.012]) + flat
    out[1] = max(out[1], centre[1] - 0.45 * radii[1])
    return out


def _to_tie(
    direction: np.ndarray, tie: np.ndarray, centre: np.ndarray, radii: np.ndarray, style: Style
) -> np.ndarray:
    """A lock pulled tight over the head to where hair is tied."""
    goal = (tie - centre) / np.linalg.norm(tie - centre)
    shares = np.linspace(0, 1, 10)
    arc = direction[None] * (1 - shares[:, None]) + goal[None] * shares[:, None]
    arc /= np.linalg.norm(arc, axis=1, keepdims=True)
    return centre + arc * (radii + style.volume * (0.3 + 0.7 * np.sin(np.pi * shares))[:, None])


def _tail(tie: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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


def _bun(tie: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Locks (n, steps, 3) wound into a knot about the tie."""
    axis = rng.standard_normal((44, 3)) * (0.6, 1.0, 0.6)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first = np.cross(axis, [0.3, 0.5, 0.8])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    turn = (np.linspace(0, 3.6, 12)[None] + np.arange(44)[:, None])[..., None]
    return tie + 0.036 * (np.cos(turn) * first[:, None] + np.sin(turn) * second[:, None])


def _resampled(path: np.ndarray, steps: int) -> np.ndarray:
    """A path (n, 3) as `steps` points evenly spaced along it."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    goal = np.linspace(0, arc[-1], steps)
    return np.stack([np.interp(goal, arc, path[:, k]) for k in range(3)], axis=1)


def _locks(paths: np.ndarray, widths: np.ndarray, flat: float, centre: np.ndarray) -> Mesh:
    """Tapering locks with a diamond section along paths (n, steps, 3), flat against the head."""
    count, steps = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    outward = paths - centre
    outward -= tangent * (outward * tangent).sum(axis=2, keepdims=True)
    outward /= np.maximum(np.linalg.norm(outward, axis=2, keepdims=True), 1e-9)
    side = np.cross(tangent, outward)
    taper = np.sin(np.pi * np.linspace(0.18, 0.985, steps)) ** 0.6
    ring = np.arange(4) * np.pi / 2
    across = (
        np.cos(ring)[:, None] * side[:, :, None]
        + flat * np.sin(ring)[:, None] * outward[:, :, None]
    )
    points = paths[:, :, None] + (widths[:, None] * taper)[..., None, None] * across
    normals = across / np.maximum(np.linalg.norm(across, axis=3, keepdims=True), 1e-9)
    index = np.arange(count * steps * 4).reshape(count, steps, 4)
    following = np.roll(index, -1, axis=2)
    faces = np.stack([index[:, :-1], following[:, :-1], following[:, 1:], index[:, 1:]], axis=-1)
    along = np.broadcast_to(np.linspace(0, 1, steps)[None, :, None], (count, steps, 4))
    tone = np.broadcast_to((np.arange(count) * 0.618 % 1.0)[:, None, None], (count, steps, 4))
    around = np.broadcast_to(np.array([0.0, 0.04, 0.0, -0.04]), (count, steps, 4))
    uv = np.stack([along * 0.9, tone + around], axis=-1)
    return Mesh(
        points.reshape(-1, 3),
        faces.reshape(-1, 4)[:, ::-1],
        normals.reshape(-1, 3),
        uv.reshape(-1, 2),
        "hair",
    )
