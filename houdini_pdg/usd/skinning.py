"""Skinned characters baked to points per frame, so that every renderer sees the same geometry.

The mathematics is USD's own (`UsdSkelSkinningQuery`), evaluated at fractional time codes, so a
motion can be looped, offset and resampled to the clip's rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

from assets_schema.entry import Entry, MotionInfo
from assets_schema.variants import apply_selection

from .stage import points_array


@dataclass(frozen=True)
class BakedMesh:
    """One skinned mesh: `path` relative to the character's root prim, points (frames, n, 3) in the
    mesh's own space, normals (frames, m, 3) or None, mesh_to_root (4, 4) as column vectors."""

    path: str
    points: np.ndarray
    normals: np.ndarray | None
    root_from_mesh: np.ndarray


@dataclass(frozen=True)
class BakedCharacter:
    """A character's meshes over the clip and the prims that must stop skinning them."""

    meshes: tuple[BakedMesh, ...]
    skel_roots: tuple[str, ...]
    skeletons: tuple[str, ...]

    def points_in_root(self) -> np.ndarray:
        """All points (frames, n, 3) in the character's root space, where it stands on z = 0."""
        parts = []
        for mesh in self.meshes:
            rotation, offset = mesh.root_from_mesh[:3, :3], mesh.root_from_mesh[:3, 3]
            parts.append(mesh.points @ rotation.T + offset)
        return np.concatenate(parts, axis=1)

    def moved(self, offsets: np.ndarray) -> BakedCharacter:
        """The character with offsets (frames, 3) in root space added, frame by frame."""
        return replace(self, meshes=tuple(_moved_mesh(mesh, offsets) for mesh in self.meshes))


def _moved_mesh(mesh: BakedMesh, offsets: np.ndarray) -> BakedMesh:
    in_mesh = offsets @ np.linalg.inv(mesh.root_from_mesh[:3, :3]).T
    return replace(mesh, points=(mesh.points + in_mesh[:, None]).astype(np.float32))


def motion_codes(motion: MotionInfo, frames: int, fps: float, offset: float) -> np.ndarray:
    """Time codes (frames,) of the asset at each frame of the clip.

    Args:
        motion: range and rate of the motion, in the asset's time codes.
        frames: frames of the clip.
        fps: the clip's rate.
        offset: seconds into the motion at which the clip starts.

    A looping motion wraps; another one holds its last pose.
    """
    length = motion.end - motion.start
    codes = (offset + np.arange(frames) / fps) * motion.fps
    if length <= 0:
        return np.full(frames, float(motion.start))
    if motion.loop:
        codes = np.mod(codes, length)
    return motion.start + np.minimum(codes, length)


def bake_character(
    entry: Entry, variants: Mapping[str, str], codes: Sequence[float] | np.ndarray
) -> BakedCharacter:
    """Skin every mesh of a character at the given time codes.

    Raises:
        ValueError: the file cannot be opened, or holds no skinned mesh.
    """
    stage = Usd.Stage.CreateInMemory()
    root = stage.DefinePrim("/Character")
    root.GetReferences().AddReference(entry.file.resolve().as_posix())
    apply_selection(root, variants)
    meshes: list[BakedMesh] = []
    skel_roots: list[str] = []
    skeletons: set[str] = set()
    for prim in Usd.PrimRange(root):
        if UsdSkel.Root(prim):
            skel_roots.append(_relative(root, prim))
            for query, targets in _bindings(UsdSkel.Root(prim)):
                skeletons.add(_relative(root, query.GetPrim()))
                meshes += [_bake_mesh(root, query, target, codes) for target in targets]
    if not meshes:
        raise ValueError(f"{entry.file} with {dict(variants)} holds no skinned mesh")
    return BakedCharacter(tuple(meshes), tuple(skel_roots), tuple(sorted(skeletons)))


def _relative(root: Usd.Prim, prim: Usd.Prim) -> str:
    return str(prim.GetPath().MakeRelativePath(root.GetPath()))


def _bindings(
    skel_root: UsdSkel.Root,
) -> list[tuple[UsdSkel.SkeletonQuery, list[UsdSkel.SkinningQuery]]]:
    cache = UsdSkel.Cache()
    cache.Populate(skel_root, Usd.TraverseInstanceProxies())
    bindings = cache.ComputeSkelBindings(skel_root, Usd.TraverseInstanceProxies())
    return [
        (
            cache.GetSkelQuery(binding.GetSkeleton()),
            [t for t in binding.GetSkinningTargets() if UsdGeom.Mesh(t.GetPrim())],
        )
        for binding in bindings
    ]


def _bake_mesh(
    root: Usd.Prim,
    skeleton: UsdSkel.SkeletonQuery,
    target: UsdSkel.SkinningQuery,
    codes: Sequence[float] | np.ndarray,
) -> BakedMesh:
    prim = target.GetPrim()
    mesh = UsdGeom.Mesh(prim)
    rest = mesh.GetPointsAttr().Get()
    rest_normals = mesh.GetNormalsAttr().Get()
    per_vertex = rest_normals is not None and len(rest_normals) == len(rest)
    xforms = UsdGeom.XformCache()
    mesh_from_skeleton = _column(
        xforms.GetLocalToWorldTransform(skeleton.GetPrim())
        * xforms.GetLocalToWorldTransform(prim).GetInverse()
    )
    points, normals = [], []
    for code in codes:
        time = Usd.TimeCode(float(code))
        joints = skeleton.ComputeSkinningTransforms(time)
        posed = Vt.Vec3fArray(rest)
        if target.HasBlendShapes():
            posed = _blend(skeleton, target, posed, time)
        target.ComputeSkinnedPoints(joints, posed, time)
        points.append(_transform(mesh_from_skeleton, np.array(posed)))
        if per_vertex:
            vectors = _skin_normals(target, np.array(rest_normals), joints, time)
            normals.append(_unit(vectors @ np.linalg.inv(mesh_from_skeleton[:3, :3])))
    root_from_mesh = _column(
        xforms.GetLocalToWorldTransform(prim) * xforms.GetLocalToWorldTransform(root).GetInverse()
    )
    return BakedMesh(
        _relative(root, prim),
        np.stack(points).astype(np.float32),
        np.stack(normals).astype(np.float32) if normals else None,
        root_from_mesh,
    )


def _blend(
    skeleton: UsdSkel.SkeletonQuery,
    target: UsdSkel.SkinningQuery,
    points: Vt.Vec3fArray,
    time: Usd.TimeCode,
) -> Vt.Vec3fArray:
    animation = skeleton.GetAnimQuery()
    weights = animation.ComputeBlendShapeWeights(time) if animation else None
    mapper = target.GetBlendShapeMapper()
    if weights is None or mapper is None:
        return points
    mapped = mapper.Remap(weights)
    query = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(target.GetPrim()))
    sub_weights, shapes, sub_shapes = query.ComputeSubShapeWeights(mapped)
    query.ComputeDeformedPoints(
        sub_weights,
        shapes,
        sub_shapes,
        query.ComputeBlendShapePointIndices(),
        query.ComputeSubShapePointOffsets(),
        points,
    )
    return points


def _column(matrix: Gf.Matrix4d) -> np.ndarray:
    return np.array(matrix).T


def _transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    result: np.ndarray = points @ matrix[:3, :3].T + matrix[:3, 3]
    return result


def _skin_normals(
    target: UsdSkel.SkinningQuery, normals: np.ndarray, joints: Vt.Matrix4dArray, time: Usd.TimeCode
) -> np.ndarray:
    """Normals (n, 3) in skeleton space, blended from the joints' inverse transposes as USD does.

    The wheel's Python does not offer the C++ `ComputeSkinnedNormals`.
    """
    mapper = target.GetJointMapper()
    if mapper is not None and not mapper.IsIdentity():
        joints = Vt.Matrix4dArray(mapper.RemapTransforms(joints, Vt.Matrix4dArray(), 1))
    turns = _inverse_transposes(np.array([np.array(joint)[:3, :3] for joint in joints]))
    indices, weights = target.ComputeVaryingJointInfluences(len(normals), time)
    shape = (len(normals), target.GetNumInfluencesPerComponent())
    index, weight = np.array(indices).reshape(shape), np.array(weights).reshape(shape)
    bind = np.array(target.GetGeomBindTransform(time))[None, :3, :3]
    bound = normals @ _inverse_transposes(bind)[0]
    turned = np.zeros_like(bound)
    for k in range(shape[1]):
        turned += weight[:, k, None] * np.einsum("vi,vij->vj", bound, turns[index[:, k]])
    return _unit(turned)


def _inverse_transposes(matrices: np.ndarray) -> np.ndarray:
    """Inverse transposes (n, 3, 3) of 3x3 matrices, by their cofactors."""
    rows = matrices[:, 0], matrices[:, 1], matrices[:, 2]
    cofactors = np.stack(
        [np.cross(rows[1], rows[2]), np.cross(rows[2], rows[0]), np.cross(*rows[:2])], axis=1
    )
    determinant = (rows[0] * cofactors[:, 0]).sum(axis=-1)
    result: np.ndarray = cofactors / determinant[:, None, None]
    return result


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: np.ndarray = vectors / np.maximum(lengths, 1e-12)
    return result


def author_baked(stage: Usd.Stage, root: Sdf.Path, baked: BakedCharacter) -> None:
    """Author points per frame over a referenced character and switch its skinning off.

    Frame i is time code i. The skeletons are deactivated and the skel roots become plain Xforms,
    so that no renderer deforms the points a second time.
    """
    for relative in baked.skel_roots:
        path = root if relative == "." else root.AppendPath(relative)
        stage.OverridePrim(path).SetTypeName("Xform")
    for relative in baked.skeletons:
        stage.OverridePrim(root.AppendPath(relative)).SetActive(False)
    for mesh in baked.meshes:
        over = UsdGeom.Mesh(stage.OverridePrim(root.AppendPath(mesh.path)))
        points, extent = over.CreatePointsAttr(), over.CreateExtentAttr()
        for frame, values in enumerate(mesh.points):
            points.Set(points_array(values), frame)
            extent.Set(points_array(np.stack([values.min(axis=0), values.max(axis=0)])), frame)
        if mesh.normals is not None:
            normals = over.CreateNormalsAttr()
            for frame, values in enumerate(mesh.normals):
                normals.Set(points_array(values), frame)
        over.GetPrim().CreateRelationship("skel:skeleton", False).SetTargets([])


@dataclass(frozen=True)
class Footprint:
    """Vertical cylinder that holds a character at every frame, in its root space.

    `centres` (frames, 2), one `radius`, `low` and `high` z; metres.
    """

    centres: np.ndarray
    radius: float
    low: float
    high: float


def measure_footprint(baked: BakedCharacter) -> Footprint:
    """Measure the cylinder from the baked points, with its axis in the middle of their bounds."""
    points = baked.points_in_root()
    flat = points[..., :2].astype(np.float64)
    centres = (flat.min(axis=1) + flat.max(axis=1)) / 2
    radius = float(np.linalg.norm(flat - centres[:, None], axis=-1).max())
    low, high = float(points[..., 2].min()), float(points[..., 2].max())
    return Footprint(centres, math.ceil(radius * 1e3) / 1e3, low, high)
