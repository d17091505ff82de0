"""Noise levels are those of each family's own pipeline, in the sampler and in training."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.ltx.pipeline_ltx import calculate_shift

from scaling4d.inference.sampler import sample_video
from scaling4d.models.flow_matching import sampler_sigmas
from tests.models.conftest import Case
from train.step import LossConfig, TrainingStep

# As published with LTX-Video and LTX-2.
PUBLISHED = {
    "use_dynamic_shifting": True,
    "base_image_seq_len": 1024,
    "max_image_seq_len": 4096,
    "base_shift": 0.95,
    "max_shift": 2.05,
    "shift_terminal": 0.1,
}


@pytest.mark.parametrize("tokens", [192, 1575, 9000])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shift_terminal": None},
        {"time_shift_type": "linear"},
        {"use_dynamic_shifting": False, "shift": 3.0},
    ],
)
@pytest.mark.parametrize("name", ["ltx", "ltx2"])
def test_levels_of_ltx_are_those_of_its_scheduler(
    name: str, changes: dict[str, Any], tokens: int, case_of: Callable[[str], Case]
) -> None:
    backbone = case_of(name).backbone()
    config = PUBLISHED | changes
    backbone.pipeline.scheduler = scheduler = FlowMatchEulerDiscreteScheduler(**config)
    mu = calculate_shift(tokens, 1024, 4096, 0.95, 2.05)
    for steps in (2, 8):
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), mu=mu)
        torch.testing.assert_close(
            backbone.sampler_sigmas(steps, tokens).float(), scheduler.sigmas, rtol=0, atol=1e-6
        )
    shift = {"linear": mu, "exponential": math.exp(mu)}[scheduler.config.time_shift_type]
    trained = backbone.sigma_sampling_at(tokens)
    assert trained.shift == pytest.approx(config.get("shift", shift))
    assert trained.kind == "logit_normal"
    assert backbone.sampler_sigmas(1, tokens).tolist() == [1, 0]
    with pytest.raises(ValueError, match="at least 1 step, got 0"):
        backbone.sampler_sigmas(0, tokens)


@pytest.mark.parametrize("name", ["mini", "wan", "skyreels_v2", "hunyuan_video", "cogvideox_2b"])
def test_levels_of_other_families_follow_their_constant_shift(
    name: str, case_of: Callable[[str], Case]
) -> None:
    backbone = case_of(name).backbone()
    wanted = sampler_sigmas(5, backbone.sampling_shift)
    for tokens in (12, 10_000):
        assert torch.equal(backbone.sampler_sigmas(5, tokens), wanted)
        assert backbone.sigma_sampling_at(tokens) == backbone.sigma_sampling


def test_sampler_and_training_count_the_tokens_of_the_video(
    case_of: Callable[[str], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of("ltx")
    model = case.model().eval()
    asked: list[int] = []
    levels: list[float] = []
    plain = model.velocity

    def velocity(noisy: Any, sigma: Any, *rest: Any, **named: Any) -> Any:
        levels.append(sigma[0].item())
        return plain(noisy, sigma, *rest, **named)

    def sigma_sampling_at(tokens: int) -> Any:
        asked.append(tokens)
        return type(model.backbone).sigma_sampling_at(model.backbone, tokens)

    monkeypatch.setattr(model, "velocity", velocity)
    monkeypatch.setattr(model.backbone, "sigma_sampling_at", sigma_sampling_at)
    control = case.control[:1]
    video = sample_video(model, control, ["a chair"], steps=4, seed=0)
    tokens = math.prod(case.noisy.shape[2:])
    wanted = model.backbone.sampler_sigmas(4, tokens).tolist()
    assert levels == pytest.approx(wanted[:-1])
    assert all(above > below for above, below in pairwise(levels))
    TrainingStep(model, LossConfig())(video, control, ["a chair"], [3])
    assert asked == [tokens]


@pytest.mark.parametrize("name", ["hunyuan_video", "hunyuan_video15", "wan", "ltx"])
def test_bf16_tells_near_noise_levels_apart(name: str, case_of: Callable[[str], Case]) -> None:
    """As time steps 698.5 and 701.4 of bf16, both would be 700."""
    case = case_of(name)
    backbone = case.backbone()
    for transformer in backbone.transformers().values():
        transformer.to(torch.bfloat16)
    with torch.no_grad():
        one, other = (
            backbone.velocity(case.noisy, torch.full((2,), level), case.text, "transformer")
            for level in (0.6985, 0.7014)
        )
    assert not torch.equal(one, other)
