"""Looks: UsdPreviewSurface materials with image maps, one layer per look variant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from .mesh_layer import MATERIAL_SCOPE

Image = NDArray[np.uint8]
Color = tuple[float, float, float]

# Input of UsdPreviewSurface -> (USD type, texture output, colour space of the file).
_CHANNELS = {
    "diffuse": ("diffuseColor", Sdf.ValueTypeNames.Color3f, "rgb", "sRGB"),
    "emissive": ("emissiveColor", Sdf.ValueTypeNames.Color3f, "rgb", "sRGB"),
    "roughness": ("roughness", Sdf.ValueTypeNames.Float, "r", "raw"),
    "metallic": ("metallic", Sdf.ValueTypeNames.Float, "r", "raw"),
    "opacity": ("opacity", Sdf.ValueTypeNames.Float, "r", "raw"),
    "normal": ("normal", Sdf.ValueTypeNames.Normal3f, "rgb", "raw"),
}


@dataclass(frozen=True, kw_only=True)
class PreviewSurface:
    """One UsdPreviewSurface; every channel is a constant, an image file or an image array.

    Arrays are uint8, (H, W, 3) RGB or (H, W) grey, first row on top. Constants are linear values;
    images of ``diffuse`` and ``emissive`` are sRGB, all others raw. ``emissive`` may exceed 1 (a
    lamp). ``diffuse="displayColor"`` takes the mesh's own colours. ``normal`` is a tangent-space
    map with +y up (OpenGL).

    Attributes:
        uv_scale: repeats of the images per unit of ``st``.
        emissive_scale: factor on an emissive image.
        opacity_threshold: above 0, opacity is a cut-out mask.
    """

    diffuse: Color | Path | Image | Literal["displayColor"] = (0.5, 0.5, 0.5)
    roughness: float | Path | Image = 0.5
    metallic: float | Path | Image = 0.0
    normal: Path | Image | None = None
    opacity: float | Path | Image = 1.0
    emissive: Color | Path | Image = (0.0, 0.0, 0.0)
    ior: float = 1.5
    clearcoat: float = 0.0
    uv_scale: tuple[float, float] = (1.0, 1.0)
    emissive_scale: float = 1.0
    opacity_threshold: float = 0.0


class TextureFolder:
    """Image maps of one package, stored once per content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, str] = {}  # content digest -> file name

    def add(self, image: Path | Image, name: str) -> str:
        """Store an image and return its file name; ``name`` (no suffix) is used if it is new.

        Raises:
            ValueError: for a missing file or an array that is no uint8 image.
        """
        if isinstance(image, Path):
            if not image.is_file():
                raise ValueError(f"texture {image} does not exist")
            data, suffix = image.read_bytes(), image.suffix.lower()
        else:
            data, suffix = encode_png(image), ".png"
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        if digest not in self._names:
            self.folder.mkdir(parents=True, exist_ok=True)
            file_name = f"{name}{suffix}"
            if file_name in self._names.values():
                file_name = f"{name}_{digest[:8]}{suffix}"
            (self.folder / file_name).write_bytes(data)
            self._names[digest] = file_name
        return self._names[digest]


def encode_png(image: Image) -> bytes:
    """Encode an RGB or grey uint8 array; the same array gives the same bytes."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise ValueError(
            f"a texture array must be uint8 (H, W, 3) or (H, W), got {image.dtype} {image.shape}"
        )
    stored = image if image.ndim == 2 else image[..., ::-1]
    ok, data = cv2.imencode(".png", np.ascontiguousarray(stored))
    if not ok:
        raise ValueError(f"OpenCV could not encode a texture of shape {image.shape}")
    return bytes(data)


def write_look(
    path: Path,
    root_name: str,
    look_name: str,
    materials: dict[str, PreviewSurface],
    textures: TextureFolder,
) -> None:
    """Write a layer whose default prim holds ``Materials/<slot>`` for every slot of the look."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = stage.OverridePrim(f"/{root_name}")
    stage.SetDefaultPrim(root)
    scope = UsdGeom.Scope.Define(stage, root.GetPath().AppendChild(MATERIAL_SCOPE))
    for slot, surface in materials.items():
        prefix = f"{look_name}_{slot}"
        define_surface(stage, scope.GetPath().AppendChild(slot), surface, textures, prefix)
    stage.GetRootLayer().Save()


def define_surface(
    stage: Usd.Stage,
    path: Sdf.Path,
    surface: PreviewSurface,
    textures: TextureFolder,
    texture_prefix: str,
    texture_root: str = "../textures",
) -> UsdShade.Material:
    """Define one material with a UsdPreviewSurface network at ``path``."""
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, path.AppendChild("Surface"))
    shader.CreateIdAttr("UsdPreviewSurface")
    uv_source: UsdShade.ConnectableAPI | None = None
    for name, (target, value_type, output, space) in _CHANNELS.items():
        value: Any = getattr(surface, name)
        if value is None:
            continue
        source = shader.CreateInput(target, value_type)
        if isinstance(value, str):
            source.ConnectToSource(_define_color_reader(stage, path, value), "result")
        elif isinstance(value, Path | np.ndarray):
            uv_source = uv_source or _define_uv(stage, path, surface.uv_scale)
            file_name = textures.add(value, f"{texture_prefix}_{name}")
            texture = _define_texture(stage, path, name, f"{texture_root}/{file_name}", space)
            texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
                uv_source, "result"
            )
            if name == "normal":  # from [0, 1] in the file to [-1, 1]
                texture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
                texture.CreateInput("bias", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
            if name == "emissive" and surface.emissive_scale != 1.0:
                gain = surface.emissive_scale
                texture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(
                    Gf.Vec4f(gain, gain, gain, 1)
                )
            output_type = Sdf.ValueTypeNames.Float3 if output == "rgb" else Sdf.ValueTypeNames.Float
            texture.CreateOutput(output, output_type)
            source.ConnectToSource(texture.ConnectableAPI(), output)
        else:
            source.Set(Gf.Vec3f(*value) if isinstance(value, tuple) else float(value))
    for name, default in (("ior", 1.5), ("clearcoat", 0.0)):
        if getattr(surface, name) != default:
            shader.CreateInput(name, Sdf.ValueTypeNames.Float).Set(float(getattr(surface, name)))
    if surface.opacity_threshold > 0:
        shader.CreateInput("opacityThreshold", Sdf.ValueTypeNames.Float).Set(
            surface.opacity_threshold
        )
    shader.CreateOutput("surface", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material


def _define_uv(
    stage: Usd.Stage, path: Sdf.Path, uv_scale: tuple[float, float]
) -> UsdShade.ConnectableAPI:
    reader = UsdShade.Shader.Define(stage, path.AppendChild("UV"))
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    if uv_scale == (1.0, 1.0):
        return reader.ConnectableAPI()
    transform = UsdShade.Shader.Define(stage, path.AppendChild("UVTransform"))
    transform.CreateIdAttr("UsdTransform2d")
    transform.CreateInput("in", Sdf.ValueTypeNames.Float2).ConnectToSource(
        reader.ConnectableAPI(), "result"
    )
    transform.CreateInput("scale", Sdf.ValueTypeNames.Float2).Set(Gf.Vec2f(*uv_scale))
    transform.CreateOutput("result", Sdf.ValueTypeNames.Float2)
    return transform.ConnectableAPI()


def _define_color_reader(stage: Usd.Stage, path: Sdf.Path, primvar: str) -> UsdShade.ConnectableAPI:
    reader = UsdShade.Shader.Define(stage, path.AppendChild("Color"))
    reader.CreateIdAttr("UsdPrimvarReader_float3")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set(primvar)
    reader.CreateOutput("result", Sdf.ValueTypeNames.Float3)
    return reader.ConnectableAPI()


def _define_texture(
    stage: Usd.Stage, path: Sdf.Path, name: str, file: str, space: str
) -> UsdShade.Shader:
    texture = UsdShade.Shader.Define(stage, path.AppendChild(f"{name}_map"))
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(file))
    texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set(space)
    texture.CreateInput("wrapS", Sdf.ValueTypeNames.Token).Set("repeat")
    texture.CreateInput("wrapT", Sdf.ValueTypeNames.Token).Set("repeat")
    return texture
