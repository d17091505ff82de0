"""Start views: which free points see the subject well and show much of the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from houdini_pdg.layout.solids import Solids
from scaling4d.geometry.camera import look_at

from .moving import MovingCylinder

_RAYS = 7
_NEAREST, _FARTHEST = 1.5, 6.5  # metres from camera to subject, in plan
_COMFORTABLE = 2.6  # metres from which a standing person fits into a usual frame
_RATED = 48
_PERSON_SEEN = 0.6  # rating for each person in view


@dataclass(frozen=True)
class StartView:
    """A place to start from: `eye` (3,), the centre (3,) of what it sees, a rating in metres."""

    eye: np.ndarray
    seen_centre: np.ndarray
    rating: float


def sees(
    solids: Solids,
    people: Sequence[MovingCylinder],
    eyes: np.ndarray,
    targets: np.ndarray,
    times: np.ndarray,
    *,
    ignored: Sequence[str] = (),
) -> np.ndarray:
    """Whether each eye (k, 3) sees its target (k, 3) past boxes and people at times (k,).

    Names in `ignored` (the subject itself, and what it stands in) do not hide the target.
    """
    direction = targets - eyes
    entries = solids.entries(eyes, direction)
    hidden = [name in ignored for name in solids.names]
    entries[:, hidden] = np.inf
    clear = ~(entries < 0.995).any(axis=1)
    for person in people:
        if person.name not in ignored:
            clear &= ~_crosses(person, eyes, direction, times)
    result: np.ndarray = clear
    return result


def _crosses(
    person: MovingCylinder, eyes: np.ndarray, direction: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Whether segments pass through the inner 70 % of a person's cylinder."""
    offset = person.position(times) - eyes[:, :2]
    flat = direction[:, :2]
    along = np.clip((offset * flat).sum(1) / np.maximum((flat**2).sum(1), 1e-12), 0.0, 1.0)
    gap = np.linalg.norm(along[:, None] * flat - offset, axis=1)
    height = eyes[:, 2] + along * direction[:, 2]
    blocked: np.ndarray = (gap < 0.7 * person.radius) & (height < person.high)
    return blocked


def view_depths(
    solids: Solids, eyes: np.ndarray, targets: np.ndarray, half_angle: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cast a grid of rays through each view: hit distances, box indices, points.

    Returns:
        distances (k, rays) in metres, indices (k, rays) as `Solids.hits` gives them, and points
        (k, rays, 3).
    """
    side = np.linspace(-1, 1, _RAYS) * np.tan(half_angle)
    x, y = np.meshgrid(side, side)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    directions = rays @ look_at(eyes, targets)[:, :3, :3].transpose(0, 2, 1)
    origins = np.repeat(eyes, len(rays), axis=0)
    distance, index = solids.hits(origins, directions.reshape(-1, 3))
    distance = distance.reshape(len(eyes), -1)
    points = eyes[:, None] + np.minimum(distance, 20.0)[..., None] * directions
    return distance, index.reshape(len(eyes), -1), points


def rate_views(solids: Solids, distance: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Ratings (k,): depth in view, plus variety and share of furniture, less what is close by.

    A view of most of a furnished room rates about 6, a bare wall at arm's length below 0.
    """
    wall = np.array([name.startswith("wall_") for name in solids.names] + [True, True])
    depth = np.median(np.minimum(distance, 6.0), axis=1)
    things = np.array([len({i for i in row if not wall[i]}) for row in index.tolist()])
    furnished = (~wall[index]).mean(axis=1)
    blocked = (distance < 0.9).mean(axis=1)
    rating: np.ndarray = (
        0.7 * depth + 0.45 * np.minimum(things, 8) + 2.0 * furnished - 8.0 * blocked
    )
    return rating


def _people_in_view(
    solids: Solids,
    people: Sequence[MovingCylinder],
    eyes: np.ndarray,
    targets: np.ndarray,
    half_angle: float,
) -> np.ndarray:
    """Number (k,) of people that eyes (k, 3) looking at targets (k, 3) see at the start."""
    count, start = np.zeros(len(eyes)), np.zeros(len(eyes))
    forward = targets - eyes
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    for person in people:
        chest = np.append(person.track[0], 0.25 * person.low + 0.75 * person.high)
        points = np.broadcast_to(chest, eyes.shape)
        ray = points - eyes
        cosine = (ray * forward).sum(1) / np.linalg.norm(ray, axis=1)
        seen = sees(solids, people, eyes, points, start, ignored=(person.name,))
        count += seen & (cosine > np.cos(half_angle))
    return count


def rate_starts(
    solids: Solids,
    people: Sequence[MovingCylinder],
    points: np.ndarray,
    subject: np.ndarray,
    *,
    duration: float,
    half_angle: float,
    ignored: Sequence[str],
    rng: np.random.Generator,
) -> list[StartView]:
    """Rate free points (n, 3) as start views of a subject whose track is (frames, 3); best first.

    Only points are kept that see the subject at the clip's start and end from a sensible distance.
    """
    first, last = subject[0], subject[-1]
    gap = np.linalg.norm(points[:, :2] - first[:2], axis=1)
    end_gap = np.linalg.norm(points[:, :2] - last[:2], axis=1)
    kept = points[(gap > _NEAREST) & (gap < _FARTHEST) & (end_gap > _NEAREST)]
    for target, time in ((first, 0.0), (last, duration)):
        if not len(kept):
            return []
        targets = np.broadcast_to(target, kept.shape)
        times = np.full(len(kept), time)
        kept = kept[sees(solids, people, kept, targets, times, ignored=ignored)]
    kept = kept[rng.permutation(len(kept))[:_RATED]]
    if not len(kept):
        return []
    targets = np.broadcast_to(first, kept.shape)
    distance, index, hit = view_depths(solids, kept, targets, half_angle)
    near = np.linalg.norm(kept - first, axis=1)
    ratings = rate_views(solids, distance, index) - np.maximum(_COMFORTABLE - near, 0.0)
    ratings += _PERSON_SEEN * _people_in_view(solids, people, kept, targets, half_angle)
    order = np.argsort(-ratings, kind="stable")
    return [StartView(kept[i], np.median(hit[i], axis=0), float(ratings[i])) for i in order]
