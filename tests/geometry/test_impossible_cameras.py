"""Cameras that cannot be are refused at the door, naming the file and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path, every_frame

EYES = np.tile(np.eye(4), (3, 1, 1))
SIZE = Given(height=480, width=640)


@pytest.mark.parametrize("focal", [(0.0, 0.0), (300.0, -300.0), (-1.0, 300.0)])
@pytest.mark.parametrize("kind", [CameraPath, Trajectory])
def test_a_focal_length_must_be_positive(kind: type, focal: tuple[float, float]) -> None:
    lenses = np.tile(intrinsics_matrix(300.0, 300.0, 320.0, 240.0), (3, 1, 1))
    lenses[1, 0, 0], lenses[1, 1, 1] = focal
    with pytest.raises(ValueError, match="must be > 0 pixels, but camera 1 has fx"):
        kind(EYES, intrinsics=lenses)


@pytest.mark.parametrize("kind", [CameraPath, Trajectory])
def test_intrinsics_must_end_in_0_0_1(kind: type) -> None:
    lenses = np.tile(intrinsics_matrix(300.0, 300.0, 320.0, 240.0), (3, 1, 1))
    lenses[2] = lenses[2].T
    with pytest.raises(ValueError, match="those of camera 2 do not: correct or transpose"):
        kind(EYES, intrinsics=lenses)


def test_shares_of_the_image_are_no_pixels_of_it(tmp_path: Path) -> None:
    lenses = np.tile(intrinsics_matrix(0.9, 0.9, 0.5, 0.5), (3, 1, 1))
    np.savez(tmp_path / "camera.npz", w2c=EYES, intrinsics=lenses)
    assert read_cameras(tmp_path).intrinsics is not None  # the size of the image is not known
    with pytest.raises(ValueError, match=r"focal length of 0\.9 for 640 pixels of width: multiply"):
        read_cameras(tmp_path, given=SIZE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": 0, "width": 640}, "a height of 0 and a width of 640"),
        ({"times": np.array([2.0, 1.0, 3.0])}, "must increase, got 1 s after 2 s"),
        ({"times": np.array([0.0, 1.0, 1.0])}, "must increase, got 1 s after 1 s"),
        ({"frame_index": np.array([0, 4, 4])}, "and 4 is negative or stands twice"),
        ({"frame_index": np.array([-2, 4, 5])}, "and -2 is negative or stands twice"),
        ({"frame_index": np.array([0.5, 4, 5])}, "3 whole numbers, got float64"),
    ],
)
def test_sizes_times_and_numbers_that_no_video_has_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CameraPath(EYES, **fields)


@pytest.mark.parametrize("fps", [0.0, -1.0, np.inf, np.nan])
def test_a_frame_rate_is_finite_and_positive(fps: float) -> None:
    with pytest.raises(ValueError, match="frames per second must be finite and > 0"):
        Given(fps=fps)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"camera_model": "EQUIRECTANGULAR"}, "camera model EQUIRECTANGULAR is not a pinhole"),
        ({"camera_model": "OPENCV_FISHEYE"}, "camera model OPENCV_FISHEYE is not a pinhole"),
        ({"camera_model": ["PINHOLE"]}, "is not a pinhole"),
        ({"is_fisheye": True}, "is_fisheye"),
        ({"w": [640]}, "`w` must be a finite number"),
        ({"h": 10**400}, "`h` must be a finite number"),
        ({"w": 640.5}, "must be whole pixels, got 480.0 and 640.5"),
        ({"w": 0, "h": 0}, "a height of 0 and a width of 0"),
        ({"fl_x": 10**400}, "every frame needs fl_x"),
        ({"transform_matrix": [[10**400]]}, "needs a 4x4"),
    ],
)
def test_nerfstudio_cameras_that_are_no_pinholes_are_refused(
    fields: dict, message: str, tmp_path: Path
) -> None:
    frame = {"file_path": "a_0.png", "transform_matrix": np.eye(4).tolist(), "fl_x": 300}
    frame |= {"w": 640, "h": 480, "camera_model": "OPENCV"} | fields
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({"frames": [frame]}))
    with pytest.raises(ValueError, match=message) as caught:
        read_cameras(path)
    assert str(path) in str(caught.value)


def test_a_frame_number_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    row = "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 1]"
    path = tmp_path / "camera_extrinsics.json"
    path.write_text(json.dumps({"frame0": {"cam01": row}, "frame" + "9" * 20: {"cam01": row}}))
    with pytest.raises(ValueError, match=r"camera_extrinsics\.json.*a frame number is over"):
        read_cameras(path)


@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan])
def test_a_zoom_factor_must_be_positive(factor: float) -> None:
    with pytest.raises(ValueError, match="finite factors > 0"):
        Trajectory(EYES, focal_scale=np.array([1.0, factor, 1.0]))


def test_a_file_with_an_impossible_lens_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cameras.npz"
    np.savez(path, cam_c2w=EYES, intrinsics=np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"cameras\.npz.*camera 0 has fx 0 and fy 0"):
        read_cameras(path)


def test_pixels_where_shares_of_the_image_belong_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "clip.txt"
    path.write_text("0 500 500 320 240 0 0 1 0 0 0 0 1 0 0 0 0 1 0\n")
    with pytest.raises(ValueError, match=r"clip\.txt.*divide fx and cx by the image width"):
        read_cameras(path, "re10k", SIZE)
    np.save(tmp_path / "poses.npy", np.array([[0, 0, 0, 0, 0, 0, 1.0]]))
    np.save(tmp_path / "intrinsics.npy", np.array([[500.0, 500.0, 320.0, 240.0]]))
    with pytest.raises(ValueError, match="divide fx and cx by the image width"):
        read_cameras(tmp_path, "spatialvid", SIZE)


@pytest.mark.parametrize("name", ["re10k", "spatialvid"])
def test_shares_that_would_not_be_read_back_are_not_written(name: str, tmp_path: Path) -> None:
    cameras = every_frame().replaced(height=4, width=4)
    with pytest.raises(ValueError, match="give the size of the image"):
        write_cameras(tmp_path / "out", cameras, name)


@pytest.mark.parametrize("part", ["pose", "intrinsics"])
@pytest.mark.parametrize("index", [np.arange(2), np.arange(3) / 2, np.arange(3)[:, None]])
def test_vipe_needs_one_frame_number_per_row(part: str, index: np.ndarray, tmp_path: Path) -> None:
    write_cameras(tmp_path / "vipe", camera_path(3), "vipe")
    path = tmp_path / "vipe" / part / "cameras.npz"
    with np.load(path) as archive:
        data = archive["data"]
    np.savez(path, data=data, inds=index)
    with pytest.raises(ValueError, match=r"cameras\.npz: `inds` must hold one frame number"):
        read_cameras(tmp_path / "vipe")
