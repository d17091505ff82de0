"""Optical flow files of other tools: Middlebury .flo, KITTI .png, .npy and .npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from scaling4d.geometry.formats.files import UNREADABLE
from scaling4d.storage.atomic import atomic_path

from .base import EstimatorError

_FLO_MAGIC = 202021.25
_FLO_UNKNOWN = 1e9  # Middlebury: components above this are unknown
FLOW_SUFFIXES = (".flo", ".png", ".npy", ".npz")


def read_flow(path: str | Path) -> Float[Tensor, "2 height width"]:
    """Read one flow: float32 pixels, x then y, NaN where the file marks it unknown.

    ``.npy`` and ``.npz`` (entry ``flow``) hold (2, height, width) or (height, width, 2).

    Raises:
        EstimatorError: if the file is missing, of another kind, or damaged.
    """
    path = Path(path)
    if path.suffix not in FLOW_SUFFIXES:
        raise EstimatorError(f"a flow file must end in one of {FLOW_SUFFIXES}, got {path.name}")
    if not path.is_file():
        raise EstimatorError(f"no flow file at {path}")
    try:
        flow = _READERS[path.suffix](path)
    except (*UNREADABLE, ValueError, KeyError) as error:
        raise EstimatorError(f"{path} is not a flow file that can be read: {error}") from error
    return torch.from_numpy(np.ascontiguousarray(flow, dtype=np.float32))


def write_flow(path: str | Path, flow: Float[Tensor, "2 height width"]) -> None:
    """Write one flow as ``.flo``, ``.npy`` or ``.npz``; NaN marks unknown pixels.

    Raises:
        EstimatorError: for another file ending.
    """
    path = Path(path)
    values = flow.detach().cpu().float().numpy()
    if path.suffix not in (".flo", ".npy", ".npz"):
        raise EstimatorError(f"flow can be written as .flo, .npy or .npz, got {path.name}")
    with atomic_path(path) as partial:
        if path.suffix == ".flo":
            rows = np.where(np.isfinite(values), values, 2 * _FLO_UNKNOWN).transpose(1, 2, 0)
            size = np.array([values.shape[2], values.shape[1]], "<i4")
            header = np.array([_FLO_MAGIC], "<f4").tobytes() + size.tobytes()
            partial.write_bytes(header + rows.astype("<f4").tobytes())
        elif path.suffix == ".npy":
            np.save(partial, values)
        else:
            np.savez_compressed(partial, flow=values)


def _read_flo(path: Path) -> np.ndarray:
    data = path.read_bytes()
    if len(data) < 12 or np.frombuffer(data, "<f4", 1)[0] != np.float32(_FLO_MAGIC):
        raise ValueError("the Middlebury mark 202021.25 is missing")
    width, height = (int(side) for side in np.frombuffer(data, "<i4", 2, offset=4))
    if len(data) != 12 + 8 * width * height:
        raise ValueError(f"{width}x{height} pixels need {12 + 8 * width * height} bytes")
    flow = np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).transpose(2, 0, 1)
    unknown = (np.abs(flow) > _FLO_UNKNOWN).any(axis=0)
    return np.where(unknown, np.nan, flow)


def _read_kitti(path: Path) -> np.ndarray:
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)  # channels come as B, G, R
    if image is None or image.dtype != np.uint16 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError("KITTI flow is a 16-bit PNG of three channels")
    known, y, x = image.transpose(2, 0, 1)
    return np.where(known > 0, (np.stack([x, y]).astype(np.float32) - 2**15) / 64, np.nan)


def _read_array(path: Path) -> np.ndarray:
    stored = np.load(path, allow_pickle=False)
    flow = stored if isinstance(stored, np.ndarray) else stored["flow"]
    if flow.ndim == 3 and flow.shape[0] != 2 and flow.shape[2] == 2:
        flow = flow.transpose(2, 0, 1)
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise ValueError(f"expected (2, height, width) or (height, width, 2), got {flow.shape}")
    return flow


_READERS = {".flo": _read_flo, ".png": _read_kitti, ".npy": _read_array, ".npz": _read_array}
