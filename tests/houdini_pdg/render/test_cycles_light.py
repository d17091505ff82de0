"""Light in Cycles against photometry: units of UsdLux, exposure, shading normals, the sky."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade

from houdini_pdg.render.base import CameraMotion, RenderJob
from houdini_pdg.render.config import CyclesConfig, RenderConfig
from houdini_pdg.render.cycles import CyclesRenderer
from scaling4d.geometry.camera import intrinsics_matrix, look_at
from tests.houdini_pdg.tiny_scene import box, material, quad

pytestmark = pytest.mark.skipif(find_spec("bpy") is None, reason="needs the extra render (bpy)")


def plane_job(root: Path, light, *, exposure: float = 0.0) -> RenderJob:
    """A white-ish floor (albedo 0.5) seen from 1 m above its middle, under one light."""
    stage = Usd.Stage.CreateNew(str(root / "plane.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    world = UsdGeom.Xform.Define(stage, "/World")
    stage.SetDefaultPrim(world.GetPrim())
    UsdGeom.Xform.Define(stage, "/World/Room")
    look = material(stage, "grey", (0.5, 0.5, 0.5))
    shader = UsdShade.Shader.Get(stage, "/World/Looks/grey/surface")
    shader.GetInput("roughness").Set(1.0)
    shader.CreateInput("specular", Sdf.ValueTypeNames.Float).Set(0.0)
    shader.CreateInput("ior", Sdf.ValueTypeNames.Float).Set(1.0)
    quad(stage, "/World/Room/floor", look, [(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)])
    light(stage)
    stage.GetRootLayer().Save()
    pose = np.eye(4)
    pose[:3, :3] = np.diag([1.0, -1.0, -1.0])  # looks straight down
    pose[:3, 3] = [0, 0, 1.0]
    camera = CameraMotion(
        intrinsics=intrinsics_matrix(400.0, 400.0, 4.0, 4.0)[None], world_from_camera=pose[None]
    )
    return RenderJob(
        stage=root / "plane.usda",
        out=root / "out",
        cameras={"cam0": camera},
        frames=1,
        height=8,
        width=8,
        fps=8.0,
        start=0.0,
        seed=0,
        instances={},
        config=RenderConfig(
            exposure=exposure,
            cycles=CyclesConfig(samples=256, bounces=0, denoise=False, clamp=0.0),
        ),
    )


def linear(rgb: np.ndarray) -> float:
    value = float(rgb.mean()) / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def rect(stage):
    light = UsdLux.RectLight.Define(stage, "/World/light")
    light.CreateWidthAttr(0.2)
    light.CreateHeightAttr(0.1)
    light.CreateIntensityAttr(150.0)
    light.AddTranslateOp().Set(Gf.Vec3d(0, 0, 2))


def disk(stage):
    light = UsdLux.DiskLight.Define(stage, "/World/light")
    light.CreateRadiusAttr(0.1)
    light.CreateIntensityAttr(100.0)
    light.AddTranslateOp().Set(Gf.Vec3d(0, 0, 2))


def sphere(stage):
    light = UsdLux.SphereLight.Define(stage, "/World/light")
    light.CreateRadiusAttr(0.1)
    light.CreateIntensityAttr(25.0)
    light.CreateExposureAttr(2.0)
    light.AddTranslateOp().Set(Gf.Vec3d(0, 0, 2))


def distant(stage):
    light = UsdLux.DistantLight.Define(stage, "/World/light")
    light.CreateIntensityAttr(1.5)
    light.CreateNormalizeAttr(True)
    light.AddRotateXYZOp().Set(Gf.Vec3f(60, 0, 0))


def dome(stage):
    UsdLux.DomeLight.Define(stage, "/World/light").CreateIntensityAttr(0.6)


@pytest.mark.parametrize(
    ("light", "irradiance"),
    [
        (rect, 150 * 0.02 / 4),
        (disk, 100 * math.pi * 0.01 / 4),
        (sphere, 100 * math.pi * 0.01 / 4),
        (distant, 1.5 * math.cos(math.radians(60))),
        (dome, 0.6 * math.pi),
    ],
)
def test_lights_have_the_units_of_usdlux(light, irradiance, tmp_path):
    """A diffuse floor of albedo 0.5 under irradiance E has radiance 0.5 E / pi.

    Small lights 2 m above it: E = radiance * area / distance**2 (a disk's or a sphere's outline).
    """
    job = plane_job(tmp_path, light)
    CyclesRenderer().render(job, lambda done, total: None)
    frame = CyclesRenderer().read_frame(job.out, "cam0", 0)
    assert linear(frame.rgb) == pytest.approx(0.5 * irradiance / math.pi, rel=0.05)
    np.testing.assert_allclose(frame.depth, 1.0, rtol=1e-5)


def test_polygons_without_normals_are_faceted(tmp_path):
    """Near the edge of a box's top, smooth shading would mix in the normals of its sides."""

    def top_of_a_box(stage):
        stage.RemovePrim("/World/Room/floor")
        look = UsdShade.Material.Get(stage, "/World/Looks/grey")
        box(stage, "/World/Room/box", look, (0.4, 0.4, 0.4)).AddTranslateOp().Set(
            Gf.Vec3d(-0.18, 0, -0.2)
        )
        distant(stage)

    job = plane_job(tmp_path, top_of_a_box)
    CyclesRenderer().render(job, lambda done, total: None)
    frame = CyclesRenderer().read_frame(job.out, "cam0", 0)
    expected = 0.5 * 1.5 * math.cos(math.radians(60)) / math.pi
    assert linear(frame.rgb) == pytest.approx(expected, rel=0.05)


def test_exposure_is_in_stops(tmp_path):
    job = plane_job(tmp_path, dome, exposure=-1.0)
    CyclesRenderer().render(job, lambda done, total: None)
    frame = CyclesRenderer().read_frame(job.out, "cam0", 0)
    assert linear(frame.rgb) == pytest.approx(0.15, rel=0.05)


def test_a_sky_image_stands_upright_and_denoised_colour_repeats_within_its_noise(tmp_path):
    """Red above the horizon, blue below, over a floor that only the sky lights."""
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:4] = (0, 0, 255)  # OpenCV writes BGR
    picture[4:] = (255, 0, 0)
    assert cv2.imwrite(str(tmp_path / "sky.png"), picture)

    def sky(stage):
        light = UsdLux.DomeLight.Define(stage, "/World/light")
        light.CreateTextureFileAttr("./sky.png")
        light.OrientToStageUpAxis()

    job = plane_job(tmp_path, sky)
    pose = look_at(np.array([0.0, -8.0, 1.0]), np.array([0.0, 8.0, 1.0]))
    camera = CameraMotion(
        intrinsics=intrinsics_matrix(16.0, 16.0, 16.0, 16.0)[None], world_from_camera=pose[None]
    )
    config = RenderConfig(cycles=CyclesConfig(samples=4, denoise=True))
    frames = []
    for name in ("first", "second"):
        again = replace(
            job, out=tmp_path / name, cameras={"cam0": camera}, height=32, width=32, config=config
        )
        CyclesRenderer().render(again, lambda done, total: None)
        frames.append(CyclesRenderer().read_frame(again.out, "cam0", 0))
    first, second = frames
    assert np.median(first.rgb[:12, :, 0]) > 200
    assert np.median(first.rgb[:12, :, 2]) < 40
    assert np.isinf(first.depth[:12]).all()
    assert np.median(first.rgb[-6:, :, 0]) > 2 * np.median(first.rgb[-6:, :, 2])
    np.testing.assert_array_equal(first.depth, second.depth)
    assert np.abs(first.rgb.astype(int) - second.rgb).max() <= 3


def test_a_gpu_that_is_not_there_is_an_error_and_no_silent_cpu(tmp_path):
    config = RenderConfig(cycles=CyclesConfig(device="gpu"))
    job = replace(plane_job(tmp_path, dome), config=config)
    if Path("/dev/nvidia0").exists() or Path("/dev/kfd").exists():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match="Cycles finds none"):  # no attempt more would help
        CyclesRenderer().render(job, lambda done, total: None)
