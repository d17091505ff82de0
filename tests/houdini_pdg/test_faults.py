"""Kills, crashes, full disks and cut files: a rerun finishes, and nothing corrupt is indexed.

Each has one small case here and a campaign marked ``full``; `engine/test_processes` kills the
coordinator, `test_minting` a Dask worker, and mounts a disk that is really full.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.engine.command import EXIT_DISK_FULL
from houdini_pdg.mint import RunOptions, run_plan
from houdini_pdg.plan import make_plan, read_item, write_plan
from houdini_pdg.spec import parse_spec
from scaling4d.storage.scene_file import open_scene
from tests.houdini_pdg.mini_library import write_mini_library
from tests.houdini_pdg.tiny_scene import plan_of

LINUX = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="finds commands by /proc")
REPOSITORY = Path(__file__).parents[2]
PREVIEW = {"renderer": "preview"}


def start(root: Path, *options: str, largest_file: int | None = None) -> subprocess.Popen[bytes]:
    """The command line's run, in a process of its own; optionally with a limit on file sizes."""

    def limit() -> None:
        import resource

        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = [sys.executable, "-m", "houdini_pdg", "run", str(root), "--workers", "2", *options]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=limit,
        start_new_session=True,
    )


def commands(root: Path, program: str = "") -> dict[int, str]:
    """Stage commands at work on a data set: process id -> name of its log.

    With ``program`` instead the processes below them whose command line holds it.
    """
    found = {}
    for process in Path("/proc").iterdir():
        try:
            log = (process / "fd/1").readlink()
            line = (process / "cmdline").read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
        if program:
            if program in line and str(root) in line:
                found[int(process.name)] = program
        elif log.parent == root / "logs":
            found[int(process.name)] = log.name
    return found


def kill_when(root: Path, run: subprocess.Popen[bytes], wanted: Callable[[str], bool], **at) -> str:
    """Kill the first command whose log is wanted; return the log's name, "" if none came."""
    while run.poll() is None:
        for pid, log in commands(root, **at).items():
            if wanted(log):
                os.kill(pid, signal.SIGKILL)
                return log
        time.sleep(0.005)
    return ""


def all_is_well(root: Path, scenes: int) -> None:
    """Every scene is finished and indexed, every file verifies, nothing is set aside."""
    lines = [json.loads(text) for text in (root / "index.jsonl").read_text().splitlines()]
    assert [line["scene_id"] for line in lines] == [f"scene_{n:06d}" for n in range(scenes)]
    assert not list(root.glob("quarantine/*"))
    assert main(["verify", str(root)]) == 0


def indexed_files_are_whole(root: Path) -> None:
    """Whatever the index lists now can be read to its last frame and has the listed size."""
    index = root / "index.jsonl"
    for text in index.read_text().splitlines() if index.exists() else ():
        line = json.loads(text)
        path = root / line["file"]
        assert path.stat().st_size == line["bytes"]
        with open_scene(path) as scene:
            for name in scene.camera_names:
                scene.track(name).check(name)


@LINUX
def test_killed_commands_run_again_in_the_same_run(tmp_path):
    plan = plan_of(tmp_path, frames=6, height=120, width=160, render=PREVIEW)
    run = start(tmp_path)
    for stage in ("render", "pack"):
        assert kill_when(tmp_path, run, lambda log, stage=stage: f".{stage}." in log)
    assert run.wait() == 0
    all_is_well(tmp_path, len(plan.scenes))


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_disk_that_takes_no_more_stops_the_run_and_a_rerun_finishes(tmp_path):
    """A limit on file sizes needs no rights and no disk; libraries fail as on a full one."""
    plan = plan_of(tmp_path, scenes=2, render=PREVIEW)
    assert start(tmp_path, largest_file=12_000).wait() == EXIT_DISK_FULL
    assert not list(tmp_path.glob("quarantine/*"))
    indexed_files_are_whole(tmp_path)
    assert start(tmp_path).wait() == 0
    all_is_well(tmp_path, len(plan.scenes))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_frame_cut_short_in_a_render_that_was_killed_is_rendered_again(tmp_path, share):
    """Nothing else would ever: it counts as done for each further attempt, and fails the last."""
    plan = plan_of(tmp_path, render=PREVIEW)
    item = read_item(plan.item_path("scene_000000"))
    assert main(["stage", "render", "--item", str(plan.item_path("scene_000000"))]) == 0
    (item.work / "render/cam1/preview.0002.npz").rename(item.work / "late.npz")
    item.scratch("render").parent.mkdir(exist_ok=True)
    (item.work / "render").rename(item.scratch("render"))
    item.marker("render").unlink()
    cut(item.scratch("render") / "cam0/preview.0001.npz", share)
    assert run_plan(plan, RunOptions(progress=False)).finished == 1
    all_is_well(tmp_path, 1)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return write_mini_library(tmp_path_factory.mktemp("faults") / "library")


def plan_rooms(root: Path, library: Path, **values: object):
    spec = {
        "seed": 5,
        "scenes": 2,
        "cameras": 2,
        "frames": 5,
        "fps": 8,
        "height": 48,
        "width": 64,
        "libraries": [str(library)],
        "render": PREVIEW,
        "pack": {"max_rgb_difference": 1.0},
        **values,
    }
    plan = make_plan(parse_spec(spec), root)
    write_plan(plan)
    return plan


@pytest.fixture(scope="module")
def finished(library) -> Path:
    """Two furnished rooms, every stage real."""
    plan = plan_rooms(library.parent.parent / "finished", library)
    assert run_plan(plan, RunOptions(progress=False)).finished == 2
    return plan.root


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


@pytest.mark.full
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_any_file_of_a_data_set_may_be_cut_short(finished, library, tmp_path, share):
    """Every file in turn; planning again and running heals what can be seen, scene by scene."""
    names = [p.relative_to(finished) for p in sorted(finished.rglob("*")) if p.is_file()]
    for number, name in enumerate(names):
        if name.name in (".lock", ".run.lock") or name.parts[0] in ("logs", "previews"):
            continue
        root = shutil.copytree(finished, library.parent.parent / f"cut_{share}_{number}")
        cut(root / name, share)
        assert main(["stage", "index", "--item", str(root / "plan.json")]) in (0, 2), name
        if name.name != "index.jsonl":
            indexed_files_are_whole(root)
        plan = plan_rooms(root, library)
        assert run_plan(plan, RunOptions(progress=False)).finished == 2, name
        all_is_well(root, 2)
        shutil.rmtree(root)


@pytest.mark.full
@pytest.mark.parametrize("largest", [2_000, 8_000, 30_000, 100_000, 130_000])
def test_files_may_stop_growing_at_any_size(library, largest):
    root = library.parent.parent / f"limit_{largest}"
    plan = plan_rooms(root, library)
    assert start(root, largest_file=largest).wait() in (EXIT_DISK_FULL, 1)
    indexed_files_are_whole(root)
    assert start(root).wait() == 0
    all_is_well(root, len(plan.scenes))


@LINUX
@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_random_kills_lose_nothing(finished, library, seed):
    """Commands, and now and then the coordinator, are killed at random until eight have died;
    the last run is left alone. The files are those of a run that nobody disturbed."""
    draw = random.Random(seed)
    root = library.parent.parent / f"killed_{seed}"
    plan_rooms(root, library)
    kills = 0
    while kills < 8:
        run = start(root)
        while run.poll() is None and kills < 8:
            time.sleep(draw.uniform(0.05, 1.5))
            at_work = list(commands(root))
            if draw.random() < 0.25:
                run.send_signal(signal.SIGKILL)
            elif at_work:
                os.kill(draw.choice(at_work), signal.SIGKILL)
            else:
                continue
            kills += 1
        run.wait()
        indexed_files_are_whole(root)
        if not run.returncode and kills < 8:
            shutil.rmtree(root / "work/scene_000000")  # it was too quick: something to do again
    assert start(root).wait() == 0
    all_is_well(root, 2)
    for path in sorted(finished.glob("scenes/*.h5")):
        assert (root / "scenes" / path.name).read_bytes() == path.read_bytes()


@LINUX
@pytest.mark.full
def test_a_killed_cycles_process_goes_on_where_it_stopped(tmp_path):
    pytest.importorskip("bpy")
    settings = {"renderer": "cycles", "cycles": {"samples": 1, "bounces": 0, "denoise": False}}
    plan_of(tmp_path, cameras=2, frames=8, height=120, width=160, render=settings)
    run = start(tmp_path)
    while run.poll() is None and not list(tmp_path.glob("work/*/partial/*/*/rgb.*.png")):
        time.sleep(0.02)
    assert kill_when(tmp_path, run, lambda log: True, program="cycles_worker.py")
    assert run.wait() == 0
    all_is_well(tmp_path, 1)
    marker = next(tmp_path.glob("work/*/done/render.*.json"))
    assert json.loads(marker.read_text())["report"]["frames_resumed"] > 0
