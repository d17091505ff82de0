"""Light rigs: sun, sky, daylight at the windows and lamps for a time of day.

Intensities are radiances (UsdLux). The exposure of all lights together is set, as a camera operator
would, from the room: in an integrating sphere of albedo a and surface S the mean radiance under a
flux F is a F / (pi S (1 - a)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdLux

from houdini_pdg.layout.model import Layout, Opening
from houdini_pdg.layout.solids import FloorRegion

from .config import ComposeConfig
from .stage import define_group, placement, set_matrix


@dataclass(frozen=True)
class Rig:
    """One scene's light. Angles in degrees, temperatures in kelvin, exposure in stops."""

    time_of_day: str
    sun_elevation: float
    sun_azimuth: float
    sun: float
    sun_temperature: float
    sky: tuple[float, float, float]
    window: float
    lamps: float
    lamp_temperature: float
    exposure: float

    @property
    def overcast(self) -> bool:
        """Whether it is day without a sun."""
        return self.sun == 0 and self.time_of_day != "night"

    def provenance(self) -> dict[str, object]:
        return asdict(self)


# time of day: (sun elevation range, sun irradiance, sun kelvin, sky radiance, window, lamps on)
_HOURS: dict[
    str, tuple[tuple[float, float], float, float, tuple[float, float, float], float, float]
] = {
    "morning": ((12.0, 28.0), 6.0, 4400.0, (0.85, 0.95, 1.10), 3.0, 0.35),
    "noon": ((45.0, 65.0), 8.0, 5600.0, (0.95, 1.05, 1.20), 4.0, 0.15),
    "afternoon": ((22.0, 42.0), 7.0, 5000.0, (0.95, 1.00, 1.10), 3.5, 0.25),
    "evening": ((4.0, 12.0), 3.0, 3200.0, (0.45, 0.40, 0.42), 1.2, 1.0),
    "night": ((-10.0, -5.0), 0.0, 4100.0, (0.010, 0.014, 0.030), 0.04, 1.0),
}


_CEILING_LAMPS = ("chandelier", "ceiling_light", "illumination")
_USUAL_ALBEDO = 0.5
_MEAN_RADIANCE = {"morning": 0.18, "noon": 0.21, "afternoon": 0.19, "evening": 0.15, "night": 0.12}
"""Mean scene radiance per time of day; 0.2 is middle grey in sRGB."""


def draw_rig(config: ComposeConfig, rng: np.random.Generator) -> Rig:
    """Draw a time of day and its light from the generator."""
    names = sorted(config.times_of_day)
    weights = np.array([config.times_of_day[name] for name in names])
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    elevation, sun, kelvin, sky, window, lamps_on = _HOURS[name]
    on = bool(rng.random() < lamps_on)
    cloud = float(rng.uniform(0.0, 1.0))  # an overcast sky has no sun and is grey
    overcast = name != "night" and cloud > 0.7
    grey = sum(sky) / 3
    colour = tuple(round(0.8 * grey if overcast else channel, 4) for channel in sky)
    return Rig(
        time_of_day=name,
        sun_elevation=round(float(rng.uniform(*elevation)), 2),
        sun_azimuth=round(float(rng.uniform(0.0, 360.0)), 2),
        sun=0.0 if overcast else round(sun * float(rng.uniform(0.7, 1.2)), 3),
        sun_temperature=kelvin,
        sky=(colour[0], colour[1], colour[2]),
        window=round(window * float(rng.uniform(0.8, 1.25)), 3),
        lamps=1.0 if on else 0.0,
        lamp_temperature=round(float(rng.uniform(*config.colour_temperature)), 0),
        exposure=round(float(rng.uniform(*config.exposure)), 3),
    )


def author_lights(
    stage: Usd.Stage,
    rig: Rig,
    layout: Layout,
    region: FloorRegion,
    lamps: Sequence[Usd.Prim],
    *,
    sky: str,
    albedo: float,
) -> float:
    """Author /World/Lights: dome, sun, a panel of daylight in each window, ceiling lamps.

    `lamps` are the lights inside assets, `sky` is the asset path of the sky's image, `albedo` the
    share of light that the room's shell reflects. All lights are given one exposure, which is
    returned in stops: it brings the room's mean radiance to that of the hour, and then the rig's
    own exposure is added. The image of the sky, as a photographer would see to, is only as bright
    as a picture can show; what lights the room are the panels.
    """
    define_group(stage, "/World/Lights")
    dome = UsdLux.DomeLight.Define(stage, "/World/Lights/sky")
    dome.CreateTextureFileAttr(sky)
    dome.CreateTextureFormatAttr(UsdLux.Tokens.latlong)
    dome.OrientToStageUpAxis()
    dome.CreateExposureAttr(rig.exposure)
    if rig.sun > 0 and rig.sun_elevation > 0:
        _author_sun(stage, rig)
    for window in layout.windows:
        _author_daylight(stage, rig, layout, region, window)
    _author_ceiling(stage, rig, layout)
    group = stage.GetPrimAtPath("/World/Lights")
    lights = [*(light for light in group.GetChildren() if light != dome.GetPrim()), *lamps]
    albedo = math.sqrt(albedo * _USUAL_ALBEDO)  # so a dark room stays darker than a white one
    mean = sum(_flux(light) for light in lights) * albedo
    mean /= math.pi * _surface(layout, region) * (1.0 - albedo)
    stops = round(math.log2(_MEAN_RADIANCE[rig.time_of_day] / max(mean, 1e-6)) + rig.exposure, 3)
    for light in lights:
        api = UsdLux.LightAPI(light)
        api.CreateExposureAttr(float(api.GetExposureAttr().Get()) + stops)
    return stops


def _flux(light: Usd.Prim) -> float:
    """Power that a light sends into the room, radiance times area times pi; the sun comes with
    the windows' panels, so it counts nothing."""
    api = UsdLux.LightAPI(light)
    radiance = float(api.GetIntensityAttr().Get()) * 2.0 ** float(api.GetExposureAttr().Get())
    if rect := UsdLux.RectLight(light):
        area = float(rect.GetWidthAttr().Get()) * float(rect.GetHeightAttr().Get())
    elif sphere := UsdLux.SphereLight(light):
        matrix = np.array(UsdGeom.Xformable(light).ComputeLocalToWorldTransform(0.0))[:3, :3]
        radius = float(sphere.GetRadiusAttr().Get())
        area = 4 * math.pi * radius**2 * float(np.linalg.norm(matrix[0])) ** 2
    else:
        return 0.0
    return math.pi * radiance * (1.0 if api.GetNormalizeAttr().Get() else area)


def _surface(layout: Layout, region: FloorRegion) -> float:
    """Square metres that light falls on: floor, ceiling, walls and, by a rule, furniture."""
    walls = sum(wall.length * wall.height for wall in layout.walls)
    return max(3.5 * region.area + walls, 1.0)


def _author_sun(stage: Usd.Stage, rig: Rig) -> None:
    sun = UsdLux.DistantLight.Define(stage, "/World/Lights/sun")
    sun.CreateAngleAttr(0.53)
    sun.CreateNormalizeAttr(True)
    sun.CreateIntensityAttr(rig.sun)
    sun.CreateEnableColorTemperatureAttr(True)
    sun.CreateColorTemperatureAttr(rig.sun_temperature)
    tilt = Gf.Rotation(Gf.Vec3d(1, 0, 0), 90.0 - rig.sun_elevation)
    turn = Gf.Rotation(Gf.Vec3d(0, 0, 1), rig.sun_azimuth)
    UsdGeom.Xformable(sun).MakeMatrixXform().Set(Gf.Matrix4d().SetRotate(tilt * turn))


def _author_daylight(
    stage: Usd.Stage, rig: Rig, layout: Layout, region: FloorRegion, window: Opening
) -> None:
    """A panel that fills the window and shines inwards, in place of sampling the sky through it."""
    wall = layout.wall(window.wall)
    normal = np.array([-wall.direction[1], wall.direction[0]])
    centre = np.asarray(window.position[:2])
    if not region.contains(centre + normal * (wall.solid_thickness / 2 + 0.2)):
        normal = -normal
    origin = centre - normal * 0.04
    panel = UsdLux.RectLight.Define(stage, f"/World/Lights/{window.name}")
    panel.CreateWidthAttr(window.width - 0.1)
    panel.CreateHeightAttr(window.height - 0.1)
    panel.CreateIntensityAttr(rig.window)
    sky = np.asarray(rig.sky) / max(max(rig.sky), 1e-6)
    panel.CreateColorAttr(Gf.Vec3f(*(float(c) for c in 0.6 + 0.4 * sky)))
    # A rect light shines along its own -z, which must point into the room; y is up.
    outward = np.array([-normal[0], -normal[1], 0.0])
    matrix = np.eye(4)
    matrix[:3, 0] = np.cross([0.0, 0.0, 1.0], outward)
    matrix[:3, 1] = [0.0, 0.0, 1.0]
    matrix[:3, 2] = outward
    matrix[:3, 3] = [origin[0], origin[1], window.position[2]]
    set_matrix(panel.GetPrim(), matrix)


def _author_ceiling(stage: Usd.Stage, rig: Rig, layout: Layout) -> None:
    """A soft lamp under each ceiling fitting; without any, one in the middle of the plan."""
    fittings = [b for b in layout.boxes if b.category in _CEILING_LAMPS and b.bottom > 1.5]
    spots = [(b.position[0], b.position[1], b.bottom - 0.02) for b in fittings]
    if not spots:
        low, high = layout.bounds()
        middle = (low + high) / 2
        spots = [(float(middle[0]), float(middle[1]), layout.ceiling_height - 0.05)]
    for index, spot in enumerate(spots):
        lamp = UsdLux.RectLight.Define(stage, f"/World/Lights/ceiling_{index}")
        lamp.CreateWidthAttr(0.6)
        lamp.CreateHeightAttr(0.6)
        # Switched off, it still gives the light that a camera crew would bounce off the ceiling.
        lamp.CreateIntensityAttr(14.0 if rig.lamps else 2.0)
        lamp.CreateEnableColorTemperatureAttr(True)
        lamp.CreateColorTemperatureAttr(rig.lamp_temperature if rig.lamps else 5600.0)
        set_matrix(lamp.GetPrim(), placement(spot, 0.0))
