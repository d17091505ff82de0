"""Run every rule over one asset in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pxr import Usd

from assets_schema.coverage import MOST_EXHAUSTIVE, Plan, plan_selections
from assets_schema.entry import Entry
from assets_schema.quiet import quiet_usd
from assets_schema.read_variants import apply_in_session, open_layered_stage, read_variant_sets
from assets_schema.scene_geometry import SceneGeometry
from assets_schema.schema import read_attributes

from . import (
    geometry_rules,
    look_rules,
    packaging_rules,
    skeleton_rules,
    stage_rules,
    usd_rules,
    variant_rules,
)
from .asset import AssetUnderTest
from .finding import Finding, Report

_EVERY_COMBINATION = (
    variant_rules.check_drawable,
    stage_rules.check_composition,
    stage_rules.check_time_range,
    geometry_rules.check_surfaces,
    geometry_rules.check_box,
    look_rules.check_looks,
    skeleton_rules.check_skeletons,
)


@dataclass(frozen=True)
class Options:
    """How an asset is validated.

    Attributes:
        most: combinations up to which all are composed.
        seed: of the sample that is drawn above that.
        usd_rules: also run UsdValidation on the first combination.
    """

    most: int = MOST_EXHAUSTIVE
    seed: int = 0
    usd_rules: bool = False


def validate_asset(
    file: Path, entry: Entry | None = None, options: Options | None = None
) -> Report:
    """Check one asset file, against its catalogue entry if there is one.

    A crash or an endless loop inside USD takes this process along; `validate_isolated` contains it.
    """
    options = options or Options()
    name = entry.id if entry else file.name
    report = Report(name, str(file))
    with quiet_usd():
        try:
            stage = open_layered_stage(file)
        except ValueError as error:
            report.findings.append(Finding("S4D101", name, str(file), str(error)))
            return report
        if not stage.GetDefaultPrim():
            roots = [prim.GetName() for prim in stage.GetPseudoRoot().GetChildren()]
            message = f"defaultPrim is not set or leads nowhere; root prims are {roots}"
            report.findings.append(Finding("S4D102", name, str(file), message))
            return report
        asset = AssetUnderTest(file, entry or _describe(file, stage), entry is not None, stage)
        plan = _run(asset, options)
    report.findings = list(asset.findings.values())
    report.combinations, report.pair_coverage = plan.combinations, plan.pair_coverage
    report.combinations_checked = len(plan.selections)
    return report


def _run(asset: AssetUnderTest, options: Options) -> Plan:
    stage_rules.check_metadata(asset)
    variant_rules.check_weights(asset)
    if asset.catalogued:
        variant_rules.check_pins(asset)
    broken_pins = any(code in ("S4D201", "S4D202", "S4D206") for code, _, _ in asset.findings)
    if any(code == "S4D203" for code, _, _ in asset.findings):
        return Plan([], 0, 0.0)
    if broken_pins:  # compose what the file has; the pins are reported already
        asset.entry = _describe(asset.file, asset.stage, asset.entry)
    plan = plan_selections(asset.entry, most=options.most, seed=options.seed)
    geometry = None
    for number, selection in enumerate(plan.selections):
        asset.selection = selection
        apply_in_session(asset.stage, selection)
        geometry = SceneGeometry(asset.stage, asset.stage.GetDefaultPrim())
        asset.surfaces = list(geometry.surfaces())
        for rule in _EVERY_COMBINATION:
            rule(asset)
        if options.usd_rules and number == 0:
            usd_rules.check_with_usd(asset)
    packaging_rules.check_legal(asset)
    packaging_rules.check_paths(asset)
    return plan


def _describe(file: Path, stage: Usd.Stage, entry: Entry | None = None) -> Entry:
    """Return a bare entry of what the file says, for an asset without a catalogue."""
    values = read_attributes(stage.GetDefaultPrim(), "asset")
    sets = read_variant_sets(stage)
    applied = stage.GetDefaultPrim().GetPrimTypeInfo().GetAppliedAPISchemas()
    is_character = any(each.name == "motion" for each in sets) or "S4DCharacterAPI" in applied
    return Entry(
        id=entry.id if entry else stage.GetDefaultPrim().GetName(),
        path=file.name,
        category=str(values.get("category", "")),
        kind=entry.kind if entry else ("character" if is_character else _kind(values)),
        license=str(values.get("license", "")),
        source=str(values.get("source", "")),
        variants=sets,
        extent_sets=tuple(each.name for each in sets),
        root=file.parent,
    )


def _kind(values: dict[str, object]) -> str:
    return {"room": "room", "light_rig": "light"}.get(str(values.get("category", "")), "asset")
