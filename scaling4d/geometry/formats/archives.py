"""Cameras in numpy files: Vista4D, ViPE and SpatialVID."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix, invert_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import read_array, read_arrays, write_array, write_arrays
from scaling4d.geometry.formats.first_frame import from_first_frame
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.image_shares import pixels_from_shares, shares_from_pixels
from scaling4d.geometry.formats.text_tables import cleaned, poses_from_xyzw, xyzw_from_rotation

FloatArray = npt.NDArray[np.float64]

VISTA4D = (
    "npz with `cam_c2w` (n, 4, 4), camera-to-world, OpenCV axes, and `intrinsics` (n, 4), "
    "fx fy cx cy in pixels"
)
VIPE = (
    "folder with pose/NAME.npz (`data` (n, 4, 4) camera-to-world, OpenCV axes, `inds`) and "
    "intrinsics/NAME.npz (`data` (n, 4) fx fy cx cy in pixels, `inds`)"
)
SPATIALVID = (
    "folder with poses.npy (n, 7), `tx ty tz qx qy qz qw`, world-to-camera, OpenCV axes, one row "
    "per key frame, and intrinsics.npy (n, 4), fx fy cx cy divided by the image size"
)


def read_vista4d(path: Path, given: Given) -> CameraPath:
    """Read a Vista4D camera file."""
    poses, values = read_arrays(path, "Vista4D", ("cam_c2w", "intrinsics"))
    intrinsics = _intrinsics(values, len(poses), path)
    return CameraPath(poses_of(poses, path), intrinsics)


def write_vista4d(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a Vista4D camera file."""
    intrinsics = cameras.require_intrinsics("Vista4D")
    write_arrays(path, cam_c2w=cameras.world_from_camera, intrinsics=intrinsics)


def read_vipe(path: Path, given: Given) -> CameraPath:
    """Read the poses and intrinsics of one clip in a ViPE result folder.

    Its `inds` are frame numbers from ``given.first_frame``, or 0.
    """
    pose_path = _vipe_pose_file(path, given)
    poses, index = _vipe_arrays(pose_path)
    k_path = pose_path.parent.parent / "intrinsics" / pose_path.name
    intrinsics = None
    if k_path.exists():
        values, k_index = _vipe_arrays(k_path)
        rows = {int(frame): row for frame, row in zip(k_index, values, strict=True)}
        missing = [int(frame) for frame in index if int(frame) not in rows]
        if missing:
            raise ValueError(f"{k_path} lacks the intrinsics of frame {missing[0]}")
        values = np.stack([rows[int(frame)] for frame in index])
        intrinsics = _intrinsics(values, len(poses), k_path)
    frames = from_first_frame(index, given.first_frame, pose_path)
    return CameraPath(poses_of(poses, pose_path), intrinsics, frame_index=frames)


def write_vipe(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a ViPE result folder with one clip.

    It is named by ``given.camera``, of a path the last part, or else "cameras".
    """
    intrinsics = cameras.require_intrinsics("ViPE")
    index = frame_numbers(cameras)
    name = f"{(given.camera or '').rpartition('/')[2] or 'cameras'}.npz"
    write_arrays(path / "intrinsics" / name, data=intrinsics, inds=index)
    write_arrays(path / "pose" / name, data=cameras.world_from_camera, inds=index)


def read_spatialvid(path: Path, given: Given) -> CameraPath:
    """Read the annotation folder of a SpatialVID clip.

    The data set keeps one pose per key frame; with ``given.video_frames`` the frame numbers follow
    as multiples of ceil(frames / poses), which fits clips whose step is not int(0.2 fps) too.
    """
    height, width = given.require_size("SpatialVID")
    table = read_array(path / "poses.npy", "SpatialVID", 7)
    camera_from_world = poses_from_xyzw(table[:, :3], table[:, 3:], path / "poses.npy")
    values = read_array(path / "intrinsics.npy", "SpatialVID", 4)
    values = pixels_from_shares(values, height, width, "SpatialVID")
    intrinsics = _intrinsics(values, len(table), path)
    index = None
    if given.video_frames is not None:
        if given.video_frames < len(table):
            raise ValueError(
                f"{path} holds {len(table)} key frames, more than the {given.video_frames} frames "
                f"of the video"
            )
        index = np.arange(len(table)) * -(-given.video_frames // len(table))
    return CameraPath(invert_pose(camera_from_world), intrinsics, height, width, frame_index=index)


def write_spatialvid(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write the two arrays of a SpatialVID annotation folder; frame numbers are not held."""
    height, width = cameras.require_size("SpatialVID")
    pixels = cameras.require_intrinsics("SpatialVID")
    intrinsics = shares_from_pixels(pixels, height, width, "SpatialVID")
    pose = cameras.camera_from_world
    rows = np.concatenate((pose[:, :3, 3], xyzw_from_rotation(pose[:, :3, :3])), axis=-1)
    write_array(path / "intrinsics.npy", intrinsics)
    write_array(path / "poses.npy", rows)


def _vipe_arrays(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return `data` and `inds`, one frame number per row."""
    data, index = read_arrays(path, "ViPE", ("data", "inds"))
    if index.ndim != 1 or index.shape != data.shape[:1] or index.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: `inds` must hold one frame number per row of `data`, got {index.dtype} of "
            f"shape {index.shape} beside {data.shape}"
        )
    return data, index


def _vipe_pose_file(path: Path, given: Given) -> Path:
    if path.is_file():
        return path
    files = {file.stem: file for file in sorted((path / "pose").glob("*.npz"))}
    if not files:
        raise ValueError(f"{path} holds no ViPE clips: expected pose/NAME.npz in it")
    if given.camera is None and len(files) == 1:
        return next(iter(files.values()))
    if given.camera in files:
        return files[given.camera]
    names = ", ".join(itertools.islice(files, 5)) + (", ..." if len(files) > 5 else "")
    wanted = "name the one you mean" if given.camera is None else f"there is no {given.camera}"
    raise ValueError(f"{path} holds {len(files)} ViPE clips ({names}): {wanted}")


def poses_of(values: npt.NDArray[np.generic], path: Path) -> FloatArray:
    """Return an archive's array as rigid poses (n, 4, 4).

    Raises:
        ValueError: naming the file, if they are of another shape or not rigid.
    """
    if values.ndim != 3 or values.shape[1:] != (4, 4) or values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: expected poses of shape (n, 4, 4), got {values.shape}")
    return cleaned(values.astype(np.float64), str(path))


def _intrinsics(values: npt.NDArray[np.generic], count: int, path: Path) -> FloatArray:
    if values.shape != (count, 4) or values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: expected intrinsics of shape ({count}, 4), got {values.shape}")
    return intrinsics_matrix(*values.astype(np.float64).T)
