"""Stage `layout` as the pipeline runs it."""

from __future__ import annotations

from pathlib import Path

from houdini_pdg.layout.generate import generate_layout
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.stages import read_marker
from scaling4d.geometry.seeds import child_seed
from tests.houdini_pdg.minting import mint


def test_layout_txt_is_the_layout_of_the_scenes_own_stream(tmp_path: Path) -> None:
    item, reports = mint(tmp_path, [], ("layout",))
    text = (item.work / "layout.txt").read_bytes()
    layout = parse_layout(text.decode())
    assert layout == generate_layout(item.spec.layout, child_seed(item.seed, "layout"))
    assert reports["layout"]["boxes"] == len(layout.boxes)
    again, _ = mint(tmp_path / "again", [], ("layout",))
    assert (again.work / "layout.txt").read_bytes() == text


def test_a_users_layout_passes_through(tmp_path: Path) -> None:
    source = tmp_path / "mine.txt"
    source.write_text(
        "bbox_0=Bbox(bed,2,2,0.5,0,1.6,2.0,1.0)\n"
        "wall_0=Wall(0,0,0,5,0,0,2.7,0)\nwall_1=Wall(5,0,0,5,4,0,2.7,0)\n"
        "wall_2=Wall(5,4,0,0,4,0,2.7,0)\nwall_3=Wall(0,4,0,0,0,0,2.7,0)\n"
    )
    item, _ = mint(tmp_path / "out", [], ("layout",), layout={"files": [str(source)]})
    assert parse_layout((item.work / "layout.txt").read_text()) == parse_layout(source.read_text())


def test_a_lenient_spec_skips_the_lines_that_break_the_grammar(tmp_path: Path) -> None:
    source = tmp_path / "mine.txt"
    good = "wall_0=Wall(0,0,0,5,0,0,2.7,0)\nbbox_0=Bbox(bed,2,2,0.5,0,1.6,2.0,1.0)\n"
    source.write_text(f"{good}wall_1=Wall(oops)\n")
    layout = {"files": [str(source)], "lenient": True}
    item, _ = mint(tmp_path / "out", [], ("layout",), layout=layout)
    assert parse_layout((item.work / "layout.txt").read_text()) == parse_layout(good)


def test_an_impossible_room_is_a_rejection_not_a_crash(tmp_path: Path) -> None:
    layout = {
        "width": [2.5, 2.6],
        "depth": [2.5, 2.6],
        "shapes": {"rectangle": 1.0},
        "room_types": {"studio": 1.0},
        "attempts": 1,
    }
    item, reports = mint(tmp_path, [], ("layout",), layout=layout)
    assert read_marker(item.marker("layout"))["status"] == "rejected"
    assert "allow larger rooms" in reports["layout"]["reason"]
    assert reports["layout"]["redrawn"] == ["floor plan 0 could not be furnished"]
