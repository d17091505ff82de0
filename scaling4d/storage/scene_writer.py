"""Write the scene file: what each camera recorded, checked against the conventions, then stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
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
    frame_filter,
)


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
