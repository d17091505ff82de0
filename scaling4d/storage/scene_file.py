"""The scene file: one HDF5 file per scene, the contract between generator and training.

Layout and conventions: DESIGN section 5 and `scene_format`. One chunk is one frame, so that
reading a frame costs one decompression; k synchronised cameras give k(k-1) ordered pairs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from scaling4d.storage.atomic import atomic_path
from scaling4d.storage.scene_format import (
    CONVENTIONS,
    SCHEMA,
    SCHEMA_VERSION,
    SceneFileError,
    check_header,
    frame_filter,
)

__all__ = ["CameraTrack", "SceneFile", "SceneFileError", "open_scene", "write_scene"]

Frames = slice | int | NDArray[np.integer[Any]] | list[int]


@dataclass(frozen=True, kw_only=True)
class CameraTrack:
    """What one camera recorded over T frames.

    Attributes:
        rgb: (T, H, W, 3) uint8, sRGB.
        depth: (T, H, W) float32, planar z in metres, +inf where no surface.
        intrinsics: (T, 3, 3) float64, pixels, pixel centres at half steps.
        world_from_camera: (T, 4, 4) float64, OpenCV axes, world z up in metres.
        instance_id: (T, H, W) uint16 or None; 0 is no object.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    world_from_camera: NDArray[np.float64]
    instance_id: NDArray[np.uint16] | None = None

    def check(self, name: str) -> tuple[int, int, int]:
        """Return (T, H, W) after checking every array against the conventions.

        Raises:
            SceneFileError: naming the camera, what was given and what was expected.
        """
        if self.rgb.ndim != 4 or self.rgb.shape[3] != 3 or self.rgb.dtype != np.uint8:
            raise SceneFileError(
                f"camera {name}: rgb must be (T, H, W, 3) uint8, "
                f"got {self.rgb.shape} {self.rgb.dtype}"
            )
        frames, height, width = self.rgb.shape[:3]
        expected: list[tuple[str, NDArray[Any], tuple[int, ...], type]] = [
            ("depth", self.depth, (frames, height, width), np.float32),
            ("intrinsics", self.intrinsics, (frames, 3, 3), np.float64),
            ("world_from_camera", self.world_from_camera, (frames, 4, 4), np.float64),
        ]
        if self.instance_id is not None:
            expected.append(("instance_id", self.instance_id, (frames, height, width), np.uint16))
        for label, array, shape, dtype in expected:
            if array.shape != shape or array.dtype != dtype:
                raise SceneFileError(
                    f"camera {name}: {label} must be {shape} {np.dtype(dtype)}, "
                    f"got {array.shape} {array.dtype}"
                )
        if not bool(np.all(self.depth > 0)):  # NaN fails this too
            raise SceneFileError(
                f"camera {name}: depth holds values <= 0 or NaN; no surface is +inf"
            )
        for label, array in (("intrinsics", self.intrinsics), ("pose", self.world_from_camera)):
            if not np.isfinite(array).all():
                raise SceneFileError(f"camera {name}: {label} holds values that are not finite")
        rotation = self.world_from_camera[:, :3, :3]
        error = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max()
        if error > 1e-6 or (np.linalg.det(rotation) < 0).any():
            raise SceneFileError(
                f"camera {name}: world_from_camera must hold right-handed rotations without scale "
                f"(off by {error:.2g})"
            )
        return frames, height, width


def write_scene(
    path: str | Path,
    *,
    cameras: Mapping[str, CameraTrack],
    fps: float,
    attributes: Mapping[str, Any],
    scene: Mapping[str, Any],
    paths: Mapping[str, Mapping[str, Any]] | None = None,
    qa: Mapping[str, Any] | None = None,
    compression: str | None = None,
) -> None:
    """Write one scene file atomically; an existing file is replaced only by a whole one.

    Args:
        path: final place of the ``.h5`` file.
        cameras: name -> track; all tracks share frame count and size.
        fps: frames per second of the shared clock, > 0.
        attributes: root attributes (generator, renderer and versions, seed, request hash, ...).
        scene: name -> text, bytes, number, array or JSON-able mapping or list (stored as JSON).
        paths: camera name -> what produced its trajectory (control points, certificate, ...).
        qa: measured residuals and statistics.
        compression: see `scene_format.frame_filter`.

    Raises:
        SceneFileError: if a track breaks a convention or the tracks differ in size.
    """
    if not cameras:
        raise SceneFileError("a scene file needs at least one camera, got none")
    if not (np.isfinite(fps) and fps > 0):
        raise SceneFileError(f"fps must be positive and finite, got {fps}")
    sizes = {name: track.check(name) for name, track in cameras.items()}
    if len(set(sizes.values())) != 1:
        raise SceneFileError(f"synchronised cameras must share frames and size, got {sizes}")
    frames, height, width = next(iter(sizes.values()))
    filter_name, options = frame_filter(compression)
    with atomic_path(path) as partial, h5py.File(partial, "w", libver=("v110", "v110")) as handle:
        root = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "complete": False,
            "filter": filter_name,
            "fps": float(fps),
            "frames": frames,
            "height": height,
            "width": width,
            **{f"convention_{key}": text for key, text in CONVENTIONS.items()},
        }
        handle.attrs.update(root)
        handle.attrs["frame_times"] = np.arange(frames, dtype=np.float64) / fps
        for key, value in attributes.items():
            if key in root:
                raise SceneFileError(f"attribute {key!r} is set by the format; use another name")
            handle.attrs[key] = value if _is_plain(value) else json.dumps(value, sort_keys=True)
        for name, track in cameras.items():
            _write_track(handle.create_group(f"cameras/{name}"), track, options)
        _write_mapping(handle.create_group("scene"), scene)
        for name, record in (paths or {}).items():
            _write_mapping(handle.create_group(f"path/{name}"), record)
        _write_mapping(handle.create_group("qa"), qa or {})
        handle.flush()
        handle.attrs["complete"] = True  # last, so that a copy cut short can be told


def _write_track(group: h5py.Group, track: CameraTrack, options: Mapping[str, Any]) -> None:
    for name in ("rgb", "depth", "instance_id"):
        data = getattr(track, name)
        if data is not None:
            group.create_dataset(name, data=data, chunks=(1, *data.shape[1:]), **options)
    group.create_dataset("intrinsics", data=track.intrinsics)
    group.create_dataset("world_from_camera", data=track.world_from_camera)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, bytes, bool, int, float, np.generic, np.ndarray))


def _write_mapping(group: h5py.Group, record: Mapping[str, Any]) -> None:
    """Store plain values as they are and everything else as JSON text, marked as such."""
    for key, value in record.items():
        if _is_plain(value):
            # Opaque bytes must be void: HDF5 strings end at the first zero byte.
            group.create_dataset(key, data=np.void(value) if isinstance(value, bytes) else value)
        else:
            dataset = group.create_dataset(key, data=json.dumps(value, sort_keys=True))
            dataset.attrs["encoding"] = "json"


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


class SceneFile:
    """A scene file open for reading; use `open_scene`. Frames are read when asked for.

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

    def __enter__(self) -> SceneFile:
        return self

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


@contextmanager
def open_scene(path: str | Path) -> Iterator[SceneFile]:
    """Open a scene file for reading.

    Raises:
        SceneFileError: if the file is missing, cut short, unfinished, of another format or newer.
    """
    file = SceneFile(path)
    try:
        yield file
    finally:
        file.close()
