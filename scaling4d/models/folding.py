"""Blocks of a video into channels and back: a strided convolution without its arithmetic."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def fold(
    x: Float[Tensor, "batch channels frames height width"], block: tuple[int, int, int]
) -> Float[Tensor, "batch t h w features"]:
    """Move blocks of frames, rows and columns into channels (channel slowest, column fastest)."""
    t, h, w = (size // b for size, b in zip(x.shape[2:], block, strict=True))
    x = x.unflatten(4, (w, block[2])).unflatten(3, (h, block[1])).unflatten(2, (t, block[0]))
    return x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)


def unfold(
    x: Float[Tensor, "batch t h w features"], block: tuple[int, int, int]
) -> Float[Tensor, "batch channels frames height width"]:
    """Undo `fold`."""
    x = x.unflatten(4, (-1, *block)).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return x.flatten(6, 7).flatten(4, 5).flatten(2, 3)
