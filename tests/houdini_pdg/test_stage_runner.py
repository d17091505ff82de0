"""Stages as commands: atomic, marked last, cached by input, rejected for good, never half there."""

from __future__ import annotations

import errno
import threading
import types

import pytest

import houdini_pdg.stages as stages
from houdini_pdg.__main__ import main
from houdini_pdg.engine.command import EXIT_DISK_FULL
from houdini_pdg.files import write_json
from houdini_pdg.plan import make_plan, read_item, write_plan
from houdini_pdg.spec import parse_spec
from houdini_pdg.stages import StageRejected, marker_is_valid, read_marker, run_stage


@pytest.fixture
def item(tmp_path):
    plan = make_plan(parse_spec({"scenes": 1}), tmp_path)
    write_plan(plan)
    return read_item(plan.item_path("scene_000000"))


@pytest.fixture
def path(item):
    return item.root / "items" / "scene_000000.json"


@pytest.fixture
def replace(monkeypatch):
    """Replace a stage's ``run`` by a function."""

    def _replace(**functions):
        real = stages.importlib.import_module

        def find(name):
            stage = name.removeprefix("houdini_pdg.stages.")
            if stage in functions:
                return types.SimpleNamespace(run=functions[stage])
            return real(name)

        monkeypatch.setattr(stages.importlib, "import_module", find)

    return _replace


def write_layout(text):
    def run(item, out):
        (out / "layout.txt").write_text(text)
        (out / "extra").mkdir()
        (out / "extra" / "a.txt").write_text("a")
        return {"walls": 4}

    return run


def test_files_move_into_place_and_the_marker_names_them(item, path, replace):
    replace(layout=write_layout("one"))
    assert run_stage("layout", path).status == "ok"
    assert (item.work / "layout.txt").read_text() == "one"
    marker = read_marker(item.marker("layout"))
    assert marker["report"] == {"walls": 4}
    assert marker["outputs"] == {
        "work/scene_000000/extra/a.txt": 1,
        "work/scene_000000/layout.txt": 3,
    }
    assert not list(item.work.glob(".layout-*"))


def test_a_finished_stage_is_not_run_again(item, path, replace):
    replace(layout=write_layout("one"))
    run_stage("layout", path)
    replace(layout=lambda item, out: pytest.fail("ran again"))
    assert run_stage("layout", path).status == "cached"


@pytest.mark.parametrize("damage", ["remove", "truncate", "marker"])
def test_damage_to_an_output_makes_the_stage_run_again(item, path, replace, damage):
    replace(layout=write_layout("one"))
    run_stage("layout", path)
    target = item.work / "layout.txt"
    if damage == "remove":
        target.unlink()
    elif damage == "truncate":
        target.write_text("o")
    else:
        item.marker("layout").write_text('{"stage": "lay')
    assert not marker_is_valid(item, "layout")
    assert run_stage("layout", path).status == "ok"
    assert target.read_text() == "one"


def test_a_failing_stage_leaves_nothing_and_keeps_what_was_there(item, path, replace):
    replace(layout=write_layout("one"))
    run_stage("layout", path)
    item.marker("layout").unlink()

    def fails(item, out):
        (out / "layout.txt").write_text("half")
        raise RuntimeError("boom")

    replace(layout=fails)
    with pytest.raises(RuntimeError):
        run_stage("layout", path)
    assert (item.work / "layout.txt").read_text() == "one"
    assert not item.marker("layout").exists()
    assert not list(item.work.glob(".layout-*"))


def test_new_output_invalidates_everything_after_it(item, path, replace):
    """Else going back to an older spec would find old markers beside newer files."""
    replace(layout=write_layout("one"))
    for stage in ("compose", "render"):
        write_json(item.marker(stage), {"status": "ok", "report": {}, "outputs": {}})
    older = item.work / "done" / "layout.0123456789abcdef.json"
    write_json(older, {"status": "ok", "report": {}, "outputs": {}})
    run_stage("layout", path)
    left = [marker.name.split(".")[0] for marker in (item.work / "done").iterdir()]
    assert left == ["layout"]
    assert not older.exists()


def test_rejection_is_final_and_passes_through_later_stages(item, path, replace):
    def rejects(item, out):
        (out / "layout.txt").write_text("useless")
        raise StageRejected("no room for a door", {"tried": 20})

    older = item.root / "scenes" / "scene_000000.h5"
    older.parent.mkdir()
    older.write_text("of an earlier plan")
    replace(layout=rejects)
    assert run_stage("layout", path).status == "rejected"
    assert not (item.work / "layout.txt").exists()
    assert run_stage("layout", path).status == "cached"
    for stage in ("characters", "compose", "trajectory", "render", "pack"):
        result = run_stage(stage, path)
        assert (result.status, result.report["reason"]) == ("rejected", "no room for a door")
    assert not older.exists()


def test_a_stage_before_its_time_is_refused(path, capsys):
    assert main(["stage", "compose", "--item", str(path)]) == 2
    assert "needs characters, run that first" in capsys.readouterr().err


def test_a_stage_refuses_the_damaged_files_of_an_earlier_one(item, path, replace, capsys):
    replace(layout=write_layout("one"))
    run_stage("layout", path)
    (item.work / "layout.txt").write_text("cut")
    (item.work / "extra" / "a.txt").unlink()
    assert main(["stage", "characters", "--item", str(path)]) == 2
    assert "run layout again first" in capsys.readouterr().err


def test_previews_of_a_rejected_scene_are_kept_until_it_is_good(item, path, replace):
    for stage in ("layout", "characters", "compose", "trajectory", "render"):
        write_json(item.marker(stage), {"status": "ok", "report": {}, "outputs": {}})

    def rejects(item, out):
        (out / "preview.png").write_text("a dark picture")
        raise StageRejected("too dark", {"qa": {"mean_rgb": 0.001}})

    replace(pack=rejects)
    assert run_stage("pack", path).status == "rejected"
    assert (item.root / "rejected/scene_000000.png").read_text() == "a dark picture"
    assert not (item.root / "previews").exists()
    (item.root / "rejected/scene_000000.png").unlink()  # a look was enough: nothing is made again
    assert run_stage("pack", path).status == "cached"
    item.marker("pack").unlink()
    replace(pack=lambda item, out: {})
    assert run_stage("pack", path).status == "ok"
    assert not list((item.root / "rejected").iterdir())


def test_leftovers_of_a_killed_attempt_are_cleared(item, path, replace):
    item.work.mkdir(parents=True)
    (item.work / ".layout-dead").mkdir()
    (item.work / ".layout-dead" / "big.bin").write_text("x")
    replace(layout=write_layout("one"))
    run_stage("layout", path)
    assert not (item.work / ".layout-dead").exists()


def test_two_processes_never_run_one_stage_at_once(item, path, replace):
    inside, most = [], []

    def slow(item, out):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.1)
        inside.pop()
        (out / "layout.txt").write_text("one")
        return {}

    replace(layout=slow)
    threads = [threading.Thread(target=run_stage, args=("layout", path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("HDF5: file write failed: errno = 28, 'No space left on device'"),
    ],
)
def test_a_full_disk_has_its_own_exit_status(path, replace, capsys, error):
    def full(item, out):
        raise error

    replace(layout=full)
    assert main(["stage", "layout", "--item", str(path)]) == EXIT_DISK_FULL
    assert "no space left" in capsys.readouterr().err


def test_any_other_failure_is_one_line_and_status_1(path, replace, capsys):
    def fails(item, out):
        raise RuntimeError("boom")

    replace(layout=fails)
    assert main(["stage", "layout", "--item", str(path)]) == 1
    assert "error: layout: RuntimeError: boom\n" in capsys.readouterr().err
