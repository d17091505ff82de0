"""Saving what was trained: safetensors for weights, JSON for everything a loader must check."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from scaling4d.correspondence.control import control_metadata

from .errors import BackboneMismatchError, ControlMismatchError, MissingWeightsError
from .hub import download, is_hub_id, upload

if TYPE_CHECKING:
    from .vnvs import VNVSModel

FORMAT_VERSION = 2
_CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_CARD = "README.md"
_SECTIONS = ("model", "backbone_facts", "control_encoding")
_VERSIONS = ("scaling4d", "torch", "diffusers", "transformers")


def save_model(
    model: VNVSModel, folder: Path, *, weights: Mapping[str, Tensor] | None = None
) -> None:
    """Write ``model.safetensors``, ``config.json`` and a model card.

    Weights are those of `VNVSModel.trainable_parameters` alone: projector, VNVS Blocks and LoRA.
    A backbone that came from no file (`mini`) is written too.

    Args:
        model: what to save.
        folder: made if missing.
        weights: whole weights by name, where those of the model are shared among processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = dict(model.named_parameters()) if weights is None else weights
    weights = {name: whole[name].detach().contiguous() for name, _ in _saved_parameters(model)}
    description = {
        "format_version": FORMAT_VERSION,
        "model": model.config.to_dict(),
        "backbone_facts": backbone_facts(model),
        "control_encoding": control_encoding(model),
        "versions": _versions(),
    }
    _replace(folder / _WEIGHTS, lambda path: save_file(weights, path, metadata={"format": "pt"}))
    text = json.dumps(description, indent=2) + "\n"
    _replace(folder / _CONFIG, lambda path: path.write_text(text))
    _replace(folder / _CARD, lambda path: path.write_text(model_card(model)))


def _saved_parameters(model: VNVSModel) -> list[tuple[str, nn.Parameter]]:
    if model.config.backbone.path is None:
        return list(model.named_parameters())
    return model.trainable_parameters()


def backbone_facts(model: VNVSModel) -> dict[str, Any]:
    """What must be equal between the backbone trained with and the one loaded with."""
    backbone = model.backbone
    blocks = {
        name: sum(len(part) for part in backbone.block_lists(transformer))
        for name, transformer in backbone.transformers().items()
    }
    facts = {
        "family": backbone.name,
        "token_dim": backbone.token_dim,
        "heads": backbone.heads,
        "latent_channels": backbone.latent_channels,
        "blocks": blocks,
        **dataclasses.asdict(backbone.geometry),
    }
    return json.loads(json.dumps(facts))


def control_encoding(model: VNVSModel) -> dict[str, Any]:
    """What must be equal between the control trained with and the one that is built here."""
    return json.loads(json.dumps({"variant": model.config.control, **control_metadata()}))


def read_model(folder: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read description and weights from a local folder or a hub id.

    Raises:
        MissingWeightsError: if a file is missing or broken, or the hub cannot be reached.
    """
    local = Path(folder)
    if not local.is_dir() and is_hub_id(str(folder)):
        local = download(str(folder), [_CONFIG, _WEIGHTS])
    try:
        description = json.loads((local / _CONFIG).read_text())
        weights = load_file(local / _WEIGHTS)
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = next((n for n in (_CONFIG, _WEIGHTS) if not (local / n).is_file()), _WEIGHTS)
        raise MissingWeightsError(
            f"no model in {folder}: {missing} is missing; give the folder that training wrote "
            "(OUT/model)"
        ) from error
    except (ValueError, SafetensorError) as error:
        raise _broken(folder, str(error)) from error
    if not isinstance(description, dict):
        raise _broken(folder, f"{_CONFIG} holds no mapping")
    version = description.get("format_version")
    if version != FORMAT_VERSION:
        raise MissingWeightsError(
            f"the model in {folder} has format {version}, this version reads {FORMAT_VERSION}; "
            f"install the scaling4d that wrote it: {description.get('versions', {})}"
        )
    absent = [name for name in _SECTIONS if not isinstance(description.get(name), dict)]
    if absent:
        raise _broken(folder, f"{_CONFIG} lacks {', '.join(absent)}")
    return description, weights


def _broken(folder: str | Path, reason: str) -> MissingWeightsError:
    return MissingWeightsError(
        f"the model in {folder} is broken ({reason}); copy or train it again"
    )


def load_weights(
    model: VNVSModel,
    description: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    *,
    source: str,
) -> None:
    """Put saved weights into a freshly built model.

    Raises:
        BackboneMismatchError: if the backbone differs (naming how), or weights do not fit.
        MissingWeightsError: if a weight is not finite.
        ControlMismatchError: if it was trained on a control that is encoded in another way.
    """
    path = model.config.backbone.path
    different = _differences(description["backbone_facts"], backbone_facts(model))
    if different:
        remedy = (
            "its config.json was changed, copy the model again"
            if path is None
            else f"load {description['model']['backbone']['path']}"
        )
        raise BackboneMismatchError(
            f"{source} was trained on another backbone than the one loaded: {different}; {remedy}"
        )
    different = _differences(description["control_encoding"], control_encoding(model))
    if different:
        raise ControlMismatchError(
            f"{source} was trained on a control of another encoding: {different}; install the "
            f"scaling4d that wrote it: {description.get('versions', {})}"
        )
    needed = {name: tuple(weight.shape) for name, weight in _saved_parameters(model)}
    found = {name: tuple(weight.shape) for name, weight in weights.items()}
    if needed != found:
        raise BackboneMismatchError(
            f"the weights in {source} do not fit its {_CONFIG}: {_differences(needed, found)}; "
            f"copy {_WEIGHTS} and {_CONFIG} again, both from one training"
        )
    for name, weight in weights.items():
        if not (weight.is_floating_point() and bool(torch.isfinite(weight).all())):
            raise MissingWeightsError(
                f"the model in {source} is broken ({name} holds values that are not finite "
                f"numbers, {weight.dtype}); copy it again, or take an earlier checkpoint"
            )
    model.load_state_dict(dict(weights), strict=False)


def _differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> str:
    """Say what differs, three entries at most; empty where nothing does."""
    names = [
        name
        for name in dict.fromkeys((*expected, *actual))
        if expected.get(name) != actual.get(name)
    ]
    parts = [f"{name} {actual.get(name)} instead of {expected.get(name)}" for name in names[:3]]
    rest = len(names) - len(parts)
    return "; ".join(parts) + (f"; and {rest} more" if rest else "")


def model_card(model: VNVSModel) -> str:
    """A README for the hub: what it is, what it needs, how to use it."""
    config = model.config
    trained = sum(p.numel() for _, p in model.trainable_parameters())
    base = config.backbone.path or "random weights (see config.json)"
    on_hub = config.backbone.path is not None and is_hub_id(config.backbone.path)
    if config.backbone.path is not None and not on_hub:
        base = "a local folder (load with `backbone_path`)"
    header = ["---", "library_name: scaling4d", "license: other", "tags:", "- novel-view-synthesis"]
    if on_hub:
        header.append(f"base_model: {config.backbone.path}")
    return "\n".join(
        [
            *header,
            "---",
            "# Video novel view synthesis by correspondence",
            "",
            "Correspondence Projector and VNVS Blocks (Scaling4D, §3.4) for "
            f"`{config.backbone.name}`, base weights: {base}. {trained / 1e6:.1f} M trained "
            f"parameters; the control is `{config.control}`. The base model's licence applies to "
            "its weights, which are not here.",
            "",
            "```python",
            "import scaling4d",
            "result = scaling4d.generate('video.mp4', 'orbit:yaw=20', model='THIS FOLDER')",
            "result.save('out.mp4')",
            "```",
            "",
        ]
    )


def push_model(model: VNVSModel, repository: str, *, private: bool) -> None:
    """Upload what `save_model` writes, see `scaling4d.models.hub.upload`."""
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, Path(folder))
        upload(Path(folder), repository, private=private)


def _versions() -> dict[str, str]:
    found = {}
    for package in _VERSIONS:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _replace(path: Path, write: Any) -> None:
    """Write beside the target, then move into place, so that no reader meets half a file."""
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    with partial.open("rb") as handle:
        os.fsync(handle.fileno())
    partial.replace(path)
