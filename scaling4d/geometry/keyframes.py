"""Our own trajectory file: keyframes in YAML or JSON (see `EXAMPLE`)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import invert_pose
from scaling4d.geometry.formats.files import finite_number, read_text, write_json, write_text
from scaling4d.geometry.formats.text_tables import cleaned
from scaling4d.geometry.frame_count import require_frame_count, require_source_frame
from scaling4d.geometry.interpolation import cubic_spline, interpolate_poses, linear
from scaling4d.geometry.moves import AMOUNTS, Moves, require_pivot
from scaling4d.geometry.presets import EASINGS
from scaling4d.geometry.trajectory import MODES, Trajectory

FloatArray = npt.NDArray[np.float64]

EXAMPLE = """\
# Cameras at a few frames; the frames between are interpolated.
mode: relative            # to the source camera of the same frame; or `world`, with matrices
units: metres             # of right, up, forward; or `pivot`: in pivot depths
interpolation: spline     # or `linear`
ease: linear              # within each stretch between two keys: linear, in, out, in_out
aim: false                # true keeps the pivot in the middle of the image
keyframes:
  - {frame: 0}                                  # the source view
  - {frame: 24, yaw: 20, pitch: 5}              # degrees around the pivot, to the right and up
  - {frame: 48, yaw: 30, forward: 0.5, zoom: 1.2}
# Amounts: yaw pitch pan tilt roll (degrees), right up forward, zoom (factor), source_index (frame
# of the source that is held from this key on). Or a 4x4 `matrix` per key instead of amounts: the
# camera's pose in the source camera (mode relative) or in the world (mode world), OpenCV axes; a
# zoom may stand beside it.
# `time: 0..1` may stand in place of `frame`; then the length is chosen when the file is used.
"""

_FILE_KEYS = ("mode", "units", "interpolation", "ease", "aim", "frames", "keyframes")
_KEY_KEYS = ("frame", "time", "matrix", "source_index", *AMOUNTS)
_CURVES = {"spline": cubic_spline, "linear": linear}


def read_keyframes(
    path: str | Path, *, frames: int | None = None, pivot_depth: float | None = None
) -> Trajectory:
    """Read a keyframe file.

    Args:
        path: a .yaml, .yml or .json file as in `EXAMPLE`.
        frames: length, for files that place their keys by ``time``; else the file decides.
        pivot_depth: metres to the pivot, for files that turn about it or measure in pivot depths.

    Raises:
        ValueError: naming the file, the key and what is wrong with it.
    """
    path = Path(path)
    document = _load(path)
    try:
        return trajectory_from_keyframes(document, frames=frames, pivot_depth=pivot_depth)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def trajectory_from_keyframes(
    document: Mapping[str, Any], *, frames: int | None = None, pivot_depth: float | None = None
) -> Trajectory:
    """Build the trajectory that a parsed keyframe document describes (see `read_keyframes`)."""
    _refuse_unknown(document, _FILE_KEYS, "the file")
    keys = document.get("keyframes")
    if not isinstance(keys, Sequence) or isinstance(keys, str) or not keys:
        raise ValueError("`keyframes` must be a list of at least one keyframe")
    for number, key in enumerate(keys):
        if not isinstance(key, Mapping):
            raise ValueError(f"keyframe {number} must be a mapping such as {{frame: 0, yaw: 10}}")
        _refuse_unknown(key, _KEY_KEYS, f"keyframe {number}")
    mode = _choice(document, "mode", MODES)
    times, count = _key_times(keys, document.get("frames"), frames)
    progress = _eased(times, count, _choice(document, "ease", tuple(EASINGS)))
    method = _choice(document, "interpolation", tuple(_CURVES))
    source_index = _held_frames(keys, times, count)
    aim, units = _flag(document, "aim"), _choice(document, "units", ("metres", "pivot"))
    if any("matrix" in key for key in keys):
        if aim or units == "pivot":
            raise ValueError(
                "`aim: true` and `units: pivot` change amounts, and these keyframes hold matrices, "
                "which are in metres and aim as they are: leave them out"
            )
        return _from_matrices(keys, mode, times, progress, method, source_index)
    if mode == "world":
        raise ValueError("mode `world` needs a 4x4 `matrix` in every keyframe")
    moves = _moves(keys, times, progress, method, aim=aim)
    if units == "pivot":
        if pivot_depth is None:
            raise ValueError("`units: pivot` measures in pivot depths: give the pivot depth")
        moves = moves.scaled(require_pivot("`units: pivot`", pivot_depth))
    depth = float("nan") if pivot_depth is None else pivot_depth
    return Trajectory.from_moves(moves, pivot_depth=depth, source_index=source_index)


def write_keyframes(path: str | Path, trajectory: Trajectory) -> None:
    """Write a trajectory with one matrix per frame, as YAML or, by its ending, JSON.

    Raises:
        ValueError: for target intrinsics, which the format cannot hold (it holds a zoom, see
            `scaling4d.geometry.trajectory_io.zoom_from_intrinsics`).
    """
    if trajectory.intrinsics is not None:
        raise ValueError(
            "keyframes hold a zoom and cannot hold target intrinsics: turn them into a zoom with "
            "zoom_from_intrinsics, or leave them out (--drop-intrinsics)"
        )
    keys = []
    for frame, pose in enumerate(trajectory.source_from_target):
        key: dict[str, Any] = {"frame": frame, "matrix": (pose + 0.0).tolist()}  # no -0.0
        if trajectory.focal_scale is not None:
            key["zoom"] = float(trajectory.focal_scale[frame])
        if trajectory.source_index is not None:
            key["source_index"] = int(trajectory.source_index[frame])
        keys.append(key)
    document = {"mode": trajectory.mode, "interpolation": "linear", "keyframes": keys}
    path = Path(path)
    if path.suffix == ".json":
        write_json(path, document)
    else:
        import yaml

        write_text(path, yaml.safe_dump(document, sort_keys=False, default_flow_style=None))


def _load(path: Path) -> Mapping[str, Any]:
    text = read_text(path, "a trajectory file")
    try:
        if path.suffix == ".json":
            document = json.loads(text)
        else:
            import yaml

            try:
                document = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(" ".join(str(error).split())) from None
    except (ValueError, RecursionError) as error:  # RecursionError: brackets without end
        raise ValueError(f"{path} does not parse: {error}") from None
    if not isinstance(document, Mapping):
        raise ValueError(f"{path} must hold a mapping with `keyframes`")
    return document


def _refuse_unknown(mapping: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    unknown = [str(key) for key in mapping if key not in known]
    if unknown:
        raise ValueError(f"{where} holds {unknown[0]!r}; known are {', '.join(known)}")


def _choice(document: Mapping[str, Any], key: str, options: Sequence[str]) -> str:
    value = document.get(key, options[0])
    if value not in options:
        raise ValueError(f"`{key}` must be one of {', '.join(options)}, got {value!r}")
    return str(value)


def _flag(document: Mapping[str, Any], key: str) -> bool:
    value = document.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"`{key}` must be true or false, got {value!r}")
    return value


def _number(key: Mapping[str, Any], name: str, number: int, default: float) -> float:
    value = key.get(name, default)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)  # YAML takes 1e-3 for a word, and 1.0e-3 for a number
    return finite_number(value, f"keyframe {number}: {name}")


def _key_times(
    keys: Sequence[Mapping[str, Any]], declared: Any, frames: int | None
) -> tuple[FloatArray, int]:
    """Return the keys' positions in frames and the number of frames."""
    by_time = ["time" in key for key in keys]
    if any(by_time) and any("frame" in key for key in keys):
        raise ValueError("place keyframes by `frame` or by `time`, not both")
    name = "time" if any(by_time) else "frame"
    for number, key in enumerate(keys):
        if name not in key:
            raise ValueError(f"keyframe {number} has no `{name}`")
    positions = _column(keys, name, 0.0)
    if positions[0] != 0.0 or np.any(np.diff(positions) <= 0.0):
        raise ValueError(f"the `{name}` of keyframes must start at 0 and increase, got {positions}")
    if declared is not None:
        require_frame_count(declared, "`frames`")
    if name == "time":
        count = declared if declared is not None else frames
        if count is None:
            raise ValueError("keyframes placed by `time` need a number of frames")
        least = min(len(positions), 2)  # keys at different times need different frames
        require_frame_count(count, "the number of frames", least=least)
        if len(positions) > 1 and positions[-1] != 1.0:
            raise ValueError(f"the last keyframe's `time` must be 1, got {positions[-1]}")
        return positions * (count - 1), count
    if np.any(positions != np.rint(positions)):
        raise ValueError(f"the `frame` of keyframes must be whole numbers, got {positions}")
    last = require_frame_count(int(positions[-1]) + 1, "the last keyframe's `frame`, plus 1,") - 1
    if declared is not None and declared != last + 1:
        raise ValueError(f"`frames: {declared}` disagrees with the last keyframe, {last}")
    return positions, last + 1


def _eased(times: FloatArray, count: int, ease: str) -> FloatArray:
    """Return the position in key time of each frame, eased within each stretch."""
    at = np.clip(np.arange(count, dtype=np.float64), times[0], times[-1])
    if len(times) == 1:
        return at
    segment = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    length = np.diff(times)[segment]
    return np.minimum(
        times[segment] + length * EASINGS[ease]((at - times[segment]) / length), times[-1]
    )


def _held_frames(
    keys: Sequence[Mapping[str, Any]], times: FloatArray, count: int
) -> npt.NDArray[np.int64] | None:
    if not any("source_index" in key for key in keys):
        return None
    index = np.arange(count, dtype=np.int64)
    for number, key in enumerate(keys):
        if "source_index" in key:
            held = _number(key, "source_index", number, 0.0)
            # The margin takes in the rounding of `time`: 0.07 of 100 frames is just above 7.
            first = int(np.ceil(times[number] - 1e-9))
            index[first:] = require_source_frame(held, f"keyframe {number}: source_index")
    return index


def _moves(
    keys: Sequence[Mapping[str, Any]],
    times: FloatArray,
    progress: FloatArray,
    method: str,
    *,
    aim: bool,
) -> Moves:
    columns = {name: _column(keys, name, 0.0) for name in AMOUNTS if name != "zoom"}
    table = np.stack(list(columns.values()), axis=-1)
    curves = dict(zip(columns, _CURVES[method](table, times, progress).T, strict=True))
    return Moves.from_columns({**curves, "zoom": _zoom(keys, times, progress, method)}, aim=aim)


def _zoom(
    keys: Sequence[Mapping[str, Any]], times: FloatArray, progress: FloatArray, method: str
) -> FloatArray:
    """Return the zoom of every frame, which changes by equal ratios in equal times."""
    zoom = _column(keys, "zoom", 1.0)
    if np.any(zoom <= 0.0):
        raise ValueError("zoom multiplies the focal length and must be > 0 in every keyframe")
    return np.exp(_CURVES[method](np.log(zoom)[:, None], times, progress)[:, 0])


def _column(keys: Sequence[Mapping[str, Any]], name: str, default: float) -> FloatArray:
    return np.array([_number(key, name, number, default) for number, key in enumerate(keys)])


def _from_matrices(
    keys: Sequence[Mapping[str, Any]],
    mode: str,
    times: FloatArray,
    progress: FloatArray,
    method: str,
    source_index: npt.NDArray[np.int64] | None,
) -> Trajectory:
    matrices = []
    for number, key in enumerate(keys):
        amounts = [name for name in AMOUNTS if name in key and name != "zoom"]
        if amounts or "matrix" not in key:
            raise ValueError(
                f"keyframe {number}: give either a `matrix` in every keyframe or amounts in all "
                f"(a zoom may stand beside a matrix)"
            )
        try:
            matrix = np.asarray(key["matrix"], dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            matrix = np.empty(0)
        if matrix.shape != (4, 4):
            raise ValueError(f"keyframe {number}: matrix must be 4x4, 4 rows of 4 numbers")
        matrices.append(cleaned(matrix[None], f"keyframe {number}")[0])
    poses = interpolate_poses(
        np.stack(matrices), times, progress, "spline" if method == "spline" else "slerp"
    )
    zoomed = any("zoom" in key for key in keys)
    return Trajectory(
        invert_pose(poses),
        focal_scale=_zoom(keys, times, progress, method) if zoomed else None,
        source_index=source_index,
        mode=mode,
    )
