"""Cameras that cannot be are refused at the door, naming the file and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path

EYES = np.tile(np.eye(4), (3, 1, 1))
SIZE = Given(height=480, width=640)


@pytest.mark.parametrize("focal", [(0.0, 0.0), (300.0, -300.0), (-1.0, 300.0)])
@pytest.mark.parametrize("kind", [CameraPath, Trajectory])
def test_a_focal_length_must_be_positive(kind: type, focal: tuple[float, float]) -> None:
    lenses = np.tile(intrinsics_matrix(300.0, 300.0, 320.0, 240.0), (3, 1, 1))
    lenses[1, 0, 0], lenses[1, 1, 1] = focal
    with pytest.raises(ValueError, match="must be > 0 pixels, but camera 1 has fx"):
        kind(EYES, intrinsics=lenses)


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
    cameras = camera_path().replaced(height=4, width=4)
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
