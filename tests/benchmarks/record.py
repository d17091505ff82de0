"""What every benchmark shares: timing with warm-up, and one JSON record with its circumstances.

arguments = record.parse_arguments("warp", __doc__)
report = record.Report("warp", arguments)
timing = record.measure(lambda: work(), repeats=9)
report.add("fused", timing.scaled(1e3 / frames), "ms/frame", frames=49)
report.finish()
# Each row of the Markdown table is printed, and OUT/warp.json written, as soon as it is measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from scaling4d.storage.atomic import write_text_atomic

SCHEMA = 1
_PACKAGES = ("numpy", "torch", "torchvision", "numba", "triton", "opencv-python", "diffusers")


@dataclass(frozen=True)
class Timing:
    """Samples of one quantity, with their median and quartiles."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        if len(self.samples) < 2:
            return self.samples[0], self.samples[0]
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return low, high

    def scaled(self, factor: float) -> Timing:
        """The same samples in another unit."""
        return Timing(tuple(sample * factor for sample in self.samples))


def measure(
    function: Callable[[], Any],
    *,
    repeats: int = 9,
    warmup: int = 2,
    synchronize: Callable[[], Any] | None = None,
) -> Timing:
    """Seconds per call after some calls that are not counted.

    Args:
        function: what to time; its result is dropped before the clock stops.
        repeats: counted calls.
        warmup: calls before them: compilation, caches, allocators.
        synchronize: waits for an accelerator, before the clock starts and before it stops.
    """
    wait = synchronize or (lambda: None)
    for _ in range(warmup):
        function()
    samples = []
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        function()
        wait()
        samples.append(time.perf_counter() - start)
    return Timing(tuple(samples))


def parse_arguments(
    name: str,
    description: str | None,
    argv: Sequence[str] | None = None,
    *,
    add: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """``--out DIR``, ``--quick`` (small sizes: proves that it runs, not a figure to quote), and
    what ``add`` adds."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks.bench_{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, help="folder for the JSON record")
    parser.add_argument("--quick", action="store_true", help="small sizes, few repeats")
    parser.add_argument("--name", default=name, help="of the record (%(default)s)")
    if add is not None:
        add(parser)
    return parser.parse_args(argv)


@dataclass
class Report:
    """Collects results; the record on disk holds all so far, whatever ends the run."""

    name: str
    arguments: argparse.Namespace
    results: list[dict[str, Any]] = field(default_factory=list)
    circumstances: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.circumstances = {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "machine": describe_machine(),
            "versions": versions(),
        }

    def add(self, name: str, value: Timing | float, unit: str, **settings: Any) -> None:
        """Record one result and print its row; plain numbers are results that do not vary."""
        timing = value if isinstance(value, Timing) else Timing((float(value),))
        low, high = timing.quartiles
        repeats = len(timing.samples)
        self.results.append(
            {
                "name": name,
                "unit": unit,
                "median": timing.median,
                "quartiles": [low, high],
                "minimum": min(timing.samples),
                "repeats": repeats,
                "settings": settings,
            }
        )
        if len(self.results) == 1:
            print("| measured | settings | median | quartiles | unit |\n|---|---|---|---|---|")
        about = ", ".join(f"{key} {value}" for key, value in settings.items())
        spread = f"{low:.4g} to {high:.4g}" if repeats > 1 else ""
        print(f"| {name} | {about} | {timing.median:.4g} | {spread} | {unit} |", flush=True)
        self._write()

    def finish(self) -> int:
        """Say where it ran and where the record is; return exit status 0."""
        machine = self.circumstances["machine"]
        print(f"\n{self.name}: {machine['cpu']}, {machine['cores']} cores, GPU {machine['gpu']}")
        if self._path is not None:
            print(f"\nwrote {self._path}")
        return 0

    @property
    def _path(self) -> Path | None:
        out = self.arguments.out
        return None if out is None else out / f"{self.name}.json"

    def _write(self) -> None:
        if self._path is None:
            return
        options = {
            key: value
            for key, value in vars(self.arguments).items()
            if key not in ("out", "quick", "name")
        }
        document = {
            "schema": SCHEMA,
            "benchmark": self.name,
            "quick": self.arguments.quick,
            "options": options,
            **self.circumstances,
            "results": self.results,
        }
        write_text_atomic(self._path, json.dumps(document, indent=2) + "\n")


def describe_machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, load, accelerator."""
    import torch

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].split(":", 1)[1].strip() if models else cpu
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that carry the work."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Hash of the checkout, with ``+changes`` when files differ from it; empty without git."""

    def git(*arguments: str) -> str:
        root = Path(__file__).parent
        command = ["git", *arguments]
        try:
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        except OSError:  # no git on this machine
            return ""
        return done.stdout.strip()

    head = git("rev-parse", "--short=12", "HEAD")
    return head + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")
