"""The whole network on `mini`: it starts harmless, saves, loads and refuses what it cannot take."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scaling4d.models import BackboneConfig, ModelConfig, ProjectorConfig, VNVSModel

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
