"""Minting: where a scene's time goes, frames per hour of Cycles, and how planning grows.

Builds the quickstart library, mints scenes with every stage real, and times Cycles at 480 x 480
with four cameras in one process against a fresh process per camera. Six frames of each camera are
rendered; frames per hour are extrapolated from them, and say so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.plan import Plan, make_plan, read_item, write_plan
from houdini_pdg.render.base import RenderJob
from houdini_pdg.render.cycles import CyclesRenderer
from houdini_pdg.spec import parse_spec
from houdini_pdg.stages import read_marker, run_stage
from houdini_pdg.stages.render import read_cameras
from tests.benchmarks import record

_PLANNING = """
import resource, sys, time
from pathlib import Path
from houdini_pdg.plan import make_plan, write_plan
from houdini_pdg.spec import parse_spec
start = time.perf_counter()
write_plan(make_plan(parse_spec({"scenes": int(sys.argv[1])}), Path(sys.argv[2])))
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
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
        seconds, kilobytes = done.stdout.split()
        report.add("plan", float(seconds), "s", scenes=scenes)
        report.add("plan, peak memory", int(kilobytes) / 1024, "MiB", scenes=scenes)


def plan_scenes(root: Path, library: Path, *, size: int, frames: int, cameras: int) -> Plan:
    spec = {
        "scenes": 2,
        "seed": 7,
        "fps": 8,
        "cameras": cameras,
        "frames": frames,
        "height": size,
        "width": size,
        "libraries": [str(library / "catalog.yaml")],
    }
    plan = make_plan(parse_spec(spec), root)
    write_plan(plan)
    return plan


def stage_split(report: record.Report, plan: Plan) -> None:
    """Every stage of one scene through the ordinary commands; seconds as its markers hold them."""
    item_path = plan.item_path("scene_000000")
    for stage in SCENE_STAGES:
        run_stage(stage.name, item_path)
    item = read_item(item_path)
    seconds = {s.name: read_marker(item.marker(s.name))["seconds"] for s in SCENE_STAGES}
    spec = plan.spec
    settings = {
        "size": spec.height,
        "cameras": spec.cameras,
        "frames": spec.frames,
        "samples": spec.render.cycles.samples,
    }
    total = sum(seconds.values())
    for name, value in seconds.items():
        report.add(f"stage {name}", value, "s", **settings)
        report.add(f"stage {name}, share", 100 * value / total, "%", **settings)


def frames_per_hour(report: record.Report, plan: Plan, folder: Path, device: str) -> None:
    """All cameras in one process against a process per camera; same frames, same settings."""
    item_path = plan.item_path("scene_000001")
    for stage in ("layout", "characters", "compose", "trajectory"):
        run_stage(stage, item_path)
    item = read_item(item_path)
    cameras = read_cameras(item)
    frames = plan.spec.frames
    render = parse_spec({"scenes": 1, "render": {"cycles": {"device": device}}}).render

    def seconds(names: Sequence[str], out: Path) -> float:
        job = RenderJob(
            stage=item.work / "scene.usda",
            out=out,
            cameras={name: cameras[name] for name in names},
            frames=frames,
            height=plan.spec.height,
            width=plan.spec.width,
            fps=plan.spec.fps,
            start=0.0,
            seed=1,
            instances={},
            config=render,
        )
        start = time.perf_counter()
        CyclesRenderer().render(job, lambda done, total: None)
        return time.perf_counter() - start

    together = seconds(list(cameras), folder / f"together_{device}")
    apart = sum(seconds([name], folder / f"apart_{device}_{name}") for name in cameras)
    count = frames * len(cameras)
    settings = {
        "size": plan.spec.height,
        "cameras": len(cameras),
        "frames_measured": count,
        "samples": render.cycles.samples,
        "device": device,
    }
    report.add("cycles, one process", together / count, "s/frame", **settings)
    report.add("cycles, process per camera", apart / count, "s/frame", **settings)
    report.add("cycles, extrapolated", 3600 * count / together, "frames/hour", **settings)
    report.add("one process against one per camera", apart / together, "times", **settings)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = record.parse_arguments("mint", __doc__, argv)
    report = record.Report("mint", arguments)
    planning(report, (1_000,) if arguments.quick else (10_000, 100_000))
    size, frames, cameras = (64, 2, 2) if arguments.quick else (480, 6, 4)
    with tempfile.TemporaryDirectory(prefix="bench_mint_") as folder:
        root = Path(folder)
        build = [sys.executable, "-m", "assets_schema", "build-library", str(root / "library")]
        subprocess.run([*build, "--preset", "quickstart"], check=True, capture_output=True)
        plan = plan_scenes(
            root / "data", root / "library", size=size, frames=frames, cameras=cameras
        )
        stage_split(report, plan)
        for device in ("cpu", *(["gpu"] if has_gpu() else [])):
            frames_per_hour(report, plan, root / "frames", device)
    if not has_gpu():
        print("no GPU here: render.cycles.device=gpu was not measured")
    return report.finish()


def has_gpu() -> bool:
    """Whether this machine shows a graphics device that Cycles could use."""
    return any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/kfd"))


if __name__ == "__main__":
    sys.exit(main())
