"""Proof that a camera path keeps clear of everything and its subjects in frame, at all times.

Clearance: a Bezier piece lies in the hull of its control points, hence in a ball (c, rho) around
them. The distance d to a layout's solids and to the people swept over the piece's time is
1-Lipschitz, so d(c) - rho is a lower bound of the clearance on the whole piece. A piece whose
bound is below the asked radius is halved; the path fails if one stays below after `_DEPTH` times.

Framing: the viewing direction is aim - eye and a subject's direction is subject - eye. Balls
around the three curves bound the angle between the directions on a piece; it must stay below the
half angle of the cone that fits in the image less its margin.

`verify_certificate` recomputes every stored bound from the curve and the scene alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from houdini_pdg.layout.grammar import print_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import Solids, layout_solids

from .moving import MovingCylinder, read_characters
from .splines import TimeSpline, enclosing_balls, restrict
from .subjects import Subject

_DEPTH = 12
_SLACK = 1e-9  # metres and radians given away to rounding
VERSION = 2


class CertificateFailed(ValueError):  # noqa: N818 - a verdict on the path
    """A bound could not be proved: the path is too close to something, or loses a subject."""


@dataclass(frozen=True)
class Report:
    """What a re-check found; `problems` is empty when the certificate holds."""

    problems: tuple[str, ...]
    min_clearance: float
    max_angle: float
    pieces: int

    @property
    def ok(self) -> bool:
        return not self.problems


def scene_distance(
    solids: Solids,
    people: Sequence[MovingCylinder],
    points: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
) -> np.ndarray:
    """Signed distance (m,) of points (m, 3) to everything, people swept over [start, end] (m,)."""
    distance = solids.distance(points)
    for person in people:
        distance = np.minimum(distance, person.swept_distance(points, start, end))
    return distance


def clearance_bounds(
    eye: TimeSpline,
    solids: Solids,
    people: Sequence[MovingCylinder],
    start: np.ndarray,
    end: np.ndarray,
) -> np.ndarray:
    """Lower bounds (m,) of the clearance of the curve over time intervals [start, end] (m,).

    Each interval must lie within one piece of the spline.
    """
    centre, radius = enclosing_balls(_pieces(eye, start, end))
    return scene_distance(solids, people, centre, start, end) - radius - _SLACK


def angle_bounds(
    eye: TimeSpline, aim: TimeSpline, subject: Subject, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Upper bounds (m,) in radians of the angle between axis and subject over the intervals."""
    eye_centre, eye_radius = enclosing_balls(_pieces(eye, start, end))
    aim_centre, aim_radius = enclosing_balls(_pieces(aim, start, end))
    subject_centre, subject_radius = subject.balls(start, end)
    axis, ray = aim_centre - eye_centre, subject_centre - eye_centre
    axis_length, ray_length = np.linalg.norm(axis, axis=-1), np.linalg.norm(ray, axis=-1)
    cross = np.linalg.norm(np.cross(axis, ray), axis=-1)
    angle = np.arctan2(cross, (axis * ray).sum(-1))
    for spread, length in (
        (eye_radius + aim_radius, axis_length),
        (eye_radius + subject_radius, ray_length),
    ):
        ratio = spread / np.maximum(length, 1e-12)
        angle = angle + np.where(ratio < 1, np.arcsin(np.minimum(ratio, 1.0)), np.pi)
    return angle + _SLACK


def certify(
    eye: TimeSpline,
    aim: TimeSpline,
    subjects: Sequence[Subject],
    *,
    solids: Solids,
    people: Sequence[MovingCylinder],
    clearance: float,
    half_angle: float,
    layout: Layout,
    characters: Mapping[str, Any],
) -> dict[str, Any]:
    """Prove clearance and framing of a path and return the certificate as JSON values.

    Args:
        eye, aim: camera centre and aim point over the same duration, metres in the world.
        subjects: the points of interest.
        solids, people: the scene, as `layout_solids` and `read_characters` give it.
        clearance: metres to prove.
        half_angle: radians of the cone about the viewing direction that no subject may leave.
        layout, characters: the documents whose hashes the certificate carries.

    Raises:
        CertificateFailed: naming the time interval that could not be proved.
    """
    clear = _subdivide(
        eye,
        lambda s, e: clearance_bounds(eye, solids, people, s, e) - clearance,
        "clearance",
    )
    bounds = clearance_bounds(eye, solids, people, *clear)
    framings = [_frame(eye, aim, subject, half_angle) for subject in subjects]
    return {
        "version": VERSION,
        "clearance": clearance,
        "min_clearance": float(bounds.min()),
        "pieces": _rows(*clear, bounds),
        "half_angle": half_angle,
        "max_angle": max(framing["max_angle"] for framing in framings),
        "subjects": framings,
        "duration": eye.duration,
        "eye": eye.control.tolist(),
        "aim": aim.control.tolist(),
        "max_speed": eye.speed_bound(),
        "max_acceleration": eye.acceleration_bound(),
        "layout_hash": layout_hash(layout),
        "characters_hash": characters_hash(characters),
    }


def verify_certificate(
    certificate: Mapping[str, Any], layout: Layout, characters: Mapping[str, Any]
) -> Report:
    """Re-check a certificate against the scene it names, trusting nothing the planner computed.

    Args:
        certificate: what `certify` returned, as read from JSON.
        layout: the scene's layout.
        characters: the scene's characters.json document.

    Returns:
        The report; its `problems` name each claim that does not hold.
    """
    problems = []
    if certificate.get("version") != VERSION:
        return Report((f"unknown certificate version {certificate.get('version')}",), 0.0, np.pi, 0)
    if certificate["layout_hash"] != layout_hash(layout):
        problems.append("the certificate was made for another layout")
    if certificate["characters_hash"] != characters_hash(characters):
        problems.append("the certificate was made for other characters")
    duration = float(certificate["duration"])
    eye = TimeSpline(np.asarray(certificate["eye"], dtype=float), duration)
    aim = TimeSpline(np.asarray(certificate["aim"], dtype=float), duration)
    clear = _intervals(certificate["pieces"], eye, "clearance", problems)
    solids, people = layout_solids(layout), read_characters(characters)
    bounds = clearance_bounds(eye, solids, people, *clear)
    min_clearance, max_angle = float(bounds.min()), 0.0
    if not min_clearance >= certificate["clearance"]:
        problems.append(
            f"clearance {min_clearance:.4f} m is below the claimed {certificate['clearance']} m"
        )
    if not min_clearance >= certificate["min_clearance"] - 1e-6:
        problems.append("the stored least clearance is larger than the recomputed one")
    for stored in certificate["subjects"]:
        subject = Subject(stored["name"], np.asarray(stored["track"], dtype=float), stored["fps"])
        framed = _intervals(stored["pieces"], eye, "framing", problems)
        angle = float(angle_bounds(eye, aim, subject, *framed).max())
        max_angle = float(np.maximum(max_angle, angle))  # keeps NaN
        if not angle <= certificate["half_angle"]:
            problems.append(f"{subject.name} may leave the frame: {np.degrees(angle):.2f} degrees")
    return Report(tuple(problems), min_clearance, max_angle, len(bounds))


def _frame(eye: TimeSpline, aim: TimeSpline, subject: Subject, half_angle: float) -> dict[str, Any]:
    """Prove that one subject stays within the cone and return its part of the certificate."""
    framed = _subdivide(
        eye,
        lambda s, e: half_angle - angle_bounds(eye, aim, subject, s, e),
        f"framing of {subject.name}",
    )
    angles = angle_bounds(eye, aim, subject, *framed)
    return {
        "name": subject.name,
        "track": subject.track.tolist(),
        "fps": subject.fps,
        "max_angle": float(angles.max()),
        "pieces": _rows(*framed, angles),
    }


def layout_hash(layout: Layout) -> str:
    return hashlib.blake2b(print_layout(layout).encode(), digest_size=16).hexdigest()


def characters_hash(document: Mapping[str, Any]) -> str:
    """Hash of what the proof depends on: the moving cylinders, not looks or asset paths."""
    digest = hashlib.blake2b(digest_size=16)
    for person in read_characters(document):
        digest.update(person.name.encode() + b"\0")
        digest.update(np.ascontiguousarray(person.track, dtype="<f8").tobytes())
        values = [person.radius, person.low, person.high, person.fps]
        digest.update(np.array(values, dtype="<f8").tobytes())
    return digest.hexdigest()


def _pieces(spline: TimeSpline, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Bezier control points (m, 4, 3) of the spline over intervals within one piece each."""
    index = np.clip(np.floor((start + end) / (2 * spline.step)).astype(int), 0, spline.pieces - 1)
    low, high = start / spline.step - index, end / spline.step - index
    return restrict(spline.bezier()[index], low, high)


def _subdivide(spline: TimeSpline, margin: Any, claim: str) -> tuple[np.ndarray, np.ndarray]:
    """Halve intervals until `margin(start, end)` is not negative on each; sorted by time."""
    edges = np.linspace(0.0, spline.duration, spline.pieces + 1)
    start, end = edges[:-1], edges[1:]
    done_start, done_end = [], []
    for _ in range(_DEPTH):
        proved = margin(start, end) >= 0
        done_start.append(start[proved])
        done_end.append(end[proved])
        start, end = start[~proved], end[~proved]
        if not len(start):
            order = np.argsort(np.concatenate(done_start))
            return np.concatenate(done_start)[order], np.concatenate(done_end)[order]
        middle = (start + end) / 2
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
    raise CertificateFailed(f"{claim} is not proved from {start[0]:.4f} to {end[0]:.4f} s")


def _rows(start: np.ndarray, end: np.ndarray, bound: np.ndarray) -> list[list[float]]:
    return np.stack([start, end, bound], axis=1).tolist()


def _intervals(
    rows: Sequence[Sequence[float]], spline: TimeSpline, claim: str, problems: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of stored pieces; problems are noted unless they tile the curve piece by piece."""
    table = np.asarray(rows, dtype=float).reshape(-1, 3)
    start, end = table[:, 0], table[:, 1]
    whole = len(table) and start[0] == 0.0 and abs(end[-1] - spline.duration) < 1e-12
    if not whole or (start[1:] != end[:-1]).any() or not (end > start).all():
        problems.append(f"the {claim} pieces do not cover the whole path")
    index = np.floor((start + end) / (2 * spline.step))
    low, high = start / spline.step - index, end / spline.step - index
    if not ((low >= -1e-9).all() and (high <= 1 + 1e-9).all()):
        problems.append(f"a {claim} piece spans two pieces of the curve")
    return start, end
