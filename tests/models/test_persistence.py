"""Errors of loading, and the comparison controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from scaling4d.correspondence.control import CONTROL_CHANNELS, build_control, control_metadata
from scaling4d.models import BackboneConfig, ModelConfig, ProjectorConfig, VNVSModel
from scaling4d.models.backbones import MiniBackbone, MiniConfig, make_backbone
from scaling4d.models.control_variants import control_channels, select_control
from scaling4d.models.errors import (
    BackboneMismatchError,
    ControlMismatchError,
    MissingWeightsError,
    ModelError,
)

TINY = {"backbone": {"options": {"dim": 32, "heads": 2}}, "projector": {"width": 16}}


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"config\.json is missing.*OUT/model"):
        VNVSModel.from_pretrained(tmp_path)


def test_cut_short_weights_are_called_broken(tmp_path: Path) -> None:
    VNVSModel.build(ModelConfig.from_dict(TINY)).save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(MissingWeightsError, match="broken"):
        VNVSModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("change", [lambda w: w * torch.nan, lambda w: w.int()])
def test_weights_that_are_no_finite_numbers_are_refused(
    tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    VNVSModel.build(ModelConfig.from_dict(TINY)).save_pretrained(tmp_path)
    weights, name = load_file(tmp_path / "model.safetensors"), "projector.patchify.bias"
    weights[name] = change(weights[name])
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingWeightsError, match=f"{name} holds values that are not finite"):
        VNVSModel.from_pretrained(tmp_path)


def test_a_saved_model_says_how_its_control_is_scaled(tmp_path: Path) -> None:
    VNVSModel.build(ModelConfig.from_dict(TINY)).save_pretrained(tmp_path)
    encoding = json.loads((tmp_path / "config.json").read_text())["control_encoding"]
    assert encoding == {"variant": "correspondence", **control_metadata()}


def test_other_format_names_the_versions(tmp_path: Path) -> None:
    VNVSModel.build(ModelConfig.from_dict(TINY)).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))
    with pytest.raises(MissingWeightsError, match="format 99, this version reads 2; install"):
        VNVSModel.from_pretrained(tmp_path)


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A saved model whose config.json was changed, or replaced by what ``change`` returns."""
    VNVSModel.build(ModelConfig.from_dict(TINY)).save_pretrained(folder)
    path = folder / "config.json"
    description = json.loads(path.read_text())
    replacement = change(description)
    path.write_text(json.dumps(description if replacement is None else replacement))
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: [d], r"broken \(config.json holds no mapping\); copy or train it again"),
        (lambda d: d.__delitem__("model"), "broken .*lacks model"),
        (lambda d: d.__delitem__("backbone_facts"), "broken .*lacks backbone_facts"),
        (lambda d: d.__delitem__("control_encoding"), "broken .*lacks control_encoding"),
        (lambda d: d.update(model=[]), "broken .*lacks model"),
    ],
)
def test_broken_descriptions_are_called_so(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(MissingWeightsError, match=message):
        VNVSModel.from_pretrained(edited(tmp_path, change))


def test_description_that_is_no_text_is_called_broken(tmp_path: Path) -> None:
    (edited(tmp_path, lambda _: None) / "config.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(MissingWeightsError, match="broken"):
        VNVSModel.from_pretrained(tmp_path)


def test_a_control_of_another_encoding_is_refused_and_named(tmp_path: Path) -> None:
    folder = edited(tmp_path, lambda d: d["control_encoding"].update(correspondence_limit=4.0))
    with pytest.raises(
        ControlMismatchError, match=r"correspondence_limit 2\.0 instead of 4\.0; install .*torch"
    ):
        VNVSModel.from_pretrained(folder)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda d: d["model"]["projector"].update(width=32),
            BackboneMismatchError,
            r"do not fit its config.json: projector.* \(16.* instead of \(32.*and \d+ more; copy",
        ),
        (
            lambda d: d["model"].update(control="inpainting"),
            ControlMismatchError,
            "variant inpainting instead of correspondence",
        ),
        (
            lambda d: d["model"]["projector"].update(depth=3),
            BackboneMismatchError,
            r"projector\.convolutions\.2.* None instead of .*; copy model.safetensors",
        ),
        (
            lambda d: d["model"]["backbone"]["options"].update(depth=1),
            BackboneMismatchError,
            "blocks .*1.* instead of .*2.*; its config.json was changed, copy the model again",
        ),
    ],
)
def test_description_of_another_network_than_the_weights_is_refused(
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        VNVSModel.from_pretrained(edited(tmp_path, change))


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"backbon": {}}, "model has no setting backbon"),
        ({"projector": {"widht": 4}}, "model.projector has no setting widht"),
        ({"control": "pose"}, "one of correspondence, inpainting, aligned, camera, got 'pose'"),
        ({"backbone": {"name": "sora"}}, "unknown backbone 'sora'; choose one of mini, wan"),
        ({"backbone": {"name": "wan"}}, "needs `path`"),
        ({"backbone": {"options": {"depht": 2}}}, "has no option depht"),
        ({"backbone": {"options": {"dim": 30, "heads": 4}}}, "multiple of 8"),
        ({"lora": {"rank": 4}}, "lora needs a pretrained backbone"),
        ({"injection": {"every": "2"}}, r"InjectionConfig\.every must be of type int, got '2'"),
        ({"injection": {"every": True}}, r"every must be of type int, got True"),
        ({"injection": {"blocks": ["a"]}}, r"blocks must be of type tuple\[int, \.\.\.\] \| None"),
        ({"injection": 3}, "ModelConfig.injection must be of type InjectionConfig, got 3"),
        ({"injection": {"block": {"window": [1, 2]}}}, "window must be of type tuple"),
        ({"projector": {"width": "64"}}, "ProjectorConfig.width must be of type int"),
        ({"backbone": {"options": {"dim": "64"}}}, "MiniConfig.dim must be of type int"),
        ({"backbone": {"path": 7}}, r"path must be of type str \| None, got 7"),
        ({"lora": {"alpha": 0}}, r"alpha of at least 1.*alpha 0 would switch it off"),
        ({"lora": {"rank": 0}}, "a rank and an alpha of at least 1"),
        ({"lora": {"targets": []}}, "names of layers, got .*targets"),
        ({"injection": {"every": 9}}, "must lie in 1..2"),
        ({"injection": {"blocks": [0, 5]}}, "different indices in 0..1"),
    ],
)
def test_bad_configs_say_what_to_write(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VNVSModel.build(ModelConfig.from_dict(values))


def test_config_survives_json() -> None:
    values = TINY | {
        "control": "inpainting",
        "injection": {"blocks": [1], "block": {"scope": "full"}},
    }
    config = ModelConfig.from_dict(values)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("variant", ["correspondence", "inpainting", "aligned", "camera"])
def test_every_variant_feeds_the_same_network(variant: str) -> None:
    model = VNVSModel.build(ModelConfig.from_dict(TINY | {"control": variant}))
    full = torch.rand(2, 5, 9, 16, 16)
    poses = torch.eye(4).expand(2, 5, 4, 4)
    control = model.select_control(full, poses)
    assert control.shape[2] == control_channels(variant)
    text = model.encode_text(["", "a room"])
    noisy = torch.randn(model.latent_shape(2, 5, 16, 16))
    assert model.velocity(noisy, torch.tensor([0.5, 0.7]), text, control).shape == noisy.shape


def test_warp_variants_see_nothing_but_the_warp() -> None:
    parts = [torch.full((1, c, 2, 2), float(c)) for c in (3, 2, 3, 1)]
    full = build_control(*parts)[None]
    seen = select_control("inpainting", full)
    assert torch.equal(seen, torch.cat(parts[2:], dim=1)[None])


def test_camera_variant_sees_the_source_and_the_poses_alone() -> None:
    full = torch.randn(1, 2, 9, 4, 6)
    poses = torch.randn(1, 2, 4, 4, dtype=torch.float64)
    seen = select_control("camera", full, poses)
    assert torch.equal(seen[:, :, :3], full[:, :, CONTROL_CHANNELS["source"]])
    torch.testing.assert_close(seen[0, 1, 3:, 2, 5], poses[0, 1, :3].flatten().float())
    assert (seen[:, :, 3:] == seen[:, :, 3:, :1, :1]).all()
    with pytest.raises(ValueError, match="needs target_from_source"):
        select_control("camera", full)


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def rename_family(folder: Path) -> None:
    (folder / "config.json").write_text('{"name": "wan", "dim": 32}')


def cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])


def change_size(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text()) | {"dim": 48}
    (folder / "config.json").write_text(json.dumps(values))


@pytest.mark.parametrize("damage", [break_config, rename_family, cut_weights, change_size])
def test_a_broken_file_of_mini_is_named(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    MiniBackbone(MiniConfig(dim=32, depth=1, heads=2)).save(tmp_path)
    assert MiniBackbone.load(tmp_path).config.dim == 32
    damage(tmp_path)
    with pytest.raises(MissingWeightsError, match=r"(?s)holds a broken file.*MiniBackbone\.save"):
        MiniBackbone.load(tmp_path)


def test_a_mini_that_is_read_has_its_own_sizes(tmp_path: Path) -> None:
    MiniBackbone(MiniConfig(dim=32, depth=1, heads=2)).save(tmp_path)
    make_backbone(BackboneConfig(path=str(tmp_path), options={"dim": 32}))
    with pytest.raises(BackboneMismatchError, match=r"has other sizes .*: leave out dim, or path"):
        make_backbone(BackboneConfig(path=str(tmp_path), options={"dim": 64, "depth": 1}))


def test_a_saved_model_takes_a_mini_from_elsewhere(tmp_path: Path) -> None:
    model = VNVSModel.build(ModelConfig.from_dict(TINY))
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="mini holds VNVS Blocks and cannot be saved alone"):
        model.backbone.save(tmp_path / "mini")
    MiniBackbone(model.backbone.config).save(tmp_path / "mini")
    again = VNVSModel.from_pretrained(tmp_path / "model", backbone_path=str(tmp_path / "mini"))
    assert again.config.backbone.path == str(tmp_path / "mini")
    with pytest.raises(MissingWeightsError) as caught:
        VNVSModel.from_pretrained(tmp_path / "model", backbone_path=str(tmp_path / "gone"))
    assert "was trained on" not in str(caught.value)


def test_frozen_mini_without_files_is_saved_whole(tmp_path: Path) -> None:
    config = ModelConfig(
        backbone=BackboneConfig(options={"dim": 32, "heads": 2}),
        projector=ProjectorConfig(width=16),
        freeze_backbone=True,
    )
    model = VNVSModel.build(config, seed=7)
    model.save_pretrained(tmp_path)
    again = VNVSModel.from_pretrained(tmp_path)
    for (name, saved), (_, loaded) in zip(
        model.named_parameters(), again.named_parameters(), strict=True
    ):
        assert torch.equal(saved, loaded), name
        assert saved.requires_grad == loaded.requires_grad
