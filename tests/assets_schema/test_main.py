"""The command line as a user meets it: exit status, one-line errors, files left alone."""

from __future__ import annotations

import json

import cv2
import pytest
import trimesh

from assets_schema import Catalog
from assets_schema.__main__ import main

from .broken_assets import CASES
from .builders import stool_package, write_stool


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    Catalog([write_stool(folder)], folder).save(folder / "catalog.yaml")
    return folder


def test_list_and_show_print_pinned_indices(library, capsys) -> None:
    assert main(["list", str(library), "--category", "Stools"]) == 0
    assert "geometry:2 look:3" in capsys.readouterr().out
    assert main(["show", str(library), "stool_block"]) == 0
    assert "0 painted, 1 red, 2 blue" in capsys.readouterr().out
    assert main(["list", str(library), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "stool_block"


def test_preview_writes_a_sheet_a_turntable_and_an_overview(library, tmp_path) -> None:
    out = str(tmp_path / "sheet.png")
    assert main(["preview", str(library), "stool_block", "--out", out, "--size", "32"]) == 0
    assert cv2.imread(out).shape == (50, 192, 3)
    assert main(["preview", str(library), "--out", out, "--size", "32"]) == 0
    assert cv2.imread(out).shape == (50, 32, 3)
    movie = ["preview", str(library), "stool_block", "--out", str(tmp_path / "turn.mp4")]
    assert main([*movie, "--size", "32", "--select", "look=red"]) == 0
    assert (tmp_path / "turn.mp4").stat().st_size > 0


def test_ingest_catalogues_and_validate_passes(tmp_path, capsys) -> None:
    trimesh.creation.box((1, 1, 1)).export(tmp_path / "cube.stl")
    out = str(tmp_path / "mine")
    command = ["ingest", str(tmp_path / "cube.stl"), "--category", "stool", "--out", out]
    assert main([*command, "--license", "CC0-1.0", "--tag", "plain"]) == 0
    assert Catalog.load(out)["cube"].tags == ("plain",)
    assert main(["validate", out, "--jobs", "1"]) == 0
    assert "0 errors" in capsys.readouterr().out


def test_ingest_of_a_grown_folder_appends(tmp_path) -> None:
    source, out = tmp_path / "cubes", tmp_path / "mine"
    source.mkdir()
    command = ["ingest", str(source), "--category", "stool", "--license", "MIT", "--out", str(out)]
    for name in ("late", "middle"):
        trimesh.creation.box((1, 1, 1)).export(source / f"{name}.stl")
    assert main([*command, "--tag", "plain"]) == 0
    catalog = Catalog.load(out)
    catalog.entries[0].weight = 3.0
    catalog.save(out / "catalog.yaml")
    trimesh.creation.box((1, 1, 2)).export(source / "early.stl")
    assert main(command) == 0
    (entry,) = Catalog.load(out)
    assert entry.variant_sets["model"] == ("late", "middle", "early")
    assert (entry.weight, entry.tags) == (3.0, ("plain",))
    assert main(["validate", str(out), "--jobs", "1"]) == 0


def test_ingest_leaves_an_asset_of_the_same_name_elsewhere_alone(library, capsys) -> None:
    trimesh.creation.box((1, 1, 1)).export(library / "stool_block.stl")
    command = ["ingest", str(library / "stool_block.stl"), "--category", "vase"]
    assert main([*command, "--license", "MIT", "--out", str(library)]) == 2
    assert "choose another --id" in capsys.readouterr().err
    assert not (library / "vase").exists()


def test_update_says_what_breaks(library, capsys) -> None:
    package = stool_package()
    del package.sets["look"]["red"]
    package.write(library / "stool" / "stool_block", library_root=library)
    assert main(["update", str(library)]) == 0
    assert "stool_block: set look: red retired (breaking)" in capsys.readouterr().out


def test_validate_gates_by_exit_status_and_writes_sarif(library, tmp_path) -> None:
    case = next(case for case in CASES if case.code == "S4D602")
    file, _ = case.spoil(library, Catalog.load(library).entries[0])
    report = tmp_path / "findings.sarif"
    command = ["validate", str(file), "--format", "sarif", "--out", str(report), "--jobs", "1"]
    assert main(command) == 1
    assert json.loads(report.read_text())["runs"][0]["results"][0]["ruleId"] == "S4D602"


def test_build_update_and_diff(library, capsys) -> None:
    assert main(["build", str(library)]) == 2  # would throw the pins away
    assert "update keeps its pinned names" in capsys.readouterr().err
    assert main(["diff", str(library)]) == 0
    write_stool(library, "second")
    assert main(["diff", str(library)]) == 1
    assert "second: entry added" in capsys.readouterr().out
    assert main(["update", str(library)]) == 0
    assert [entry.id for entry in Catalog.load(library)] == ["stool_block", "second"]
    (library / "catalog.yaml").unlink()
    assert main(["build", str(library)]) == 0
    assert len(Catalog.load(library)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "LIBRARY", "stool_blok"], "did you mean stool_block"),
        (["list", "LIBRARY/nowhere"], "cannot read catalogue"),
        (["preview", "LIBRARY", "stool_block", "--out", "x.gif"], ".png or .mp4"),
        (["preview", "LIBRARY", "stool_block", "--out", "x.png", "--size", "3"], "16..4096"),
        (
            ["preview", "LIBRARY", "stool_block", "--out", "x.png", "--select", "look=gold"],
            "S4D202",
        ),
        (["validate", "LIBRARY", "--id", "nobody"], "no catalogue among the targets"),
        (["validate", "LIBRARY", "--time-limit", "0"], "must be positive"),
        (
            ["ingest", "LIBRARY/a.obj", "--category", "x", "--license", "MIT", "--out", "o"],
            "unknown category",
        ),
    ],
)
def test_mistakes_give_status_2_and_one_line(library, capsys, arguments, message) -> None:
    filled = [part.replace("LIBRARY", str(library)) for part in arguments]
    assert main(filled) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_help_teaches_with_examples(capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "python -m assets_schema ingest chair.glb" in capsys.readouterr().out
