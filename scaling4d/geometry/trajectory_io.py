"""Every trajectory and camera file that we read and write, by name, with its convention.

`FORMATS` lists them. Pose files hold cameras (`read_cameras`, `write_cameras`); motion files hold
a description of a motion, and the parametric ones are written only from a description
of the same kind (`write_trajectory`), because poses alone do not say which parameters made them.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np

from scaling4d.geometry.camera import look_at, resize_intrinsics
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.detection import detect_format as detect_format
from scaling4d.geometry.formats.detection import output_format as output_format
from scaling4d.geometry.formats.detection import split_name as split_name
from scaling4d.geometry.formats.frame_places import (
    require_even_steps,
    require_even_times,
    require_every_frame,
)
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.formats.registry import FORMATS as FORMATS
from scaling4d.geometry.formats.registry import MotionFormat as MotionFormat
from scaling4d.geometry.formats.registry import PoseFormat as PoseFormat
from scaling4d.geometry.trajectory import Trajectory

logger = logging.getLogger(__name__)

_SAME_SHAPE = 0.01


def read_cameras(
    path: str | Path, name: str | None = None, given: Given | None = None
) -> CameraPath:
    """Read a file of cameras.

    Args:
        path: the file or folder.
        name: a pose format of `FORMATS`, or None: as the path tells.
        given: what the file does not hold.

    Raises:
        ValueError: for another kind of format, or a file that does not follow it.
    """
    path = Path(path)
    name = detect_format(path) if name is None else name
    return _pose_format(name).read(path, given or Given())


def write_cameras(
    path: str | Path, cameras: CameraPath, name: str, given: Given | None = None
) -> None:
    """Write cameras to a file of a pose format of `FORMATS`, as a whole or not at all.

    Raises:
        ValueError: if the format cannot hold them, saying what is missing, or if its readers would
            take them for cameras of other frames.
    """
    kind, given = _pose_format(name), given or Given()
    if not kind.lens:
        _refuse_to_lose_a_zoom(cameras, name, given)
    if not kind.seconds and name != "usd":  # which spaces them by its own rules
        require_even_times(cameras, "this path", name)
    if kind.sparse:
        require_even_steps(cameras, "this path", name)
    elif not kind.timed:
        require_every_frame(cameras, "this path", name)
    path = Path(path)
    kind.write(path, cameras, given)


def write_trajectory(
    path: str | Path, trajectory: Trajectory, name: str, given: Given | None = None
) -> None:
    """Write a trajectory to a file of any format of `FORMATS`.

    Pose formats receive the cameras in the frame of the source camera (mode "world": the world);
    those with a z-up world receive them with the source camera at the origin, looking along y.
    Readers take the first camera of such a file for the source camera: where it is another, a line
    of the log says so.

    Raises:
        ValueError: if the format cannot hold it.
    """
    given = given or Given()
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        kind.write(Path(path), trajectory)
        return
    if trajectory.source_index is not None:
        raise ValueError(
            f"{name} cannot hold source frames (bullet time): use keyframes or neoverse"
        )
    if not kind.lens and trajectory.focal_scale is not None:
        raise _no_place_for_a_zoom(name)
    start = trajectory.target_from_source[0]
    if trajectory.mode == "relative" and np.abs(start - np.eye(4)).max() > 1e-6:
        logger.warning(
            "the first target camera is not the source camera, and readers of %s will "
            "take it for that: keyframes and neoverse hold the source view too", name,
        )  # fmt: skip
    cameras = trajectory.cameras(given.matrix(), given.height, given.width)
    if kind.upright and trajectory.mode == "relative":
        # In its own frame the source camera looks along z; in a z-up world it looks north.
        upright = look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
        cameras = cameras.replaced(world_from_camera=upright @ cameras.world_from_camera)
    write_cameras(path, given.completed(cameras), name, given)


def zoom_from_intrinsics(trajectory: Trajectory) -> Trajectory:
    """Return the trajectory with a zoom in place of its intrinsics, for files that hold a zoom.

    The source's lens is that of the first camera, which in mode "relative" is the source view.

    Raises:
        ValueError: if the lenses differ by more than the focal length, or in mode "world".
    """
    if trajectory.intrinsics is None:
        return trajectory
    if trajectory.mode == "world":
        raise ValueError(
            "motion files hold a zoom and no intrinsics, and in mode world the source's lens "
            "is not known: use mode relative, or leave the intrinsics out (--drop-intrinsics)"
        )
    source = trajectory.intrinsics[0]
    zoom = trajectory.intrinsics[:, 0, 0] / source[0, 0]
    zoomed = np.tile(source, (len(zoom), 1, 1))
    zoomed[:, :2, :2] *= zoom[:, None, None]
    if not np.allclose(zoomed, trajectory.intrinsics, rtol=1e-5):
        raise ValueError(
            "these intrinsics differ from the source's by more than a zoom (another principal "
            "point or pixel shape): choose a format that holds intrinsics, or leave them out "
            "(--drop-intrinsics)"
        )
    return dataclasses.replace(
        trajectory, intrinsics=None, focal_scale=zoom if np.any(zoom != 1.0) else None
    )


def _refuse_to_lose_a_zoom(cameras: CameraPath, name: str, given: Given) -> None:
    """Check that a format without intrinsics loses none that the reader could not know."""
    lenses, source = cameras.intrinsics, given.matrix()
    if lenses is None:
        return
    if not np.allclose(lenses, lenses[0] if source is None else source, rtol=1e-4):
        raise _no_place_for_a_zoom(name)


def _no_place_for_a_zoom(name: str) -> ValueError:
    return ValueError(
        f"{name} holds no intrinsics, and these cameras zoom or have another lens than the source: "
        f"choose a format that holds intrinsics, or leave them out (--drop-intrinsics)"
    )


def load_trajectory(
    text: str,
    *,
    frames: int | None = None,
    pivot_depth: float | None = None,
    given: Given | None = None,
    mode: str = "relative",
) -> Trajectory:
    """Read a trajectory from "format:path", or a path alone where it tells the format.

    Args:
        text: see above.
        frames: length, for formats that do not fix their own.
        pivot_depth: metres to the pivot, for formats that turn about it.
        given: what a pose file does not hold; with a size, intrinsics are fitted to it.
        mode: how a pose file is meant, see `Trajectory.from_cameras`.

    Raises:
        ValueError: if there is no such file or it does not follow its format, or if lengths are in
            a pivot depth that is not finite and > 0.
    """
    name, path = split_name(text)
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        return kind.read(path, frames, pivot_depth)
    given = given or Given()
    cameras = kind.read(path, given)
    if given.height is not None and given.width is not None:
        cameras = fit_cameras(cameras, given.height, given.width)
    return Trajectory.from_cameras(cameras, mode)


def holds_cameras(name: str) -> bool:
    """Whether files of that format hold cameras; the others describe how to move one.

    Raises:
        ValueError: if there is no such format.
    """
    return not isinstance(_format(name), MotionFormat)


def have_one_shape(cameras: CameraPath, height: int, width: int) -> bool:
    """Whether the cameras' images have the aspect ratio of that size, to a hundredth of it; images
    of unknown size do."""
    if cameras.height is None or cameras.width is None:
        return True
    return abs(cameras.height * width / (cameras.width * height) - 1.0) <= _SAME_SHAPE


def fit_cameras(cameras: CameraPath, height: int, width: int) -> CameraPath:
    """Return the cameras with intrinsics for images of another size, where both are known.

    Raises:
        ValueError: if the images have another shape, so that a crop lies between them.
    """
    if cameras.height is None or cameras.width is None:
        return cameras
    if not have_one_shape(cameras, height, width):
        raise ValueError(
            f"the cameras are for images of {cameras.height}x{cameras.width} (height x width) and "
            f"the video is {height}x{width}, of another shape: crop one of them first"
        )
    changes: dict[str, object] = {"height": height, "width": width}
    if cameras.intrinsics is not None:
        changes["intrinsics"] = resize_intrinsics(
            cameras.intrinsics,
            height=cameras.height,
            width=cameras.width,
            new_height=height,
            new_width=width,
        )
    return cameras.replaced(**changes)


def _format(name: str) -> PoseFormat | MotionFormat:
    if name not in FORMATS:
        raise ValueError(f"unknown trajectory format {name!r}: choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _pose_format(name: str) -> PoseFormat:
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        raise ValueError(f"{name} describes a motion and holds no cameras of its own")
    return kind
