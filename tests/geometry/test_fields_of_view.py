"""transforms.json with a field of view for a focal length, as NeRF and instant-ngp write it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.camera import intrinsics_from_fov, intrinsics_matrix
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras

ANGLE = 0.6911112070083618  # of NeRF's synthetic scenes: 1111.11 pixels in 800


def transforms(tmp_path: Path, **fields: object) -> Path:
    """A file with two cameras as NeRF's scenes name them."""
    frames = [
        {"file_path": f"./train/r_{n}", "rotation": 0.01, "transform_matrix": np.eye(4).tolist()}
        for n in range(2)
    ]
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({**fields, "frames": frames}))
    return path


@pytest.mark.parametrize("held", [False, True])
def test_the_size_comes_from_the_file_or_is_given(held: bool, tmp_path: Path) -> None:
    size = {"w": 800, "h": 600} if held else {}
    path = transforms(tmp_path, camera_angle_x=ANGLE, **size)
    cameras = read_cameras(path, given=Given() if held else Given(height=600, width=800))
    expected = intrinsics_from_fov(600, 800, math.degrees(ANGLE))
    np.testing.assert_allclose(cameras.intrinsics, [expected] * 2, rtol=1e-12)
    assert cameras.intrinsics[0, 0, 0] == pytest.approx(1111.1110, abs=1e-3)
    assert (cameras.height, cameras.width) == (600, 800)


def test_without_a_size_the_lens_is_not_known_and_a_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = transforms(tmp_path, camera_angle_x=ANGLE)
    assert read_cameras(path).intrinsics is None
    assert "without a height and a width its intrinsics are not known" in caplog.text


@pytest.mark.parametrize(
    ("fields", "lens"),
    [
        ({"camera_angle_y": math.pi / 2}, (300, 300, 400, 300)),
        ({"camera_angle_x": math.pi / 2, "camera_angle_y": math.pi / 2}, (400, 300, 400, 300)),
        ({"camera_angle_x": math.pi / 2, "cx": 410, "cy": 290}, (400, 400, 410, 290)),
        ({"camera_angle_x": math.pi / 2, "cx": 410}, (400, 400, 410, 300)),
        # What COLMAP2nerf writes beside fl_x says the same, and where not, pixels win.
        ({"camera_angle_x": 1.0, "fl_x": 500}, (500, 500, 400, 300)),
        ({"camera_angle_y": math.pi / 2, "fl_x": 500}, (500, 300, 400, 300)),
    ],
)
def test_what_is_missing_is_filled_in_as_instant_ngp_does(
    fields: dict, lens: tuple, tmp_path: Path
) -> None:
    cameras = read_cameras(transforms(tmp_path, w=800, h=600, **fields))
    np.testing.assert_allclose(cameras.intrinsics, [intrinsics_matrix(*lens)] * 2, rtol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 4.0, -1.0, float("nan"), "wide", None])
def test_an_impossible_field_of_view_is_refused(angle: object, tmp_path: Path) -> None:
    path = transforms(tmp_path, camera_angle_x=angle, w=800, h=600)
    with pytest.raises(ValueError, match=r"transforms\.json: every frame needs fl_x or camera_an"):
        read_cameras(path)
