"""Euler integration of the learned velocity, from noise to a video (flow matching, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from scaling4d.models.flow_matching import sampler_sigmas
from scaling4d.models.vnvs import VNVSModel

StepCallback = Callable[[int, int], object]


@torch.inference_mode()
def sample_video(
    model: VNVSModel,
    control: Float[Tensor, "batch frames channels height width"],
    prompts: list[str],
    *,
    steps: int,
    seed: int,
    text_guidance: float = 1.0,
    on_step: StepCallback | None = None,
) -> Float[Tensor, "batch frames 3 height width"]:
    """Generate videos that follow their control.

    Args:
        model: network in eval mode.
        control: (batch, rk+1, 9, height, width), see `scaling4d.correspondence.control`.
        prompts: one per sample.
        steps: Euler steps, >= 1; each costs one pass, two with guidance.
        seed: of the initial noise, drawn on the CPU so that devices agree.
        text_guidance: classifier-free guidance scale of the prompt; 1 is none.
        on_step: called with (steps done, steps) after each step.

    Returns:
        RGB in [-1, 1], on the device of ``control``.
    """
    batch, frames, _, height, width = control.shape
    shape = model.latent_shape(batch, frames, height, width)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    latents = noise.to(control.device, control.dtype)
    text = model.encode_text(prompts)
    empty = model.encode_text([""] * batch) if text_guidance != 1 else None
    sigmas = sampler_sigmas(steps, model.backbone.sampling_shift).tolist()
    for step, (sigma, next_sigma) in enumerate(pairwise(sigmas)):
        level = torch.full((batch,), sigma, device=control.device)
        velocity = model.velocity(latents, level, text, control)
        if empty is not None:
            unguided = model.velocity(latents, level, empty, control)
            velocity = unguided + text_guidance * (velocity - unguided)
        latents = latents + (next_sigma - sigma) * velocity
        if on_step is not None:
            on_step(step + 1, steps)
    return model.decode_video(latents).clamp(-1, 1)
