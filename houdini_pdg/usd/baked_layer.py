"""Baked characters as overrides of the referenced asset: points per frame instead of skinning."""

from __future__ import annotations

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdSkel, Vt

from .skinning import BakedCharacter
from .stage import points_array


def author_baked(stage: Usd.Stage, root: Sdf.Path, baked: BakedCharacter) -> None:
    """Author points per frame over a referenced character and switch its skinning off.

    Frame i is time code i. The skeletons are deactivated and the skel roots become plain Xforms,
    so that no renderer deforms the points a second time.
    """
    for relative in baked.skel_roots:
        path = root if relative == "." else root.AppendPath(relative)
        over = stage.OverridePrim(path)
        over.SetTypeName("Xform")
        over.CreateRelationship("skel:skeleton", False).SetTargets([])
    for relative in baked.skeletons:
        stage.OverridePrim(root.AppendPath(relative)).SetActive(False)
    for mesh in baked.meshes:
        drawn = UsdGeom.Mesh(stage.OverridePrim(root.AppendPath(mesh.path)))
        if mesh.face_indices is not None:
            drawn.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.face_indices.astype("i4")))
        points, extent = drawn.CreatePointsAttr(), drawn.CreateExtentAttr()
        for frame, values in enumerate(mesh.points):
            points.Set(points_array(values), frame)
            extent.Set(points_array(np.stack([values.min(axis=0), values.max(axis=0)])), frame)
        if mesh.normals is not None:
            normals = drawn.CreateNormalsAttr()
            for frame, values in enumerate(mesh.normals):
                normals.Set(points_array(values), frame)
        _forget_skinning(drawn.GetPrim())


def _forget_skinning(prim: Usd.Prim) -> None:
    """Leave no trace of a binding: Blender, for one, applies the bind transform of any it finds."""
    prim.CreateRelationship("skel:skeleton", False).SetTargets([])
    binding = UsdSkel.BindingAPI(prim)
    for attribute in (
        binding.CreateJointIndicesAttr(),
        binding.CreateJointWeightsAttr(),
        binding.CreateGeomBindTransformAttr(),
    ):
        attribute.Block()
    prim.RemoveAppliedSchema("SkelBindingAPI")
