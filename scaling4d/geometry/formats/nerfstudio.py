"""nerfstudio's transforms.json."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.colmap import PINHOLES
from scaling4d.geometry.formats.files import finite_number, read_json, write_json
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.image_names import natural, numbered
from scaling4d.geometry.formats.text_tables import cleaned

logger = logging.getLogger(__name__)

NERFSTUDIO = (
    "transforms.json with a 4x4 `transform_matrix` per frame, camera-to-world, OpenGL axes, "
    "and fl_x fl_y cx cy w h in pixels, shared or per frame, or camera_angle_x camera_angle_y in "
    "radians; numbers in file names that start at 1 are shifted to 0"
)
# What we write counts from 0 even where frame 0 is missing; nerfstudio skips keys of others.
_FROM_ZERO = "file_path_counts_from_0"
_ANGLES = ("camera_angle_x", "camera_angle_y")  # whole fields of view
_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")


def read_nerfstudio(path: Path, given: Given) -> CameraPath:
    """Read a transforms.json, frames in the order of their file names.

    Where it holds a field of view and not the size of its images, as NeRF's synthetic scenes do,
    the intrinsics need ``given.height`` and ``given.width``, and are None without them.
    """
    path = path / "transforms.json" if path.is_dir() else path
    document = read_json(path, "nerfstudio")
    frames = document.get("frames")
    if not isinstance(frames, list) or not frames or not all(isinstance(f, dict) for f in frames):
        raise ValueError(f"{path} is not nerfstudio: `frames` must be a list of mappings")
    frames = sorted(frames, key=lambda frame: natural(str(frame.get("file_path", ""))))
    merged = [{**document, **frame} for frame in frames]
    poses = np.stack([_matrix(frame, path, number) for number, frame in enumerate(merged)])
    for frame in merged:
        flag = frame.get("is_fisheye")  # of instant-ngp, which names no models
        model = "is_fisheye" if flag else frame.get("camera_model", "PINHOLE")
        if model not in tuple(PINHOLES):
            known = ", ".join(PINHOLES)
            raise ValueError(
                f"{path}: camera model {model} is not a pinhole, of which {known} are known: "
                f"undistort the images first"
            )
        if any(frame.get(name, 0.0) for name in _DISTORTION):
            raise ValueError(f"{path}: the lens is distorted; undistort the images first")
    sizes = {_size(frame, path) for frame in merged if "h" in frame and "w" in frame}
    if len(sizes) > 1:
        raise ValueError(f"{path}: images have different sizes, {sorted(sizes)} (height, width)")
    height, width = sizes.pop() if sizes else (None, None)
    size = (given.height, given.width) if height is None else (height, width)
    names = tuple(str(frame.get("file_path", "")) for frame in merged)
    own = given.first_frame is None and document.get(_FROM_ZERO) is True
    return CameraPath(
        cleaned(convert_axes(poses, "opengl", "opencv"), str(path)),
        _intrinsics(merged, path, *size),
        height,
        width,
        frame_index=numbered(names, path, 0 if own else given.first_frame),
    )


def write_nerfstudio(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a transforms.json with one pinhole camera per frame."""
    height, width = cameras.require_size("nerfstudio")
    intrinsics = cameras.require_intrinsics("nerfstudio")
    poses = convert_axes(cameras.world_from_camera, "opencv", "opengl")
    frames = []
    for number, pose, k in zip(frame_numbers(cameras), poses, intrinsics, strict=True):
        lens = dict(zip(("fl_x", "fl_y", "cx", "cy"), k.tolist(), strict=True))
        frames.append(
            {"file_path": f"images/{number:06d}.png", **lens, "transform_matrix": pose.tolist()}
        )
    path = path if path.suffix == ".json" else path / "transforms.json"
    head = {"camera_model": "PINHOLE", "w": width, "h": height, _FROM_ZERO: True}
    write_json(path, {**head, "frames": frames})


def _matrix(frame: dict[str, Any], path: Path, number: int) -> Any:
    try:
        matrix = np.asarray(frame["transform_matrix"], dtype=np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        matrix = np.empty(0)
    if matrix.shape != (4, 4):
        raise ValueError(f"{path}: frame {number} needs a 4x4 `transform_matrix`")
    return matrix


def _size(frame: dict[str, Any], path: Path) -> tuple[int, int]:
    """Return height and width in pixels."""
    height, width = (finite_number(frame[name], f"{path}: `{name}`") for name in ("h", "w"))
    if height != int(height) or width != int(width):
        raise ValueError(f"{path}: `h` and `w` must be whole pixels, got {height} and {width}")
    return int(height), int(width)


def _intrinsics(
    frames: list[dict[str, Any]], path: Path, height: int | None, width: int | None
) -> npt.NDArray[np.float64] | None:
    """Return (n, 3, 3), or None where no frame has a lens or the image that it needs has no size.

    A line of the log tells of the latter.
    """
    if not any(name in frame for frame in frames for name in ("fl_x", *_ANGLES)):
        return None
    if width is None and not any("fl_x" in frame for frame in frames):
        logger.warning(
            "%s: holds a field of view and not the size of its images: without a height and a "
            "width its intrinsics are not known",
            path,
        )
        return None
    try:
        return intrinsics_matrix(*np.array([_lens(f, height, width) for f in frames]).T)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{path}: every frame needs fl_x or camera_angle_x, and cx, cy or w, h ({error})"
        ) from None


def _lens(
    frame: dict[str, Any], height: int | None, width: int | None
) -> tuple[float, float, float, float]:
    """Return fx, fy, cx, cy in pixels, filled in as instant-ngp does."""
    focal = {axis: _focal(frame, axis, size) for axis, size in (("x", width), ("y", height))}
    fx = focal["y"] if focal["x"] is None else focal["x"]
    fy = focal["x"] if focal["y"] is None else focal["y"]
    cx = frame["cx"] if "cx" in frame else _known(width) / 2
    cy = frame["cy"] if "cy" in frame else _known(height) / 2
    if fx is None or fy is None:
        raise ValueError("there is neither")
    return fx, fy, float(cx), float(cy)


def _focal(frame: dict[str, Any], axis: str, size: int | None) -> float | None:
    """Return the focal length in pixels along an axis with ``size`` pixels, or None."""
    if f"fl_{axis}" in frame:
        return float(frame[f"fl_{axis}"])
    name = f"camera_angle_{axis}"
    if name not in frame:
        return None
    angle = float(frame[name])
    if not 0.0 < angle < math.pi:
        raise ValueError(f"{name} must lie between 0 and pi radians, got {angle:g}")
    return 0.5 * _known(size) / math.tan(0.5 * angle)


def _known(size: int | None) -> int:
    if size is None:
        raise ValueError("the size of the image is not known")
    return size
