"""What a bound UsdPreviewSurface looks like: constants, image maps and primvar colours.

Only what a preview shows is read: diffuse and emissive colour, opacity as a cut-out. Everything
else (roughness, normal maps) is left to the path tracers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom, UsdShade

from .asset_bytes import read_bytes

Color = NDArray[np.float32]

_DEFAULT_GREY = 0.18  # UsdPreviewSurface's own fallback diffuse colour


@dataclass(frozen=True)
class ImageMap:
    """A texture lookup: linear-light RGBA pyramid, and how ``st`` reaches it.

    ``levels[0]`` is the full image, (H, W, 4) float32, first row on top.
    """

    levels: tuple[NDArray[np.float32], ...]
    primvar: str
    uv_from_st: NDArray[np.float64]  # (2, 3) affine
    channel: int | None  # None: rgb

    def sample(self, st: NDArray[Any], st_per_pixel: NDArray[Any]) -> NDArray[np.float32]:
        """Look up (n, 2) coordinates, repeating; the level follows the (n,) footprint in ``st``."""
        uv = st @ self.uv_from_st[:, :2].T + self.uv_from_st[:, 2]
        size = max(self.levels[0].shape[:2])
        stretch = float(np.sqrt(abs(np.linalg.det(self.uv_from_st[:, :2]))))
        texels = np.maximum(st_per_pixel * stretch * size, 1e-6)
        level = np.clip(np.round(np.log2(texels)), 0, len(self.levels) - 1).astype(int)
        values = np.empty((len(uv), 4), np.float32)
        for index in np.unique(level):
            rows = level == index
            values[rows] = _bilinear(self.levels[index], uv[rows])
        return values[:, :3] if self.channel is None else values[:, self.channel]


@dataclass(frozen=True)
class Shading:
    """The drawn side of one material; ``None`` colours come from the mesh's displayColor."""

    diffuse: Color | ImageMap | None
    emissive: Color | ImageMap | None
    opacity: ImageMap | None
    opacity_threshold: float


class MaterialReader:
    """Reads materials of one stage; images are decoded once."""

    def __init__(self) -> None:
        self._images: dict[tuple[str, str, tuple[float, ...]], tuple[NDArray[np.float32], ...]] = {}

    def read(self, material: UsdShade.Material) -> Shading:
        """Return the shading of a material; one without a preview surface shows displayColor."""
        shader = preview_surface(material)
        if shader is None:
            return Shading(None, None, None, 0.0)
        diffuse = self._value(shader, "diffuseColor")
        if diffuse is None and not _connects_primvar(shader, "diffuseColor"):
            diffuse = np.full(3, _DEFAULT_GREY, np.float32)
        opacity = self._value(shader, "opacity")
        threshold = shader.GetInput("opacityThreshold")
        emissive = self._value(shader, "emissiveColor")
        return Shading(
            diffuse,
            emissive,
            opacity if isinstance(opacity, ImageMap) else None,
            float(threshold.Get() or 0.0) if threshold else 0.0,
        )

    def _value(self, shader: UsdShade.Shader, name: str) -> Color | ImageMap | None:
        source = shader.GetInput(name)
        if not source:
            return None
        attributes = source.GetValueProducingAttributes()
        if not attributes:
            return None
        attribute = attributes[0]
        node = UsdShade.Shader(attribute.GetPrim())
        if UsdShade.Utils.GetType(attribute.GetName()) == UsdShade.AttributeType.Input:
            value = attribute.Get()
            return None if value is None else np.array(value, np.float32)
        if node.GetIdAttr().Get() == "UsdUVTexture":
            return self._image_map(node, attribute.GetName().removeprefix("outputs:"))
        return None

    def _image_map(self, node: UsdShade.Shader, output: str) -> ImageMap | Color | None:
        path = texture_path(node)
        scale = _constant(node, "scale", (1, 1, 1, 1))
        bias = _constant(node, "bias", (0, 0, 0, 0))
        channel = {"r": 0, "g": 1, "b": 2, "a": 3}.get(output)
        if path is None:
            fallback = np.array(_constant(node, "fallback", (0, 0, 0, 1)), np.float32)
            return fallback[:3] if channel is None else None
        space_input = node.GetInput("sourceColorSpace")
        space = str(space_input.Get() or "auto") if space_input else "auto"
        key = (path, space, (*scale, *bias))
        if key not in self._images:
            self._images[key] = _load_pyramid(path, space, scale, bias)
        primvar, transform = _texture_coordinates(node)
        return ImageMap(self._images[key], primvar, transform, channel)


def preview_surface(material: UsdShade.Material) -> UsdShade.Shader | None:
    """Return the UsdPreviewSurface shader that a material's universal surface output reaches."""
    source = material.ComputeSurfaceSource()
    shader = source[0] if isinstance(source, tuple) else source
    if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
        return None
    return shader


def texture_path(node: UsdShade.Shader) -> str | None:
    """Return the resolved file of a UsdUVTexture, or None if it does not exist."""
    file = node.GetInput("file")
    attributes = file.GetValueProducingAttributes() if file else []
    value = attributes[0].Get() if attributes else None
    if not isinstance(value, Sdf.AssetPath):
        return None
    return value.resolvedPath or None


def texture_primvar(node: UsdShade.Shader) -> str:
    """Return the name of the primvar that a UsdUVTexture reads its coordinates from."""
    return _texture_coordinates(node)[0]


def _texture_coordinates(node: UsdShade.Shader) -> tuple[str, NDArray[np.float64]]:
    """Follow ``st`` through UsdTransform2d nodes to the primvar reader."""
    transform = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    source = node.GetInput("st")
    while source:
        attributes = source.GetValueProducingAttributes()
        if not attributes:
            break
        upstream = UsdShade.Shader(attributes[0].GetPrim())
        kind = upstream.GetIdAttr().Get() if upstream else None
        if kind == "UsdTransform2d":
            transform = transform @ _transform_2d(upstream)
            source = upstream.GetInput("in")
            continue
        if kind == "UsdPrimvarReader_float2":
            name = upstream.GetInput("varname")
            values = name.GetValueProducingAttributes() if name else []
            if values and values[0].Get():
                return str(values[0].Get()), transform[:2]
        break
    return "st", transform[:2]


def _transform_2d(node: UsdShade.Shader) -> NDArray[np.float64]:
    # The specification's order: scale, then rotate (degrees, counter-clockwise), then translate.
    angle = np.radians(_constant(node, "rotation", 0.0))
    sx, sy = _constant(node, "scale", (1.0, 1.0))
    tx, ty = _constant(node, "translation", (0.0, 0.0))
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine * sx, -sine * sy, tx], [sine * sx, cosine * sy, ty], [0.0, 0.0, 1.0]])


def _constant(node: UsdShade.Shader, name: str, default: Any) -> Any:
    source = node.GetInput(name)
    value = source.Get() if source else None
    if value is None:
        return default
    return tuple(value) if hasattr(value, "__len__") else value


def _connects_primvar(shader: UsdShade.Shader, name: str) -> bool:
    source = shader.GetInput(name)
    for attribute in source.GetValueProducingAttributes() if source else []:
        node = UsdShade.Shader(attribute.GetPrim())
        if str(node.GetIdAttr().Get() or "").startswith("UsdPrimvarReader"):
            return True
    return False


def display_color(prim: Usd.Prim) -> NDArray[np.float32] | None:
    """Return the first displayColor of a prim, inherited ones included, linear RGB."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    values = primvar.Get(Usd.TimeCode.EarliestTime()) if primvar else None
    return np.array(values[0], np.float32) if values else None


def _load_pyramid(
    path: str, space: str, scale: tuple[float, ...], bias: tuple[float, ...]
) -> tuple[NDArray[np.float32], ...]:
    data = np.frombuffer(read_bytes(path), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if image is None:
        raise ValueError(f"texture {path} is no image that OpenCV can read")
    full = _as_rgba(image)
    if space == "sRGB" or (space == "auto" and image.dtype == np.uint8 and image.ndim == 3):
        full[..., :3] = linear_from_srgb(full[..., :3])
    full = full * np.array(scale, np.float32) + np.array(bias, np.float32)
    levels = [full]
    while min(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        half = (max(width // 2, 1), max(height // 2, 1))
        smaller = cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA)
        levels.append(smaller.astype(np.float32))
    return tuple(levels)


def _as_rgba(image: NDArray[Any]) -> NDArray[np.float32]:
    """OpenCV's BGR(A) or grey of any depth to RGBA in [0, 1]."""
    top = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(image.dtype, 1.0)
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    rgba = np.ones((*image.shape[:2], 4), np.float32)
    rgba[..., : image.shape[2]] = image / top
    rgba[..., :3] = rgba[..., 2::-1]
    return rgba


def _bilinear(image: NDArray[np.float32], uv: NDArray[Any]) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    x = uv[:, 0] * width - 0.5
    y = (1.0 - uv[:, 1]) * height - 0.5  # v runs up, rows run down
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - x0)[:, None].astype(np.float32), (y - y0)[:, None].astype(np.float32)
    x0, x1, y0, y1 = x0 % width, (x0 + 1) % width, y0 % height, (y0 + 1) % height
    top = image[y0, x0] * (1 - fx) + image[y0, x1] * fx
    bottom = image[y1, x0] * (1 - fx) + image[y1, x1] * fx
    return top * (1 - fy) + bottom * fy


def linear_from_srgb(values: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1 decoding of values in [0, 1]."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(values: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1 encoding, clipped to [0, 1]."""
    clipped = np.clip(values, 0.0, 1.0)
    return np.where(
        clipped <= 0.0031308, clipped * 12.92, 1.055 * np.power(clipped, 1 / 2.4) - 0.055
    )
