"""Every adapter against its family's own pipeline: the same denoiser calls, the same decoded video.

LTX-2 is left out: its pipeline always makes sound beside the video, which the adapter never does.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from scaling4d.models.backbones import PRETRAINED, PretrainedBackbone
from scaling4d.models.backbones.cogvideox import CogVideoXBackbone
from scaling4d.models.folding import unfold
from tests.models.tiny_pipelines import BUILDERS, seeded

PROMPT = "a chair in a sunny room"
QUICK = ("wan22_a14b", "cogvideox_5b")
FAMILIES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.full)
    for name in BUILDERS
    if name != "ltx2"
]


def run_pipeline(name: str, backbone: PretrainedBackbone, *, output: str) -> Tensor:
    """What the family's pipeline makes of the prompt, without guidance."""
    frames, side = size(name, backbone)
    options: dict[str, Any] = {"prompt": PROMPT, "guidance_scale": 1.0}
    if name == "hunyuan_video15":  # its guider holds the scale
        del options["guidance_scale"]
    if name.startswith("cogvideox"):
        options["max_sequence_length"] = backbone.transformer.config.max_text_seq_length
    if name == "skyreels_v2":  # its own way to embeddings needs the package ftfy
        options |= {"prompt": None, "prompt_embeds": backbone.encode_text([PROMPT]).embeddings}
    return backbone.pipeline(
        **options,
        height=side,
        width=side,
        num_frames=frames,
        num_inference_steps=3,
        output_type=output,
        generator=torch.Generator().manual_seed(0),
    ).frames


def size(name: str, backbone: PretrainedBackbone) -> tuple[int, int]:
    """Frames and side in pixels; CogVideoX 1.5's pipeline adds frames to odd latent lengths."""
    latent_frames = 4 if name == "cogvideox15" else 3
    geometry = backbone.geometry
    return (latent_frames - 1) * geometry.frame_compression + 1, 2 * geometry.size_multiple


def as_latents(x: Tensor, name: str, backbone: PretrainedBackbone) -> Tensor:
    """Batch channels frames rows columns, from the family's own layout."""
    if x.ndim == 3:  # LTX keeps a row of tokens
        frames, side = size(name, backbone)
        grid = backbone.geometry.token_grid(frames, side, side)
        return unfold(x.unflatten(1, grid), backbone.geometry.patch)
    if isinstance(backbone, CogVideoXBackbone):
        return x.transpose(1, 2)
    return x[:, : backbone.latent_channels]  # HunyuanVideo 1.5 appends its absent image


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_velocity_and_decoding_are_the_pipelines(name: str) -> None:
    family, builder = BUILDERS[name]
    pipeline = seeded(builder)
    pipeline.set_progress_bar_config(disable=True)
    backbone = PRETRAINED[family](pipeline)
    calls: list[tuple[str, dict[str, Any], Tensor]] = []
    hooks = [
        transformer.register_forward_hook(
            lambda _, __, named, output, expert=expert: calls.append((expert, named, output[0])),
            with_kwargs=True,
        )
        for expert, transformer in backbone.transformers().items()
    ]
    latents = as_latents(run_pipeline(name, backbone, output="latent"), name, backbone)
    for hook in hooks:
        hook.remove()
    assert {expert for expert, _, _ in calls} == set(backbone.transformers())

    if not isinstance(backbone, CogVideoXBackbone):  # its steps are those of a diffusion
        frames, side = size(name, backbone)
        tokens = backbone.geometry.tokens(backbone.geometry.latent_grid(frames, side, side))
        levels = backbone.sampler_sigmas(len(calls), tokens)
        # The schedulers of Wan and SkyReels aim at 1/1000 rather than 0.
        torch.testing.assert_close(levels.float(), pipeline.scheduler.sigmas, rtol=0, atol=1e-3)

    text = backbone.encode_text([PROMPT])
    for expert, named, output in calls:
        noisy = as_latents(named["hidden_states"], name, backbone)
        wanted = as_latents(output, name, backbone)
        step = named["timestep"].flatten()[:1]
        sigma = step.float() / 1000
        if isinstance(backbone, CogVideoXBackbone):  # a diffusion's sample and v, not ours
            sigma = backbone.schedule.sigmas[step.long()].float()
            noisy = noisy * torch.hypot(1 - sigma, sigma)
            wanted = backbone.schedule.velocity_from_v(wanted, noisy, sigma)
        assert backbone.route(sigma)[expert].all()
        velocity = backbone.velocity(noisy, sigma, text, expert)
        torch.testing.assert_close(velocity, wanted, rtol=0, atol=1e-5 * wanted.abs().max().item())

    video = run_pipeline(name, backbone, output="pt") * 2 - 1
    decoded = backbone.decode_video(latents.float()).clamp(-1, 1)
    torch.testing.assert_close(decoded, video, rtol=0, atol=1e-4)
