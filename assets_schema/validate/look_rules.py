"""S4D4xx: materials and textures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdShade

from assets_schema.asset_bytes import read_bytes
from assets_schema.scene_geometry import Surface
from assets_schema.surface_shading import preview_surface, texture_primvar

from .asset import AssetUnderTest

_COLOR_INPUTS = {"diffuseColor", "emissiveColor", "specularColor"}


def check_looks(asset: AssetUnderTest) -> None:
    """Bindings, surface outputs, textures and their coordinates."""
    for surface in asset.surfaces:
        for material, faces in _bindings(asset, surface):
            if material:
                _check_material(asset, material, surface)
            elif faces:
                message = f"{faces} of {len(surface.face_counts)} faces have no material"
                asset.report("S4D401", message, str(surface.prim.GetPath()))


def _bindings(
    asset: AssetUnderTest, surface: Surface
) -> list[tuple[UsdShade.Material | None, int]]:
    """Return the materials of a mesh, and (None, faces) for faces without one."""
    prim = surface.prim
    binding = UsdShade.MaterialBindingAPI(prim)
    found: list[tuple[UsdShade.Material | None, int]] = []
    uncovered = len(surface.face_counts)
    for subset in binding.GetMaterialBindSubsets():
        faces = len(subset.GetIndicesAttr().Get() or [])
        uncovered -= faces
        found.append(_bound(asset, subset.GetPrim(), faces))
    if uncovered > 0:
        found.append(_bound(asset, prim, uncovered))
    return found


def _bound(
    asset: AssetUnderTest, prim: Usd.Prim, faces: int
) -> tuple[UsdShade.Material | None, int]:
    """Return the material; with a binding that leads nowhere no face counts as unbound."""
    material, relationship = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    if material:
        return material, faces
    ancestor = prim
    while not relationship and ancestor and not ancestor.IsPseudoRoot():
        direct = ancestor.GetRelationship("material:binding")
        relationship = direct if direct and direct.GetTargets() else None
        ancestor = ancestor.GetParent()
    targets = relationship.GetTargets() if relationship else []
    if targets:
        asset.report("S4D406", f"{targets[0]} does not exist", str(prim.GetPath()))
        return None, 0
    return None, faces


def _check_material(asset: AssetUnderTest, material: UsdShade.Material, surface: Surface) -> None:
    shader = preview_surface(material)
    path = str(material.GetPath())
    if shader is None:
        outputs = [output.GetFullName() for output in material.GetSurfaceOutputs()]
        message = f"its outputs are {outputs or 'none'}, none is a UsdPreviewSurface"
        asset.report("S4D402", message, path)
        return
    for source in shader.GetInputs():
        for attribute in source.GetValueProducingAttributes():
            node = UsdShade.Shader(attribute.GetPrim())
            if node and node.GetIdAttr().Get() == "UsdUVTexture":
                _check_texture(asset, node, source.GetBaseName())
                _check_coordinates(asset, node, surface)


def _check_texture(asset: AssetUnderTest, node: UsdShade.Shader, use: str) -> None:
    path = str(node.GetPath())
    file = node.GetInput("file")
    attributes = file.GetValueProducingAttributes() if file else []
    value = attributes[0].Get() if attributes else None
    if not isinstance(value, Sdf.AssetPath) or not value.path:
        asset.report("S4D403", "the texture node names no file", path)
        return
    if not value.resolvedPath:
        asset.report("S4D403", f"{value.path} does not exist", path)
        return
    if asset.first_time("image", value.resolvedPath) and not _is_image(value.resolvedPath):
        asset.report("S4D405", f"{value.path} is no image", path)
    space_input = node.GetInput("sourceColorSpace")
    space = str(space_input.Get() or "auto") if space_input else "auto"
    wanted = "sRGB" if use in _COLOR_INPUTS else "raw"
    # "auto" is right for colour images; for data it makes 8-bit RGB files sRGB.
    if space != wanted and not (space == "auto" and wanted == "sRGB"):
        asset.report("S4D404", f"{use} reads its image as {space}, expected {wanted}", path)


def _is_image(resolved: str) -> bool:
    data = np.frombuffer(read_bytes(resolved), np.uint8)
    if Path(resolved.rstrip("]")).suffix.lower() == ".exr":
        return data[:4].tobytes() == b"v/1\x01"  # OpenCV's wheels come without the decoder
    return data.size > 0 and cv2.imdecode(data, cv2.IMREAD_UNCHANGED) is not None


def _check_coordinates(asset: AssetUnderTest, node: UsdShade.Shader, surface: Surface) -> None:
    name, path = texture_primvar(node), str(surface.prim.GetPath())
    primvar = UsdGeom.PrimvarsAPI(surface.prim).FindPrimvarWithInheritance(name)
    if not primvar or not primvar.HasAuthoredValue():
        asset.report("S4D407", f"textures read primvars:{name}", path)
        return
    stack = primvar.GetAttr().GetPropertyStack(Usd.TimeCode.EarliestTime())
    if not asset.first_time("st", *(f"{spec.layer.identifier}{spec.path}" for spec in stack)):
        return
    spread = primvar.GetInterpolation()
    expected = {
        UsdGeom.Tokens.faceVarying: len(surface.face_indices),
        UsdGeom.Tokens.vertex: len(surface.points),
        UsdGeom.Tokens.varying: len(surface.points),
        UsdGeom.Tokens.uniform: len(surface.face_counts),
    }.get(spread, 1)
    count = len(primvar.ComputeFlattened(Usd.TimeCode.EarliestTime()) or [])
    if count != expected:
        message = f"primvars:{name} ({spread}) has {count} values, the mesh needs {expected}"
        asset.report("S4D407", message, path)
