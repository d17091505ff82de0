"""Every code has an asset that gives exactly it, and one that does not."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom

from assets_schema import Catalog, Entry
from assets_schema.describe import describe_asset
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.validate import CODES, Finding, Report, validate_asset, validate_isolated
from assets_schema.validate.finding import as_json, as_sarif, as_text
from assets_schema.validate.library import validate_targets
from assets_schema.validate.runner import Options

from .broken_assets import CASES, Case, write_person
from .builders import box_mesh, write_stool

# Found outside a single asset's rules: each has its own test below.
ELSEWHERE = {"S4D190", "S4D191", "S4D208", "S4D801"}


def codes_of(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_broken_asset_gives_exactly_its_code(tmp_path, case: Case) -> None:
    entry = case.make(tmp_path)
    file, spoiled = case.spoil(tmp_path, entry)
    assert codes_of(validate_asset(file, spoiled)) == {case.code}


MAKERS = list(dict.fromkeys(case.make for case in CASES))  # in one order in every test process


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_good_asset_gives_no_finding_with_and_without_catalogue(tmp_path, make) -> None:
    entry = make(tmp_path)
    assert validate_asset(entry.file).findings == []
    if entry.file.suffix != ".usdz":  # the entry describes the folder that was packed
        assert validate_asset(entry.file, entry).findings == []


def test_every_code_has_a_case() -> None:
    assert {case.code for case in CASES} | ELSEWHERE == set(CODES)
    assert len(CASES) == len({case.code for case in CASES})


def sleeper(file: Path, entry: Entry | None, options: Options) -> Report:
    if file.name == "hang.usda":
        time.sleep(600)
    if file.name == "crash.usda":
        os.abort()
    return Report(file.name, str(file))


def test_hang_and_crash_are_findings_and_the_rest_goes_on() -> None:
    names = ("a.usda", "hang.usda", "b.usda", "crash.usda", "c.usda")
    tasks = [(Path(name), None) for name in names]
    reports = list(validate_isolated(tasks, time_limit=1.0, jobs=1, check=sleeper))
    assert [report.asset for report in reports] == list(names)
    assert [sorted(codes_of(report)) for report in reports] == [[], ["S4D190"], [], ["S4D191"], []]


def test_broken_catalogue_file_is_a_finding(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path)], tmp_path)
    catalog.save(tmp_path / "catalog.yaml")
    text = (tmp_path / "catalog.yaml").read_text()
    (tmp_path / "catalog.yaml").write_text(text.replace('"stool/', '"../stool/'))
    (report,) = validate_targets([tmp_path], Options())
    assert codes_of(report) == {"S4D208"}


def test_library_on_disk_validates_in_workers(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path), write_person(tmp_path)], tmp_path)
    catalog.save(tmp_path / "catalog.yaml")
    reports = validate_targets([tmp_path], Options())
    assert [report.findings for report in reports] == [[], []]
    assert [report.combinations_checked for report in reports] == [6, 1]


def test_large_assets_are_sampled_with_their_coverage(tmp_path) -> None:
    package = AssetPackage("cube", "stool")
    for axis in "xyz":
        size = 0.1 + 0.1 * "xyz".index(axis)
        for number in range(5):
            mesh = box_mesh(f"m_{axis}", (-size, -size, 0), (size, size, 0.1 + 0.01 * number))
            package.add_geometry_variant(f"part_{axis}", f"v{number}", [mesh])
    package.add_look_variant("look", "plain", {"body": PreviewSurface()})
    package.add_look_variant("look", "dark", {"body": PreviewSurface(diffuse=(0.1, 0.1, 0.1))})
    entry = package.write(tmp_path / "cube")
    report = validate_asset(entry.file, entry, Options(most=40))
    assert report.findings == []
    assert report.combinations == 250
    assert 25 <= report.combinations_checked < 250
    assert report.pair_coverage == 1.0


def test_findings_name_the_combination_and_count_the_others(tmp_path) -> None:
    case = next(case for case in CASES if case.code == "S4D401")
    entry = case.make(tmp_path)
    file, _ = case.spoil(tmp_path, entry)
    (finding,) = validate_asset(file).findings
    assert finding.selection["geometry"] == "low"
    assert finding.count == 3  # under each look
    assert finding.prim.endswith("/seat")


def sample_report() -> Report:
    finding = Finding(
        "S4D401", "stool", "s/asset.usda", "no material", "/stool/seat", {"look": "a"}
    )
    warning = Finding("S4D704", "stool", "s/asset.usda", "x.png in asset.usda")
    return Report("stool", "s/asset.usda", [finding, warning], 6, 6)


def test_sarif_has_the_shape_that_code_hosts_expect() -> None:
    document = json.loads(as_sarif([sample_report()]))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == set(CODES)
    first, second = run["results"]
    assert (first["ruleId"], first["level"], second["level"]) == ("S4D401", "error", "warning")
    place = first["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "s/asset.usda"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "/stool/seat"


def test_json_and_text_reports_carry_every_finding() -> None:
    document = json.loads(as_json([sample_report()]))
    assert [f["code"] for f in document["assets"][0]["findings"]] == ["S4D401", "S4D704"]
    text = as_text([sample_report()])
    assert "S4D401" in text
    assert text.splitlines()[-1].endswith("1 errors, 1 warnings")


def test_usd_validators_run_as_optional_rules(tmp_path) -> None:
    entry = write_stool(tmp_path)
    try:
        report = validate_asset(entry.file, entry, Options(usd_rules=True))
    except ValueError as error:
        pytest.skip(str(error))
    assert report.findings == []
    case = next(case for case in CASES if case.code == "S4D704")
    file, _ = case.spoil(tmp_path, entry)
    assert "S4D801" in codes_of(validate_asset(file, None, Options(usd_rules=True)))


def test_a_library_behind_a_link_is_judged_as_where_it_is(tmp_path) -> None:
    entry = write_stool(tmp_path / "there")
    case = next(case for case in CASES if case.code == "S4D704")
    file, _ = case.spoil(tmp_path / "there", entry)
    (tmp_path / "link").symlink_to(tmp_path / "there")
    through = tmp_path / "link" / file.relative_to(tmp_path / "there")
    assert codes_of(validate_asset(through)) == codes_of(validate_asset(file))


def test_real_teapot_is_found_wrong_where_it_is_wrong(test_data) -> None:
    report = validate_asset(test_data / "usd" / "Teapot" / "Teapot.usd")
    assert report.combinations_checked == report.combinations == 7
    # Y up, no schema, no licence, spout off centre, a copied hint, card images that were moved.
    assert codes_of(report) == {
        "S4D104",
        "S4D108",
        "S4D306",
        "S4D309",
        "S4D601",
        "S4D603",
        "S4D704",
    }
    missing = [finding for finding in report.findings if finding.code == "S4D704"]
    assert len(missing) == 12


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 4096, b"PXR-USDC" + b"\xff" * 100, b'#usda 1.0\ndef Xform "A" {'],
    ids=["empty", "zeros", "torn crate", "torn text"],
)
def test_file_that_is_no_usd_is_a_coded_error(tmp_path, content) -> None:
    files = [tmp_path / f"bad{suffix}" for suffix in (".usd", ".usda", ".usdc", ".usdz")]
    for file in files:
        file.write_bytes(content)
    reports = validate_isolated([(file, None) for file in files], time_limit=20, jobs=1)
    for report in reports:
        assert codes_of(report) in ({"S4D101"}, {"S4D102"})


def test_missing_payload_is_a_composition_error(tmp_path) -> None:
    entry = write_stool(tmp_path)
    (entry.file.parent / "payload" / "geometry_low.usdc").unlink()
    assert {"S4D106", "S4D204"} <= codes_of(validate_asset(entry.file))


def test_entry_whose_kind_is_room_may_stand_anywhere(tmp_path) -> None:
    case = next(case for case in CASES if case.code == "S4D306")
    entry = case.make(tmp_path)
    file, _ = case.spoil(tmp_path, entry)
    moved = replace(describe_asset(file, library_root=tmp_path), kind="room")
    assert validate_asset(file, moved).findings == []


def puzzled(file: Path, entry: Entry | None, options: Options) -> Report:
    raise IndexError("an array shorter than it says")


def test_asset_that_a_rule_cannot_digest_is_a_finding() -> None:
    (report,) = validate_isolated([(Path("odd.usda"), None)], check=puzzled)
    assert codes_of(report) == {"S4D191"}
    assert "IndexError: an array shorter" in report.findings[0].message


# Attribute -> a value that does not fit the mesh, and the codes that it gives. A mesh without faces
# is simply not drawn, and renderers ignore normals of the wrong length.
ODD_VALUES: dict[str, tuple[object, set[str]]] = {
    "points": ([], {"S4D304"}),
    "faceVertexCounts": ([], set()),
    "faceVertexIndices": ([-1] * 24, {"S4D304"}),
    "extent": ([(0, 0, 0)], {"S4D301"}),
    "primvars:st": ([(0, 0)], {"S4D407"}),
    "normals": ([(0, 0, 1)], set()),
}


@pytest.mark.parametrize("name", sorted(ODD_VALUES))
def test_odd_mesh_values_are_findings_not_exceptions(tmp_path, name) -> None:
    entry = write_stool(tmp_path)
    stage = Usd.Stage.Open(str(entry.file.parent / "payload/geometry_low.usdc"))
    mesh = UsdGeom.Mesh.Get(stage, "/stool_block/Geometry/geometry/seat")
    mesh.CreateNormalsAttr()
    value, codes = ODD_VALUES[name]
    mesh.GetPrim().GetAttribute(name).Set(value)
    stage.GetRootLayer().Save()
    report = validate_asset(entry.file)
    assert report.combinations_checked == 6
    assert codes_of(report) == codes
