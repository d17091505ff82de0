"""``python -m scaling4d trajectory``: convert, check and draw camera trajectories."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import FORMATS, split_name
from scaling4d.geometry.trajectory_report import describe
from scaling4d.trajectory_convert_cli import convert
from scaling4d.trajectory_input import add_input, given_from, read_input, refuse_to_replace

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

    converter = _action(actions, "convert", "write the trajectory in another format")
    converter.add_argument(
        "output", metavar="OUTPUT", help="FORMAT:PATH, or a path whose ending tells"
    )
    converter.add_argument("--scale", type=float, help="multiply every length by this factor")
    converter.add_argument(
        "--depth-scale",
        nargs=2,
        type=Path,
        metavar=("MEASURED", "REFERENCE"),
        help="two .npy depth maps of one image, in the trajectory's unit and in the "
        "wanted one; lengths are scaled by their robust ratio",
    )
    converter.add_argument(
        "--drop-intrinsics",
        action="store_true",
        help="leave out a zoom and the input's intrinsics, or replace them with --intrinsics",
    )
    converter.add_argument("--force", action="store_true", help="replace an existing output")
    converter.set_defaults(run=convert)

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
    add_input(parser)
    return parser


def _validate(arguments: argparse.Namespace) -> int:
    cameras, trajectory = read_input(arguments, given_from(arguments))
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
    refuse_to_replace(arguments.output, arguments.force)
    given = given_from(arguments)
    cameras, trajectory = read_input(arguments, given)
    world = trajectory.mode == "world"  # what is relative stands in the axes of a camera
    if cameras is None or not world:
        size = (given.height, given.width) if cameras is None else (cameras.height, cameras.width)
        zoom = None if given.intrinsics is None else trajectory.focal_scale
        plain = Trajectory(trajectory.target_from_source, trajectory.intrinsics, zoom)
        cameras = plain.cameras(given.matrix(), *size)
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
