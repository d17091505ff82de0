"""One camera per line: RealEstate10K, TUM and KITTI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix, invert_pose, require_rigid
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import numbers, read_text, words, write_text
from scaling4d.geometry.formats.given import Given, frame_index_or_none, frame_numbers
from scaling4d.geometry.formats.image_shares import pixels_from_shares, shares_from_pixels
from scaling4d.geometry.rotation import (
    nearest_rotation,
    quaternion_from_rotation,
    rotation_from_quaternion,
)

FloatArray = npt.NDArray[np.float64]

RE10K = (
    "text, `timestamp fx fy cx cy 0 0` and the 3x4 world-to-camera matrix per line, OpenCV axes, "
    "intrinsics divided by the image size, timestamps in microseconds"
)
TUM = "text, `seconds tx ty tz qx qy qz qw` per line, camera-to-world, OpenCV axes, no intrinsics"
KITTI = "text, the 3x4 camera-to-world matrix per line, OpenCV axes, no intrinsics and no times"


def read_re10k(path: Path, given: Given) -> CameraPath:
    """Read a RealEstate10K pose file, with or without its first line (the video's address)."""
    height, width = given.require_size("RealEstate10K")
    lines = _lines(path, "RealEstate10K")
    if lines and _is_address(_fields(lines[0][1])):
        lines = lines[1:]
    table = _table(path, lines, 19, "RealEstate10K")
    if np.any(table[:, 5:7] != 0.0):
        raise ValueError(f"{path}: columns 6 and 7 must be 0 (a distortion is not supported)")
    pixels = pixels_from_shares(table[:, 1:5], height, width, "RealEstate10K")
    return CameraPath(
        invert_pose(_poses(table[:, 7:], path)),
        intrinsics_matrix(*pixels.T),
        height,
        width,
        times=_times(table[:, 0] / 1e6, path) if table[:, 0].any() else None,
    )


def write_re10k(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a RealEstate10K pose file; frames without times or numbers of their own get time 0.

    Raises:
        ValueError: for frame numbers without a rate that makes them times, among others.
    """
    height, width = cameras.require_size("RealEstate10K")
    pixels = cameras.require_intrinsics("RealEstate10K")
    intrinsics = shares_from_pixels(pixels, height, width, "RealEstate10K")
    times = given.completed(cameras).times
    if times is None:
        if frame_index_or_none(frame_numbers(cameras)) is not None:
            raise ValueError(
                "RealEstate10K holds times, and this path has frame numbers alone: give fps"
            )
        times = np.zeros(len(cameras))
    rows = ["cameras"]  # the first line of the format is a video's address
    for time, k, pose in zip(times, intrinsics, cameras.camera_from_world, strict=True):
        rows.append(f"{round(time * 1e6)} {words(k)} 0 0 {words(pose[:3])}")
    write_text(path, "\n".join(rows) + "\n")


def read_tum(path: Path, given: Given) -> CameraPath:
    """Read a TUM trajectory."""
    table = _table(path, _lines(path, "TUM"), 8, "TUM")
    return CameraPath(
        poses_from_xyzw(table[:, 1:4], table[:, 4:], path), times=_times(table[:, 0], path)
    )


def write_tum(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a TUM trajectory; it holds no intrinsics."""
    times = given.completed(cameras).times
    if times is None:
        raise ValueError("TUM lines start with a time, and this path has none: give fps")
    rows = [
        words(np.concatenate(([time], pose[:3, 3], xyzw_from_rotation(pose[:3, :3]))))
        for time, pose in zip(times, cameras.world_from_camera, strict=True)
    ]
    write_text(path, "\n".join(rows) + "\n")


def read_kitti(path: Path, given: Given) -> CameraPath:
    """Read a KITTI odometry pose file."""
    table = _table(path, _lines(path, "KITTI"), 12, "KITTI")
    return CameraPath(_poses(table, path))


def write_kitti(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a KITTI odometry pose file; it holds neither intrinsics nor times."""
    rows = [words(pose[:3]) for pose in cameras.world_from_camera]
    write_text(path, "\n".join(rows) + "\n")


def poses_from_xyzw(translation: FloatArray, xyzw: FloatArray, path: Path) -> FloatArray:
    """Return poses (n, 4, 4) from translations and quaternions in the order x y z w."""
    length = np.linalg.norm(xyzw, axis=-1)
    if np.any(np.abs(length - 1.0) > 1e-3):
        bad = int(np.argmax(np.abs(length - 1.0)))
        raise ValueError(
            f"{path}: quaternion {bad} has length {length[bad]:.4g}, expected 1 (order qx qy qz qw)"
        )
    poses = np.tile(np.eye(4), (len(xyzw), 1, 1))
    poses[:, :3, :3] = rotation_from_quaternion(np.roll(xyzw, 1, axis=-1))
    poses[:, :3, 3] = translation
    return poses


def xyzw_from_rotation(rotation: FloatArray) -> FloatArray:
    """Return quaternions (..., 4) in the order x y z w."""
    return np.roll(quaternion_from_rotation(rotation), -1, axis=-1)


def _lines(path: Path, name: str) -> list[tuple[int, str]]:
    """Return the numbered lines that are neither blank nor comments."""
    lines = enumerate(read_text(path, name).splitlines(), start=1)
    return [(n, line) for n, line in lines if line.strip() and not line.lstrip().startswith("#")]


def _fields(line: str) -> list[str]:
    """Return the words of a line, between spaces or commas."""
    return line.replace(",", " ").split()


def _is_address(fields: list[str]) -> bool:
    """Whether the first line is that of a video, and not a camera, damaged or not."""
    if len(fields) in (1, 19):
        return len(fields) == 1  # a video may be named by a number
    try:
        float(fields[0])
    except (IndexError, ValueError):
        return True
    return False


def _table(path: Path, lines: list[tuple[int, str]], columns: int, name: str) -> FloatArray:
    rows = []
    for number, line in lines:
        fields = _fields(line)
        if len(fields) != columns:
            raise ValueError(
                f"{path} line {number}: {name} has {columns} numbers a line, found {len(fields)}"
            )
        rows.append(numbers(fields, f"{path} line {number}"))
    if not rows:
        raise ValueError(f"{path} holds no cameras")
    return np.stack(rows)


def _poses(rows: FloatArray, path: Path) -> FloatArray:
    """Return rigid 4x4 matrices from 3x4 rows, cleaning the rounding of printed rotations."""
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3] = rows.reshape(-1, 3, 4)
    return cleaned(poses, str(path))


def cleaned(poses: FloatArray, name: str) -> FloatArray:
    """Return poses whose rotations, rounded in a file, are exact rotations again.

    Raises:
        ValueError: if they are further from rotations than rounding explains.
    """
    poses = require_rigid(poses, name, tolerance=1e-3).copy()
    error = np.abs(poses[:, :3, :3].swapaxes(1, 2) @ poses[:, :3, :3] - np.eye(3)).max((1, 2))
    rounded = error > 1e-12
    poses[rounded, :3, :3] = nearest_rotation(poses[rounded, :3, :3])
    return poses


def _times(seconds: FloatArray, path: Path) -> FloatArray:
    if np.any(np.diff(seconds) <= 0.0):
        raise ValueError(f"{path}: the times in the first column must increase")
    return seconds
