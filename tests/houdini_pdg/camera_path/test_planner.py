"""Planned cameras in 40 random rooms: proved, framed, at human speeds, and reproducible."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from houdini_pdg.camera_path.config import STYLES, TrajectoryConfig
from houdini_pdg.camera_path.path import CameraPath, verify_camera
from houdini_pdg.camera_path.planner import PlanningFailed, plan_cameras
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.model import Layout
from tests.houdini_pdg.camera_path.sweep import (
    CLIP,
    RESULT,
    plan_room,
    sampled_clearance,
    stand_ins,
    sweep,
)

SEEDS = range(40)
EMPTY: dict[str, Any] = {"fps": 24.0, "characters": []}
HALL = """\
wall_0=Wall(0,0,0,8,0,0,3,0.1)
wall_1=Wall(8,0,0,8,6,0,3,0.1)
wall_2=Wall(8,6,0,0,6,0,3,0.1)
wall_3=Wall(0,6,0,0,0,0,3,0.1)
bbox_0=Bbox(dining_table,4,3,0.4,0,1.4,0.9,0.8)
bbox_1=Bbox(plants,1,1,0.5,0,0.5,0.5,1.0)
bbox_2=Bbox(sofa,6.5,3,0.4,1.57,1.8,0.9,0.8)
"""


@cache
def planned(seed: int) -> tuple[Layout, dict[str, Any], list[CameraPath]]:
    return plan_room(seed)


def each_path() -> list[tuple[int, CameraPath]]:
    return [(seed, path) for seed in SEEDS for path in planned(seed)[2]]


def test_every_room_gets_all_its_cameras() -> None:
    assert [seed for seed in SEEDS if len(planned(seed)[2]) != 4] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_certificates_hold_and_dense_sampling_finds_no_violation(seed: int) -> None:
    layout, characters, paths = planned(seed)
    for path in paths:
        entry = json.loads(json.dumps(path.to_json(CLIP.times, CLIP.height, CLIP.width)))
        report = verify_camera(entry, layout, characters, CLIP, TrajectoryConfig())
        assert report.problems == ()
        assert report.min_clearance >= TrajectoryConfig().clearance
        assert sampled_clearance(path, layout, characters) >= report.min_clearance


def test_every_point_of_interest_projects_inside_the_margin_of_every_frame() -> None:
    margin = TrajectoryConfig().frame_margin * 480
    for seed, path in each_path():
        entry = path.to_json(CLIP.times, CLIP.height, CLIP.width)
        poses, intrinsics = np.array(entry["world_from_camera"]), np.array(entry["intrinsics"])
        for point in entry["poi"]:
            track = np.column_stack([np.array(point["track"]), np.ones(len(poses))])
            local = np.linalg.inv(poses) @ track[..., None]
            pixels = intrinsics @ local[:, :3]
            assert (pixels[:, 2] > 0).all()
            xy = pixels[:, :2, 0] / pixels[:, 2:, 0]
            assert (xy > margin - 1e-6).all(), (seed, path.name)
            assert (xy < 480 - margin + 1e-6).all(), (seed, path.name)


def test_speeds_are_those_of_a_person() -> None:
    config = TrajectoryConfig()
    for _, path in each_path():
        assert path.eye.speed_bound() <= config.max_speed + 1e-9
        assert path.eye.acceleration_bound() <= config.max_acceleration + 1e-9
        assert path.statistics["max_turn_rate"] <= config.max_turn_rate + 1e-6
        if path.style != "still":
            assert path.statistics["length"] > 0.15


def test_cameras_stand_at_eye_level_and_hold_the_horizon() -> None:
    for _, path in each_path():
        poses = path.world_from_camera(CLIP.times)
        assert (poses[:, 2, 3] > 0.5 - 1e-6).all()
        assert (poses[:, 2, 3] < 2.4).all()
        assert (poses[:, 2, 1] < -0.7).all()  # the image's down points down
        np.testing.assert_allclose(np.linalg.det(poses[:, :3, :3]), 1.0, atol=1e-9)


def test_the_subject_is_seen_in_most_frames() -> None:
    sight = [path.statistics["line_of_sight"] for _, path in each_path()]
    assert min(sight) >= TrajectoryConfig().min_line_of_sight
    assert float(np.mean(sight)) > 0.95


def test_start_views_relate_as_asked() -> None:
    seen = set()
    for seed in SEEDS:
        first, *others = planned(seed)[2]
        start = first.world_from_camera(np.zeros(1))[0]
        centre = first.subjects[0].track[0, :2]
        for path in others:
            seen.add(path.start_view)
            pose = path.world_from_camera(np.zeros(1))[0]
            arms = [p[:2, 3] - centre for p in (start, pose)]
            cosine = arms[0] @ arms[1] / np.prod([np.linalg.norm(arm) for arm in arms])
            angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
            if path.start_view == "shared":
                np.testing.assert_allclose(pose, start, atol=1e-9)
                assert path.lens == first.lens
            elif path.start_view == "offset":
                assert 5.5 < angle < 40.5
            else:
                assert angle > 99.0
    assert seen == {"shared", "offset", "opposite"}


def test_all_styles_occur_and_walkers_are_followed() -> None:
    assert {path.style for _, path in each_path()} == set(STYLES)
    for _, path in each_path():
        track = path.subjects[0].track
        if path.style == "follow":
            assert np.linalg.norm(track[-1] - track[0]) > 0.4


def test_most_cameras_keep_two_points_of_interest_and_all_share_the_first() -> None:
    counts = [len(path.subjects) for _, path in each_path()]
    assert set(counts) == {1, 2}
    assert np.mean(counts) > 1.4
    for seed in SEEDS:
        assert len({path.subjects[0].name for path in planned(seed)[2]}) == 1


def test_lenses_vary_within_the_allowed_fields_of_view() -> None:
    low, high = TrajectoryConfig().horizontal_fov
    views = {path.lens.horizontal_fov for _, path in each_path()}
    assert len(views) >= 4
    assert low <= min(views) < max(views) <= high


def test_the_same_seed_gives_the_same_cameras() -> None:
    for seed in (0, 3):
        again = plan_room(seed)[2]
        for first, second in zip(planned(seed)[2], again, strict=True):
            assert first.to_json(CLIP.times, 480, 480) == second.to_json(CLIP.times, 480, 480)


def off_chord(eyes: np.ndarray) -> float:
    """Greatest distance in metres from the line through the two ends."""
    chord = (eyes[-1] - eyes[0]) / np.linalg.norm(eyes[-1] - eyes[0])
    along = (eyes - eyes[0]) @ chord
    return float(np.linalg.norm(eyes - eyes[0] - along[:, None] * chord, axis=1).max())


def arc_of(eyes: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, float]:
    """Angles about the centre, and how far radius and height are from linear in them, metres."""
    offset = eyes - centre
    turn = np.unwrap(np.arctan2(offset[:, 1], offset[:, 0]))
    values = np.column_stack([np.linalg.norm(offset[:, :2], axis=1), eyes[:, 2]])
    fitted = np.stack([np.polyval(np.polyfit(turn, v, 1), turn) for v in values.T], axis=1)
    return turn, float(np.abs(values - fitted).max())


@pytest.mark.parametrize("style", STYLES)
def test_each_style_moves_as_its_name_says(style: str) -> None:
    layout = parse_layout(HALL)
    track = np.linspace([2.0, 4.6], [5.0, 4.6], CLIP.frames)
    person = {"name": "walker", "track": track.tolist(), "radius": 0.3, "low": 0.0, "high": 1.8}
    characters = {"fps": 24.0, "characters": [person] if style == "follow" else []}
    config = TrajectoryConfig(styles={style: 1.0}, max_speed=1.6)
    paths = [
        path
        for seed in range(4)
        for path in plan_cameras(layout, characters, config, cameras=2, clip=CLIP, seed=seed)
    ]
    assert {path.style for path in paths} == {style}
    for path in paths:
        eyes = path.eye(np.linspace(0, path.eye.duration, 50))
        centre = path.subjects[0].track[0]
        radius = np.linalg.norm((eyes - centre)[:, :2], axis=1)
        moved = np.linalg.norm(eyes[-1] - eyes[0])
        if style == "still":
            assert moved < 1e-9
        elif style == "orbit":
            assert np.ptp(radius) < 0.05 * radius[0]
            assert np.ptp(eyes[:, 2]) < 1e-9
        elif style == "arc":  # one way round the subject, nearer and higher in step with the turn
            turn, bend = arc_of(eyes, centre)
            assert abs(turn[-1] - turn[0]) > np.radians(5)
            assert (np.diff(turn) * np.sign(turn[-1] - turn[0]) > -1e-9).all()
            assert bend < 0.005
        elif style == "spline":  # neither a line nor an arc
            assert off_chord(eyes) > 0.01 * moved
            assert arc_of(eyes, centre)[1] > 0.01
        elif style == "dolly":
            assert off_chord(eyes) < 1e-6
        elif style == "crane":
            assert np.ptp(eyes[:, 2]) > 0.1
        elif style == "follow" and path.subjects[0].name == "walker":
            walk = path.subjects[0].track[-1] - path.subjects[0].track[0]
            assert (eyes[-1] - eyes[0]) @ walk / np.linalg.norm(walk) > 0.5
        elif style == "handheld":
            assert path.statistics["jerk_rms"] > 0.5


@pytest.mark.parametrize("frames", [1, 2, 13, 121])
def test_clips_of_any_length_are_planned(frames: int) -> None:
    layout = parse_layout(HALL)
    clip = Clip(frames=frames, fps=24.0, height=120, width=200)
    paths = plan_cameras(layout, EMPTY, TrajectoryConfig(), cameras=2, clip=clip, seed=1)
    for path in paths:
        entry = path.to_json(clip.times, clip.height, clip.width)
        assert len(entry["world_from_camera"]) == frames
        assert verify_camera(entry, layout, EMPTY, clip, TrajectoryConfig()).ok


@pytest.mark.parametrize(
    ("wish", "names"),
    [("sofa", {"bbox_2"}), ("bbox_1", {"bbox_1"}), ("4.0,5.0,1.2", {"4.0,5.0,1.2"})],
)
def test_a_point_of_interest_can_be_asked_for(wish: str, names: set[str]) -> None:
    config = TrajectoryConfig(points_of_interest=(wish,))
    layout = parse_layout(HALL)
    paths = plan_cameras(layout, EMPTY, config, cameras=2, clip=CLIP, seed=2)
    assert {path.subjects[0].name for path in paths} == names
    if "," in wish:
        np.testing.assert_allclose(paths[0].subjects[0].track[7], [4.0, 5.0, 1.2])


def test_two_points_asked_for_together_are_both_proved_by_every_camera() -> None:
    wishes = ("sofa", "dining_table")
    config = TrajectoryConfig(points_of_interest=wishes, points_per_camera=(2, 2))
    paths = plan_cameras(parse_layout(HALL), EMPTY, config, cameras=3, clip=CLIP, seed=4)
    for path in paths:
        assert {subject.name for subject in path.subjects} == {"bbox_0", "bbox_2"}
        proved = path.certificate["subjects"]
        assert [framing["name"] for framing in proved] == [s.name for s in path.subjects]
        assert all(f["max_angle"] <= path.certificate["half_angle"] for f in proved)


def test_points_that_fit_no_image_together_are_rejected() -> None:
    config = TrajectoryConfig(
        points_of_interest=("0.5,3.0,1.2", "7.5,3.0,1.2", "4.0,0.5,1.2"),
        points_per_camera=(3, 3),
        attempts=1,
        styles={"orbit": 1.0},
        horizontal_fov=(30.0, 40.0),
    )
    with pytest.raises(PlanningFailed, match="could be proved"):
        plan_cameras(parse_layout(HALL), EMPTY, config, cameras=1, clip=CLIP, seed=0)


def test_a_scene_without_the_point_of_interest_is_rejected() -> None:
    config = TrajectoryConfig(points_of_interest=("bathtub",))
    with pytest.raises(PlanningFailed, match="none of the points of interest"):
        plan_cameras(parse_layout(HALL), EMPTY, config, cameras=1, clip=CLIP, seed=0)


def test_an_impossible_clearance_is_rejected_with_advice() -> None:
    config = TrajectoryConfig(clearance=1.6, attempts=1)
    with pytest.raises(PlanningFailed, match="allow less clearance"):
        plan_cameras(parse_layout(HALL), EMPTY, config, cameras=1, clip=CLIP, seed=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"styles": {"spin": 1.0}}, "unknown 'spin'"),
        ({"clearance": 0.0}, "clearance must be positive"),
        ({"max_speed": float("inf")}, "max_speed"),
        ({"horizontal_fov": (80.0, 60.0)}, "horizontal_fov"),
        ({"frame_margin": 0.5}, "frame_margin"),
        ({"height": (0.1, 0.1)}, "height"),
        ({"points_of_interest": ("1,2",)}, "name or 'x,y,z'"),
        ({"points_per_camera": (0, 1)}, "points_per_camera"),
    ],
)
def test_bad_configuration_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrajectoryConfig(**values)


def test_stand_ins_are_deterministic() -> None:
    layout = planned(2)[0]
    assert stand_ins(layout, 2) == stand_ins(layout, 2)


def _check(result: dict[str, Any]) -> None:
    assert result["problems"] == []
    assert result["success"] >= 0.995
    assert result["in_frame"]["min"] == 1.0
    assert result["min_clearance"]["min"] >= result["asked_clearance"]
    assert result["sampled_clearance"]["min"] >= result["asked_clearance"]
    assert result["max_speed"]["max"] <= TrajectoryConfig().max_speed
    assert result["max_turn_rate"]["max"] <= TrajectoryConfig().max_turn_rate


def test_the_committed_result_of_a_thousand_rooms_keeps_the_promises() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert result["rooms"] == 1000
    _check(result)
    assert result["cpu_seconds_per_room"]["median"] < 0.3
    assert result["points_of_interest"]["median"] == 2
    assert set(result["styles"]) == set(STYLES)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_thousand_rooms_are_planned_and_proved() -> None:
    _check(sweep(range(1000)))
