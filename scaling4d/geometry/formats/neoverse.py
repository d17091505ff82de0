"""NeoVerse trajectory files: keyframe operations, sparse matrices or an .npz beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import invert_pose
from scaling4d.geometry.formats.files import finite_number, read_arrays, read_json, write_json
from scaling4d.geometry.formats.text_tables import cleaned
from scaling4d.geometry.frame_count import MOST_FRAMES, require_frame_count
from scaling4d.geometry.interpolation import interpolate_poses
from scaling4d.geometry.moves import Moves
from scaling4d.geometry.trajectory import Trajectory

FloatArray = npt.NDArray[np.float64]

NEOVERSE = (
    "JSON with `keyframes` of operations or a `trajectory` of sparse 4x4 matrices (or an .npz), "
    "camera-to-world, OpenCV axes, slerp and linear between; mode relative (to the source camera "
    "of the same frame) or global"
)
_MODES = {"relative": "relative", "global": "world"}
# Operation -> our move and its sign; `angle` is in degrees, `distance` in scene units.
_TURNS = {
    "pan_left": ("pan", -1.0),
    "pan_right": ("pan", 1.0),
    "tilt_up": ("tilt", 1.0),
    "tilt_down": ("tilt", -1.0),
}
_STEPS = {
    "move_left": ("right", -1.0),
    "move_right": ("right", 1.0),
    "push_in": ("forward", 1.0),
    "pull_out": ("forward", -1.0),
    "boom_up": ("up", 1.0),
    "boom_down": ("up", -1.0),
}
_ORBITS = {"orbit_left": -1.0, "orbit_right": 1.0}


def read_neoverse(path: Path) -> Trajectory:
    """Read a NeoVerse trajectory. Source times are rounded to whole frames.

    Raises:
        ValueError: naming what is not understood, and for zoom_ratio, whose curve over time the
            format does not define.
    """
    document = read_json(path, "NeoVerse")
    try:
        return _trajectory(document, path)
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(str(path)) else f"{path}: {message}"
        ) from None


def write_neoverse(path: Path, trajectory: Trajectory) -> None:
    """Write a trajectory with one matrix per frame; intrinsics and zooms are not held."""
    if trajectory.intrinsics is not None or trajectory.focal_scale is not None:
        raise ValueError(
            "NeoVerse files cannot hold intrinsics or a zoom that changes over time: choose a "
            "format that does, or leave them out (--drop-intrinsics)"
        )
    if len(trajectory) < 2:
        raise ValueError("NeoVerse files hold 2 frames or more")
    document: dict[str, Any] = {
        "name": path.stem,
        "mode": "relative" if trajectory.mode == "relative" else "global",
        "num_frames": len(trajectory),
        "trajectory": {
            "frame_indices": list(range(len(trajectory))),
            "frame_matrices": trajectory.source_from_target.tolist(),
        },
    }
    if trajectory.source_index is not None:
        document["time_curve"] = [float(index) for index in trajectory.source_index]
    write_json(path, document)


def _trajectory(document: Mapping[str, Any], path: Path) -> Trajectory:
    frames = require_frame_count(document.get("num_frames", 81), "`num_frames`", least=2)
    mode = document.get("mode", "relative")
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"`mode` must be relative or global, got {mode!r}")
    if document.get("zoom_ratio", 1.0) != 1.0:
        raise ValueError("`zoom_ratio` is not supported: the format does not say how it grows")
    if "keyframes" in document:
        times, poses = _operations(document["keyframes"], frames)
    elif isinstance(document.get("trajectory"), Mapping):
        times, poses = _matrices(document["trajectory"], path)
    else:
        raise ValueError("a NeoVerse file needs `keyframes` or `trajectory`")
    if times[0] != 0.0 or times[-1] != frames - 1:
        raise ValueError(f"the first key must be at 0 and the last at {frames - 1}, got {times}")
    dense = interpolate_poses(poses, times, np.arange(frames, dtype=np.float64), "slerp")
    return Trajectory(
        invert_pose(dense), mode=_MODES[mode], source_index=_source_index(document, frames)
    )


def _operations(keyframes: Any, frames: int) -> tuple[FloatArray, FloatArray]:
    entries = _single_keys(keyframes, "keyframes")
    pose = np.eye(4)
    poses = []
    for _, operations in entries:
        if not isinstance(operations, Sequence) or isinstance(operations, str):
            raise ValueError("each keyframe must hold a list of operations")
        for operation in operations:
            if not isinstance(operation, Mapping) or len(operation) != 1:
                raise ValueError(f"an operation is one key with its parameters, got {operation!r}")
            ((kind, parameters),) = operation.items()
            pose = pose @ _operation(str(kind), parameters)
        poses.append(pose)
    return np.array([time for time, _ in entries]), np.stack(poses)


def _operation(kind: str, parameters: Any) -> FloatArray:
    if not isinstance(parameters, Mapping):
        raise ValueError(f"the parameters of {kind} must be a mapping, got {parameters!r}")
    angle = finite_number(parameters.get("angle", 15.0), "angle")
    distance = finite_number(parameters.get("distance", 0.1), "distance")
    radius = finite_number(parameters.get("orbit_radius", 1.0), "orbit_radius")
    if kind == "static":
        return np.eye(4)
    if kind in _TURNS:
        name, sign = _TURNS[kind]
        moves, pivot = Moves.from_columns({name: [sign * angle]}), float("nan")
    elif kind in _STEPS:
        name, sign = _STEPS[kind]
        moves, pivot = Moves.from_columns({name: [sign * distance]}), float("nan")
    elif kind in _ORBITS:
        moves, pivot = Moves.from_columns({"yaw": [_ORBITS[kind] * angle]}), radius
    else:
        known = ", ".join(("static", *_TURNS, *_STEPS, *_ORBITS))
        raise ValueError(f"unknown operation {kind!r}; known are {known}")
    return moves.source_from_target(pivot)[0]


def _matrices(entry: Mapping[str, Any], path: Path) -> tuple[FloatArray, FloatArray]:
    if "file" in entry:
        archive = path.parent / str(entry["file"])
        indices, matrices = read_arrays(archive, "NeoVerse", ("frame_indices", "frame_matrices"))
    else:
        try:
            indices = np.asarray(entry["frame_indices"], dtype=np.float64)
            matrices = np.asarray(entry["frame_matrices"], dtype=np.float64)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError("`trajectory` needs frame_indices and 4x4 frame_matrices") from None
    if indices.ndim != 1 or len(indices) < 2 or matrices.shape != (len(indices), 4, 4):
        raise ValueError(
            f"`trajectory` needs one 4x4 matrix per frame index, 2 or more, got {indices.shape} "
            f"and {matrices.shape}"
        )
    return indices.astype(np.float64), cleaned(matrices.astype(np.float64), "frame_matrices")


def _source_index(document: Mapping[str, Any], frames: int) -> npt.NDArray[np.int64] | None:
    if "time_curve" in document:
        curve = _curve(document["time_curve"], "time_curve")
        if curve.shape != (frames,):
            raise ValueError(f"`time_curve` must hold {frames} numbers, got {curve.shape}")
    elif "time_keyframes" in document:
        entries = _single_keys(document["time_keyframes"], "time_keyframes")
        times = np.array([time for time, _ in entries])
        if times[0] != 0.0 or times[-1] != frames - 1:
            raise ValueError(f"`time_keyframes` must run from 0 to {frames - 1}, got {times}")
        values = _curve([value for _, value in entries], "time_keyframes")
        curve = np.interp(np.arange(frames), times, values)
    else:
        return None
    if not np.all((curve >= 0.0) & (curve < MOST_FRAMES)):
        raise ValueError(f"source times must be frame numbers >= 0 and < {MOST_FRAMES}")
    return np.rint(curve).astype(np.int64)


def _curve(values: Any, name: str) -> FloatArray:
    try:
        curve = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        curve = np.empty((0, 0))
    if curve.ndim != 1:
        raise ValueError(f"`{name}` must hold a source frame number for each time, got {values!r}")
    return curve


def _single_keys(entries: Any, name: str) -> list[tuple[float, Any]]:
    """Return (time, value) pairs of a list of single-key mappings, times increasing."""
    if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) < 2:
        raise ValueError(f"`{name}` must be a list of 2 or more entries")
    pairs = []
    for entry in entries:
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise ValueError(f"each of `{name}` must be one time with its value, got {entry!r}")
        ((key, value),) = entry.items()
        try:
            pairs.append((float(key), value))
        except (TypeError, ValueError):
            raise ValueError(f"{key!r} in `{name}` is not a time") from None
    times = [time for time, _ in pairs]
    if np.any(np.diff(times) <= 0.0):
        raise ValueError(f"the times of `{name}` must increase, got {times}")
    return pairs
