"""Depth to warped video and mask: speed against the peers' soft splat, memory, growth.

Every figure comes from the same run. Where a GPU is visible it alone is measured, into a record of
its own (``warp_gpu``); the floor is the bytes that must move divided by the copy bandwidth measured
there, host work included in the times (and the kernels' own time beside them). The z-buffer of keys
moves too: filled, updated, read.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from scaling4d.correspondence.warp import Warp, render_from_depth, warp_from_depth
from tests.benchmarks import record
from tests.benchmarks.baseline_soft_splat import Adding, soft_splat_video


def clip(frames: int, height: int, width: int, device: str = "cpu") -> tuple[Any, ...]:
    """A noisy wall with a nearer block, and a camera that moves to the side and forward."""
    generator = torch.Generator().manual_seed(0)
    source = torch.rand(frames, 3, height, width, generator=generator) * 2 - 1
    depth = 8 + 0.1 * torch.rand(frames, height, width, generator=generator)
    depth[:, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] -= 5
    k = np.array([[0.9 * width, 0, width / 2], [0, 0.9 * width, height / 2], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, 3] = 0.2, 0.1, -0.3
    return source.to(device), depth.to(device), k, k, pose


def tensors(warp: Warp) -> list[torch.Tensor]:
    field = warp.field
    assert field.target_depth is not None
    return [field.displacement, field.target_depth, warp.winner, warp.warped, warp.mask]


def size(*all_tensors: torch.Tensor) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in all_tensors)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak_resident(function: Callable[[], Any]) -> tuple[int, Any]:
    """Highest growth of the resident memory during a call, sampled every millisecond."""
    before, peak, done = resident_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident_bytes() - before)
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = function()
    done.set()
    watcher.join()
    return max(peak, resident_bytes() - before), result


def bench_cpu(report: record.Report, quick: bool) -> None:
    frames, side = (5, 128) if quick else (49, 480)
    repeats = 3 if quick else 15
    inputs = clip(frames, side, side)
    about = {"frames": frames, "size": f"{side}x{side}", "threads": torch.get_num_threads()}
    per_frame, unit = 1e3 / frames, "ms/frame"

    # What the baseline computes, and nothing else: the warped video and its mask, in new memory.
    ours = {}
    for rule in ("nearest", "random"):
        ours[rule] = record.measure(
            lambda r=rule: render_from_depth(*inputs, rule=r), repeats=repeats
        )
        report.add(f"depth to video and mask, {rule}", ours[rule].scaled(per_frame), unit, **about)
    last_pictures = render_from_depth(*inputs)
    again = record.measure(lambda: render_from_depth(*inputs, out=last_pictures), repeats=repeats)
    report.add("depth to video and mask, memory reused", again.scaled(per_frame), unit, **about)
    wide = record.measure(lambda: render_from_depth(*inputs, footprint=2), repeats=3)
    report.add("depth to video and mask, 2x2 footprint", wide.scaled(per_frame), unit, **about)

    # The same with the field and the winners, which the control of a network needs.
    last = warp_from_depth(*inputs)
    fresh = record.measure(lambda: warp_from_depth(*inputs), repeats=repeats)
    report.add("with field and winners", fresh.scaled(per_frame), unit, **about)
    reused = record.measure(lambda: warp_from_depth(*inputs, out=last), repeats=repeats)
    report.add("with field and winners, memory reused", reused.scaled(per_frame), unit, **about)
    plain = record.measure(
        lambda: warp_from_depth(*inputs, implementation="reference"), repeats=3, warmup=1
    )
    report.add("with field and winners, torch reference", plain.scaled(per_frame), unit, **about)

    matrices = [torch.from_numpy(m).float() for m in inputs[2:]]
    for adding in get_args(Adding):
        soft = record.measure(
            lambda a=adding: soft_splat_video(*inputs[:2], *matrices, a), repeats=5, warmup=1
        )
        baseline = f"baseline: bilinear soft splat in torch ({adding})"
        report.add(baseline, soft.scaled(per_frame), unit, **about)
        for name, timing in {
            "depth to video and mask": ours["nearest"],
            "depth to video and mask, memory reused": again,
            "with field and winners": fresh,
            "with field and winners, memory reused": reused,
        }.items():
            ratio = soft.median / timing.median
            report.add(f"baseline ({adding}) / {name}", ratio, "times", **about)

    moved = size(*inputs[:2]) + size(*tensors(last))
    block = torch.empty(moved // 2, dtype=torch.uint8)
    other = torch.ones_like(block)
    copied = record.measure(lambda: block.copy_(other), repeats=repeats)
    report.add("copy of all those bytes (floor)", copied.scaled(per_frame), unit, **about)

    peak, warp = peak_resident(lambda: warp_from_depth(*inputs))
    extra = max(0, peak - size(*tensors(warp)))
    report.add("peak extra memory / (inputs + outputs)", extra / moved, "times", **about)


def bench_growth(report: record.Report, quick: bool) -> None:
    sizes = [(5, 64), (10, 64), (5, 128)] if quick else [
        (49, 480), (98, 480), (196, 480), (490, 480), (49, 240), (49, 720), (49, 960)
    ]  # fmt: skip
    for frames, side in sizes:
        inputs = clip(frames, side, side)
        last = warp_from_depth(*inputs)
        timing = record.measure(lambda i=inputs, w=last: warp_from_depth(*i, out=w), repeats=3)
        nanoseconds = timing.scaled(1e9 / (frames * side * side))
        report.add("growth", nanoseconds, "ns/pixel", frames=frames, size=f"{side}x{side}")


def bench_gpu(report: record.Report, quick: bool) -> None:
    wait = torch.cuda.synchronize
    sizes = [(5, 128)] if quick else [(49, 480), (490, 480), (49, 960)]
    for frames, side in sizes:
        inputs = clip(frames, side, side, "cuda")
        settings = {"frames": frames, "size": f"{side}x{side}"}
        outputs = tensors(warp_from_depth(*inputs))
        pictures, keys = outputs[-2:], 4 * 8 * outputs[2].numel()  # filled, read, written, read
        for name, function, written in (
            ("Triton, video and mask", render_from_depth, pictures),
            ("Triton, with field and winners", warp_from_depth, outputs),
        ):
            needed = size(*inputs[:2], *written)
            block = torch.empty((needed + keys) // 2, dtype=torch.uint8, device="cuda")
            other = torch.randint_like(block, 256)
            copied = record.measure(
                lambda b=block, o=other: b.copy_(o), repeats=30, warmup=5, synchronize=wait
            )
            report.add(f"{name}: floor, a copy of its bytes", copied.scaled(1e3), "ms", **settings)
            for rule in ("nearest", "random"):
                timing = record.measure(
                    lambda f=function, r=rule, i=inputs: f(*i, rule=r),
                    repeats=30,
                    warmup=5,
                    synchronize=wait,
                )
                report.add(f"{name}, {rule}", timing.scaled(1e3), "ms", **settings)
                report.add(f"{name}, {rule} / floor", timing.median / copied.median, "times")
                kernels = on_the_gpu(lambda f=function, r=rule, i=inputs: f(*i, rule=r))
                report.add(f"{name}, {rule}: kernels alone", kernels, "ms", **settings)
                bare = copied.median * needed / (needed + keys)
                report.add(f"{name}, {rule} / floor without keys", timing.median / bare, "times")


def on_the_gpu(function: Callable[[], Any]) -> float:
    """Milliseconds of GPU work in a call, summed over its kernels, fills and copies."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    calls = 5
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(calls):
            function()
        torch.cuda.synchronize()
    return sum(event.self_device_time_total for event in profile.key_averages()) / 1e3 / calls


def main(argv: Sequence[str] | None = None) -> int:
    cuda = torch.cuda.is_available()
    arguments = record.parse_arguments("warp_gpu" if cuda else "warp", __doc__, argv)
    report = record.Report(arguments.name, arguments)
    if cuda:
        bench_gpu(report, arguments.quick)
        return report.finish()
    bench_cpu(report, arguments.quick)
    bench_growth(report, arguments.quick)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
