"""Skinned characters baked to points per frame, so that every renderer sees the same geometry.

The mathematics is USD's own (`UsdSkelSkinningQuery`), evaluated at fractional time codes, so a
motion can be looped, offset and resampled to the clip's rate. Points that no face uses (skin under
clothes) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt

from assets_schema.entry import Entry, MotionInfo
from assets_schema.variants import apply_selection

from .posing import can_adapt, hip_joint, joint_places, skinning_transforms


@dataclass(frozen=True)
class BakedMesh:
    """One skinned mesh.

    Attributes:
        path: relative to the character's root prim.
        points: (frames, n, 3) in the mesh's own space.
        normals: (frames, n, 3) or None.
        root_from_mesh: (4, 4) column vectors.
        face_indices: (k,) into the points where unused ones were left out; None: as in the asset.
    """

    path: str
    points: np.ndarray
    normals: np.ndarray | None
    root_from_mesh: np.ndarray
    face_indices: np.ndarray | None = None


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
    entry: Entry,
    variants: Mapping[str, str],
    codes: Sequence[float] | np.ndarray,
    lift: np.ndarray | None = None,
) -> BakedCharacter:
    """Skin every mesh of a character at the given time codes.

    `lift` (frames,) raises all but the feet by so many metres, see `posing`.

    Raises:
        ValueError: the file cannot be opened, or holds no skinned mesh.
    """
    lifts = np.zeros(len(codes)) if lift is None else lift
    stage, root = _open(entry, variants)
    meshes: list[BakedMesh] = []
    skel_roots: list[str] = []
    skeletons: set[str] = set()
    for prim in stage.Traverse():
        if UsdSkel.Root(prim):
            skel_roots.append(_relative(root, prim))
            for query, targets in _bindings(UsdSkel.Root(prim)):
                skeletons.add(_relative(root, query.GetPrim()))
                joints = [
                    skinning_transforms(query, float(code), float(up))
                    for code, up in zip(codes, lifts, strict=True)
                ]
                meshes += [_bake_mesh(root, query, target, codes, joints) for target in targets]
    if not meshes:
        raise ValueError(f"{entry.file} with {dict(variants)} holds no skinned mesh")
    return BakedCharacter(tuple(meshes), tuple(skel_roots), tuple(sorted(skeletons)))


@dataclass(frozen=True)
class HipTrack:
    """Where the hips of a character's first skeleton are, (frames, 3) in its root space.

    `adapts` says whether its legs can be bent to another height of the hips.
    """

    places: np.ndarray
    adapts: bool


def track_hips(
    entry: Entry, variants: Mapping[str, str], codes: Sequence[float] | np.ndarray
) -> HipTrack:
    """Follow the hips through a motion without skinning anything."""
    stage, root = _open(entry, variants)
    skel_root = next(UsdSkel.Root(prim) for prim in stage.Traverse() if UsdSkel.Root(prim))
    query = _bindings(skel_root)[0][0]
    xforms = UsdGeom.XformCache()
    root_from_skeleton = _column(
        xforms.GetLocalToWorldTransform(query.GetPrim())
        * xforms.GetLocalToWorldTransform(root).GetInverse()
    )
    places = joint_places(query, [float(code) for code in codes])[:, hip_joint(query)]
    return HipTrack(_transform(root_from_skeleton, places), can_adapt(query))


def _open(entry: Entry, variants: Mapping[str, str]) -> tuple[Usd.Stage, Usd.Prim]:
    """A stage, to be kept alive by the caller, and the character's root prim on it."""
    stage = Usd.Stage.CreateInMemory()
    root = stage.DefinePrim("/Character")
    root.GetReferences().AddReference(entry.file.resolve().as_posix())
    apply_selection(root, variants)
    return stage, root


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
    transforms: Sequence[Vt.Matrix4dArray],
) -> BakedMesh:
    prim = target.GetPrim()
    mesh = UsdGeom.Mesh(prim)
    rest = mesh.GetPointsAttr().Get()
    rest_normals = mesh.GetNormalsAttr().Get()
    per_vertex = rest_normals is not None and len(rest_normals) == len(rest)
    used, face_indices = _used_points(mesh, len(rest), per_vertex or rest_normals is None)
    xforms = UsdGeom.XformCache()
    mesh_from_skeleton = _column(
        xforms.GetLocalToWorldTransform(skeleton.GetPrim())
        * xforms.GetLocalToWorldTransform(prim).GetInverse()
    )
    points, normals = [], []
    for code, joints in zip(codes, transforms, strict=True):
        time = Usd.TimeCode(float(code))
        posed = Vt.Vec3fArray(rest)
        if target.HasBlendShapes():
            posed = _blend(skeleton, target, posed, time)
        target.ComputeSkinnedPoints(joints, posed, time)
        points.append(_transform(mesh_from_skeleton, np.array(posed)[used]))
        if per_vertex:
            vectors = _skin_normals(target, np.array(rest_normals), joints, time)[used]
            normals.append(_unit(vectors @ np.linalg.inv(mesh_from_skeleton[:3, :3])))
    root_from_mesh = _column(
        xforms.GetLocalToWorldTransform(prim) * xforms.GetLocalToWorldTransform(root).GetInverse()
    )
    return BakedMesh(
        _relative(root, prim),
        np.stack(points).astype(np.float32),
        np.stack(normals).astype(np.float32) if normals else None,
        root_from_mesh,
        face_indices,
    )


def _used_points(mesh: UsdGeom.Mesh, count: int, can_drop: bool) -> tuple[Any, np.ndarray | None]:
    """Which points to keep, and the face indices over them; all where values hang on each point."""
    primvars = UsdGeom.PrimvarsAPI(mesh).GetPrimvarsWithAuthoredValues()
    per_point = (UsdGeom.Tokens.vertex, UsdGeom.Tokens.varying)
    hung = [p.GetName() for p in primvars if p.GetInterpolation() in per_point]
    indices = np.array(mesh.GetFaceVertexIndicesAttr().Get())
    used, renumbered = np.unique(indices, return_inverse=True)
    if len(used) == count or not can_drop or any(":skel:" not in name for name in hung):
        return slice(None), None
    return used, renumbered.reshape(-1)


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
