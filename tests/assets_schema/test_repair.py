"""Repair on request: what --fix changes, says and leaves alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pxr import Usd, UsdGeom

from assets_schema import Catalog, Entry
from assets_schema.conform import fix_asset
from assets_schema.describe import describe_asset
from assets_schema.validate import Report, validate_asset
from assets_schema.validate.finding import as_json
from assets_schema.validate.library import validate_targets
from assets_schema.validate.runner import Options

from .broken_assets import CASES
from .builders import write_stool


def codes_of(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def clear_extent(entry: Entry) -> None:
    stage = Usd.Stage.Open(str(entry.file.parent / "payload/geometry_low.usdc"))
    UsdGeom.Mesh.Get(stage, f"/{entry.id}/Geometry/geometry/seat").GetExtentAttr().Clear()
    stage.GetRootLayer().Save()


def test_fix_repairs_units_axis_extents_and_default_prim_and_keeps_the_size(tmp_path) -> None:
    entry = write_stool(tmp_path)
    stage = Usd.Stage.Open(str(entry.file))
    UsdGeom.SetStageMetersPerUnit(stage, 0.5)
    stage.GetRootLayer().ClearDefaultPrim()
    stage.GetRootLayer().Save()
    del stage
    clear_extent(entry)
    done = fix_asset(entry.file)
    assert len(done) == 3
    assert validate_asset(entry.file).findings == []
    again = describe_asset(entry.file, library_root=tmp_path)
    assert again.extents({"geometry": "tall"})[1][2] == pytest.approx(0.3)
    assert fix_asset(entry.file) == []


def test_fix_turns_y_up_assets_upright(tmp_path) -> None:
    entry = write_stool(tmp_path)
    stage = Usd.Stage.Open(str(entry.file))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    stage.GetRootLayer().Save()
    before = describe_asset(entry.file, library_root=tmp_path).extents()
    fix_asset(entry.file)
    after = describe_asset(entry.file, library_root=tmp_path)
    np.testing.assert_allclose(after.extents(), before, atol=1e-6)
    assert UsdGeom.GetStageUpAxis(Usd.Stage.Open(str(entry.file))) == UsdGeom.Tokens.z


def test_fix_recomputes_a_false_hint_in_its_own_variant(tmp_path) -> None:
    case = next(case for case in CASES if case.code == "S4D309")
    entry = case.make(tmp_path)
    file, _ = case.spoil(tmp_path, entry)
    assert any("extentsHint" in text for text in fix_asset(file))
    assert validate_asset(file).findings == []


def test_fix_brings_the_catalogue_up_to_date(tmp_path) -> None:
    entry = write_stool(tmp_path)
    Catalog([entry], tmp_path).save(tmp_path / "catalog.yaml")
    clear_extent(entry)
    (report,) = validate_targets([tmp_path], Options(), fix=True, jobs=1)
    assert report.findings == []
    assert Catalog.load(tmp_path).entries[0].content_hash != entry.content_hash


def test_fix_of_one_entry_leaves_the_others_and_says_what_it_did(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path, name) for name in ("one", "two")], tmp_path)
    catalog.save(tmp_path / "catalog.yaml")
    lines = (tmp_path / "catalog.yaml").read_text().splitlines()
    for entry in catalog:
        clear_extent(entry)
    reports = validate_targets([tmp_path], Options(), only="one", fix=True, jobs=1)
    (record,) = json.loads(as_json(reports))["assets"]
    assert record["fixed"] == ["extent of 1 meshes recomputed in geometry_low.usdc"]
    assert record["findings"] == []
    after = (tmp_path / "catalog.yaml").read_text().splitlines()
    assert [old == new for old, new in zip(lines, after, strict=True)] == [True] * 3 + [False, True]
    assert "S4D301" in codes_of(validate_asset(catalog["two"].file))


def test_fix_of_a_library_survives_a_file_that_is_no_usd(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path, name) for name in ("good", "torn")], tmp_path)
    catalog.save(tmp_path / "catalog.yaml")
    clear_extent(catalog["good"])
    catalog["torn"].file.write_text("this is a letter, not a layer\n")
    good, torn = validate_targets([tmp_path], Options(), fix=True, jobs=1)
    assert good.findings == []
    assert codes_of(torn) == {"S4D101"}
    assert Catalog.load(tmp_path)["torn"] == catalog["torn"]
