"""All-to-all between processes that hold some tokens or some heads of the same attention."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch import distributed as dist


def heads_to_tokens(
    x: Float[Tensor, "batch some_tokens heads dim"], group: Any
) -> Float[Tensor, "batch tokens some_heads dim"]:
    """Give away heads for the tokens of all processes, in their order."""
    return _Exchange.apply(x, 2, 1, group)


def tokens_to_heads(
    x: Float[Tensor, "batch tokens some_heads dim"], group: Any
) -> Float[Tensor, "batch some_tokens heads dim"]:
    """Undo `heads_to_tokens`."""
    return _Exchange.apply(x, 1, 2, group)


class _Exchange(torch.autograd.Function):
    """Part i along axis ``given`` goes to process i; what arrives is joined along ``taken``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, given: int, taken: int, group: Any) -> Tensor:
        ctx.given, ctx.taken, ctx.group = given, taken, group
        outgoing = torch.stack(x.chunk(group.size(), dim=given))
        incoming = torch.empty_like(outgoing)
        dist.all_to_all_single(incoming, outgoing, group=group)
        return torch.cat(incoming.unbind(), dim=taken)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        gradient = _Exchange.apply(gradients[0], ctx.taken, ctx.given, ctx.group)
        return gradient, None, None, None
