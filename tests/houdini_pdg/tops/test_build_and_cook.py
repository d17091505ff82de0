"""The real builder, callbacks and cook against a host that raises on any name Houdini lacks."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.engine.dask import run_dask
from houdini_pdg.engine.local import Limits, run_local
from houdini_pdg.engine.progress import Progress
from houdini_pdg.engine.tasks import expand
from houdini_pdg.files import write_json
from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.plan import make_plan, read_item, read_plan, write_plan
from houdini_pdg.spec import parse_spec
from houdini_pdg.tops.schedulers import NetworkOptions, scheduler_parameters
from tests.houdini_pdg.tiny_scene import plan_of
from tests.houdini_pdg.tops.conftest import build, cook, run_in_process
from tests.houdini_pdg.tops.fake_houdini import workItemState


@pytest.mark.parametrize("version", ["21.0", "22.0"])
@pytest.mark.parametrize("scheduler", ["local", "hqueue", "deadline", "tractor"])
def test_network_builds_for_every_scheduler_and_version(tmp_path, enter, version, scheduler):
    host = enter(version)
    network = build(plan_of(tmp_path), scheduler=scheduler)
    kinds = [node.type().name() for node in network.topnet.children()]
    assert kinds.count(f"{scheduler}scheduler") == 2
    assert [k for k in kinds if "scheduler" in k] == [f"{scheduler}scheduler"] * 2
    assert network.topnet.values["topscheduler"] == "/tasks/scaling4d/sched_cpu"
    assert network.stages["render"].values["topscheduler"] == "/tasks/scaling4d/sched_render"
    assert host.displayed == "/tasks/scaling4d/index"


def test_wrong_scheduler_parameter_is_refused(tmp_path, enter):
    enter("21.0")
    module = importlib.import_module("houdini_pdg.tops.build")
    with pytest.raises(module.SurfaceError, match="has no parameter 'hqueue_priority'"):
        build(plan_of(tmp_path), extra={"hqueue_priority": "7"})
    with pytest.raises(module.SurfaceError, match="has no token '9'"):
        build(plan_of(tmp_path), extra={"tempdirmenu": "9"})


def test_scheduler_values_of_the_command_line_fit_their_parameters(tmp_path, enter, capsys):
    """A menu takes its token, a text a text that reads like a number, a number a number."""
    host = enter("21.0")
    plan_of(tmp_path)
    command = ["tops", "build", str(tmp_path), "--python", "/opt/venv/bin/python"]
    deadline = ["--scheduler", "deadline", "--set", "deadline_jobpool=7"]
    assert main([*command, *deadline, "--set", "deadline_jobpriority=60"]) == 0
    values = host.tasks.children()[0].children()[0].values
    assert (values["deadline_jobpool"], values["deadline_jobpriority"]) == ("7", 60)
    assert main([*command, "--set", "tempdirmenu=1"]) == 0
    for wrong, message in (
        ("maxprocs=many", "takes a number (a toggle 0 or 1), got 'many'"),
        ("tempdirmenu=9", "has no token '9', it has 0, 1, 2"),
        ("hqueue_priority=7", "has no parameter 'hqueue_priority'"),
        ("maxprocs", "--set takes PARAMETER=VALUE"),
    ):
        assert main([*command, "--set", wrong]) == 2
        assert message in capsys.readouterr().err


COOK_WITH_LITTLE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        known = {"houdini_pdg", "scaling4d", "tests", "numpy"} | set(sys.stdlib_module_names)
        if top not in known:
            raise ModuleNotFoundError(f"Houdini's Python has no {name}")

sys.meta_path.insert(0, Missing())
from tests.houdini_pdg.tops.fake_houdini import Host
sys.modules.update(Host("21.0", run=lambda argv: 1).modules())
from houdini_pdg.__main__ import main
command = ["tops", "cook", sys.argv[1], "--python", "/opt/venv/bin/python"]
sys.exit(main([*command, "--set", "maxprocs=3"]))
"""


def test_cooking_needs_no_package_that_houdini_may_not_have(tmp_path, repository):
    """Its Python comes with numpy; the stages run in another."""
    plan_of(tmp_path)
    command = [sys.executable, "-c", COOK_WITH_LITTLE, str(tmp_path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # the item fails, as it must; the cook does not
    assert "failed: render_0 is" in done.stderr
    assert (tmp_path / "quarantine/scene_000000.json").is_file()
    assert (tmp_path / "index.jsonl").read_text() == ""


def test_cooking_the_network_mints_the_scenes(tmp_path, enter):
    enter("22.0")
    plan = plan_of(tmp_path, scenes=2, render={"renderer": "preview"})
    report = cook(build(plan), expected=2)
    assert report.problems == ()
    assert report.cooked == {stage.name: 2 for stage in SCENE_STAGES}
    assert len((tmp_path / "index.jsonl").read_text().splitlines()) == 2
    assert main(["verify", str(tmp_path)]) == 0


def test_second_cook_starts_no_command(tmp_path, enter):
    enter("21.0")
    plan = plan_of(tmp_path, render={"renderer": "preview"})
    cook(build(plan), expected=1)
    host = enter("21.0")
    report = cook(build(plan), expected=1)
    assert report.succeeded
    assert host.commands == []


def test_a_lost_scene_file_is_made_again_although_its_markers_are_there(tmp_path, enter):
    """PDG takes an item for cached when its marker exists; the file behind it may be gone."""
    enter("21.0")
    plan = plan_of(tmp_path, render={"renderer": "preview"})
    cook(build(plan), expected=1)
    (tmp_path / "scenes/scene_000000.h5").unlink()
    host = enter("21.0")
    assert cook(build(plan), expected=1).succeeded
    assert [argv[6] for argv in host.commands] == ["render", "pack", "index"]
    assert main(["verify", str(tmp_path)]) == 0


def test_failed_items_are_reported_although_cooking_does_not_raise(tmp_path, enter):
    enter("21.0", run=lambda argv: 1)
    plan = plan_of(tmp_path, scenes=2)
    report = cook(build(plan), expected=2)
    assert not report.succeeded
    assert any("render_0" in text and "CookedFail" in text for text in report.problems)
    assert any("pack_1" in text and "Uncooked" in text for text in report.problems)


def test_an_empty_graph_is_not_a_success(tmp_path, enter):
    enter("21.0")
    plan = plan_of(tmp_path)
    with pytest.raises(ValueError, match="nothing to cook"):
        cook(build(plan), expected=0)
    report = cook(build(plan, first=1), expected=1)
    assert any("made 0 items, expected 1" in text for text in report.problems)


def test_items_carry_the_attributes_of_the_ml_nodes(tmp_path, enter):
    enter("21.0")
    plan = plan_of(tmp_path, scenes=2, height=48, width=64, render={"renderer": "preview"})
    network = build(plan)
    cook(network, expected=2)
    items = network.stages["scenes"].getPDGNode().workItems
    second = items[1].attributes
    assert second["variant"] == second["scene_index"] == 1
    assert second["res"] == [64, 48]
    assert second["ds_dir"] == plan.root.as_posix()
    assert int(second["scene_seed"]) == plan.scenes[1].seed
    assert second["v_seed"] == plan.scenes[1].seed % 2**31
    assert all(item.state is workItemState.CookedSuccess for item in items)


def test_chunks_cook_their_scenes_only(tmp_path, enter):
    host = enter("21.0", run=run_in_process)
    plan = plan_of(tmp_path, scenes=3, render={"renderer": "preview"})
    cook(build(plan, first=1, last=2), expected=1)
    scenes = {argv[-1].split("/")[-1] for argv in host.commands}
    assert scenes == {"scene_000001.json", "plan.json"}


def marked(arguments: tuple[str, ...]) -> None:
    """Finish a command without doing its work: only its marker is written."""
    _, stage, _, item = arguments
    done = read_plan(Path(item).parent).index_marker if stage == "index" else None
    marker = done or read_item(Path(item)).marker(stage)
    write_json(marker, {"status": "ok", "report": {}, "outputs": {}})


def commands_of_tops(root: Path, scenes: int, enter) -> list[tuple[str, ...]]:
    started: list[tuple[str, ...]] = []

    def record(argv: list[str]) -> int:
        started.append(tuple(argv[5:]))
        marked(started[-1])
        return 0

    enter("22.0", run=record)
    cook(build(read_plan(root)), expected=scenes)
    return started


def commands_of_engine(root: Path, engine: str, monkeypatch) -> list[tuple[str, ...]]:
    started: list[tuple[str, ...]] = []

    def launch(arguments, *, log, timeout, watch) -> int:
        started.append(arguments)
        marked(arguments)
        return 0

    tasks = list(expand(read_plan(root)))
    progress = Progress(len(tasks), show=False)
    if engine == "local":
        run_local(tasks, progress, Limits(workers=1), launch)
        return started
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("houdini_pdg.engine.dask.launch_subprocess", launch)
    threads = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with distributed.LocalCluster(**threads, dashboard_address=None) as cluster:
        run_dask(tasks, progress, address=cluster.scheduler_address)
    return started


@pytest.mark.parametrize("scenes", [1, 2])
def test_tops_local_and_dask_start_the_same_commands_in_the_same_order(
    tmp_path, enter, monkeypatch, scenes
):
    """Of one scene the same list; of two the same for each scene, whichever goes first."""
    spec = parse_spec({"scenes": scenes})
    started = {}
    for engine in ("tops", "local", "dask"):
        root = tmp_path / "data"
        write_plan(make_plan(spec, root))
        if engine == "tops":
            started[engine] = commands_of_tops(root, scenes, enter)
        else:
            started[engine] = commands_of_engine(root, engine, monkeypatch)
        shutil.rmtree(root)
    assert len(started["tops"]) == scenes * len(SCENE_STAGES) + 1
    assert len(set(started["tops"])) == len(started["tops"])
    for scene in (*(f"scene_{n:06d}.json" for n in range(scenes)), "plan.json"):
        orders = [[a for a in list_ if a[-1].endswith(scene)] for list_ in started.values()]
        assert orders[0] == orders[1] == orders[2]
        assert orders[0]
    assert {list_[-1][1] for list_ in started.values()} == {"index"}


def test_commands_hold_nothing_that_pdg_expands(tmp_path, enter):
    enter("21.0")
    network = build(plan_of(tmp_path))
    for stage in SCENE_STAGES:
        command = network.stages[stage.name].values["pdg_command"]
        assert command.replace("`@item_json`", "").count("`") == 0
        assert "$" not in command
        assert shlex.split(command)[0] == "/opt/venv/bin/python"
    with pytest.raises(ValueError, match="characters that PDG expands"):
        NetworkOptions(python="/opt/$HFS/python")


def test_render_slots_follow_the_option(monkeypatch):
    """With as many threads for each as leave the cores to all of them."""
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    options = NetworkOptions(python="python", workers=6, renders=2)
    cpu = scheduler_parameters(options, Path("/data"), renders=False)
    render = scheduler_parameters(options, Path("/data"), renders=True)
    assert (cpu["maxprocs"], render["maxprocs"]) == (6, 2)
    assert (cpu["local_houdinimaxthreads"], render["local_houdinimaxthreads"]) == (2, 8)
    assert render["local_maximumretries"] == 2


def test_tops_outside_houdini_says_what_to_do(tmp_path, capsys):
    plan_of(tmp_path)
    assert main(["tops", "build", str(tmp_path), "--python", "python"]) == 2
    assert "hython -m houdini_pdg tops" in capsys.readouterr().err


def test_command_line_builds_saves_and_cooks(tmp_path, enter, capsys):
    host = enter("21.0")
    plan_of(tmp_path, render={"renderer": "preview"})
    arguments = [str(tmp_path), "--python", "/opt/venv/bin/python"]
    assert main(["tops", "build", *arguments]) == 0
    assert host.saved == [str(tmp_path / "scaling4d.hip")]
    assert main(["tops", "cook", *arguments]) == 0
    assert main(["tops", "cook", *arguments, "--scheduler", "slurm"]) == 2
    assert "choose one of local, hqueue, deadline, tractor" in capsys.readouterr().err


def test_a_wrong_range_or_an_absent_library_is_one_sentence(tmp_path, enter, capsys):
    """As the local engine says it, and before a scene fails for it."""
    enter("21.0")
    plan = plan_of(tmp_path, scenes=2)
    command = ["tops", "cook", str(tmp_path), "--python", "/opt/venv/bin/python"]
    assert main([*command, "--from", "2"]) == 2
    assert "no scenes lie from 2 to 2" in capsys.readouterr().err
    assert main([*command, "--from", "-1"]) == 2
    gone = dataclasses.replace(plan.spec, libraries=(tmp_path / "gone/catalog.yaml",))
    write_plan(dataclasses.replace(plan, spec=gone))
    assert main(command) == 2
    assert "catalog.yaml is not there: put it back" in capsys.readouterr().err
    assert not (tmp_path / "quarantine").exists()


def test_package_file_needs_no_absolute_path(repository):
    package = json.loads((repository / "houdini_pdg/packages/scaling4d.json").read_text())
    assert package["env"][0] == {"SCALING4D": "$HOUDINI_PACKAGE_PATH/../.."}
    assert package["env"][1]["PYTHONPATH"]["method"] == "prepend"
    plugins = package["env"][2]["PXR_PLUGINPATH_NAME"]
    assert plugins["method"] == "prepend"
    folder = repository / plugins["value"].replace("$SCALING4D/", "")
    assert (folder / "plugInfo.json").is_file()
