"""S4D1xx: the stage, its metadata and its composition."""

from __future__ import annotations

from collections.abc import Iterator

from pxr import Kind, Sdf, Usd, UsdGeom

from assets_schema.categories import CATEGORIES
from assets_schema.schema import ASSET_API, FIT_MODES, FRONT_AXES, SUPPORTS, read_attributes

from .asset import AssetUnderTest

_TOKENS = {"frontAxis": FRONT_AXES, "fitMode": FIT_MODES, "supportSurface": SUPPORTS}


def check_metadata(asset: AssetUnderTest) -> None:
    """Units, up axis, kind, schema: facts of the root layer."""
    root = asset.stage.GetPseudoRoot()
    metres = UsdGeom.GetStageMetersPerUnit(asset.stage)
    if not UsdGeom.StageHasAuthoredMetersPerUnit(asset.stage):
        asset.report("S4D103", f"metersPerUnit is not authored; USD reads {metres:g}", always=True)
    elif not abs(metres - 1.0) <= 1e-9:
        asset.report("S4D103", f"metersPerUnit is {metres:g}, expected 1", always=True)
    if not root.HasAuthoredMetadata("upAxis"):
        asset.report("S4D104", "upAxis is not authored; USD reads Y", always=True)
    elif UsdGeom.GetStageUpAxis(asset.stage) != UsdGeom.Tokens.z:
        axis = UsdGeom.GetStageUpAxis(asset.stage)
        asset.report("S4D104", f"upAxis is {axis}, expected Z", always=True)
    prim = asset.stage.GetDefaultPrim()
    kind = Usd.ModelAPI(prim).GetKind()
    if not Kind.Registry.IsA(kind, Kind.Tokens.component):
        asset.report("S4D107", f"kind is {kind or 'not authored'!r}", str(prim.GetPath()))
    _check_schema(asset, prim)


def _check_schema(asset: AssetUnderTest, prim: Usd.Prim) -> None:
    path = str(prim.GetPath())
    if ASSET_API not in prim.GetPrimTypeInfo().GetAppliedAPISchemas():
        asset.report("S4D108", f"{ASSET_API} is not applied to the default prim", path, always=True)
        return
    values = read_attributes(prim, "asset")
    for name, allowed in _TOKENS.items():
        value = str(values.get(name, allowed[0]))
        if value not in allowed:
            asset.report("S4D109", f"{name} is {value!r}, expected one of {allowed}", path)
    low, high = (float(value) for value in values.get("allowedScale", (1.0, 1.0)))
    if not 0 < low <= high:
        asset.report(
            "S4D109", f"allowedScale is ({low:g}, {high:g}), expected 0 < low <= high", path
        )
    category = str(values.get("category", ""))
    if category not in CATEGORIES:
        asset.report("S4D110", f"category is {category!r}", path, always=True)


def check_time_range(asset: AssetUnderTest) -> None:
    """An animated asset states when, and how fast time codes pass."""
    if not any(surface.animated for surface in asset.surfaces):
        return
    root = asset.stage.GetRootLayer()
    missing = [
        name
        for name, stated in (
            ("startTimeCode", root.HasStartTimeCode()),
            ("endTimeCode", root.HasEndTimeCode()),
            ("timeCodesPerSecond", root.HasTimeCodesPerSecond()),
        )
        if not stated
    ]
    if missing:
        asset.report("S4D105", f"{', '.join(missing)} not authored in the root layer", always=True)


def check_composition(asset: AssetUnderTest) -> None:
    """Broken and cyclic references, missing sublayers, permission errors."""
    for message, prim in composition_errors(asset.stage):
        asset.report("S4D106", message, prim)


def composition_errors(stage: Usd.Stage) -> Iterator[tuple[str, str]]:
    """Yield (message, prim path) for each composition error; works on every USD since 24.3."""
    if hasattr(stage, "GetCompositionErrors"):
        errors = list(stage.GetCompositionErrors())
    else:
        root = stage.GetPseudoRoot().GetPrimIndex()
        errors = list(root.rootNode.layerStack.localErrors)
        for prim in Usd.PrimRange.AllPrims(stage.GetPseudoRoot()):
            errors += prim.GetPrimIndex().localErrors
    for error in errors:
        site = getattr(error, "rootSite", None)
        path = str(site.path) if site is not None and site.path != Sdf.Path("/") else ""
        yield " ".join(str(error).split()), path
