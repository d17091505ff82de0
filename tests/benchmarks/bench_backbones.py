"""What VNVS Blocks cost inside Wan-1.3B- and HunyuanVideo-sized denoisers, random weights, bf16.

Needs a CUDA device; without one it says so and exits with status 2.

python -m tests.benchmarks.bench_backbones --out tests/benchmarks/results

Per placement (after every, every 2nd, every 4th block) it times a forward pass and a training step
(frozen backbone, checkpointing) with and without the blocks, and divides the blocks' share of time
by their share of counted FLOPs (target: at most 1.2). Utilisation is counted FLOPs per second over
the largest rate of a plain matrix product measured here (target: 45 % or more).
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scaling4d.models.backbones.base import Rotary, TokenGeometry
from scaling4d.models.backbones.pretrained import pair_rotary
from scaling4d.models.costs import PUBLISHED, denoise
from scaling4d.models.injection import Control, ControlContext, ControlledBlock, InjectionConfig
from scaling4d.models.vnvs_block import VNVSBlock, VNVSBlockConfig
from tests.benchmarks import record

MODELS = ("Wan 2.1 1.3B", "HunyuanVideo")
PLACEMENTS = (1, 2, 4)
FRAMES, SIDE = 49, 480


class Names:
    """The part of a backbone that `ControlledBlock` asks for."""

    rotary_arguments = ("rotary_emb", "freqs_cis", "image_rotary_emb")

    def rotary(self, argument: Any, heads: int) -> Rotary:
        return pair_rotary(argument, heads)


def wrap(transformer: Any, every: int) -> ControlContext:
    """Inject as `scaling4d.models.injection.inject` does, on a bare transformer."""
    context = ControlContext()
    lists = [
        getattr(transformer, name)
        for name in ("blocks", "transformer_blocks", "single_transformer_blocks")
        if hasattr(transformer, name)
    ]
    chosen = set(InjectionConfig(every=every).chosen(sum(map(len, lists))))
    config = transformer.config
    dim = config.num_attention_heads * config.attention_head_dim
    index = 0
    for blocks in lists:
        for place, block in enumerate(blocks):
            if index in chosen:
                vnvs = VNVSBlock(VNVSBlockConfig(), dim=dim, heads=config.num_attention_heads)
                blocks[place] = ControlledBlock(block, vnvs.cuda().bfloat16(), context, Names())  # type: ignore[arg-type]
            index += 1
    return context


def build(name: str) -> Any:
    import diffusers

    published = PUBLISHED[name]
    with torch.device("cuda"):
        torch.set_default_dtype(torch.bfloat16)
        transformer = getattr(diffusers, published.transformer_class)(**published.config)
        torch.set_default_dtype(torch.float32)
    return transformer.to(torch.bfloat16).requires_grad_(False)


def matrix_peak() -> float:
    """FLOPs per second of the best plain bf16 product."""
    best = 0.0
    for size in (4096, 8192, 16384):
        a = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
        timing = record.measure(lambda a=a: a @ a, repeats=9, synchronize=torch.cuda.synchronize)
        best = max(best, 2 * size**3 / timing.median)
    return best


def flops_of(function: Any) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        function()
    return counter.get_total_flops()


def passes(transformer: nn.Module, context: ControlContext, control: Control | None, x: Any) -> Any:
    """A forward pass and a training step (checkpointed) with or without control."""

    def forward() -> None:
        with torch.no_grad(), context.use(control):
            denoise(transformer, x)

    def train() -> None:
        with context.use(control):
            output = denoise(transformer, x.requires_grad_(True))
        output[0].float().square().mean().backward()
        transformer.zero_grad(set_to_none=True)

    return {"forward": forward, "training": train}


def main() -> int:
    """Measure both sizes at the paper's resolution."""
    arguments = record.parse_arguments("backbones", __doc__ or "")
    if not torch.cuda.is_available():
        print("error: this benchmark needs a CUDA device; none is visible", file=sys.stderr)
        return 2
    report = record.Report("backbones", arguments)
    peak = matrix_peak()
    report.add("matrix peak", record.Timing((peak / 1e12,)), "TFLOP/s")
    for name in MODELS:
        geometry: TokenGeometry = PUBLISHED[name].geometry
        grid = geometry.token_grid(FRAMES, SIDE, SIDE)
        for every in PLACEMENTS:
            transformer = build(name)
            context = wrap(transformer, every)
            transformer.enable_gradient_checkpointing(context.checkpoint)
            config = transformer.config
            latent = geometry.latent_grid(FRAMES, SIDE, SIDE)
            x = torch.randn(1, config.in_channels, *latent, device="cuda", dtype=torch.bfloat16)
            dim = config.num_attention_heads * config.attention_head_dim
            tokens = torch.randn(
                1, grid[0] * grid[1] * grid[2], dim, device="cuda", dtype=torch.bfloat16
            )
            with_blocks = passes(transformer, context, Control(tokens, grid), x)
            without = passes(transformer, context, None, x)
            for kind in ("forward", "training"):
                torch.cuda.reset_peak_memory_stats()
                slow = record.measure(with_blocks[kind], synchronize=torch.cuda.synchronize)
                memory = torch.cuda.max_memory_allocated() / 2**30
                fast = record.measure(without[kind], synchronize=torch.cuda.synchronize)
                counted, bare = flops_of(with_blocks[kind]), flops_of(without[kind])
                share_of_time = 1 - fast.median / slow.median
                share_of_flops = 1 - bare / counted
                label = f"{name}, every {every}, {kind}"
                report.add(label, slow, "s", without=fast.median, peak_gib=memory)
                ratio = record.Timing((share_of_time / share_of_flops,))
                report.add(f"{label}: time share / FLOP share", ratio, "", target=1.2)
                used = record.Timing((counted / slow.median / peak * 100,))
                report.add(f"{label}: utilisation", used, "%", target=45)
            del transformer, context, with_blocks, without
            torch.cuda.empty_cache()
    report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
