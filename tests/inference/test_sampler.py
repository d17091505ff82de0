"""The sampler takes the steps that its formula says, with guidance and the backbone's own shift."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from scaling4d.inference.sampler import sample_video
from scaling4d.models.backbones import BackboneConfig, TextCondition
from scaling4d.models.model_config import ModelConfig
from scaling4d.models.vnvs import VNVSModel

TINY = BackboneConfig(options={"dim": 32, "depth": 1, "heads": 2, "patch": 8})


class KnownVelocity:
    """Stands in for the network: 0.4 noise levels with a prompt, 0.2 without one."""

    def __init__(self, model: VNVSModel) -> None:
        self.empty = model.encode_text([""]).embeddings
        self.levels: list[float] = []

    def __call__(
        self, noisy: torch.Tensor, sigma: torch.Tensor, text: TextCondition, control: torch.Tensor
    ) -> torch.Tensor:
        prompted = not torch.equal(text.embeddings, self.empty)
        if prompted:
            self.levels.append(sigma.item())
        return torch.full_like(noisy, (0.4 if prompted else 0.2) * sigma.item())


@pytest.mark.parametrize("guidance", [1.0, 3.0, 0.0])
def test_euler_steps_follow_the_shift_and_the_guidance(
    monkeypatch: pytest.MonkeyPatch, guidance: float
) -> None:
    model = VNVSModel.build(ModelConfig(backbone=TINY)).eval()
    known = KnownVelocity(model)
    monkeypatch.setattr(model, "velocity", known)
    control = torch.zeros(1, 5, 9, 16, 16)
    video = sample_video(model, control, ["a room"], steps=3, seed=4, text_guidance=guidance)

    assert model.backbone.sampling_shift == 3
    # 1, 2/3, 1/3, 0 through sigma -> 3 sigma / (1 + 2 sigma).
    levels = [1.0, 6 / 7, 3 / 5, 0.0]
    assert known.levels == pytest.approx(levels[:-1])
    # Classifier-free guidance (Ho and Salimans 2022): u + g (v - u), here a multiple of the level.
    factor = 0.2 + guidance * (0.4 - 0.2)
    moved = sum(factor * a * (b - a) for a, b in pairwise(levels))
    noise = torch.randn(
        model.latent_shape(1, 5, 16, 16), generator=torch.Generator().manual_seed(4)
    )
    expected = model.decode_video(noise + moved)
    torch.testing.assert_close(video, expected, rtol=0, atol=1e-5)
    assert (expected.abs() < 1).float().mean() > 0.1, "not all of it is clamped"
