"""Scene files as a source of pairs: k synchronised cameras give k (k - 1) ordered pairs (§3.3).

The correspondence is exact: depth and cameras through Equation 4, no estimator. The methods that
§4.1 compares with learn from other pairs of the same scenes, see `Pairing`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from scaling4d.correspondence.control import build_control
from scaling4d.correspondence.double_reprojection import double_reprojection
from scaling4d.correspondence.warp import Warp, warp_from_depth
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipPair, ClipSize, DataError, names_below, to_signed
from scaling4d.data.scene_view import SceneView, read_depth, read_view
from scaling4d.geometry.camera import invert_pose, relative_pose
from scaling4d.geometry.seeds import rng
from scaling4d.storage.scene_file import SceneFile, SceneFileError, open_scene
from scaling4d.storage.scene_index import INDEX, IndexedScene, read_index

log = logging.getLogger(__name__)

Pairing = Literal["two_views", "double_reprojection", "aligned_frames"]
"""What is moved where, and what is to be generated.

`two_views`: one camera's video to another camera, which is the target (ours).
`double_reprojection`: a camera's video to another view and back; the target is the video itself, so
the holes are where the other view was blind (TrajectoryCrafter).
`aligned_frames`: one frame of a camera's video to the camera's place in every frame; the target is
the video itself, so whatever moved by itself is wrong in the warp (GEN3C, Voyager; §4.2).
"""


class SyntheticPairs:
    """Pairs of cameras of the scenes in a folder; an item is one ordered pair of one scene.

    With pairing `aligned_frames`, which needs one camera alone, an item is one camera.
    """

    def __init__(
        self,
        folder: str | Path,
        size: ClipSize,
        *,
        pairing: Pairing = "two_views",
        skip_broken: bool = False,
    ) -> None:
        """List the items of every ``.h5`` file below ``folder``; of a data set with an index those
        that it lists, none of which is opened.

        Raises:
            DataError: if no scene file is there, or one is broken, too short or has one camera
                where two are needed (unless ``skip_broken``, which warns and leaves it out).
        """
        self.size = size
        self.pairing: Pairing = pairing
        self._items: list[tuple[Path, str, str]] = []
        for scene in _listed(Path(folder)):
            try:
                self._items += _pairs_of(scene, size.frames, pairing)
            except (SceneFileError, DataError) as error:
                if not skip_broken:
                    hint = "remove the file or set data.skip_broken=true"
                    raise DataError(f"{error}; {hint}") from None
                log.warning("skipped: %s", error)
        if not self._items:
            raise DataError(f"no scene file below {folder} can be used")

    def __len__(self) -> int:
        return len(self._items)

    def item_names(self) -> list[str]:
        """Name each item by its file and cameras."""
        names = names_below([path for path, _, _ in self._items])
        return [
            f"{name} {source} -> {target}"
            for name, (_, source, target) in zip(names, self._items, strict=True)
        ]

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
        views = [read_view(scene, camera, start, self.size) for camera in (source, target)]
        depth = torch.from_numpy(read_depth(scene, source, start, self.size))
        moved = _MOVES[self.pairing](views[0], depth, views[1], seed)
        warp = moved.warp
        control = build_control(moved.source, warp.field.displacement, warp.warped, warp.mask)
        described = f"cameras {source} -> {target}, frames {start}..{start + self.size.frames - 1}"
        return ClipPair(
            source=moved.source,
            target=moved.target,
            control=control,
            target_from_source=torch.from_numpy(moved.target_from_source),
            prompt=str(scene.scene.get("caption", "")),
            origin=f"{scene.path.name}: {described}",
            report={
                "accepted": described,
                "measure": {"covered_share": round(float(warp.mask.mean()), 4)},
            },
        )


class _Moved(NamedTuple):
    """A video, where it was moved, and what a network shall make of that."""

    source: Float[Tensor, "frames 3 height width"]
    warp: Warp
    target_from_source: NDArray[np.float64]
    target: Float[Tensor, "frames 3 height width"]


def _two_views(source: SceneView, depth: Tensor, target: SceneView, seed: int) -> _Moved:
    video = to_signed(source.rgb)
    pose = relative_pose(target.world_from_camera, source.world_from_camera)
    intrinsics = (source.intrinsics, target.intrinsics)
    warp = warp_from_depth(video, depth, *intrinsics, pose, rule="random", seed=seed)
    return _Moved(video, warp, pose, to_signed(target.rgb))


def _there_and_back(source: SceneView, depth: Tensor, target: SceneView, seed: int) -> _Moved:
    video = to_signed(source.rgb)
    pose = relative_pose(target.world_from_camera, source.world_from_camera)
    intrinsics = (source.intrinsics, target.intrinsics)
    both = double_reprojection(video, depth, *intrinsics, pose, rule="random", seed=seed)
    return _Moved(both.there.warped, both.back, invert_pose(pose), video)


def _one_frame_to_all(source: SceneView, depth: Tensor, _: SceneView, seed: int) -> _Moved:
    frames = len(source.rgb)
    chosen = np.full(frames, int(rng(seed, "aligned").integers(frames)))
    video = to_signed(source.rgb[chosen])
    pose = relative_pose(source.world_from_camera, source.world_from_camera[chosen])
    intrinsics = (source.intrinsics[chosen], source.intrinsics)
    warp = warp_from_depth(video, depth[chosen], *intrinsics, pose, rule="random", seed=seed)
    return _Moved(video, warp, pose, to_signed(source.rgb))


_MOVES = {
    "two_views": _two_views,
    "double_reprojection": _there_and_back,
    "aligned_frames": _one_frame_to_all,
}


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


def _listed(folder: Path) -> list[IndexedScene | Path]:
    """What the folder's index lists, or without one every scene file below the folder."""
    if not (folder / INDEX).is_file():
        return list(find_scenes(folder))
    try:
        return list(read_index(folder))
    except SceneFileError as error:
        raise DataError(str(error)) from None


def _pairs_of(
    scene: IndexedScene | Path, frames: int, pairing: Pairing
) -> list[tuple[Path, str, str]]:
    """Return a scene's items: its file with source and target camera; a mere path is opened."""
    if isinstance(scene, Path):
        with open_scene(scene) as file:
            scene = IndexedScene(scene, tuple(file.camera_names), file.frames)
    path, names = scene.path, scene.cameras
    if scene.frames < frames:
        raise DataError(f"{path} has {scene.frames} frames, a clip needs {frames}")
    if pairing == "aligned_frames":
        return [(path, name, name) for name in names]
    if len(names) < 2:
        raise DataError(f"{path} has one camera, a pair needs two")
    return [(path, a, b) for a in names for b in names if a != b]
