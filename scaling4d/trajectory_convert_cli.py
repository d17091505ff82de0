"""``python -m scaling4d trajectory convert``: what a format would lose is refused or said."""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.frame_places import placed_by_times, require_every_frame
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import (
    FORMATS,
    MotionFormat,
    PoseFormat,
    output_format,
    split_name,
    write_cameras,
    write_trajectory,
    zoom_from_intrinsics,
)
from scaling4d.trajectory_input import given_from, read_input, refuse_to_replace


def convert(arguments: argparse.Namespace) -> int:
    """Write the input in another format, and return the exit status."""
    name, output = output_format(arguments.output)
    kind = FORMATS[name]
    refuse_to_replace(output, arguments.force)
    given = given_from(arguments)
    read = dataclasses.replace(given, intrinsics=None) if arguments.drop_intrinsics else given
    cameras, trajectory = read_input(arguments, read, lambda held: _placed(held, arguments, given))
    if arguments.drop_intrinsics:
        cameras = None if cameras is None else cameras.replaced(intrinsics=None)
        trajectory = dataclasses.replace(trajectory, intrinsics=None, focal_scale=None)
    if cameras is not None and isinstance(kind, MotionFormat):
        require_every_frame(cameras, arguments.input, name)
    factor = _scale_factor(arguments)
    if cameras is not None and isinstance(kind, PoseFormat):
        # From pose file to pose file the cameras keep their own world.
        poses = cameras.world_from_camera.copy()
        poses[:, :3, 3] *= factor
        write_cameras(
            output, given.completed(cameras.replaced(world_from_camera=poses)), name, given
        )
    else:
        trajectory = trajectory if factor == 1.0 else trajectory.scaled(factor)
        lens = isinstance(kind, MotionFormat) and trajectory.intrinsics is not None
        trajectory = zoom_from_intrinsics(trajectory) if lens else trajectory
        write_trajectory(output, trajectory, name, given)
        if lens:
            zoom = "" if trajectory.focal_scale is None else "; its changes are held as a zoom"
            print(f"the first camera's lens is taken as the source's{zoom}")
    print(f"wrote {output} ({name}, {len(trajectory)} frames)")
    return 0


def _placed(cameras: CameraPath, arguments: argparse.Namespace, given: Given) -> CameraPath:
    """Return cameras with frame numbers from their times, where the output holds no times.

    Raises:
        ValueError: if it would pass key frames off as consecutive frames.
    """
    name, _ = output_format(arguments.output)
    source, target = FORMATS[split_name(arguments.input)[0]], FORMATS[name]
    timed = isinstance(target, MotionFormat) or target.timed
    sparse = isinstance(source, PoseFormat) and source.sparse
    if sparse and timed and arguments.video_frames is None:
        raise ValueError(
            f"{arguments.input} holds one pose per key frame, and {name} holds times or frame "
            f"numbers: give --video-frames, the number of frames of the video"
        )
    if isinstance(target, PoseFormat) and target.seconds:
        return cameras
    return placed_by_times(cameras, given, arguments.input, name)


def _scale_factor(arguments: argparse.Namespace) -> float:
    if arguments.depth_scale is None:
        factor = 1.0 if arguments.scale is None else arguments.scale
        if not (np.isfinite(factor) and factor > 0.0):
            raise ValueError(f"--scale must be a finite factor > 0, got {factor}")
        return float(factor)
    if arguments.scale is not None:
        raise ValueError("give --scale or --depth-scale, not both")
    from scaling4d.geometry.formats.files import read_npy
    from scaling4d.geometry.scale import depth_scale

    measured, reference = (read_npy(path, "a depth map") for path in arguments.depth_scale)
    factor = depth_scale(measured, reference)
    print(f"lengths are multiplied by {factor:.6g}")
    return factor
