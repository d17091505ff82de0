"""Correspondence Projector (§3.4): the control tensor to tokens aligned with the latent tokens."""

from __future__ import annotations

import dataclasses

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .backbones.base import TokenGeometry
from .field_types import check_field_types
from .folding import fold
from .precision import without_autocast
from .spectrum import CosineSpectrum


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectorConfig:
    """Size of the projector."""

    width: int = 512
    """Channels of its convolutions."""
    depth: int = 2
    """Residual causal convolutions between the strided one and the patchifying layer."""
    frequencies: int = 256
    """Cosine frequencies per channel and latent position that the strided convolution sees, lowest
    first; 256 is all of 4 frames of 8 x 8 pixels."""

    def __post_init__(self) -> None:
        check_field_types(self)
        if self.width < 4 or self.width % 4 or self.depth < 0 or self.frequencies < 1:
            raise ValueError(
                "the projector's width must be a positive multiple of 4, its depth at least 0 and "
                f"its frequencies at least 1, got {self}"
            )


class CorrespondenceProjector(nn.Module):
    """Causal convolutions and a patchifying layer (§3.4).

    The first frame is repeated r - 1 times in front, so that rk+1 frames become k+1 groups of r. A
    strided convolution whose kernel equals its stride, written as a fold, a cosine transform and a
    linear layer, brings each group to one latent frame; residual causal convolutions look around
    and back in time; a last fold and linear layer cuts patches as the backbone does. Frame k
    therefore touches latent frames from ceil(k / r) on and none before.
    """

    def __init__(
        self, config: ProjectorConfig, *, geometry: TokenGeometry, token_dim: int, channels: int = 9
    ) -> None:
        super().__init__()
        self.geometry = geometry
        self.channels = channels
        r, side = geometry.frame_compression, geometry.pixel_compression
        pt, ph, pw = geometry.patch
        self.spectrum = CosineSpectrum(
            (r, side, side), channels=channels, frequencies=config.frequencies
        )
        self.strided = nn.Linear(self.spectrum.features, config.width)
        self.convolutions = nn.ModuleList(
            CausalConvolution(config.width) for _ in range(config.depth)
        )
        self.patchify = nn.Linear(config.width * pt * ph * pw, token_dim)

    def forward(
        self, control: Float[Tensor, "batch frames channels height width"]
    ) -> Float[Tensor, "batch token_frames token_rows token_columns dim"]:
        """Encode the control tensor to one token per latent token.

        Raises:
            ValueError: for a wrong number of channels, or a size the backbone cannot take.
        """
        _, frames, channels, height, width = control.shape
        if channels != self.channels:
            raise ValueError(
                f"the control must have {self.channels} channels for this model, got {channels}; "
                "build it with the variant that the model was trained with"
            )
        self.geometry.check_size(frames, height, width)
        r, side = self.geometry.frame_compression, self.geometry.pixel_compression
        x = control.to(self.strided.weight.dtype).transpose(1, 2)
        x = functional.pad(x, (0, 0, 0, 0, r - 1, 0), mode="replicate")
        # Displacements reach hundreds of pixels: bf16 would round them to whole ones.
        with without_autocast(x.device):
            x = self.strided(self.spectrum(fold(x, (r, side, side))))
        for convolution in self.convolutions:
            x = convolution(x)
        x = functional.pad(
            x.movedim(-1, 1),
            (0, 0, 0, 0, self.geometry.front_padding(x.shape[1]), 0),
            mode="replicate",
        )
        return self.patchify(fold(x, self.geometry.patch))


class CausalConvolution(nn.Module):
    """Residual 3x3x3 convolution that sees this and the two latent frames before it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)  # per position: statistics over time would see the future
        self.reduce = nn.Linear(width, width // 4)
        self.convolve = nn.Conv3d(width // 4, width // 4, kernel_size=3)
        self.expand = nn.Linear(width // 4, width)

    def forward(
        self, x: Float[Tensor, "batch frames rows columns width"]
    ) -> Float[Tensor, "batch frames rows columns width"]:
        """Add the convolved features."""
        y = functional.silu(self.reduce(self.norm(x))).movedim(-1, 1)
        y = self.convolve(functional.pad(y, (1, 1, 1, 1, 2, 0), mode="replicate"))
        return x + self.expand(functional.silu(y).movedim(1, -1))
