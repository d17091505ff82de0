"""The plan: deterministic, static, and hashed so that exactly what changed is made again."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from houdini_pdg import plan as plan_module
from houdini_pdg.__main__ import main
from houdini_pdg.engine.tasks import expand
from houdini_pdg.graph import GRAPH, SCENE_STAGES, STAGE_NAMES, downstream, stage_def
from houdini_pdg.plan import make_plan, read_item, read_plan, write_plan
from houdini_pdg.spec import SpecError, parse_spec
from scaling4d.geometry.seeds import child_seed

STAGES = [stage.name for stage in SCENE_STAGES]


def plan(root: Path = Path("/data"), **values):
    return make_plan(parse_spec({"scenes": 4, "seed": 11, **values}), root)


def changed(first, second) -> list[str]:
    """Stages of scene 0 whose hash differs."""
    a, b = first.scenes[0].hashes, second.scenes[0].hashes
    return [stage for stage in STAGES if a[stage] != b[stage]]


def test_same_spec_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_plan(plan(tmp_path / name))
    for path in sorted((tmp_path / "a").rglob("*.json")):
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == twin.read_bytes()


def test_plan_and_items_read_back(tmp_path):
    made = plan(tmp_path)
    write_plan(made)
    assert read_plan(tmp_path) == made
    item = read_item(made.item_path("scene_000002"))
    assert (item.seed, item.spec) == (made.scenes[2].seed, made.spec)
    assert item.root == tmp_path.resolve()


def test_more_scenes_leave_the_earlier_ones_alone():
    few, many = plan(scenes=2), plan(scenes=50)
    assert many.scenes[:2] == few.scenes


def test_seeds_are_named_children_of_the_run_seed():
    assert [s.seed for s in plan().scenes] == [child_seed(11, "scene", i) for i in range(4)]
    assert len({s.seed for s in plan(scenes=500).scenes}) == 500


def test_a_changed_section_remakes_its_stage_and_what_follows():
    base = plan()
    assert changed(base, plan(seed=12)) == STAGES
    assert changed(base, plan(render={"cycles": {"samples": 99}})) == ["render", "pack"]
    assert changed(base, plan(pack={"frames": 3})) == ["pack"]
    assert changed(base, plan(trajectory={"max_speed": 0.9}))[0] == "trajectory"
    assert changed(base, plan(height=64))[0] == "compose"
    assert changed(base, plan(frames=9))[0] == "characters"
    assert changed(base, plan(cameras=2))[0] == "compose"
    assert changed(base, plan(scenes=9)) == []


def test_a_moved_library_is_the_same_and_an_edited_one_is_not(tmp_path):
    head = "format: scaling4d-catalog\nversion: 1\nentries: []\n"
    for name, text in (("a", head), ("b", head), ("c", f"{head}# another\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "catalog.yaml").write_text(text)
    plans = {n: plan(libraries=[str(tmp_path / n / "catalog.yaml")]) for n in "abc"}
    assert changed(plans["a"], plans["b"]) == []
    assert changed(plans["a"], plans["c"]) == STAGES


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("sofas", "unknown 'sofas': did you mean sofa?"),
        ("couch", "unknown 'couch': did you mean sofa?"),
        ("quasar", "unknown 'quasar': name a class, a box or a person"),
    ],
)
def test_a_point_of_interest_that_no_scene_can_have_is_refused(wish, said):
    with pytest.raises(SpecError, match=re.escape(said)):
        plan(trajectory={"points_of_interest": ["person", wish]})


def test_points_of_interest_are_classes_names_places_and_what_the_users_layouts_hold(tmp_path):
    path = tmp_path / "layout.txt"
    path.write_text("wall_0=Wall(0,0,0,5,0,0,2.7,0)\nbbox_0=Bbox(quasar,1,1,0.5,0,1,1,1)\n")
    wishes = ["person", "sofa", "bbox_7", "person_0", "1,2,0.5", "quasar"]
    plan(layout={"files": [str(path)]}, trajectory={"points_of_interest": wishes})


def test_a_new_version_of_a_stage_remakes_it(monkeypatch):
    base = plan()
    newer = tuple(
        dataclasses.replace(s, version=2) if s.name == "render" else s for s in SCENE_STAGES
    )
    monkeypatch.setattr(plan_module, "SCENE_STAGES", newer)
    assert changed(base, plan()) == ["render", "pack"]


def test_replanning_touches_no_unchanged_item(tmp_path):
    write_plan(plan(tmp_path))
    path = tmp_path / "items/scene_000001.json"
    before = path.stat().st_mtime_ns
    write_plan(plan(tmp_path))
    assert path.stat().st_mtime_ns == before


def test_graph_is_a_chain_that_ends_in_the_index():
    assert STAGE_NAMES[-1] == "index"
    known: list[str] = []
    for stage in GRAPH:
        assert all(need in known for need in stage.needs)
        known.append(stage.name)
    assert downstream("trajectory") == ("render", "pack")
    with pytest.raises(ValueError, match="there is no stage 'views'"):
        stage_def("views")


def test_tasks_are_the_whole_graph_in_order_with_unique_markers():
    tasks = list(expand(plan()))
    assert len(tasks) == 4 * len(STAGES) + 1
    assert len({task.marker for task in tasks}) == len(tasks)
    seen: set[str] = set()
    for task in tasks:
        assert set(task.needs) <= seen
        seen.add(task.key)
    assert [t.scene_id for t in expand(plan(), 1, 2)][:-1] == ["scene_000001"] * len(STAGES)


@pytest.mark.parametrize("command", ["plan", "mint"])
@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (
            b"wall_0=Wall(0,0,0,5,0,0,2.7,0)\nroof_0=Roof(1,2,3)\n",
            "line 2, column 8: unknown class",
        ),
        (b"\xff\xfe", "is not a text in UTF-8"),
        (b"bbox_0=Bbox(bed,2,2,0.5,0,1.6,2.0,1.0)\n", "holds 1 boxes and no wall"),
        (None, "does not exist"),
    ],
    ids=["class", "bytes", "walls", "absent"],
)
def test_a_layout_file_that_cannot_be_used_is_one_sentence(tmp_path, capsys, command, layout, said):
    if layout is not None:
        (tmp_path / "room.txt").write_bytes(layout)
    (tmp_path / "spec.yaml").write_text("scenes: 1\nlayout: {files: [room.txt]}\n")
    assert main([command, str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "data")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: layout.files")
    assert "room.txt" in error
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "data/plan.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1}'])
def test_damaged_files_are_named(tmp_path, text):
    path = tmp_path / "items" / "scene_000000.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=r"scene_000000\.json"):
        read_item(path)


def test_a_folder_without_a_plan_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="houdini_pdg plan SPEC --out"):
        read_plan(tmp_path)


@pytest.mark.full
def test_a_plan_of_100_000_scenes_is_written_read_and_scheduled_below_one_gigabyte(tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from houdini_pdg.engine.local import _Schedule;"
        "from houdini_pdg.engine.tasks import expand;"
        "from houdini_pdg.plan import make_plan, read_plan, write_plan;"
        "from houdini_pdg.spec import SpecError, parse_spec;"
        "root = Path(sys.argv[1]);"
        "write_plan(make_plan(parse_spec({'scenes': 100_000}), root));"
        "plan = read_plan(root);"
        "assert len(plan.scenes) == 100_000;"
        "schedule = _Schedule(expand(plan));"
        # Of this program alone: getrusage's peak counts what the parent held when it forked.
        "status = Path('/proc/self/status').read_text();"
        "print(status.split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(result.stdout) < 1_000_000  # kB
