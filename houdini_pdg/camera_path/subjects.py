"""Points of interest: people first, then the furniture that a room is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Box, Layout

from .config import parse_point

_PERSON_WEIGHT = 8.0
_WEIGHTS = {
    "sofa": 1.5,
    "bed": 1.5,
    "dining_table": 1.5,
    "coffee_table": 1.0,
    "tv": 0.6,
    "desk": 1.0,
    "stove": 0.8,
    "chair": 0.3,
    "plants": 0.2,
    "bookcase": 0.4,
    "wardrobe": 0.2,
    "sideboard": 0.5,
}
_CHEST = 0.75  # share of a standing person's height


@dataclass(frozen=True)
class Subject:
    """A point of interest: `track` (frames, 3) in the world, linear between frames."""

    name: str
    track: np.ndarray
    fps: float

    def position(self, times: np.ndarray) -> np.ndarray:
        x = np.asarray(times) * self.fps
        frames = np.arange(len(self.track))
        return np.stack([np.interp(x, frames, self.track[:, k]) for k in range(3)], axis=-1)

    def balls(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Balls (m, 3), (m,) that hold the subject over each [start, end] (m,)."""
        centre = self.position((start + end) / 2)
        frames = np.arange(len(self.track)) / self.fps
        inside = (frames > start[:, None]) & (frames < end[:, None])
        reach = np.linalg.norm(self.track - centre[:, None], axis=-1)
        knots = np.where(inside, reach, 0.0).max(axis=1)
        ends = [np.linalg.norm(self.position(t) - centre, axis=-1) for t in (start, end)]
        return centre, np.maximum(knots, np.maximum(*ends))


@dataclass(frozen=True)
class Drawn:
    """A subject and the names of what cannot hide it: itself, and what it stands on or in."""

    subject: Subject
    ignored: tuple[str, ...]


def draw_subjects(
    layout: Layout,
    characters: Mapping[str, Any],
    frames: int,
    rng: np.random.Generator,
    wishes: Sequence[str] = (),
) -> list[Drawn]:
    """Return subjects in the order to try them, each with the names that cannot hide it.

    With `wishes` (see `TrajectoryConfig.points_of_interest`) those that the scene has, equally
    likely; else people weigh more than furniture, and a room without either offers its middle.
    """
    if wishes:
        found = _wished(layout, characters, frames, wishes)
        return [found[int(i)] for i in rng.permutation(len(found))]
    fps = float(characters["fps"])
    drawn: list[Drawn] = []
    weights: list[float] = []
    for person in characters["characters"]:
        drawn.append(Drawn(_person(person, fps), (person["name"],)))
        weights.append(_PERSON_WEIGHT)
    for box in layout.boxes:
        weight = _WEIGHTS.get(box.category, 0.0)
        if weight > 0:
            drawn.append(_furniture(layout, box, frames, fps))
            weights.append(weight)
    if not drawn:
        low, high = layout.bounds()
        middle = np.append((low + high) / 2, layout.floor_height + 1.2)
        return [Drawn(Subject("room", np.tile(middle, (frames, 1)), fps), ())]
    share = np.array(weights) / sum(weights)
    return [drawn[int(i)] for i in rng.choice(len(drawn), len(drawn), replace=False, p=share)]


def _wished(
    layout: Layout, characters: Mapping[str, Any], frames: int, wishes: Sequence[str]
) -> list[Drawn]:
    fps = float(characters["fps"])
    drawn: list[Drawn] = []
    for wish in wishes:
        point = parse_point(wish)
        if point is not None:
            drawn.append(Drawn(Subject(wish, np.tile(point, (frames, 1)), fps), ()))
        drawn += [
            Drawn(_person(person, fps), (person["name"],))
            for person in characters["characters"]
            if wish in ("person", person["name"])
        ]
        drawn += [
            _furniture(layout, box, frames, fps)
            for box in layout.boxes
            if wish in (box.name, box.category)
        ]
    return drawn


def _person(person: Mapping[str, Any], fps: float) -> Subject:
    """The chest of a person, over the clip."""
    track = np.asarray(person["track"], dtype=float)
    z = person["low"] + _CHEST * (person["high"] - person["low"])
    return Subject(person["name"], np.column_stack([track, np.full(len(track), z)]), fps)


def _furniture(layout: Layout, box: Box, frames: int, fps: float) -> Drawn:
    """A point in the upper middle of the box."""
    x, y, _ = box.position
    point = np.array([x, y, box.bottom + 0.8 * box.scale[2]])
    subject = Subject(box.name, np.tile(point, (frames, 1)), fps)
    return Drawn(subject, (box.name, *_carried(layout, box)))


def _carried(layout: Layout, box: Box) -> list[str]:
    """Names of things that stand on the box or hold it, which do not hide it."""
    names = []
    for other in layout.boxes:
        offset = np.abs(np.asarray(other.position[:2]) - np.asarray(box.position[:2]))
        near = (offset < (np.asarray(box.scale[:2]) + np.asarray(other.scale[:2])) / 2).all()
        touching = abs(other.bottom - box.top) < 0.02 or abs(other.top - box.bottom) < 0.02
        if near and touching:
            names.append(other.name)
    return names
