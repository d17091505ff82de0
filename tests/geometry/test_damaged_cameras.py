"""Damaged files of cameras end in a sentence that names them, whatever their bytes are."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, every_frame

SIZE = Given(height=HEIGHT, width=WIDTH)


@pytest.mark.parametrize("part", ["poses.npy", "intrinsics.npy"])
def test_a_header_of_an_array_that_does_not_parse_is_refused(part: str, tmp_path: Path) -> None:
    write_cameras(tmp_path, every_frame(), "spatialvid")
    content = (tmp_path / part).read_bytes()
    for position in range(10, 60):  # an open bracket there makes Python's own tokens run out
        (tmp_path / part).write_bytes(content[:position] + b"(" + content[position + 1 :])
        with pytest.raises(ValueError, match=rf"{part} as SpatialVID"):
            read_cameras(tmp_path, "spatialvid", SIZE)


def compressed_as(path: Path, method: int) -> None:
    """Rewrite an .npz with another number for the compression of its entries."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = content.find(signature)
        while start >= 0:
            content[start + offset : start + offset + 2] = method.to_bytes(2, "little")
            start = content.find(signature, start + 1)
    path.write_bytes(content)


def encrypted(path: Path) -> None:
    """Set the flag of encryption on the entries of an .npz."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(signature, start + 1)
    path.write_bytes(content)


def huge(path: Path) -> None:
    """Replace the array of poses by the header of one that no machine can hold."""
    stream = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (2**50, 4, 4)}
    np.lib.format.write_array_header_1_0(stream, shape)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cam_c2w.npy", stream.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "damage",
    [lambda path: compressed_as(path, 97), lambda p: compressed_as(p, 14), encrypted, huge],
)
def test_an_archive_that_cannot_be_unpacked_is_refused(damage, tmp_path: Path) -> None:
    path = tmp_path / "cameras.npz"
    write_cameras(path, every_frame(), "vista4d")
    damage(path)
    with pytest.raises(ValueError, match=r"cannot read .*cameras\.npz as Vista4D: \S"):
        read_cameras(path, "vista4d")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones((3, 7), dtype=complex), r"7 columns of real numbers, got complex128 of shape \(3"),
        (np.zeros((0, 7)), "its table has no rows"),
        (np.full((3, 7), "a"), "7 columns of real numbers, got <U1"),
        (np.zeros((3, 8)), r"got float64 of shape \(3, 8\)"),
    ],
)
def test_a_table_of_no_cameras_is_refused(table: np.ndarray, message: str, tmp_path: Path) -> None:
    write_cameras(tmp_path, every_frame(3), "spatialvid")
    np.save(tmp_path / "poses.npy", table)
    with pytest.raises(ValueError, match=rf"poses\.npy is not SpatialVID: .*{message}"):
        read_cameras(tmp_path, "spatialvid", SIZE)


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        ('["xformOp:transform"]', '["xformOp:trans6orm"]', "cannot read .*trans6orm"),
        ("float horizontalApertureOffset", "floab horizontalApertureOffset", "must be a number"),
        ("float focalLength", "nan focalLength", "/cameras/camera.focalLength must be a number"),
        ("float verticalAperture = ", 'string verticalAperture = "a" #', "must be a number, got a"),
        ("metersPerUnit = 1", "metersPerUnit = 1e300", "holds values that are not finite"),
    ],
)
def test_a_damaged_stage_is_refused(found: str, instead: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.usda"
    cameras = every_frame(3)
    lens = np.repeat(cameras.intrinsics[:1], 3, axis=0)
    poses = cameras.world_from_camera.copy()
    poses[:, :3, 3] *= 1e10
    write_cameras(
        path,
        cameras.replaced(world_from_camera=poses, intrinsics=lens, frame_index=None, times=None),
        "usd",
    )
    text = path.read_text()
    assert found in text
    path.write_text(text.replace(found, instead))
    with pytest.raises(ValueError, match=message) as caught:
        read_cameras(path, given=SIZE)
    assert str(path) in str(caught.value)
