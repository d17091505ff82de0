"""Training pairs per second by source: first visit (decode, flow, checks) and from the caches."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scaling4d.data.clip_pairs import ClipPairConfig
from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.mixture import Mix, MixtureSampler
from scaling4d.data.pairs import PairSource
from scaling4d.data.real_pairs import FlowConfig
from scaling4d.data.sources import DataConfig, open_source
from tests.benchmarks import record
from tests.data.samples import write_sample_scene, write_sample_video


def timings(source: PairSource, draws: int) -> tuple[list[float], list[float]]:
    """Seconds of each pair the first time, and when everything about it is in the cache."""
    sampler = MixtureSampler(Mix.parse("source:1"), {"source": len(source)}, seed=0)
    chosen = [sampler.draw() for _ in range(draws)]
    rounds = []
    for _ in range(2):
        seconds = []
        for draw in chosen:
            begin = time.perf_counter()
            source.pair(draw)
            seconds.append(time.perf_counter() - begin)
        rounds.append(seconds)
    return rounds[0], rounds[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure generated data, and the real videos that SCALING4D_TEST_DATA holds."""
    arguments = record.parse_arguments("data", __doc__, argv)
    report = record.Report("data", arguments)
    sizes = [(17, 128)] if arguments.quick else [(17, 128), (49, 480)]
    with tempfile.TemporaryDirectory() as folder:
        for frames, side in sizes:
            work = Path(folder) / f"{frames}x{side}"
            config = DataConfig(
                frames=frames,
                height=side,
                width=side,
                flow=FlowConfig(name="dis"),
                pairs=ClipPairConfig(variants=4),
            )
            (work / "videos").mkdir(parents=True)
            (work / "scenes").mkdir()
            write_sample_video(
                work / "videos" / "a.mp4", frames=2 * frames, height=side, width=side
            )
            write_sample_scene(work / "scenes" / "a.h5", frames=frames, height=side, width=side)
            folders = {"generated video": work / "videos", "scene file": work / "scenes"}
            real = os.environ.get("SCALING4D_TEST_DATA")
            if real and not arguments.quick:
                folders["SpatialVID clips"] = Path(real) / "spatialvid"
            for name, data in folders.items():
                cache = DiskCache(work / "cache")
                source = open_source(data, config, cache=cache, seed=0)
                cold, cached = timings(source, draws=6 if arguments.quick else 8)
                size = {"size": f"{frames}x{side}x{side}"}
                # The very first pair also compiles kernels and opens files; it is left out.
                report.add(
                    f"{name}, first visit", (len(cold) - 1) / sum(cold[1:]), "pairs/s", **size
                )
                report.add(f"{name}, cached", len(cached) / sum(cached), "pairs/s", **size)
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
