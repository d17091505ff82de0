"""``python -m scaling4d verify``: check the convention of poses against their video."""

from __future__ import annotations

import argparse
import logging
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from scaling4d.geometry.camera_path import TIMES_HELP, CameraPath
from scaling4d.geometry.epipolar import EpipolarReport, check_cameras
from scaling4d.geometry.formats.given import FIRST_FRAME_HELP, Given, frame_numbers
from scaling4d.geometry.trajectory_io import FORMATS, PoseFormat, fit_cameras, split_name

logger = logging.getLogger(__name__)

_EXAMPLES = f"""\
{textwrap.fill(TIMES_HELP[0].upper() + TIMES_HELP[1:], 96)}.

examples:
  python -m scaling4d verify cameras clip.mp4 spatialvid:annotations/clip
  python -m scaling4d verify cameras clip.mp4 re10k:clip.txt
  python -m scaling4d verify cameras clip.mp4 poses.tum --intrinsics 600 600 320 240
exit status: 0 the file's own convention holds, 1 it does not or the video cannot tell, 2 bad input
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to ``python -m scaling4d``."""
    parser = subparsers.add_parser("verify", help="check data against itself")
    checks = parser.add_subparsers(title="checks", metavar="CHECK", required=True)
    cameras = checks.add_parser(
        "cameras",
        help="find out by epipolar residuals how a pose file is to be read",
        description=(
            "Match frames of the video with SIFT and measure how far the matches lie from the "
            "epipolar lines that the poses predict, read as world-to-camera or camera-to-world, "
            "with OpenCV or OpenGL axes. The true reading misses by less than a pixel."
        ),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cameras.add_argument("video", type=Path, help="the video")
    cameras.add_argument("poses", help="FORMAT:PATH, or a path whose format can be told")
    cameras.add_argument(
        "--intrinsics",
        type=float,
        nargs=4,
        metavar=("FX", "FY", "CX", "CY"),
        help="pixels, for files without intrinsics",
    )
    cameras.add_argument("--camera", help="which camera of a file with several")
    cameras.add_argument("--first-frame", type=int, help=FIRST_FRAME_HELP)
    cameras.add_argument("--pairs", type=int, default=8, help="frame pairs to compare (default: 8)")
    cameras.add_argument(
        "--cameras",
        type=int,
        default=24,
        dest="most",
        help="most cameras to look at, evenly chosen (default: 24)",
    )
    cameras.set_defaults(run=_verify_cameras)


def _verify_cameras(arguments: argparse.Namespace) -> int:
    if arguments.pairs < 1 or arguments.most < 2:
        raise ValueError("--pairs must be >= 1 and --cameras >= 2")
    from scaling4d.storage.video import probe_video, read_frames

    info = probe_video(arguments.video)
    name, kind, cameras = _read_cameras(arguments, info.height, info.width, info.frames)
    if len(cameras) > info.frames:  # the video was cut out of that of the poses
        logger.info("%s: taking the first cameras for the video's frames in order", arguments.poses)
        numbers = frame_numbers(cameras)
    else:
        numbers = frame_numbers(cameras.in_video(info.frames, info.fps, arguments.poses))
    inside = np.flatnonzero(numbers < info.frames)
    if len(inside) < 2:
        raise ValueError(
            f"{arguments.poses} holds poses for frames {numbers.min()} to {numbers.max()}, fewer "
            f"than 2 of which are among the video's {info.frames}, from 0: name the number of the "
            f"video's first frame with --first-frame"
        )
    chosen = inside[np.unique(np.linspace(0, len(inside) - 1, arguments.most).round().astype(int))]
    if cameras.intrinsics is None:
        raise ValueError(f"{name} holds no intrinsics: give --intrinsics FX FY CX CY in pixels")
    frames = read_frames(arguments.video, numbers[chosen].tolist())
    report = check_cameras(
        frames,
        kind.matrices(cameras)[chosen],
        cameras.intrinsics[chosen],
        max_pairs=arguments.pairs,
        progress=lambda done, total: logger.info("frame pair %d of %d", done + 1, total),
    )
    return _print_report(report, name, kind.reading)


def _read_cameras(
    arguments: argparse.Namespace, height: int, width: int, frames: int
) -> tuple[str, PoseFormat, CameraPath]:
    name, path = split_name(arguments.poses)
    kind = FORMATS[name]
    if not isinstance(kind, PoseFormat):
        raise ValueError(f"{name} describes a new camera's motion, not the poses of this video")
    intrinsics = None if arguments.intrinsics is None else tuple(arguments.intrinsics)
    given = Given(
        height,
        width,
        intrinsics,
        camera=arguments.camera,
        video_frames=frames,
        first_frame=arguments.first_frame,
    )
    return name, kind, fit_cameras(kind.read(path, given), height, width)


def _print_report(report: EpipolarReport, name: str, own: str) -> int:
    """Print the table and the verdict on the reading that the format names its own."""
    print(f"{report.matches} matches in {len(report.pairs)} frame pairs")
    print("the matrices of the file taken as   median distance from the epipolar line")
    for result in report.residuals:
        mark = "  <- holds" if result in report.consistent else ""
        print(f"  {result.name:<34}{result.median_px:8.3f} px{mark}")
    holding = [result.name for result in report.consistent]
    if holding == [own]:
        print(f"confirmed: the poses are {own}, as {name} has them")
        return 0
    if not holding:
        print(
            f"refuted: no reading comes below {report.limit_px:.2f} px; other poses or intrinsics?"
        )
    elif own in holding:
        print("undecided: the camera turns too little to tell these readings apart")
    else:
        print(f"refuted: {name} should be {own}, but this file is {' or '.join(holding)}")
    return 1
