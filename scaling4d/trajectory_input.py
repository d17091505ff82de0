"""What the actions of ``python -m scaling4d trajectory`` read: their input and its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import require_folders_above
from scaling4d.geometry.formats.given import FIRST_FRAME_HELP, Given
from scaling4d.geometry.frame_count import require_frame_count
from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from scaling4d.geometry.trajectory_io import (
    FORMATS,
    PoseFormat,
    split_name,
)


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add the input and the options that say what it does not hold."""
    parser.add_argument(
        "input", metavar="INPUT", help="preset (orbit:yaw=30), FORMAT:PATH, or a path"
    )
    parser.add_argument(
        "--frames",
        type=int,
        help="number of frames (presets; files are resampled to a video of that length)",
    )
    parser.add_argument(
        "--pivot-depth", type=float, help="metres to the point that moves turn about"
    )
    parser.add_argument(
        "--mode",
        choices=("relative", "world"),
        default="relative",
        help="pose files: motion away from the first camera, or poses in the world "
        "of the source's (default: relative)",
    )
    parser.add_argument(
        "--resample",
        choices=("spline", "slerp"),
        default="spline",
        help="how cameras between the given ones are made, with --frames (default: spline)",
    )
    outside = parser.add_argument_group("what a file may not hold")
    outside.add_argument("--height", type=int, help="image height in pixels")
    outside.add_argument("--width", type=int, help="image width in pixels")
    outside.add_argument(
        "--intrinsics", type=float, nargs=4, metavar=("FX", "FY", "CX", "CY"), help="pixels"
    )
    outside.add_argument("--fps", type=float, help="frames per second (places cameras with times)")
    outside.add_argument("--camera", help="which camera of a file with several")
    outside.add_argument("--video-frames", type=int, help="frames of the video (SpatialVID, times)")
    outside.add_argument("--first-frame", type=int, help=FIRST_FRAME_HELP)


def given_from(arguments: argparse.Namespace) -> Given:
    """Return the facts from outside the file that the options state.

    Raises:
        ValueError: if they are incomplete, or not finite and positive.
    """
    if (arguments.height is None) != (arguments.width is None):
        raise ValueError("give both --height and --width, or neither")
    for name in ("height", "width", "fps", "video_frames", "pivot_depth"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < np.inf:
            raise ValueError(f"--{name.replace('_', '-')} must be finite and > 0, got {value}")
    return Given(
        height=arguments.height,
        width=arguments.width,
        intrinsics=None if arguments.intrinsics is None else tuple(arguments.intrinsics),
        fps=arguments.fps,
        camera=arguments.camera,
        video_frames=arguments.video_frames,
        first_frame=arguments.first_frame,
    )


def read_input(
    arguments: argparse.Namespace,
    given: Given,
    place: Callable[[CameraPath], CameraPath] = lambda cameras: cameras,
) -> tuple[CameraPath | None, Trajectory]:
    """Return the cameras (for pose files) and the trajectory of the input.

    ``place`` gives cameras with times their frame numbers, before they are resampled.
    """
    text = arguments.input
    if arguments.frames is not None:
        require_frame_count(arguments.frames, "--frames")
    if text.partition(":")[0] in PRESETS:
        if arguments.frames is None:
            arguments.frames = 49  # the paper's clip length, section 4.1
        preset = parse_trajectory(text, frames=arguments.frames, pivot_depth=arguments.pivot_depth)
        return None, preset
    name, path = split_name(text)
    kind = FORMATS[name]
    frames, method = arguments.frames, arguments.resample
    if isinstance(kind, PoseFormat):
        cameras = place(kind.read(path, given))
        cameras = cameras if frames is None else cameras.resampled(frames, method)
        return cameras, Trajectory.from_cameras(cameras, arguments.mode)
    trajectory = kind.read(path, frames, arguments.pivot_depth)
    if frames is not None and frames != len(trajectory):
        trajectory = trajectory.resampled(frames, method)
    return None, trajectory


def refuse_to_replace(path: Path, force: bool) -> None:
    """Check that an output is new, or may be replaced, and that its folder can be made.

    Raises:
        ValueError: if it may not, or a file stands in the folder's place.
    """
    require_folders_above(path)
    if path.exists() and not force:
        raise ValueError(f"{path} exists: choose another name, or --force to replace it")
