"""Plan k synchronised cameras for one scene: subject, start views, styles, proof (§3.3).

For a subject (a person, or a piece of furniture), free points are rated as start views; a style
proposes curves from the chosen start; they are timed to the operator's limits, filtered by dense
sampling and at last proved by the certificate. Everything is drawn from named streams of the seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FloorRegion, Solids, floor_region, layout_solids
from scaling4d.geometry.seeds import rng as named_rng

from .certificate import CertificateFailed, Subject, certify, scene_distance
from .config import TrajectoryConfig
from .free_space import FreeSpace, sample_points
from .lens import Lens, draw_lens
from .moving import MovingCylinder, read_characters
from .path import CameraPath, path_statistics
from .splines import TimeSpline, through_ends
from .styles import SAMPLES, Move, propose
from .subjects import draw_subjects
from .timing import Limits, Shake, draw_pace, draw_shake, evaluate, piece_count, retime, turn_rates
from .views import StartView, rate_starts, rate_views, sees, view_depths

_POINTS = 320
_SPARE = 0.03  # metres beyond the asked clearance that sampled positions must keep
_MAX_PITCH = math.radians(38)
_LEAST_RATING = 0.5  # of a view along the path, see `rate_views`
_STARTS = 4
_STYLES_PER_START = 3
_SHAKE = {"handheld": 1.0, "follow": 0.5}


class PlanningFailed(ValueError):  # noqa: N818 - a verdict on the scene
    """No set of camera paths could be proved within the allowed attempts."""


@dataclass(frozen=True)
class Clip:
    """Length and image size of the cameras: frames, frames per second, pixels."""

    frames: int
    fps: float
    height: int
    width: int

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last, at least one frame step."""
        return max(self.frames - 1, 1) / self.fps

    @property
    def times(self) -> np.ndarray:
        return np.arange(self.frames) / self.fps


@dataclass(frozen=True)
class Scene:
    """A layout with its people, ready for queries."""

    layout: Layout
    characters: Mapping[str, Any]
    clip: Clip
    config: TrajectoryConfig

    @cached_property
    def region(self) -> FloorRegion:
        return floor_region(self.layout)

    @cached_property
    def solids(self) -> Solids:
        return layout_solids(self.layout, self.region)

    @cached_property
    def people(self) -> tuple[MovingCylinder, ...]:
        return read_characters(self.characters)

    @property
    def limits(self) -> Limits:
        turn = math.radians(self.config.max_turn_rate)
        return Limits(self.config.max_speed, self.config.max_acceleration, turn)

    def always_free(self, points: np.ndarray) -> np.ndarray:
        """Distance (...) of points (..., 3) to everything at any time of the clip."""
        flat = points.reshape(-1, 3)
        start, end = np.zeros(len(flat)), np.full(len(flat), self.clip.duration)
        return scene_distance(self.solids, self.people, flat, start, end).reshape(points.shape[:-1])


@dataclass(frozen=True)
class _Start:
    """The first pose: eye (3,), the aim's offset (3,) from the subject, lens and relation."""

    eye: np.ndarray
    aim_offset: np.ndarray
    lens: Lens
    relation: str


@dataclass
class _Views:
    """The subject of an attempt with its rated start views and the roadmap of free points."""

    subject: Subject
    ignored: tuple[str, ...]
    views: list[StartView]
    space: FreeSpace
    tried: int = field(default=0)


def plan_cameras(
    layout: Layout,
    characters: Mapping[str, Any],
    config: TrajectoryConfig,
    *,
    cameras: int,
    clip: Clip,
    seed: int,
) -> list[CameraPath]:
    """Return the proved paths of `cameras` synchronised cameras; the same seed gives the same.

    Args:
        layout: the scene's layout.
        characters: its characters.json document.
        config: limits, styles, start views.
        cameras: number of cameras.
        clip: frames, rate and image size.
        seed: 64-bit seed of the trajectory stage.

    Raises:
        PlanningFailed: saying how far the attempts came.
    """
    scene = Scene(layout, characters, clip, config)
    generator = named_rng(seed, "points")
    points = _free_points(scene, generator)
    best = 0
    for attempt in range(config.attempts):
        generator = named_rng(seed, "attempt", attempt)
        for subject, ignored in draw_subjects(layout, characters, clip.frames, generator):
            half_angle = draw_lens(config, generator).half_angle(clip.height, clip.width, 0.0)
            views = rate_starts(
                scene.solids,
                scene.people,
                points,
                subject.track,
                duration=clip.duration,
                half_angle=half_angle,
                ignored=ignored,
                rng=generator,
            )
            if len(views) < 3:
                continue
            space = FreeSpace(points, config.clearance + _SPARE, scene.always_free)
            state = _Views(subject, ignored, views, space)
            paths = _plan_set(scene, state, cameras, generator)
            if len(paths) == cameras:
                return paths
            best = max(best, len(paths))
            break
    raise PlanningFailed(
        f"only {best} of {cameras} camera paths could be proved in {config.attempts} attempts: "
        "allow less clearance, a lower density or fewer people"
    )


def _free_points(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Points (n, 3) at camera height that stay free for the whole clip."""
    low, high = scene.layout.bounds()
    floor, config = scene.solids.floor, scene.config
    top = min(config.height[1] + floor, scene.solids.ceiling - config.clearance - 2 * _SPARE)
    bottom = min(config.height[0] + floor, top)
    box = np.append(low, bottom), np.append(high, top)
    points = sample_points(scene.region, *box, 2 * _POINTS, rng)
    return points[scene.always_free(points) > config.clearance + 2 * _SPARE][:_POINTS]


def _plan_set(
    scene: Scene, state: _Views, cameras: int, rng: np.random.Generator
) -> list[CameraPath]:
    """Plan camera after camera; stops at the first that cannot be planned."""
    paths: list[CameraPath] = []
    first: _Start | None = None
    for index in range(cameras):
        found = None
        for start in _draw_starts(scene, state, first, rng):
            found = _plan_from(scene, state, start, f"cam{index}", rng)
            if found:
                first = first or start
                break
        if found is None:
            return paths
        paths.append(found)
    return paths


def _draw_starts(
    scene: Scene, state: _Views, first: _Start | None, rng: np.random.Generator
) -> list[_Start]:
    """Start poses to try: good views for the first camera, related ones for the others."""
    config = scene.config
    if first is None:
        return [_start_at(scene, state, view, "first", rng) for view in _pick(state.views, rng)]
    names = sorted(config.start_views)
    weights = np.array([config.start_views[name] for name in names])
    relation = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    shared = _Start(first.eye, first.aim_offset, first.lens, "shared")
    if relation == "shared":
        return [shared] * 2 + _related(scene, state, first, "offset", rng)
    return _related(scene, state, first, relation, rng) + [shared] * 2


def _related(
    scene: Scene, state: _Views, first: _Start, relation: str, rng: np.random.Generator
) -> list[_Start]:
    """Starts beside the first (6 to 40 degrees about the subject) or across (over 100 degrees)."""
    centre = state.subject.track[0, :2]
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
    weights = np.exp((ratings - ratings.max()) / 0.5)
    count = min(_STARTS, int((weights > 1e-12).sum()))
    chosen = rng.choice(len(views), size=count, replace=False, p=weights / weights.sum())
    return [views[int(i)] for i in chosen]


def _start_at(
    scene: Scene, state: _Views, view: StartView, relation: str, rng: np.random.Generator
) -> _Start:
    """Aim off the subject towards the middle of what is seen, by up to half the allowed angle."""
    lens = draw_lens(scene.config, rng)
    clip = scene.clip
    allowed = lens.half_angle(clip.height, clip.width, scene.config.frame_margin)
    subject = state.subject.track[0]
    ray, other = subject - view.eye, view.seen_centre - view.eye
    distance = float(np.linalg.norm(ray))
    axis = ray / distance
    side = other - (other @ axis) * axis
    reach = float(np.linalg.norm(side))
    angle = min(math.atan2(reach, float(other @ axis)), float(rng.uniform(0.2, 0.55)) * allowed)
    offset = side / max(reach, 1e-9) * math.tan(max(angle, 0.0)) * distance
    return _Start(view.eye, offset, lens, relation)


def _plan_from(
    scene: Scene, state: _Views, start: _Start, name: str, rng: np.random.Generator
) -> CameraPath | None:
    """Try styles from one start until a path is proved."""
    for style in _draw_styles(scene, state, rng):
        state.tried += 1
        path = _plan_style(scene, state, start, style, name, rng)
        if path is not None:
            return path
    return None


def _draw_styles(scene: Scene, state: _Views, rng: np.random.Generator) -> list[str]:
    track = state.subject.track
    moving = float(np.linalg.norm(track[-1, :2] - track[0, :2])) > 0.4
    weights = {s: w for s, w in sorted(scene.config.styles.items()) if w > 0}
    if not moving and len(weights) > 1:
        weights.pop("follow", None)
    names, values = list(weights), np.array(list(weights.values()))
    count = min(_STYLES_PER_START, len(names))
    chosen = rng.choice(len(names), size=count, replace=False, p=values / values.sum())
    return [names[int(i)] for i in chosen]


def _plan_style(
    scene: Scene, state: _Views, start: _Start, style: str, name: str, rng: np.random.Generator
) -> CameraPath | None:
    clip, subject = scene.clip, state.subject
    pieces = piece_count(clip.duration)
    distance = float(np.linalg.norm(subject.track[0] - start.eye))
    shake = draw_shake(_SHAKE.get(style, 0.0), distance, pieces, rng)
    joints = np.linspace(0.0, clip.duration, pieces + 1)
    aim_samples = subject.position(joints) + start.aim_offset
    aim = TimeSpline(through_ends(aim_samples) + shake.aim, clip.duration)
    curves = _curves(scene, state, start, style, rng)
    if not len(curves):
        return None
    control = retime(curves, aim, pace=draw_pace(rng), shake=shake, limits=scene.limits)
    for index in _promising(scene, subject, start, aim, control, style)[:4]:
        eye = TimeSpline(control[index], clip.duration)
        path = _prove(scene, state, start, style, name, eye, aim, shake)
        if path is not None:
            return path
    return None


def _curves(
    scene: Scene, state: _Views, start: _Start, style: str, rng: np.random.Generator
) -> np.ndarray:
    clip, subject = scene.clip, state.subject
    speed = float(rng.uniform(0.3, 0.75)) * scene.config.max_speed
    travel = min(speed * clip.duration, 12.0)
    if style == "spline":
        targets = np.broadcast_to(subject.track[0], state.space.points.shape)
        eyes, times = state.space.points, np.zeros(len(state.space.points))
        visible = sees(scene.solids, scene.people, eyes, targets, times, ignored=state.ignored)
        return state.space.routes(start.eye, travel, visible, rng)
    times = np.linspace(0.0, clip.duration, SAMPLES)
    drift = subject.position(times) - subject.track[0]
    floor, ceiling = scene.solids.floor, scene.solids.ceiling
    levels = (floor + 0.5, min(ceiling - scene.config.clearance - 0.1, floor + 2.3))
    return propose(style, Move(start.eye, subject.track[0], travel, drift, levels, rng))


def _promising(
    scene: Scene,
    subject: Subject,
    start: _Start,
    aim: TimeSpline,
    control: np.ndarray,
    style: str,
) -> list[int]:
    """Indices of proposals that pass every test at densely sampled times."""
    clip, config, limits = scene.clip, scene.config, scene.limits
    times = np.linspace(0.0, clip.duration, 3 * aim.pieces + 1)
    eyes = evaluate(control, clip.duration, times)
    step = clip.duration / aim.pieces
    flat = eyes.reshape(-1, 3)
    repeated = np.tile(times, len(control))
    clear = scene_distance(scene.solids, scene.people, flat, repeated, repeated)
    good = (clear.reshape(eyes.shape[:-1]) > config.clearance + 0.01).all(axis=1)
    good &= scene.region.contains(eyes[..., :2]).all(axis=1)
    axis, ray = aim(times) - eyes, subject.position(times) - eyes
    cross = np.linalg.norm(np.cross(axis, ray), axis=-1)
    angle = np.arctan2(cross, (axis * ray).sum(-1)).max(axis=1)
    allowed = start.lens.half_angle(clip.height, clip.width, config.frame_margin)
    good &= angle < allowed - math.radians(0.5)
    pitch = np.abs(np.arctan2(axis[..., 2], np.linalg.norm(axis[..., :2], axis=-1)))
    good &= (pitch < _MAX_PITCH).all(axis=1)
    edges = np.linalg.norm(np.diff(control, axis=1), axis=2)
    bends = np.linalg.norm(np.diff(control, n=2, axis=1), axis=2)
    good &= (edges.max(1) / step <= limits.speed) & (bends.max(1) / step**2 <= limits.acceleration)
    good &= turn_rates(control, aim).max(axis=1) <= limits.turn_rate
    if style != "still":
        travelled = np.linalg.norm(np.diff(eyes, axis=1), axis=2).sum(axis=1)
        good &= travelled > min(0.12 * limits.speed * clip.duration, 0.6)
    return [int(i) for i in np.flatnonzero(good)]


def _prove(
    scene: Scene,
    state: _Views,
    start: _Start,
    style: str,
    name: str,
    eye: TimeSpline,
    aim: TimeSpline,
    shake: Shake,
) -> CameraPath | None:
    """Check sight of the subject and the view, then prove the path; None if any of it fails."""
    clip, config, subject = scene.clip, scene.config, state.subject
    eyes, targets = eye(clip.times), subject.track
    sight = sees(
        scene.solids, scene.people, eyes, targets, clip.times, ignored=state.ignored
    ).mean()
    if sight < config.min_line_of_sight:
        return None
    checked = np.linspace(0, clip.frames - 1, 3).astype(int)
    half_angle = start.lens.half_angle(clip.height, clip.width, 0.0)
    aims = aim(clip.times[checked])
    distance, index, _ = view_depths(scene.solids, eyes[checked], aims, half_angle)
    if (rate_views(scene.solids, distance, index) < _LEAST_RATING).any():
        return None
    try:
        certificate = certify(
            eye,
            aim,
            subject,
            solids=scene.solids,
            people=scene.people,
            clearance=config.clearance,
            half_angle=start.lens.half_angle(clip.height, clip.width, config.frame_margin),
            layout=scene.layout,
            characters=scene.characters,
        )
    except CertificateFailed:
        return None
    roll = TimeSpline(shake.roll, clip.duration)
    path = CameraPath(name, style, start.relation, start.lens, eye, aim, roll, subject, certificate)
    statistics = path_statistics(path, clip.times, clip.height, clip.width)
    statistics.update(line_of_sight=float(sight), tried=state.tried)
    path.statistics.update(statistics)
    return path
