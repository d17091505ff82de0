"""Small pieces of USD authoring that every part of the composed stage uses."""

from __future__ import annotations

import math
import re

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, Vt


def new_stage(frames: int, fps: float) -> Usd.Stage:
    """An in-memory stage with default prim /World, z up, metres, time codes 0..frames-1."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(frames - 1)
    world = UsdGeom.Xform.Define(stage, "/World")
    Usd.ModelAPI(world).SetKind("assembly")
    stage.SetDefaultPrim(world.GetPrim())
    return stage


def define_group(stage: Usd.Stage, path: str) -> UsdGeom.Xform:
    group = UsdGeom.Xform.Define(stage, path)
    Usd.ModelAPI(group).SetKind("group")
    return group


def prim_name(text: str) -> str:
    """A legal prim name that resembles `text`."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def set_matrix(prim: Usd.Prim, world_from_local: np.ndarray) -> None:
    """Author one transform; `world_from_local` (4, 4) has column vectors, USD stores rows."""
    operation = UsdGeom.Xformable(prim).MakeMatrixXform()
    operation.Set(Gf.Matrix4d(*np.asarray(world_from_local, dtype=float).T.reshape(-1).tolist()))


def placement(
    position: tuple[float, float, float] | np.ndarray, yaw: float, scale: np.ndarray | None = None
) -> np.ndarray:
    """Column-vector matrix (4, 4): scale, then turn about z by `yaw` radians, then move."""
    matrix = np.eye(4)
    cos, sin = math.cos(yaw), math.sin(yaw)
    matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    if scale is not None:
        matrix[:3, :3] = matrix[:3, :3] * np.asarray(scale)
    matrix[:3, 3] = position
    return matrix


def points_array(points: np.ndarray) -> Vt.Vec3fArray:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(points, dtype=np.float32))


def define_quads(
    stage: Usd.Stage, path: str, points: np.ndarray, st: np.ndarray, *, double_sided: bool = False
) -> UsdGeom.Mesh:
    """Define a mesh of separate quads: points (4 n, 3), texture coordinates (4 n, 2)."""
    mesh = UsdGeom.Mesh.Define(stage, path)
    count = len(points) // 4
    mesh.CreatePointsAttr(points_array(points))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray([4] * count))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray(list(range(4 * count))))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(points_array(np.stack([points.min(axis=0), points.max(axis=0)])))
    if double_sided:
        mesh.CreateDoubleSidedAttr(True)
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
    )
    primvar.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(st, dtype=np.float32)))
    return mesh
