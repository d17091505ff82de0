"""Skinned meshes: how polygons, normals and joint weights are written for UsdSkel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

from ...mesh_layer import GEOMETRY_SCOPE, MeshData, write_meshes
from .surface import Topology

__all__ = ["SkinnedMesh", "geometry_path", "polygons", "skinned", "write_skinned"]

INFLUENCES = 4
_STEPS = 512  # weights are multiples of 1/512: exact sums, and crate files store them as a table


@dataclass(frozen=True)
class SkinnedMesh:
    """A mesh with dense skin weights (N, J) over the cast's joints."""

    mesh: MeshData
    weights: np.ndarray


def polygons(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Face counts, indices and the mask of used corners; a triangle repeats its last index."""
    keep = np.ones(faces.shape, bool)
    keep[faces[:, 2] == faces[:, 3], 3] = False
    return keep.sum(axis=1), faces[keep], keep


def skinned(
    name: str,
    points: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray,
    weights: np.ndarray,
    *,
    slot: str,
    normals: np.ndarray | None = None,
    double_sided: bool = False,
) -> SkinnedMesh:
    """A mesh of faces (F, 4) over points (N, 3), smooth where no normals (N, 3) are given.

    `uv` is (N, 2) per point or (F, 4, 2) per corner.
    """
    counts, indices, keep = polygons(faces)
    if normals is None:
        normals = Topology(faces, len(points)).normals(points)
    uv = uv[keep] if uv.ndim == 3 else uv
    mesh = MeshData(
        name,
        points.astype(np.float32),
        counts,
        indices,
        uv.astype(np.float32),
        normals.astype(np.float32),
        slot,
        double_sided=double_sided,
    )
    return SkinnedMesh(mesh, weights)


def geometry_path(root: Usd.Prim, scope: str, name: str = "") -> Sdf.Path:
    """Where `write_meshes` puts a scope, or a mesh of it."""
    path = root.GetPath().AppendPath(f"{GEOMETRY_SCOPE}/{scope}")
    return path.AppendChild(name) if name else path


def write_skinned(
    stage: Usd.Stage, root: Usd.Prim, scope: str, parts: Sequence[SkinnedMesh]
) -> None:
    """Define the meshes below ``Geometry/<scope>``, bound to the root's Skeleton."""
    write_meshes(stage, root, scope, [part.mesh for part in parts])
    for part in parts:
        prim = stage.GetPrimAtPath(geometry_path(root, scope, part.mesh.name))
        bind(prim, root, part.weights)


def bind(prim: Usd.Prim, root: Usd.Prim, weights: np.ndarray) -> None:
    """Skin a mesh with at most four joints per point, in steps of 1/512 that sum to one."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    share = np.take_along_axis(weights, order, axis=1)
    share /= share.sum(axis=1, keepdims=True)
    steps = np.floor(share * _STEPS + 0.5)
    steps[:, 0] += _STEPS - steps.sum(axis=1)  # the strongest joint takes what rounding left
    used = max(1, int((steps > 0).any(axis=0).sum()))
    steps, order = steps[:, :used], order[:, :used]
    order = np.where(steps > 0, order, order[:, :1])
    binding = UsdSkel.BindingAPI.Apply(prim)
    binding.CreateSkeletonRel().SetTargets([root.GetPath().AppendChild("Skeleton")])
    binding.CreateJointIndicesPrimvar(False, used).Set(
        Vt.IntArray.FromNumpy(order.astype(np.int32).ravel())
    )
    binding.CreateJointWeightsPrimvar(False, used).Set(
        Vt.FloatArray.FromNumpy((steps / _STEPS).astype(np.float32).ravel())
    )
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))


def override_points(
    stage: Usd.Stage, root: Usd.Prim, scope: str, parts: Sequence[SkinnedMesh]
) -> None:
    """Give meshes that another payload defines the points, normals and extent of these."""
    for part in parts:
        path = geometry_path(root, scope, part.mesh.name)
        mesh = UsdGeom.Mesh(stage.OverridePrim(path))
        mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(part.mesh.points))
        mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(part.mesh.normals))
        mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(part.mesh.extent().astype(np.float32)))
