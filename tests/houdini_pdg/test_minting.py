"""Whole data sets, every stage real: same seed, same bytes; damage, kills and full disks heal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.engine.local import Limits
from houdini_pdg.mint import RunOptions, run_plan
from houdini_pdg.plan import make_plan, read_plan, write_plan
from houdini_pdg.spec import SpecError, parse_spec
from scaling4d.storage.scene_file import open_scene, write_scene
from tests.houdini_pdg.mini_library import write_mini_library

SCENES = 2
SPEC = {
    "name": "test",
    "seed": 5,
    "scenes": SCENES,
    "cameras": 2,
    "frames": 5,
    "fps": 8,
    "height": 48,
    "width": 64,
    "characters": {"count": [1, 1]},
    "render": {"renderer": "preview"},
    "pack": {"max_rgb_difference": 1.0, "keep_work": True},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return write_mini_library(tmp_path_factory.mktemp("shelf") / "library")


def run(root: Path, library: Path, options: RunOptions | None = None, **values):
    plan = make_plan(parse_spec({**SPEC, "libraries": [str(library)], **values}), root)
    write_plan(plan)
    options = options or RunOptions(progress=False, limits=Limits(workers=2))
    return plan, run_plan(plan, options)


@pytest.fixture(scope="module")
def minted(library):
    """One data set minted by the local engine, next to its library."""
    plan, report = run(library.parent.parent / "minted", library)
    assert report.finished == SCENES, report
    return plan


def files(root: Path, *patterns: str) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for pattern in patterns
        for path in sorted(root.glob(pattern))
    }


ALL = ("scenes/*.h5", "work/*/layout.txt", "work/*/*.usda", "work/*/*.usdc", "work/*/*.json")


def test_same_seed_gives_the_same_bytes(minted, library):
    plan, _ = run(library.parent.parent / "again", library)
    assert files(plan.root, *ALL) == files(minted.root, *ALL)


def test_a_motion_that_no_library_has_fails_the_plan(library, tmp_path):
    """Beside one that is known, too: it would otherwise never be seen."""
    motions = {"motions": ["walk", "swim"], "count": [1, 1]}
    spec = parse_spec({**SPEC, "libraries": [str(library)], "characters": motions})
    with pytest.raises(SpecError, match=r"unknown swim: the libraries have .*walk"):
        make_plan(spec, tmp_path)
    with pytest.raises(SpecError, match="the libraries hold no people"):
        make_plan(parse_spec({"scenes": 1, "characters": motions}), tmp_path)


def test_another_seed_gives_other_scenes(minted, library):
    options = RunOptions(progress=False, last=1)
    plan, _ = run(library.parent.parent / "other", library, options, seed=6)
    first, second = (files(p.root, "work/scene_000000/layout.txt") for p in (minted, plan))
    assert first != second


def test_dask_gives_the_same_files_as_local(minted, library):
    pytest.importorskip("distributed")
    options = RunOptions(engine="dask", progress=False, limits=Limits(workers=2))
    plan, report = run(library.parent.parent / "on_dask", library, options)
    assert report.finished == SCENES, report
    assert files(plan.root, *ALL) == files(minted.root, *ALL)
    measured = ("seconds", "peak_memory_mb")  # all else is the same, line for line
    lines = [
        [{k: v for k, v in json.loads(line).items() if k not in measured} for line in text]
        for text in ((p.root / "index.jsonl").read_text().splitlines() for p in (plan, minted))
    ]
    assert lines[0] == lines[1]


def test_a_scene_can_be_minted_again_alone_from_its_provenance(minted, library, capsys):
    """Layout, stage, people, cameras and the whole file, to the byte; nothing else is minted."""
    file = minted.root / "scenes/scene_000001.h5"
    root = library.parent.parent / "alone"
    assert main(["mint", str(file), "--out", str(root)]) == 0
    assert "note:" not in capsys.readouterr().err
    made = files(root, "work/*/layout.txt", "work/*/*.usda", "work/*/*.json", "scenes/*")
    assert {path.split("/")[1].removesuffix(".h5") for path in made} == {"scene_000001"}
    assert len(made) >= 6
    assert made == {name: (minted.root / name).read_bytes() for name in made}


def test_minting_alone_says_what_will_differ(minted, tmp_path, capsys):
    file = str(minted.root / "scenes/scene_000001.h5")
    assert main(["plan", file, "--out", str(tmp_path), "trajectory.max_speed=0.8"]) == 0
    assert "note: trajectory and what follows it will differ" in capsys.readouterr().err
    assert main(["mint", file]) == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_data_set_moves_with_its_library_and_stays_finished(minted, library, tmp_path):
    shutil.copytree(library.parent, tmp_path / "library")
    shutil.copytree(minted.root, tmp_path / "minted")
    plan = read_plan(tmp_path / "minted")
    assert plan.spec.libraries == (tmp_path.resolve() / "library/catalog.yaml",)
    report = run_plan(plan, RunOptions(progress=False))
    assert [outcome.key for outcome in report.outcomes] == ["index"]
    assert main(["verify", str(plan.root)]) == 0


def test_a_moved_library_keeps_finished_scenes_and_composes_the_others_again(
    minted, library, tmp_path, capsys
):
    shutil.copytree(library.parent, tmp_path / "elsewhere/library")
    shutil.copytree(minted.root, tmp_path / "minted")
    (tmp_path / "minted/scenes/scene_000001.h5").unlink()
    assert main(["run", str(tmp_path / "minted")]) == 2
    assert "library/catalog.yaml is not there" in capsys.readouterr().err
    options = RunOptions(progress=False, limits=Limits(workers=2))
    moved = tmp_path / "elsewhere/library/catalog.yaml"
    plan, report = run(tmp_path / "minted", moved, options)
    again = ("compose", "trajectory", "render", "pack")
    assert [o.key for o in report.outcomes] == [*(f"{s}-scene_000001" for s in again), "index"]
    assert (plan.root / "scenes/scene_000000.h5").read_bytes() == (
        minted.root / "scenes/scene_000000.h5"
    ).read_bytes()
    stage = (plan.root / "work/scene_000001/scene.usda").read_text()
    assert "../../../elsewhere/library/" in stage
    file = "scenes/scene_000001.h5"
    with open_scene(plan.root / file) as new, open_scene(minted.root / file) as old:
        np.testing.assert_array_equal(new.depth("cam0"), old.depth("cam0"))


def test_scene_files_hold_what_they_promise(minted):
    with open_scene(minted.root / "scenes/scene_000000.h5") as scene:
        assert scene.camera_names == ["cam0", "cam1"]
        assert (scene.frames, scene.height, scene.width, scene.fps) == (5, 48, 64, 8.0)
        assert scene.attributes["request_hash"] == minted.scenes[0].hashes["pack"]
        assert scene.scene["layout"].startswith("wall")
        assert scene.scene["caption"]
        assert len(scene.scene["characters"]["characters"]) == 1
        assert scene.qa["residual_px_median"] < 0.02
        assert scene.path_record("cam0")["style"]
        ids = scene.instance_id("cam0")
        assert ids is not None
        names = {number: path for path, number in scene.scene["instances"].items()}
        assert set(np.unique(ids)) - {0} <= set(names)


def test_index_lines_describe_scenes_without_opening_them(minted):
    lines = [json.loads(text) for text in (minted.root / "index.jsonl").read_text().splitlines()]
    assert [line["scene_id"] for line in lines] == ["scene_000000", "scene_000001"]
    for line in lines:
        assert (minted.root / line["file"]).stat().st_size == line["bytes"]
        assert line["caption"]
        assert line["residual_px_median"] < 0.02
        assert set(line["views"]) == set(line["cameras"]) == {"cam0", "cam1"}
    statistics = json.loads((minted.root / "statistics.json").read_text())
    assert statistics["scenes"] == {"ok": 2}
    assert 0.1 < statistics["depth_m"]["median"] < 20
    assert statistics["residual_px_median"]["median"] < statistics["residual_px_p99"]["median"]


def test_a_second_run_starts_nothing(minted):
    report = run_plan(read_plan(minted.root), RunOptions(progress=False))
    assert [outcome.key for outcome in report.outcomes] == ["index"]


def test_status_verify_inspect_and_preview_speak(minted, capsys):
    root = str(minted.root)
    assert main(["status", root]) == 0
    text = capsys.readouterr().out
    assert re.search(r"finished +2 +#{30}", text)
    assert re.search(r"render +[\d.]+ +\d+% +\d+", text)
    assert main(["verify", root]) == 0
    assert "2 scene files are good, 0 problems" in capsys.readouterr().out
    file = f"{root}/scenes/scene_000000.h5"
    assert main(["inspect", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["qa"]["residual_px_median"] < 0.02
    assert main(["inspect", file]) == 0
    text = capsys.readouterr().out
    assert "2 cameras x 5 frames of 64 x 48" in text
    assert "between views: round trip" in text
    assert "person_0" in text
    assert main(["inspect", f"{root}/items/scene_000000.json"]) == 0
    assert "trajectory  ok" in capsys.readouterr().out
    assert main(["preview", root]) == 0
    assert main(["inspect", root]) == 2
    assert "neither a scene file" in capsys.readouterr().err


def test_verify_proves_the_clearance_again_and_finds_a_false_claim(minted, tmp_path, capsys):
    good = minted.root / "scenes/scene_000000.h5"
    assert main(["verify", str(good)]) == 0
    with open_scene(good) as scene:
        tracks = {name: scene.track(name) for name in scene.camera_names}
        paths = {name: scene.path_record(name) for name in scene.camera_names}
        paths["cam1"]["certificate"]["clearance"] = 9.0
        write_scene(
            tmp_path / "bad.h5",
            cameras=tracks,
            fps=scene.fps,
            attributes={"request_hash": "x"},
            scene=scene.scene,
            paths=paths,
        )
    assert main(["verify", str(tmp_path / "bad.h5")]) == 1
    assert "cam1: clearance" in capsys.readouterr().err


def test_generator_imports_no_training_library(repository):
    code = (
        "import sys; import houdini_pdg.__main__, houdini_pdg.mint, houdini_pdg.stages.pack,"
        "houdini_pdg.stages.render, houdini_pdg.verify;"
        "bad = {'torch', 'diffusers', 'transformers', 'train'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository)
