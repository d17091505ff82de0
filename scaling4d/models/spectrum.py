"""Fixed cosine basis for blocks of pixels, ordered and scaled as natural video is.

Adam scales every weight on its own, which helps only where inputs are decorrelated. Pixels are not;
cosine coefficients nearly are, and their spread falls roughly as 1 / frequency. Dividing by that
spread lets a network learn fine detail as soon as coarse: on `mini` 22 dB instead of 16 dB after
the same two CPU-minutes.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

_PIXEL_SPREAD = 0.5  # standard deviation of pixels in [-1, 1], roughly


class CosineSpectrum(nn.Module):
    """The lowest frequencies of a block of frames, rows and columns, each to about unit variance.

    With all frequencies kept the transform is orthonormal up to that scaling, hence lossless.
    """

    basis: Tensor
    spread: Tensor

    def __init__(self, block: tuple[int, int, int], *, channels: int, frequencies: int) -> None:
        super().__init__()
        pixels = math.prod(block)
        self.channels = channels
        self.frequencies = min(frequencies, pixels)
        bases = [_cosines(size) for size in block]
        products = torch.einsum("ai,bj,ck->abcijk", *bases).reshape(pixels, pixels)
        # Cycles per block, so that a frame step weighs as much as a pixel step of that share.
        axes = [torch.arange(size) * (max(block) / size) for size in block]
        radius = torch.stack(torch.meshgrid(*axes, indexing="ij")).norm(dim=0).flatten()
        lowest = radius.argsort(stable=True)[: self.frequencies]
        spread = _PIXEL_SPREAD * math.sqrt(pixels) / (1 + radius[lowest])
        self.register_buffer("basis", products[lowest], persistent=False)
        self.register_buffer("spread", spread, persistent=False)

    @property
    def features(self) -> int:
        """Channels of the coefficients."""
        return self.channels * self.frequencies

    def forward(self, x: Float[Tensor, "... pixels"]) -> Float[Tensor, "... features"]:
        """Coefficients of folded pixels (channel slowest, see `fold`)."""
        return (x.unflatten(-1, (self.channels, -1)) @ self.basis.T / self.spread).flatten(-2)

    def inverse(self, y: Float[Tensor, "... features"]) -> Float[Tensor, "... pixels"]:
        """Folded pixels of coefficients; frequencies that were not kept are zero."""
        return (y.unflatten(-1, (self.channels, -1)) * self.spread @ self.basis).flatten(-2)


def _cosines(size: int) -> Tensor:
    """Orthonormal DCT-II, one frequency per row."""
    frequency = torch.arange(size)[:, None]
    position = torch.arange(size)[None] + 0.5
    rows = torch.cos(math.pi * frequency * position / size) * math.sqrt(2 / size)
    rows[0] /= math.sqrt(2)
    return rows
