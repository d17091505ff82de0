"""Finished data sets that are damaged, rejected, crashed, crowded or addressed wrongly.

Two scenes of the tiny room stand for them, which are quick to mint.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import h5py
import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.engine.command import EXIT_DISK_FULL
from houdini_pdg.files import file_digest
from houdini_pdg.mint import RunOptions, run_plan
from houdini_pdg.plan import read_item, read_plan
from tests.houdini_pdg.tiny_scene import plan_of


@pytest.fixture(scope="module")
def tiny_made(tmp_path_factory):
    plan = plan_of(tmp_path_factory.mktemp("tiny"), scenes=2, render={"renderer": "preview"})
    assert run_plan(plan, RunOptions(progress=False)).finished == 2
    return plan.root


@pytest.fixture
def tiny(tiny_made, tmp_path):
    """Two scenes of the tiny room, finished; a copy to be damaged."""
    return read_plan(shutil.copytree(tiny_made, tmp_path / "tiny"))


@pytest.mark.parametrize("damage", ["truncate", "remove", "flip"])
def test_a_damaged_scene_file_is_found_and_made_again(tiny, damage, capsys):
    path = tiny.root / "scenes/scene_000001.h5"
    whole = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "remove":
        path.unlink()
    else:
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    assert main(["verify", str(tiny.root)]) == 1
    assert "scene_000001.h5" in capsys.readouterr().err
    if damage == "flip":
        path.unlink()  # the same size: only verify reads the bytes; it says to make it again
    report = run_plan(tiny, RunOptions(progress=False))
    assert report.finished == 2
    assert path.read_bytes() == whole
    assert main(["verify", str(tiny.root)]) == 0


def test_a_damaged_index_or_marker_is_a_finding_and_mended_by_a_run(tiny, capsys):
    index = tiny.root / "index.jsonl"
    index.write_text(index.read_text()[:-40])
    marker = read_item(tiny.item_path("scene_000000")).marker("pack")
    marker.write_text(marker.read_text()[:100])
    assert main(["verify", str(tiny.root)]) == 1
    said = capsys.readouterr()
    assert "index.jsonl line 2 is damaged: run again" in said.err
    assert "2 scene files are good" in said.out
    assert main(["run", str(tiny.root)]) == 0
    assert main(["verify", str(tiny.root)]) == 0


def test_a_data_set_without_its_work_folder_is_verified_by_its_index(tiny, capsys):
    """What is copied to where one trains."""
    shutil.rmtree(tiny.root / "work")
    assert main(["verify", str(tiny.root)]) == 0
    assert "2 scene files are good" in capsys.readouterr().out
    path = tiny.root / "scenes/scene_000001.h5"
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    assert main(["verify", str(tiny.root)]) == 1
    assert "scene_000001.h5 has changed since it was written" in capsys.readouterr().err


def spoil(root: Path, name: str, layout: str) -> None:
    """Write another layout text into a scene file, and the digest that hides it from the marker."""
    path = root / f"scenes/{name}.h5"
    with h5py.File(path, "r+") as file:
        del file["scene/layout"]
        file["scene/layout"] = layout
    marker = read_item(root / f"items/{name}.json").marker("pack")
    record = json.loads(marker.read_text())
    record["report"]["digest"] = file_digest(path)
    record["outputs"][f"scenes/{name}.h5"] = path.stat().st_size
    marker.write_text(json.dumps(record))


def test_a_spoiled_layout_in_one_file_is_a_finding_and_the_others_are_verified(tiny, capsys):
    spoil(tiny.root, "scene_000000", "wall_0=Roof(1,2)\n")
    assert main(["verify", str(tiny.root / "scenes/scene_000000.h5")]) == 1
    assert main(["verify", str(tiny.root)]) == 1
    said = capsys.readouterr()
    assert "scene_000000.h5: its layout cannot be read: line 1, column 8" in said.err
    assert "1 scene files are good" in said.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("status {root}/nowhere", "there is no folder"),
        ("verify {root}/scenes/scene_000009.h5", "there is no scene file"),
        ("preview {root}/items", "name a data set or a scene file"),
        ("inspect {root}", "of a whole data set see the command status"),
        ("inspect {root}/plan.json", "neither a scene file (.h5) nor an item"),
        ("run {root} --from 9", "no scenes lie from 9 to 2 (excluded): the plan has 2"),
        ("run {root} --from 1 --to 1", "no scenes lie from 1 to 1"),
        ("run {root} --workers 0", "--workers must be at least 1, got 0"),
        ("run {root} --renders 0", "--renders must be at least 1, got 0"),
        ("run {root} --memory -1", "--memory must be positive"),
        ("run {root} --address tcp://host:8786", "add --engine dask"),
        ("run {root} --engine dask --memory 4", "--memory is of the local engine"),
        ("mint {root}/scenes/scene_000000.h5 --out {root} --from 1", "a scene file is one scene"),
        ("mint {root}/scenes/scene_000000.h5", "say where the scene goes: --out DIR"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_status_2(tiny, capsys, command, message):
    before = {path: path.stat().st_mtime_ns for path in tiny.root.rglob("*.*")}
    assert main(command.format(root=tiny.root).split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    after = {path: path.stat().st_mtime_ns for path in tiny.root.rglob("*.*")}
    locks = {tiny.root / ".run.lock"}
    assert {path for path in after if after[path] != before.get(path)} <= locks


def test_training_reads_the_index_and_opens_no_file(tiny, monkeypatch):
    """Rejected and unfinished scenes are not in it, whatever lies in the folder."""
    from scaling4d.data import synthetic_pairs
    from scaling4d.data.pairs import ClipSize

    (tiny.root / "work/scene_000000/unfinished.h5").write_text("")
    monkeypatch.setattr(synthetic_pairs, "open_scene", lambda path: pytest.fail("opened"))
    pairs = synthetic_pairs.SyntheticPairs(tiny.root, ClipSize(frames=3, height=16, width=16))
    assert len(pairs) == 2 * 6
    (tiny.root / "scenes/scene_000000.h5").unlink()
    with pytest.raises(ValueError, match="which is missing or cut short"):
        synthetic_pairs.SyntheticPairs(tiny.root, ClipSize(frames=3, height=16, width=16))


def test_index_never_lists_a_truncated_file(tiny):
    path = tiny.root / "scenes/scene_000000.h5"
    path.write_bytes(path.read_bytes()[:-100])
    assert main(["stage", "index", "--item", str(tiny.root / "plan.json")]) == 0
    lines = (tiny.root / "index.jsonl").read_text().splitlines()
    assert [json.loads(line)["scene_id"] for line in lines] == ["scene_000001"]


def test_a_failed_check_rejects_for_good_and_is_not_indexed(tmp_path, capsys):
    """Cameras that lie about their pose by 15 mm are found by the round trip between the views."""
    plan = plan_of(tmp_path, scenes=1, render={"renderer": "preview"})
    item = read_item(plan.item_path("scene_000000"))
    render = ["stage", "render", "--item", str(plan.item_path("scene_000000"))]
    assert main(render) == 0
    cameras = json.loads((item.work / "cameras.json").read_text())
    for pose in cameras["cameras"]["cam1"]["world_from_camera"]:
        for row in range(3):
            pose[row][3] += 0.015 * pose[row][2]  # along the viewing direction
    (item.work / "cameras.json").write_text(json.dumps(cameras))
    report = run_plan(plan, RunOptions(progress=False))
    assert (report.finished, report.rejected, report.quarantined) == (0, 1, ())
    assert main(["status", str(tmp_path)]) == 0
    assert "the round trip from cam0 to cam1 is off by" in capsys.readouterr().out
    assert (tmp_path / "index.jsonl").read_text() == ""
    kept = {path.name for path in (tmp_path / "rejected").iterdir()}
    assert kept == {"scene_000000.json", "scene_000000.mp4", "scene_000000.png"}
    record = json.loads((tmp_path / "rejected/scene_000000.json").read_text())
    assert record["stage"] == "pack"
    assert "is off by" in record["reason"]
    assert record["qa"]["residual_px_median"] > 0.02
    again = run_plan(plan, RunOptions(progress=False))
    assert [outcome.key for outcome in again.outcomes] == ["index"]


def test_a_crashing_renderer_is_set_aside_and_finishes_when_it_works_again(tmp_path, capsys):
    plan = plan_of(tmp_path, scenes=2, render={"renderer": "preview"})
    stage = read_item(plan.item_path("scene_000000")).work / "scene.usda"
    good = stage.read_text()
    stage.write_text("#usda 1.0\n(")
    report = run_plan(plan, RunOptions(progress=False))
    assert (report.finished, report.quarantined) == (1, ("scene_000000",))
    assert main(["status", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "failed scene_000000 in render after" in text
    record = json.loads((tmp_path / "quarantine/scene_000000.json").read_text())
    assert (tmp_path / record["log"]).is_file()
    stage.write_text(good)
    skipped = run_plan(plan, RunOptions(progress=False, skip_quarantined=True))
    assert (skipped.finished, skipped.quarantined) == (1, ("scene_000000",))
    healed = run_plan(plan, RunOptions(progress=False))
    assert (healed.finished, healed.quarantined) == (2, ())


def test_two_runs_on_one_folder_are_refused(tiny, capsys):
    from houdini_pdg.mint import run_lock

    with run_lock(tiny.root):
        assert main(["run", str(tiny.root)]) == 2
    assert "another run is working on" in capsys.readouterr().err


def test_a_full_disk_stops_the_run_and_a_rerun_finishes(tmp_path):
    """On a file system of two megabytes; needs the right to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small file system")
    try:
        root = disk / "data"
        plan = plan_of(root, scenes=2, render={"renderer": "preview"})
        ballast = disk / "ballast"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(bytes(free - 60_000))
        assert main(["run", str(root), "--workers", "1"]) == EXIT_DISK_FULL
        assert not list(root.glob("scenes/*.h5"))
        assert not list(root.glob("quarantine/*"))
        ballast.unlink()
        assert main(["run", str(root), "--workers", "1"]) == 0
        assert main(["verify", str(root)]) == 0
        assert len((root / "index.jsonl").read_text().splitlines()) == len(plan.scenes)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_dask_worker_killed_in_the_middle_loses_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    plan = plan_of(
        tmp_path, scenes=2, frames=8, height=96, width=128, render={"renderer": "preview"}
    )
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    killed: list[int] = []

    def kill_one() -> None:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("work/*/partial/*/cam0/*.npz")):
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        pids = list(client.run(os.getpid).values())
        os.kill(pids[0], signal.SIGKILL)
        killed.append(pids[0])

    with cluster, distributed.Client(cluster) as client:
        thread = threading.Thread(target=kill_one)
        thread.start()
        options = RunOptions(engine="dask", address=cluster.scheduler_address, progress=False)
        report = run_plan(plan, options)
        thread.join()
    assert killed
    assert (report.finished, report.quarantined) == (2, ())
    assert main(["verify", str(tmp_path)]) == 0


def test_what_this_machine_cannot_render_is_told_before_anything_runs(tiny, capsys, monkeypatch):
    """Else each of ten thousand scenes would fail three times and be set aside."""
    (tiny.root / "scenes/scene_000001.h5").unlink()
    monkeypatch.setattr("houdini_pdg.render.preview.find_spec", lambda name: None)
    assert main(["run", str(tiny.root)]) == 2
    assert capsys.readouterr().err == (
        "error: the renderer preview needs Embree: pip install 'scaling4d[render]'\n"
    )
    assert not (tiny.root / "quarantine").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    spec = tmp_path / "spec.yaml"
    spec.write_text("scenes: 1\n")
    (tmp_path / "file").write_text("")
    assert main(["plan", str(spec), "--out", str(tmp_path / "file/data")]) == 2
    assert capsys.readouterr().err.startswith("error: Not a directory: ")


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1"])
def test_a_malformed_dask_address_is_one_sentence(tiny, capsys, address):
    pytest.importorskip("distributed")
    (tiny.root / "scenes/scene_000000.h5").unlink()
    assert main(["run", str(tiny.root), "--engine", "dask", "--address", address]) == 2
    assert "--address must read like tcp://host:8786" in capsys.readouterr().err


def test_an_absent_dask_scheduler_is_one_sentence(tiny, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("houdini_pdg.engine.dask._PATIENCE", "1s")
    path = tiny.root / "scenes/scene_000000.h5"
    path.unlink()
    command = ["run", str(tiny.root), "--engine", "dask", "--address", "tcp://127.0.0.1:1"]
    assert main(command) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err
