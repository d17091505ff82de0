"""What a certificate proves must be what was asked of this camera: its own lens and points."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from houdini_pdg.camera_path.config import TrajectoryConfig
from houdini_pdg.camera_path.lens import Lens
from houdini_pdg.camera_path.path import poses, verify_camera
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.camera_path.splines import TimeSpline
from tests.houdini_pdg.camera_path.test_certificate import DURATION, NOBODY, ROOM, line, prove


def entry(certificate: dict[str, Any]) -> dict[str, Any]:
    """A camera of cameras.json that looks along the certified path."""
    lens, times = Lens(24.0), np.arange(49) / 24
    eye, aim = (
        TimeSpline(np.array(certificate[curve]), DURATION)(times) for curve in ("eye", "aim")
    )
    poi = [{"name": s["name"], "track": s["track"]} for s in certificate["subjects"]]
    curves = {key: certificate[key] for key in ("eye", "aim", "duration")}
    camera = {
        "intrinsics": np.tile(lens.intrinsics(480, 480), (49, 1, 1)).tolist(),
        "world_from_camera": poses(eye, aim, np.zeros(49)).tolist(),
        "poi": poi,
        "spline": {**curves, "roll": [[0.0]] * 4},
        "certificate": certificate,
    }
    result: dict[str, Any] = json.loads(json.dumps(camera))
    return result


def _no_clearance(camera: dict[str, Any]) -> None:
    camera["certificate"]["clearance"] = 0.0


def _clearance_nan(camera: dict[str, Any]) -> None:
    camera["certificate"].update(clearance=np.nan, min_clearance=np.nan)


def _wide_cone(camera: dict[str, Any]) -> None:
    camera["certificate"]["half_angle"] = 3.0


def _cone_nan(camera: dict[str, Any]) -> None:
    camera["certificate"]["half_angle"] = np.nan


def _no_subjects(camera: dict[str, Any]) -> None:
    camera["certificate"]["subjects"] = []
    camera["poi"] = []


def _another_point(camera: dict[str, Any]) -> None:
    camera["poi"][0]["track"] = [[99.0, 99.0, 9.0]] * 49


def _another_clock(camera: dict[str, Any]) -> None:
    camera["certificate"]["subjects"][0]["fps"] = 1e6


def _focal_times_four(camera: dict[str, Any]) -> None:
    for matrix in camera["intrinsics"]:
        matrix[0][0] *= 4
        matrix[1][1] *= 4


def _another_lens_in_one_frame(camera: dict[str, Any]) -> None:
    camera["intrinsics"][7][1][1] *= 4


def _older(camera: dict[str, Any]) -> None:
    camera["certificate"] = {"version": 1}


def _nothing_proved(camera: dict[str, Any]) -> None:
    del camera["certificate"]


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (_no_clearance, "0.3 m were asked for"),
        (_clearance_nan, "0.3 m were asked for"),
        (_wide_cone, "does not fit in the image"),
        (_cone_nan, "does not fit in the image"),
        (_no_subjects, "proves no point of interest"),
        (_another_point, "not those that the certificate proves"),
        (_another_clock, "not those that the certificate proves"),
        (_focal_times_four, "does not fit in the image"),
        (_another_lens_in_one_frame, "does not fit in the image"),
        (_older, "unknown certificate version 1"),
        (_nothing_proved, "there is no certificate"),
    ],
)
def test_a_certificate_that_claims_less_than_was_asked_is_refused(
    tamper: Callable[[dict[str, Any]], None], problem: str
) -> None:
    asked, clip = TrajectoryConfig(clearance=0.3), Clip(49, 24.0, 480, 480)
    half_angle = Lens(24.0).half_angle(480, 480, asked.frame_margin)
    path = line([1.0, 0.8, 1.5], [5.0, 0.8, 1.5], pieces=16)
    camera = entry(prove(path, half_angle=half_angle))
    assert verify_camera(camera, ROOM, NOBODY, clip, asked).problems == ()
    tamper(camera)
    problems = verify_camera(camera, ROOM, NOBODY, clip, asked).problems
    assert any(problem in text for text in problems), problems
