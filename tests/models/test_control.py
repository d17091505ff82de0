"""Control really controls: a small model follows the correspondence of analytic scenes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from scaling4d.correspondence.control import CONTROL_CHANNELS, build_control
from scaling4d.correspondence.warp import warp_from_depth
from scaling4d.models import BackboneConfig, ModelConfig, ProjectorConfig, VNVSModel
from scaling4d.models.flow_matching import (
    add_noise,
    flow_matching_loss,
    sample_sigmas,
    sampler_sigmas,
)
from tests.scenes import Camera, moving_box, occluder, sphere

FRAMES, SIDE = 5, 32
HELD_OUT = 6


def pairs(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and controls of scenes seen from two moving cameras."""
    generator = np.random.default_rng(0)
    targets, controls = [], []
    scenes = (moving_box(), occluder(), sphere())
    for index in range(count):
        scene = scenes[index % len(scenes)]
        eye = generator.uniform((-1, -4, 0.5), (1, -3, 2.0))
        look = generator.uniform(-0.5, 0.5, 3)
        camera = Camera.look_at(SIDE, SIDE, eye=eye, target=look, fov=60)
        yaw = generator.uniform(-25, 25)
        source = scene.clip([camera] * FRAMES)
        target = scene.clip(camera.orbit(FRAMES, yaw=yaw, pivot=look))
        rgb = torch.from_numpy(source.rgb).permute(0, 3, 1, 2).float() / 127.5 - 1
        relative = np.linalg.inv(target.world_from_camera) @ source.world_from_camera
        warp = warp_from_depth(
            rgb,
            torch.from_numpy(source.depth).float(),
            source.intrinsics,
            target.intrinsics,
            relative,
            rule="random",
            seed=index,
        )
        controls.append(build_control(rgb, warp.field.displacement, warp.warped, warp.mask))
        targets.append(torch.from_numpy(target.rgb).permute(0, 3, 1, 2).float() / 127.5 - 1)
    return torch.stack(targets), torch.stack(controls)


def psnr(result: torch.Tensor, truth: torch.Tensor, where: torch.Tensor | None = None) -> float:
    error = (result - truth).square() / 4
    if where is not None:
        error = error[where.expand_as(error)]
    return -10 * math.log10(error.mean().item())


@torch.no_grad()
def generate(model: VNVSModel, control: torch.Tensor) -> torch.Tensor:
    batch, frames, _, height, width = control.shape
    shape = model.latent_shape(batch, frames, height, width)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(9))
    text = model.encode_text([""] * batch)
    sigmas = sampler_sigmas(4, model.backbone.sampling_shift).float()
    for now, then in pairwise(sigmas):
        velocity = model.velocity(latents, now.expand(batch), text, control)
        latents = latents + (then - now) * velocity
    return model.decode_video(latents)


def test_a_few_hundred_steps_make_mini_follow_the_correspondence() -> None:
    config = ModelConfig(
        backbone=BackboneConfig(options={"dim": 64, "depth": 2, "heads": 2, "patch": 8}),
        projector=ProjectorConfig(width=64, depth=0, frequencies=48),
    )
    model = VNVSModel.build(config, seed=0)
    targets, controls = pairs(60 + HELD_OUT)
    truth, unseen = targets[-HELD_OUT:], controls[-HELD_OUT:]
    untrained = generate(model, unseen)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    generator = torch.Generator().manual_seed(0)
    steps = 250
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 20) * (1 - step / steps)
        rows = torch.randint(60, (4,), generator=generator)
        x = model.encode_video(targets[rows])
        sigma = sample_sigmas(4, generator, model.backbone.sigma_sampling)
        noise = torch.randn(x.shape, generator=generator)
        velocity = model.velocity(
            add_noise(x, noise, sigma), sigma, model.encode_text([""] * 4), controls[rows]
        )
        optimizer.zero_grad()
        flow_matching_loss(velocity, x, noise).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    trained = generate(model, unseen)
    shuffled = generate(model, unseen.roll(1, 0))
    source = unseen[:, :, CONTROL_CHANNELS["source"]]
    still = torch.stack(
        [build_control(x, torch.zeros_like(x[:, :2]), x, torch.ones_like(x[:, :1])) for x in source]
    )
    unmoved = generate(model, still)
    holes = unseen[:, :, CONTROL_CHANNELS["mask"]] < 0.5
    warped = unseen[:, :, CONTROL_CHANNELS["warped"]]
    figures = {
        "trained": psnr(trained, truth),
        "untrained": psnr(untrained, truth),
        "shuffled": psnr(shuffled, truth),
        "trained in holes": psnr(trained, truth, holes),
        "warp in holes": psnr(warped, truth, holes),
        "told to stay, last frame against the moved view": psnr(unmoved[:, -1], truth[:, -1]),
        "told to stay, last frame against the source": psnr(unmoved[:, -1], source[:, -1]),
    }
    assert figures["trained"] > figures["untrained"] + 3, figures
    assert figures["trained"] > figures["shuffled"] + 3, figures
    assert figures["trained in holes"] > figures["warp in holes"] + 1, figures
    # The same source under another correspondence: the model goes where it is told to.
    stayed = figures["told to stay, last frame against the source"]
    assert stayed > figures["told to stay, last frame against the moved view"] + 1, figures


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_builds_the_same_model(seed: int) -> None:
    config = ModelConfig(backbone=BackboneConfig(options={"dim": 32, "heads": 2}))
    torch.rand(seed + 1)  # whatever was drawn before
    first = VNVSModel.build(config, seed=seed).state_dict()
    second = VNVSModel.build(config, seed=seed).state_dict()
    other = VNVSModel.build(config, seed=seed + 1).state_dict()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert any(not torch.equal(first[k], other[k]) for k in first)
