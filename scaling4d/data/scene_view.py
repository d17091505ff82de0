"""What one camera of a scene file saw, cropped and resized: frames, depth and cameras alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scaling4d.data.pairs import ClipSize
from scaling4d.geometry.camera import crop_intrinsics, resize_intrinsics
from scaling4d.storage.scene_file import SceneFile
from scaling4d.storage.video import crop_box, fit_image

_SURFACE_STEP = 0.1
"""Relative change of depth within half a pixel above which it is an edge."""


@dataclass(frozen=True)
class SceneView:
    """A window of one camera's track at the size of a clip."""

    rgb: NDArray[np.uint8]
    """(frames, height, width, 3), sRGB."""
    intrinsics: NDArray[np.float64]
    """(frames, 3, 3) in pixels of ``rgb``."""
    world_from_camera: NDArray[np.float64]
    """(frames, 4, 4), OpenCV axes."""


def read_view(scene: SceneFile, camera: str, start: int, size: ClipSize) -> SceneView:
    """Read ``size.frames`` frames of a camera from frame ``start`` on.

    Raises:
        SceneFileError: if the file is broken.
    """
    frames = slice(start, start + size.frames)
    shape = (size.height, size.width)
    intrinsics = scene.intrinsics(camera)[frames]
    return SceneView(
        rgb=np.stack([fit_image(image, shape) for image in scene.rgb(camera, frames)]),
        intrinsics=_fit_intrinsics(intrinsics, (scene.height, scene.width), shape),
        world_from_camera=scene.world_from_camera(camera)[frames],
    )


def read_depth(scene: SceneFile, camera: str, start: int, size: ClipSize) -> NDArray[np.float32]:
    """Read planar z in metres (+inf: no surface) as `read_view` reads frames.

    Two surfaces are never blended: within one, inverse depth is interpolated, because that is
    linear across a plane's image; at an edge the nearest sample stands.
    """
    depth = scene.depth(camera, slice(start, start + size.frames))
    shape = (size.height, size.width)
    top, left, height, width = crop_box(depth.shape[1], depth.shape[2], *shape)
    crop = np.ascontiguousarray(depth[:, top : top + height, left : left + width])
    return crop if (height, width) == shape else np.stack([_resize_depth(d, shape) for d in crop])


def _resize_depth(depth: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    shape = (size[1], size[0])
    nearest = cv2.resize(depth, shape, interpolation=cv2.INTER_NEAREST_EXACT)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(depth > 0, 1 / depth, np.float32(np.nan))  # 0 where there is no surface
        smooth = cv2.resize(inverse, shape, interpolation=cv2.INTER_LINEAR)
        interpolated = (1 / smooth).astype(np.float32)
        same_surface = np.abs(interpolated / nearest - 1) < _SURFACE_STEP
    return np.where(same_surface, interpolated, nearest)


def _fit_intrinsics(
    intrinsics: NDArray[np.float64], shape: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float64]:
    top, left, height, width = crop_box(*shape, *size)
    cropped = crop_intrinsics(intrinsics, top=top, left=left)
    resized = resize_intrinsics(
        cropped, height=height, width=width, new_height=size[0], new_width=size[1]
    )
    return np.asarray(resized)
