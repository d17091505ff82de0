"""Depth files of other tools: .npy, .npz (GeometryCrafter's too), a folder of OpenEXR frames."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray

from scaling4d.geometry.formats.files import UNREADABLE, read_npy

from .base import DepthEstimate, DepthKind, EstimatorError

_EXR_CHANNELS = ("Z", "depth.Z", "Y", "R")


def read_depth(
    path: str | Path, intrinsics: str | Path | None = None, kind: DepthKind = "metric"
) -> DepthEstimate:
    """Read the depth of a video.

    Accepted at ``path``:

    - ``.npy``: (frames, height, width) planar z;
    - ``.npz`` with ``depth`` as above and optionally ``intrinsics``;
    - ``.npz`` with ``point_map`` (frames, height, width, 3) and ``mask`` (frames, height, width),
      as GeometryCrafter's script writes them: its z becomes the depth, the pinhole that explains
      the map best becomes the intrinsics, and the scale is unknown (``relative``);
    - a folder of ``.exr`` files in the order of their names, with the depth in channel Z, Y or R.

    Values that are not positive or not known become NaN; +inf stays (no surface).

    Args:
        path: file or folder.
        intrinsics: ``.npy`` of (3, 3), (frames, 3, 3), (4,) or (frames, 4) pixels, the fours being
            fx fy cx cy; where the depth file holds intrinsics too, these replace them.
        kind: what the file holds, see `DepthEstimate`.

    Raises:
        EstimatorError: if a file is missing, of another kind, or damaged, or holds whole numbers
            (whose unit nothing states), or ``kind`` is unknown.
    """
    if kind not in get_args(DepthKind):
        raise EstimatorError(
            f"the kind of depth must be one of {get_args(DepthKind)}, got {kind!r}"
        )
    path = Path(path)
    if not path.exists():
        raise EstimatorError(f"no depth at {path}: give a .npy, .npz, or a folder of .exr files")
    try:
        if path.is_dir():
            depth, stored = _read_exr_folder(path), None
        elif path.suffix == ".npy":
            depth, stored = read_npy(path, "an array"), None
        elif path.suffix == ".npz":
            depth, stored, kind = _read_npz(path, kind)
        else:
            raise EstimatorError(
                f"depth is read from .npy, .npz or a folder of .exr files, got {path.name}"
            )
    except EstimatorError:
        raise
    except (*UNREADABLE, ValueError, KeyError) as error:
        raise EstimatorError(f"{path} cannot be read as depth: {error}") from error
    if intrinsics is not None:
        stored = _read_intrinsics(Path(intrinsics))
    if depth.ndim != 3:
        raise EstimatorError(f"{path} must hold (frames, height, width), got {depth.shape}")
    if not np.issubdtype(depth.dtype, np.floating):
        raise EstimatorError(
            f"{path} holds {depth.dtype}, and depth is floating-point numbers, metres where it is "
            "metric: divide whole numbers by their unit (1000 for millimetres) and save the result"
        )
    depth = depth.astype(np.float32)
    depth[~(depth > 0)] = np.nan
    cameras = None if stored is None else torch.from_numpy(_matrices(stored, len(depth)))
    return DepthEstimate(torch.from_numpy(depth), cameras, kind)


def fit_pinhole(points: NDArray[np.floating], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Least-squares (3, 3) intrinsics of one camera that explains point maps.

    Args:
        points: (frames, height, width, 3) in the camera, OpenCV axes.
        known: (frames, height, width), True where the point is valid.

    Raises:
        EstimatorError: if fewer than 16 valid points lie in front of the camera.
    """
    known = known & (points[..., 2] > 0) & np.isfinite(points).all(axis=-1)
    if known.sum() < 16:
        raise EstimatorError(
            "the point map holds fewer than 16 valid points in front of the camera"
        )
    _, rows, columns = np.nonzero(known)
    x, y, z = points[known].astype(np.float64).T
    intrinsics = np.eye(3)
    for axis, slope, pixel in ((0, x / z, columns + 0.5), (1, y / z, rows + 0.5)):
        design = np.stack([slope, np.ones_like(slope)], axis=1)
        focal, centre = np.linalg.lstsq(design, pixel, rcond=None)[0]
        intrinsics[axis, axis], intrinsics[axis, 2] = focal, centre
    return intrinsics


def _read_npz(
    path: Path, kind: DepthKind
) -> tuple[NDArray[np.floating], NDArray[np.floating] | None, DepthKind]:
    with np.load(path, allow_pickle=False) as stored:
        if "depth" in stored:
            cameras = stored.get("intrinsics")
            return stored["depth"], cameras, kind
        if "point_map" in stored:
            points = stored["point_map"].astype(np.float32)
            known = stored["mask"] > 0
            depth = np.where(known, points[..., 2], np.nan)
            return depth, fit_pinhole(points, known), "relative"
        raise EstimatorError(
            f"{path} must hold 'depth' (frames, height, width), or GeometryCrafter's 'point_map' "
            f"and 'mask'; it holds {sorted(stored.files)}"
        )


def _read_intrinsics(path: Path) -> NDArray[np.floating]:
    try:
        return read_npy(path, "intrinsics")
    except ValueError as error:
        raise EstimatorError(str(error)) from error


def _read_exr_folder(folder: Path) -> NDArray[np.floating]:
    files = sorted(folder.glob("*.exr"))
    if not files:
        raise EstimatorError(f"{folder} holds no .exr files")
    return np.stack([_read_exr(file) for file in files])


def _read_exr(path: Path) -> NDArray[np.floating]:
    try:
        import OpenEXR
    except ImportError as error:
        raise EstimatorError(
            "OpenEXR depth needs the OpenEXR package: pip install 'scaling4d[render]'"
        ) from error
    try:
        with OpenEXR.File(str(path), separate_channels=True) as image:
            channels = image.channels()
            for name in _EXR_CHANNELS:
                if name in channels:
                    return np.array(channels[name].pixels, dtype=np.float32)
    except (RuntimeError, ValueError) as error:  # what OpenEXR raises for a damaged file
        raise EstimatorError(f"{path} is not an OpenEXR image that can be read: {error}") from error
    raise EstimatorError(f"{path} has none of the channels {_EXR_CHANNELS}")


def _matrices(stored: NDArray[np.floating], frames: int) -> NDArray[np.float64]:
    """(frames, 3, 3) from any of the accepted shapes."""
    values = np.asarray(stored, dtype=np.float64)
    if values.shape[-1:] == (4,) and values.ndim <= 2:
        matrices = np.zeros((*values.shape[:-1], 3, 3))
        matrices[..., 0, 0], matrices[..., 1, 1] = values[..., 0], values[..., 1]
        matrices[..., 0, 2], matrices[..., 1, 2] = values[..., 2], values[..., 3]
        matrices[..., 2, 2] = 1
        values = matrices
    if values.shape not in ((3, 3), (frames, 3, 3)):
        raise EstimatorError(
            f"intrinsics must be (3, 3), ({frames}, 3, 3), (4,) or ({frames}, 4) pixels, "
            f"got {np.shape(stored)}"
        )
    return np.array(np.broadcast_to(values, (frames, 3, 3)))
