"""Several processes through accelerate: DDP, or FSDP2 with weights shared among them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from train.settings import ConfigError

if TYPE_CHECKING:
    from train.config import RunConfig


def make_accelerator(run: RunConfig) -> Accelerator:
    """Join the processes that ``accelerate launch`` (or ``torchrun``) started, or run alone.

    Raises:
        ConfigError: for ways to train that this loop does not support.
    """
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true":
        raise ConfigError(
            "DeepSpeed is not supported: its engine hides weights and moments from checkpoints "
            "that any number of processes can resume; launch with train/accelerate/fsdp2.yaml, "
            "which shares the same memory (ZeRO 3)"
        )
    # Not every weight gets a gradient in every step: noise levels choose between Wan 2.2's experts,
    # and nothing reads what `mini`'s last block writes to the text.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(
        mixed_precision=run.precision, cpu=run.device == "cpu", kwargs_handlers=[unused]
    )


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
