"""Real processes: time-outs kill the whole group, and nothing outlives a killed coordinator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from houdini_pdg.engine.command import ForkServer, _clean_parent, launch_subprocess
from houdini_pdg.process import TIMED_OUT, one_thread_each, run
from tests.houdini_pdg.tiny_scene import plan_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")


def is_running(text: str) -> bool:
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(text in line for line in listing.stdout.splitlines())


def until(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@POSIX
def test_time_out_kills_the_command_and_what_it_started():
    marker = f"sleep 4{time.monotonic_ns() % 10**6}"
    finished = run(["sh", "-c", f"{marker} & {marker}"], timeout=0.5)
    assert finished.returncode == TIMED_OUT
    assert until(lambda: not is_running(marker))


@POSIX
def test_silence_counts_as_hanging_but_slow_talk_does_not():
    talk = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"
    assert run(["sh", "-c", talk], stall=2.0).returncode == 0
    assert run(["sh", "-c", "echo 1; sleep 30"], stall=0.6).returncode == TIMED_OUT


def test_output_goes_to_the_caller_and_to_the_log(tmp_path):
    lines: list[str] = []
    code = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(5)"
    finished = run(
        [sys.executable, "-u", "-c", code], on_line=lines.append, log_path=tmp_path / "l"
    )
    assert finished.returncode == 5
    assert sorted(lines) == ["one", "two"]
    assert sorted((tmp_path / "l").read_text().split()) == ["one", "two"]


@pytest.mark.parametrize("launch", [ForkServer(), launch_subprocess], ids=["fork", "fresh"])
def test_a_stage_runs_as_its_own_process_and_logs(tmp_path, launch):
    plan = plan_of(tmp_path, render={"renderer": "preview"})
    item = plan.item_path("scene_000000")
    log = tmp_path / "stage.log"
    counts: list[tuple[int, int]] = []
    code = launch(
        ("stage", "render", "--item", str(item)),
        log=log,
        timeout=120,
        watch=lambda done, total: counts.append((done, total)),
    )
    assert code == 0, log.read_text()
    assert "scene_000000 render: ok" in log.read_text()
    assert counts[-1] == (9, 9)
    code = launch(("stage", "pack", "--item", "nowhere.json"), log=log, timeout=60, watch=None)
    assert code == 2
    assert "error: nowhere.json does not exist" in log.read_text()


@POSIX
def test_a_command_ends_by_itself_where_no_engine_ends_it(tmp_path):
    """Deadline's time-out has an unknown unit: the command's own limit holds, and says where."""
    code = (
        "import time; from houdini_pdg.stage_cli import ends_by_itself\n"
        "with ends_by_itself(-54): time.sleep(60)"  # the limit comes a minute after the time
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'File "<string>", line 2' in done.stderr


def test_commands_keep_to_one_thread_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    code = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])"
    lines: list[str] = []
    run([sys.executable, "-c", code], environment=one_thread_each(os.environ), on_line=lines.append)
    assert lines == ["3 1"]
    with _clean_parent():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("3", "1")
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_the_callers_script_is_not_run_again_in_each_command(tmp_path):
    """A script without a __main__ guard, which multiprocessing alone would run in every child."""
    plan_of(tmp_path / "data", render={"renderer": "preview"})
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "with Path(sys.argv[2]).open('a') as log: log.write('ran ')\n"
        "from houdini_pdg.mint import RunOptions, run_plan\n"
        "from houdini_pdg.plan import read_plan\n"
        "report = run_plan(read_plan(Path(sys.argv[1])), RunOptions(progress=False))\n"
        "assert report.finished == 1, report\n"
    )
    command = [sys.executable, str(script), str(tmp_path / "data"), str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run(command, check=True, env=environment)
    assert (tmp_path / "log").read_text() == "ran "


@POSIX
@pytest.mark.parametrize("launch", [ForkServer(), launch_subprocess], ids=["fork", "fresh"])
def test_a_stage_over_its_time_is_killed(tmp_path, launch):
    plan = plan_of(tmp_path, frames=40, height=200, width=200, render={"renderer": "preview"})
    item = plan.item_path("scene_000000")
    code = launch(
        ("stage", "render", "--item", str(item)), log=tmp_path / "l", timeout=1.5, watch=None
    )
    assert code == TIMED_OUT
    assert not (tmp_path / "work/scene_000000/render").exists()


@POSIX
def test_control_c_ends_the_run_at_once_and_all_that_it_started(tmp_path):
    plan_of(tmp_path, frames=60, height=200, width=200, render={"renderer": "preview"})
    command = [sys.executable, "-m", "houdini_pdg", "run", str(tmp_path)]
    run = subprocess.Popen(
        command,
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs deaf to Ctrl-C, and the tests may run in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert until(lambda: list(tmp_path.glob("work/*/partial/*/*/*.npz")), 60)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=10)
    assert run.returncode == 130
    assert said.endswith("interrupted: run the same command again to go on\n")
    assert not list(tmp_path.glob("work/*/render"))
    before = len(list(tmp_path.rglob("*.npz")))
    time.sleep(0.5)
    assert len(list(tmp_path.rglob("*.npz"))) == before


@POSIX
@pytest.mark.parametrize(
    ("renderer", "engine"),
    [
        ("preview", "local"),
        ("cycles", "local"),
        pytest.param("preview", "dask", marks=pytest.mark.full),
    ],
)
def test_nothing_outlives_a_killed_coordinator_and_a_rerun_finishes(tmp_path, renderer, engine):
    """SIGKILL of the engine in the middle of a render, then the same command again."""
    if engine == "dask":
        pytest.importorskip("distributed")
    if renderer == "cycles":
        pytest.importorskip("bpy")
    settings = {"renderer": renderer, "cycles": {"samples": 1, "bounces": 0, "denoise": False}}
    plan_of(tmp_path, scenes=2, cameras=2, frames=6, height=120, width=160, render=settings)
    command = [sys.executable, "-m", "houdini_pdg", "run", str(tmp_path), "--workers", "2"]
    command += ["--engine", engine]
    repository = Path(__file__).parents[3]
    coordinator = subprocess.Popen(
        command, cwd=repository, stderr=subprocess.DEVNULL, start_new_session=True
    )
    frames = "rgb.*.png" if renderer == "cycles" else "preview.*.npz"
    started = until(lambda: list(tmp_path.glob(f"work/*/partial/*/*/{frames}")), 120)
    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    assert started
    assert until(lambda: not is_running(str(tmp_path))), "a process outlived the engine"
    assert not list(tmp_path.glob("scenes/*.h5"))
    again = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert len(list(tmp_path.glob("scenes/*.h5"))) == 2
    resumed = (tmp_path / "index.jsonl").read_text()
    assert resumed.count("\n") == 2
    verify = [sys.executable, "-m", "houdini_pdg", "verify", str(tmp_path)]
    assert subprocess.run(verify, cwd=repository, check=False).returncode == 0
