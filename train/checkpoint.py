"""Checkpoints: a folder of safetensors and JSON that appears whole or not at all.

    OUT/checkpoints/step_000200/
        model.safetensors       trained weights by name (frozen ones are in the backbone's files)
        optimizer.safetensors   optimizer moments, "NAME|exp_avg" and so on
        ema.safetensors         averaged weights, when averaging is on
        state.json              step, sampler position, settings' hash, format version

No random-generator state is needed: every random number of step n is derived from (seed, n).
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from scaling4d.data.cache_limit import free_space
from scaling4d.storage.atomic import sync_path
from train.zero import gather_moments, restore_moments

FORMAT = 1
_NAME = re.compile(r"step_(\d+)")
_DDP = "module."
"""What DDP's wrapper puts before names."""
_OPTIONS = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or belongs to another run."""


@dataclass(frozen=True)
class Snapshot:
    """All that a run needs to go on as if it had never stopped."""

    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    ema: Mapping[str, Tensor]
    state: Mapping[str, Any]


def take_snapshot(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    ema: Mapping[str, Tensor],
    state: Mapping[str, Any],
    engine: Any = None,
) -> Snapshot:
    """Collect full tensors on the CPU; every process must call it.

    Args:
        module: what is trained, without DeepSpeed's wrapper.
        optimizer: its optimizer.
        ema: averaged weights.
        state: what else the run must know, for JSON.
        engine: DeepSpeed's, if it holds the moments.
    """
    if engine is not None:
        moments = gather_moments(engine, module, optimizer)
    else:
        moments = get_optimizer_state_dict(module, optimizer, options=_OPTIONS)
    # torch leaves out frozen weights, but not their second names, such as umT5's token embedding.
    frozen = {
        name.removeprefix(_DDP)
        for name, weight in module.named_parameters(remove_duplicate=False)
        if not weight.requires_grad
    }
    model = get_model_state_dict(module, options=_OPTIONS)
    return Snapshot(
        model={name: weight for name, weight in model.items() if name not in frozen},
        optimizer=moments,
        ema=ema,
        state=state,
    )


def restore_snapshot(
    snapshot: Snapshot, module: nn.Module, optimizer: torch.optim.Optimizer, engine: Any = None
) -> None:
    """Put weights and optimizer moments back; arguments as for `take_snapshot`."""
    # Frozen weights are no part of the checkpoint, so names may be missing, never unexpected.
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False)
    result = set_model_state_dict(module, dict(snapshot.model), options=options)
    trained = {name for name, weight in module.named_parameters() if weight.requires_grad}
    lost = sorted(set(result.unexpected_keys) | (trained & set(result.missing_keys)))
    if lost:
        raise CheckpointError(
            f"the checkpoint's weights do not fit the model ({lost[0]} and {len(lost) - 1} more): "
            "resume with the recipe that the run was started with"
        )
    if engine is not None:
        restore_moments(snapshot.optimizer, engine, module, optimizer)
    else:
        set_optimizer_state_dict(module, optimizer, dict(snapshot.optimizer), options=options)
        # torch has made moments for all weights; those that never had any have taken no step yet.
        for name, weight in module.named_parameters():
            if name.removeprefix(_DDP) not in snapshot.optimizer["state"]:
                optimizer.state.pop(weight, None)


def write_checkpoint(folder: Path, snapshot: Snapshot, step: int, *, keep: int) -> Path:
    """Write ``folder/step_N`` by renaming a finished folder, then remove all but the newest.

    Raises:
        CheckpointError: if the disk does not take it; older checkpoints stay as they are.
    """
    final = folder / f"step_{step:06d}"
    partial = folder / f".{final.name}.{secrets.token_hex(4)}.partial"
    try:
        _write_files(partial, snapshot, step)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CheckpointError(
            f"{final} cannot be written ({error}; {free_space(folder)}): make room and go on with "
            "--resume, the checkpoints before it are unharmed"
        ) from None
    if final.exists():  # the same step of the same run: equal content, made again after a kill
        shutil.rmtree(final)
    partial.replace(final)
    sync_path(folder)
    for old in list_checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def _write_files(folder: Path, snapshot: Snapshot, step: int) -> None:
    """Write a checkpoint's files into a new folder, and wait until the disk has them."""
    folder.mkdir(parents=True)
    tensors, groups = _flatten(snapshot.optimizer)
    save_file(_plain(snapshot.model), folder / "model.safetensors")
    save_file(_plain(tensors), folder / "optimizer.safetensors")
    if snapshot.ema:
        save_file(_plain(snapshot.ema), folder / "ema.safetensors")
    state = {"format": FORMAT, "step": step, "param_groups": groups, **snapshot.state}
    (folder / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        sync_path(path)


def read_checkpoint(folder: Path) -> Snapshot:
    """Read a checkpoint folder.

    Raises:
        CheckpointError: if a file is missing, cut short or of a newer format.
    """
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        if state["format"] != FORMAT:
            raise CheckpointError(
                f"{folder} has format {state['format']}, this version reads {FORMAT}"
            )
        ema = folder / "ema.safetensors"
        return Snapshot(
            model=load_file(folder / "model.safetensors"),
            optimizer=_unflatten(
                load_file(folder / "optimizer.safetensors"), state["param_groups"]
            ),
            ema=load_file(ema) if ema.is_file() else {},
            state=state,
        )
    except CheckpointError:
        raise
    except Exception as error:  # safetensors raises its own class, which is no subclass of OSError
        raise CheckpointError(
            f"{folder} is not a readable checkpoint ({error}): remove it"
        ) from None


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the finished checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    found = [(int(m[1]), path) for path in folder.iterdir() if (m := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def remove_partial_checkpoints(folder: Path) -> None:
    """Remove what a killed run left half written."""
    for path in folder.glob(".step_*.partial") if folder.is_dir() else ():
        shutil.rmtree(path)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give every tensor its own storage: safetensors refuses shared ones."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _flatten(optimizer: Mapping[str, Any]) -> tuple[dict[str, Tensor], Any]:
    tensors = {
        f"{name}|{key}": torch.as_tensor(value)
        for name, moments in optimizer["state"].items()
        for key, value in moments.items()
    }
    return tensors, optimizer["param_groups"]


def _unflatten(tensors: Mapping[str, Tensor], groups: Any) -> dict[str, Any]:
    state: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        parameter, key = name.rsplit("|", 1)
        state.setdefault(parameter, {})[key] = tensor
    return {"state": state, "param_groups": groups}
