"""Euler integration of the learned velocity, from noise to a video (flow matching, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

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
    control_guidance: float = 1.0,
    on_step: StepCallback | None = None,
) -> Float[Tensor, "batch frames 3 height width"]:
    """Generate videos that follow their control.

    Args:
        model: network in eval mode.
        control: (batch, rk+1, 9, height, width), see `scaling4d.correspondence.control`.
        prompts: one per sample.
        steps: Euler steps, >= 1; each costs one pass, and one more for either guidance.
        seed: of the initial noise, drawn on the CPU so that devices agree.
        text_guidance: classifier-free guidance scale of the prompt; 1 is none.
        control_guidance: that of the control, away from a control of zeros; 1 is none. Both scales
            are applied as by Brooks et al. (2023, Eq. 3), the control first; where that of the
            prompt is 1, the prompt stays in every term, which saves a pass.
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
    tokens = model.backbone.geometry.tokens(shape[2:])
    sigmas = model.backbone.sampler_sigmas(steps, tokens).tolist()
    seen = model.project(control)
    nothing = torch.zeros_like(control) if control_guidance != 1 else None
    blank = None if nothing is None else model.project(nothing)
    for step, (sigma, next_sigma) in enumerate(pairwise(sigmas)):
        level = torch.full((batch,), sigma, device=control.device)
        velocity = model.velocity(latents, level, text, control, seen)
        start = velocity if empty is None else model.velocity(latents, level, empty, control, seen)
        velocity = start + text_guidance * (velocity - start)
        if nothing is not None:
            unprompted = text if empty is None else empty
            free = model.velocity(latents, level, unprompted, nothing, blank)
            velocity = velocity + (control_guidance - 1) * (start - free)
        latents = latents + (next_sigma - sigma) * velocity
        if on_step is not None:
            on_step(step + 1, steps)
    return model.decode_video(latents).clamp(-1, 1)
