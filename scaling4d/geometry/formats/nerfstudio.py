"""nerfstudio's transforms.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.colmap import PINHOLES
from scaling4d.geometry.formats.files import finite_number, read_json, write_json
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.image_names import natural, numbered
from scaling4d.geometry.formats.text_tables import cleaned

NERFSTUDIO = (
    "transforms.json with a 4x4 `transform_matrix` per frame, camera-to-world, OpenGL axes, "
    "and fl_x fl_y cx cy w h in pixels, shared or per frame; numbers in file names that start at "
    "1 are shifted to 0"
)
# What we write counts from 0 even where frame 0 is missing; nerfstudio skips keys of others.
_FROM_ZERO = "file_path_counts_from_0"
_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")


def read_nerfstudio(path: Path, given: Given) -> CameraPath:
    """Read a transforms.json, frames in the order of their file names."""
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
    names = tuple(str(frame.get("file_path", "")) for frame in merged)
    own = given.first_frame is None and document.get(_FROM_ZERO) is True
    return CameraPath(
        cleaned(convert_axes(poses, "opengl", "opencv"), str(path)),
        _intrinsics(merged, path),
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


def _intrinsics(frames: list[dict[str, Any]], path: Path) -> Any:
    """Return (n, 3, 3), or None where no frame has a focal length."""
    if not any("fl_x" in frame for frame in frames):
        return None
    try:
        rows = [
            (f["fl_x"], f.get("fl_y", f["fl_x"]), f.get("cx", f["w"] / 2), f.get("cy", f["h"] / 2))
            if not {"cx", "cy"} <= f.keys()
            else (f["fl_x"], f.get("fl_y", f["fl_x"]), f["cx"], f["cy"])
            for f in frames
        ]
        return intrinsics_matrix(*np.asarray(rows, dtype=np.float64).T)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path}: every frame needs fl_x, and cx, cy or w, h ({error})") from None
