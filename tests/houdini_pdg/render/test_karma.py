"""Karma through a strict fake husk that renders the authored cameras, and can fail, hang or lie."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from houdini_pdg.plan import read_item
from houdini_pdg.render import karma
from houdini_pdg.render.base import CameraMotion, RenderError, RenderJob
from houdini_pdg.render.config import KarmaConfig, RenderConfig
from houdini_pdg.render.husk import HuskOptions
from houdini_pdg.render.karma_stage import write_karma_stage
from scaling4d.geometry.camera import look_at
from scaling4d.geometry.projection import project, transform_points
from tests.houdini_pdg.tiny_scene import author, intrinsics, plan_of

FAKE = Path(__file__).with_name("fake_husk.py")
HEIGHT, WIDTH, FRAMES = 12, 16, 4


@pytest.fixture
def husk(tmp_path, monkeypatch):
    """An executable called husk; call it with the mode that the next renders shall have."""
    path = tmp_path / "bin" / "husk"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", "/must/not/leak")

    def _mode(mode: str) -> None:
        monkeypatch.setenv("FAKE_HUSK", mode)

    _mode("ok")
    return _mode


@pytest.fixture
def job(tmp_path):
    plan = plan_of(tmp_path / "data", frames=FRAMES, height=HEIGHT, width=WIDTH)
    work = read_item(plan.item_path("scene_000000")).work
    cameras = {}
    for index in range(2):
        matrix = intrinsics(HEIGHT, WIDTH, index + 1)
        poses = [look_at(np.array([1.5, -1.0 + 0.1 * f, 1.4]), np.zeros(3)) for f in range(FRAMES)]
        cameras[f"cam{index}"] = CameraMotion(
            intrinsics=np.repeat(matrix[None], FRAMES, 0), world_from_camera=np.stack(poses)
        )
    return RenderJob(
        stage=work / "scene.usda",
        out=tmp_path / "out",
        cameras=cameras,
        frames=FRAMES,
        height=HEIGHT,
        width=WIDTH,
        fps=8.0,
        start=0.0,
        seed=1,
        instances={"/World/Room/floor": 1, "/World/Objects/mover": 2},
        config=RenderConfig(renderer="karma", timeout_minutes=5),
    )


def render(job):
    renderer = karma.KarmaRenderer(KarmaConfig(samples=2))
    renderer.render(job, lambda done, total: None)
    return renderer


def floor_depth(camera: CameraMotion, frame: int) -> np.ndarray:
    """Planar z of the plane z = 0, +inf above the horizon, from the job's own matrices."""
    from scaling4d.geometry.projection import pixel_centers, rays_through

    rays = rays_through(pixel_centers(HEIGHT, WIDTH), camera.intrinsics[frame])
    pose = camera.world_from_camera[frame]
    world = rays @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        depth = -pose[2, 3] / world[..., 2]
    return np.where(world[..., 2] < 0, depth, np.inf)


@pytest.mark.parametrize("mode", ["ok", "single", "negative"])
def test_depth_comes_back_as_the_plane_that_the_authored_cameras_see(job, husk, mode):
    """The fake renders through Gf's frustum: pose, focal lengths and principal point must agree."""
    husk(mode)
    renderer = render(job)
    for name, camera in job.cameras.items():
        for index in range(FRAMES):
            frame = renderer.read_frame(job.out, name, index)
            expected = floor_depth(camera, index)
            np.testing.assert_allclose(frame.depth, expected, rtol=2e-5)
            assert (frame.instance_id == np.where(np.isfinite(expected), 3, 0)).all()
            assert (frame.rgb == 118).all()  # 0.18 linear is 118 in sRGB


def test_authored_cameras_project_like_the_pinhole(job, tmp_path):
    """UsdGeom camera against Gf, with uneven pixels and a principal point off the centre."""
    write_karma_stage(tmp_path / "k.usda", job)
    stage = Usd.Stage.Open(str(tmp_path / "k.usda"))
    points = np.array([[0.3, 0.2, 0.0], [-0.4, 0.5, 0.3], [0.1, -0.3, 0.6]])
    for name, motion in job.cameras.items():
        camera = UsdGeom.Camera(stage.GetPrimAtPath(f"/Render_cameras/{name}"))
        for frame in (0, FRAMES - 1):
            frustum = camera.GetCamera(frame).frustum
            screen = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
            ours, _ = project(
                transform_points(np.linalg.inv(motion.world_from_camera[frame]), points),
                motion.intrinsics[frame],
            )
            for point, xy in zip(points, ours, strict=True):
                ndc = screen.Transform(Gf.Vec3d(*point))
                theirs = [(ndc[0] + 1) / 2 * WIDTH, (1 - ndc[1]) / 2 * HEIGHT]
                np.testing.assert_allclose(theirs, xy, atol=2e-5)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fail", "ended with status 3: husk: licence lost"),
        ("lie", "ended with status 0, but .*missing"),
        ("half", "ended with status 0, but .*frame.0002.exr is missing"),
        ("truncate", "ended with status 0, but .*not a whole EXR"),
        ("flat", "ended with status 0, but .*holds no depth"),
    ],
)
def test_a_husk_that_fails_or_lies_is_found_out(job, husk, monkeypatch, mode, message):
    monkeypatch.setattr(karma, "_PATIENCE", (0.0,))
    monkeypatch.setattr(karma, "_LICENCE_WAITS", ())
    husk(mode)
    with pytest.raises(RenderError, match=message):
        render(job)


def test_frames_of_a_failed_call_are_kept_and_the_rest_is_rendered(job, husk, monkeypatch):
    monkeypatch.setattr(karma, "_LICENCE_WAITS", ())
    husk("fail")
    with pytest.raises(RenderError):
        render(job)
    kept = sorted(p.name for p in (job.out / "cam0").iterdir())
    assert kept == ["frame.0000.exr", "frame.0001.exr"]
    before = {name: (job.out / "cam0" / name).stat().st_mtime_ns for name in kept}
    husk("ok")
    renderer = render(job)
    assert {name: (job.out / "cam0" / name).stat().st_mtime_ns for name in kept} == before
    renderer.read_frame(job.out, "cam1", FRAMES - 1)


def test_files_that_appear_late_are_waited_for(job, husk, monkeypatch):
    monkeypatch.setattr(karma, "_PATIENCE", (0.1,) * 150)
    husk("late")
    one = replace(job, cameras={"cam0": job.cameras["cam0"]})
    render(one).read_frame(job.out, "cam0", FRAMES - 1)


def test_a_licence_that_others_hold_is_waited_for_and_nothing_else(job, husk, monkeypatch):
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        husk("ok" if len(waits) == 2 else "fail")

    monkeypatch.setattr(karma.time, "sleep", wait)
    husk("fail")
    render(job).read_frame(job.out, "cam1", FRAMES - 1)
    assert waits == [15.0, 30.0]
    husk("half")
    monkeypatch.setattr(karma, "_PATIENCE", ())
    with pytest.raises(RenderError, match="is missing"):
        render(replace(job, out=job.out / "other"))
    assert len(waits) == 2


def test_a_licence_lost_after_the_last_frame_costs_nothing(job, husk, monkeypatch):
    whole = karma.KarmaRenderer._render_camera

    def lost_at_the_end(*arguments):
        whole(*arguments)
        raise karma.LicenceError("husk: licence lost")

    husk("ok")
    monkeypatch.setattr(karma.KarmaRenderer, "_render_camera", lost_at_the_end)
    monkeypatch.setattr(karma.time, "sleep", lambda seconds: None)
    render(job).read_frame(job.out, "cam1", FRAMES - 1)


def test_a_damaged_frame_of_an_earlier_attempt_is_rendered_again(job, husk):
    render(job)
    damaged = job.out / "cam1" / "frame.0002.exr"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    render(job).read_frame(job.out, "cam1", 2)


def test_a_hanging_husk_is_killed(job, husk):
    husk("hang")
    hurried = replace(job, config=RenderConfig(renderer="karma", timeout_minutes=0.06))
    with pytest.raises(RenderError, match=r"said nothing for 0\.06 minutes and was killed"):
        render(hurried)
    assert (job.out / "cam0" / "frame.0001.exr").is_file()


def test_fake_husk_refuses_options_that_husk_does_not_have(job, husk):
    from houdini_pdg.process import run

    assert run(["husk", "--pixelsamples", "4", "x.usda"]).returncode == 2
    assert run(["husk", "--fram", "4", "x.usda"]).returncode == 2  # no abbreviations


def test_missing_husk_says_what_to_do(job, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match="source houdini_setup"):
        render(job)


def test_options_refuse_what_husk_could_not_do(tmp_path):
    good = {
        "usd": tmp_path,
        "settings": "/Render/s",
        "camera": "/c",
        "output": "f.%04d.exr",
        "first": 0,
        "count": 1,
        "height": 4,
        "width": 6,
    }
    argv = HuskOptions(**good).argv()
    assert argv[argv.index("--res") + 1 :][:2] == ["6", "4"]  # width before height
    assert "--threads" not in argv
    assert HuskOptions(**good, threads=3).argv()[-3:-1] == ["--threads", "3"]
    assert "BRAY_HdKarmaXPU" in HuskOptions(**good, engine="xpu").argv()
    with pytest.raises(ValueError, match="at least one frame"):
        HuskOptions(**{**good, "count": 0})
    with pytest.raises(ValueError, match="frame token"):
        HuskOptions(**{**good, "output": "f.exr"})


def test_srgb_curve_hits_its_published_points():
    linear = np.array([[0.0, 0.0031308, 0.2159], [1.0, 2.0, np.nan]])
    assert karma.srgb_from_linear(linear).tolist() == [[0, 10, 128], [255, 255, 0]]


def test_author_is_deterministic(tmp_path):
    plan = plan_of(tmp_path)
    item = read_item(plan.item_path("scene_000000"))
    first = (item.work / "scene.usda").read_bytes()
    (item.work / "scene.usda").unlink()
    author(item)
    assert (item.work / "scene.usda").read_bytes() == first
