"""In which precision our own layers compute, under autocast and beside half-precision backbones."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

HALVES = (torch.bfloat16, torch.float16)

_NO_AUTOCAST = "meta"  # torch knows no autocast there, not even that it is off


def product_dtype(tokens: Tensor, weight: Tensor) -> torch.dtype:
    """Autocast's, or half precision where the tokens have it, else the weights' own."""
    kind = tokens.device.type
    if kind != _NO_AUTOCAST and torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return tokens.dtype if tokens.dtype in HALVES else weight.dtype


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Compute in the dtypes at hand."""
    if device.type == _NO_AUTOCAST:
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)
