"""Cycles in its own process: geometry against Embree and closed forms, light against photometry."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade

from houdini_pdg.plan import read_item
from houdini_pdg.quality.residual import View, round_trip
from houdini_pdg.render.base import CameraMotion, RenderError, RenderJob
from houdini_pdg.render.config import CyclesConfig, RenderConfig
from houdini_pdg.render.cycles import CyclesRenderer
from houdini_pdg.render.instances import number_instances
from houdini_pdg.render.preview import PreviewRenderer
from houdini_pdg.stages.render import read_cameras
from scaling4d.geometry.camera import intrinsics_matrix, look_at
from tests.houdini_pdg.tiny_scene import box, material, plan_of, quad

pytestmark = pytest.mark.skipif(find_spec("bpy") is None, reason="needs the extra render (bpy)")

FRAMES = 2


def job_of(root: Path, out: Path, **values) -> RenderJob:
    plan = plan_of(root, frames=FRAMES, cameras=2, height=48, width=64, **values)
    item = read_item(plan.item_path("scene_000000"))
    stage_path = item.work / "scene.usda"
    return RenderJob(
        stage=stage_path,
        out=out,
        cameras=read_cameras(item),
        frames=FRAMES,
        height=48,
        width=64,
        fps=8.0,
        start=0.0,
        seed=3,
        instances=number_instances(Usd.Stage.Open(str(stage_path))),
        config=RenderConfig(cycles=CyclesConfig(samples=2, bounces=1, denoise=False)),
    )


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The tiny room rendered by Cycles and by Embree: job and both readers' frames."""
    root = tmp_path_factory.mktemp("tiny")
    job = job_of(root / "data", root / "cycles")
    CyclesRenderer().render(job, lambda done, total: None)
    PreviewRenderer().render(replace(job, out=root / "embree"), lambda d, t: None)

    def read(renderer, folder):
        return {
            (name, frame): renderer.read_frame(root / folder, name, frame)
            for name in job.cameras
            for frame in range(FRAMES)
        }

    return job, read(CyclesRenderer(), "cycles"), read(PreviewRenderer(), "embree")


def smooth_interior(depth: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Pixels whose 3 x 3 neighbourhood is one object without a crease in inverse depth."""
    inverse = 1.0 / depth
    good = np.zeros(depth.shape, bool)
    for row in range(1, depth.shape[0] - 1):
        for column in range(1, depth.shape[1] - 1):
            block = inverse[row - 1 : row + 2, column - 1 : column + 2]
            second = abs(block[1, 0] + block[1, 2] - 2 * block[1, 1])
            second += abs(block[0, 1] + block[2, 1] - 2 * block[1, 1])
            same = np.ptp(ids[row - 1 : row + 2, column - 1 : column + 2].astype(int)) == 0
            good[row, column] = same and second < 1e-4 * block[1, 1]
    return good


def test_depth_agrees_with_embree_on_smooth_interiors(rendered):
    _, cycles, embree = rendered
    for key, frame in cycles.items():
        mask = smooth_interior(embree[key].depth, embree[key].instance_id)
        assert mask.mean() > 0.3
        error = np.abs(frame.depth / embree[key].depth - 1)[mask]
        assert error.max() < 1e-4, (key, error.max())
        assert np.median(error) < 3e-5


def test_instance_ids_agree_with_embree_also_for_instances_and_moving_things(rendered):
    job, cycles, embree = rendered
    for key, frame in cycles.items():
        same = frame.instance_id == embree[key].instance_id
        assert same.mean() > 0.995, key
    seen = set(np.unique(np.concatenate([f.instance_id.ravel() for f in cycles.values()])))
    for path in ("/World/Objects/stool_0", "/World/Objects/mover", "/World/Characters/person_0"):
        assert job.instances[path] in seen, path


def test_animated_points_and_transforms_move(rendered):
    """Frame 1 must not show frame 0: time samples of points and of transforms are both read."""
    job, cycles, _ = rendered
    for path in ("/World/Objects/mover", "/World/Characters/person_0"):
        number = job.instances[path]
        first, second = (cycles["cam0", frame].instance_id == number for frame in (0, 1))
        assert (first != second).sum() > 5, path


def test_frames_are_upright_lit_and_not_clipped(rendered):
    _, cycles, embree = rendered
    for key, frame in cycles.items():
        grey = frame.rgb.mean(-1)
        assert 40 < grey.mean() < 215
        assert (frame.rgb.min(-1) == 255).mean() < 0.2
        reference = embree[key].rgb.mean(-1)
        upright = np.corrcoef(grey.ravel(), reference.ravel())[0, 1]
        turned = np.corrcoef(grey[::-1].ravel(), reference.ravel())[0, 1]
        assert upright > 0.3
        assert upright > turned + 0.2


def test_round_trip_between_views_is_below_the_promised_residual(rendered):
    job, cycles, _ = rendered

    def view(name):
        frame, motion = cycles[name, 1], job.cameras[name]
        return View(
            rgb=frame.rgb,
            depth=frame.depth,
            intrinsics=motion.intrinsics[1],
            world_from_camera=motion.world_from_camera[1],
        )

    trip = round_trip(view("cam0"), view("cam1"))
    assert trip.covisible.mean() > 0.3
    assert np.median(trip.residual[trip.covisible]) < 0.02


def test_a_killed_render_goes_on_with_the_missing_frames(rendered, tmp_path):
    job, cycles, _ = rendered
    job = replace(job, out=tmp_path / "out")
    code = (
        "import pickle, sys; from houdini_pdg.render.cycles import CyclesRenderer;"
        "CyclesRenderer().render(pickle.load(open(sys.argv[1], 'rb')), lambda d, t: None)"
    )
    import pickle

    (tmp_path / "job").write_bytes(pickle.dumps(job))
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "job")])
    deadline = time.monotonic() + 120
    while not list(job.out.rglob("rgb.*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    time.sleep(0.5)
    workers = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(job.out) not in workers.stdout, "the worker outlived the process that started it"
    kept = {p: p.stat().st_mtime_ns for p in job.out.rglob("rgb.*.png")}
    assert 0 < len(kept) < job.total
    counts = []
    CyclesRenderer().render(job, lambda done, total: counts.append(done))
    assert counts[0] >= len(kept) - 1
    assert counts[-1] == job.total
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    for (name, frame), expected in cycles.items():
        again = CyclesRenderer().read_frame(job.out, name, frame)
        np.testing.assert_array_equal(again.depth, expected.depth)
        np.testing.assert_array_equal(again.rgb, expected.rgb)


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
    with pytest.raises(RenderError, match="Cycles finds none"):
        CyclesRenderer().render(job, lambda done, total: None)


def test_the_worker_is_a_separate_program(repository):
    """bpy is GPL: nothing of ours may import it or the worker."""
    text = (repository / "houdini_pdg/render/cycles_worker.py").read_text()
    assert "houdini_pdg." not in text.split('"""', 2)[2]
    code = "import houdini_pdg.render.cycles, sys; sys.exit('bpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository, env=os.environ)
