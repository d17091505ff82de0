"""Parametric trajectories of other tools: TrajectoryCrafter and CogNVS lines, DaS, NeoVerse."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import UnivariateSpline

from scaling4d.geometry.formats.das import DasMotion, Motion, parse_das, read_das, write_das
from scaling4d.geometry.formats.neoverse import read_neoverse, write_neoverse
from scaling4d.geometry.formats.spherical_lines import (
    SphericalLines,
    read_spherical_lines,
    write_spherical_lines,
)
from scaling4d.geometry.rotation import rotation_about
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from scaling4d.geometry.trajectory_io import FORMATS, MotionFormat, write_trajectory
from tests.geometry.camera_paths import poses, written

DEPTH = 3.0
number = st.floats(-1e3, 1e3, allow_nan=False)


# --- TrajectoryCrafter and CogNVS ----------------------------------------------------------------


def test_the_same_three_lines_are_two_motions_in_the_two_tools(tmp_path: Path) -> None:
    path = tmp_path / "loop.txt"
    path.write_text("0 10\n0 40\n0 0.2\n")
    first = parse_trajectory(f"trajectorycrafter:{path}", frames=5, pivot_depth=DEPTH)
    second = parse_trajectory(f"cognvs:{path}", frames=5, pivot_depth=DEPTH)
    amounts = {"pivot_depth": DEPTH, "forward": 0.2 * DEPTH}
    expected = Trajectory.preset("orbit", 5, pitch=10, yaw=40, **amounts)
    np.testing.assert_allclose(first.target_from_source, expected.target_from_source, atol=1e-12)
    expected = Trajectory.preset("orbit", 5, pitch=40, yaw=10, **amounts)
    np.testing.assert_allclose(second.target_from_source, expected.target_from_source, atol=1e-12)


def test_four_keys_or_more_are_smoothed_as_the_tools_do(tmp_path: Path) -> None:
    keys = (0.0, 30.0, -10.0, 25.0, 5.0)
    lines = SphericalLines((0.0,), keys, (0.0,))
    centers = lines.trajectory(49, DEPTH).source_from_target[:, :3, 3]
    yaw = np.degrees(np.arctan2(centers[:, 0], DEPTH - centers[:, 2]))
    expected = UnivariateSpline(np.linspace(0, 1, 5), keys, k=3)(np.linspace(0, 1, 49))
    np.testing.assert_allclose(yaw[1:-1], expected[1:-1], atol=1e-9)
    assert yaw[0] == pytest.approx(0.0, abs=1e-9)
    assert yaw[-1] == pytest.approx(5.0)


curve = st.lists(number, min_size=1, max_size=6).map(tuple)


@pytest.mark.parametrize("name", ["trajectorycrafter", "cognvs"])
@settings(max_examples=50, deadline=None)
@given(lines=st.builds(SphericalLines, curve, curve, curve))
def test_spherical_lines_are_read_back(name: str, lines: SphericalLines) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop.txt"
        write_spherical_lines(path, lines, name)
        assert read_spherical_lines(path, name) == lines


def test_two_lines_are_too_few(tmp_path: Path) -> None:
    path = tmp_path / "loop.txt"
    path.write_text("1 2\n3 4\n")
    with pytest.raises(ValueError, match="three lines of numbers, found 2"):
        parse_trajectory(f"trajectorycrafter:{path}", frames=5, pivot_depth=DEPTH)


# --- Diffusion as Shader -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "center", "forward"),
    [
        ("trans -0.1 0 0", (0.1, 0, 0), None),  # "moving right"
        ("trans 0 -0.1 0", (0, 0.1, 0), None),  # "moving ... down"
        ("trans 0 0 -0.5", (0, 0, 0.5), None),  # "zoom in"
        ("rot y 25", None, (-np.sin(np.radians(25)), 0, np.cos(np.radians(25)))),  # "yaw left"
        ("rot x -30", None, (0, -np.sin(np.radians(30)), np.cos(np.radians(30)))),  # "pitch up"
    ],
)
def test_das_motions_go_where_the_examples_of_its_readme_say(
    text: str, center: tuple | None, forward: tuple | None
) -> None:
    pose = parse_das(text).trajectory(49).source_from_target[-1]
    if center is not None:
        np.testing.assert_allclose(pose[:3, 3], center, atol=1e-12)
    if forward is not None:
        np.testing.assert_allclose(pose[:3, 2], forward, atol=1e-12)


def test_das_motions_take_their_frames_and_then_stay() -> None:
    trajectory = parse_das("trans 0 0 -0.5 0 30; rot x -25 0 30; trans -0.1 0 0 30 48").trajectory(
        49
    )
    pose = trajectory.target_from_source
    turn = rotation_about("x", np.radians(-25.0))
    np.testing.assert_allclose(pose[30, :3, :3], turn, atol=1e-12)
    np.testing.assert_allclose(pose[15, :3, 3], (0, 0, -0.25), atol=1e-12)
    np.testing.assert_allclose(pose[48, :3, 3], (0, 0, -0.5) + turn @ (-0.1, 0, 0), atol=1e-12)


def test_das_spiral_starts_and_ends_at_the_source_and_faces_its_point() -> None:
    matrices = parse_das("spiral 2").trajectory(49).target_from_source
    np.testing.assert_allclose(matrices[[0, -1]], np.tile(np.eye(4), (2, 1, 1)), atol=1e-9)
    toward = (0, 0, 1.0) - matrices[:, :3, 3]
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    np.testing.assert_allclose(matrices[:, :3, 2], toward, atol=1e-12)


motions = st.one_of(
    st.builds(Motion, st.just("trans"), st.tuples(number, number, number)),
    st.builds(Motion, st.just("rot"), st.tuples(number), st.sampled_from("xyz")),
    st.builds(
        Motion,
        st.just("spiral"),
        st.tuples(number),
        st.just(""),
        st.tuples(st.integers(0, 48), st.integers(0, 48)),
    ),
)


@settings(max_examples=50, deadline=None)
@given(motion=st.builds(DasMotion, st.lists(motions, min_size=1, max_size=4).map(tuple)))
def test_das_text_is_read_back(motion: DasMotion) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "motion.txt"
        write_das(path, motion)
        assert read_das(path) == motion


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fly 1 2 3", "unknown motion"),
        ("rot w 3", "about x, y or z"),
        ("trans 1 2", "needs 3 numbers"),
        ("trans 1 2 x", "not a number"),
        ("rot y 3 0 nan", "not finite"),
        ("rot y 3 -1 4", "whole numbers"),
        (" ; ", "no motion"),
    ],
)
def test_das_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_das(text)


# --- NeoVerse ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "preset", "amounts"),
    [
        ({"pan_left": {"angle": 20}}, "pan", {"angle": -20}),
        ({"tilt_up": {"angle": 20}}, "tilt", {"angle": 20}),
        ({"move_right": {"distance": 0.4}}, "truck", {"distance": 0.4}),
        ({"pull_out": {"distance": 0.4}}, "dolly", {"distance": -0.4}),
        ({"boom_up": {"distance": 0.4}}, "crane", {"height": 0.4}),
        ({"orbit_right": {"angle": 20, "orbit_radius": DEPTH}}, "orbit", {"yaw": 20}),
        ({"orbit_left": {}}, "orbit", {"yaw": -15}),
        ({"static": {}}, "static", {}),
    ],
)
def test_neoverse_operations_are_our_moves(
    operation: dict, preset: str, amounts: dict, tmp_path: Path
) -> None:
    document = {"num_frames": 5, "keyframes": [{"0": [{"static": {}}]}, {"4": [operation]}]}
    path = written(tmp_path, document, "move.json")
    depth = 1.0 if operation == {"orbit_left": {}} else DEPTH  # its default radius
    expected = Trajectory.preset(preset, 2, pivot_depth=depth, **amounts).target_from_source[-1]
    np.testing.assert_allclose(parse_trajectory(path).target_from_source[-1], expected, atol=1e-12)


def test_neoverse_orbit_is_the_matrix_of_its_documentation(tmp_path: Path) -> None:
    angle, radius = np.radians(30.0), 2.0
    c, s = np.cos(angle), np.sin(angle)
    documented = [[c, 0, -s, radius * s], [0, 1, 0, 0], [s, 0, c, radius * (1 - c)], [0, 0, 0, 1]]
    operation = {"orbit_right": {"angle": 30, "orbit_radius": 2.0}}
    document = {"num_frames": 2, "keyframes": [{"0": []}, {"1": [operation]}]}
    trajectory = read_neoverse(written(tmp_path, document, "move.json"))
    np.testing.assert_allclose(trajectory.source_from_target[-1], documented, atol=1e-12)


def test_neoverse_operations_compose_in_order_and_accumulate(tmp_path: Path) -> None:
    turn = {"pan_left": {"angle": 30}}
    step = {"push_in": {"distance": 1.0}}
    document = {"num_frames": 3, "keyframes": [{"0": []}, {"1": [turn]}, {"2": [step]}]}
    pose = read_neoverse(written(tmp_path, document, "move.json")).source_from_target[-1]
    np.testing.assert_allclose(pose[:3, 3], (-np.sin(np.pi / 6), 0, np.cos(np.pi / 6)), atol=1e-12)


def test_neoverse_global_mode_is_our_world_mode(tmp_path: Path) -> None:
    trajectory = Trajectory(np.tile(np.eye(4), (3, 1, 1)), mode="world")
    path = tmp_path / "move.json"
    write_neoverse(path, trajectory)
    assert json.loads(path.read_text())["mode"] == "global"
    assert read_neoverse(path).mode == "world"


def test_neoverse_matrices_may_stand_in_an_archive(tmp_path: Path) -> None:
    matrices = np.tile(np.eye(4), (2, 1, 1))
    matrices[1, 0, 3] = 1.0
    np.savez(tmp_path / "m.npz", frame_indices=np.array([0, 4]), frame_matrices=matrices)
    document = {"num_frames": 5, "trajectory": {"file": "m.npz"}}
    trajectory = read_neoverse(written(tmp_path, document, "move.json"))
    np.testing.assert_allclose(trajectory.source_from_target[:, 0, 3], np.linspace(0, 1, 5))


def test_neoverse_time_keys_choose_source_frames(tmp_path: Path) -> None:
    document = {
        "num_frames": 5,
        "keyframes": [{"0": []}, {"4": []}],
        "time_keyframes": [{"0": 0.0}, {"2": 10.0}, {"4": 10.0}],
    }
    trajectory = read_neoverse(written(tmp_path, document, "move.json"))
    np.testing.assert_array_equal(trajectory.source_index, (0, 5, 10, 10, 10))


@settings(max_examples=25, deadline=None)
@given(matrices=st.lists(poses(), min_size=2, max_size=4), held=st.booleans(), world=st.booleans())
def test_neoverse_files_are_read_back(matrices: list[np.ndarray], held: bool, world: bool) -> None:
    index = np.arange(len(matrices))[::-1].copy() if held else None
    trajectory = Trajectory(
        np.stack(matrices), source_index=index, mode="world" if world else "relative"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "move.json"
        write_neoverse(path, trajectory)
        again = read_neoverse(path)
    np.testing.assert_allclose(
        again.target_from_source,
        trajectory.target_from_source,
        atol=1e-11 * (1 + np.abs(matrices).max()),
    )
    assert again.mode == trajectory.mode
    np.testing.assert_array_equal(again.source_index, trajectory.source_index)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"num_frames": 3}, "needs `keyframes` or `trajectory`"),
        ({"num_frames": 1, "keyframes": []}, ">= 2"),
        ({"num_frames": 3, "keyframes": [{"0": []}]}, "2 or more"),
        ({"num_frames": 3, "keyframes": [{"0": []}, {"1": []}]}, "the last at 2"),
        ({"num_frames": 3, "keyframes": [{"0": []}, {"two": []}]}, "is not a time"),
        ({"num_frames": 3, "keyframes": [{"0": []}, {"2": [{"fly": {}}]}]}, "unknown operation"),
        (
            {"num_frames": 3, "keyframes": [{"0": []}, {"2": [{"pan_left": {"angle": "x"}}]}]},
            "angle",
        ),
        ({"num_frames": 3, "trajectory": {"frame_indices": [0, 2]}}, "frame_matrices"),
        (
            {"num_frames": 3, "mode": "both", "keyframes": [{"0": []}, {"2": []}]},
            "relative or global",
        ),
        ({"num_frames": 3, "zoom_ratio": 2, "keyframes": [{"0": []}, {"2": []}]}, "zoom_ratio"),
        ({"num_frames": 3, "time_curve": [0], "keyframes": [{"0": []}, {"2": []}]}, "time_curve"),
        ({"num_frames": 3, "time_curve": {}, "keyframes": [{"0": []}, {"2": []}]}, "time_curve"),
        (
            {
                "num_frames": 3,
                "time_keyframes": [{"0": 0}, {"2": [1]}],
                "keyframes": [{"0": []}, {"2": []}],
            },
            "`time_keyframes` must hold a source frame number for each time",
        ),
        ({"num_frames": 10**12, "keyframes": [{"0": []}, {"2": []}]}, "`num_frames` must be"),
        ({"num_frames": True, "keyframes": [{"0": []}, {"2": []}]}, "`num_frames` must be"),
        ({"keyframes": [1, 2]}, "one time with its value, got 1"),
        ({"mode": ["relative"], "keyframes": []}, "relative or global"),
        (
            {"num_frames": 2, "keyframes": [{"0": []}, {"1": [{"pan_left": {"angle": 10**400}}]}]},
            "angle must be a finite number",
        ),
        (
            {"num_frames": 2, "time_curve": [0, 1e300], "keyframes": [{"0": []}, {"1": []}]},
            "source times must be",
        ),
        (
            {"num_frames": 2, "time_curve": [0, 10**400], "keyframes": [{"0": []}, {"1": []}]},
            "`time_curve` must hold",
        ),
        (
            {"num_frames": 2, "trajectory": {"frame_indices": [0, 10**400], "frame_matrices": []}},
            "needs frame_indices",
        ),
    ],
)
def test_neoverse_mistakes_are_named(document: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_neoverse(written(tmp_path, document, "move.json"))
    assert "move.json" in str(caught.value)


# --- what a parametric format cannot hold ---------------------------------------------------------


@pytest.mark.parametrize("name", ["trajectorycrafter", "cognvs", "das"])
def test_poses_are_not_pressed_into_parameters(name: str, tmp_path: Path) -> None:
    trajectory = Trajectory.preset("random", 5, pivot_depth=DEPTH)
    with pytest.raises(ValueError, match="choose a format that holds poses"):
        write_trajectory(tmp_path / "out.txt", trajectory, name)
    assert not (tmp_path / "out.txt").exists()


def test_lines_pass_from_one_tool_to_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 10\n0 40\n0 0.2\n")
    trajectory = parse_trajectory(
        f"trajectorycrafter:{tmp_path / 'a.txt'}", frames=5, pivot_depth=DEPTH
    )
    write_trajectory(tmp_path / "b.txt", trajectory, "cognvs")
    assert (tmp_path / "b.txt").read_text() == "0.0 40.0\n0.0 10.0\n0.0 0.2\n"


@pytest.mark.parametrize("name", ["keyframes", "neoverse"])
def test_target_intrinsics_have_no_place_in_motion_files(name: str, tmp_path: Path) -> None:
    trajectory = Trajectory(np.tile(np.eye(4), (3, 1, 1)), intrinsics=np.tile(np.eye(3), (3, 1, 1)))
    with pytest.raises(ValueError, match="cannot hold"):
        write_trajectory(tmp_path / "out.json", trajectory, name)


def test_bullet_time_has_no_place_in_pose_files(tmp_path: Path) -> None:
    trajectory = Trajectory.preset("bullet_time", 5, pivot_depth=DEPTH)
    with pytest.raises(ValueError, match="source frames"):
        write_trajectory(tmp_path / "out.kitti", trajectory, "kitti")


def test_every_motion_format_is_covered_here() -> None:
    assert {n for n, kind in FORMATS.items() if isinstance(kind, MotionFormat)} == {
        "keyframes",
        "trajectorycrafter",
        "cognvs",
        "das",
        "neoverse",
    }
