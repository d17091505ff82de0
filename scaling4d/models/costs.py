"""Parameters and FLOPs of every family of backbones, of VNVS Blocks and of the projector.

Counted on the meta device: no weights are made or loaded. A multiply-add is two FLOPs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .backbones.base import TokenGeometry
from .backbones.mini import MiniConfig, MiniTransformer
from .correspondence_projector import CorrespondenceProjector, ProjectorConfig
from .vnvs_block import VNVSBlock, VNVSBlockConfig

# What the adapters feed: 256 tokens, or 1000 of Qwen, 256 of ByT5 and one empty image.
_HUNYUAN_TEXT_TOKENS = 256
_HUNYUAN15_TEXT_TOKENS = 1000 + 256 + 1
_MINI = MiniConfig()


@dataclasses.dataclass(frozen=True)
class PublishedBackbone:
    """Size of a denoiser: class and config of diffusers, and its codec's compression."""

    transformer_class: str
    """In diffusers, or MiniTransformer."""
    config: dict[str, Any]
    geometry: TokenGeometry
    experts: int = 1


@dataclasses.dataclass(frozen=True)
class Costs:
    """What one pass of one video through one expert costs, with a VNVS Block after every block."""

    token_grid: tuple[int, int, int]
    blocks: int
    backbone_parameters: int
    backbone_flops: int
    vnvs_parameters: int
    vnvs_flops: int
    ffn_parameters_avoided: int
    """What a feed-forward layer of ratio 4 in each VNVS Block would add."""
    projector_parameters: int
    projector_flops: int


def _geometry(r: int, side: int, *patch: int) -> TokenGeometry:
    return TokenGeometry(
        frame_compression=r, pixel_compression=side, patch=(patch[0], patch[1], patch[2])
    )


PUBLISHED: dict[str, PublishedBackbone] = {
    "mini": PublishedBackbone(
        "MiniTransformer", {}, _geometry(_MINI.frame_compression, _MINI.patch, 1, 1, 1)
    ),
    "Wan 2.1 1.3B": PublishedBackbone(
        "WanTransformer3DModel",
        {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
        _geometry(4, 8, 1, 2, 2),
    ),
    "Wan 2.2 5B": PublishedBackbone(
        "WanTransformer3DModel",
        {
            "num_attention_heads": 24,
            "ffn_dim": 14336,
            "num_layers": 30,
            "in_channels": 48,
            "out_channels": 48,
        },
        _geometry(4, 16, 1, 2, 2),
    ),
    "Wan 2.1 14B": PublishedBackbone("WanTransformer3DModel", {}, _geometry(4, 8, 1, 2, 2)),
    "Wan 2.2 A14B (each of 2 experts)": PublishedBackbone(
        "WanTransformer3DModel", {}, _geometry(4, 8, 1, 2, 2), experts=2
    ),
    "SkyReels-V2 1.3B": PublishedBackbone(
        "SkyReelsV2Transformer3DModel",
        {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
        _geometry(4, 8, 1, 2, 2),
    ),
    "SkyReels-V2 14B": PublishedBackbone(
        "SkyReelsV2Transformer3DModel",
        {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40},
        _geometry(4, 8, 1, 2, 2),
    ),
    "HunyuanVideo": PublishedBackbone(
        "HunyuanVideoTransformer3DModel", {}, _geometry(4, 8, 1, 2, 2)
    ),
    "HunyuanVideo 1.5": PublishedBackbone(
        "HunyuanVideo15Transformer3DModel", {}, _geometry(4, 16, 1, 1, 1)
    ),
    "CogVideoX 2B": PublishedBackbone("CogVideoXTransformer3DModel", {}, _geometry(4, 8, 1, 2, 2)),
    "CogVideoX 5B": PublishedBackbone(
        "CogVideoXTransformer3DModel",
        {
            "num_attention_heads": 48,
            "num_layers": 42,
            "use_rotary_positional_embeddings": True,
        },
        _geometry(4, 8, 1, 2, 2),
    ),
    "CogVideoX 1.5 5B": PublishedBackbone(
        "CogVideoXTransformer3DModel",
        {
            "num_attention_heads": 48,
            "num_layers": 42,
            "patch_size_t": 2,
            "patch_bias": False,
            "use_rotary_positional_embeddings": True,
        },
        _geometry(4, 8, 2, 2, 2),
    ),
    "LTX-Video 2B": PublishedBackbone("LTXVideoTransformer3DModel", {}, _geometry(8, 32, 1, 1, 1)),
    "LTX-2 19B": PublishedBackbone(
        "LTX2VideoTransformer3DModel", {"rope_type": "split"}, _geometry(8, 32, 1, 1, 1)
    ),
}


def count_costs(
    backbone: PublishedBackbone,
    *,
    frames: int = 49,
    height: int = 480,
    width: int = 480,
    block: VNVSBlockConfig | None = None,
    projector: ProjectorConfig | None = None,
) -> Costs:
    """Count parameters and FLOPs of one forward pass at a video size (the paper's by default)."""
    geometry = backbone.geometry
    geometry.check_size(frames, height, width)
    grid = geometry.token_grid(frames, height, width)
    latent_frames, rows, columns = geometry.latent_grid(frames, height, width)
    latent_frames += geometry.front_padding(latent_frames)
    tokens = grid[0] * grid[1] * grid[2]
    with torch.device("meta"):
        transformer, channels, heads, dim = _make(backbone)
        vnvs = VNVSBlock(block or VNVSBlockConfig(), dim=dim, heads=heads)
        encoder = CorrespondenceProjector(
            projector or ProjectorConfig(), geometry=geometry, token_dim=dim
        )
        latents = torch.empty(1, channels, latent_frames, rows, columns)
        video = torch.empty(1, tokens, dim)
        control = torch.empty(1, frames, 9, height, width)
        blocks = sum(
            len(getattr(transformer, name, ()))
            for name in ("blocks", "transformer_blocks", "single_transformer_blocks")
        )
        return Costs(
            token_grid=grid,
            blocks=blocks,
            backbone_parameters=_parameters(transformer),
            backbone_flops=_flops(lambda: denoise(transformer, latents)),
            vnvs_parameters=blocks * _parameters(vnvs),
            vnvs_flops=blocks * _flops(lambda: vnvs(video, video, grid=grid)),
            ffn_parameters_avoided=blocks * 8 * dim * dim,
            projector_parameters=_parameters(encoder),
            projector_flops=_flops(lambda: encoder(control)),
        )


def costs_table() -> str:
    """Markdown table of every backbone at the paper's size."""
    rows = [
        "| backbone | tokens | blocks | backbone | VNVS Blocks | with FFN | projector "
        "| FLOPs backbone | VNVS | projector | VNVS share |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, backbone in PUBLISHED.items():
        c = count_costs(backbone)
        share = c.vnvs_flops / (c.backbone_flops + c.vnvs_flops + c.projector_flops)
        rows.append(
            f"| {name} | {' x '.join(map(str, c.token_grid))} | {c.blocks} "
            f"| {_billions(c.backbone_parameters)} | {_billions(c.vnvs_parameters)} "
            f"| {_billions(c.vnvs_parameters + c.ffn_parameters_avoided)} "
            f"| {c.projector_parameters / 1e6:.1f} M | {_trillions(c.backbone_flops)} "
            f"| {_trillions(c.vnvs_flops)} | {_trillions(c.projector_flops)} | {share:.0%} |"
        )
    return "\n".join(rows)


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e8 else f"{count / 1e6:.1f} M"


def _trillions(count: int) -> str:
    return f"{count / 1e12:.1f} T" if count >= 1e12 else f"{count / 1e12:.2f} T"


def _make(backbone: PublishedBackbone) -> tuple[nn.Module, int, int, int]:
    """The denoiser, its input channels, its heads and the channels of its tokens."""
    if backbone.transformer_class == "MiniTransformer":
        mini = MiniConfig(**backbone.config)
        channels = 3 * mini.frame_compression * mini.patch**2
        return MiniTransformer(mini), channels, mini.heads, mini.dim
    import diffusers

    transformer = getattr(diffusers, backbone.transformer_class)(**backbone.config)
    config = transformer.config
    heads = config.num_attention_heads
    return transformer, config.in_channels, heads, heads * config.attention_head_dim


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _flops(run: Callable[[], Any]) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        run()
    return counter.get_total_flops()


def denoise(transformer: Any, latents: torch.Tensor) -> Any:
    """One pass with empty inputs of the right shapes, for any batch of latents."""
    config = transformer.config
    kind = type(transformer).__name__
    batch = len(latents)
    time = latents.new_ones(batch)
    if kind == "MiniTransformer":
        letters = latents.new_zeros(batch, config.text_length, dtype=torch.long)
        return transformer(latents, time, letters)
    if kind in ("WanTransformer3DModel", "SkyReelsV2Transformer3DModel"):
        text = latents.new_zeros(batch, 512, config.text_dim)
        return transformer(latents, time, text)
    if kind == "CogVideoXTransformer3DModel":
        text = latents.new_zeros(batch, config.max_text_seq_length, config.text_embed_dim)
        rotary = None
        if config.use_rotary_positional_embeddings:
            tokens = latents[0, 0].numel() // config.patch_size**2 // (config.patch_size_t or 1)
            rotary = tuple(latents.new_zeros(tokens, config.attention_head_dim) for _ in range(2))
        return transformer(latents.transpose(1, 2), text, time, image_rotary_emb=rotary)
    if kind == "LTXVideoTransformer3DModel":
        text = latents.new_zeros(batch, 128, config.caption_channels)
        flat, grid = latents.flatten(2).transpose(1, 2), latents.shape[2:]
        return transformer(flat, text, time, latents.new_zeros(batch, 128), *grid)
    if kind == "LTX2VideoTransformer3DModel":
        flat, grid = latents.flatten(2).transpose(1, 2), latents.shape[2:]
        text = latents.new_zeros(batch, 1024, config.caption_channels)
        silence = latents.new_zeros(batch, 1, config.audio_in_channels)
        return transformer(
            flat,
            silence,
            text,
            text,
            time,
            num_frames=grid[0],
            height=grid[1],
            width=grid[2],
            audio_num_frames=1,
            isolate_modalities=True,
        )
    if kind == "HunyuanVideoTransformer3DModel":
        return transformer(
            latents,
            time,
            latents.new_zeros(batch, _HUNYUAN_TEXT_TOKENS, config.text_embed_dim),
            latents.new_ones(batch, _HUNYUAN_TEXT_TOKENS, dtype=torch.bool),
            latents.new_zeros(batch, config.pooled_projection_dim),
            guidance=time,
        )
    if kind == "HunyuanVideo15Transformer3DModel":
        # Its forward sorts text by mask, which needs data; the blocks are all but all of the work.
        dim = config.num_attention_heads * config.attention_head_dim
        video = latents.new_zeros(batch, latents[0, 0].numel(), dim)
        states = latents.new_zeros(batch, _HUNYUAN15_TEXT_TOKENS, dim)
        mask = latents.new_ones(batch, _HUNYUAN15_TEXT_TOKENS, dtype=torch.bool)
        for block in transformer.transformer_blocks:
            block(video, states, latents.new_zeros(batch, dim), mask)
        return None
    raise ValueError(f"no FLOP count for {kind}")
