"""Cycles in its own process: geometry against Embree and closed forms, a render that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd

from houdini_pdg.plan import read_item
from houdini_pdg.quality.residual import View, round_trip
from houdini_pdg.render.base import RenderJob
from houdini_pdg.render.config import CyclesConfig, RenderConfig
from houdini_pdg.render.cycles import CyclesRenderer
from houdini_pdg.render.instances import number_instances
from houdini_pdg.render.preview import PreviewRenderer
from houdini_pdg.stages.render import read_cameras
from tests.houdini_pdg.tiny_scene import plan_of

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


@pytest.mark.parametrize("option", [{"view_transform": "AgX"}, {"motion_blur": True}])
def test_options_of_the_colour_pass_change_colour_and_leave_depth_alone(rendered, tmp_path, option):
    """Motion blur smears the moving box and body of the second frame, not the walls."""
    job, cycles, _ = rendered
    one = {"cam0": job.cameras["cam0"]}
    config = replace(job.config, cycles=replace(job.config.cycles, **option))
    CyclesRenderer().render(
        replace(job, cameras=one, out=tmp_path, config=config), lambda done, total: None
    )
    frame, before = CyclesRenderer().read_frame(tmp_path, "cam0", 1), cycles["cam0", 1]
    np.testing.assert_array_equal(frame.depth, before.depth)
    moves = [job.instances[f"/World/{name}"] for name in ("Objects/mover", "Characters/person_0")]
    changed = np.abs(frame.rgb.astype(int) - before.rgb).max(-1) > 8
    moving = np.isin(before.instance_id, moves)
    assert changed[moving].mean() > 0.1
    if "view_transform" in option:
        assert changed.mean() > 0.5


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


def test_the_worker_is_a_separate_program(repository):
    """bpy is GPL: nothing of ours may import it or the worker."""
    text = (repository / "houdini_pdg/render/cycles_worker.py").read_text()
    assert "houdini_pdg." not in text.split('"""', 2)[2]
    code = "import houdini_pdg.render.cycles, sys; sys.exit('bpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=repository, env=os.environ)
