"""The codeless S4D API schemas: registration, and the one place that writes and reads them.

Importing this module registers the plug-in beside it with USD, so that the schemas have fallback
values and documentation. Houdini finds the same folder through ``PXR_PLUGINPATH_NAME``.
Opinions are authored in a way that also works where nothing is registered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pxr import Gf, Plug, Sdf, Usd

from assets_schema.entry import CharacterInfo, LightInfo, MotionInfo

SCHEMA_FOLDER = Path(__file__).resolve().parent
SCHEMA_VERSION = 1
ASSET_API, CHARACTER_API, LIGHT_API = "S4DAssetAPI", "S4DCharacterAPI", "S4DLightAPI"

FRONT_AXES = ("-y", "+y", "-x", "+x")
FIT_MODES = ("stretch", "uniform", "keep")
SUPPORTS = ("floor", "wall", "ceiling", "on_top")

Plug.Registry().RegisterPlugins(str(SCHEMA_FOLDER))

_TYPES = Sdf.ValueTypeNames


def apply_asset_schema(
    prim: Usd.Prim,
    *,
    category: str,
    front_axis: str,
    fit_mode: str,
    support: str,
    allowed_scale: tuple[float, float],
    license: str,
    source: str,
    version: str,
) -> None:
    """Apply ``S4DAssetAPI`` and the category label of UsdSemantics (USD 25.5 and later read it).

    Raises:
        ValueError: for a token outside the schema's list.
    """
    _check_token("front_axis", front_axis, FRONT_AXES)
    _check_token("fit_mode", fit_mode, FIT_MODES)
    _check_token("support", support, SUPPORTS)
    prim.AddAppliedSchema(ASSET_API)
    _set(prim, "s4d:asset:category", _TYPES.Token, category)
    _set(prim, "s4d:asset:frontAxis", _TYPES.Token, front_axis)
    _set(prim, "s4d:asset:fitMode", _TYPES.Token, fit_mode)
    _set(prim, "s4d:asset:supportSurface", _TYPES.Token, support)
    _set(prim, "s4d:asset:allowedScale", _TYPES.Float2, Gf.Vec2f(*allowed_scale))
    _set(prim, "s4d:asset:license", _TYPES.String, license)
    _set(prim, "s4d:asset:source", _TYPES.String, source)
    _set(prim, "s4d:asset:version", _TYPES.String, version)
    _set(prim, "s4d:asset:schemaVersion", _TYPES.Int, SCHEMA_VERSION)
    prim.AddAppliedSchema("SemanticsLabelsAPI:category")
    _set(prim, "semantics:labels:category", _TYPES.TokenArray, [category])


def set_canonical_extent(prim: Usd.Prim, size: Gf.Vec3f) -> None:
    """Author the size in metres that the asset has at scale 1 (width x, depth y, height z)."""
    _set(prim, "s4d:asset:canonicalExtent", _TYPES.Float3, size)


def apply_motion_schema(prim: Usd.Prim, character: CharacterInfo, motion: str) -> None:
    """Apply ``S4DCharacterAPI`` with the values of one motion; called inside its variant."""
    info = character.motions[motion]
    prim.AddAppliedSchema(CHARACTER_API)
    _set(prim, "s4d:character:axes", _TYPES.TokenArray, list(character.axes))
    _set(prim, "s4d:character:skeletonFamily", _TYPES.Token, character.skeleton_family)
    _set(prim, "s4d:character:motionRange", _TYPES.Double2, Gf.Vec2d(info.start, info.end))
    _set(prim, "s4d:character:motionFps", _TYPES.Double, info.fps)
    _set(prim, "s4d:character:loop", _TYPES.Bool, info.loop)
    _set(prim, "s4d:character:rootMotion", _TYPES.Bool, info.root_motion)
    _set(prim, "s4d:character:sweptRadius", _TYPES.Float, info.swept_radius)


def apply_light_schema(prim: Usd.Prim, light: LightInfo) -> None:
    """Apply ``S4DLightAPI``: the ranges in which a composer may draw."""
    prim.AddAppliedSchema(LIGHT_API)
    for name, values in (
        ("colorTemperatureRange", light.color_temperature),
        ("intensityRange", light.intensity),
    ):
        _set(prim, f"s4d:light:{name}", _TYPES.Float2, Gf.Vec2f(*values))


def read_attributes(prim: Usd.Prim, group: str) -> dict[str, Any]:
    """Return the authored ``s4d:<group>:*`` values of a prim by their short names."""
    prefix = f"s4d:{group}:"
    return {
        attribute.GetName().removeprefix(prefix): attribute.Get()
        for attribute in prim.GetAttributes()
        if attribute.GetName().startswith(prefix) and attribute.HasAuthoredValue()
    }


def read_motion(prim: Usd.Prim) -> MotionInfo | None:
    """Return the motion that the prim's selected variant declares, or None."""
    values = read_attributes(prim, "character")
    if "motionRange" not in values:
        return None
    return MotionInfo(
        start=float(values["motionRange"][0]),
        end=float(values["motionRange"][1]),
        fps=float(values.get("motionFps", 24.0)),
        loop=bool(values.get("loop", False)),
        root_motion=bool(values.get("rootMotion", False)),
        swept_radius=float(values.get("sweptRadius", 0.0)),
    )


def _set(prim: Usd.Prim, name: str, value_type: Sdf.ValueTypeName, value: Any) -> None:
    attribute = prim.CreateAttribute(name, value_type, False, Sdf.VariabilityUniform)
    attribute.Set(value)


def _check_token(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in tuple(allowed):
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
