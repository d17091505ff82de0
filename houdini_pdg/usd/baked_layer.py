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
        stage.OverridePrim(path).SetTypeName("Xform")
    for relative in baked.skeletons:
        stage.OverridePrim(root.AppendPath(relative)).SetActive(False)
    for mesh in baked.meshes:
        over = UsdGeom.Mesh(stage.OverridePrim(root.AppendPath(mesh.path)))
        if mesh.face_indices is not None:
            over.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(mesh.face_indices.astype("i4")))
        points, extent = over.CreatePointsAttr(), over.CreateExtentAttr()
        for frame, values in enumerate(mesh.points):
            points.Set(points_array(values), frame)
            extent.Set(points_array(np.stack([values.min(axis=0), values.max(axis=0)])), frame)
        if mesh.normals is not None:
            normals = over.CreateNormalsAttr()
            for frame, values in enumerate(mesh.normals):
                normals.Set(points_array(values), frame)
        over.GetPrim().CreateRelationship("skel:skeleton", False).SetTargets([])
        binding = UsdSkel.BindingAPI(over)
        for weights in (binding.CreateJointIndicesAttr(), binding.CreateJointWeightsAttr()):
            weights.Block()  # of no use any more, and as many as the asset has points
