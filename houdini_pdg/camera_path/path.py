"""A planned camera: its curves, the poses they give at the frames, and its JSON form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Layout
from scaling4d.geometry.camera import look_at

from .certificate import VERSION, Report, verify_certificate
from .config import TrajectoryConfig
from .lens import SENSOR_WIDTH, Lens, cone_in_image
from .scene import Clip
from .splines import TimeSpline
from .subjects import Subject


@dataclass(frozen=True)
class CameraPath:
    """Eye and aim in the world over time, roll in radians, lens, subjects and the proof.

    The first of the subjects is the one that all cameras of the scene are about.
    """

    name: str
    style: str
    start_view: str
    lens: Lens
    eye: TimeSpline
    aim: TimeSpline
    roll: TimeSpline
    subjects: tuple[Subject, ...]
    certificate: dict[str, Any]
    statistics: dict[str, Any] = field(default_factory=dict)

    def world_from_camera(self, times: np.ndarray) -> np.ndarray:
        """Poses (frames, 4, 4) at times (frames,), OpenCV axes."""
        return poses(self.eye(times), self.aim(times), self.roll(times)[:, 0])

    def to_json(self, times: np.ndarray, height: int, width: int) -> dict[str, Any]:
        """The camera's entry of cameras.json."""
        intrinsics = np.repeat(self.lens.intrinsics(height, width)[None], len(times), axis=0)
        return {
            "intrinsics": intrinsics.tolist(),
            "world_from_camera": self.world_from_camera(times).tolist(),
            "lens": {
                "focal_length_mm": self.lens.focal_length,
                "sensor_width_mm": SENSOR_WIDTH,
                "horizontal_fov_degrees": self.lens.horizontal_fov,
            },
            "style": self.style,
            "start_view": self.start_view,
            "poi": [{"name": s.name, "track": s.track.tolist()} for s in self.subjects],
            "spline": {
                "kind": "uniform cubic B-spline over time",
                "duration": self.eye.duration,
                "eye": self.eye.control.tolist(),
                "aim": self.aim.control.tolist(),
                "roll": self.roll.control.tolist(),
            },
            "certificate": self.certificate,
            "stats": self.statistics,
        }


def poses(eyes: np.ndarray, aims: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """World_from_camera (n, 4, 4) that look from eyes to aims (n, 3), turned by roll (n,)."""
    result = look_at(eyes, aims)
    cos, sin = np.cos(roll), np.sin(roll)
    right, down = result[:, :3, 0].copy(), result[:, :3, 1].copy()
    result[:, :3, 0] = cos[:, None] * right + sin[:, None] * down
    result[:, :3, 1] = cos[:, None] * down - sin[:, None] * right
    return result


def path_statistics(
    path: CameraPath, times: np.ndarray, height: int, width: int
) -> dict[str, float]:
    """Figures that a user asks of a path; metres, seconds and degrees."""
    world_from_camera = path.world_from_camera(times)
    in_frame = np.stack(
        [_in_frame(path, s, world_from_camera, height, width) for s in path.subjects]
    )
    fine = np.linspace(0.0, path.eye.duration, 8 * path.eye.pieces + 1)
    eyes, aims = path.eye(fine), path.aim(fine)
    step = fine[1] - fine[0]
    speed = np.linalg.norm(np.diff(eyes, axis=0), axis=1) / step
    forward = aims - eyes
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    turn = 2 * np.arcsin(np.clip(np.linalg.norm(np.diff(forward, axis=0), axis=1) / 2, 0, 1)) / step
    jerk = np.diff(path.eye.control, n=3, axis=0) / path.eye.step**3
    return {
        "length": float(speed.sum() * step),
        "mean_speed": float(speed.mean()),
        "max_speed": float(speed.max()),
        "max_acceleration": path.eye.acceleration_bound(),
        "jerk_rms": float(np.sqrt((jerk**2).sum(axis=1).mean())),
        "max_turn_rate": float(np.degrees(turn.max())),
        "in_frame": float(in_frame.all(axis=0).mean()),
        "points_of_interest": len(path.subjects),
        "min_clearance": path.certificate["min_clearance"],
        "certificate_pieces": len(path.certificate["pieces"]),
    }


def _in_frame(
    path: CameraPath, subject: Subject, world_from_camera: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Whether the subject projects into the image at each frame (frames,)."""
    offset = subject.track - world_from_camera[:, :3, 3]
    local = np.einsum("nij,ni->nj", world_from_camera[:, :3, :3], offset)
    pixels = local @ path.lens.intrinsics(height, width).T
    with np.errstate(divide="ignore", invalid="ignore"):
        xy = pixels[:, :2] / pixels[:, 2:]
    inside = (xy >= 0).all(axis=1) & (xy <= (width, height)).all(axis=1)
    result: np.ndarray = inside & (local[:, 2] > 0)
    return result


def verify_camera(
    camera: Mapping[str, Any],
    layout: Layout,
    characters: Mapping[str, Any],
    clip: Clip,
    config: TrajectoryConfig,
) -> Report:
    """Re-check one entry of cameras.json: its certificate, that this claims what `config` asks of
    the camera's own lens and points of interest, and that the poses lie on the certified curve."""
    if not camera.get("certificate"):
        return Report(("there is no certificate of its path",), 0.0, np.pi, 0)
    report = verify_certificate(camera["certificate"], layout, characters)
    spline, certificate = camera["spline"], camera["certificate"]
    if certificate.get("version") != VERSION:
        return report
    problems = list(report.problems)
    problems += _unmet_claims(camera, clip, config)
    problems += [
        f"the {curve} of the spline is not the one that was certified"
        for curve in ("eye", "aim", "duration")
        if spline[curve] != certificate[curve]
    ]
    stored = np.asarray(camera["world_from_camera"], dtype=float)
    times = np.arange(len(stored)) / clip.fps
    duration = float(spline["duration"])
    if not times[-1] <= duration + 1e-9:
        problems.append(f"there are frames after the end of the curve at {duration} s")
    times = np.minimum(times, duration)
    eye, aim, roll = (
        TimeSpline(np.asarray(spline[name], dtype=float), duration)(times)
        for name in ("eye", "aim", "roll")
    )
    error = float(np.abs(stored - poses(eye, aim, roll[:, 0])).max())
    if not error < 1e-9:
        problems.append(f"poses differ from the certified curve by {error:.2e}")
    return Report(tuple(problems), report.min_clearance, report.max_angle, report.pieces)


def _unmet_claims(camera: Mapping[str, Any], clip: Clip, config: TrajectoryConfig) -> Iterator[str]:
    """What the certificate claims too little of; whether the claims hold is not asked here."""
    certificate = camera["certificate"]
    if not certificate["clearance"] >= config.clearance:
        yield (
            f"the certificate claims {certificate['clearance']} m of clearance, "
            f"{config.clearance} m were asked for"
        )
    intrinsics = np.asarray(camera["intrinsics"], dtype=float)
    cone = cone_in_image(intrinsics, clip.height, clip.width, config.frame_margin)
    if not 0 < certificate["half_angle"] <= cone + 1e-9:
        yield (
            f"the certificate's cone of {np.degrees(certificate['half_angle']):.2f} degrees does "
            f"not fit in the image, which holds {np.degrees(cone):.2f}"
        )
    proved = [(s["name"], s["track"], s["fps"]) for s in certificate["subjects"]]
    if not proved:
        yield "the certificate proves no point of interest"
    if proved != [(point["name"], point["track"], clip.fps) for point in camera["poi"]]:
        yield "the points of interest are not those that the certificate proves"
