"""What a video foundation model must offer so that the network of §3.4 can be attached to it."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from scaling4d.models.errors import ModelError
from scaling4d.models.flow_matching import SigmaSampling, sampler_sigmas


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenGeometry:
    """How a backbone cuts a video of rk+1 frames into latent frames and tokens."""

    frame_compression: int
    """r: pixel frames per latent frame after the first, which stands alone."""
    pixel_compression: int
    """Height (and width) of the square of pixels behind one latent position."""
    patch: tuple[int, int, int]
    """Latent frames, rows and columns of one token."""

    @property
    def size_multiple(self) -> int:
        """Height and width must be multiples of this many pixels."""
        return self.pixel_compression * self.patch[1]

    def latent_grid(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Latent frames, rows and columns of a video of legal size."""
        latent_frames = (frames - 1) // self.frame_compression + 1
        return latent_frames, height // self.pixel_compression, width // self.pixel_compression

    def front_padding(self, latent_frames: int) -> int:
        """Latent frames to repeat in front so that patches of several frames come out even."""
        return -latent_frames % self.patch[0]

    def token_grid(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Token frames, rows and columns of a video of legal size."""
        return self._patches(self.latent_grid(frames, height, width))

    def tokens(self, latent_grid: Sequence[int]) -> int:
        """Number of tokens of latents of this many frames, rows and columns."""
        return math.prod(self._patches(latent_grid))

    def _patches(self, latent_grid: Sequence[int]) -> tuple[int, int, int]:
        t, h, w = latent_grid
        return (
            (t + self.front_padding(t)) // self.patch[0],
            h // self.patch[1],
            w // self.patch[2],
        )

    def check_size(self, frames: int, height: int, width: int) -> None:
        """Refuse a video that does not divide into tokens.

        Raises:
            ValueError: naming the nearest legal number of frames, height and width.
        """
        r, multiple = self.frame_compression, self.size_multiple
        legal_frames = max(round((frames - 1) / r), 0) * r + 1
        legal_height = max(round(height / multiple), 1) * multiple
        legal_width = max(round(width / multiple), 1) * multiple
        if (frames, height, width) != (legal_frames, legal_height, legal_width):
            raise ValueError(
                f"the backbone cannot take {frames} frames of {height}x{width} (height x width): "
                f"frames must be {r}k+1, height and width multiples of {multiple}; "
                f"nearest legal: {legal_frames} frames of {legal_height}x{legal_width}"
            )


@dataclasses.dataclass(frozen=True)
class TextCondition:
    """Encoded prompts of one batch; the first axis of every tensor is the batch."""

    embeddings: Tensor
    """Token embeddings (or token ids, for `mini`), batch tokens ..."""
    extra: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    """Whatever else the family feeds beside them: masks, pooled vectors, a second encoder."""

    def __len__(self) -> int:
        return len(self.embeddings)

    def map(self, function: Callable[[Tensor], Tensor]) -> TextCondition:
        """Apply a function to every tensor."""
        return TextCondition(
            function(self.embeddings), {k: function(v) for k, v in self.extra.items()}
        )

    def rows(self, selected: Tensor) -> TextCondition:
        """Keep the selected samples (a boolean or index tensor over the batch)."""
        return self.map(lambda tensor: tensor[selected.to(tensor.device)])

    def replaced(self, rows: Bool[Tensor, " batch"], by: TextCondition) -> TextCondition:
        """Put the prompt ``by`` (a batch of one) in place of the marked rows."""

        def choose(mine: Tensor, other: Tensor) -> Tensor:
            marked = rows.to(mine.device).view(-1, *[1] * (mine.ndim - 1))
            return torch.where(marked, other.to(mine), mine)

        extra = {k: choose(v, by.extra[k]) for k, v in self.extra.items()}
        return TextCondition(choose(self.embeddings, by.embeddings), extra)


@dataclasses.dataclass(frozen=True, eq=False)  # torch.compile hashes it before it has its tensors
class Rotary:
    """The backbone's rotary embedding in one form, for use by VNVS Blocks.

    cos and sin broadcast to batch tokens heads head_dim and hold each angle twice, once for either
    channel of its pair.
    """

    cos: Tensor
    sin: Tensor
    halves: bool = False
    """Pairs are channels i and i + head_dim / 2; otherwise 2i and 2i + 1."""

    def __call__(
        self, x: Float[Tensor, "batch tokens heads head_dim"]
    ) -> Float[Tensor, "batch tokens heads head_dim"]:
        """Rotate each pair of channels by its angle."""
        if self.halves:
            first, second = x.chunk(2, dim=-1)
            turned = torch.cat((-second, first), dim=-1)
        else:
            even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
            turned = torch.stack((-odd, even), dim=-1).flatten(-2)
        return (x * self.cos + turned * self.sin).to(x.dtype)


class Backbone(nn.Module, ABC):
    """A text-to-video diffusion transformer with its text encoder and video codec.

    Latents are batch channels latent_frames rows columns. Noise level: ``noisy = (1 - sigma) x +
    sigma noise`` and the velocity is ``noise - x``, whatever the family's own convention; adapters
    convert. VNVS Blocks are inserted by wrapping entries of `block_lists`.
    """

    name: ClassVar[str]
    """The family's name in configs."""
    rotary_arguments: ClassVar[tuple[str, ...]] = ()
    """Names under which blocks take the rotary embedding; each block has one of them."""
    unused_modules: ClassVar[tuple[str, ...]] = ()
    """Parts of the names of layers that do not act on the video, which LoRA must leave alone."""
    sigma_sampling: SigmaSampling = SigmaSampling()
    """How the family draws noise levels in training, see `sigma_sampling_at`."""
    sampling_shift: float = 1.0
    """Time shift of the sampler's noise levels, see `sampler_sigmas`."""

    @property
    @abstractmethod
    def geometry(self) -> TokenGeometry:
        """How a video divides into tokens."""

    @property
    @abstractmethod
    def latent_channels(self) -> int:
        """Channels of the latents."""

    @property
    @abstractmethod
    def token_dim(self) -> int:
        """Channels of a video token inside the blocks."""

    @property
    @abstractmethod
    def heads(self) -> int:
        """Attention heads of the blocks, used for VNVS Blocks too."""

    @abstractmethod
    def transformers(self) -> dict[str, Any]:
        """The denoisers by name: one, or several experts that share the work by noise level."""

    @abstractmethod
    def block_lists(self, transformer: Any) -> list[nn.ModuleList]:
        """The denoiser's lists of blocks, in the order in which video tokens pass them."""

    @property
    def block_kinds(self) -> tuple[str, ...]:
        """Class names of the denoisers' blocks, of the wrapper too where VNVS Blocks follow."""
        lists = [part for t in self.transformers().values() for part in self.block_lists(t)]
        return tuple(sorted({type(block).__name__ for part in lists for block in part}))

    @abstractmethod
    def encode_video(
        self, video: Float[Tensor, "batch frames 3 height width"]
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Encode a video in [-1, 1] to scaled latents."""

    @abstractmethod
    def decode_video(
        self, latents: Float[Tensor, "batch channels latent_frames rows columns"]
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Decode latents to a video; values may leave [-1, 1] a little."""

    @abstractmethod
    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Encode prompts; the empty prompt is the unconditional one."""

    @abstractmethod
    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str,
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Predict noise minus clean latents with the named denoiser."""

    def sampler_sigmas(self, steps: int, tokens: int) -> Float[Tensor, " levels"]:
        """Noise levels of the family's sampler: ``steps + 1`` values from 1 down to 0, in float64.

        Args:
            steps: Euler steps.
            tokens: of one video, on which some families' levels depend.

        Raises:
            ValueError: if there is no step.
        """
        return sampler_sigmas(steps, self.sampling_shift)

    def sigma_sampling_at(self, tokens: int) -> SigmaSampling:
        """How the family draws noise levels in training for videos of this many tokens."""
        return self.sigma_sampling

    def context_parallel_plan(self, transformer: Any) -> dict[str, Any] | None:
        """Where diffusers cuts and joins video tokens to share them among processes.

        None: it cannot. Where there is a plan, ``attn1`` is the video's attention to itself, and
        all other attention sees whole keys in every process.
        """
        return None

    def require_bare(self) -> None:
        """Refuse to save a backbone whose blocks have other names now, and would not be found.

        Raises:
            ModelError: if VNVS Blocks are inside.
        """
        from scaling4d.models.injection import vnvs_blocks  # which builds on this package

        if vnvs_blocks(self):
            raise ModelError(
                f"backbone {self.name} holds VNVS Blocks and cannot be saved alone: save it before "
                "they are inserted, or the whole model with VNVSModel.save_pretrained"
            )

    def loss_weight(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """The family's weight of the velocity's square error at these noise levels."""
        return torch.ones_like(sigma)

    @abstractmethod
    def save(self, folder: Any) -> None:
        """Write the whole backbone so that it can be loaded again from that folder."""

    def route(self, sigma: Float[Tensor, " batch"]) -> dict[str, Bool[Tensor, " batch"]]:
        """Say which samples each expert serves at these noise levels."""
        (only,) = self.transformers()
        return {only: torch.ones_like(sigma, dtype=torch.bool)}

    def rotary(self, argument: Any, heads: int) -> Rotary | None:
        """Bring the blocks' rotary argument to the common form."""
        return None

    def enable_gradient_checkpointing(self, checkpoint: Callable[..., Any]) -> None:
        """Let every block run through ``checkpoint(block, *arguments)`` when gradients are on."""
        for transformer in self.transformers().values():
            transformer.enable_gradient_checkpointing(checkpoint)
