"""VNVS Block (Equation 6, §3.4): attention over sums of video and control projections, no FFN."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .backbones.base import Rotary
from .field_types import check_field_types
from .precision import HALVES, product_dtype, without_autocast
from .token_exchange import heads_to_tokens, tokens_to_heads

Scope = Literal["frame", "full", "window"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VNVSBlockConfig:
    """Choices inside a VNVS Block that the paper leaves open."""

    scope: str = "frame"
    """Who attends to whom: tokens of one latent frame (the paper's "spatial attention"), all
    tokens, or tokens of one window."""
    window: tuple[int, int, int] = (4, 8, 8)
    """Token frames, rows and columns of a window, for scope "window"."""
    modulation: bool = False
    """Scale and shift the normalised inputs and gate the output by the noise level."""
    tie_query_key: bool = True
    """Start with equal query and key projections, so that a token first attends to its like, which
    is mostly itself: control and video are aligned, hence the control is passed on from the start
    instead of its mean over the frame. Our choice, the paper is silent."""

    def __post_init__(self) -> None:
        check_field_types(self)
        if self.scope not in get_args(Scope):
            raise ValueError(
                f"attention scope must be one of {', '.join(get_args(Scope))}, got {self.scope!r}"
            )
        if len(self.window) != 3 or min(self.window) < 1:
            raise ValueError(f"a window is three positive token counts, got {self.window}")


class VNVSBlock(nn.Module):
    """Update video tokens by attention that also sees the control tokens (Equation 6).

    The output projection starts at zero: a fresh block changes nothing. Products run in half
    precision under autocast or where the video tokens have it, whatever the weights are kept in.
    """

    def __init__(
        self,
        config: VNVSBlockConfig,
        *,
        dim: int,
        heads: int,
        modulation_dim: int = 0,
    ) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"token channels ({dim}) must be a multiple of the heads ({heads})")
        self.config = config
        self.heads = heads
        self.norm_video = nn.LayerNorm(dim, eps=1e-6)
        self.norm_control = nn.LayerNorm(dim, eps=1e-6)
        # Six projections in one weight: rows are Q, K and V, columns take video and control. The
        # sums of Equation 6 then happen inside one matrix product.
        self.qkv = nn.Linear(2 * dim, 3 * dim)
        self.norm_query = nn.RMSNorm(dim // heads, eps=1e-6)
        self.norm_key = nn.RMSNorm(dim // heads, eps=1e-6)
        self.output = nn.Linear(dim, dim)
        self.modulation = nn.Linear(modulation_dim, 5 * dim) if config.modulation else None
        self._initialise()

    def _initialise(self) -> None:
        nn.init.zeros_(self.qkv.bias)
        with torch.no_grad():
            for projections in self.qkv.weight.chunk(2, dim=1):
                query, key, value = projections.chunk(3)
                nn.init.xavier_uniform_(query)
                nn.init.xavier_uniform_(key)
                nn.init.xavier_uniform_(value)
                if self.config.tie_query_key:
                    key.copy_(query)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        video: Float[Tensor, "batch tokens dim"],
        control: Float[Tensor, "batch tokens dim"],
        *,
        grid: tuple[int, int, int],
        rotary: Rotary | None = None,
        noise_level: Float[Tensor, "batch modulation_dim"] | None = None,
        group: Any = None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """Return the updated video tokens.

        Args:
            video: video tokens, frame by frame and row by row.
            control: control tokens of the same grid.
            grid: token frames, rows and columns of the whole video.
            rotary: the backbone's rotary embedding of these tokens, if it has one.
            noise_level: embedding of the noise level, used where ``config.modulation`` is on.
            group: processes that hold equal parts of the tokens in order, this being one; None: all
                tokens are here.
        """
        dtype = product_dtype(video, self.output.weight)
        # Autocast would compute norms and rotation in float32 and round the same weights.
        with without_autocast(video.device):
            normed_video = _layer_norm(video, self.norm_video).to(dtype)
            normed_control = _layer_norm(control, self.norm_control).to(dtype)
            gate: Tensor | None = None
            if self.modulation is not None:
                assert noise_level is not None
                level = functional.silu(noise_level.to(dtype))
                parts = _linear(level, self.modulation).unsqueeze(1).chunk(5, dim=-1)
                normed_video = normed_video * (1 + parts[0]) + parts[1]
                normed_control = normed_control * (1 + parts[2]) + parts[3]
                gate = 1 + parts[4]
            summed = _linear(torch.cat((normed_video, normed_control), dim=-1), self.qkv)
            query, key, value = summed.unflatten(-1, (3, self.heads, -1)).unbind(2)
            query, key = _rms_norm(query, self.norm_query), _rms_norm(key, self.norm_key)
            if rotary is not None:
                query, key = rotary(query), rotary(key)
            if group is None:
                attended = self._attend(query, key, value, grid).flatten(2)
            else:
                query, key, value = (heads_to_tokens(x, group) for x in (query, key, value))
                attended = tokens_to_heads(self._attend(query, key, value, grid), group).flatten(2)
            update = _linear(attended, self.output)
            return video + (update if gate is None else gate * update).to(video.dtype)

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, grid: tuple[int, int, int]
    ) -> Tensor:
        """Attention of batch tokens heads channels within the scope."""
        if self.config.scope == "full":
            return _attention(query, key, value)
        if self.config.scope == "frame":
            frames = [x.unflatten(1, (grid[0], -1)).flatten(0, 1) for x in (query, key, value)]
            return _attention(*frames).unflatten(0, (-1, grid[0])).flatten(1, 2)
        return _window_attention(query, key, value, grid, self.config.window)


def _linear(x: Tensor, layer: nn.Linear) -> Tensor:
    """The layer in the precision of ``x``: weights that are trained stay float32."""
    return functional.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


def _layer_norm(x: Tensor, norm: nn.LayerNorm) -> Tensor:
    """The norm in half precision where tokens are; the kernel's own sums are float32."""
    x = x if x.dtype in HALVES else x.to(norm.weight.dtype)
    weight, bias = norm.weight.to(x.dtype), norm.bias.to(x.dtype)
    return functional.layer_norm(x, norm.normalized_shape, weight, bias, norm.eps)


def _rms_norm(x: Tensor, norm: nn.RMSNorm) -> Tensor:
    """As `_layer_norm`; torch's fused kernel wants the weight in the dtype of ``x``."""
    return functional.rms_norm(x, norm.normalized_shape, norm.weight.to(x.dtype), norm.eps)


def _attention(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Fused attention of batch tokens heads channels."""
    q, k, v = (x.transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed).transpose(1, 2)


def _window_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    grid: tuple[int, int, int],
    window: tuple[int, int, int],
) -> Tensor:
    """Attention inside windows that tile the grid; the last ones may be cut by its border."""
    window = tuple(min(w, g) for w, g in zip(window, grid, strict=True))  # type: ignore[assignment]
    padding = [-g % w for g, w in zip(grid, window, strict=True)]
    counts = [(g + p) // w for g, w, p in zip(grid, window, padding, strict=True)]

    def cut(x: Tensor) -> Tensor:
        x = x.unflatten(1, grid)
        x = functional.pad(x, (0, 0, 0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
        for axis in (3, 2, 1):
            x = x.unflatten(axis, (counts[axis - 1], window[axis - 1]))
        # batch ct wt ch wh cw ww heads dim -> (batch ct ch cw) (wt wh ww) heads dim
        return x.permute(0, 1, 3, 5, 2, 4, 6, 7, 8).flatten(0, 3).flatten(1, 3)

    allowed = None
    if any(padding):
        inside = cut(torch.ones_like(query[:, :, :1, :1], dtype=torch.bool))
        allowed = inside[:, None, None, :, 0, 0]
    x = _attention(cut(query), cut(key), cut(value), allowed)
    x = x.unflatten(1, window).unflatten(0, (-1, *counts)).permute(0, 1, 4, 2, 5, 3, 6, 7, 8)
    x = x.flatten(5, 6).flatten(3, 4).flatten(1, 2)
    return x[:, : grid[0], : grid[1], : grid[2]].flatten(1, 3)
