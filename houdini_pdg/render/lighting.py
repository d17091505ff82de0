"""UsdLux lights of a stage as radiances, so that every renderer is given the same units.

Radiance of a light is ``intensity * 2**exposure * colour`` (times the colour of its temperature,
divided by its area when ``normalize`` is set); for a distant light it is the irradiance on a
surface that faces it. Source: the UsdLux schema documentation of LightAPI.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom, UsdLux


def read_lights(stage: Usd.Stage, time: float) -> list[dict[str, Any]]:
    """Describe every visible rect, disk, sphere and distant light at a time code.

    Returns:
        One JSON-ready mapping per light: ``kind``, ``radiance`` (3 numbers), sizes in metres,
        ``angle`` in radians and ``world_from_light`` (4x4, column vectors, without scale).

    Raises:
        ValueError: a light of a kind that the renderers here do not share.
    """
    lights = []
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        if not prim.HasAPI("LightAPI") or prim.IsA("DomeLight"):
            continue
        if UsdGeom.Imageable(prim).ComputeVisibility(time) == UsdGeom.Tokens.invisible:
            continue
        lights.append(_read_light(prim, time))
    return lights


def read_sky(stage: Usd.Stage, time: float) -> dict[str, Any]:
    """Describe the first dome light: ``radiance``, ``texture`` (path or None), ``turn`` (radians
    about z). A stage without one is black outside."""
    for prim in stage.Traverse():
        if prim.IsA("DomeLight"):
            dome = UsdLux.DomeLight(prim)
            asset = dome.GetTextureFileAttr().Get(time)
            matrix = _world_from(prim, time)
            return {
                "radiance": _emission(prim, time).tolist(),
                "texture": (asset.resolvedPath or asset.path) if asset else None,
                "turn": math.atan2(matrix[1, 0], matrix[0, 0]),
            }
    return {"radiance": [0.0, 0.0, 0.0], "texture": None, "turn": 0.0}


def _read_light(prim: Usd.Prim, time: float) -> dict[str, Any]:
    matrix = _world_from(prim, time)
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    rigid = matrix.copy()
    rigid[:3, :3] /= scale
    light: dict[str, Any] = {"path": str(prim.GetPath()), "world_from_light": rigid.tolist()}
    emission = _emission(prim, time)
    if prim.IsA("RectLight"):
        rect = UsdLux.RectLight(prim)
        width = rect.GetWidthAttr().Get(time) * scale[0]
        height = rect.GetHeightAttr().Get(time) * scale[1]
        light |= {"kind": "rect", "width": width, "height": height}
        area = width * height
    elif prim.IsA("DiskLight"):
        radius = UsdLux.DiskLight(prim).GetRadiusAttr().Get(time) * scale[0]
        light |= {"kind": "disk", "radius": radius}
        area = math.pi * radius**2
    elif prim.IsA("SphereLight"):
        radius = UsdLux.SphereLight(prim).GetRadiusAttr().Get(time) * scale[0]
        light |= {"kind": "sphere", "radius": radius}
        area = 4 * math.pi * radius**2
    elif prim.IsA("DistantLight"):
        angle = math.radians(UsdLux.DistantLight(prim).GetAngleAttr().Get(time))
        light |= {"kind": "distant", "angle": angle}
        # Irradiance is the radiance over the light's disk of directions, which the schema takes as
        # the "area" to normalise by.
        area = math.pi * math.sin(angle / 2) ** 2
        normalized = bool(UsdLux.LightAPI(prim).GetNormalizeAttr().Get(time))
        return light | {"radiance": (emission * (1.0 if normalized else area)).tolist()}
    else:
        raise ValueError(
            f"{prim.GetPath()} is a {prim.GetTypeName()}; light scenes with rect, disk, sphere, "
            "distant and dome lights"
        )
    if UsdLux.LightAPI(prim).GetNormalizeAttr().Get(time):
        emission = emission / area
    return light | {"radiance": emission.tolist()}


def _emission(prim: Usd.Prim, time: float) -> NDArray[np.float64]:
    light = UsdLux.LightAPI(prim)
    power = light.GetIntensityAttr().Get(time) * 2.0 ** light.GetExposureAttr().Get(time)
    colour = np.array(light.GetColorAttr().Get(time), dtype=np.float64)
    if light.GetEnableColorTemperatureAttr().Get(time):
        kelvin = light.GetColorTemperatureAttr().Get(time)
        colour = colour * np.array(UsdLux.BlackbodyTemperatureAsRgb(kelvin))
    return np.asarray(power * colour)


def _world_from(prim: Usd.Prim, time: float) -> NDArray[np.float64]:
    matrix: Gf.Matrix4d = UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(time)
    return np.array(matrix).T
