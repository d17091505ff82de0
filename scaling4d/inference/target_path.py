"""Where the new camera is: what the user gave, as one target camera per frame of the clip."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.scale import central_depth
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from scaling4d.geometry.trajectory_io import (
    fit_cameras,
    have_one_shape,
    holds_cameras,
    read_cameras,
    split_name,
)
from scaling4d.inference.source import DEFAULT_FOV_DEGREES, Source

logger = logging.getLogger(__name__)


def read_target(
    trajectory: str | Path | Trajectory,
    source: Source,
    pivot_depth: float | None,
    camera: str | None = None,
) -> tuple[Trajectory, Source]:
    """Build a preset for this clip, read a file, or take what was given.

    Args:
        trajectory, pivot_depth, camera: as in `generate`.
        source: the clip.

    Returns:
        The trajectory, as long as the clip, with intrinsics (if it has any) for the clip's frames;
        and the source, whose intrinsics are those of the file's first camera where nobody gave any.

    Raises:
        ValueError: if it cannot be read, its frames or image size do not fit the clip, or a camera
            is named and it is no file of cameras.
    """
    count = len(source.frames)
    if not isinstance(trajectory, Trajectory) and _names_cameras(str(trajectory)):
        path = _from_cameras(str(trajectory), source, camera)
    elif camera is not None:
        what = trajectory if isinstance(trajectory, (str, Path)) else "a Trajectory"
        raise ValueError(
            f"the camera {camera!r} was given for {what}, which is no file of cameras: leave the "
            "camera out, or give a file that holds it"
        )
    elif isinstance(trajectory, Trajectory):
        path = trajectory
    else:
        # Without any surface (pure rotations) there is no pivot, and moves that need one say so.
        if pivot_depth is None and np.isfinite(source.depth[0]).any():
            pivot_depth = central_depth(source.depth[0])
        path = parse_trajectory(trajectory, frames=count, pivot_depth=pivot_depth)
    if len(path) != count:
        raise ValueError(
            f"the trajectory has {len(path)} frames and the video {count}: make them equal "
            "(a preset takes the video's length by itself)"
        )
    if source.intrinsics_known:
        return path, source
    if path.intrinsics is not None and path.mode == "relative":
        logger.info("no intrinsics given: the trajectory's first camera is taken as the source's")
        return path, replace(source, intrinsics=np.tile(path.intrinsics[:1], (count, 1, 1)))
    logger.warning(
        "no intrinsics given: assuming a horizontal field of view of %g degrees "
        "(give intrinsics=... for exact motion)",
        DEFAULT_FOV_DEGREES,
    )
    return path, source


def _names_cameras(text: str) -> bool:
    """Whether the text names a file of cameras; presets and files of motions depend on the clip."""
    if text.partition(":")[0] in PRESETS:
        return False
    return holds_cameras(split_name(text)[0])


def _from_cameras(text: str, source: Source, camera: str | None) -> Trajectory:
    """Read another tool's cameras, as motions away from the first one."""
    height, width = source.original
    name, path = split_name(text)
    given = Given(height=height, width=width, camera=camera, video_frames=source.video_frames)
    cameras = _of_the_clip(read_cameras(path, name, given), source, text)
    fitted = Trajectory.from_cameras(cameras)
    if cameras.intrinsics is None:
        return fitted
    return replace(fitted, intrinsics=_fit_to_clip(cameras, source, text))


def _of_the_clip(cameras: CameraPath, source: Source, text: str) -> CameraPath:
    """One camera per frame of the clip, from one for each of them or for the video's frames.

    Raises:
        ValueError: if the file has neither.
    """
    count = len(source.frames)
    numbers = np.arange(count) * source.step
    known = len(cameras)
    if known == count != source.video_frames:
        if cameras.frame_index is None and cameras.times is not None:
            logger.info("%s: its %d cameras are taken for the clip's frames in order", text, count)
    elif source.video_fps is not None:
        cameras = cameras.in_video(source.video_frames, source.video_fps, text)
    index = cameras.frame_index
    if index is not None:  # numbers other than 0, 1, 2...: those of the video's frames
        if index[0] <= numbers[0] and numbers[-1] <= index[-1]:
            return cameras.at_frames(numbers)
        if known != count or (np.diff(index) != 1).any():
            raise ValueError(
                f"{text} holds cameras for the video's frames {index[0]} to {index[-1]}, and the "
                f"clip shows {numbers[0]} to {numbers[-1]}: choose frames within the file's"
            )
        return cameras  # one for each frame of the clip, which was cut out of a longer video
    if known == source.video_frames:
        return cameras.at_frames(numbers)
    if known != count:
        raise ValueError(
            f"{text} holds {known} cameras: give one for each of the {count} frames of the clip, "
            f"or for all {source.video_frames} of the video; or resample it with "
            f"`python -m scaling4d trajectory convert --frames {count}`"
        )
    return cameras


def _fit_to_clip(cameras: CameraPath, source: Source, text: str) -> NDArray[np.float64]:
    """Intrinsics for the clip's frames: those of the video are cropped and resized as it was.

    Raises:
        ValueError: if they belong to images of another shape.
    """
    for whole in (source.original, source.size):
        if have_one_shape(cameras, *whole):
            matrices = fit_cameras(cameras, *whole).intrinsics
            assert matrices is not None
            return source.fitted(matrices, whole)
    raise ValueError(
        f"the cameras of {text} are for images of {cameras.height}x{cameras.width} (height x "
        f"width), which have neither the shape of the video, {source.original[0]}x"
        f"{source.original[1]}, nor that of the output, {source.size[0]}x{source.size[1]}: choose "
        "an output size of their shape"
    )
