"""COLMAP's models as it writes them: binary files, points lines, and what stands beside them."""

from __future__ import annotations

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from scaling4d.__main__ import main
from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.trajectory_io import detect_format, read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path

PINHOLE, OPENCV, OPENCV_FISHEYE = 1, 4, 5
ROTATION = Rotation.from_euler("xyz", (0.3, -0.5, 0.2))


def camera_bytes(number: int, model: int, parameters: tuple[float, ...]) -> bytes:
    """One camera of cameras.bin, 640 pixels wide and 480 high."""
    return struct.pack(f"<IiQQ{len(parameters)}d", number, model, 640, 480, *parameters)


def image_bytes(number: int, name: str, x: float, camera: int, points: int = 0) -> bytes:
    """One image of images.bin, turned by ROTATION, with that many points."""
    row = (*np.roll(ROTATION.as_quat(), 1), x, 2.0, 3.0)
    head = struct.pack("<I7dI", number, *row, camera) + name.encode() + b"\0"
    return head + struct.pack("<Q", points) + struct.pack("<2dq", 1.5, 2.5, -1) * points


def binary_model(folder: Path, *images: bytes, cameras: tuple[bytes, ...] = ()) -> Path:
    """A folder with cameras.bin and images.bin."""
    cameras = cameras or (camera_bytes(1, PINHOLE, (500.0, 510.0, 320.0, 240.0)),)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cameras.bin").write_bytes(struct.pack("<Q", len(cameras)) + b"".join(cameras))
    (folder / "images.bin").write_bytes(struct.pack("<Q", len(images)) + b"".join(images))
    (folder / "points3D.bin").write_bytes(struct.pack("<Q", 0))
    return folder


def test_a_binary_model_holds_world_to_camera_with_the_scalar_first(tmp_path: Path) -> None:
    distortion_free = camera_bytes(7, OPENCV, (500.0, 510.0, 320.0, 240.0, 0.0, 0.0, 0.0, 0.0))
    folder = binary_model(
        tmp_path / "sparse",
        image_bytes(9, "shot_10.png", 5.0, 7, points=3),
        image_bytes(4, "shot_2.png", 1.0, 7),
        cameras=(camera_bytes(3, PINHOLE, (400.0, 400.0, 320.0, 240.0)), distortion_free),
    )
    assert detect_format(folder) == "colmap"
    assert detect_format(folder / "images.bin") == "colmap"
    cameras = read_cameras(folder)
    np.testing.assert_array_equal(cameras.frame_index, (2, 10))
    rotation = ROTATION.as_matrix()
    for pose, x in zip(cameras.world_from_camera, (1.0, 5.0), strict=True):
        np.testing.assert_allclose(pose[:3, :3], rotation.T, atol=1e-12)
        np.testing.assert_allclose(pose[:3, 3], -rotation.T @ (x, 2.0, 3.0), atol=1e-12)
    np.testing.assert_array_equal(cameras.intrinsics[0], intrinsics_matrix(500, 510, 320, 240))
    assert (cameras.height, cameras.width) == (480, 640)


def test_of_both_models_the_binary_one_is_read_as_colmap_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_cameras(tmp_path, camera_path(3), "colmap")
    binary_model(tmp_path, image_bytes(1, "a_0.png", 0.0, 1))
    with caplog.at_level(logging.INFO):
        assert len(read_cameras(tmp_path)) == 1
    assert "reading the binary one, as COLMAP does" in caplog.text
    assert len(read_cameras(tmp_path / "images.txt")) == 3
    assert len(read_cameras(tmp_path / "images.bin")) == 1


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (camera_bytes(1, OPENCV_FISHEYE, (1.0,) * 8), "camera 1: camera model OPENCV_FISHEYE is"),
        (camera_bytes(1, OPENCV, (5.0, 5, 3, 2, 0.1, 0, 0, 0)), "camera 1: the lens is distorted"),
        (camera_bytes(1, 99, (1.0,)), "99 is the number of no camera model"),
        (camera_bytes(1, PINHOLE, (5.0, 5.0, np.nan, 2.0)), "a number that is not finite"),
        (camera_bytes(2, PINHOLE, (5.0, 5.0, 3.0, 2.0)), "cameras.bin lacks camera 1"),
        (camera_bytes(1, PINHOLE, (5.0, 5.0, 3.0, 2.0)) + b"more", "goes on for 4 bytes"),
    ],
)
def test_cameras_that_are_no_pinhole_are_refused(
    camera: bytes, message: str, tmp_path: Path
) -> None:
    folder = binary_model(tmp_path, image_bytes(1, "a_0.png", 0.0, 1), cameras=(camera,))
    with pytest.raises(ValueError, match=message):
        read_cameras(folder)


@pytest.mark.parametrize("name", ["cameras.bin", "images.bin"])
def test_a_binary_file_that_is_cut_short_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    folder = binary_model(tmp_path, image_bytes(1, "a_0.png", 0.0, 1, points=2))
    content = (folder / name).read_bytes()
    for length in range(len(content)):
        (folder / name).write_bytes(content[:length])
        with pytest.raises(ValueError, match=rf"{name} ends after {length} bytes"):
            read_cameras(folder)
    (folder / name).write_bytes(b"\xff" * 200)
    with pytest.raises(ValueError, match=name):
        read_cameras(folder)


def test_images_without_their_cameras_name_what_is_missing(tmp_path: Path) -> None:
    folder = binary_model(tmp_path, image_bytes(1, "a_0.png", 0.0, 1))
    (folder / "cameras.bin").unlink()
    with pytest.raises(ValueError, match=r"cannot read .*cameras\.bin as COLMAP"):
        read_cameras(folder)


@pytest.mark.parametrize("names", [("a_1.png", "a_2.png"), ("my shot 1.png", "my shot 2.png")])
def test_images_whose_empty_points_lines_were_lost_are_refused(
    names: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 640 480 500 500 320 240\n")
    rows = [f"{i} 1 0 0 0 0 0 0 1 {name}\n" for i, name in enumerate(names, start=1)]
    (tmp_path / "images.txt").write_text("# images\n" + "".join(rows))
    with pytest.raises(ValueError, match=r"images\.txt line 3: expected the points of the image"):
        read_cameras(tmp_path)
    (tmp_path / "images.txt").write_text("# images\n" + "\n".join(rows))
    assert len(read_cameras(tmp_path)) == 2


def test_a_replaced_model_leaves_no_binary_one_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cameras(tmp_path / "new", camera_path(3), "colmap")
    out = binary_model(tmp_path / "old", image_bytes(1, "a_0.png", 0.0, 1))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    command = ["trajectory", "convert", str(tmp_path / "new"), f"colmap:{out}"]
    assert main(command) == 2
    assert "exists" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert main([*command, "--force"]) == 0
    assert sorted(path.suffix for path in out.iterdir()) == [".txt"] * 3
    np.testing.assert_array_equal(
        read_cameras(out).frame_index, read_cameras(tmp_path / "new").frame_index
    )
