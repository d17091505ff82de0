"""`mini`, a small text-to-video MMDiT of our own that needs no download."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from scaling4d.models.errors import MissingWeightsError
from scaling4d.models.field_types import check_field_types
from scaling4d.models.flow_matching import SigmaSampling, velocity_from_data
from scaling4d.models.folding import fold, unfold
from scaling4d.models.spectrum import CosineSpectrum

from .base import Backbone, Rotary, TextCondition, TokenGeometry

_PAD = 256  # bytes are 0..255
# What json, MiniConfig, safetensors and load_state_dict raise for files that were damaged.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MiniConfig:
    """Size of the network: dim 64, depth 2 has 0.4 M parameters, 256 x 2 5 M, 640 x 6 90 M."""

    dim: int = 256
    """Channels of video and text tokens."""
    depth: int = 2
    """Number of MMDiT blocks."""
    heads: int = 4
    """Attention heads."""
    patch: int = 16
    """Side in pixels of the square behind one token."""
    frame_compression: int = 4
    """r: frames per latent frame after the first."""
    frequencies: int = 96
    """Cosine frequencies per colour of a token that the network reads and writes, lowest first."""
    text_length: int = 32
    """Bytes of the prompt that are read; the rest is cut off."""
    mlp_ratio: int = 4
    """Width of the feed-forward layers over ``dim``."""

    def __post_init__(self) -> None:
        check_field_types(self)
        if min(dataclasses.astuple(self)) < 1:
            raise ValueError(f"mini: every size must be at least 1, got {self}")
        if self.dim % self.heads or (self.dim // self.heads) % 8:
            raise ValueError(
                f"mini: dim / heads must be a multiple of 8, got {self.dim} / {self.heads}"
            )


class MiniBackbone(Backbone):
    """MMDiT blocks with joint text-video attention over lossless pixel latents.

    A latent holds every pixel: r frames of ``patch`` x ``patch`` pixels lie in its channels, and
    the first frame, which stands alone, is repeated r times. Nothing is learned in this codec.
    """

    name: ClassVar[str] = "mini"
    rotary_arguments = ("rotary",)
    # Pixel latents repeat themselves from channel to channel, so much noise is needed to hide them.
    sigma_sampling = SigmaSampling(mean=1.0)
    sampling_shift = 3.0

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = MiniTransformer(config)

    @property
    def geometry(self) -> TokenGeometry:
        """Temporal packing by r with the first frame apart, one latent position per token."""
        return TokenGeometry(
            frame_compression=self.config.frame_compression,
            pixel_compression=self.config.patch,
            patch=(1, 1, 1),
        )

    @property
    def latent_channels(self) -> int:
        """Every pixel of a latent position."""
        return 3 * self.config.frame_compression * self.config.patch**2

    @property
    def token_dim(self) -> int:
        """Channels of a token."""
        return self.config.dim

    @property
    def heads(self) -> int:
        """Attention heads."""
        return self.config.heads

    def transformers(self) -> dict[str, nn.Module]:
        """The one denoiser."""
        return {"transformer": self.transformer}

    def block_lists(self, transformer: nn.Module) -> list[nn.ModuleList]:
        """The MMDiT blocks."""
        assert isinstance(transformer, MiniTransformer)
        return [transformer.blocks]

    def encode_video(
        self, video: Float[Tensor, "batch frames 3 height width"]
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Move pixels to channels; bit-exact."""
        self.geometry.check_size(video.shape[1], *video.shape[-2:])
        r, side = self.config.frame_compression, self.config.patch
        first = video[:, :1].expand(-1, r - 1, -1, -1, -1)
        padded = torch.cat((first, video), dim=1).transpose(1, 2)
        return fold(padded, (r, side, side)).movedim(-1, 1)

    def decode_video(
        self, latents: Float[Tensor, "batch channels latent_frames rows columns"]
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Move channels to pixels; the copies of the first frame are averaged."""
        r, side = self.config.frame_compression, self.config.patch
        video = unfold(latents.movedim(1, -1), (r, side, side)).transpose(1, 2)
        first = video[:, :r].mean(dim=1, keepdim=True)
        return torch.cat((first, video[:, r:]), dim=1)

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """UTF-8 bytes, padded or cut to ``config.text_length``."""
        length = self.config.text_length
        ids = torch.full((len(prompts), length), _PAD)
        for row, prompt in zip(ids, prompts, strict=True):
            data = list(prompt.encode()[:length])
            row[: len(data)] = torch.tensor(data)
        return TextCondition(ids.to(self.transformer.text_embedding.weight.device))

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Predict clean latents, which unlike noise lie near few dimensions, and convert."""
        clean = self.transformer(noisy, sigma, text.embeddings)
        return velocity_from_data(clean, noisy, sigma)

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Blocks already receive the common form."""
        assert isinstance(argument, Rotary)
        return argument

    def save(self, folder: Path) -> None:
        """Write ``config.json`` and ``model.safetensors``.

        Raises:
            ModelError: if VNVS Blocks are inside.
        """
        self.require_bare()
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"name": self.name, **dataclasses.asdict(self.config)}, indent=2)
        (folder / "config.json").write_text(text + "\n")
        state = {k: v.contiguous() for k, v in self.transformer.state_dict().items()}
        save_file(state, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> MiniBackbone:
        """Read what `save` wrote.

        Raises:
            MissingWeightsError: if a file is missing or broken.
        """
        for name in ("config.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise MissingWeightsError(
                    f"cannot load backbone mini: there is no {name} in {folder} (give a folder "
                    "that MiniBackbone.save wrote, or no path to start from random weights)"
                )
        try:
            values = json.loads((folder / "config.json").read_text())
            if values.pop("name") != cls.name:
                raise ValueError("config.json names another backbone")
            backbone = cls(MiniConfig(**values))
            backbone.transformer.load_state_dict(load_file(folder / "model.safetensors"))
        except _BROKEN as error:
            reason = str(error).partition("\n")[0]
            raise MissingWeightsError(
                f"cannot load backbone mini: {folder} holds a broken file ({reason}); write it "
                "again with MiniBackbone.save"
            ) from error
        return backbone


class MiniTransformer(nn.Module):
    """The denoiser: noisy latents, noise level and bytes in, clean latents out."""

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        side = config.patch
        self.spectrum = CosineSpectrum(
            (config.frame_compression, side, side), channels=3, frequencies=config.frequencies
        )
        self.embed = nn.Linear(self.spectrum.features, dim)
        self.text_embedding = nn.Embedding(257, dim)
        self.text_position = nn.Parameter(torch.randn(config.text_length, dim) * 0.02)
        self.noise_level = NoiseLevelEmbedding(dim)
        self.blocks = nn.ModuleList(MiniBlock(config) for _ in range(config.depth))
        self.head_norm = nn.LayerNorm(dim, eps=1e-6)
        self.head_modulation = nn.Linear(dim, 2 * dim)
        self.head = nn.Linear(dim, self.spectrum.features)
        self._checkpoint: Callable[..., Any] | None = None
        nn.init.normal_(self.text_embedding.weight, std=0.02)
        nn.init.zeros_(self.head_modulation.weight)
        nn.init.zeros_(self.head_modulation.bias)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def enable_gradient_checkpointing(self, checkpoint: Callable[..., Any]) -> None:
        """Run each block through ``checkpoint(block, *arguments)`` when gradients are on."""
        self._checkpoint = checkpoint

    def forward(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text_bytes: Int[Tensor, "batch letters"],
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Predict clean latents."""
        grid = noisy.shape[2:]
        video = self.embed(self.spectrum(noisy.flatten(2).transpose(1, 2)))
        text = self.text_embedding(text_bytes) + self.text_position
        condition = self.noise_level(sigma.to(noisy)) + text.mean(dim=1)
        rotary = grid_rotary(grid, self.config.dim // self.config.heads, noisy.device)
        for block in self.blocks:
            if self._checkpoint is not None and torch.is_grad_enabled():
                video, text = self._checkpoint(block, video, text, condition, rotary)
            else:
                video, text = block(video, text, condition, rotary)
        shift, scale = (
            self.head_modulation(functional.silu(condition)).unsqueeze(1).chunk(2, dim=-1)
        )
        clean = self.spectrum.inverse(self.head(self.head_norm(video) * (1 + scale) + shift))
        return clean.transpose(1, 2).unflatten(2, grid)


class MiniBlock(nn.Module):
    """MMDiT block (Esser et al. 2024): own weights per modality, one joint attention."""

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.video = MiniStream(config)
        self.text = MiniStream(config)

    def forward(
        self,
        video: Float[Tensor, "batch tokens dim"],
        text: Float[Tensor, "batch letters dim"],
        condition: Float[Tensor, "batch dim"],
        rotary: Rotary,
    ) -> tuple[Float[Tensor, "batch tokens dim"], Float[Tensor, "batch letters dim"]]:
        """Return the updated tokens of both modalities."""
        video_parts = (
            self.video.modulation(functional.silu(condition)).unsqueeze(1).chunk(6, dim=-1)
        )
        text_parts = self.text.modulation(functional.silu(condition)).unsqueeze(1).chunk(6, dim=-1)
        video_q, video_k, video_v = self.video.query_key_value(video, video_parts, self.heads)
        text_q, text_k, text_v = self.text.query_key_value(text, text_parts, self.heads)
        query = torch.cat((rotary(video_q), text_q), dim=1).transpose(1, 2)
        key = torch.cat((rotary(video_k), text_k), dim=1).transpose(1, 2)
        value = torch.cat((video_v, text_v), dim=1).transpose(1, 2)
        attended = (
            functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        )
        seen, read = attended.split((video.shape[1], text.shape[1]), dim=1)
        return self.video.finish(video, seen, video_parts), self.text.finish(text, read, text_parts)


class MiniStream(nn.Module):
    """The weights of one modality in a block."""

    def __init__(self, config: MiniConfig) -> None:
        super().__init__()
        dim = config.dim
        self.modulation = nn.Linear(dim, 6 * dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.norm_query = nn.RMSNorm(dim // config.heads, eps=1e-6)
        self.norm_key = nn.RMSNorm(dim // config.heads, eps=1e-6)
        self.output = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, config.mlp_ratio * dim),
            nn.GELU(approximate="tanh"),
            nn.Linear(config.mlp_ratio * dim, dim),
        )
        # adaLN-zero: gates start at 0, each block is the identity at first.
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def query_key_value(
        self, x: Tensor, parts: tuple[Tensor, ...], heads: int
    ) -> tuple[Tensor, ...]:
        """Project modulated tokens to batch tokens heads channels, with QK-norm."""
        x = functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + parts[0]) + parts[1]
        query, key, value = self.qkv(x).unflatten(-1, (3, heads, -1)).unbind(2)
        return self.norm_query(query), self.norm_key(key), value

    def finish(self, x: Tensor, attended: Tensor, parts: tuple[Tensor, ...]) -> Tensor:
        """Add attention and feed-forward to the residual stream."""
        x = x + parts[2] * self.output(attended)
        normed = functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + parts[3]) + parts[4]
        return x + parts[5] * self.mlp(normed)


class NoiseLevelEmbedding(nn.Module):
    """Sinusoids of the noise level through two layers."""

    def __init__(self, dim: int, frequencies: int = 64) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.layers = nn.Sequential(nn.Linear(2 * frequencies, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """Embed noise levels in [0, 1]."""
        steps = torch.arange(self.frequencies, device=sigma.device) / self.frequencies
        angles = 1000 * sigma[:, None] * torch.exp(-math.log(10_000) * steps).to(sigma)
        return self.layers(torch.cat((angles.cos(), angles.sin()), dim=-1))


def grid_rotary(grid: tuple[int, ...], head_dim: int, device: torch.device) -> Rotary:
    """Rotary embedding of token positions: a quarter of the channels for time."""
    quarter = head_dim // 4 // 2 * 2
    rest = (head_dim - quarter) // 2 // 2 * 2
    sizes = (head_dim - 2 * rest, rest, rest)
    positions = torch.meshgrid(
        *(torch.arange(n, device=device, dtype=torch.float32) for n in grid), indexing="ij"
    )
    angles = [
        position.flatten()[:, None]
        * 100 ** (-torch.arange(0, size, 2, device=device, dtype=torch.float32) / size)
        for position, size in zip(positions, sizes, strict=True)
    ]
    pairs = torch.cat(angles, dim=-1).repeat_interleave(2, dim=-1)[None, :, None]
    return Rotary(pairs.cos(), pairs.sin())
