"""Cameras in what other tools leave behind: GEN3C, MegaSaM (as CogNVS takes it) and EX-4D."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import intrinsics_matrix, invert_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.archives import poses_of
from scaling4d.geometry.formats.files import read_arrays, write_arrays
from scaling4d.geometry.formats.given import Given

FloatArray = npt.NDArray[np.float64]

GEN3C = (
    "folder with camera.npz: `w2c` (n, 4, 4), world-to-camera, OpenCV axes, and `intrinsics` "
    "(n, 3, 3) in pixels"
)
MEGASAM = (
    "npz with `cam_c2w` (n, 4, 4), camera-to-world, OpenCV axes, and one `intrinsic` (3, 3) in "
    "pixels"
)
EX4D = (
    "npz with `extrinsics` (n, 4, 4), world-to-camera, OpenGL axes, in the world of the source "
    "camera, and one `intrinsics` (3, 3) in pixels"
)


def read_gen3c(path: Path, given: Given) -> CameraPath:
    """Read the camera.npz of a GEN3C folder, or that file itself."""
    path = path / "camera.npz" if path.is_dir() else path
    matrices, lens = read_arrays(path, "GEN3C", ("w2c", "intrinsics"))
    poses = invert_pose(poses_of(matrices, path))
    return CameraPath(poses, _lenses(lens, len(poses), path))


def write_gen3c(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write the camera.npz of a GEN3C folder."""
    path = path if path.suffix == ".npz" else path / "camera.npz"
    lens = intrinsics_matrix(*cameras.require_intrinsics("GEN3C").T)
    write_arrays(path, w2c=cameras.camera_from_world, intrinsics=lens)


def read_megasam(path: Path, given: Given) -> CameraPath:
    """Read the cameras of a MegaSaM result."""
    matrices, lens = read_arrays(path, "MegaSaM", ("cam_c2w", "intrinsic"))
    poses = poses_of(matrices, path)
    return CameraPath(poses, _lenses(lens, len(poses), path))


def write_megasam(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write cameras as a MegaSaM result holds them, without its images and depths."""
    write_arrays(path, cam_c2w=cameras.world_from_camera, intrinsic=_one_lens(cameras, "MegaSaM"))


def read_ex4d(path: Path, given: Given) -> CameraPath:
    """Read the target cameras of an EX-4D rendering."""
    matrices, lens = read_arrays(path, "EX-4D", ("extrinsics", "intrinsics"))
    poses = convert_axes(invert_pose(poses_of(matrices, path)), "opengl", "opencv")
    return CameraPath(poses, _lenses(lens, len(poses), path))


def write_ex4d(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write target cameras as EX-4D does."""
    poses = convert_axes(cameras.world_from_camera, "opencv", "opengl")
    write_arrays(path, extrinsics=invert_pose(poses), intrinsics=_one_lens(cameras, "EX-4D"))


def _lenses(values: npt.NDArray[np.generic], count: int, path: Path) -> FloatArray:
    """Return intrinsics (count, 3, 3) from one matrix or one per camera."""
    if values.shape not in ((3, 3), (count, 3, 3)) or values.dtype.kind not in "fiu":
        raise ValueError(
            f"{path}: expected intrinsics of shape (3, 3) or ({count}, 3, 3), got {values.shape}"
        )
    return np.broadcast_to(values.astype(np.float64), (count, 3, 3)).copy()


def _one_lens(cameras: CameraPath, format_name: str) -> FloatArray:
    """Return the intrinsics (3, 3) that all cameras share."""
    lenses = cameras.require_intrinsics(format_name)
    if (lenses != lenses[0]).any():
        raise ValueError(
            f"{format_name} holds one lens for all frames, and this path zooms: "
            f"choose a format with a lens per frame, such as gen3c"
        )
    return intrinsics_matrix(*lenses[0])
