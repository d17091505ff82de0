"""The control tensor: order by name, scaling, sentinels, and one convention for depth and flow."""

from __future__ import annotations

import json

import numpy as np
import torch

from scaling4d.correspondence.control import (
    CONTROL_CHANNELS,
    build_control,
    control_metadata,
    scale_correspondence,
)
from scaling4d.correspondence.field import from_depth
from scaling4d.correspondence.warp import warp_from_depth, warp_from_flow


def test_channels_are_source_correspondence_warped_mask():
    source, warped = torch.full((2, 3, 4, 6), 0.25), torch.full((2, 3, 4, 6), -0.5)
    displacement = torch.stack([torch.full((2, 4, 6), 1.5), torch.full((2, 4, 6), -1.0)], dim=1)
    mask = torch.ones(2, 1, 4, 6)
    control = build_control(source, displacement, warped, mask)
    assert control.shape == (2, 9, 4, 6)
    assert control[0, :, 0, 0].tolist() == [0.25] * 3 + [0.5, -0.5] + [-0.5] * 3 + [1.0]
    assert list(CONTROL_CHANNELS) == ["source", "correspondence", "warped", "mask"]
    for name, part in {"source": source, "warped": warped, "mask": mask}.items():
        assert torch.equal(control[:, CONTROL_CHANNELS[name]], part)


def test_correspondence_is_scaled_clamped_and_marked():
    displacement = torch.zeros(1, 2, 10, 480)
    displacement[0, :, 0, 0] = torch.tensor([480.0, -10.0])
    displacement[0, :, 0, 1] = torch.tensor([-1e9, torch.inf])
    displacement[0, :, 0, 2] = torch.tensor([torch.nan, 0.0])
    displacement[0, :, 0, 3] = torch.tensor([24.0, 0.5])
    scaled = scale_correspondence(displacement)[0, :, 0, :4].T
    expected = torch.tensor([[2.0, -2.0], [-2.0, 2.0], [2.0, 2.0], [0.1, 0.1]])
    torch.testing.assert_close(scaled, expected)


def test_scaling_does_not_depend_on_the_resolution():
    ramp = torch.linspace(-1, 1, 5).view(1, 1, 1, 5).expand(1, 2, 4, 5)
    small = scale_correspondence(ramp)
    double = torch.nn.functional.interpolate(ramp * 2, scale_factor=2, mode="nearest")
    torch.testing.assert_close(scale_correspondence(double)[..., ::2, ::2], small)


def test_depth_and_flow_give_the_same_control():
    """One convention: the same motion as depth or as flow is the same 9 channels."""
    generator = torch.Generator().manual_seed(0)
    source = torch.rand(2, 3, 24, 32, generator=generator) * 2 - 1
    k = np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, 3] = 0.3, -0.2, 0.1
    depth = torch.rand(2, 24, 32, generator=generator) + 2
    flow = from_depth(depth, k, k, pose).displacement
    controls = [
        build_control(source, warp.field.displacement, warp.warped, warp.mask)
        for warp in (
            warp_from_depth(source, depth, k, k, pose, rule="random", seed=5),
            warp_from_flow(source, flow, seed=5),
        )
    ]
    torch.testing.assert_close(*controls, rtol=0, atol=1e-5)


def test_a_pixel_without_correspondence_is_two_two_in_the_control():
    depth = torch.full((1, 8, 8), 2.0)
    depth[0, 3, 4] = torch.nan
    k = np.diag([8.0, 8, 1])
    source = torch.ones(1, 3, 8, 8)
    warp = warp_from_depth(source, depth, k, k, np.eye(4))
    control = build_control(source, warp.field.displacement, warp.warped, warp.mask)
    assert control[0, 3:, 3, 4].tolist() == [2, 2, 0, 0, 0, 0]
    assert torch.isfinite(control).all()


def test_metadata_undoes_the_scaling():
    stored = json.loads(json.dumps(control_metadata()))
    height, width = 6, 8
    displacement = torch.tensor([3.0, -2.0])[:, None, None].expand(1, 2, height, width)
    source = torch.zeros(1, 3, height, width)
    control = build_control(source, displacement, source, torch.ones(1, 1, height, width))
    begin, end = stored["channels"]["correspondence"]
    size = {"2 / width": width, "2 / height": height}
    scale = [2 / size[text] for text in stored["correspondence_scale"]]
    pixels = control[0, begin:end] / torch.tensor(scale)[:, None, None]
    torch.testing.assert_close(pixels, displacement[0])
    assert stored["channels"]["mask"] == [8, 9]
    assert stored["correspondence"].startswith("displacement in pixels")
