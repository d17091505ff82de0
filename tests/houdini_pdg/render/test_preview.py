"""The Embree preview behind the renderer protocol obeys the options that all renderers share."""

from __future__ import annotations

import numpy as np
from pxr import Usd

from assets_schema.surface_shading import linear_from_srgb
from houdini_pdg.plan import read_item
from houdini_pdg.render.base import RenderJob
from houdini_pdg.render.config import RenderConfig
from houdini_pdg.render.instances import number_instances
from houdini_pdg.render.preview import PreviewRenderer
from houdini_pdg.stages.render import read_cameras
from tests.houdini_pdg.tiny_scene import plan_of


def test_a_stop_of_exposure_doubles_the_light_and_leaves_depth_alone(tmp_path):
    plan = plan_of(tmp_path / "data", frames=1, cameras=1, height=48, width=64)
    item = read_item(plan.item_path("scene_000000"))
    stage = item.work / "scene.usda"
    frames = []
    for stops in (0.0, -1.0):
        job = RenderJob(
            stage=stage,
            out=tmp_path / str(stops),
            cameras=read_cameras(item),
            frames=1,
            height=48,
            width=64,
            fps=8.0,
            start=0.0,
            seed=0,
            instances=number_instances(Usd.Stage.Open(str(stage))),
            config=RenderConfig(renderer="preview", exposure=stops),
        )
        renderer = PreviewRenderer()
        renderer.render(job, lambda done, total: None)
        frames.append(renderer.read_frame(job.out, "cam0", 0))
    light, dark = (linear_from_srgb(frame.rgb / 255) for frame in frames)
    bright = light > 0.1
    assert bright.mean() > 0.3
    np.testing.assert_allclose(dark[bright], light[bright] / 2, atol=0.01)
    np.testing.assert_array_equal(frames[0].depth, frames[1].depth)
