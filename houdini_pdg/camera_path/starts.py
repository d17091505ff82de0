"""Subjects with their rated start views, and the start poses of a set of cameras.

The first camera takes a good view; each further one starts from the same pose, beside it, or from
the other side of the subject, as someone who asks for a novel view would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .free_space import FreeSpace, sample_points
from .lens import Lens, draw_lens
from .scene import Scene
from .subjects import Drawn, draw_subjects
from .views import StartView, rate_starts, sees

SPARE = 0.03
"""Metres beyond the asked clearance that sampled positions must keep."""

_POINTS = 320
_SUBJECTS = 3
_MUCH_BETTER = 1.0  # rating for which a subject drawn later is preferred, see `rate_views`
_STARTS = 4
_NEAREST_COMPANION = 1.3  # metres from the camera


@dataclass(frozen=True)
class Start:
    """The first pose: eye (3,), the aim's offset (3,) from the subject, lens, relation to the
    first camera, and the further points of interest that this pose has in frame."""

    eye: np.ndarray
    aim_offset: np.ndarray
    lens: Lens
    relation: str
    companions: tuple[Drawn, ...] = ()


@dataclass
class SubjectViews:
    """The subject of an attempt with its rated start views, the other points of interest of the
    scene, and the roadmap of free points."""

    drawn: Drawn
    others: tuple[Drawn, ...]
    views: list[StartView]
    space: FreeSpace
    tried: int = 0


def free_points(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Points (n, 3) at camera height that stay free for the whole clip."""
    low, high = scene.layout.bounds()
    floor, config = scene.solids.floor, scene.config
    top = min(config.height[1] + floor, scene.solids.ceiling - config.clearance - 2 * SPARE)
    bottom = min(config.height[0] + floor, top)
    box = np.append(low, bottom), np.append(high, top)
    points = sample_points(scene.region, *box, 2 * _POINTS, rng)
    return points[scene.always_free(points) > config.clearance + 2 * SPARE][:_POINTS]


def choose_subject(scene: Scene, space: FreeSpace, rng: np.random.Generator) -> SubjectViews | None:
    """Rate the views of the first few drawn subjects and keep the subject that is seen best."""
    clip = scene.clip
    half_angle = draw_lens(scene.config, rng).half_angle(clip.height, clip.width, 0.0)
    best: SubjectViews | None = None
    compared = 0
    subjects = draw_subjects(
        scene.layout, scene.characters, clip.frames, rng, scene.config.points_of_interest
    )
    for drawn in subjects:
        views = rate_starts(
            scene.solids,
            scene.people,
            space.points,
            drawn.subject.track,
            duration=clip.duration,
            half_angle=half_angle,
            ignored=drawn.ignored,
            rng=rng,
        )
        if len(views) < 3:
            continue
        compared += 1
        if best is None or views[0].rating > best.views[0].rating + _MUCH_BETTER:
            others = tuple(other for other in subjects if other is not drawn)
            best = SubjectViews(drawn, others, views, space)
        if compared == _SUBJECTS:
            break
    return best


def draw_starts(
    scene: Scene, state: SubjectViews, first: Start | None, rng: np.random.Generator
) -> list[Start]:
    """Start poses to try: good views for the first camera, related ones for the others.

    Where a subject cannot be seen from the other side, a view beside the first is the next best.
    """
    config = scene.config
    if first is None:
        return [_start_at(scene, state, view, "first", rng) for view in _pick(state.views, rng)]
    names = sorted(config.start_views)
    weights = np.array([config.start_views[name] for name in names])
    relation = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    shared = replace(first, relation="shared")
    beside = _related(scene, state, first, "offset", rng)
    if relation == "shared":
        return [shared] * 2 + beside
    across = _related(scene, state, first, "opposite", rng) if relation == "opposite" else []
    return across + beside + [shared] * 2


def _related(
    scene: Scene, state: SubjectViews, first: Start, relation: str, rng: np.random.Generator
) -> list[Start]:
    """Starts beside the first (6 to 40 degrees about the subject) or across (over 100 degrees)."""
    centre = state.drawn.subject.track[0, :2]
    reference = first.eye[:2] - centre
    low, high = (6.0, 40.0) if relation == "offset" else (100.0, 181.0)
    fitting = []
    for view in state.views:
        arm = view.eye[:2] - centre
        cosine = float(arm @ reference) / float(np.linalg.norm(arm) * np.linalg.norm(reference))
        angle = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
        ratio = float(np.linalg.norm(arm) / np.linalg.norm(reference))
        if low <= angle <= high and 0.5 < ratio < 2.0:
            fitting.append(view)
    return [_start_at(scene, state, view, relation, rng) for view in _pick(fitting, rng)]


def _pick(views: Sequence[StartView], rng: np.random.Generator) -> list[StartView]:
    """Draw views without repetition, well rated ones more often."""
    if not views:
        return []
    ratings = np.array([view.rating for view in views])
    weights = np.exp((ratings - ratings.max()) / 0.35)
    count = min(_STARTS, int((weights > 1e-12).sum()))
    chosen = rng.choice(len(views), size=count, replace=False, p=weights / weights.sum())
    return [views[int(i)] for i in chosen]


def _start_at(
    scene: Scene, state: SubjectViews, view: StartView, relation: str, rng: np.random.Generator
) -> Start:
    """Aim off the subject towards its companions or, without any, the middle of what is seen."""
    lens = draw_lens(scene.config, rng)
    clip = scene.clip
    allowed = lens.half_angle(clip.height, clip.width, scene.config.frame_margin)
    subject = state.drawn.subject.track[0]
    companions = _companions(scene, state, view.eye, allowed)
    if companions:
        middle = np.mean([subject, *(c.subject.track[0] for c in companions)], axis=0)
        most = 0.8 * allowed
    else:
        middle, most = view.seen_centre, float(rng.uniform(0.2, 0.55)) * allowed
    ray, other = subject - view.eye, middle - view.eye
    distance = float(np.linalg.norm(ray))
    axis = ray / distance
    side = other - (other @ axis) * axis
    reach = float(np.linalg.norm(side))
    angle = min(math.atan2(reach, float(other @ axis)), most)
    offset = side / max(reach, 1e-9) * math.tan(max(angle, 0.0)) * distance
    return Start(view.eye, offset, lens, relation, companions)


def _companions(
    scene: Scene, state: SubjectViews, eye: np.ndarray, allowed: float
) -> tuple[Drawn, ...]:
    """The other points of interest that fit into one image with the subject and are seen."""
    ray = state.drawn.subject.track[0] - eye
    found: list[Drawn] = []
    for other in state.others:
        if len(found) == scene.config.points_per_camera[1] - 1:
            break
        position = other.subject.track[0]
        away = position - eye
        distance = float(np.linalg.norm(away))
        cosine = float(away @ ray) / max(distance * float(np.linalg.norm(ray)), 1e-9)
        if distance < _NEAREST_COMPANION or cosine < math.cos(1.5 * allowed):
            continue
        ends = eye[None], position[None], np.zeros(1)
        if sees(scene.solids, scene.people, *ends, ignored=other.ignored)[0]:
            found.append(other)
    return tuple(found)
