"""Mesh files through trimesh: geometry with baked node transforms, materials, textures, colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Tf

from assets_schema.entry import Entry
from assets_schema.mesh_layer import MeshData
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.surface_shading import linear_from_srgb

from .request import IngestRequest, default_up, library_from_source, variant_names

_Parts = list[tuple[MeshData, PreviewSurface]]
_PLAIN = (0.6, 0.6, 0.6)  # linear, for files that carry no colour at all


def ingest_meshes(
    request: IngestRequest, files: Sequence[Path], folder: Path, library: Path
) -> Entry:
    """Write one package; several files become the variants of one set, with one look."""
    package = AssetPackage(
        request.asset_id,
        request.category,
        fit_mode=request.fit_mode,
        support=request.resting_on,
        license=request.license,
        source=request.origin or request.source.name,
        tags=request.tags,
    )
    surfaces: dict[str, PreviewSurface] = {}
    for name, file in zip(variant_names(files), files, strict=True):
        up = request.up or default_up(file)
        matrix = library_from_source(up, request.front, request.metres_per_unit or 1.0)
        parts = _on_the_ground(read_parts(file), matrix)
        meshes = []
        for number, (mesh, surface) in enumerate(parts):
            slot = f"{name}_{mesh.material}" if len(files) > 1 else str(mesh.material)
            slot = slot if slot not in surfaces else f"{slot}_{number}"
            surfaces[slot] = surface
            meshes.append(replace(mesh, material=slot))
        if len(files) > 1:
            package.add_geometry_variant(request.variant_set, name, meshes)
        else:
            package.add_geometry(meshes)
    package.add_look_variant("look", "source", surfaces)
    return package.write(folder, library_root=library)


def read_parts(file: Path) -> _Parts:
    """Read a mesh file as (mesh, surface) pairs in source axes and units; names are unique.

    Raises:
        ValueError: when the file cannot be read, holds no triangles or points that are not finite.
    """
    import trimesh

    try:
        scene = trimesh.load_scene(file, process=False)
        placed = [
            (str(name), scene.geometry[geometry].copy().apply_transform(matrix))
            for name in scene.graph.nodes_geometry
            for matrix, geometry in [scene.graph[name]]
        ]
    except Exception as error:  # trimesh's readers raise whatever their parsers do
        raise ValueError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    parts: _Parts = []
    names: set[str] = set()
    for name, mesh in placed:
        faces = np.asarray(getattr(mesh, "faces", np.zeros((0, 3))))
        if not len(faces):
            continue  # point clouds and curves
        if not np.isfinite(mesh.vertices).all():
            raise ValueError(f"{file}: part {name!r} holds points that are not finite")
        unique = _unique(str(Tf.MakeValidIdentifier(name)), names)
        parts.append(_part(unique, mesh, faces))
    if not parts:
        raise ValueError(f"{file} holds no triangles")
    return parts


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate


def _part(name: str, mesh: Any, faces: NDArray[Any]) -> tuple[MeshData, PreviewSurface]:
    visual = mesh.visual
    uvs = getattr(visual, "uv", None)
    uvs = np.asarray(uvs) if uvs is not None and len(uvs) == len(mesh.vertices) else None
    colors = _vertex_colors(visual)
    surface = _surface(visual, has_uv=uvs is not None, has_colors=colors is not None)
    data = MeshData(
        name,
        np.asarray(mesh.vertices),
        np.full(len(faces), 3),
        faces.ravel(),
        uvs,
        np.asarray(mesh.vertex_normals),
        name,
        display_color=colors,
        double_sided=bool(getattr(getattr(visual, "material", None), "doubleSided", False)),
    )
    return data, surface


def _vertex_colors(visual: Any) -> NDArray[Any] | None:
    if getattr(visual, "kind", None) not in ("vertex", "face"):
        return None
    colors: NDArray[Any] = linear_from_srgb(np.asarray(visual.vertex_colors)[:, :3] / 255.0)
    return colors


def _surface(visual: Any, *, has_uv: bool, has_colors: bool) -> PreviewSurface:
    material = getattr(visual, "material", None)
    if material is None:
        return PreviewSurface(diffuse="displayColor" if has_colors else _PLAIN)
    if type(material).__name__ != "PBRMaterial":
        material = material.to_pbr()
    texture = material.baseColorTexture if has_uv else None
    factor = _factor(material.baseColorFactor)
    emissive = _tinted(material.emissiveTexture if has_uv else None, material.emissiveFactor)
    packed = material.metallicRoughnessTexture if has_uv else None
    channels = None if packed is None else np.asarray(packed.convert("RGB"))
    threshold = float(material.alphaCutoff or 0.5) if material.alphaMode == "MASK" else 0.0
    opacity: Any = float(factor[3])
    if (
        material.alphaMode in ("MASK", "BLEND")
        and texture is not None
        and "A" in texture.getbands()
    ):
        opacity = np.asarray(texture.getchannel("A"))
    elif material.alphaMode not in ("MASK", "BLEND"):
        opacity = 1.0
    return PreviewSurface(
        diffuse=_tinted(texture, factor[:3]) if texture is not None else _triple(factor),
        roughness=_scalar(material.roughnessFactor)
        if channels is None
        else channels[..., 1].copy(),
        metallic=_scalar(material.metallicFactor, 0.0)
        if channels is None
        else channels[..., 2].copy(),
        normal=_rgb(material.normalTexture) if has_uv else None,
        opacity=opacity,
        opacity_threshold=threshold,
        emissive=(0.0, 0.0, 0.0) if emissive is None else emissive,
    )


def _factor(value: Any) -> NDArray[np.float64]:
    """glTF factors are linear; trimesh hands them out as bytes or as floats."""
    if value is None:
        return np.array([0.6, 0.6, 0.6, 1.0])
    factor = np.asarray(value)
    numbers = factor.astype(float) / (255.0 if factor.dtype == np.uint8 else 1.0)
    return np.append(numbers, 1.0)[:4] if len(numbers) == 3 else numbers


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _scalar(value: Any, default: float = 0.6) -> float:
    return default if value is None else float(value)


def _rgb(image: Any) -> NDArray[np.uint8] | None:
    return None if image is None else np.asarray(image.convert("RGB"))


def _tinted(image: Any, factor: Any) -> Any:
    """Multiply an sRGB image by a linear factor; a factor alone gives a constant."""
    tint = None if factor is None else np.asarray(factor, float)[:3]
    if image is None:
        return None if tint is None else _triple(tint)
    pixels = np.asarray(image.convert("RGB"))
    if tint is None or np.allclose(tint, 1.0):
        return pixels
    from assets_schema.surface_shading import srgb_from_linear

    tinted = srgb_from_linear(linear_from_srgb(pixels / 255.0) * tint)
    return (tinted * 255 + 0.5).astype(np.uint8)


def _on_the_ground(parts: _Parts, matrix: NDArray[np.float64]) -> _Parts:
    """Turn and scale into asset space, with the bottom centre of the joint box at the origin."""
    turned = [np.asarray(mesh.points) @ matrix.T for mesh, _ in parts]
    everything = np.concatenate(turned)
    low, high = everything.min(axis=0), everything.max(axis=0)
    offset = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    rotation = matrix / np.cbrt(np.linalg.det(matrix))
    return [
        (
            replace(
                mesh,
                points=points - offset,
                normals=None if mesh.normals is None else np.asarray(mesh.normals) @ rotation.T,
            ),
            surface,
        )
        for (mesh, surface), points in zip(parts, turned, strict=True)
    ]
