"""Folders of pipelines that lack a part or hold a damaged one are refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from scaling4d.models.backbones import make_backbone
from scaling4d.models.backbones.loading import broken_files_named
from scaling4d.models.errors import MissingWeightsError, ModelError
from tests.models.conftest import Case

Damage = Callable[[Path], object]


def remove(name: str) -> Damage:
    """Delete a file or a sub-folder."""
    return lambda folder: (
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    )


def write(name: str, text: str) -> Damage:
    return lambda folder: (folder / name).write_text(text)


def cut(name: str) -> Damage:
    """Keep the first 100 bytes."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:100])


def change(name: str, **values: object) -> Damage:
    """Set fields of a JSON file."""

    def damage(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | values))

    return damage


def drop_weights(name: str, start: str) -> Damage:
    """Leave out the weights whose names start so."""

    def damage(folder: Path) -> None:
        weights = load_file(folder / name)
        kept = {key: value for key, value in weights.items() if not key.startswith(start)}
        assert 0 < len(kept) < len(weights)
        save_file(kept, folder / name, metadata={"format": "pt"})

    return damage


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_a_lack_of_memory_is_no_broken_file(error: RuntimeError) -> None:
    with pytest.raises(type(error), match="memory"), broken_files_named("wan", "somewhere"):
        raise error


TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("wan", remove("tokenizer"), "has no sub-folder tokenizer, though its model_index"),
        ("ltx", remove("tokenizer"), "has no sub-folder tokenizer, though"),
        ("hunyuan_video", remove("tokenizer_2"), "has no sub-folder tokenizer_2, though"),
        ("wan", remove("vae"), "has no sub-folder vae, though"),
        (
            "wan",
            remove("tokenizer/tokenizer.json"),
            r"has no spiece\.model or tokenizer\.json in tokenizer, though",
        ),
        (
            "wan",
            drop_weights(TRANSFORMER, "blocks.1."),
            r"weights of transformer .* lack blocks\.1",
        ),
        (
            "ltx",
            drop_weights("vae/diffusion_pytorch_model.safetensors", "decoder.conv_in."),
            r"weights of vae in .* lack decoder\.conv_in",
        ),
        ("wan", cut(TRANSFORMER), "holds a broken one .*diffusion_pytorch_model.safetensors"),
        ("wan", cut("text_encoder/model.safetensors"), "SafetensorError: .* invalid header length"),
        ("wan", write("tokenizer/tokenizer.json", "{"), "JSONDecodeError: Expecting property name"),
        ("wan", change("tokenizer/tokenizer.json", model={"type": "None"}), "Exception: data did"),
        ("wan", write("model_index.json", "[]"), "model_index.json must hold a mapping, got a lis"),
        ("wan", write("model_index.json", "{"), "model_index.json' is not a valid JSON file"),
        (
            "wan",
            change("transformer/config.json", ffn_dim=64),
            r"Cannot load because blocks\.0\.ffn.*, but got torch\.Size\(\[32\]\)$",
        ),
        ("wan", change("text_encoder/config.json", d_ff=64), "RuntimeError: "),
    ],
)
def test_damaged_folder_is_refused_in_one_sentence(
    name: str, damage: Damage, message: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    config = case_of(name).config.backbone
    folder = tmp_path / "pipeline"
    shutil.copytree(str(config.path), folder)
    damage(folder)
    with pytest.raises(MissingWeightsError, match=message) as caught:
        make_backbone(type(config)(name=config.name, path=str(folder), options=config.options))
    assert str(caught.value).startswith(f"cannot load backbone {config.name}: ")
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_backbone_with_vnvs_blocks_is_not_saved_alone(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    case = case_of("wan")
    with pytest.raises(ModelError, match="save it before they are inserted, or the whole model"):
        case.model().backbone.save(tmp_path / "inside")
    assert not (tmp_path / "inside").exists()
    case.backbone().save(tmp_path / "before")
    assert (tmp_path / "before" / TRANSFORMER).is_file()
