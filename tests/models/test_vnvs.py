"""The whole network on `mini`: it starts harmless, saves, loads and refuses what it cannot take."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from scaling4d.models import (
    BackboneConfig,
    InjectionConfig,
    ModelConfig,
    ProjectorConfig,
    VNVSModel,
)
from scaling4d.models.backbones import MiniBackbone, MiniConfig
from scaling4d.models.vnvs_block import VNVSBlockConfig

TINY = ModelConfig(
    backbone=BackboneConfig(options={"dim": 32, "depth": 2, "heads": 2, "patch": 8}),
    projector=ProjectorConfig(width=32, depth=1),
)


@pytest.fixture
def model() -> VNVSModel:
    return VNVSModel.build(TINY, seed=3)


def test_mini_codec_is_bit_exact(model: VNVSModel) -> None:
    video = torch.rand(2, 9, 3, 32, 24) * 2 - 1
    assert torch.equal(model.decode_video(model.encode_video(video)), video)


@pytest.mark.parametrize(("dim", "depth", "millions"), [(64, 2, 0.4), (256, 2, 5), (640, 6, 90)])
def test_mini_has_as_many_parameters_as_its_config_says(dim, depth, millions) -> None:
    with torch.device("meta"):
        mini = MiniBackbone(MiniConfig(dim=dim, depth=depth))
    count = sum(p.numel() for p in mini.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.1)
    assert f"{dim}" in str(MiniConfig.__doc__)
    assert f"{millions} M" in str(MiniConfig.__doc__)


def test_saved_model_predicts_the_same(model: VNVSModel, tmp_path: Path) -> None:
    torch.nn.init.normal_(model.backbone.transformer.blocks[0].vnvs.output.weight)
    model.save_pretrained(tmp_path)
    again = VNVSModel.from_pretrained(tmp_path)
    video, control = torch.rand(2, 5, 3, 16, 16), torch.rand(2, 5, 9, 16, 16)
    noisy, sigma = model.encode_video(video), torch.tensor([0.3, 0.9])
    text = model.encode_text(["a room", ""])
    with torch.no_grad():
        before = model.velocity(noisy, sigma, text, control)
        assert torch.equal(before, again.velocity(noisy, sigma, text, control))
    assert model.latent_shape(2, 5, 16, 16) == noisy.shape


def test_illegal_size_names_the_nearest_legal_one(model: VNVSModel) -> None:
    with pytest.raises(ValueError, match="nearest legal: 17 frames of 128x120"):
        model.check_size(16, 125, 121)


def test_autocast_rounds_neither_the_control_nor_the_noise_level() -> None:
    """bf16 has steps of 2 px at 300 px, and three noise levels between 0.99 and 1."""
    injection = InjectionConfig(block=VNVSBlockConfig(modulation=True))
    model = VNVSModel.build(dataclasses.replace(TINY, injection=injection))
    seen = []
    model.projector.strided.register_forward_hook(lambda *call: seen.append(call[-1].detach()))
    control, sigma = torch.rand(1, 5, 9, 16, 16), torch.tensor([0.7012])
    levels = []
    for on in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=on), torch.no_grad():
            model.project(control)
            levels.append(model._level(sigma))
    assert torch.equal(*seen)
    assert torch.equal(*levels)


def test_control_tokens_may_be_made_beforehand(model: VNVSModel) -> None:
    torch.nn.init.normal_(model.backbone.transformer.blocks[0].vnvs.output.weight)
    control = torch.rand(2, 5, 9, 16, 16)
    noisy, sigma = torch.randn(model.latent_shape(2, 5, 16, 16)), torch.tensor([0.3, 0.9])
    inputs = (noisy, sigma, model.encode_text(["a room", ""]), control)
    with torch.no_grad():
        tokens = model.project(control)
        assert torch.equal(model.velocity(*inputs, tokens), model.velocity(*inputs))
        assert not torch.equal(model.velocity(*inputs, tokens.flip(0)), model.velocity(*inputs))
