"""Rooms and cameras: seconds to furnish a room, to plan and prove its cameras, to re-check a proof.

Run with OPENBLAS_NUM_THREADS=1 for the promise of issue 5: planning under 0.3 s on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from houdini_pdg.camera_path.config import TrajectoryConfig
from houdini_pdg.camera_path.path import verify_camera
from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import generate_layout
from tests.benchmarks import record
from tests.houdini_pdg.camera_path.sweep import CLIP, plan_room


def timed(function: Callable[[int], object], seeds: range) -> record.Timing:
    """Seconds of one call per seed."""
    samples = []
    for seed in seeds:
        started = time.perf_counter()
        function(seed)
        samples.append(time.perf_counter() - started)
    return record.Timing(tuple(samples))


def main(argv: Sequence[str] | None = None) -> int:
    arguments = record.parse_arguments("camera_path", __doc__, argv)
    report = record.Report("camera_path", arguments)
    seeds = range(5 if arguments.quick else 100)
    plan_room(0)
    furnish = timed(lambda seed: generate_layout(LayoutConfig(), seed), seeds)
    report.add("furnish a room", furnish, "s", rooms=len(seeds))
    for cameras in (1, 4):
        whole = timed(lambda seed, n=cameras: plan_room(seed, cameras=n), seeds)
        planning = [w - f for w, f in zip(whole.samples, furnish.samples, strict=True)]
        timing = record.Timing(tuple(planning))
        report.add("place people, plan and prove", timing, "s", cameras=cameras, frames=CLIP.frames)
    planned = [plan_room(seed) for seed in seeds]
    checks = [
        (path.to_json(CLIP.times, CLIP.height, CLIP.width), layout, characters)
        for layout, characters, paths in planned
        for path in paths
    ]
    asked = TrajectoryConfig()
    verify = timed(lambda i: verify_camera(*checks[i], CLIP, asked), range(len(checks)))
    report.add("re-check one certificate", verify, "s", frames=CLIP.frames)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
