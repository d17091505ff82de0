"""What a user gives for the source video, brought to one size and rate: frames, depth, cameras."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from scaling4d.estimators import DepthEstimate, make_depth_estimator
from scaling4d.estimators.depth_files import read_depth
from scaling4d.geometry.camera import (
    crop_intrinsics,
    intrinsics_from_fov,
    require_lenses,
    require_pixels,
    resize_intrinsics,
)
from scaling4d.inference.clip import Clip, read_clip
from scaling4d.models.backbones import TokenGeometry
from scaling4d.storage.scene_file import open_scene
from scaling4d.storage.video import crop_box

logger = logging.getLogger(__name__)

DEFAULT_FOV_DEGREES = 55.0
"""Horizontal field of view assumed when neither the user nor the depth estimator knows it."""

DEFAULT_DEPTH_MODEL = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"
"""Metric depth from the hub for `generate` without ``depth``; needs a network the first time."""


@dataclass(frozen=True)
class Source:
    """A source clip ready to be warped.

    Attributes:
        frames: (T, H, W, 3) uint8.
        depth: (T, H, W) float32 planar z, +inf = no surface, NaN = unknown.
        intrinsics: (T, 3, 3) float64 pixels.
        fps: frames per second.
        original: height and width of the video before it was cropped and resized.
        video_frames: number of frames of the whole video.
        step: every which of them was taken, from the first on.
        video_fps: frames per second of the video, or None where an array does not tell.
        intrinsics_known: False where `intrinsics` are an assumption.
        world_from_source: (T, 4, 4) poses, or None where they are not known.
    """

    frames: NDArray[np.uint8]
    depth: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    fps: float
    original: tuple[int, int]
    video_frames: int
    step: int
    video_fps: float | None
    intrinsics_known: bool
    world_from_source: NDArray[np.float64] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.frames.shape[1], self.frames.shape[2]

    def fitted(
        self, intrinsics: NDArray[np.float64], whole: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Crop and resize intrinsics of ``whole`` images (height, width) as the video was."""
        return _crop_and_resize(intrinsics, whole, self.size)

    def reordered(self, index: NDArray[np.int64]) -> Source:
        """Show other frames: frame i of the result is frame ``index[i]`` (bullet time)."""
        if index.max() >= len(self.frames):
            raise ValueError(
                f"the trajectory shows source frame {index.max()}, but the video has "
                f"{len(self.frames)} frames: 0 to {len(self.frames) - 1}"
            )
        poses = self.world_from_source
        return replace(
            self,
            frames=self.frames[index],
            depth=self.depth[index],
            intrinsics=self.intrinsics[index],
            world_from_source=None if poses is None else poses[index],
        )


def read_source(
    video: str | Path | NDArray[np.uint8],
    *,
    depth: str | Path | ArrayLike | None,
    intrinsics: ArrayLike | None,
    world_from_source: ArrayLike | None = None,
    frames: int | None,
    size: tuple[int, int] | None,
    frame_step: int,
    geometry: TokenGeometry | None = None,
    device: torch.device,
) -> Source:
    """Read a clip and its geometry, cropped and resized together (see `generate`).

    Args:
        video, depth, intrinsics, world_from_source, frames, size, frame_step: as in `generate`.
        geometry: the model's, to whose rule rk+1 ``frames=None`` keeps; other sizes than it takes
            are refused before depth is estimated. None: any frames and size.
        device: where a depth estimator runs.

    Raises:
        ValueError: naming what is missing or does not fit.
    """
    compression = 1 if geometry is None else geometry.frame_compression
    clip = read_clip(video, frames, size, frame_step, compression)
    count, height, width = clip.frames.shape[:3]
    if geometry is not None:
        geometry.check_size(count, height, width)
    matrix = None if intrinsics is None else _fit_intrinsics(intrinsics, clip, clip.original)
    if isinstance(depth, str) and depth == "infinity":
        planar = np.full((count, height, width), np.inf, dtype=np.float32)
    elif depth is None or isinstance(depth, (str, Path)):
        planar, known = _find_depth(depth or f"transformers:{DEFAULT_DEPTH_MODEL}", clip, device)
        matrix = known if matrix is None else matrix
    else:
        planar = _fit_depth(np.asarray(depth), clip)
    intrinsics_known = matrix is not None
    if matrix is None:
        matrix = np.tile(intrinsics_from_fov(height, width, DEFAULT_FOV_DEGREES), (count, 1, 1))
    poses = None
    if world_from_source is not None:
        poses = clip.per_frame(world_from_source, "world_from_source", (4, 4))
    return Source(
        frames=clip.frames,
        depth=planar,
        intrinsics=matrix,
        fps=clip.fps,
        original=clip.original,
        video_frames=clip.length,
        step=clip.step,
        video_fps=clip.video_fps,
        intrinsics_known=intrinsics_known,
        world_from_source=poses,
    )


def _fit_intrinsics(
    intrinsics: ArrayLike, clip: Clip, original: tuple[int, ...]
) -> NDArray[np.float64]:
    """Follow the crop and resize that brought frames from ``original`` to the clip's size."""
    matrix = require_lenses(clip.per_frame(intrinsics, "intrinsics", (3, 3)), len(clip.frames))
    require_pixels(matrix, original[1])
    return _crop_and_resize(matrix, original, clip.size)


def _crop_and_resize(
    intrinsics: NDArray[np.float64], original: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.float64]:
    top, left, height, width = crop_box(original[0], original[1], *size)
    cropped = crop_intrinsics(intrinsics, top=top, left=left)
    return resize_intrinsics(
        cropped, height=height, width=width, new_height=size[0], new_width=size[1]
    )


def _fit_depth(depth: NDArray[Any], clip: Clip) -> NDArray[np.float32]:
    """Crop and resize a depth video like its frames, by nearest neighbour: edges stay edges."""
    import cv2

    original, size = clip.original, clip.size
    if depth.ndim != 3 or depth.dtype.kind != "f":
        raise ValueError(
            f"depth must be (frames, height, width) floating point, got {depth.shape} {depth.dtype}"
        )
    if depth.shape[1:] not in (original, size):
        raise ValueError(
            f"depth is {depth.shape[1]}x{depth.shape[2]}, expected the video's "
            f"{original[0]}x{original[1]} or the output's {size[0]}x{size[1]} (height x width)"
        )
    depth = clip.of_these_frames(depth, "depth").astype(np.float32, copy=False)
    if not (depth > 0).any():
        raise ValueError("depth holds no positive value: it must be planar z, larger is farther")
    if depth.shape[1:] == size:
        return np.ascontiguousarray(depth)
    top, left, height, width = crop_box(*original, *size)
    crop = depth[:, top : top + height, left : left + width]
    return np.stack(
        [cv2.resize(d, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT) for d in crop]
    )


def _find_depth(
    depth: str | Path, clip: Clip, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """Depth and intrinsics from a file, or from the estimator ``NAME:MODEL``."""
    name, _, rest = str(depth).partition(":")
    if name == "precomputed":
        depth = rest
    if rest and name != "precomputed" and not Path(depth).exists():
        video = torch.from_numpy(np.ascontiguousarray(clip.frames.transpose(0, 3, 1, 2)))
        estimator = make_depth_estimator(name, model=rest, device=str(device))
        estimate = estimator(video.to(device), clip.fps)
    else:
        estimate = _read_depth_file(Path(depth))
    if estimate.kind != "metric":
        logger.warning(
            "%s gives %s depth: amounts in metres are in its own unit", depth, estimate.kind
        )
    planar = estimate.depth.cpu().numpy().astype(np.float32)
    known = None
    if estimate.intrinsics is not None:
        matrices = estimate.intrinsics.double().cpu().numpy()
        known = _fit_intrinsics(matrices, clip, planar.shape[1:])
    return _fit_depth(planar, clip), known


def _read_depth_file(path: Path) -> DepthEstimate:
    """Whatever `read_depth` takes, or the first camera of a scene file."""
    if not path.exists():
        raise ValueError(
            f"no depth at {path}: give a .npy, .npz or scene .h5 file, a folder of .exr, an array, "
            "'infinity', or an estimator such as 'transformers:MODEL'"
        )
    if path.suffix != ".h5":
        return read_depth(path)
    with open_scene(path) as scene:
        camera = scene.camera_names[0]
        return DepthEstimate(
            torch.from_numpy(scene.depth(camera)), torch.from_numpy(scene.intrinsics(camera))
        )
