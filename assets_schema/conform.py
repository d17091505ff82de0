"""Corrections that keep an asset's meaning: units and axes by a transform, boxes, default prim."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, Vt

from .coverage import plan_selections
from .describe import dependencies
from .entry import Entry
from .extents import box_in_root, metres_z_up_from_stage, stage_extents
from .quiet import quiet_usd
from .read_variants import apply_in_session, open_layered_stage, read_variant_sets
from .scene_geometry import SceneGeometry

CORRECTION_OP = "xformOp:transform:toMetresZUp"


def fix_asset(file: Path) -> list[str]:
    """Repair what can be repaired without guessing; return what was done, one phrase each.

    Handled: a missing default prim when there is one root prim, units and up axis (USD's own
    reading of them is kept, by a transform on the default prim), a missing time range, extents of
    meshes, extents hints. Only files of the asset's own folder are written.

    Raises:
        ValueError: when the file cannot be opened, or is a usdz (unpack it first).
    """
    if file.suffix.lower() == ".usdz":
        raise ValueError(f"{file} is a package; unpack it before --fix")
    with quiet_usd():
        stage = open_layered_stage(file)
        done = [*_fix_default_prim(stage)]
        if not stage.GetDefaultPrim():
            return done
        done += _fix_units(stage)
        done += _fix_time_range(stage)
        stage.GetRootLayer().Save()
        done += fix_mesh_extents(file)
        done += _fix_hints(file)
    return done


def _fix_default_prim(stage: Usd.Stage) -> Iterator[str]:
    roots = [prim for prim in stage.GetPseudoRoot().GetChildren() if prim.IsDefined()]
    if not stage.GetDefaultPrim() and len(roots) == 1:
        stage.SetDefaultPrim(roots[0])
        yield f"default prim set to {roots[0].GetName()}"


def _fix_units(stage: Usd.Stage) -> Iterator[str]:
    matrix = metres_z_up_from_stage(stage)
    authored = UsdGeom.StageHasAuthoredMetersPerUnit(stage)
    has_axis = stage.GetPseudoRoot().HasAuthoredMetadata("upAxis")
    if authored and has_axis and np.allclose(matrix, np.eye(3)):
        return
    correct_root(stage.GetDefaultPrim(), matrix)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    yield "units and up axis corrected to metres, z up"


def correct_root(
    prim: Usd.Prim,
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64] | None = None,
    name: str = CORRECTION_OP,
) -> None:
    """Put a transform in front of the prim's own ops: x' = matrix x + offset, column vectors."""
    full = np.eye(4)
    full[:3, :3] = matrix
    if offset is not None:
        full[:3, 3] = offset
    if np.allclose(full, np.eye(4)):
        return
    order = list(UsdGeom.Xformable(prim).GetXformOpOrderAttr().Get() or [])
    attribute = prim.CreateAttribute(name, Sdf.ValueTypeNames.Matrix4d, False)
    attribute.Set(Gf.Matrix4d(*full.T.ravel().tolist()))
    if name not in order:
        UsdGeom.Xformable(prim).CreateXformOpOrderAttr([name, *order])


def _fix_time_range(stage: Usd.Stage) -> Iterator[str]:
    if not SceneGeometry(stage).is_animated():
        return
    root = stage.GetRootLayer()
    missing = not (root.HasStartTimeCode() and root.HasEndTimeCode())
    if not missing and root.HasTimeCodesPerSecond():
        return
    times = [time for layer in stage.GetUsedLayers() for time in layer.ListAllTimeSamples()]
    if missing and times:
        stage.SetStartTimeCode(min(times))
        stage.SetEndTimeCode(max(times))
    stage.SetTimeCodesPerSecond(stage.GetTimeCodesPerSecond())
    yield "time range authored from the samples"


def fix_mesh_extents(file: Path) -> list[str]:
    """Author a true ``extent`` beside the points of every mesh, in the layer that holds them."""
    package = file.resolve().parent
    done = []
    for path in dependencies(file)[0]:
        if path.suffix.lower() not in (".usd", ".usda", ".usdc"):
            continue
        if not path.resolve().is_relative_to(package):
            continue
        layer = Sdf.Layer.FindOrOpen(str(path))
        count = _fix_layer_extents(layer) if layer else 0
        if count:
            layer.Save()
            done.append(f"extent of {count} meshes recomputed in {path.name}")
    return done


def _fix_layer_extents(layer: Sdf.Layer) -> int:
    changed = 0
    with Sdf.ChangeBlock():
        for points in _point_specs(layer):
            prim = layer.GetPrimAtPath(points.path.GetPrimPath())
            samples = {
                time: layer.QueryTimeSample(points.path, time)
                for time in layer.ListTimeSamplesForPath(points.path)
            }
            boxes = {time: _box(value) for time, value in samples.items() if value}
            rest = _box(points.default) if points.default else None
            extent = prim.attributes.get("extent")
            if extent is None:
                extent = Sdf.AttributeSpec(prim, "extent", Sdf.ValueTypeNames.Float3Array)
            elif _holds(layer, extent, rest, boxes):
                continue
            if rest is not None:
                extent.default = rest
            for time, box in boxes.items():
                layer.SetTimeSample(extent.path, time, box)
            changed += 1
    return changed


def _point_specs(layer: Sdf.Layer) -> list[Sdf.AttributeSpec]:
    found: list[Sdf.AttributeSpec] = []

    def visit(path: Sdf.Path | str) -> None:
        spec = layer.GetObjectAtPath(path)
        if isinstance(spec, Sdf.AttributeSpec) and spec.name == "points":
            found.append(spec)

    layer.Traverse(Sdf.Path.absoluteRootPath, visit)
    return found


def _holds(
    layer: Sdf.Layer,
    extent: Sdf.AttributeSpec,
    rest: Vt.Vec3fArray | None,
    boxes: dict[float, Vt.Vec3fArray],
) -> bool:
    if rest is not None and not _close(extent.default, rest):
        return False
    return all(_close(layer.QueryTimeSample(extent.path, time), box) for time, box in boxes.items())


def _close(one: Vt.Vec3fArray | None, other: Vt.Vec3fArray) -> bool:
    if one is None or len(one) != len(other):
        return False
    return bool(np.allclose(np.array(one), np.array(other), rtol=1e-4, atol=1e-6))


def _box(points: Vt.Vec3fArray) -> Vt.Vec3fArray:
    values = np.array(points, np.float32).reshape(-1, 3)
    return Vt.Vec3fArray.FromNumpy(np.stack([values.min(axis=0), values.max(axis=0)]))


def _fix_hints(file: Path) -> list[str]:
    """Set each authored extentsHint to the joint box of the combinations that see it."""
    stage = open_layered_stage(file)
    prim = stage.GetDefaultPrim()
    entry = Entry(prim.GetName(), file.name, "", variants=read_variant_sets(stage))
    boxes: dict[tuple[Sdf.Layer, Sdf.Path], NDArray[np.float64]] = {}
    for selection in plan_selections(entry).selections:
        apply_in_session(stage, selection)
        specs = UsdGeom.ModelAPI(prim).GetExtentsHintAttr()
        stack = specs.GetPropertyStack(Usd.TimeCode.Default()) if specs else []
        if not stack:
            continue
        try:
            box = box_in_root(stage, np.array(stage_extents(stage)))
        except ValueError:
            continue
        key = (stack[0].layer, stack[0].path)
        joined = boxes.get(key, box)
        boxes[key] = np.stack([np.minimum(joined[0], box[0]), np.maximum(joined[1], box[1])])
    done = []
    for (layer, path), box in boxes.items():
        spec = layer.GetAttributeAtPath(path)
        # Hints that hold the box and waste less than a millimetre may stay.
        known = np.array(spec.default, np.float64)[:2] if spec.default else np.zeros((2, 3))
        if np.allclose(known, box, atol=1e-3):
            continue
        spec.default = Vt.Vec3fArray([Gf.Vec3f(*map(float, corner)) for corner in box])
        layer.Save()
        done.append(f"extentsHint recomputed at {path}")
    return done
