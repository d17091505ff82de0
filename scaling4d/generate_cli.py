"""``python -m scaling4d generate``: the command line of `scaling4d.generate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  an orbit of 20 degrees around what the camera looks at, depth from a file:
    python -m scaling4d generate clip.mp4 orbit:yaw=20 --model out/model \\
        --depth depth.npz -o new.mp4
  a pan, which needs no depth, at 17 frames of 128 x 128:
    python -m scaling4d generate clip.mp4 pan:angle=8 --model out/model --depth infinity \\
        --frames 17 --size 128 128 -o new.mp4
  the cameras of another tool's file, everything saved into a folder:
    python -m scaling4d generate clip.mp4 re10k:cameras.txt --model out/model -o folder/

A file of cameras holds one for each frame made or for each of the video's, in order, or key frames
at frame numbers or times (seconds) of the video, between which cameras are interpolated.
"""


def add_parser(subparsers: Any) -> None:
    """Add ``generate`` to the command line."""
    parser = subparsers.add_parser(
        "generate",
        help="make the novel view of a video",
        description="Render a video from a new camera path with a trained model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("video", type=Path, help="source video")
    parser.add_argument("trajectory", help="preset with amounts, or a file of camera poses")
    parser.add_argument("-o", "--out", type=Path, required=True, help=".mp4, or a folder for all")
    parser.add_argument("--model", type=Path, required=True, help="folder OUT/model of a training")
    parser.add_argument(
        "--depth",
        help="depth of the source: .npy, .npz, folder of .exr or scene .h5, 'infinity', or "
        "transformers:MODEL "
        "(default: metric Depth Anything V2 from the hub)",
    )
    parser.add_argument("--intrinsics", type=Path, help=".npy of (3, 3) or (T, 3, 3), pixels")
    parser.add_argument("--poses", type=Path, help=".npy of (T, 4, 4) world_from_source, OpenCV")
    parser.add_argument("--pivot-depth", type=float, help="metres to what presets turn about")
    parser.add_argument("--camera", help="which camera of a TRAJECTORY file with several")
    parser.add_argument("--prompt", default="", help="what the scene shows")
    parser.add_argument("--frames", type=int, help="frames to make (default: up to 49)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frame-step", type=int, default=1, help="take every n-th frame")
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    parser.add_argument("--text-guidance", type=float, default=1.0, help="1 is none")
    parser.add_argument("--control-guidance", type=float, default=1.0, help="1 is none")
    parser.add_argument("--footprint", type=int, choices=(1, 2), default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backbone", help="where the foundation model's weights are now")
    parser.add_argument("--device", help="cpu, cuda, ... (default: cuda if there is one)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Generate, save, and print where."""
    out: Path = arguments.out
    occupied = any(out.iterdir()) if out.is_dir() else out.exists()
    if occupied and not arguments.overwrite:
        raise ValueError(f"{out} exists already: choose another --out or add --overwrite")
    if out.suffix and out.suffix.lower() != ".mp4":
        raise ValueError(f"--out must be an .mp4 file or a folder, got {out}")
    if not arguments.video.is_file():
        raise ValueError(f"no video at {arguments.video}")

    from scaling4d.geometry.formats.files import read_npy
    from scaling4d.inference.generate import generate

    def load(path: Path | None, what: str) -> Any:
        return None if path is None else read_npy(path, what)

    result = generate(
        arguments.video,
        arguments.trajectory,
        model=arguments.model,
        depth=arguments.depth,
        intrinsics=load(arguments.intrinsics, "intrinsics"),
        world_from_source=load(arguments.poses, "camera poses"),
        pivot_depth=arguments.pivot_depth,
        camera=arguments.camera,
        prompt=arguments.prompt,
        frames=arguments.frames,
        size=None if arguments.size is None else (arguments.size[0], arguments.size[1]),
        frame_step=arguments.frame_step,
        steps=arguments.steps,
        text_guidance=arguments.text_guidance,
        control_guidance=arguments.control_guidance,
        footprint=arguments.footprint,
        seed=arguments.seed,
        backbone=arguments.backbone,
        device=arguments.device,
    )
    saved = result.save(out) if out.suffix else result.save_all(out)
    print(f"{saved}: {len(result.frames)} frames, {result.mask.mean():.0%} of the pixels warped")
    return 0
