"""Foreign USD of any units and up axis: its files are copied, a light interface layer corrects it.

::

    <folder>/asset.usda    interface: schema, payload of the source, correction, hints per variant
    <folder>/source/...    the files as they came (only ``extent`` is made true)

The source's default prim is the payload of ours, so its variant sets stay visible under their
names. Units and axes are corrected by one transform op in front of the source's own; where the box
depends on variants, each gets an offset, so that every combination stands on its bottom centre.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Kind, Sdf, Usd, UsdGeom

from assets_schema.conform import correct_root, fix_mesh_extents
from assets_schema.describe import dependencies, describe_asset
from assets_schema.entry import Entry
from assets_schema.extents import box_in_root, stage_extents
from assets_schema.package import INTERFACE_NAME
from assets_schema.quiet import quiet_usd
from assets_schema.read_variants import apply_in_session, open_stage
from assets_schema.schema import apply_asset_schema, set_canonical_extent
from assets_schema.variants import Selection, enumerate_variants

from .request import IngestRequest, library_from_source, variant_names

PLACEMENT_OP = "xformOp:translate:toBottomCentre"


def ingest_usd(request: IngestRequest, files: Sequence[Path], folder: Path, library: Path) -> Entry:
    """Write one package; several files become the variants of one set.

    Raises:
        ValueError: for a source that cannot be opened, or whose layers lie outside its folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{request.asset_id}-") as temp:
        staging = Path(temp) / folder.name
        staging.mkdir()
        with quiet_usd():
            copies = [_copy_source(file, staging, len(files) > 1) for file in files]
            for copy in copies:
                if copy.suffix.lower() != ".usdz":
                    fix_mesh_extents(copy)
            interface = _write_interface(request, files, copies, staging)
            _stand_on_the_ground(interface)
        if folder.exists():
            folder.rename(Path(temp) / "replaced")
        staging.rename(folder)
    with quiet_usd():
        return describe_asset(folder / INTERFACE_NAME, library_root=library, tags=request.tags)


def _copy_source(file: Path, folder: Path, several: bool) -> Path:
    """Copy a source with everything it needs, keeping the relative layout; return the copy."""
    open_stage(file)
    target = folder / "source" / (file.stem if several else "")
    needed = [path.resolve() for path in dependencies(file)[0]]
    if file.suffix.lower() == ".usdz":
        needed = [file.resolve()]
    base = Path(os.path.commonpath([path.parent for path in needed]))
    if base in (Path("/"), Path.home()):
        raise ValueError(
            f"{file} needs files from unrelated folders ({needed[0]} ... {needed[-1]}); "
            f"gather them below one folder first"
        )
    for path in needed:
        copy = target / path.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target / file.resolve().relative_to(base)


def _write_interface(
    request: IngestRequest, files: Sequence[Path], copies: Sequence[Path], folder: Path
) -> Path:
    path = folder / INTERFACE_NAME
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.CreateClassPrim(f"/_class_{request.asset_id}")
    first = open_stage(copies[0])
    root = stage.DefinePrim(f"/{request.asset_id}", first.GetDefaultPrim().GetTypeName())
    stage.SetDefaultPrim(root)
    root.GetInherits().AddInherit(f"/_class_{request.asset_id}")
    model = Usd.ModelAPI(root)
    model.SetKind(Kind.Tokens.component)
    model.SetAssetName(request.asset_id)
    model.SetAssetIdentifier(Sdf.AssetPath(f"./{INTERFACE_NAME}"))
    UsdGeom.ModelAPI.Apply(root)
    apply_asset_schema(
        root,
        category=request.category,
        front_axis="-y",
        fit_mode=request.fit_mode,
        support=request.resting_on,
        allowed_scale=(0.5, 2.0),
        license=request.license,
        source=request.origin or request.source.name,
        version="1",
    )
    if len(files) == 1:
        _add_payload(request, root, copies[0], folder)
    else:
        variant_set = root.GetVariantSets().AddVariantSet(request.variant_set)
        for name, copy in zip(variant_names(files), copies, strict=True):
            variant_set.AddVariant(name)
            variant_set.SetVariantSelection(name)
            with variant_set.GetVariantEditContext():
                _add_payload(request, root, copy, folder)
        variant_set.SetVariantSelection(variant_names(files)[0])
    _copy_time_range(stage, copies)
    stage.GetRootLayer().Save()
    return path


def _add_payload(request: IngestRequest, root: Usd.Prim, copy: Path, folder: Path) -> None:
    source = open_stage(copy)
    up = request.up or f"+{str(UsdGeom.GetStageUpAxis(source)).lower()}"
    scale = request.metres_per_unit or float(UsdGeom.GetStageMetersPerUnit(source))
    root.GetPayloads().AddPayload(f"./{copy.relative_to(folder).as_posix()}")
    correct_root(root, library_from_source(up, request.front, scale))
    # The order is stated here, beside the payload; variants further in only give the op its value.
    order = UsdGeom.Xformable(root).GetXformOpOrderAttr().Get() or []
    kept = [op for op in order if op != PLACEMENT_OP]
    UsdGeom.Xformable(root).CreateXformOpOrderAttr([PLACEMENT_OP, *kept])


def _copy_time_range(stage: Usd.Stage, copies: Sequence[Path]) -> None:
    sources = [open_stage(copy) for copy in copies]
    timed = [source for source in sources if source.HasAuthoredTimeCodeRange()]
    if timed:
        stage.SetStartTimeCode(min(source.GetStartTimeCode() for source in timed))
        stage.SetEndTimeCode(max(source.GetEndTimeCode() for source in timed))
        stage.SetTimeCodesPerSecond(timed[0].GetTimeCodesPerSecond())


def _stand_on_the_ground(interface: Path) -> None:
    """Author, per combination that matters, the offset to the bottom centre and the hints."""
    entry = describe_asset(interface, library_root=interface.parent)
    stage = open_stage(interface)
    prim, layer = stage.GetDefaultPrim(), stage.GetRootLayer()
    for selection in {entry.extents_key(each): each for each in _selections(entry)}.values():
        apply_in_session(stage, selection)
        box = np.array(stage_extents(stage))
        pairs = [(name, selection[name]) for name in entry.extent_sets if name in selection]
        with Usd.EditContext(stage, _edit_target(layer, prim.GetPath(), pairs)):
            _author_placement(prim, box, box_in_root(stage, box))
    layer.Save()


def _edit_target(
    layer: Sdf.Layer, path: Sdf.Path, pairs: Sequence[tuple[str, str]]
) -> Usd.EditTarget:
    """Return a target inside nested variants of the interface layer, which it declares."""
    for set_name, variant_name in pairs:
        spec = Sdf.CreatePrimInLayer(layer, path)
        if set_name not in spec.variantSetNameList.GetAddedOrExplicitItems():
            spec.variantSetNameList.prependedItems.append(set_name)
        path = path.AppendVariantSelection(set_name, variant_name)
        Sdf.CreatePrimInLayer(layer, path)
    if not pairs:
        return Usd.EditTarget(layer)
    return Usd.EditTarget.ForLocalDirectVariant(layer, path)


def _selections(entry: Entry) -> list[Selection]:
    if len(entry.extents_cache) == 0:  # too many to measure: place the default, as the first is
        return [next(enumerate_variants(entry))]
    return list(enumerate_variants(entry))


def _author_placement(prim: Usd.Prim, box: NDArray[np.float64], local: NDArray[np.float64]) -> None:
    offset = -np.array([*(box[0] + box[1])[:2] / 2, box[0, 2]])
    attribute = prim.CreateAttribute(PLACEMENT_OP, Sdf.ValueTypeNames.Double3, False)
    attribute.Set(Gf.Vec3d(*offset.tolist()))
    UsdGeom.ModelAPI(prim).SetExtentsHint([Gf.Vec3f(*map(float, corner)) for corner in local])
    set_canonical_extent(prim, Gf.Vec3f(*map(float, box[1] - box[0])))
