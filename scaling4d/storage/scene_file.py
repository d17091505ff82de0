"""The scene file: one HDF5 file per scene, the contract between generator and training.

Layout and conventions: DESIGN section 5 and `scene_format`. One chunk is one frame, so that
reading a frame costs one decompression; k synchronised cameras give k(k-1) ordered pairs.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from scaling4d.storage.scene_format import SceneFileError, check_header
from scaling4d.storage.scene_writer import CameraTrack, write_scene

__all__ = ["CameraTrack", "SceneFile", "SceneFileError", "open_scene", "write_scene"]

Frames = slice | int | NDArray[np.integer[Any]] | list[int]


class SceneFile(AbstractContextManager["SceneFile"]):
    """A scene file open for reading, see `open_scene`. Frames are read when asked for.

    Open it inside each worker process: HDF5 handles do not survive a fork.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SceneFileError(f"no scene file at {self.path}")
        try:
            self._handle = h5py.File(self.path, "r")
        except OSError as error:
            raise SceneFileError(
                f"{self.path} is not a readable HDF5 file (cut short or another format): "
                f"mint it again ({error})"
            ) from None
        try:
            check_header(self._handle, self.path)
        except SceneFileError:
            self._handle.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; reading afterwards is an error."""
        self._handle.close()

    @property
    def attributes(self) -> dict[str, Any]:
        """Root attributes: versions, seed, request hash, fps, conventions."""
        return {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in self._handle.attrs.items()
        }

    @property
    def fps(self) -> float:
        """Frames per second of the shared clock."""
        return float(self._handle.attrs["fps"])

    @property
    def frames(self) -> int:
        """Number of frames T, the same for every camera."""
        return int(self._handle.attrs["frames"])

    @property
    def height(self) -> int:
        """Image height in pixels."""
        return int(self._handle.attrs["height"])

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return int(self._handle.attrs["width"])

    @property
    def camera_names(self) -> list[str]:
        """Names of the synchronised cameras, sorted."""
        return sorted(self._handle["cameras"])

    @property
    def scene(self) -> dict[str, Any]:
        """Layout text, stage hash, assets with chosen variant names, lights, caption."""
        return _read_mapping(self._handle["scene"])

    @property
    def qa(self) -> dict[str, Any]:
        """Residuals measured when the file was packed."""
        return _read_mapping(self._handle["qa"])

    def path_record(self, camera: str) -> dict[str, Any]:
        """Trajectory record of a camera: control points, certificate, statistics; may be empty."""
        group = self._handle.get(f"path/{camera}")
        return {} if group is None else _read_mapping(group)

    def rgb(self, camera: str, frames: Frames = slice(None)) -> NDArray[np.uint8]:
        """Frames of a camera, (T, H, W, 3) uint8 sRGB, or (H, W, 3) for an integer index."""
        return self._frames(camera, "rgb", frames)

    def depth(self, camera: str, frames: Frames = slice(None)) -> NDArray[np.float32]:
        """Planar z in metres, (T, H, W) float32, +inf where no surface."""
        return self._frames(camera, "depth", frames)

    def instance_id(self, camera: str, frames: Frames = slice(None)) -> NDArray[np.uint16] | None:
        """Instance ids (T, H, W) uint16, 0 = no object; None where the file holds none."""
        if "instance_id" not in self._camera(camera):
            return None
        return self._frames(camera, "instance_id", frames)

    def intrinsics(self, camera: str) -> NDArray[np.float64]:
        """Intrinsics (T, 3, 3) in pixels, pixel centres at half steps."""
        return np.asarray(self._camera(camera)["intrinsics"][()])

    def world_from_camera(self, camera: str) -> NDArray[np.float64]:
        """Poses (T, 4, 4), OpenCV axes, world z up, metres."""
        return np.asarray(self._camera(camera)["world_from_camera"][()])

    def track(self, camera: str) -> CameraTrack:
        """Everything one camera recorded, in memory."""
        return CameraTrack(
            rgb=self.rgb(camera),
            depth=self.depth(camera),
            intrinsics=self.intrinsics(camera),
            world_from_camera=self.world_from_camera(camera),
            instance_id=self.instance_id(camera),
        )

    def _camera(self, camera: str) -> h5py.Group:
        if camera not in self._handle["cameras"]:
            raise SceneFileError(
                f"{self.path} has no camera {camera!r}; it has {', '.join(self.camera_names)}"
            )
        return self._handle["cameras"][camera]

    def _frames(self, camera: str, name: str, frames: Frames) -> NDArray[Any]:
        dataset = self._camera(camera)[name]
        if isinstance(frames, (list, np.ndarray)):
            # HDF5 wants increasing indices without repeats; a clip may hold a frame twice.
            unique, inverse = np.unique(np.asarray(frames, dtype=np.int64), return_inverse=True)
            return self._read(dataset, unique)[inverse]
        return self._read(dataset, frames)

    def _read(self, dataset: h5py.Dataset, selection: Any) -> NDArray[Any]:
        try:
            return np.asarray(dataset[selection])
        except OSError as error:
            raise SceneFileError(f"{self.path}: {dataset.name} cannot be read ({error})") from None


def open_scene(path: str | Path) -> SceneFile:
    """Open a scene file for reading; a context manager, so that ``with`` closes it.

    Raises:
        SceneFileError: if the file is missing, cut short, unfinished, of another format or newer.
    """
    return SceneFile(path)


def _read_mapping(group: h5py.Group) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in group.items():
        if isinstance(item, h5py.Group):
            result[key] = _read_mapping(item)
            continue
        value = item[()]
        if item.attrs.get("encoding") == "json":
            value = json.loads(value)
        elif isinstance(value, np.void):
            value = value.tobytes()
        elif isinstance(value, bytes):  # h5py reads variable-length strings as bytes
            value = value.decode("utf-8")
        result[key] = value
    return result
