"""Several processes through accelerate: DDP, FSDP2 with shared weights, or DeepSpeed's ZeRO."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from accelerate.utils import (
    AutocastKwargs,
    DistributedDataParallelKwargs,
    DistributedType,
    FullyShardedDataParallelPlugin,
)
from torch import Tensor, nn
from torch.distributed.fsdp import MixedPrecisionPolicy
from torch.distributed.tensor import DTensor, distribute_tensor

from train import zero

if TYPE_CHECKING:
    from train.config import TrainConfig


def make_accelerator(config: TrainConfig) -> Accelerator:
    """Join the processes that ``accelerate launch`` (or ``torchrun``) started, or run alone.

    Raises:
        ConfigError: for ways to train that this loop does not support.
    """
    if zero.is_asked_for():
        return zero.make_accelerator(config)
    # Not every weight gets a gradient in every step: a step trains one of Wan 2.2's experts, and
    # nothing reads what `mini`'s last block writes to the text.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    # A pass uses a weight once: keeping it in bf16 until the pass ends would cost memory alone, and
    # most where weights are shared.
    autocast = AutocastKwargs(cache_enabled=False)
    run = config.run
    return Accelerator(
        mixed_precision=run.precision,
        cpu=run.device == "cpu",
        kwargs_handlers=[unused, autocast],
        fsdp_plugin=_share_weights_as_they_are() if _fsdp2_is_asked_for() else None,
    )


def _fsdp2_is_asked_for() -> bool:
    fsdp = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    return fsdp and os.environ.get("FSDP_VERSION") == "2"


def _share_weights_as_they_are() -> FullyShardedDataParallelPlugin:
    """Leave bf16 to autocast, as without FSDP2.

    accelerate's own policy would round what enters the training step too, correspondence included,
    and norms and time embeddings, which are kept in float32.
    """
    return FullyShardedDataParallelPlugin(mixed_precision_policy=MixedPrecisionPolicy())


@contextmanager
def exchange(accelerator: Accelerator, module: nn.Module, *, last: bool) -> Iterator[None]:
    """Run one pass of a step; processes exchange gradients in the last pass alone."""
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        accelerator.sync_gradients = last  # its engine also clips and steps in the last backward
        yield
    elif last:
        yield
    else:
        with accelerator.no_sync(module):
            yield


def whole(tensor: Tensor) -> Tensor:
    """A tensor's whole value; where it is shared every process must call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Lay a whole tensor out as another one: on its device, and shared as it is."""
    tensor = tensor.to(like.device)
    if isinstance(like, DTensor):
        return distribute_tensor(tensor, like.device_mesh, like.placements)
    return tensor


@torch.no_grad()
def gather_weights(module: nn.Module) -> dict[str, Tensor]:
    """Whole weights by name, on the CPU where they were shared; every process must call it."""
    return {
        name: whole(weight).cpu() if isinstance(weight, DTensor) else weight
        for name, weight in module.named_parameters()
    }
