"""Flow estimators: speed, error on an analytic static scene, consistency on real clips.

Where a GPU is visible RAFT alone is measured, into a record of its own (``flow_gpu``).

RAFT runs with random weights unless files are given: its speed is then right and its error is not
reported. The fastest setting counts only if its flow stays within 0.05 px, in the mean, of fp32.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scaling4d.estimators import make_flow_estimator
from scaling4d.estimators.long_range import VideoFlow
from tests import scenes
from tests.benchmarks import record

PAPER_EPE = 1.18  # section 4.4
AGREEMENT = 0.05  # mean pixels between a faster setting and fp32


def analytic_pairs(height: int, width: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Frames of a static room, exact displacement from each to the next, and what is visible."""
    camera = scenes.default_camera(height, width)
    cameras = camera.orbit(3, yaw=2.0, pivot=(0, 3, 0))
    scene = scenes.room()
    frames = np.stack([scene.rgb(0.0, c, 2) for c in cameras])
    truth = [scene.correspondence(0.0, a, 0.0, b) for a, b in itertools.pairwise(cameras)]
    exact = np.stack([t.displacement for t in truth])
    return torch.from_numpy(frames).permute(0, 3, 1, 2), exact, np.stack([t.visible for t in truth])


def real_clips(quick: bool) -> dict[str, torch.Tensor]:
    """A few frames of each real clip of the test data, two apart; none where it is absent."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SCALING4D_TEST_DATA", default)) / "video"
    clips = {}
    from scaling4d.storage.video import read_video  # PyAV is not wherever a GPU is

    for path in sorted(folder.glob("*.mp4"))[: 1 if quick else None]:
        frames = read_video(path, frames=9, step=2).frames
        video = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        size = (round(320 * video.shape[2] / video.shape[3]), 320)
        small = torch.nn.functional.interpolate(video.float(), size, mode="area")
        clips[path.stem] = small.round().to(torch.uint8)
    return clips


def bench_dis(report: record.Report, quick: bool) -> None:
    """DIS on a scene with an exact answer, and on real clips."""
    side = 128 if quick else 480
    video, exact, visible = analytic_pairs(side, side)
    settings = {"size": f"{side}x{side}"}
    for preset in ("ultrafast", "fast", "medium"):
        estimator = make_flow_estimator("dis", preset=preset)
        timing = record.measure(lambda e=estimator: e(video[:1], video[1:2]), repeats=5)
        report.add(f"DIS {preset}", 1 / timing.median, "pairs/s", **settings)
        flow = estimator(video[:-1], video[1:]).permute(0, 2, 3, 1).numpy()
        error = np.linalg.norm(flow - exact, axis=-1)[visible].mean()
        report.add(f"DIS {preset}: EPE on a rendered static room", error, "px", **settings)
    report.add("paper, RAFT: EPE on 100 static real videos", PAPER_EPE, "px")

    for name, clip in real_clips(quick).items():
        flow = VideoFlow(clip, make_flow_estimator("dis"))
        for gap, method in ((1, "direct"), (8, "direct"), (8, "hybrid")):
            found = flow([0], [gap], method)
            about = {"clip": name, "frames apart": 2 * gap, "method": method}
            share = found.valid_share().item()
            report.add("DIS: share consistent forward and backward", share, "", **about)


def raft_modes(device: str, compiled: bool) -> dict[str, dict[str, Any]]:
    """Settings of RAFT by name; the first is the reference."""
    modes: dict[str, dict[str, Any]] = {"fp32": {}}
    if device == "cuda":
        modes |= {"tf32": {}, "mixed precision": {"mixed_precision": True}}
    if compiled:
        for name, extra in list(modes.items())[1 if device == "cuda" else 0 :]:
            modes[f"compiled, {name}"] = {**extra, "compile_model": True}
    return modes


def bench_raft(report: record.Report, quick: bool, *, sizes: Sequence[str], compiled: bool) -> None:
    """RAFT's speed by setting and, with weights, its error and distance from fp32."""
    side = 128 if quick else 480
    video, exact, visible = analytic_pairs(side, side)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    wait = torch.cuda.synchronize if device == "cuda" else None
    batch = 8 if device == "cuda" else 1
    settings = {"size": f"{side}x{side}", "device": device, "batch": batch}
    first = video[:1].expand(batch, -1, -1, -1).to(device)
    second = video[1:2].expand(batch, -1, -1, -1).to(device)
    for size in sizes:
        weights = os.environ.get(f"RAFT_{size.upper()}_WEIGHTS", "random")
        options = {"weights": weights, "device": device, "batch_size": batch}
        reference = None
        for mode, extra in raft_modes(device, compiled).items():
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = "tf32" in mode
            estimator = make_flow_estimator(f"raft_{size}", **options, **extra)
            timing = record.measure(
                lambda e=estimator: e(first, second),
                repeats=9 if device == "cuda" else 1,
                warmup=2 if device == "cuda" else 0,
                synchronize=wait,
            )
            rates = record.Timing(tuple(batch / seconds for seconds in timing.samples))
            report.add(f"RAFT {size}, {mode}", rates, "pairs/s", **settings)
            if weights == "random":
                continue
            flow = estimator(first[:1], second[:1]).cpu()
            reference = flow if reference is None else reference
            apart = (flow - reference).norm(dim=1).mean().item()
            verdict = "agrees" if apart < AGREEMENT else "does not agree"
            report.add(f"RAFT {size}, {mode}: from fp32 ({verdict})", apart, "px", **settings)
            error = np.linalg.norm(flow[0].permute(1, 2, 0).numpy() - exact[0], axis=-1)
            report.add(f"RAFT {size}, {mode}: EPE", error[visible[0]].mean(), "px", **settings)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sizes", nargs="*", choices=["small", "large"], default=["small", "large"]
    )
    parser.add_argument("--compile", action="store_true", help="RAFT under torch.compile too")


def main(argv: Sequence[str] | None = None) -> int:
    cuda = torch.cuda.is_available()
    name = "flow_gpu" if cuda else "flow"
    arguments = record.parse_arguments(name, __doc__, argv, add=_add_options)
    report = record.Report(arguments.name, arguments)
    if not cuda:
        bench_dis(report, arguments.quick)
    bench_raft(report, arguments.quick, sizes=arguments.sizes, compiled=arguments.compile)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
