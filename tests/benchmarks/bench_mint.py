"""Minting: where a scene's time goes, frames per hour of Cycles, and how planning grows.

One furnished scene with people is minted at the default quality (480 x 480, four cameras, Cycles)
by the ordinary engine, with six frames per camera instead of 49. The same frames are then rendered
with a fresh process for each camera. What 49 frames would take is extrapolated from that, and says
so: the time before the first frame counts once, what grows with the frames is scaled by 49 / 6.
About eight minutes on two quiet cores.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from houdini_pdg.engine.local import Limits
from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.mint import RunOptions, run_plan
from houdini_pdg.plan import Item, Plan, make_plan, read_item, write_plan
from houdini_pdg.render.base import RenderJob
from houdini_pdg.render.cycles import CyclesRenderer
from houdini_pdg.spec import parse_spec
from houdini_pdg.stages import read_marker
from houdini_pdg.stages.render import read_cameras
from tests.benchmarks import record

_WHOLE = 49  # frames of the paper's clips
_FIXED = ("layout", "compose", "trajectory")  # stages that do not grow with the frames

_PLANNING = """
import resource, sys, time
from pathlib import Path
from houdini_pdg.engine.tasks import expand
from houdini_pdg.engine.local import _Schedule
from houdini_pdg.plan import make_plan, write_plan
from houdini_pdg.spec import parse_spec

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

start = time.perf_counter()
plan = make_plan(parse_spec({"scenes": int(sys.argv[1])}), Path(sys.argv[2]))
write_plan(plan)
print(time.perf_counter() - start, peak())
schedule = _Schedule(expand(plan))
print(peak())
"""


def planning(report: record.Report, sizes: Sequence[int]) -> None:
    """Seconds and peak memory of writing a plan, each in a process of its own."""
    for scenes in sizes:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", _PLANNING, str(scenes), folder],
                capture_output=True,
                text=True,
                check=True,
            )
        seconds, planned, running = (float(value) for value in done.stdout.split())
        report.add("plan", seconds, "s", scenes=scenes)
        report.add("plan, peak memory", planned, "MiB", scenes=scenes)
        report.add("plan and its tasks, peak memory", running, "MiB", scenes=scenes)


@dataclass(frozen=True)
class Size:
    """What is minted; the rest of the spec is at its defaults."""

    pixels: int
    frames: int
    cameras: int


def plan_scene(root: Path, library: Path, size: Size, device: str) -> Plan:
    spec = {
        "scenes": 1,
        "seed": 7,
        "cameras": size.cameras,
        "frames": size.frames,
        "height": size.pixels,
        "width": size.pixels,
        "libraries": [str(library / "catalog.yaml")],
        "render": {"cycles": {"device": device}},
        "pack": {"keep_work": True},  # the people are rendered once more, apart
    }
    plan = make_plan(parse_spec(spec), root)
    write_plan(plan)
    return plan


def mint(plan: Plan) -> tuple[dict[str, float], float]:
    """Mint the scene; seconds of each stage by its marker, and of the whole run by the clock."""
    start = time.perf_counter()
    result = run_plan(plan, RunOptions(limits=Limits(workers=2)))
    wall = time.perf_counter() - start
    if result.finished != 1:
        raise RuntimeError(f"the scene was not minted: {result.outcomes}")
    item = read_item(plan.item_path("scene_000000"))
    return {s.name: read_marker(item.marker(s.name))["seconds"] for s in SCENE_STAGES}, wall


@dataclass(frozen=True)
class Fresh:
    """Rendering each camera in a process of its own: seconds in all, and before a first frame."""

    seconds: float
    start: float


def render_apart(item: Item, folder: Path) -> Fresh:
    """The scene's own frames once more, one process per camera."""
    cameras, spec = read_cameras(item), item.spec
    total, starts = 0.0, []
    for name, motion in cameras.items():
        times = [time.perf_counter()]
        job = RenderJob(
            stage=item.work / "scene.usda",
            out=folder / name,
            cameras={name: motion},
            frames=spec.frames,
            height=spec.height,
            width=spec.width,
            fps=spec.fps,
            start=0.0,
            seed=1,
            instances={},
            config=spec.render,
        )
        CyclesRenderer().render(job, lambda done, n, times=times: times.append(time.perf_counter()))
        total += time.perf_counter() - times[0]
        arrivals = times[2:]  # times[1] is the call that says "none done yet"
        each = statistics.median(b - a for a, b in itertools.pairwise(arrivals))
        starts.append(arrivals[0] - times[0] - each)
    return Fresh(total, statistics.median(starts))


def report_scene(
    report: record.Report, stages: dict[str, float], wall: float, fresh: Fresh, size: Size, **how
) -> None:
    count = size.frames * size.cameras
    measured = {"size": size.pixels, "cameras": size.cameras, "frames": size.frames, **how}
    total = sum(stages.values())
    for name, seconds in stages.items():
        report.add(f"stage {name}", seconds, "s", **measured)
    report.add("engine and starting processes", wall - total, "s", **measured)
    together = stages["render"]
    report.add("cycles, one process", together / count, "s/frame", **measured)
    report.add("cycles, a process per camera", fresh.seconds / count, "s/frame", **measured)
    report.add("a process per camera against one", fresh.seconds / together, "times", **measured)
    report.add("cycles, before the first frame", fresh.start, "s", **measured)
    whole = {**measured, "frames": f"{_WHOLE} extrapolated"}
    longer = extrapolated(stages, fresh, size)
    for name, seconds in longer.items():
        report.add(f"stage {name}, share", 100 * seconds / sum(longer.values()), "%", **whole)
    frames = _WHOLE * size.cameras
    report.add("cycles", 3600 * frames / longer["render"], "frames/hour", **whole)
    report.add("whole scene", sum(longer.values()) / 60, "minutes", **whole)


def extrapolated(stages: dict[str, float], fresh: Fresh, size: Size) -> dict[str, float]:
    """Seconds of each stage for clips of 49 frames."""
    more = _WHOLE / size.frames
    longer = {name: s if name in _FIXED else s * more for name, s in stages.items()}
    longer["render"] = fresh.start + (stages["render"] - fresh.start) * more
    return longer


def main(argv: Sequence[str] | None = None) -> int:
    arguments = record.parse_arguments("mint", __doc__, argv)
    report = record.Report("mint", arguments)
    planning(report, (1_000,) if arguments.quick else (10_000, 100_000))
    size = Size(64, 2, 2) if arguments.quick else Size(480, 6, 4)
    with tempfile.TemporaryDirectory(prefix="bench_mint_") as folder:
        root = Path(folder)
        build = [sys.executable, "-m", "assets_schema", "build-library", str(root / "library")]
        subprocess.run([*build, "--preset", "quickstart"], check=True, capture_output=True)
        for device in ("cpu", *(["gpu"] if has_gpu() else [])):
            plan = plan_scene(root / device, root / "library", size, device)
            stages, wall = mint(plan)
            item = read_item(plan.item_path("scene_000000"))
            fresh = render_apart(item, root / f"apart_{device}")
            samples = plan.spec.render.cycles.samples
            report_scene(report, stages, wall, fresh, size, samples=samples, device=device)
    if not has_gpu():
        print("no GPU here: render.cycles.device=gpu was not measured")
    return report.finish()


def has_gpu() -> bool:
    """Whether this machine shows a graphics device that Cycles could use."""
    return any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/kfd"))


if __name__ == "__main__":
    sys.exit(main())
