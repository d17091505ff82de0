"""Light rigs: sky and sun outside, lamps inside, as UsdLux prims behind a variant set of hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

from ..entry import Entry, LightInfo
from ..look_layer import PreviewSurface, encode_png
from ..mesh_layer import MeshData
from ..package import AssetPackage
from ..package_writer import Author
from .assemble import mesh_data
from .mesh import merge
from .solids import rounded_rectangle, slab
from .turned import sphere

__all__ = ["LIGHT_RIGS", "LightRig", "write_light_rig"]


@dataclass(frozen=True)
class Sky:
    """Sun and sky of one hour: degrees above and around, radiances, kelvin, sRGB 0..255 colours."""

    elevation: float
    azimuth: float
    sun: float
    kelvin: float
    sky: float
    zenith: tuple[int, int, int]
    horizon: tuple[int, int, int]


@dataclass(frozen=True)
class Lamps:
    """Ceiling panels of an interior: intensity, kelvin and how many along x and y."""

    intensity: float
    kelvin: float
    columns: int
    rows: int


@dataclass(frozen=True)
class LightRig:
    """A light asset: one variant per hour or mood."""

    id: str
    variants: Mapping[str, Sky | Lamps]


LIGHT_RIGS = (
    LightRig(
        "sky",
        {
            "noon": Sky(62, 20, 4.0, 5600, 1.1, (70, 120, 200), (190, 214, 236)),
            "morning": Sky(18, -70, 3.0, 4200, 0.8, (92, 132, 190), (246, 216, 180)),
            "evening": Sky(8, 80, 2.2, 3200, 0.5, (64, 78, 130), (248, 168, 110)),
            "overcast": Sky(50, 0, 0.15, 6500, 1.2, (186, 192, 200), (206, 210, 214)),
            "night": Sky(30, 130, 0.02, 7500, 0.02, (12, 16, 34), (30, 36, 58)),
        },
    ),
    LightRig(
        "interior_panels",
        {
            "warm": Lamps(14.0, 2900, 2, 2),
            "neutral": Lamps(16.0, 4000, 2, 2),
            "cool": Lamps(18.0, 5600, 3, 2),
            "dim": Lamps(4.0, 2600, 1, 1),
            "studio": Lamps(24.0, 5200, 3, 3),
        },
    ),
)


def sky_image(sky: Sky) -> np.ndarray:
    """A latitude-longitude sky (64, 128, 3) uint8, zenith on top, ground below the middle."""
    height = np.linspace(1, -1, 64)[:, None, None]
    zenith, horizon = (np.asarray(c, float) for c in (sky.zenith, sky.horizon))
    up = np.clip(height, 0, 1) ** 0.55
    ground = 0.45 * horizon + (30, 27, 24)
    image = np.where(height >= 0, horizon * (1 - up) + zenith * up, ground)
    return np.clip(np.broadcast_to(image, (64, 128, 3)), 0, 255).round().astype(np.uint8)


def write_light_rig(rig: LightRig, out: Path) -> Entry:
    """Write a rig below ``out/light_rig/<id>``.

    A small marker (a sun disc or the panels themselves) is drawn, so that a preview shows the rig.
    """
    kelvins = [each.kelvin for each in rig.variants.values()]
    package = AssetPackage(
        rig.id,
        "light_rig",
        kind="light",
        fit_mode="keep",
        support="ceiling",
        tags=("light", "rig"),
        light=LightInfo((min(kelvins), max(kelvins)), (0.5, 2.0)),
    )
    for name, setting in rig.variants.items():
        if isinstance(setting, Sky):
            package.add_geometry_variant(
                "light", name, [_sun_marker()], author=_sky_author(name, setting)
            )
        else:
            package.add_geometry_variant(
                "light", name, [_panels(setting)], author=_panel_author(setting)
            )
    package.add_look_variant(
        "look",
        "standard",
        {"marker": PreviewSurface(diffuse=(0.9, 0.85, 0.7), emissive=(3.0, 2.7, 2.1))},
    )
    return package.write(out / "light_rig" / rig.id, library_root=out)


def _sun_marker() -> MeshData:
    return mesh_data(sphere(0.1, (0, 0, 0.1), slot="marker"))


def _places(lamps: Lamps) -> list[tuple[float, float]]:
    return [
        (1.6 * (i - (lamps.columns - 1) / 2), 1.6 * (j - (lamps.rows - 1) / 2))
        for i in range(lamps.columns)
        for j in range(lamps.rows)
    ]


def _panels(lamps: Lamps) -> MeshData:
    frame = slab(rounded_rectangle(0.6, 0.6, 0.03), 0.03, 0.0, 0.006, "marker")
    return mesh_data(merge(frame.moved(x, y) for x, y in _places(lamps))["marker"])


def _sky_author(name: str, sky: Sky) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        folder = Path(stage.GetRootLayer().realPath).parents[1] / "textures"
        folder.mkdir(exist_ok=True)
        (folder / f"sky_{name}.png").write_bytes(encode_png(sky_image(sky)))
        dome = UsdLux.DomeLight.Define(stage, root.GetPath().AppendPath("Lights/Sky"))
        dome.CreateIntensityAttr(sky.sky)
        dome.CreateTextureFileAttr(Sdf.AssetPath(f"../textures/sky_{name}.png"))
        dome.CreateTextureFormatAttr(UsdLux.Tokens.latlong)
        # A dome's pole is +y; stages here are z up.
        UsdGeom.Xformable(dome).AddRotateXOp().Set(90.0)
        sun = UsdLux.DistantLight.Define(stage, root.GetPath().AppendPath("Lights/Sun"))
        sun.CreateIntensityAttr(sky.sun)
        sun.CreateAngleAttr(0.53)
        sun.CreateEnableColorTemperatureAttr(True)
        sun.CreateColorTemperatureAttr(sky.kelvin)
        # A distant light shines along -z of its frame: tilt from the zenith, then turn about z.
        UsdGeom.Xformable(sun).AddRotateXYZOp().Set(
            Gf.Vec3f(90.0 - sky.elevation, 0.0, sky.azimuth)
        )

    return author


def _panel_author(lamps: Lamps) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        for index, (x, y) in enumerate(_places(lamps)):
            panel = UsdLux.RectLight.Define(
                stage, root.GetPath().AppendPath(f"Lights/Panel_{index}")
            )
            panel.CreateWidthAttr(0.56)
            panel.CreateHeightAttr(0.56)
            panel.CreateIntensityAttr(lamps.intensity)
            panel.CreateEnableColorTemperatureAttr(True)
            panel.CreateColorTemperatureAttr(lamps.kelvin)
            UsdGeom.Xformable(panel).AddTranslateOp().Set(Gf.Vec3d(x, y, -0.005))

    return author
