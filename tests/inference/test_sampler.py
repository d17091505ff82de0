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
    """Stands in for the network: noise levels times 0.2, twice that with a prompt, more steered."""

    def __init__(self, model: VNVSModel) -> None:
        self.model = model
        self.empty = model.encode_text([""]).embeddings
        self.levels: list[float] = []

    def __call__(
        self,
        noisy: torch.Tensor,
        sigma: torch.Tensor,
        text: TextCondition,
        control: torch.Tensor,
        tokens: torch.Tensor,
    ) -> torch.Tensor:
        assert torch.equal(tokens, self.model.project(control))
        prompted, steered = not torch.equal(text.embeddings, self.empty), bool(control.any())
        if prompted and steered:
            self.levels.append(sigma.item())
        return torch.full_like(noisy, known_factor(prompted, steered) * sigma.item())


def known_factor(prompted: bool, steered: bool) -> float:
    return 0.2 * (2 if prompted else 1) + (0.3 if prompted else 0.1) * steered


@pytest.mark.parametrize("control_guidance", [1.0, 2.5, 0.0])
@pytest.mark.parametrize("guidance", [1.0, 3.0, 0.0])
def test_euler_steps_follow_the_shift_and_the_guidance(
    monkeypatch: pytest.MonkeyPatch, guidance: float, control_guidance: float
) -> None:
    model = VNVSModel.build(ModelConfig(backbone=TINY)).eval()
    known = KnownVelocity(model)
    monkeypatch.setattr(model, "velocity", known)
    control = torch.full((1, 5, 9, 16, 16), 0.5)
    video = sample_video(
        model,
        control,
        ["a room"],
        steps=3,
        seed=4,
        text_guidance=guidance,
        control_guidance=control_guidance,
    )

    assert model.backbone.sampling_shift == 3
    # 1, 2/3, 1/3, 0 through sigma -> 3 sigma / (1 + 2 sigma).
    levels = [1.0, 6 / 7, 3 / 5, 0.0]
    assert known.levels == pytest.approx(levels[:-1])
    # Brooks et al. (2023), Eq. 3, the control in place of their image. Without guidance by text the
    # prompt stays on throughout.
    asked = guidance == 1
    free, start = known_factor(asked, False), known_factor(asked, True)
    factor = (
        free + control_guidance * (start - free) + guidance * (known_factor(True, True) - start)
    )
    moved = sum(factor * a * (b - a) for a, b in pairwise(levels))
    noise = torch.randn(
        model.latent_shape(1, 5, 16, 16), generator=torch.Generator().manual_seed(4)
    )
    expected = model.decode_video(noise + moved)
    torch.testing.assert_close(video, expected, rtol=0, atol=1e-5)
    assert (expected.abs() < 1).float().mean() > 0.1, "not all of it is clamped"
