"""The built library on disk: equal twice, valid, lit, complete."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pxr import Usd, UsdLux

from assets_schema.__main__ import main
from assets_schema.catalog import Catalog
from assets_schema.entry import Entry
from assets_schema.library.build import build_library, recipes
from assets_schema.library.characters.motions import MOTIONS
from assets_schema.library.light_rigs import LIGHT_RIGS
from assets_schema.validate import validate_asset
from assets_schema.validate.library import validate_targets
from assets_schema.validate.runner import Options
from assets_schema.variant_tree import Variant

from .test_bvh import other_skeleton

pytest.importorskip("anny", reason="characters need the extra [library]")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Catalog, Path, float]:
    out = tmp_path_factory.mktemp("library")
    start = time.process_time()
    catalog = build_library(out, "quickstart")
    return catalog, out, time.process_time() - start


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_two_builds_are_equal_byte_for_byte(built, tmp_path) -> None:
    catalog, out, _ = built
    again = build_library(tmp_path / "again", "quickstart")
    assert digest(out) == digest(tmp_path / "again")
    assert [entry.content_hash for entry in catalog.entries] == [
        entry.content_hash for entry in again.entries
    ]


def test_the_quickstart_takes_well_under_a_minute_of_processor_time(built) -> None:
    assert built[2] < 60


def test_the_catalogue_reads_back_with_every_asset(built) -> None:
    catalog = Catalog.load(built[1])
    expected = len(recipes("quickstart")) + len(LIGHT_RIGS) + 1
    assert len(catalog.entries) == expected
    assert {entry.kind for entry in catalog.entries} == {"asset", "character", "light", "room"}


def test_progress_counts_every_asset(tmp_path, monkeypatch) -> None:
    from assets_schema.library import build

    monkeypatch.setattr(build, "recipes", lambda preset: recipes(preset)[:2])
    monkeypatch.setattr(build, "_person", lambda *_: recipes("quickstart") and _first(tmp_path))
    monkeypatch.setattr(build, "LIGHT_RIGS", ())
    seen: list[tuple[int, int, str]] = []
    build.build_library(tmp_path, "quickstart", lambda *step: seen.append(step))
    assert [step[0] for step in seen] == [0, 1, 2, 3]
    assert {step[1] for step in seen} == {3}


def test_building_again_keeps_what_the_catalogue_pins(tmp_path, monkeypatch) -> None:
    from assets_schema.library import build

    monkeypatch.setattr(build, "recipes", lambda preset: recipes(preset)[:1])
    monkeypatch.setattr(build, "_person", lambda out, *_: _first(out))
    monkeypatch.setattr(build, "LIGHT_RIGS", ())
    (first, rig) = build.build_library(tmp_path, "quickstart").entries
    shapes = first.variants[0]
    turned = replace(shapes, variants=(*reversed(shapes.variants), Variant("gone")))
    first.variants, first.weight = (turned, *first.variants[1:]), 3.0
    Catalog([Entry("mine", "mine.usda", "bed"), first, rig], tmp_path).save(
        tmp_path / "catalog.yaml"
    )
    build.build_library(tmp_path, "quickstart")
    mine, again, _ = Catalog.load(tmp_path)
    assert mine.id == "mine"
    assert again.variants[0].names == turned.names
    assert again.variants[0].variants[-1].retired
    assert again.weight == 3.0


def test_motion_capture_becomes_a_motion_of_the_person(tmp_path, monkeypatch, capsys) -> None:
    from assets_schema.library import build
    from assets_schema.library.characters import person

    few = {"bodies": ("woman_slim",), "outfits": ("tee_jeans",), "hair": ("short",)}
    few |= {"motions": {"idle": MOTIONS["idle"]}, "looks": ("navy",)}
    write = person.write_person
    monkeypatch.setattr(person, "write_person", lambda *a, **k: write(*a, **{**k, **few}))
    monkeypatch.setattr(build, "recipes", lambda preset: [])
    monkeypatch.setattr(build, "LIGHT_RIGS", ())
    (tmp_path / "stride.bvh").write_text(other_skeleton(30.0))
    out = tmp_path / "library"
    command = ["build-library", str(out), "--motion", f"stride={tmp_path / 'stride.bvh'}"]
    assert main(command) == 0
    (entry,) = Catalog.load(out)
    assert entry.variant_sets["motion"] == ("idle", "stride")
    stride = entry.character.motions["stride"]
    assert stride.root_motion
    assert (stride.start, stride.end, stride.fps) == (0, 24, 24)
    assert validate_asset(entry.file, entry).findings == []
    assert main([*command[:-1], "stride"]) == 2
    assert "NAME=FILE.bvh" in capsys.readouterr().err


@pytest.mark.full
def test_the_whole_library_builds_in_two_minutes_and_has_no_finding(tmp_path) -> None:
    start = time.process_time()
    build_library(tmp_path)
    assert time.process_time() - start < 120
    reports = validate_targets([tmp_path], Options())
    assert len(reports) == len(recipes()) + len(LIGHT_RIGS) + 1
    for report in reports:
        assert not report.findings, [str(finding) for finding in report.findings][:3]
        assert report.pair_coverage == 1.0


def _first(out: Path):
    from assets_schema.library.light_rigs import write_light_rig

    return write_light_rig(LIGHT_RIGS[1], out)


def test_an_unknown_preset_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="unknown preset 'tiny'"):
        build_library(tmp_path / "x", "tiny")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["sofa", "floor_lamp", "plants", "room_shell", "sky"])
def test_assets_validate_without_a_finding(built, name: str) -> None:
    entry = built[0][name]
    report = validate_asset(entry.file, entry)
    assert not report.findings, [str(finding) for finding in report.findings][:3]


def test_lamps_hold_a_light_within_their_box(built) -> None:
    entry = built[0]["floor_lamp"]
    stage = Usd.Stage.Open(str(entry.file))
    lights = [UsdLux.SphereLight(prim) for prim in stage.Traverse() if prim.IsA(UsdLux.SphereLight)]
    assert len(lights) == 1
    place = lights[0].ComputeLocalToWorldTransform(0).ExtractTranslation()
    low, high = entry.extents()
    assert all(low[axis] <= place[axis] <= high[axis] for axis in range(3))


def test_the_sky_rig_lights_from_above(built) -> None:
    stage = Usd.Stage.Open(str(built[0]["sky"].file))
    suns = [prim for prim in stage.Traverse() if prim.IsA(UsdLux.DistantLight)]
    direction = (
        UsdLux.DistantLight(suns[0]).ComputeLocalToWorldTransform(0).TransformDir((0, 0, -1))
    )
    assert direction[2] < -0.5
    domes = [prim for prim in stage.Traverse() if prim.IsA(UsdLux.DomeLight)]
    assert UsdLux.DomeLight(domes[0]).GetTextureFileAttr().Get().resolvedPath
