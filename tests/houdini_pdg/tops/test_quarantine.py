"""A scene that fails is set aside in the same way by TOPs, the local engine and Dask."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.engine.command import EXIT_DISK_FULL
from houdini_pdg.mint import RunOptions, run_plan
from houdini_pdg.plan import Plan, read_item, read_plan
from tests.houdini_pdg.tiny_scene import author, plan_of
from tests.houdini_pdg.tops.conftest import build, run_in_process

BAD, GOOD = "scene_000000", "scene_000001"
RECORD = f"quarantine/{BAD}.json"


@pytest.fixture
def broken(tmp_path) -> Plan:
    """Two scenes; the renderer cannot open the stage of the first."""
    plan = plan_of(tmp_path / "data", scenes=2, render={"renderer": "preview"})
    (plan.root / f"work/{BAD}/scene.usda").write_text("#usda 1.0\n(")
    return plan


def mend(plan: Plan) -> None:
    author(read_item(plan.item_path(BAD)))


def here(arguments, *, log: Path, timeout: float, watch) -> int:
    """A launcher that runs the command in this process; its output goes into the log."""
    with log.open("a") as stream, contextlib.redirect_stderr(stream):
        return main(list(arguments))


@pytest.fixture
def run_with(enter, monkeypatch):
    """Run what is not finished of a data set with one of the engines, in this process."""
    monkeypatch.setattr("houdini_pdg.engine.local.ForkServer", lambda: here)
    monkeypatch.setattr("houdini_pdg.engine.dask.launch_subprocess", here)
    monkeypatch.setattr("houdini_pdg.engine.command.time.sleep", lambda seconds: None)

    def run(engine: str, root: Path) -> int:
        if engine == "tops":
            enter("22.0")
            return main(["tops", "cook", str(root), "--python", "/opt/venv/bin/python"])
        if engine == "local":
            return main(["run", str(root), "--workers", "1"])
        distributed = pytest.importorskip("distributed")
        threads = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
        with distributed.LocalCluster(**threads, dashboard_address=None) as cluster:
            return main(
                ["run", str(root), "--engine", "dask", "--address", cluster.scheduler_address]
            )

    return run


@pytest.mark.parametrize("engine", ["tops", "local", "dask"])
def test_every_engine_writes_the_same_record(broken, run_with, capsys, engine):
    assert run_with(engine, broken.root) == 1
    record = json.loads((broken.root / RECORD).read_text())
    log = broken.root / record.pop("log")
    assert record.pop("attempts") == (None if engine == "tops" else 3)  # PDG does not tell
    message = record.pop("message")
    assert "error: render: " in message
    assert "scene.usda" in message
    assert message.removeprefix("exit status 1: ") in log.read_text()
    item = str(broken.item_path(BAD))
    assert record == {
        "scene_id": BAD,
        "stage": "render",
        "command": ["python", "-m", "houdini_pdg", "stage", "render", "--item", item],
    }
    lines = (broken.root / "index.jsonl").read_text().splitlines()
    assert [json.loads(line)["scene_id"] for line in lines] == [GOOD]
    capsys.readouterr()
    assert main(["status", str(broken.root)]) == 0
    said = capsys.readouterr().out
    assert f"failed {BAD} in render" in said
    assert f"(log: {log})" in said


@pytest.mark.parametrize(("first", "then"), [("tops", "local"), ("local", "tops")])
def test_any_engine_tries_it_once_more_and_takes_it_back(broken, run_with, first, then):
    assert run_with(first, broken.root) == 1
    assert run_with(then, broken.root) == 1  # tried again, still broken
    assert (broken.root / RECORD).is_file()
    mend(broken)
    assert run_with(then, broken.root) == 0
    assert not list((broken.root / "quarantine").iterdir())
    assert len((broken.root / "index.jsonl").read_text().splitlines()) == 2


def test_a_graph_cooked_from_the_window_sets_scenes_aside_too(broken, enter):
    """No code of ours runs after such a cook: the command of the item writes its own record."""
    enter("21.0")
    build(broken).last.cookWorkItems(block=True)
    record = json.loads((broken.root / RECORD).read_text())
    assert (record["stage"], record["attempts"]) == ("render", None)
    assert "scene.usda" in record["message"]
    mend(broken)
    enter("21.0")
    build(broken).last.cookWorkItems(block=True)
    assert not (broken.root / RECORD).exists()


def test_a_killed_command_is_set_aside_without_a_word_of_its_own(broken, enter, capsys):
    def killed(argv: list[str]) -> int:
        return -9 if "render" in argv and argv[-1].endswith(f"{BAD}.json") else run_in_process(argv)

    enter("21.0", run=killed)
    assert main(["tops", "cook", str(broken.root), "--python", "/opt/venv/bin/python"]) == 1
    record = json.loads((broken.root / RECORD).read_text())
    assert record["message"] == "no message"
    assert record["log"] == "pdgtemp/logs/render_0.log"


def test_what_the_command_has_recorded_stands_where_its_log_is_out_of_reach(
    broken, enter, monkeypatch
):
    """A farm gives the address of a page instead of a file."""
    monkeypatch.setattr("pathlib.Path.as_uri", lambda path: "http://hqueue:5000/jobs/7/log")
    enter("21.0")
    assert main(["tops", "cook", str(broken.root), "--python", "/opt/venv/bin/python"]) == 1
    assert "scene.usda" in json.loads((broken.root / RECORD).read_text())["message"]


def test_a_full_disk_blames_no_scene(broken, enter, monkeypatch, capsys):
    monkeypatch.setattr("houdini_pdg.stage_cli.is_disk_full", lambda error, place: True)
    enter("21.0")
    command = ["tops", "cook", str(broken.root), "--python", "/opt/venv/bin/python"]
    assert main(command) == EXIT_DISK_FULL
    assert not (broken.root / "quarantine").exists()
    assert "free some and cook again" in capsys.readouterr().err


def test_a_scene_finished_by_hand_is_taken_back(broken, run_with):
    assert run_with("local", broken.root) == 1
    mend(broken)
    for stage in ("render", "pack"):
        assert main(["stage", stage, "--item", str(broken.item_path(BAD))]) == 0
    assert not (broken.root / RECORD).exists()
    assert run_plan(read_plan(broken.root), RunOptions(progress=False)).quarantined == ()
