"""One contract for every backbone, each built from its real classes and loaded from disk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scaling4d.models.backbones import BackboneConfig, make_backbone
from scaling4d.models.backbones.base import TokenGeometry
from scaling4d.models.errors import BackboneMismatchError, MissingWeightsError
from scaling4d.models.injection import ControlledBlock, vnvs_blocks
from scaling4d.models.model_config import LoraConfig
from scaling4d.models.vnvs import VNVSModel
from tests.models import tiny_pipelines
from tests.models.conftest import Case

# Token frames, rows and columns; the toy pipelines keep the real compression and patches.
TOKENS_AT_PAPER_SIZE = {
    "wan": (13, 30, 30),
    "wan22_5b": (13, 15, 15),
    "skyreels_v2": (13, 30, 30),
    "hunyuan_video": (13, 30, 30),
    "hunyuan_video15": (13, 30, 30),
    "cogvideox_2b": (13, 30, 30),
    "cogvideox15": (7, 30, 30),
    "ltx": (7, 15, 15),
    "ltx2": (7, 15, 15),
}


@pytest.mark.parametrize(("name", "grid"), TOKENS_AT_PAPER_SIZE.items())
def test_token_grid_at_the_papers_size_follows_from_the_configs(
    name: str, grid: tuple[int, int, int], case_of: Callable[[str], Case]
) -> None:
    geometry = case_of(name).backbone().geometry
    assert geometry.token_grid(49, 480, 480) == grid
    assert geometry.tokens(geometry.latent_grid(49, 480, 480)) == math.prod(grid)


def test_fresh_blocks_change_no_bit_in_eval_and_under_checkpointing(case: Case) -> None:
    backbone = case.backbone()
    with torch.no_grad():
        routed = {e: r for e, r in backbone.route(case.sigma).items() if r.any()}
        untouched = torch.empty_like(case.noisy)
        for expert, rows in routed.items():
            untouched[rows] = backbone.velocity(
                case.noisy[rows], case.sigma[rows], case.text.rows(rows), expert
            )
    model = case.model()
    with torch.no_grad():
        assert torch.equal(case.velocity(model), untouched)
    model.enable_gradient_checkpointing()
    assert torch.equal(case.velocity(model).detach(), untouched)


def test_control_tokens_match_the_tokens_of_every_block(case: Case) -> None:
    model = case.model(awake=True)
    seen = []
    for block in vnvs_blocks(model.backbone).values():
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    with torch.no_grad():
        case.velocity(model)
    assert len(seen) >= 2
    for video, control in seen:
        assert video.shape == control.shape


def test_only_listed_parameters_learn_and_text_passes_untouched(case: Case) -> None:
    model = case.model(awake=True, freeze_backbone=True)
    for module in model.modules():
        if isinstance(module, ControlledBlock):
            inner: list[object] = []
            module.block.register_forward_hook(lambda *a, kept=inner: kept.append(a[-1]))
            module.register_forward_hook(lambda *a, kept=inner: _same_rest(kept.pop(), a[-1]))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainable = dict(model.trainable_parameters())
    ours = ("projector.", "noise_level.")
    assert all("vnvs" in name or name.startswith(ours) for name in trainable)
    optimizer = torch.optim.AdamW(trainable.values(), lr=0.1)
    case.velocity(model).square().mean().backward()
    with_gradient = {n for n, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == set(trainable)
    optimizer.step()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name not in trainable), name


def test_lora_of_ltx2_leaves_the_isolated_sound_alone(case_of: Callable[[str], Case]) -> None:
    """What does not act on the video would be listed as trainable and never learn."""
    pytest.importorskip("peft", reason="the extra `lora` is not installed")
    model = case_of("ltx2").model(awake=True, lora=LoraConfig(rank=2))
    case_of("ltx2").velocity(model).square().mean().backward()
    adapters = {n: p for n, p in model.trainable_parameters() if ".lora_" in n}
    assert {n.split(".lora_")[0].split(".")[-2] for n in adapters} >= {"attn1", "attn2"}
    assert not [name for name, parameter in adapters.items() if parameter.grad is None]


def _same_rest(inner: object, outer: object) -> None:
    """Compare everything but the video tokens."""
    if isinstance(inner, tuple):
        assert isinstance(outer, tuple)
        assert len(inner) == len(outer)
        assert all(a is b for a, b in zip(inner[1:], outer[1:], strict=True))
        inner, outer = inner[0], outer[0]
    assert not torch.equal(inner, outer)  # type: ignore[arg-type]


def test_checkpointing_recomputes_with_the_right_control(case: Case) -> None:
    """Two passes with different controls before one backward: gradients equal those without."""
    gradients = []
    for checkpointing in (False, True):
        model = case.model(awake=True, freeze_backbone=True)
        if checkpointing:
            model.enable_gradient_checkpointing()
        first = case.velocity(model)
        second = model.velocity(case.noisy, case.sigma, case.text, -case.control)
        (first.square().mean() + second.sin().mean()).backward()
        gradients.append([p.grad for _, p in model.trainable_parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, plain, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["mini_modulated", "wan22_a14b_modulated"])
def test_modulated_blocks_hear_the_noise_level_of_their_own_sample(
    name: str, case_of: Callable[[str], Case]
) -> None:
    """Without the level of each row, nothing but the backbone would follow sigma."""
    model = case_of(name).model(awake=True)
    levels: list[torch.Tensor | None] = []
    for block in vnvs_blocks(model.backbone).values():
        block.register_forward_pre_hook(
            lambda _, __, named: levels.append(named["noise_level"]), with_kwargs=True
        )
    case = case_of(name)
    with torch.no_grad():
        case.velocity(model)
        for expert, rows in model.backbone.route(case.sigma).items():
            wanted = model.noise_level(case.sigma[rows])  # type: ignore[misc]
            of_expert = [b for b in vnvs_blocks(model.backbone) if b.startswith(f"{expert}.")]
            for _ in of_expert:
                torch.testing.assert_close(levels.pop(0), wanted)
    assert not levels


def test_saved_weights_are_the_trained_ones_and_load_again(case: Case, tmp_path: Path) -> None:
    model = case.model(awake=True)
    model.save_pretrained(tmp_path)
    again = VNVSModel.from_pretrained(tmp_path)
    assert again.config == model.config
    with torch.no_grad():
        torch.testing.assert_close(case.velocity(again), case.velocity(model), rtol=1e-4, atol=1e-5)
    for (name, saved), (_, loaded) in zip(
        model.trainable_parameters(), again.trainable_parameters(), strict=True
    ):
        assert torch.equal(saved, loaded), name
    assert "library_name: scaling4d" in (tmp_path / "README.md").read_text()


def test_codec_keeps_the_size_and_inverts_its_own_scaling(case: Case) -> None:
    backbone = case.backbone()
    frames, side = case.control.shape[1], case.control.shape[-1]
    video = torch.rand(1, frames, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        latents = backbone.encode_video(video)
        assert latents.shape[1:] == case.noisy.shape[1:]
        assert backbone.decode_video(latents).shape == video.shape
    if hasattr(backbone, "_scale"):
        torch.testing.assert_close(backbone._unscale(backbone._scale(latents)), latents)


def test_experts_of_wan_22_serve_their_noise_levels(case_of: Callable[[str], Case]) -> None:
    case = case_of("wan22_a14b")
    model = case.model(awake=True)
    names = list(vnvs_blocks(model.backbone))
    assert names == ["transformer.0", "transformer.1", "transformer_2.0", "transformer_2.1"]
    route = model.backbone.route(torch.tensor([0.5, 0.874, 0.875, 1.0]))
    assert route["transformer"].tolist() == [False, False, True, True]
    assert route["transformer_2"].tolist() == [True, True, False, False]
    together = case.velocity(model)
    for row in range(2):
        alone = model.velocity(
            case.noisy[row : row + 1],
            case.sigma[row : row + 1],
            case.text.rows(torch.tensor([row])),
            case.control[row : row + 1],
        )
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("patch", "legal", "illegal", "message"),
    [
        ((1, 2, 2), (49, 480, 480), (48, 480, 480), "nearest legal: 49 frames of 480x480"),
        ((1, 2, 2), (5, 16, 32), (5, 20, 40), "multiples of 16; nearest legal: 5 frames of 16x3"),
        ((2, 2, 2), (49, 480, 480), (2, 1, 1), "nearest legal: 1 frames of 16x16"),
    ],
)
def test_illegal_sizes_name_the_nearest_legal_one(
    patch: tuple[int, int, int],
    legal: tuple[int, int, int],
    illegal: tuple[int, int, int],
    message: str,
) -> None:
    geometry = TokenGeometry(frame_compression=4, pixel_compression=8, patch=patch)
    geometry.check_size(*legal)
    with pytest.raises(ValueError, match=message):
        geometry.check_size(*illegal)


def test_missing_weights_say_where_to_get_them(case_of: Callable[[str], Case]) -> None:
    config = case_of("wan").config.backbone
    with pytest.raises(MissingWeightsError, match="local folder in diffusers' layout"):
        make_backbone(dataclasses.replace(config, path="/nowhere/at/all"))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"name": "wan", "path": "owner/name", "options": {"dtype": "bf16"}},
            ValueError,
            r"^backbone wan: dtype must be one of float32, bfloat16, float16, got 'bf16'$",
        ),
        (
            {"name": "mini", "path": "/nowhere/at/all"},
            MissingWeightsError,
            r"^cannot load backbone mini: there is no config\.json in /nowhere/at/all",
        ),
        (
            {"name": "wan", "path": "no/such", "options": {"local_files_only": True}},
            MissingWeightsError,
            r"^cannot load backbone wan: the hub cannot be reached, or has no such model",
        ),
    ],
)
def test_what_cannot_be_loaded_is_said_in_one_sentence(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        make_backbone(BackboneConfig(**options))
    assert "\n" not in str(caught.value)


def test_wrong_family_names_both(case_of: Callable[[str], Case]) -> None:
    path = case_of("wan").config.backbone.path
    config = dataclasses.replace(case_of("ltx").config.backbone, path=path)
    with pytest.raises(
        BackboneMismatchError,
        match=r"needs a LTXVideoTransformer3DModel, but .* has a WanTransformer3DModel",
    ):
        make_backbone(config)


def test_other_backbone_than_trained_with_is_refused(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    case_of("wan").model().save_pretrained(tmp_path)
    other = case_of("wan22_5b").config.backbone.path
    with pytest.raises(BackboneMismatchError, match="latent_channels 48 instead of 16"):
        VNVSModel.from_pretrained(tmp_path, backbone_path=other)


def test_folder_without_a_pipeline_is_called_missing(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    config = dataclasses.replace(case_of("wan").config.backbone, path=str(tmp_path))
    with pytest.raises(MissingWeightsError, match="cannot load backbone wan"):
        make_backbone(config)


def test_image_to_video_checkpoint_is_refused(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    pipeline = tiny_pipelines.wan()
    pipeline.register_modules(transformer=tiny_pipelines.wan_transformer(36))
    pipeline.save_pretrained(tmp_path)
    config = dataclasses.replace(case_of("wan").config.backbone, path=str(tmp_path))
    with pytest.raises(BackboneMismatchError, match="takes 36 input channels where text-to-video"):
        make_backbone(config)


def test_experts_without_a_boundary_are_refused(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    pipeline = tiny_pipelines.wan22_a14b()
    pipeline.register_to_config(boundary_ratio=None)
    pipeline.save_pretrained(tmp_path)
    config = dataclasses.replace(case_of("wan").config.backbone, path=str(tmp_path))
    with pytest.raises(BackboneMismatchError, match="two experts and no boundary_ratio"):
        make_backbone(config)
