"""Points of interest: people first, then the furniture that a room is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Box, Layout

from .certificate import Subject
from .config import parse_point

_PERSON_WEIGHT = 5.0
_WEIGHTS = {
    "sofa": 1.5,
    "bed": 1.5,
    "dining_table": 1.5,
    "coffee_table": 1.0,
    "tv": 1.0,
    "desk": 1.0,
    "stove": 0.8,
    "chair": 0.6,
    "plants": 0.6,
    "bookcase": 0.6,
    "wardrobe": 0.4,
    "sideboard": 0.5,
}
_CHEST = 0.75  # share of a standing person's height

Drawn = tuple[Subject, tuple[str, ...]]


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
        drawn.append((_person(person, fps), (person["name"],)))
        weights.append(_PERSON_WEIGHT)
    for box in layout.boxes:
        weight = _WEIGHTS.get(box.category, 0.0)
        if weight > 0:
            drawn.append((_furniture(box, frames, fps), (box.name, *_carried(layout, box))))
            weights.append(weight)
    if not drawn:
        low, high = layout.bounds()
        middle = np.append((low + high) / 2, layout.floor_height + 1.2)
        return [(Subject("room", np.tile(middle, (frames, 1)), fps), ())]
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
            drawn.append((Subject(wish, np.tile(point, (frames, 1)), fps), ()))
        drawn += [
            (_person(person, fps), (person["name"],))
            for person in characters["characters"]
            if wish in ("person", person["name"])
        ]
        drawn += [
            (_furniture(box, frames, fps), (box.name, *_carried(layout, box)))
            for box in layout.boxes
            if wish in (box.name, box.category)
        ]
    return drawn


def _person(person: Mapping[str, Any], fps: float) -> Subject:
    """The chest of a person, over the clip."""
    track = np.asarray(person["track"], dtype=float)
    z = person["low"] + _CHEST * (person["high"] - person["low"])
    return Subject(person["name"], np.column_stack([track, np.full(len(track), z)]), fps)


def _furniture(box: Box, frames: int, fps: float) -> Subject:
    """A point in the upper middle of the box."""
    x, y, _ = box.position
    point = np.array([x, y, box.bottom + 0.8 * box.scale[2]])
    return Subject(box.name, np.tile(point, (frames, 1)), fps)


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
