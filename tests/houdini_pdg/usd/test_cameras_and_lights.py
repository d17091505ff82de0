"""USD cameras project as our intrinsics do; lights shine into the room; captions read well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdLux

from assets_schema.library.finishes import FinishShelf
from houdini_pdg.camera_path.config import TrajectoryConfig
from houdini_pdg.camera_path.planner import plan_cameras
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.solids import floor_region
from houdini_pdg.usd.cameras import write_cameras
from houdini_pdg.usd.caption import write_caption
from houdini_pdg.usd.config import TIMES_OF_DAY, CharactersConfig, ComposeConfig
from houdini_pdg.usd.lights import author_lights, draw_rig
from houdini_pdg.usd.render_settings import author_render_settings
from houdini_pdg.usd.room import shell_albedo
from houdini_pdg.usd.sky import draw_sky
from houdini_pdg.usd.stage import new_stage
from tests.houdini_pdg.layout.test_solids import TWO_ROOMS

LAYOUT = parse_layout(TWO_ROOMS + "bbox_0=Bbox(sofa,1.2,3.3,0.4,0,1.8,0.9,0.8)\n")


@pytest.mark.parametrize(("height", "width"), [(48, 48), (48, 80)])
def test_usd_cameras_project_like_our_intrinsics(tmp_path: Path, height: int, width: int) -> None:
    clip = Clip(frames=5, fps=12.0, height=height, width=width)
    nobody = {"fps": 12.0, "characters": []}
    paths = plan_cameras(LAYOUT, nobody, TrajectoryConfig(), cameras=2, clip=clip, seed=0)
    document: dict[str, Any] = {
        "fps": 12.0,
        "height": height,
        "width": width,
        "cameras": {path.name: path.to_json(clip.times, height, width) for path in paths},
    }
    write_cameras(document, tmp_path / "cameras.usda", frames=5)
    stage = Usd.Stage.Open(str(tmp_path / "cameras.usda"))
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 4)
    assert stage.GetTimeCodesPerSecond() == 12.0
    rng = np.random.default_rng(0)
    for name, entry in document["cameras"].items():
        camera = UsdGeom.Camera(stage.GetPrimAtPath(f"/World/Cameras/{name}"))
        assert tuple(camera.GetClippingRangeAttr().Get()) == pytest.approx((0.02, 200.0))
        for frame in range(5):
            frustum = camera.GetCamera(frame).frustum
            pose = np.array(entry["world_from_camera"][frame])
            local = rng.uniform([-0.3, -0.3, 1.0], [0.3, 0.3, 3.0], (20, 3))
            pixels = local @ np.array(entry["intrinsics"][frame]).T
            world = local @ pose[:3, :3].T + pose[:3, 3]
            matrix = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
            ndc = np.array([matrix.Transform(Gf.Vec3d(*point)) for point in world.tolist()])
            xy = (ndc[:, :2] * [1, -1] + 1) / 2 * [width, height]
            np.testing.assert_allclose(xy, pixels[:, :2] / pixels[:, 2:], atol=2e-3)


@pytest.mark.parametrize("hour", TIMES_OF_DAY)
def test_windows_and_lamps_shine_into_the_room(hour: str) -> None:
    region = floor_region(LAYOUT)
    rig = draw_rig(ComposeConfig(times_of_day={hour: 1.0}), np.random.default_rng(1))
    stage = new_stage(1, 24.0)
    exposure = author_lights(stage, rig, LAYOUT, region, [], sky="./sky.png", albedo=0.5)
    assert rig.time_of_day == hour
    assert -3 < exposure < 6
    window = stage.GetPrimAtPath("/World/Lights/window_0")
    matrix = UsdGeom.Xformable(window).ComputeLocalToWorldTransform(0)
    assert matrix.TransformDir(Gf.Vec3d(0, 0, -1)) == Gf.Vec3d(-1, 0, 0)
    origin = matrix.Transform(Gf.Vec3d(0, 0, 0))
    assert 6.0 < origin[0] < 6.05
    np.testing.assert_allclose([origin[1], origin[2]], [2.0, 1.5], atol=1e-9)
    assert np.linalg.det(np.array(matrix)[:3, :3]) == pytest.approx(1.0)
    ceiling = stage.GetPrimAtPath("/World/Lights/ceiling_0")
    down = UsdGeom.Xformable(ceiling).ComputeLocalToWorldTransform(0)
    assert down.TransformDir(Gf.Vec3d(0, 0, -1)) == Gf.Vec3d(0, 0, -1)
    sun = UsdLux.DistantLight(stage.GetPrimAtPath("/World/Lights/sun"))
    if sun:
        ray = (
            UsdGeom.Xformable(sun).ComputeLocalToWorldTransform(0).TransformDir(Gf.Vec3d(0, 0, -1))
        )
        assert ray[2] == pytest.approx(-np.sin(np.radians(rig.sun_elevation)), abs=1e-6)
    else:
        assert hour == "night" or rig.sun == 0


def test_the_sky_stands_upright_and_no_brighter_than_a_picture_can_show() -> None:
    rig = draw_rig(ComposeConfig(times_of_day={"noon": 1.0}), np.random.default_rng(1))
    stage = new_stage(1, 24.0)
    author_lights(
        stage, rig, LAYOUT, floor_region(LAYOUT), [], sky="./textures/sky.png", albedo=0.5
    )
    dome = UsdLux.DomeLight(stage.GetPrimAtPath("/World/Lights/sky"))
    assert dome.GetTextureFileAttr().Get().path == "./textures/sky.png"
    pole = UsdGeom.Xformable(dome).ComputeLocalToWorldTransform(0).TransformDir(Gf.Vec3d(0, 1, 0))
    assert Gf.IsClose(pole, Gf.Vec3d(0, 0, 1), 1e-9)
    assert dome.GetIntensityAttr().Get() * 2 ** dome.GetExposureAttr().Get() < 1.5


def test_dark_rooms_get_more_light_than_white_ones(tmp_path: Path) -> None:
    rig = draw_rig(ComposeConfig(), np.random.default_rng(1))
    stops = []
    for wall, floor in (("wall_grey", "planks_walnut"), ("wall_white", "tiles_white")):
        finishes = {"wall": wall, "floor": floor, "ceiling": "ceiling_white"}
        albedo, region = shell_albedo(finishes, FinishShelf(tmp_path)), floor_region(LAYOUT)
        assert 0.2 < albedo < 0.9
        stage = new_stage(1, 24.0)
        stops.append(author_lights(stage, rig, LAYOUT, region, [], sky="./s.png", albedo=albedo))
    assert 0.4 < stops[0] - stops[1] < 2.0


@pytest.mark.parametrize("hour", TIMES_OF_DAY)
@pytest.mark.parametrize("overcast", [False, True])
def test_a_sky_is_above_the_land_and_closes_around_the_horizon(hour: str, overcast: bool) -> None:
    image = draw_sky(hour, overcast=overcast, rng=np.random.default_rng(4)).astype(float)
    assert image.shape[1] == 2 * image.shape[0]
    above, below = np.split(image.mean(axis=(1, 2)), 2)
    assert above.mean() > below.mean()
    seam = np.abs(image[:, 0] - image[:, -1]).mean()
    assert seam < 2.0 * np.abs(np.diff(image, axis=1)).mean() + 1.0
    again = draw_sky(hour, overcast=overcast, rng=np.random.default_rng(4))
    assert (again == image).all()


def test_rigs_vary_and_are_reproducible() -> None:
    rigs = [draw_rig(ComposeConfig(), np.random.default_rng(seed)) for seed in range(60)]
    assert {rig.time_of_day for rig in rigs} == set(TIMES_OF_DAY)
    assert {rig.lamps for rig in rigs} == {0.0, 1.0}
    assert any(rig.sun == 0 and rig.time_of_day == "noon" for rig in rigs)
    assert draw_rig(ComposeConfig(), np.random.default_rng(5)) == rigs[5]
    assert all(2700 <= rig.lamp_temperature <= 4500 for rig in rigs)


def test_render_settings_ask_for_32_bit_depth_without_blur() -> None:
    stage = new_stage(3, 24.0)
    author_render_settings(stage, height=30, width=40, cameras=2)
    settings = stage.GetPrimAtPath(stage.GetMetadata("renderSettingsPrimPath"))
    assert tuple(settings.GetAttribute("resolution").Get()) == (40, 30)
    assert settings.GetAttribute("disableMotionBlur").Get() is True
    assert settings.GetAttribute("disableDepthOfField").Get() is True
    depth = stage.GetPrimAtPath("/Render/Products/Vars/depth")
    assert depth.GetAttribute("driver:parameters:aov:husk:format").Get() == "float"
    assert depth.GetAttribute("sourceName").Get() == "ray:hitPz"
    targets = settings.GetRelationship("products").GetTargets()
    assert [str(path) for path in targets] == [f"/Render/Products/cam{i}" for i in (0, 1)]


FURNITURE = "".join(
    f"bbox_{index}=Bbox({name},1,1,1,0,{size},1,1)\n"
    for index, (name, size) in enumerate(
        {"nightstand": 0.4, "bed": 2.0, "curtain": 3.0, "tv": 0.3, "wardrobe": 1.5}.items()
    )
)
ONE_ROOM = "".join(x for x in TWO_ROOMS.splitlines(keepends=True) if "wall_6" not in x)


@pytest.mark.parametrize(
    ("text", "motions", "hour", "lamps", "caption"),
    [
        (
            ONE_ROOM + FURNITURE + "bbox_9=Bbox(nightstand,1,1,1,0,0.4,1,1)\n",
            ["walk", "wave", "wave"],
            "evening",
            True,
            "A bedroom with blue walls and a wooden floor, furnished with a bed, a wardrobe, two "
            "nightstands and a television, in warm evening light with the lamps on. "
            "One person is walking and two people are waving.",
        ),
        (
            ONE_ROOM,
            [],
            "night",
            True,
            "An empty room with blue walls and a wooden floor, lit by lamps at night.",
        ),
        (
            TWO_ROOMS + "bbox_0=Bbox(stove,1,1,1,0,1,1,1)\n",
            ["idle", "carry", "reach"],
            "noon",
            False,
            "An apartment with blue walls and a wooden floor, furnished with a stove, in grey "
            "noon light. One person is standing, another is carrying a box and another is "
            "reaching out.",
        ),
    ],
)
def test_a_caption_tells_room_things_light_and_people_in_plain_english(
    text: str, motions: list[str], hour: str, lamps: bool, caption: str
) -> None:
    written = write_caption(
        parse_layout(text),
        {"characters": [{"motion": motion} for motion in motions]},
        time_of_day=hour,
        overcast=hour == "noon",
        lamps_on=lamps,
        finishes={"floor": "planks_oak", "wall": "wall_blue"},
    )
    assert written == caption


@pytest.mark.parametrize(
    ("config", "values", "message"),
    [
        (CharactersConfig, {"count": (3, 1)}, "count"),
        (CharactersConfig, {"placements": 0}, "placements"),
        (ComposeConfig, {"times_of_day": {"teatime": 1.0}}, "unknown 'teatime'"),
        (ComposeConfig, {"exposure": (1.0, 0.0)}, "exposure"),
        (ComposeConfig, {"colour_temperature": (100.0, 4000.0)}, "colour_temperature"),
    ],
)
def test_bad_configuration_is_refused(config: type, values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**values)
