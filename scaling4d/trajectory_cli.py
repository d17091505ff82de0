"""``python -m scaling4d trajectory``: convert, check and draw camera trajectories."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import FIRST_FRAME_HELP, Given, frame_numbers
from scaling4d.geometry.frame_count import require_frame_count
from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
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
from scaling4d.geometry.trajectory_report import describe

_EXAMPLES = """\
examples:
  python -m scaling4d trajectory convert orbit:yaw=30,ease=in_out path.yaml --pivot-depth 3
  python -m scaling4d trajectory convert colmap:sparse/0 cameras.tum --fps 24
  python -m scaling4d trajectory convert re10k:clip.txt usd:camera.usda --height 480 --width 480
  python -m scaling4d trajectory convert sparse/0 metric.yaml --depth-scale mine.npy metric.npy
  python -m scaling4d trajectory validate path.yaml --pivot-depth 3
  python -m scaling4d trajectory plot spiral:radius=0.5 spiral.png --pivot-depth 3
  python -m scaling4d trajectory formats
"""
_PICTURES = (".png", ".jpg", ".jpeg")


def add_parser(subparsers: Any) -> None:
    """Add the command and its four actions to ``python -m scaling4d``."""
    parser = subparsers.add_parser(
        "trajectory",
        help="convert, validate or plot camera trajectories",
        description="Read a trajectory preset or file, and convert, check or draw it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    convert = _action(actions, "convert", "write the trajectory in another format")
    convert.add_argument(
        "output", metavar="OUTPUT", help="FORMAT:PATH, or a path whose ending tells"
    )
    convert.add_argument("--scale", type=float, help="multiply every length by this factor")
    convert.add_argument(
        "--depth-scale",
        nargs=2,
        type=Path,
        metavar=("MEASURED", "REFERENCE"),
        help="two .npy depth maps of one image, in the trajectory's unit and in the "
        "wanted one; lengths are scaled by their robust ratio",
    )
    convert.add_argument(
        "--drop-intrinsics",
        action="store_true",
        help="leave out a zoom and the input's intrinsics, or replace them with --intrinsics",
    )
    convert.add_argument("--force", action="store_true", help="replace an existing output")
    convert.set_defaults(run=_convert)

    validate = _action(actions, "validate", "read it, and report what it holds")
    validate.set_defaults(run=_validate)

    plot = _action(actions, "plot", "draw it from above and from the side")
    plot.add_argument("output", metavar="PICTURE", type=Path, help=", ".join(_PICTURES))
    plot.add_argument("--force", action="store_true", help="replace an existing output")
    plot.set_defaults(run=_plot)

    formats = actions.add_parser("formats", help="list presets and file formats with conventions")
    formats.set_defaults(run=_formats)


def _action(actions: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=help_text, description=help_text
    )
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
    outside.add_argument("--fps", type=float, help="frames per second")
    outside.add_argument("--camera", help="which camera of a file with several")
    outside.add_argument("--video-frames", type=int, help="frames of the video (SpatialVID)")
    outside.add_argument("--first-frame", type=int, help=FIRST_FRAME_HELP)
    return parser


def given_from(arguments: argparse.Namespace) -> Given:
    """Return the facts from outside the file that the options state.

    Raises:
        ValueError: if they are incomplete, or not finite and positive.
    """
    if (arguments.height is None) != (arguments.width is None):
        raise ValueError("give both --height and --width, or neither")
    for name in ("height", "width", "fps", "video_frames"):
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


def _read(arguments: argparse.Namespace, given: Given) -> tuple[CameraPath | None, Trajectory]:
    """Return the cameras (for pose files) and the trajectory of the input."""
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
        cameras = kind.read(path, given)
        cameras = cameras if frames is None else cameras.resampled(frames, method)
        return cameras, Trajectory.from_cameras(cameras, arguments.mode)
    trajectory = kind.read(path, frames, arguments.pivot_depth)
    if frames is not None and frames != len(trajectory):
        trajectory = trajectory.resampled(frames, method)
    return None, trajectory


def _convert(arguments: argparse.Namespace) -> int:
    name, output = output_format(arguments.output)
    kind = FORMATS[name]
    _refuse_to_replace(output, arguments.force)
    given = given_from(arguments)
    if arguments.drop_intrinsics:
        cameras, trajectory = _read(arguments, dataclasses.replace(given, intrinsics=None))
        cameras = None if cameras is None else cameras.replaced(intrinsics=None)
        trajectory = dataclasses.replace(trajectory, intrinsics=None, focal_scale=None)
    else:
        cameras, trajectory = _read(arguments, given)
    if cameras is not None:
        _require_frame_numbers(arguments, cameras, name)
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
        if isinstance(kind, MotionFormat) and trajectory.intrinsics is not None:
            trajectory = zoom_from_intrinsics(trajectory)
            print("the first camera's lens is taken as the source's; changes are held as a zoom")
        write_trajectory(output, trajectory, name, given)
    print(f"wrote {output} ({name}, {len(trajectory)} frames)")
    return 0


def _require_frame_numbers(arguments: argparse.Namespace, cameras: CameraPath, name: str) -> None:
    """Check that the output ``name`` does not pass key frames off as consecutive frames."""
    source, target = FORMATS[split_name(arguments.input)[0]], FORMATS[name]
    timed = isinstance(target, MotionFormat) or target.timed
    sparse = isinstance(source, PoseFormat) and source.sparse
    if sparse and timed and arguments.video_frames is None:
        raise ValueError(
            f"{arguments.input} holds one pose per key frame, and {name} holds times or frame "
            f"numbers: give --video-frames, the number of frames of the video"
        )
    numbers = frame_numbers(cameras)
    gaps = bool(np.any(np.diff(numbers) != 1))
    consecutive = isinstance(target, MotionFormat) or not (target.timed or target.sparse)
    if consecutive and gaps:
        raise ValueError(
            f"{name} holds every frame, and {arguments.input} has cameras at some, "
            f"{numbers[0]} to {numbers[-1]}: give --frames {numbers[-1] - numbers[0] + 1} for all "
            f"between them"
        )


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


def _validate(arguments: argparse.Namespace) -> int:
    cameras, trajectory = _read(arguments, given_from(arguments))
    name = arguments.input.partition(":")[0]
    if name not in PRESETS:
        name, _ = split_name(arguments.input)
        print(textwrap.fill(f"{name}: {FORMATS[name].convention}", 96, subsequent_indent="  "))
    report = describe(trajectory, cameras)
    print("\n".join(report.lines))
    for warning in report.warnings:
        print(f"warning: {warning}")
    return 0


def _plot(arguments: argparse.Namespace) -> int:
    from scaling4d.geometry.formats.files import write_bytes
    from scaling4d.geometry.plot import plot_cameras

    suffix = arguments.output.suffix.lower()
    if suffix not in _PICTURES:
        raise ValueError(
            f"cannot draw {arguments.output}: end its name in {' or '.join(_PICTURES)}"
        )
    _refuse_to_replace(arguments.output, arguments.force)
    given = given_from(arguments)
    cameras, trajectory = _read(arguments, given)
    world = arguments.mode == "world" or trajectory.mode == "world"
    if cameras is None or not world:
        plain = Trajectory(trajectory.target_from_source, trajectory.intrinsics)
        cameras = plain.cameras(given.matrix(), given.height, given.width)
    image = plot_cameras(cameras, "world" if world else "camera")
    write_bytes(arguments.output, _encoded(image, suffix))
    print(f"wrote {arguments.output}")
    return 0


def _encoded(image: Any, suffix: str) -> bytes:
    import cv2

    return bytes(cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1])


def _formats(arguments: argparse.Namespace) -> int:
    print("presets (amounts: name=default unit):")
    for name, preset in PRESETS.items():
        amounts = ", ".join(f"{key}={a.default:g} {a.unit}" for key, a in preset.amounts.items())
        print(f"  {name:<18}{preset.help}" + (f" [{amounts}]" if amounts else ""))
    print("\nfile formats:")
    for name, kind in FORMATS.items():
        print(
            textwrap.fill(
                kind.convention, 96, initial_indent=f"  {name:<18}", subsequent_indent=" " * 20
            )
        )
    return 0


def _refuse_to_replace(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise ValueError(f"{path} exists: choose another name, or --force to replace it")
