"""The paper's main claim: training (flow) and inference (depth) see the same correspondence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaling4d.correspondence.control import CONTROL_CHANNELS, build_control
from scaling4d.correspondence.warp import warp_from_depth, warp_from_flow
from tests import scenes


@pytest.mark.parametrize("name", sorted(scenes.STATIC_SCENES))
@pytest.mark.parametrize("motion", ["orbit", "dolly", "pan"])
def test_exact_flow_and_depth_give_one_field_on_static_scenes(name, motion):
    """Within 0.01 px on co-visible pixels, float32, over a clip; and so the same control."""
    frames, scene = 4, scenes.SCENES[name]()
    source = scenes.default_camera(60, 80)
    steps = np.linspace(0, 1, frames)
    if motion == "orbit":
        targets = source.orbit(frames, yaw=8.0, pivot=(0, 4, 0))
    elif motion == "dolly":
        targets = [source.moved(scenes.rigid(np.eye(3), (0, 0, 0.6 * s))) for s in steps]
    else:
        turns = [scenes.rotation_z(-0.15 * s) for s in steps]  # about the camera's own height
        targets = [
            scenes.Camera(
                60, 80, source.intrinsics, scenes.rigid(turn, (0, 0, 0)) @ source.world_from_camera
            )
            for turn in turns
        ]
    truth = [scene.correspondence(0.0, source, 0.0, target) for target in targets]
    flow = torch.stack([torch.from_numpy(t.displacement).permute(2, 0, 1) for t in truth]).float()
    visible = torch.from_numpy(np.stack([t.visible for t in truth]))
    depth = torch.from_numpy(scene.depth(0.0, source)).float().expand(frames, -1, -1)
    pose = np.stack(
        [np.linalg.inv(t.world_from_camera) @ source.world_from_camera for t in targets]
    )
    video = torch.from_numpy(scene.rgb(0.0, source)).permute(2, 0, 1) / 127.5 - 1
    video = video.expand(frames, -1, -1, -1)

    k = source.intrinsics
    from_depth = warp_from_depth(video, depth, k, k, pose, rule="random", seed=1)
    from_flow = warp_from_flow(video, flow, seed=1)
    gap = (from_depth.field.displacement - from_flow.field.displacement).norm(dim=1)[visible]
    print(f"{name}, {motion}: worst gap {gap.max():.2e} px over {visible.float().mean():.0%}")
    assert visible.float().mean() > 0.6
    assert gap.max() < 0.01

    controls = [
        build_control(video, warp.field.displacement, warp.warped, warp.mask)
        for warp in (from_depth, from_flow)
    ]
    apart = (controls[0] - controls[1]).abs()
    assert torch.equal(controls[0][:, CONTROL_CHANNELS["source"]], video)
    field_part = apart[:, CONTROL_CHANNELS["correspondence"]].amax(dim=1)
    assert field_part[visible].max() < 0.01 * 2 / 60
    # A point on a pixel border may round to either side; a dolly towards an upright wall puts rows
    # of points there.
    assert (apart[:, CONTROL_CHANNELS["mask"]] > 0).float().mean() < 0.01
