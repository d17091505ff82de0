"""S4D3xx: points, faces and boxes. The boxes carry the camera's clearance proof.

Limits are written ``not value <= limit``: a NaN fails every comparison and must be a finding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from assets_schema.extents import box_in_root, metres_z_up_from_stage, sample_times
from assets_schema.scene_geometry import SceneGeometry, Surface

from .asset import AssetUnderTest

SMALLEST_SIDE, LARGEST_SIDE = 1e-3, 100.0  # metres, of the box's longest side
TOLERANCE = 2e-3  # metres: boxes and origins
_SWEEP = 6  # time codes at which an animated combination is measured


def check_surfaces(asset: AssetUnderTest) -> None:
    """Each mesh by itself; a mesh whose opinions were seen already is skipped."""
    for surface in asset.surfaces:
        path = str(surface.prim.GetPath())
        if not np.isfinite(surface.world_from_mesh).all():
            asset.report("S4D303", "the transform is NaN or infinite", path)
        mesh = UsdGeom.Mesh(surface.prim)
        if not mesh:
            asset.report("S4D308", f"{surface.prim.GetTypeName()} is drawn", path)
            continue
        if not asset.first_time("mesh", path, _opinions(mesh)):
            continue
        _check_points(asset, surface, mesh, path)
        _check_faces(asset, surface, path)


def _opinions(mesh: UsdGeom.Mesh) -> tuple[str, ...]:
    """Name the layers whose opinions make up the mesh; looks do not add any."""
    names = ("points", "faceVertexIndices", "faceVertexCounts", "extent")
    return tuple(
        f"{spec.layer.identifier}{spec.path}"
        for name in names
        for spec in mesh.GetPrim().GetAttribute(name).GetPropertyStack(Usd.TimeCode.EarliestTime())
    )


def _check_points(asset: AssetUnderTest, surface: Surface, mesh: UsdGeom.Mesh, path: str) -> None:
    bad = int((~np.isfinite(surface.points)).any(axis=1).sum())
    if bad:
        asset.report("S4D303", f"{bad} of {len(surface.points)} points are NaN or infinite", path)
        return
    code = Usd.TimeCode.EarliestTime()
    authored = mesh.GetExtentAttr().Get(code)
    rest = np.array(mesh.GetPointsAttr().Get(code), np.float64).reshape(-1, 3)
    if not authored or len(authored) != 2:
        asset.report("S4D301", "extent is not authored", path)
    elif len(rest):
        true = np.stack([rest.min(axis=0), rest.max(axis=0)])
        slack = 1e-4 * max(float(np.ptp(true, axis=0).max()), 1e-6)
        off = float(np.abs(np.array(authored, np.float64) - true).max())
        if not off <= slack:
            asset.report("S4D302", f"extent is off by {off:.4g} units", path)


def _check_faces(asset: AssetUnderTest, surface: Surface, path: str) -> None:
    counts, indices = surface.face_counts, surface.face_indices
    if counts.sum() != len(indices):
        asset.report(
            "S4D304", f"face counts add up to {counts.sum()}, indices are {len(indices)}", path
        )
    elif counts.min() < 3:
        asset.report("S4D304", f"a face has {counts.min()} corners", path)
    elif len(indices) and (indices.min() < 0 or indices.max() >= len(surface.points)):
        asset.report(
            "S4D304",
            f"indices run {indices.min()}..{indices.max()} over {len(surface.points)} points",
            path,
        )


def check_box(asset: AssetUnderTest) -> None:
    """The whole combination: size, origin, hint and the catalogue's box."""
    box = _measured_box(asset)
    if box is None:
        return
    size = box[1] - box[0]
    longest = float(size.max())
    text = " x ".join(f"{side:.4g}" for side in size)
    if not SMALLEST_SIDE <= longest <= LARGEST_SIDE:
        asset.report("S4D305", f"the box measures {text} m")
        return
    _check_origin(asset, box)
    _check_hint(asset, box)
    if asset.catalogued:
        key = asset.entry.extents_key(asset.selection)
        known = asset.entry.extents_cache.get(key)
        off = 0.0 if known is None else _box_error(asset, np.array(known), box)
        if not off <= TOLERANCE:
            asset.report("S4D307", f"box {key or 'of the asset'} is off by {off:.4g} m")


def _box_error(
    asset: AssetUnderTest, known: NDArray[np.float64], box: NDArray[np.float64]
) -> float:
    """Metres that the catalogue's box is off; a moving asset was seen here at fewer times."""
    if any(surface.animated for surface in asset.surfaces):
        return float(max((known[0] - box[0]).max(), (box[1] - known[1]).max()))
    return float(np.abs(known - box).max())


def _check_origin(asset: AssetUnderTest, box: NDArray[np.float64]) -> None:
    if asset.entry.kind != "asset":
        return  # rooms, light rigs and moving characters stand where they stand
    tolerance = max(TOLERANCE, 0.01 * float((box[1] - box[0]).max()))
    centre = (box[0] + box[1])[:2] / 2
    if abs(box[0, 2]) > tolerance or np.abs(centre).max() > tolerance:
        asset.report(
            "S4D306",
            f"the bottom centre of the box lies at "
            f"({centre[0]:.4g}, {centre[1]:.4g}, {box[0, 2]:.4g}) m",
        )


def _check_hint(asset: AssetUnderTest, box: NDArray[np.float64]) -> None:
    """extentsHint holds every point; with one geometry axis it is also tight."""
    prim = asset.stage.GetDefaultPrim()
    hint = UsdGeom.ModelAPI(prim).GetExtentsHintAttr().Get()
    if not hint or len(hint) < 2:
        return
    local = box_in_root(asset.stage, box)
    declared = np.array(hint[:2], np.float64)
    if not np.isfinite(declared).all():
        asset.report("S4D302", "extentsHint is NaN or infinite", str(prim.GetPath()))
        return
    tolerance = TOLERANCE / UsdGeom.GetStageMetersPerUnit(asset.stage)
    if (declared[0] - local[0] > tolerance).any() or (local[1] - declared[1] > tolerance).any():
        off = max(float((declared[0] - local[0]).max()), float((local[1] - declared[1]).max()))
        asset.report("S4D309", f"points leave extentsHint by {off:.4g} units", str(prim.GetPath()))
        return
    loose = max(float((local[0] - declared[0]).max()), float((declared[1] - local[1]).max()))
    moving = any(surface.animated for surface in asset.surfaces)
    if len(asset.entry.extent_sets) <= 1 and loose > tolerance and not moving:
        asset.report("S4D302", f"extentsHint is {loose:.4g} units too large", str(prim.GetPath()))


def _measured_box(asset: AssetUnderTest) -> NDArray[np.float64] | None:
    if asset.entry.kind == "character":
        sweep = asset.sweep()
        return None if sweep is None else sweep[0]
    turn = metres_z_up_from_stage(asset.stage)
    clouds = [_world_box(surface, turn) for surface in asset.surfaces]
    if any(surface.animated for surface in asset.surfaces):
        geometry = SceneGeometry(asset.stage, asset.stage.GetDefaultPrim())
        times = sample_times(asset.stage)
        for time in times[:: max(1, len(times) // _SWEEP)]:
            clouds += [_world_box(s, turn) for s in geometry.surfaces(time) if s.animated]
    clouds = [cloud for cloud in clouds if len(cloud)]
    if not clouds:
        return None
    points = np.concatenate(clouds)
    if not np.isfinite(points).all():
        asset.report_unbounded()
        return None
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _world_box(surface: Surface, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    points = surface.points_in_world() @ turn.T
    return points if len(points) < 2 else np.stack([points.min(axis=0), points.max(axis=0)])
