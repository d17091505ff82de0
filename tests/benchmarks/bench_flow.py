"""Flow estimators: frames per second, and error on an analytic static scene.

RAFT runs with random weights unless files are given: its speed is then right and its error is not
reported. The fastest setting counts only if its flow stays within 0.05 px, in the mean, of fp32.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence

import numpy as np
import torch

from scaling4d.estimators import make_flow_estimator
from tests import scenes
from tests.benchmarks import record

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


def main(argv: Sequence[str] | None = None) -> int:
    arguments = record.parse_arguments("flow", __doc__, argv)
    report = record.Report("flow", arguments)
    side = 128 if arguments.quick else 480
    video, exact, visible = analytic_pairs(side, side)
    settings = {"size": f"{side}x{side}"}
    for preset in ("ultrafast", "fast", "medium"):
        estimator = make_flow_estimator("dis", preset=preset)
        timing = record.measure(lambda e=estimator: e(video[:1], video[1:2]), repeats=5)
        report.add(f"DIS {preset}", 1 / timing.median, "pairs/s", **settings)
        flow = estimator(video[:-1], video[1:]).permute(0, 2, 3, 1).numpy()
        error = np.linalg.norm(flow - exact, axis=-1)[visible].mean()
        report.add(f"DIS {preset}: EPE on a rendered static room", error, "px", **settings)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    wait = torch.cuda.synchronize if device == "cuda" else None
    batch = 8 if device == "cuda" else 1
    first = video[:1].expand(batch, -1, -1, -1).to(device)
    second = video[1:2].expand(batch, -1, -1, -1).to(device)
    for size in ("small", "large"):
        weights = os.environ.get(f"RAFT_{size.upper()}_WEIGHTS", "random")
        options = {"weights": weights, "device": device, "batch_size": batch}
        modes = {"fp32": {}, "mixed precision": {"mixed_precision": True}}
        if device == "cuda":
            modes["compiled, mixed precision"] = {"mixed_precision": True, "compile_model": True}
        reference = None
        for mode, extra in modes.items():
            estimator = make_flow_estimator(f"raft_{size}", **options, **extra)
            timing = record.measure(
                lambda e=estimator: e(first, second),
                repeats=1 if arguments.quick else 3,
                warmup=1 if device == "cuda" else 0,
                synchronize=wait,
            )
            report.add(
                f"RAFT {size}, {mode}", batch / timing.median, "pairs/s", device=device, **settings
            )
            if weights == "random":
                continue
            flow = estimator(first[:1], second[:1]).cpu()
            reference = flow if reference is None else reference
            apart = (flow - reference).norm(dim=1).mean().item()
            verdict = "agrees" if apart < AGREEMENT else "does not agree"
            report.add(f"RAFT {size}, {mode}: from fp32 ({verdict})", apart, "px", **settings)
            error = np.linalg.norm(flow[0].permute(1, 2, 0).numpy() - exact[0], axis=-1)
            report.add(f"RAFT {size}, {mode}: EPE", error[visible[0]].mean(), "px", **settings)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
