"""Our keyframe files: what they mean, reading back what was written, mistakes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling4d.geometry.camera import require_rigid
from scaling4d.geometry.keyframes import EXAMPLE, read_keyframes, write_keyframes
from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.rotation import rotation_about
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from tests.geometry.camera_paths import poses, written

DEPTH = 3.0
EYE = {"frame": 0, "matrix": np.eye(4).tolist()}


def test_the_example_in_the_documentation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLE)
    trajectory = read_keyframes(path, pivot_depth=DEPTH)
    assert len(trajectory) == 49
    np.testing.assert_allclose(trajectory.target_from_source[0], np.eye(4), atol=1e-12)
    orbit = Trajectory.preset("orbit", 2, pivot_depth=DEPTH, yaw=20, pitch=5)
    np.testing.assert_allclose(
        trajectory.target_from_source[24], orbit.target_from_source[-1], atol=1e-12
    )
    assert trajectory.focal_scale[-1] == pytest.approx(1.2)


def test_amounts_between_keys_stay_on_the_sphere(tmp_path: Path) -> None:
    keys = [{"frame": 0}, {"frame": 10, "yaw": 80, "pitch": 20}]
    trajectory = read_keyframes(written(tmp_path, {"keyframes": keys}), pivot_depth=DEPTH)
    offset = trajectory.source_from_target[:, :3, 3] - (0, 0, DEPTH)
    np.testing.assert_allclose(np.linalg.norm(offset, axis=1), DEPTH, rtol=1e-12)


def test_keys_by_time_take_the_length_of_the_video(tmp_path: Path) -> None:
    keys = [{"time": 0}, {"time": 0.5, "right": 1}, {"time": 1, "right": 0}]
    path = written(tmp_path, {"keyframes": keys, "interpolation": "linear"}, "keys.json")
    trajectory = parse_trajectory(path, frames=5)
    np.testing.assert_allclose(trajectory.source_from_target[:, 0, 3], (0, 0.5, 1, 0.5, 0))
    with pytest.raises(ValueError, match="need a number of frames"):
        parse_trajectory(path)
    with pytest.raises(ValueError, match="must be a whole number >= 2 and <= 100000, got 1"):
        parse_trajectory(path, frames=1)


def test_lengths_in_pivot_depths_grow_with_the_scene(tmp_path: Path) -> None:
    keys = [{"frame": 0}, {"frame": 2, "forward": 0.5}]
    path = written(tmp_path, {"units": "pivot", "keyframes": keys})
    assert read_keyframes(path, pivot_depth=8.0).source_from_target[-1, 2, 3] == 4.0
    with pytest.raises(ValueError, match="give the pivot depth"):
        read_keyframes(path)


def test_easing_works_within_each_stretch(tmp_path: Path) -> None:
    keys = [{"frame": 0}, {"frame": 10, "right": 1}, {"frame": 20, "right": 2}]
    document = {"ease": "in_out", "interpolation": "linear", "keyframes": keys}
    x = read_keyframes(written(tmp_path, document)).source_from_target[:, 0, 3]
    np.testing.assert_allclose(x[[0, 5, 10, 15, 20]], (0, 0.5, 1, 1.5, 2))
    steps = np.diff(x)
    assert max(steps[0], steps[9], steps[10], steps[19]) < 0.3 * steps[5]


def test_a_held_source_frame_lasts_from_its_key_on(tmp_path: Path) -> None:
    keys = [{"frame": 0}, {"frame": 3, "source_index": 3}, {"frame": 6, "right": 1}]
    trajectory = read_keyframes(written(tmp_path, {"keyframes": keys}))
    np.testing.assert_array_equal(trajectory.source_index, (0, 1, 2, 3, 3, 3, 3))


def test_a_held_source_frame_starts_at_the_frame_of_its_time(tmp_path: Path) -> None:
    keys = [{"time": 0}, {"time": 0.07, "source_index": 40}, {"time": 1}]
    trajectory = read_keyframes(written(tmp_path, {"keyframes": keys}), frames=101)
    np.testing.assert_array_equal(trajectory.source_index[5:9], (5, 6, 40, 40))


def test_a_zoom_stands_beside_matrices_and_grows_by_equal_ratios(tmp_path: Path) -> None:
    eye = np.eye(4).tolist()
    keys = [{"frame": 0, "matrix": eye}, {"frame": 2, "matrix": eye, "zoom": 4}]
    path = written(tmp_path, {"keyframes": keys, "interpolation": "linear"})
    np.testing.assert_allclose(read_keyframes(path).focal_scale, (1, 2, 4))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_saved(name: str, tmp_path: Path) -> None:
    trajectory = Trajectory.preset(name, 9, pivot_depth=DEPTH)
    path = tmp_path / "path.yaml"
    write_keyframes(path, trajectory)
    again = read_keyframes(path)
    np.testing.assert_allclose(again.source_from_target, trajectory.source_from_target, atol=1e-12)
    np.testing.assert_allclose(
        again.target_intrinsics(np.eye(3)[None].repeat(9, 0)),
        trajectory.target_intrinsics(np.eye(3)[None].repeat(9, 0)),
        rtol=1e-12,
    )


@settings(max_examples=25, deadline=None)
@given(
    matrices=st.lists(poses(), min_size=1, max_size=4),
    held=st.booleans(),
    world=st.booleans(),
    zoom=st.none() | st.lists(st.floats(0.01, 100.0), min_size=4, max_size=4),
)
@pytest.mark.parametrize("name", ["keys.yaml", "keys.json"])
def test_written_keyframes_are_read_back(
    name: str, matrices: list[np.ndarray], held: bool, world: bool, zoom: list[float] | None
) -> None:
    index = np.arange(len(matrices))[::-1].copy() if held else None
    trajectory = Trajectory(
        np.stack(matrices),
        focal_scale=None if zoom is None else np.array(zoom[: len(matrices)]),
        source_index=index,
        mode="world" if world else "relative",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_keyframes(path, trajectory)
        again = read_keyframes(path)
    scale = 1 + np.abs(matrices).max()
    np.testing.assert_allclose(
        again.target_from_source, trajectory.target_from_source, atol=1e-11 * scale
    )
    assert again.mode == trajectory.mode
    assert (again.focal_scale is None) == (zoom is None)
    if zoom is not None:
        np.testing.assert_allclose(again.focal_scale, trajectory.focal_scale, rtol=1e-12)
    np.testing.assert_array_equal(again.source_index, trajectory.source_index)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "list of at least one keyframe"),
        ({"keyframes": []}, "list of at least one keyframe"),
        ({"keyframes": [3]}, "keyframe 0 must be a mapping"),
        ({"keyframes": [{"frame": 0, "yow": 3}]}, "keyframe 0 holds 'yow'; known are"),
        ({"keyframe": [{"frame": 0}]}, "the file holds 'keyframe'"),
        ({"keyframes": [{"yaw": 3}]}, "keyframe 0 has no `frame`"),
        ({"keyframes": [{"frame": 1}]}, "start at 0"),
        ({"keyframes": [{"frame": 0}, {"frame": 0}]}, "increase"),
        ({"keyframes": [{"frame": 0}, {"frame": 1.5}]}, "whole numbers"),
        ({"keyframes": [{"frame": 0}, {"time": 1}]}, "not both"),
        ({"keyframes": [{"frame": 0, "yaw": "much"}]}, "yaw must be a finite number"),
        ({"keyframes": [{"frame": 0, "yaw": True}]}, "yaw must be a finite number"),
        ({"keyframes": [{"frame": 0, "zoom": 0}]}, "zoom multiplies"),
        ({"keyframes": [{"frame": 0}], "mode": "world"}, "needs a 4x4 `matrix`"),
        ({"keyframes": [{"frame": 0}], "mode": "global"}, "one of relative, world"),
        ({"keyframes": [{"frame": 0}], "ease": "smooth"}, "`ease` must be one of"),
        ({"keyframes": [{"frame": 0}], "frames": 7}, "disagrees"),
        ({"keyframes": [{"frame": 0}, {"frame": 1e12}]}, "<= 100000, got 1000000000001"),
        ({"keyframes": [{"time": 0}, {"time": 1}], "frames": 10**12}, "<= 100000"),
        ({"keyframes": [{"frame": 0}], "frames": 2.5}, "`frames` must be a whole number"),
        ({"keyframes": [{"frame": 0}], "aim": "yes"}, "true or false"),
        ({"keyframes": [{"frame": 0, "matrix": [[1]]}]}, "must be 4x4"),
        ({"keyframes": [{"frame": 0, "matrix": "eye"}]}, "4 rows of 4 numbers"),
        ({"keyframes": [{"frame": 0, "matrix": np.eye(4).tolist(), "yaw": 1}]}, "either"),
        ({"keyframes": [{"frame": 0, "matrix": np.eye(4).tolist(), "zoom": 0}]}, "zoom multiplies"),
        ({"keyframes": [{"frame": 0, "source_index": -2}]}, "source_index"),
        ({"keyframes": [{"frame": 0, "source_index": 1e300}]}, "source_index must be"),
        ({"keyframes": [{"frame": 0, "yaw": 2**70, "zoom": 10**400}]}, "zoom must be a finite"),
        ({"keyframes": [{"frame": 0, "matrix": [[10**400]]}]}, "4 rows of 4 numbers"),
        ({"keyframes": [EYE], "aim": 7}, "true or false"),
        ({"keyframes": [EYE], "units": "parsecs"}, "`units` must be one of"),
        ({"keyframes": [EYE], "aim": True}, "these keyframes hold matrices"),
        ({"keyframes": [EYE], "units": "pivot"}, "these keyframes hold matrices"),
    ],
)
def test_keyframe_mistakes_are_named(document: dict, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, document)
    with pytest.raises(ValueError, match=message) as caught:
        read_keyframes(path, pivot_depth=DEPTH)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "a: [1", "- 1\n- 2\n", "\x00"])
def test_keyframe_files_that_do_not_parse_are_one_sentence(content: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"keys\.yaml") as caught:
        read_keyframes(path)
    assert "\n" not in str(caught.value)


def test_numbers_in_scientific_notation_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    # YAML 1.1 takes what has no point or no sign in its exponent for a word.
    path.write_text("keyframes:\n- {frame: 0}\n- {frame: 1e1, right: 1e-3, zoom: 12E-1}\n")
    trajectory = read_keyframes(path)
    assert len(trajectory) == 11
    assert trajectory.source_from_target[-1, 0, 3] == pytest.approx(1e-3)
    assert trajectory.focal_scale[-1] == pytest.approx(1.2)
    path.write_text("keyframes:\n- {frame: 0}\n- {frame: 10, right: nan}\n")
    with pytest.raises(ValueError, match="keyframe 1: right must be a finite number, got nan"):
        read_keyframes(path)


@pytest.mark.parametrize("digits", [3, 4])
def test_matrices_rounded_in_a_file_are_exact_rotations_again(digits: int, tmp_path: Path) -> None:
    exact = np.eye(4)
    exact[:3, :3] = rotation_about("y", np.pi / 4)  # 0.707 is off by 3e-4 in R^T R
    keys = [
        {"frame": 0, "matrix": exact.round(digits).tolist()},
        {"frame": 2, "matrix": np.eye(4).tolist()},
    ]
    read = read_keyframes(written(tmp_path, {"keyframes": keys})).source_from_target
    np.testing.assert_allclose(read[0], exact, atol=1e-12)
    require_rigid(read, "read", tolerance=1e-12)
    keys[0]["matrix"] = (exact * [[1.01], [1.01], [1.01], [1]]).tolist()
    with pytest.raises(ValueError, match="keyframe 0: matrix 0 is not a rotation"):
        read_keyframes(written(tmp_path, {"keyframes": keys}))
    keys[0]["matrix"] = [np.eye(4).tolist()]
    with pytest.raises(ValueError, match="keyframe 0: matrix must be 4x4, 4 rows of 4 numbers"):
        read_keyframes(written(tmp_path, {"keyframes": keys}))
