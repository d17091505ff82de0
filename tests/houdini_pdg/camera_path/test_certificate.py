"""The proof itself: closed forms, moving people, and every way of lying that we could think of."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from houdini_pdg.camera_path.certificate import (
    CertificateFailed,
    angle_bounds,
    certify,
    clearance_bounds,
    verify_certificate,
)
from houdini_pdg.camera_path.lens import Lens
from houdini_pdg.camera_path.moving import MovingCylinder, read_characters
from houdini_pdg.camera_path.splines import TimeSpline, through_ends
from houdini_pdg.camera_path.subjects import Subject
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FITTING, layout_solids

ROOM = parse_layout(
    """\
wall_0=Wall(0,0,0,6,0,0,3,0.1)
wall_1=Wall(6,0,0,6,5,0,3,0.1)
wall_2=Wall(6,5,0,0,5,0,3,0.1)
wall_3=Wall(0,5,0,0,0,0,3,0.1)
bbox_0=Bbox(cupboard,3,2.5,0.5,0.3,1.0,1.0,1.0)
"""
)
NOBODY: dict[str, Any] = {"fps": 24.0, "characters": []}
DURATION = 2.0


def line(a: Any, b: Any, pieces: int = 8) -> TimeSpline:
    u = np.linspace(0, 1, pieces + 1)[:, None]
    return TimeSpline(through_ends(np.asarray(a) * (1 - u) + np.asarray(b) * u), DURATION)


def crossing(radius: float = 0.3) -> dict[str, Any]:
    """A person who crosses x = 3 along y = 4 exactly in the middle of the clip."""
    track = np.column_stack([np.linspace(2.0, 4.0, 49), np.full(49, 4.0)])
    person = {
        "name": "person_0",
        "track": track.tolist(),
        "radius": radius,
        "low": 0.0,
        "high": 1.8,
    }
    return {"fps": 24.0, "characters": [person]}


def prove(
    eye: TimeSpline,
    characters: dict[str, Any] = NOBODY,
    *,
    layout: Layout = ROOM,
    clearance: float = 0.3,
    aim: TimeSpline | None = None,
    half_angle: float = 0.6,
) -> dict[str, Any]:
    target = np.array([3.0, 2.5, 1.2])
    subjects = [
        Subject("cupboard", np.tile(target, (49, 1)), 24.0),
        Subject("vase", np.tile([3.0, 2.5, 1.3], (49, 1)), 24.0),
    ]
    certificate = certify(
        eye,
        aim or line(target, target),
        subjects,
        solids=layout_solids(layout),
        people=read_characters(characters),
        clearance=clearance,
        half_angle=half_angle,
        layout=layout,
        characters=characters,
    )
    result: dict[str, Any] = json.loads(json.dumps(certificate))
    return result


def test_a_straight_pass_along_a_wall_has_the_distance_of_the_wall() -> None:
    eye = line([1.0, 0.7, 1.5], [5.0, 0.7, 1.5], pieces=64)
    certificate = prove(eye)
    exact = 0.7 - 0.05 - FITTING
    assert exact - 0.05 < certificate["min_clearance"] <= exact
    assert verify_certificate(certificate, ROOM, NOBODY).ok


@pytest.mark.parametrize(
    "end", [[3.0, 2.5, 1.2], [3.0, 2.5, 2.9], [5.9, 2.5, 1.5], [3.0, 1.8, 0.8]]
)
def test_a_path_that_comes_too_close_is_not_proved(end: list[float]) -> None:
    with pytest.raises(CertificateFailed, match="clearance is not proved"):
        prove(line([1.0, 1.0, 1.5], end))


def test_a_collision_between_frames_is_found() -> None:
    """The eye dashes through the cupboard's corner between two samples of a coarse check."""
    control = np.tile([1.0, 1.0, 1.5], (19, 1))
    control[8] = [6.8, 5.6, -1.0]
    eye = TimeSpline(control, DURATION)
    assert layout_solids(ROOM).distance(eye(np.array([0.0, 1.75]))).min() > 0.3
    with pytest.raises(CertificateFailed, match="clearance"):
        prove(eye)


def test_people_are_avoided_when_and_where_they_are() -> None:
    past = line([3.0, 4.5, 1.5], [3.0, 4.5, 1.5])
    with pytest.raises(CertificateFailed, match="clearance"):
        prove(past, crossing(), clearance=0.25)
    behind = line([1.0, 4.0, 1.5], [3.0, 4.0, 1.5])  # always one metre behind the person's axis
    certificate = prove(behind, crossing(), clearance=0.25)
    assert 0.25 <= certificate["min_clearance"] <= 0.7
    ahead = line([4.0, 4.0, 1.5], [2.0, 4.0, 1.5])  # meets the person in the middle
    with pytest.raises(CertificateFailed, match="clearance"):
        prove(ahead, crossing(), clearance=0.25)
    over = line([3.0, 4.0, 2.4], [3.0, 4.0, 2.4])
    assert prove(over, crossing(), clearance=0.25)["min_clearance"] == pytest.approx(0.6, abs=0.02)


def test_the_swept_cylinder_is_no_farther_than_the_cylinder_at_any_instant() -> None:
    rng = np.random.default_rng(5)
    track = np.cumsum(rng.normal(0, 0.05, (25, 2)), axis=0)
    person = MovingCylinder("p", track, 0.3, 0.1, 1.7, 12.0)
    points = rng.uniform([-2, -2, -1], [2, 2, 3], (300, 3))
    start = rng.uniform(0, 1.8, 300)
    end = np.minimum(start + rng.uniform(0, 0.3, 300), 2.0)
    swept = person.swept_distance(points, start, end)
    for u in np.linspace(0, 1, 11):
        xy = person.position(start + u * (end - start))
        across = np.linalg.norm(points[:, :2] - xy, axis=1) - 0.3
        above = np.abs(points[:, 2] - 0.9) - 0.8
        exact = np.hypot(np.maximum(across, 0), np.maximum(above, 0))
        exact += np.minimum(np.maximum(across, above), 0)
        assert (swept <= exact + 1e-9).all()
    shift = rng.normal(0, 0.3, points.shape)
    change = np.abs(person.swept_distance(points + shift, start, end) - swept)
    assert (change <= np.linalg.norm(shift, axis=1) + 1e-9).all()


def test_bounds_are_never_on_the_wrong_side_of_dense_samples() -> None:
    rng = np.random.default_rng(6)
    solids, people = layout_solids(ROOM), read_characters(crossing())
    for _ in range(20):
        control = rng.uniform([0.5, 0.5, 0.5], [5.5, 4.5, 2.5], (11, 3))
        eye = TimeSpline(control, DURATION)
        aim = TimeSpline(rng.uniform([6, 6, 2], [8, 8, 4], (11, 3)), DURATION)
        subject = Subject("s", rng.uniform([6, 5, 2], [8, 7, 4], (49, 3)), 24.0)
        edges = np.linspace(0, DURATION, 33)
        start, end = edges[:-1], edges[1:]
        clear = clearance_bounds(eye, solids, people, start, end)
        angle = angle_bounds(eye, aim, subject, start, end)
        for u in np.linspace(0, 1, 9):
            times = start + u * (end - start)
            position = eye(times)
            assert (clear <= solids.distance(position)).all()
            for person in people:
                assert (clear <= person.swept_distance(position, times, times)).all()
            axis, ray = aim(times) - position, subject.position(times) - position
            cosine = (axis * ray).sum(1)
            cosine /= np.linalg.norm(axis, axis=1) * np.linalg.norm(ray, axis=1)
            assert (np.arccos(np.clip(cosine, -1, 1)) <= angle + 1e-9).all()


def test_a_subject_that_leaves_the_cone_is_not_proved() -> None:
    eye = line([1.0, 1.0, 1.5], [1.0, 1.0, 1.5])
    turning = line([3.0, 2.5, 1.2], [1.0, 4.0, 1.2])
    with pytest.raises(CertificateFailed, match="framing of cupboard is not proved"):
        prove(eye, aim=turning, half_angle=0.5)


def _tampered(certificate: dict[str, Any], kind: str) -> dict[str, Any]:
    changed = copy.deepcopy(certificate)
    if kind == "curve":
        changed["eye"][4][1] = 2.6
        changed["eye"][4][0] = 3.0
    elif kind == "gap":
        del changed["pieces"][3]
    elif kind == "radius":
        changed["clearance"] = 2.0
    elif kind == "boast":
        changed["min_clearance"] += 0.1
    elif kind == "long piece":
        first, second = changed["pieces"][:2]
        changed["pieces"][:2] = [[first[0], second[1], first[2]]]
    elif kind == "cone":
        changed["half_angle"] = 0.0
    elif kind == "subject":
        changed["subjects"][0]["track"] = [[1.0, 4.5, 1.0]] * 49
    elif kind == "second subject":
        changed["subjects"][1]["track"] = [[1.0, 4.5, 1.0]] * 49
    elif kind == "version":
        changed["version"] = 99
    elif kind == "end":
        changed["subjects"][0]["pieces"].pop()
    return changed


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("curve", "below the claimed"),
        ("gap", "do not cover"),
        ("radius", "below the claimed"),
        ("boast", "larger than the recomputed"),
        ("long piece", "spans two pieces"),
        ("cone", "may leave the frame"),
        ("subject", "cupboard may leave the frame"),
        ("second subject", "vase may leave the frame"),
        ("version", "unknown certificate version"),
        ("end", "do not cover"),
    ],
)
def test_a_certificate_that_was_tampered_with_is_refused(kind: str, problem: str) -> None:
    certificate = prove(line([1.0, 0.8, 1.5], [5.0, 0.8, 1.5], pieces=16))
    assert verify_certificate(certificate, ROOM, NOBODY).ok
    report = verify_certificate(_tampered(certificate, kind), ROOM, NOBODY)
    assert not report.ok
    assert any(problem in text for text in report.problems), report.problems


def test_a_certificate_holds_only_for_its_own_scene() -> None:
    certificate = prove(line([1.0, 0.8, 1.5], [5.0, 0.8, 1.5]))
    moved = parse_layout("wall_0=Wall(0,0.5,0,6,0.5,0,3,0.1)\nbbox_0=Bbox(bed,9,9,1,0,1,1,1)\n")
    problems = verify_certificate(certificate, moved, NOBODY).problems
    assert any("another layout" in text for text in problems)
    assert any("below the claimed" in text for text in problems)
    problems = verify_certificate(certificate, ROOM, crossing()).problems
    assert problems == ("the certificate was made for other characters",)


@pytest.mark.parametrize(("height", "width"), [(480, 480), (270, 480), (480, 270)])
def test_the_cone_of_a_lens_projects_inside_the_margin(height: int, width: int) -> None:
    lens, margin = Lens(24.0), 0.06
    angle = lens.half_angle(height, width, margin)
    intrinsics = lens.intrinsics(height, width)
    around = np.linspace(0, 2 * np.pi, 181)
    rays = np.stack(
        [
            np.sin(angle) * np.cos(around),
            np.sin(angle) * np.sin(around),
            np.full(181, np.cos(angle)),
        ]
    )
    pixels = intrinsics @ rays
    xy = (pixels[:2] / pixels[2]).T
    keep = margin * min(height, width)
    slack = np.minimum(xy - keep, np.array([width, height]) - keep - xy).min()
    assert slack == pytest.approx(0.0, abs=1e-6)
