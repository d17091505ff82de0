"""Every drawable surface of a composed USD stage as world-space triangles at one time code.

References, payloads, native instances, point instancers, visibility, purposes, time samples,
skinning and gprims are resolved here, once, for the preview, the extents and the validator.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

from .tessellate import gprim_mesh

DRAWN_PURPOSES = (UsdGeom.Tokens.default_, UsdGeom.Tokens.render)


@dataclass(frozen=True)
class Surface:
    """One drawn mesh in its own space, and where it stands.

    Attributes:
        path: scene path of the prim; instances of a point instancer append ``[index]``.
        prim: the mesh prim (an instance proxy inside a native instance).
        points: (n, 3) float64 vertices in the mesh's own space, posed by its skeleton if any.
        face_counts, face_indices: polygons; malformed ones are the caller's concern.
        world_from_mesh: (4, 4) float64, column vectors.
        animated: the points or the transform may change over time.
    """

    path: str
    prim: Usd.Prim
    points: NDArray[np.float64]
    face_counts: NDArray[np.int32]
    face_indices: NDArray[np.int32]
    world_from_mesh: NDArray[np.float64]
    animated: bool

    def points_in_world(self) -> NDArray[np.float64]:
        """Return the (n, 3) vertices in world space, in the stage's units."""
        return self.points @ self.world_from_mesh[:3, :3].T + self.world_from_mesh[:3, 3]


def triangulate(
    face_counts: NDArray[np.int32], face_indices: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Fan-triangulate polygons.

    Returns:
        (m, 3) vertex indices, (m, 3) positions in ``face_indices`` (for face-varying values) and
        (m,) face of each triangle.
    """
    counts = np.asarray(face_counts, dtype=np.int64)
    starts = np.cumsum(counts) - counts
    triangles_per_face = np.maximum(counts - 2, 0)
    face = np.repeat(np.arange(len(counts)), triangles_per_face)
    first = np.cumsum(triangles_per_face) - triangles_per_face
    step = np.arange(len(face)) - first[face]
    start = starts[face]
    corners = np.stack([start, start + step + 1, start + step + 2], axis=1)
    indices = np.asarray(face_indices)[corners]
    return indices.astype(np.int32), corners.astype(np.int32), face.astype(np.int32)


class SceneGeometry:
    """Walks one stage; keeps the skinning caches between time codes."""

    def __init__(self, stage: Usd.Stage, root: Usd.Prim | None = None) -> None:
        self.stage = stage
        self.root = root or stage.GetPseudoRoot()
        self._skip: Container[str] = ()
        self._skeletons = UsdSkel.Cache()
        self._skinned = _skinned_prims(self.root, self._skeletons)

    def surfaces(
        self, time: float | None = None, *, skip: Container[str] = ()
    ) -> Iterator[Surface]:
        """Yield what is drawn at a time code (None: the first authored sample or default).

        Surfaces whose path is in ``skip`` are left out before their points are read.
        """
        code = Usd.TimeCode.EarliestTime() if time is None else Usd.TimeCode(time)
        self._skip = skip
        yield from self._walk(self.root, code, UsdGeom.XformCache(code), None, "", False)

    def is_animated(self) -> bool:
        """Return True if any drawn prim may move or deform."""
        return any(surface.animated for surface in self.surfaces())

    def _walk(
        self,
        root: Usd.Prim,
        code: Usd.TimeCode,
        transforms: UsdGeom.XformCache,
        placed: NDArray[np.float64] | None,
        prefix: str,
        moving: bool,
    ) -> Iterator[Surface]:
        """Walk one tree; ``placed`` re-places it (a prototype of a point instancer)."""
        predicate = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
        walk = iter(Usd.PrimRange(root, predicate))
        placed_from_world = None
        if placed is not None:
            root_world = _matrix(transforms.GetLocalToWorldTransform(root))
            placed_from_world = placed @ inverse_affine(root_world)
        for prim in walk:
            imageable = UsdGeom.Imageable(prim)
            if not imageable:
                continue
            if not _is_shown(imageable, code):
                walk.PruneChildren()
                continue
            if UsdGeom.PointInstancer(prim):
                walk.PruneChildren()
                world = _matrix(transforms.GetLocalToWorldTransform(prim))
                if placed_from_world is not None:
                    world = placed_from_world @ world
                yield from self._instances(UsdGeom.PointInstancer(prim), code, world, prefix)
                continue
            if not UsdGeom.Gprim(prim) or imageable.ComputePurpose() not in DRAWN_PURPOSES:
                continue
            world = _matrix(transforms.GetLocalToWorldTransform(prim))
            if placed_from_world is not None:
                world = placed_from_world @ world
            surface = self._surface(prim, code, world, f"{prefix}{prim.GetPath()}", moving)
            if surface is not None:
                yield surface

    def _instances(
        self,
        instancer: UsdGeom.PointInstancer,
        code: Usd.TimeCode,
        world: NDArray[np.float64],
        prefix: str,
    ) -> Iterator[Surface]:
        prototypes = instancer.GetPrototypesRel().GetForwardedTargets()
        indices = instancer.GetProtoIndicesAttr().Get(code)
        if not prototypes or not indices:
            return
        placements = instancer.ComputeInstanceTransformsAtTime(
            code, code, UsdGeom.PointInstancer.IncludeProtoXform, UsdGeom.PointInstancer.IgnoreMask
        )
        mask = list(instancer.ComputeMaskAtTime(code)) or [True] * len(indices)
        moving = any(
            attribute.ValueMightBeTimeVarying()
            for attribute in (
                instancer.GetPositionsAttr(),
                instancer.GetOrientationsAttr(),
                instancer.GetScalesAttr(),
            )
        )
        path = instancer.GetPath()
        for number, (index, matrix, kept) in enumerate(zip(indices, placements, mask, strict=True)):
            if not kept or not 0 <= index < len(prototypes):
                continue
            prototype = self.stage.GetPrimAtPath(prototypes[index])
            if not prototype:
                continue
            yield from self._walk(
                prototype,
                code,
                UsdGeom.XformCache(code),
                world @ _matrix(matrix),
                f"{prefix}{path}[{number}]",
                moving or _moves(instancer.GetPrim()),
            )

    def _surface(
        self,
        prim: Usd.Prim,
        code: Usd.TimeCode,
        world: NDArray[np.float64],
        path: str,
        moving: bool,
    ) -> Surface | None:
        if path in self._skip:
            return None
        if not UsdGeom.Mesh(prim):
            mesh = gprim_mesh(prim, code)
            if mesh is None:
                return None
            points, counts, indices = mesh
            return Surface(path, prim, points, counts, indices, world, moving or _moves(prim))
        mesh_schema = UsdGeom.Mesh(prim)
        authored = mesh_schema.GetPointsAttr().Get(code)
        counts = mesh_schema.GetFaceVertexCountsAttr().Get(code)
        indices = mesh_schema.GetFaceVertexIndicesAttr().Get(code)
        if authored is None or counts is None or indices is None or len(counts) == 0:
            return None
        points = np.array(authored, dtype=np.float64).reshape(-1, 3)
        animated = moving or mesh_schema.GetPointsAttr().ValueMightBeTimeVarying() or _moves(prim)
        skin = self._skinned.get(_stage_path(prim))
        if skin is not None:
            posed = _posed(prim, *skin, points, world, code)
            if posed is not None:
                points, animated = posed, True
        return Surface(
            path,
            prim,
            points,
            np.array(counts, dtype=np.int32),
            np.array(indices, dtype=np.int32),
            world,
            animated,
        )


_Skin = tuple[UsdSkel.SkinningQuery, UsdSkel.SkeletonQuery]


def _skinned_prims(root: Usd.Prim, cache: UsdSkel.Cache) -> dict[Sdf.Path, _Skin]:
    predicate = Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)
    skins: dict[Sdf.Path, _Skin] = {}
    for prim in Usd.PrimRange(root, predicate):
        skel_root = UsdSkel.Root(prim)
        if not skel_root:
            continue
        cache.Populate(skel_root, predicate)
        for binding in cache.ComputeSkelBindings(skel_root, predicate):
            skeleton = cache.GetSkelQuery(binding.GetSkeleton())
            for query in binding.GetSkinningTargets():
                skins[_stage_path(query.GetPrim())] = (query, skeleton)
    return skins


def _posed(
    prim: Usd.Prim,
    query: UsdSkel.SkinningQuery,
    skeleton: UsdSkel.SkeletonQuery,
    points: NDArray[np.float64],
    world: NDArray[np.float64],
    code: Usd.TimeCode,
) -> NDArray[np.float64] | None:
    """Skin rest points; the result is in mesh space, as USD's own baking leaves it."""
    if not query.HasJointInfluences():
        return None
    moved = Vt.Vec3fArray.FromNumpy(points.astype(np.float32))
    if query.HasBlendShapes():
        _add_blend_shapes(prim, query, skeleton, moved, code)
    joints = skeleton.ComputeSkinningTransforms(code)
    if joints is None:
        return None
    if query.IsRigidlyDeformed():
        rigid = _matrix(query.ComputeSkinnedTransform(joints, code))
        skinned = points @ rigid[:3, :3].T + rigid[:3, 3]
    else:
        query.ComputeSkinnedPoints(joints, moved, code)
        skinned = np.array(moved, dtype=np.float64)
    cache = UsdGeom.XformCache(code)
    world_from_skeleton = _matrix(cache.GetLocalToWorldTransform(skeleton.GetPrim()))
    mesh_from_skeleton = inverse_affine(world) @ world_from_skeleton
    return skinned @ mesh_from_skeleton[:3, :3].T + mesh_from_skeleton[:3, 3]


def _add_blend_shapes(
    prim: Usd.Prim,
    query: UsdSkel.SkinningQuery,
    skeleton: UsdSkel.SkeletonQuery,
    points: Vt.Vec3fArray,
    code: Usd.TimeCode,
) -> None:
    animation = skeleton.GetAnimQuery()
    weights = animation.ComputeBlendShapeWeights(code) if animation else None
    mapper = query.GetBlendShapeMapper()
    if not weights or mapper is None:
        return
    shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(prim))
    mapped = mapper.Remap(weights)
    sub_weights, shape_indices, sub_indices = shapes.ComputeSubShapeWeights(mapped)
    shapes.ComputeDeformedPoints(
        sub_weights,
        shape_indices,
        sub_indices,
        shapes.ComputeBlendShapePointIndices(),
        shapes.ComputeSubShapePointOffsets(),
        points,
    )


def _is_shown(imageable: UsdGeom.Imageable, code: Usd.TimeCode) -> bool:
    # The walk prunes hidden parents, so the prim's own opinion is enough.
    return imageable.GetVisibilityAttr().Get(code) != UsdGeom.Tokens.invisible


def _moves(prim: Usd.Prim) -> bool:
    while prim and not prim.IsPseudoRoot():
        if UsdGeom.Xformable(prim).TransformMightBeTimeVarying():
            return True
        if UsdGeom.Imageable(prim).GetVisibilityAttr().ValueMightBeTimeVarying():
            return True
        prim = prim.GetParent()
    return False


def _stage_path(prim: Usd.Prim) -> Sdf.Path:
    return prim.GetPath()


def inverse_affine(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert a (4, 4) affine matrix by cross products.

    LAPACK wakes its threads for a 4 x 4 inverse and waits milliseconds for them on a busy machine.
    """
    x, y, z = matrix[:3, 0], matrix[:3, 1], matrix[:3, 2]
    rows = np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)])
    inverse = np.eye(4)
    inverse[:3, :3] = rows / (rows[0] @ x)
    inverse[:3, 3] = -inverse[:3, :3] @ matrix[:3, 3]
    return inverse


def _matrix(matrix: Gf.Matrix4d | Gf.Matrix4f) -> NDArray[np.float64]:
    """USD multiplies row vectors; our matrices act on columns."""
    return np.array(matrix, dtype=np.float64).T
