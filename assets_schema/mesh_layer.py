"""Meshes as arrays, and how they are written into a payload layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdShade, Vt

MATERIAL_SCOPE = "Materials"
GEOMETRY_SCOPE = "Geometry"


@dataclass(frozen=True)
class MeshData:
    """A polygon mesh in asset space (metres, z up).

    Attributes:
        name: prim name, unique within its variant.
        points: (n, 3) vertex positions.
        face_counts: (f,) vertices per face.
        face_indices: (k,) vertex indices, counter-clockwise seen from outside; k = sum of counts.
        uvs: (k, 2) per face corner or (n, 2) per vertex, (0, 0) at the image's lower left; or None.
        normals: (k, 3) or (n, 3) unit normals, or None for faceted shading.
        material: name of the material slot, or None.
        display_color: linear RGB in [0, 1], one triple or (n, 3) per vertex, drawn where no
            material is bound and by surfaces whose diffuse is "displayColor".
        double_sided: True for cloth, leaves and other single sheets.
        face_materials: slot name -> (m,) face indices, for a mesh of several materials; faces that
            are in none use ``material``.
    """

    name: str
    points: NDArray[Any]
    face_counts: NDArray[Any]
    face_indices: NDArray[Any]
    uvs: NDArray[Any] | None = None
    normals: NDArray[Any] | None = None
    material: str | None = None
    display_color: tuple[float, float, float] | NDArray[Any] | None = None
    double_sided: bool = False
    face_materials: dict[str, NDArray[Any]] | None = None

    def __post_init__(self) -> None:
        if not Tf.IsValidIdentifier(self.name):
            raise ValueError(
                f"mesh name {self.name!r} is no prim name: letters, digits, underscores"
            )
        points, counts = np.asarray(self.points), np.asarray(self.face_counts)
        indices = np.asarray(self.face_indices)
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise ValueError(f"mesh {self.name}: points must be finite (n, 3), got {points.shape}")
        if counts.ndim != 1 or indices.ndim != 1 or counts.sum() != len(indices):
            raise ValueError(
                f"mesh {self.name}: face_counts add up to {counts.sum()}, "
                f"but there are {indices.size} face_indices"
            )
        if len(counts) == 0 or counts.min() < 3:
            raise ValueError(f"mesh {self.name}: every face needs 3 or more corners, and one face")
        if indices.min() < 0 or indices.max() >= len(points):
            raise ValueError(f"mesh {self.name}: face_indices leave 0..{len(points) - 1}")
        for label, values, width in (("uvs", self.uvs, 2), ("normals", self.normals, 3)):
            if values is None:
                continue
            shape = np.asarray(values).shape
            if shape not in ((len(indices), width), (len(points), width)):
                raise ValueError(
                    f"mesh {self.name}: {label} must be ({len(indices)}, {width}) per corner or "
                    f"({len(points)}, {width}) per vertex, got {shape}"
                )

    def extent(self) -> NDArray[np.float64]:
        """Return the (2, 3) box, smallest and largest corner."""
        points = np.asarray(self.points, dtype=np.float64)
        return np.stack([points.min(axis=0), points.max(axis=0)])


def write_meshes(
    stage: Usd.Stage, root: Usd.Prim, scope: str, meshes: Sequence[MeshData]
) -> NDArray[np.float64]:
    """Define the meshes at ``<root>/Geometry/<scope>/<name>``; return their joint (2, 3) box.

    Raises:
        ValueError: when two meshes carry one name.
    """
    box = np.array([[np.inf] * 3, [-np.inf] * 3])
    if not meshes:
        return box
    names = [mesh.name for mesh in meshes]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(
            f"mesh names must be unique within a variant, repeated: {sorted(repeated)}"
        )
    geometry = root.GetPath().AppendChild(GEOMETRY_SCOPE)
    UsdGeom.Scope.Define(stage, geometry)
    UsdGeom.Scope.Define(stage, geometry.AppendChild(scope))
    materials = root.GetPath().AppendChild(MATERIAL_SCOPE)
    for mesh in meshes:
        _write_mesh(stage, geometry.AppendChild(scope).AppendChild(mesh.name), mesh, materials)
        extent = mesh.extent()
        box[0] = np.minimum(box[0], extent[0])
        box[1] = np.maximum(box[1], extent[1])
    return box


def _write_mesh(stage: Usd.Stage, path: Sdf.Path, mesh: MeshData, materials: Sdf.Path) -> None:
    prim = UsdGeom.Mesh.Define(stage, path)
    points = np.asarray(mesh.points, dtype=np.float32)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    prim.CreateFaceVertexCountsAttr(_int_array(mesh.face_counts))
    prim.CreateFaceVertexIndicesAttr(_int_array(mesh.face_indices))
    prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    prim.CreateExtentAttr(
        Vt.Vec3fArray([Gf.Vec3f(*map(float, points.min(0))), Gf.Vec3f(*map(float, points.max(0)))])
    )
    if mesh.double_sided:
        prim.CreateDoubleSidedAttr(True)
    corners = len(mesh.face_indices)
    if mesh.normals is not None:
        prim.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(np.asarray(mesh.normals, np.float32)))
        prim.SetNormalsInterpolation(_interpolation(len(mesh.normals), corners))
    primvars = UsdGeom.PrimvarsAPI(prim)
    if mesh.uvs is not None:
        primvar = primvars.CreatePrimvar(
            "st", Sdf.ValueTypeNames.TexCoord2fArray, _interpolation(len(mesh.uvs), corners)
        )
        primvar.Set(Vt.Vec2fArray.FromNumpy(np.asarray(mesh.uvs, np.float32)))
    if mesh.display_color is not None:
        values = np.asarray(mesh.display_color, np.float32).reshape(-1, 3)
        spread = UsdGeom.Tokens.constant if len(values) == 1 else UsdGeom.Tokens.vertex
        color = primvars.CreatePrimvar("displayColor", Sdf.ValueTypeNames.Color3fArray, spread)
        color.Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values)))
    if mesh.material is not None:
        _bind(prim.GetPrim(), materials.AppendChild(mesh.material))
    for slot, faces in (mesh.face_materials or {}).items():
        subset = UsdGeom.Subset.CreateGeomSubset(
            prim, slot, UsdGeom.Tokens.face, _int_array(faces), UsdShade.Tokens.materialBind
        )
        _bind(subset.GetPrim(), materials.AppendChild(slot))


def _bind(prim: Usd.Prim, material: Sdf.Path) -> None:
    # The material lives in a look layer, so it cannot be bound through a UsdShade.Material here.
    prim.AddAppliedSchema("MaterialBindingAPI")
    prim.CreateRelationship("material:binding", custom=False).SetTargets([material])


def _interpolation(values: int, corners: int) -> str:
    return UsdGeom.Tokens.faceVarying if values == corners else UsdGeom.Tokens.vertex


def _int_array(values: NDArray[Any]) -> Vt.IntArray:
    return Vt.IntArray.FromNumpy(np.ascontiguousarray(values, dtype=np.int32))
