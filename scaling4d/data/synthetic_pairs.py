"""Scene files as a source of pairs: k synchronised cameras give k (k - 1) ordered pairs (§3.3).

The correspondence is exact: depth and cameras through Equation 4, no estimator.
"""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from scaling4d.correspondence.control import build_control
from scaling4d.correspondence.warp import warp_from_depth
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipPair, ClipSize, DataError, to_signed
from scaling4d.geometry.camera import crop_intrinsics, relative_pose, resize_intrinsics
from scaling4d.geometry.seeds import rng
from scaling4d.storage.scene_file import SceneFile, SceneFileError, open_scene
from scaling4d.storage.video import crop_box, fit_image

log = logging.getLogger(__name__)

_SURFACE_STEP = 0.1
"""Relative change of depth within half a pixel above which it is an edge."""


class SyntheticPairs:
    """Pairs of cameras of the scenes in a folder; an item is one ordered pair of one scene."""

    def __init__(self, folder: str | Path, size: ClipSize, *, skip_broken: bool = False) -> None:
        """List the ordered camera pairs of every ``.h5`` file below ``folder``.

        Raises:
            DataError: if no scene file is there, or one is broken, too short or has one camera
                (unless ``skip_broken``, which warns and leaves it out).
        """
        self.size = size
        self._items: list[tuple[Path, str, str]] = []
        for path in find_scenes(folder):
            try:
                self._items += [(path, *cameras) for cameras in _camera_pairs(path, size.frames)]
            except (SceneFileError, DataError) as error:
                if not skip_broken:
                    hint = "remove the file or set data.skip_broken=true"
                    raise DataError(f"{error}; {hint}") from None
                log.warning("skipped: %s", error)
        if not self._items:
            raise DataError(f"no scene file below {folder} can be used")

    def __len__(self) -> int:
        return len(self._items)

    def pair(self, draw: Draw) -> ClipPair:
        """Make the pair of a draw; the draw's seed picks the window and settles collisions."""
        path, source, target = self._items[draw.item]
        try:
            with open_scene(path) as scene:
                generator = rng(draw.seed, "window")
                start = int(generator.integers(scene.frames - self.size.frames + 1))
                return self._pair(scene, source, target, start, draw.seed)
        except SceneFileError as error:
            raise DataError(str(error)) from None

    def _pair(self, scene: SceneFile, source: str, target: str, start: int, seed: int) -> ClipPair:
        frames = slice(start, start + self.size.frames)
        size = (self.size.height, self.size.width)
        source_video = _fit_video(scene.rgb(source, frames), size)
        target_video = _fit_video(scene.rgb(target, frames), size)
        depth = _fit_depth(scene.depth(source, frames), size)
        source_intrinsics, target_intrinsics = (
            _fit_intrinsics(scene.intrinsics(name)[frames], (scene.height, scene.width), size)
            for name in (source, target)
        )
        target_from_source = relative_pose(
            scene.world_from_camera(target)[frames], scene.world_from_camera(source)[frames]
        )
        signed = to_signed(source_video)
        warp = warp_from_depth(
            signed,
            torch.from_numpy(depth),
            source_intrinsics,
            target_intrinsics,
            target_from_source,
            rule="random",
            seed=seed,
        )
        control = build_control(signed, warp.field.displacement, warp.warped, warp.mask)
        described = f"cameras {source} -> {target}, frames {start}..{start + self.size.frames - 1}"
        return ClipPair(
            source=signed,
            target=to_signed(target_video),
            control=control,
            prompt=str(scene.scene.get("caption", "")),
            origin=f"{scene.path.name}: {described}",
            report={
                "accepted": described,
                "measure": {"covered_share": round(float(warp.mask.mean()), 4)},
            },
        )


def find_scenes(folder: str | Path) -> list[Path]:
    """Return the scene files below a folder, sorted.

    Raises:
        DataError: if there is no such folder or no scene file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"no folder of scene files at {folder}")
    found = sorted(path for path in folder.rglob("*.h5") if not path.name.startswith("."))
    if not found:
        raise DataError(f"{folder} holds no scene file (*.h5)")
    return found


def _camera_pairs(path: Path, frames: int) -> list[tuple[str, str]]:
    with open_scene(path) as scene:
        if scene.frames < frames:
            raise DataError(f"{path} has {scene.frames} frames, a clip needs {frames}")
        names = scene.camera_names
        if len(names) < 2:
            raise DataError(f"{path} has one camera, a pair needs two")
        return [(a, b) for a in names for b in names if a != b]


def _fit_video(video: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.stack([fit_image(image, size) for image in video])


def _fit_depth(depth: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Crop and resize depth (frames, height, width); two surfaces are never blended.

    Within a surface inverse depth is interpolated, because that is linear across a plane's image;
    at an edge the nearest sample stands.
    """
    top, left, height, width = crop_box(depth.shape[1], depth.shape[2], size[0], size[1])
    crop = np.ascontiguousarray(depth[:, top : top + height, left : left + width])
    return crop if (height, width) == size else np.stack([_resize_depth(d, size) for d in crop])


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
