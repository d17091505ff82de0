"""Plan k synchronised cameras for one scene: subject, start views, styles, proof (§3.3).

For a subject (a person, or a piece of furniture), free points are rated as start views; a style
proposes curves from the chosen start; they are timed to the operator's limits, filtered by dense
sampling and at last proved by the certificate. Everything is drawn from named streams of the seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Layout
from scaling4d.geometry.seeds import rng as named_rng

from .certificate import CertificateFailed, certify, scene_distance
from .config import TrajectoryConfig
from .free_space import FreeSpace
from .path import CameraPath, path_statistics
from .scene import Clip, Scene
from .splines import TimeSpline, through_ends
from .starts import SPARE, Start, SubjectViews, choose_subject, draw_starts, free_points
from .styles import SAMPLES, Move, propose
from .subjects import Drawn
from .timing import STEADY, Shake, draw_pace, draw_shake, evaluate, piece_count, retime, turn_rates
from .views import rate_views, sees, view_depths

_MAX_PITCH = math.radians(38)
_LEAST_RATING = 0.5  # of a view along the path, see `rate_views`
_STYLES_PER_START = 3
_SHAKE = {"handheld": 1.0, "follow": 0.5}
_FOLLOW = 5.0  # factor on the weight of `follow` where the subject walks
_SPARE_ANGLE = math.radians(0.5)  # left to the proof, whose bounds are wider than samples


class PlanningFailed(ValueError):  # noqa: N818 - a verdict on the scene
    """No set of camera paths could be proved within the allowed attempts."""


def plan_cameras(
    layout: Layout,
    characters: Mapping[str, Any],
    config: TrajectoryConfig,
    *,
    cameras: int,
    clip: Clip,
    seed: int,
    redrawn: list[str] | None = None,
) -> list[CameraPath]:
    """Return the proved paths of `cameras` synchronised cameras; the same seed gives the same.

    Args:
        layout: the scene's layout.
        characters: its characters.json document.
        config: limits, styles, start views.
        cameras: number of cameras.
        clip: frames, rate and image size.
        seed: 64-bit seed of the trajectory stage.
        redrawn: gets a sentence for each attempt that was given up for the next child seed.

    Raises:
        PlanningFailed: saying how far the attempts came.
    """
    scene = Scene(layout, characters, clip, config)
    generator = named_rng(seed, "points")
    space = FreeSpace(free_points(scene, generator), config.clearance + SPARE, scene.always_free)
    best, seen = 0, False
    for attempt in range(config.attempts):
        generator = named_rng(seed, "attempt", attempt)
        state = choose_subject(scene, space, generator)
        seen = seen or state is not None
        paths = _plan_set(scene, state, cameras, generator) if state else []
        if len(paths) == cameras:
            return paths
        best = max(best, len(paths))
        if redrawn is not None:
            redrawn.append(f"attempt {attempt}: {len(paths)} of {cameras} paths could be proved")
    if config.points_of_interest and not seen:
        raise PlanningFailed(
            f"none of the points of interest {list(config.points_of_interest)} is in the scene and "
            "can be seen from free space: name others"
        )
    raise PlanningFailed(
        f"only {best} of {cameras} camera paths could be proved in {config.attempts} attempts: "
        "allow less clearance, a lower density, fewer people or fewer points_per_camera"
    )


def _plan_set(
    scene: Scene, state: SubjectViews, cameras: int, rng: np.random.Generator
) -> list[CameraPath]:
    """Plan camera after camera; stops at the first that cannot be planned."""
    paths: list[CameraPath] = []
    first: Start | None = None
    for index in range(cameras):
        found = None
        for start in draw_starts(scene, state, first, rng):
            found = _plan_from(scene, state, start, f"cam{index}", rng)
            if found:
                first = first or start
                break
        if found is None:
            return paths
        paths.append(found)
    return paths


def _plan_from(
    scene: Scene, state: SubjectViews, start: Start, name: str, rng: np.random.Generator
) -> CameraPath | None:
    """Try styles from one start until a path is proved."""
    for style in _draw_styles(scene, state, rng):
        state.tried += 1
        path = _plan_style(scene, state, start, style, name, rng)
        if path is not None:
            return path
    return None


def _draw_styles(scene: Scene, state: SubjectViews, rng: np.random.Generator) -> list[str]:
    track = state.drawn.subject.track
    moving = float(np.linalg.norm(track[-1, :2] - track[0, :2])) > 0.4
    weights = {s: w for s, w in sorted(scene.config.styles.items()) if w > 0}
    if "follow" in weights and len(weights) > 1:
        weights["follow"] *= _FOLLOW if moving else 0.0
    names, values = list(weights), np.array(list(weights.values()))
    count = min(_STYLES_PER_START, int((values > 0).sum()))
    chosen = rng.choice(len(names), size=count, replace=False, p=values / values.sum())
    return [names[int(i)] for i in chosen]


def _plan_style(
    scene: Scene, state: SubjectViews, start: Start, style: str, name: str, rng: np.random.Generator
) -> CameraPath | None:
    clip, subject = scene.clip, state.drawn.subject
    pieces = piece_count(clip.duration)
    distance = float(np.linalg.norm(subject.track[0] - start.eye))
    shake = draw_shake(_SHAKE.get(style, 0.0), distance, pieces, rng)
    joints = np.linspace(0.0, clip.duration, pieces + 1)
    aim_samples = subject.position(joints) + start.aim_offset
    aim = TimeSpline(through_ends(aim_samples) + shake.aim, clip.duration)
    curves = _curves(scene, state, start, style, rng)
    if not len(curves):
        return None
    pace = STEADY if style == "follow" else draw_pace(rng)
    control = retime(curves, aim, pace=pace, shake=shake, limits=scene.limits)
    for index in _promising(scene, state.drawn, start, aim, control, style)[:4]:
        eye = TimeSpline(control[index], clip.duration)
        path = _prove(scene, state, start, style, name, eye, aim, shake)
        if path is not None:
            return path
    return None


def _curves(
    scene: Scene, state: SubjectViews, start: Start, style: str, rng: np.random.Generator
) -> np.ndarray:
    clip, subject = scene.clip, state.drawn.subject
    speed = float(rng.uniform(0.3, 0.75)) * scene.config.max_speed
    travel = min(speed * clip.duration, 12.0)
    if style == "spline":
        targets = np.broadcast_to(subject.track[0], state.space.points.shape)
        eyes, times = state.space.points, np.zeros(len(state.space.points))
        ignored = state.drawn.ignored
        visible = sees(scene.solids, scene.people, eyes, targets, times, ignored=ignored)
        return state.space.routes(start.eye, travel, visible, rng)
    times = np.linspace(0.0, clip.duration, SAMPLES)
    drift = subject.position(times) - subject.track[0]
    floor, ceiling = scene.solids.floor, scene.solids.ceiling
    levels = (floor + 0.5, min(ceiling - scene.config.clearance - 0.1, floor + 2.3))
    return propose(style, Move(start.eye, subject.track[0], travel, drift, levels, rng))


def _promising(
    scene: Scene,
    drawn: Drawn,
    start: Start,
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
    axis = aim(times) - eyes
    allowed = start.lens.half_angle(clip.height, clip.width, config.frame_margin) - _SPARE_ANGLE
    framed = [
        _angles(axis, each.subject.position(times) - eyes).max(axis=1) < allowed
        for each in (drawn, *start.companions)
    ]
    good &= framed[0] & (np.sum(framed, axis=0) >= config.points_per_camera[0])
    pitch = np.abs(np.arctan2(axis[..., 2], np.linalg.norm(axis[..., :2], axis=-1)))
    good &= (pitch < _MAX_PITCH).all(axis=1)
    edges = np.linalg.norm(np.diff(control, axis=1), axis=2)
    bends = np.linalg.norm(np.diff(control, n=2, axis=1), axis=2)
    good &= (edges.max(1) / step <= limits.speed) & (bends.max(1) / step**2 <= limits.acceleration)
    good &= turn_rates(control, aim, per_piece=8).max(axis=1) <= limits.turn_rate
    if style != "still":
        travelled = np.linalg.norm(np.diff(eyes, axis=1), axis=2).sum(axis=1)
        good &= travelled > min(0.12 * limits.speed * clip.duration, 0.6)
    return [int(i) for i in np.flatnonzero(good)]


def _prove(
    scene: Scene,
    state: SubjectViews,
    start: Start,
    style: str,
    name: str,
    eye: TimeSpline,
    aim: TimeSpline,
    shake: Shake,
) -> CameraPath | None:
    """Check sight of the subject and the view, then prove the path; None if any of it fails."""
    clip, config = scene.clip, scene.config
    allowed = start.lens.half_angle(clip.height, clip.width, config.frame_margin)
    seen = _seen_subjects(scene, state.drawn, start, eye, aim, allowed - _SPARE_ANGLE)
    if state.drawn.subject.name not in seen or len(seen) < config.points_per_camera[0]:
        return None
    subjects = tuple(d.subject for d in (state.drawn, *start.companions) if d.subject.name in seen)
    checked = np.linspace(0, clip.frames - 1, 3).astype(int)
    half_angle = start.lens.half_angle(clip.height, clip.width, 0.0)
    aims = aim(clip.times[checked])
    distance, index, _ = view_depths(scene.solids, eye(clip.times[checked]), aims, half_angle)
    if (rate_views(scene.solids, distance, index) < _LEAST_RATING).any():
        return None
    try:
        certificate = certify(
            eye,
            aim,
            subjects,
            solids=scene.solids,
            people=scene.people,
            clearance=config.clearance,
            half_angle=allowed,
            layout=scene.layout,
            characters=scene.characters,
        )
    except CertificateFailed:
        return None
    roll = TimeSpline(shake.roll, clip.duration)
    path = CameraPath(
        name, style, start.relation, start.lens, eye, aim, roll, subjects, certificate
    )
    statistics = path_statistics(path, clip.times, clip.height, clip.width)
    statistics.update(line_of_sight=min(seen.values()), tried=state.tried)
    path.statistics.update(statistics)
    return path


def _seen_subjects(
    scene: Scene, drawn: Drawn, start: Start, eye: TimeSpline, aim: TimeSpline, allowed: float
) -> dict[str, float]:
    """Share of frames that see each point of interest which stays in frame and is seen enough."""
    times = scene.clip.times
    eyes = eye(times)
    axis = aim(times) - eyes
    seen = {}
    for each in (drawn, *start.companions):
        track = each.subject.track
        sight = sees(scene.solids, scene.people, eyes, track, times, ignored=each.ignored).mean()
        framed = (_angles(axis, track - eyes) < allowed).all()
        if framed and sight >= scene.config.min_line_of_sight:
            seen[each.subject.name] = float(sight)
    return seen


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (...) in radians between vectors (..., 3)."""
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    angles: np.ndarray = np.arctan2(cross, (first * second).sum(-1))
    return angles
