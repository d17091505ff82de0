"""``python -m scaling4d gap``: the training-inference gap of section 4.4 on static clips."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import logging
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling4d.geometry.camera_path import TIMES_HELP
from scaling4d.geometry.formats.given import FIRST_FRAME_HELP

if TYPE_CHECKING:
    from scaling4d.estimators.base import FlowEstimator
    from scaling4d.evaluation.correspondence_gap import ClipGap

logger = logging.getLogger(__name__)

_SCALES_AGREE = 0.03
"""Two scales agree if they differ by less than this share; flow is no better."""

EPILOG = f"""\
The clips must show static scenes through a moving camera: frame i is compared with frame
i + stride, once by optical flow and once by depth and cameras.

examples:
  python -m scaling4d gap scenes/*.h5 --estimator dis --stride 2
  python -m scaling4d gap scenes/*.h5 --estimator raft_large --weights raft.pth --json gap.json
  python -m scaling4d gap walk.mp4 --depth walk_depth.npz --cameras colmap:walk/sparse

--depth is a .npy, .npz or folder of .exr (see scaling4d.estimators.depth_files.read_depth);
--cameras is FORMAT:PATH of any pose file (see `python -m scaling4d trajectory formats`); cameras
between key frames are interpolated, and intrinsics may come from the depth file instead;
{textwrap.fill(TIMES_HELP, 96)}.

Cameras and depth must share a unit of length. --scale multiplies the cameras' translations, and
"--scale auto" takes the factor that flow, depth and cameras agree on, one for the whole clip. The
table says which was used; a warning names the measured one where it is another.
"""


def add_parser(subparsers: Any) -> None:
    """Add the ``gap`` command."""
    parser = subparsers.add_parser(
        "gap",
        help="measure the gap between flow-based and depth-based correspondence (section 4.4)",
        description="EPE, vec-corr, TV1, LapE and Temp over co-visible pixels, in pixels.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clips", nargs="+", type=Path, help="scene files (.h5), or one video")
    parser.add_argument("--depth", type=Path, help="depth of the video")
    parser.add_argument("--cameras", help="cameras of the video: FORMAT:PATH, or a path that tells")
    parser.add_argument(
        "--camera",
        help="camera of the scene files (default: the first), or of --cameras with several",
    )
    parser.add_argument("--stride", type=int, default=1, help="frames from source to target (1)")
    parser.add_argument("--frames", type=int, default=49, help="frames read of each clip (49)")
    parser.add_argument(
        "--estimator", default="dis", help="dis, raft_large, raft_small, precomputed"
    )
    parser.add_argument("--weights", help="RAFT weights: a file, or hub (default)")
    parser.add_argument("--flow-folder", type=Path, help="folder of the precomputed estimator")
    parser.add_argument("--method", default="direct", help="direct, chain or hybrid")
    parser.add_argument(
        "--scale", default=None, help="factor from the cameras' unit to the depth's, or auto (1)"
    )
    parser.add_argument(
        "--intrinsics", type=float, nargs=4, metavar=("FX", "FY", "CX", "CY"),
        help="pixels of the video, where neither cameras nor depth hold them",
    )  # fmt: skip
    parser.add_argument("--device", help="where RAFT runs (cpu)")
    parser.add_argument("--first-frame", type=int, help=FIRST_FRAME_HELP)
    parser.add_argument("--json", type=Path, help="write the reports to this file as well")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every clip, print a table, and write the reports if asked."""
    from scaling4d.evaluation.correspondence_gap import average, markdown_table
    from scaling4d.storage.atomic import write_text_atomic

    if arguments.stride < 1 or arguments.frames <= arguments.stride:
        raise ValueError(
            f"--stride must be at least 1 and less than --frames, got {arguments.stride} and "
            f"{arguments.frames}"
        )
    estimator = _estimator(arguments)
    rows, scales = [], {}
    for name, clip in _named(arguments.clips).items():
        gap = _measure(clip, estimator, arguments)
        rows.append((name, gap.report))
        scales[name] = {"scale": gap.scale, "measured_scale": gap.measured_scale}
        print(f"{name}: cameras' translations x {gap.scale:.4g}, measured {gap.measured_scale:.4g}")
        if abs(math.log(gap.measured_scale / gap.scale)) > _SCALES_AGREE:
            logger.warning(
                "%s: flow says that the cameras' unit is %.4g of the depth's, not %.4g: the gap "
                "below holds that error too (--scale auto, or --scale %.4g)",
                name, gap.measured_scale, gap.scale, gap.measured_scale,
            )  # fmt: skip
    if len(rows) > 1:
        rows.append(("mean", average([report for _, report in rows])))
    print(markdown_table(rows))
    if arguments.json is not None:
        document = {
            "estimator": estimator.name,
            "method": arguments.method,
            "stride": arguments.stride,
            "clips": {name: report.as_dict() | scales.get(name, {}) for name, report in rows},
        }
        text = json.dumps(_without_nan(document), indent=2, allow_nan=False)
        write_text_atomic(arguments.json, text + "\n")
    return 0


def _named(clips: Sequence[Path]) -> dict[str, Path]:
    """Clips by the shortest end of their path that tells them apart.

    Raises:
        ValueError: if one is given twice.
    """
    if len(set(clips)) != len(clips):
        raise ValueError(f"a clip is given twice: {', '.join(map(str, clips))}")
    for parts in itertools.count(1):
        names = [Path(*clip.with_suffix("").parts[-parts:]).as_posix() for clip in clips]
        if len(set(names)) == len(names):
            return dict(zip(names, clips, strict=True))
        if parts > max(len(clip.parts) for clip in clips):  # a.h5 and a.hdf5
            return {str(clip): clip for clip in clips}
    raise AssertionError("unreachable")


def _without_nan(value: Any) -> Any:
    """The value with null where a number is NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _estimator(arguments: argparse.Namespace) -> FlowEstimator:
    from scaling4d.estimators import make_flow_estimator

    options: dict[str, Any] = {}
    if arguments.weights is not None:
        options["weights"] = arguments.weights
    if arguments.flow_folder is not None:
        options["folder"] = arguments.flow_folder
    if arguments.device is not None:
        if not arguments.estimator.startswith("raft"):
            raise ValueError(f"--device is for RAFT; {arguments.estimator} runs on the CPU")
        options["device"] = arguments.device
    return make_flow_estimator(arguments.estimator, **options)


def _measure(clip: Path, estimator: FlowEstimator, arguments: argparse.Namespace) -> ClipGap:
    from scaling4d.evaluation.correspondence_gap import clip_gap

    rgb, depth, intrinsics, poses = (
        _from_video(clip, arguments) if arguments.depth else _from_scene(clip, arguments)
    )
    sources = range(len(rgb) - arguments.stride)
    if not sources:
        raise ValueError(f"{clip} has {len(rgb)} frames, too few for --stride {arguments.stride}")
    targets = [source + arguments.stride for source in sources]
    return clip_gap(
        rgb,
        depth,
        intrinsics,
        poses,
        estimator,
        sources=sources,
        targets=targets,
        method=arguments.method,
        scale=_scale(arguments.scale),
    )


def _scale(text: str | None) -> float | None:
    if text is None or text == "auto":
        return None if text else 1.0
    with contextlib.suppress(ValueError):
        if 0.0 < float(text) < math.inf:
            return float(text)
    raise ValueError(f"--scale must be a number > 0 or auto, got {text!r}")


def _from_scene(clip: Path, arguments: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    from scaling4d.storage.scene_file import open_scene

    if arguments.intrinsics is not None:
        raise ValueError("--intrinsics belong to a video: scene files hold their own")
    if clip.suffix not in (".h5", ".hdf5"):
        raise ValueError(f"{clip} is no scene file (.h5): give --depth and --cameras with a video")
    with open_scene(clip) as scene:
        camera = arguments.camera or scene.camera_names[0]
        part = slice(0, min(arguments.frames, scene.frames))
        return (
            scene.rgb(camera, part),
            scene.depth(camera, part),
            scene.intrinsics(camera)[part],
            scene.world_from_camera(camera)[part],
        )


def _from_video(clip: Path, arguments: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    from scaling4d.estimators.depth_files import read_depth
    from scaling4d.geometry.formats.given import Given, frame_numbers
    from scaling4d.geometry.trajectory_io import fit_cameras, read_cameras, split_name
    from scaling4d.storage.video import probe_video, read_video

    if arguments.cameras is None or len(arguments.clips) > 1:
        raise ValueError("--depth describes one video: give that video and --cameras")
    info = probe_video(clip)
    count = min(arguments.frames, info.frames)
    estimate = read_depth(arguments.depth)
    if estimate.kind != "metric" and arguments.scale is None:
        raise ValueError(
            f"{arguments.depth} holds {estimate.kind} depth, in a unit of its own: add --scale "
            "auto, or --scale FACTOR from the cameras' unit to the depth's"
        )
    depth = estimate.depth.numpy()
    if len(depth) < count or depth.shape[1:] != (info.height, info.width):
        raise ValueError(
            f"{arguments.depth} holds {len(depth)} frames of {depth.shape[1:]} and the video "
            f"{count} of {(info.height, info.width)}: both must show the same frames"
        )
    name, path = split_name(arguments.cameras)
    own = estimate.intrinsics
    if own is not None and arguments.intrinsics is not None:
        raise ValueError(
            f"{arguments.depth} holds its own intrinsics: leave --intrinsics out, or take them out "
            "of that file"
        )
    intrinsics = None if arguments.intrinsics is None else tuple(arguments.intrinsics)
    given = Given(
        info.height,
        info.width,
        intrinsics,
        camera=arguments.camera,
        video_frames=info.frames,
        first_frame=arguments.first_frame,
    )
    cameras = fit_cameras(read_cameras(path, name, given), info.height, info.width)
    cameras = cameras.in_video(info.frames, info.fps, arguments.cameras)
    numbers = frame_numbers(cameras)
    if numbers[0] > 0 or numbers[-1] < count - 1:
        raise ValueError(
            f"{arguments.cameras} holds cameras for frames {numbers[0]} to {numbers[-1]} of the "
            f"video, and {count} from the first on are compared: cut the video, or give --frames, "
            f"or --first-frame if the video's first frame has another number than 0 there"
        )
    cameras = cameras.at_frames(range(count))
    matrices = cameras.intrinsics
    if matrices is None:
        if own is None:
            raise ValueError(
                f"neither {arguments.depth} nor {arguments.cameras} holds intrinsics: add "
                "--intrinsics FX FY CX CY"
            )
        matrices = own.numpy()[:count]
    rgb = read_video(clip, frames=count).frames
    return rgb, depth[:count], matrices, cameras.world_from_camera
