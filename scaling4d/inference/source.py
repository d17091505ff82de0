"""What a user gives for the source video, brought to one size: frames, depth, intrinsics."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from scaling4d.estimators import make_depth_estimator
from scaling4d.geometry.camera import crop_intrinsics, intrinsics_from_fov, resize_intrinsics
from scaling4d.storage.scene_file import open_scene
from scaling4d.storage.video import crop_box, fit_image, probe_video, read_video

logger = logging.getLogger(__name__)

DEFAULT_FOV_DEGREES = 55.0
"""Horizontal field of view assumed when neither the user nor the depth estimator knows it."""

DEFAULT_DEPTH_MODEL = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"
"""Metric depth from the hub for `generate` without ``depth``; needs a network the first time."""

MAX_DEFAULT_FRAMES = 49
"""The paper's clip length; more frames must be asked for."""


@dataclass(frozen=True)
class Source:
    """A source clip ready to be warped.

    Attributes:
        frames: (T, H, W, 3) uint8.
        depth: (T, H, W) float32 planar z, +inf = no surface.
        intrinsics: (T, 3, 3) float64 pixels.
        fps: frames per second.
    """

    frames: NDArray[np.uint8]
    depth: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    fps: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.frames.shape[1], self.frames.shape[2]

    def reordered(self, index: NDArray[np.int64]) -> Source:
        """Show other frames: frame i of the result is frame ``index[i]`` (bullet time)."""
        if index.max() >= len(self.frames):
            raise ValueError(
                f"the trajectory shows source frame {index.max()}, but the video has "
                f"{len(self.frames)} frames: 0 to {len(self.frames) - 1}"
            )
        return Source(self.frames[index], self.depth[index], self.intrinsics[index], self.fps)


def read_source(
    video: str | Path | NDArray[np.uint8],
    *,
    depth: str | Path | ArrayLike | None,
    intrinsics: ArrayLike | None,
    frames: int | None,
    size: tuple[int, int] | None,
    frame_step: int,
    device: torch.device,
) -> Source:
    """Read a clip and its geometry, cropped and resized together (see `generate`).

    Raises:
        ValueError: naming what is missing or does not fit.
    """
    images, original, fps = _read_frames(video, frames, size, frame_step)
    count, height, width = images.shape[:3]
    if intrinsics is not None:
        matrix = _fit_intrinsics(intrinsics, count, original, (height, width))
    else:
        matrix = None
    if depth is None:
        depth = f"transformers:{DEFAULT_DEPTH_MODEL}"
    if isinstance(depth, str) and depth == "infinity":
        planar = np.full((count, height, width), np.inf, dtype=np.float32)
    elif isinstance(depth, str) and ":" in depth and not Path(depth).exists():
        planar, estimated = _estimate_depth(depth, images, fps, device)
        matrix = estimated if matrix is None else matrix
    elif isinstance(depth, (str, Path)):
        stored, stored_intrinsics = _load_depth(Path(depth))
        planar = _fit_depth(stored[::frame_step], count, original, (height, width))
        if matrix is None and stored_intrinsics is not None:
            stored_intrinsics = stored_intrinsics[
                :: frame_step if stored_intrinsics.ndim == 3 else 1
            ]
            matrix = _fit_intrinsics(stored_intrinsics, count, stored.shape[1:], (height, width))
    else:
        planar = _fit_depth(np.asarray(depth), count, original, (height, width))
    if matrix is None:
        logger.warning(
            "no intrinsics given: assuming a horizontal field of view of %g degrees "
            "(give intrinsics=... for exact motion)",
            DEFAULT_FOV_DEGREES,
        )
        matrix = np.tile(intrinsics_from_fov(height, width, DEFAULT_FOV_DEGREES), (count, 1, 1))
    return Source(images, planar, matrix, fps)


def _read_frames(
    video: str | Path | NDArray[np.uint8],
    frames: int | None,
    size: tuple[int, int] | None,
    frame_step: int,
) -> tuple[NDArray[np.uint8], tuple[int, int], float]:
    """Return frames at ``size``, the video's own (height, width) and the rate."""
    if isinstance(video, (str, Path)):
        info = probe_video(video)
        available = -(-info.frames // frame_step)
        wanted = frames or min(available, MAX_DEFAULT_FRAMES)
        clip = read_video(video, frames=wanted, step=frame_step, size=size)
        return clip.frames, (info.height, info.width), clip.fps
    images = np.asarray(video)
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"a video array must be (frames, height, width, 3) uint8 RGB, "
            f"got {images.shape} {images.dtype}"
        )
    images = images[::frame_step]
    wanted = frames or min(len(images), MAX_DEFAULT_FRAMES)
    if len(images) < wanted:
        raise ValueError(f"the video has {len(images)} frames, {wanted} needed: ask for fewer")
    original = (images.shape[1], images.shape[2])
    images = images[:wanted]
    if size is not None and size != original:
        images = np.stack([fit_image(image, size) for image in images])
    return images, original, 16.0


def _fit_intrinsics(
    intrinsics: ArrayLike, count: int, original: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.float64]:
    """Follow the crop and resize that brought frames from ``original`` to ``size``."""
    matrix = np.asarray(intrinsics, dtype=np.float64)
    if matrix.shape == (3, 3):
        matrix = np.tile(matrix, (count, 1, 1))
    if matrix.ndim != 3 or matrix.shape[1:] != (3, 3) or len(matrix) < count:
        raise ValueError(
            f"intrinsics must be (3, 3) or ({count}, 3, 3) in pixels of the video, "
            f"got shape {np.shape(intrinsics)}"
        )
    matrix = matrix[:count]
    if not np.isfinite(matrix).all() or (matrix[:, [0, 1], [0, 1]] <= 0).any():
        raise ValueError("intrinsics need finite values and positive focal lengths")
    top, left, height, width = crop_box(original[0], original[1], size[0], size[1])
    cropped = crop_intrinsics(matrix, top=top, left=left)
    return resize_intrinsics(
        cropped, height=height, width=width, new_height=size[0], new_width=size[1]
    )


def _fit_depth(
    depth: NDArray[Any], count: int, original: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Crop and resize a depth video like its frames, by nearest neighbour: edges stay edges."""
    import cv2

    if depth.ndim != 3 or len(depth) < count or depth.dtype.kind != "f":
        raise ValueError(
            f"depth must be (frames, height, width) floating point with at least {count} frames, "
            f"got {depth.shape} {depth.dtype}"
        )
    if depth.shape[1:] not in (original, size):
        raise ValueError(
            f"depth is {depth.shape[1]}x{depth.shape[2]}, expected the video's "
            f"{original[0]}x{original[1]} or the output's {size[0]}x{size[1]} (height x width)"
        )
    depth = depth[:count].astype(np.float32, copy=False)
    if not (depth > 0).any():
        raise ValueError("depth holds no positive value: it must be planar z, larger is farther")
    if depth.shape[1:] == size:
        return np.ascontiguousarray(depth)
    top, left, height, width = crop_box(*original, *size)
    crop = depth[:, top : top + height, left : left + width]
    return np.stack(
        [cv2.resize(d, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT) for d in crop]
    )


def _load_depth(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Read (depth, intrinsics or None) from ``.npy``, ``.npz`` or ``scene.h5`` (first camera)."""
    if not path.is_file():
        raise ValueError(
            f"no depth at {path}: give a .npy, .npz or scene .h5 file, an array, "
            "'infinity', or an estimator such as 'transformers:MODEL'"
        )
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False), None
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            if "depth" not in archive:
                raise ValueError(f"{path} holds {', '.join(archive) or 'nothing'}, not 'depth'")
            return archive["depth"], archive.get("intrinsics")
    if path.suffix == ".h5":
        with open_scene(path) as scene:
            camera = scene.camera_names[0]
            return scene.depth(camera), scene.intrinsics(camera)
    raise ValueError(f"depth is read from .npy, .npz or .h5, got {path}")


def _estimate_depth(
    spec: str, images: NDArray[np.uint8], fps: float, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    name, _, model = spec.partition(":")
    estimator = make_depth_estimator(name, model=model, device=str(device))
    video = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(device)
    estimate = estimator(video, fps)
    if estimate.kind == "relative":
        logger.warning(
            "%s gives relative depth: trajectory amounts in metres are in its own unit", spec
        )
    planar = estimate.depth.cpu().numpy().astype(np.float32)
    known = estimate.intrinsics
    return planar, None if known is None else known.double().cpu().numpy()
