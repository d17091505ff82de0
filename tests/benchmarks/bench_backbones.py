"""What VNVS Blocks cost inside Wan-1.3B- and HunyuanVideo-sized denoisers, random weights, bf16.

python -m tests.benchmarks.bench_backbones --out tests/benchmarks/results
python -m tests.benchmarks.bench_backbones --quick        # toy sizes, also without a GPU

Per placement (after every, every 2nd, every 4th block) it times a forward pass and a training step
(frozen backbone; checkpointing only where batch 1 does not fit without) with and without the
blocks, and divides the blocks' share of time by their share of counted FLOPs (target: at most 1.2).
Precision is that of use: frozen weights in bf16, those of the blocks in float32 and multiplied in
bf16, training under autocast.
Model FLOP utilisation is the FLOPs of a step without recomputation, per second, over the largest
rate of a plain matrix product measured here (target: 45 % or more). Then the largest batch of a
forward and backward pass (no optimizer), with and without checkpointing.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scaling4d.models.backbones.base import Rotary
from scaling4d.models.backbones.pretrained import pair_rotary
from scaling4d.models.costs import PUBLISHED, PublishedBackbone, denoise
from scaling4d.models.injection import Control, ControlContext, ControlledBlock, InjectionConfig
from scaling4d.models.vnvs_block import VNVSBlock, VNVSBlockConfig
from tests.benchmarks import record

TOYS = {
    "Wan 2.1 1.3B": {
        "num_attention_heads": 2,
        "attention_head_dim": 24,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 96,
        "num_layers": 4,
    },
    "HunyuanVideo": {
        "num_attention_heads": 2,
        "attention_head_dim": 24,
        "num_layers": 2,
        "num_single_layers": 2,
        "num_refiner_layers": 1,
        "text_embed_dim": 32,
        "pooled_projection_dim": 16,
        "rope_axes_dim": (8, 8, 8),
    },
}


@dataclass(frozen=True)
class Setting:
    """On what, at which size and how often to measure."""

    device: torch.device
    dtype: torch.dtype
    frames: int
    side: int
    matrices: tuple[int, ...]
    repeats: int
    largest_batch: int
    placements: tuple[int, ...]
    compiled: bool
    """Every block through torch.compile, as `VNVSModel.compile_blocks` does."""
    attention: str
    """diffusers' name of the backbone's attention kernel."""

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def measure(self, function: Callable[[], Any]) -> record.Timing:
        return record.measure(function, repeats=self.repeats, warmup=1, synchronize=self.wait)


class Names:
    """The part of a backbone that `ControlledBlock` asks for."""

    rotary_arguments = ("rotary_emb", "freqs_cis", "image_rotary_emb")

    def rotary(self, argument: Any, heads: int) -> Rotary:
        return pair_rotary(argument, heads)


class Subject:
    """A frozen denoiser with a VNVS Block after every block, and what to feed it."""

    def __init__(self, published: PublishedBackbone, setting: Setting) -> None:
        import diffusers

        self.setting, self.geometry = setting, published.geometry
        with torch.device(setting.device):
            torch.set_default_dtype(setting.dtype)
            transformer = getattr(diffusers, published.transformer_class)(**published.config)
            torch.set_default_dtype(torch.float32)
        self.transformer = transformer.to(setting.dtype).requires_grad_(False)
        self.transformer.set_attention_backend(setting.attention)
        config = transformer.config
        self.dim = config.num_attention_heads * config.attention_head_dim
        self.context = ControlContext()
        for blocks in self._lists():
            for place, block in enumerate(blocks):
                with setting.device:  # the CPU would draw their weights for minutes
                    vnvs = VNVSBlock(  # float32, as training keeps it
                        VNVSBlockConfig(), dim=self.dim, heads=config.num_attention_heads
                    )
                    nn.init.normal_(vnvs.output.weight, std=0.02)  # products of zeros are faster
                blocks[place] = ControlledBlock(block, vnvs, self.context, Names())  # type: ignore[arg-type]
        self._compile()

    def _lists(self) -> list[nn.ModuleList]:
        names = ("blocks", "transformer_blocks", "single_transformer_blocks")
        return [getattr(self.transformer, n) for n in names if hasattr(self.transformer, n)]

    def thin_out(self, every: int) -> None:
        """Leave a VNVS Block after every n-th block only."""
        lists = self._lists()
        chosen = set(InjectionConfig(every=every).chosen(sum(map(len, lists))))
        index = 0
        for blocks in lists:
            for place, block in enumerate(blocks):
                if index not in chosen and isinstance(block, ControlledBlock):
                    blocks[place] = block.block
                index += 1
        self._compile()

    def _compile(self) -> None:
        if self.setting.compiled and self.setting.device.type != "meta":
            for blocks in self._lists():
                for block in blocks:
                    block.compile()

    def checkpointing(self, on: bool) -> None:
        if on:
            self.transformer.enable_gradient_checkpointing(self.context.checkpoint)
        else:
            self.transformer.disable_gradient_checkpointing()

    def inputs(self, batch: int) -> tuple[torch.Tensor, Control]:
        sizes = (self.setting.frames, self.setting.side, self.setting.side)
        like = {"device": self.setting.device, "dtype": self.setting.dtype}
        channels = self.transformer.config.in_channels
        x = torch.randn(batch, channels, *self.geometry.latent_grid(*sizes), **like)  # type: ignore[arg-type]
        t, h, w = self.geometry.token_grid(*sizes)
        tokens = torch.randn(batch, t * h * w, self.dim, device=self.setting.device)
        return x, Control(tokens, (t, h, w))

    def forward(self, x: torch.Tensor, control: Control | None) -> None:
        with torch.no_grad(), self.context.use(control):
            denoise(self.transformer, x)

    def _autocast(self) -> contextlib.AbstractContextManager[None]:
        kind, dtype = self.setting.device.type, self.setting.dtype
        if kind == "meta" or dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(kind, dtype, cache_enabled=False)  # as of the training loop

    def train(self, x: torch.Tensor, control: Control | None) -> None:
        try:
            with self.context.use(control), self._autocast():
                output = denoise(self.transformer, x.requires_grad_())
            output[0].float().square().mean().backward()
        finally:  # where memory ran out half-way too: the next measurement starts without
            self.transformer.zero_grad(set_to_none=True)
            x.grad = None


def flops_of(function: Callable[[], Any]) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        function()
    return counter.get_total_flops()


@contextlib.contextmanager
def memory_may_end(report: record.Report, label: str) -> Iterator[None]:
    """Record that memory ran out and go on with the next measurement."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        report.add(f"{label}: stopped", 0.0, "", stopped_by=str(error).splitlines()[0])
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def matrix_peak(setting: Setting) -> float:
    """FLOPs per second of the best plain product of square matrices."""
    best = 0.0
    for size in setting.matrices:
        a = torch.randn(size, size, device=setting.device, dtype=setting.dtype)
        best = max(best, 2 * size**3 / setting.measure(lambda a=a: a @ a).median)
    return best


def compare_placements(
    report: record.Report, name: str, subject: Subject, twin: Subject, peak: float
) -> None:
    """Time with and without the blocks, for each placement; FLOPs are counted on the meta twin."""
    (x, control), (meta_x, meta_control) = subject.inputs(1), twin.inputs(1)
    subject.checkpointing(False)
    recompute = _peak_of_step(subject, 1) is None
    mode = "checkpointing" if recompute else "no checkpointing"
    for every in subject.setting.placements:
        for one in (subject, twin):
            one.thin_out(every)
        for kind, run, count in (
            ("forward", subject.forward, twin.forward),
            ("training", subject.train, twin.train),
        ):
            twin.checkpointing(False)
            model_flops = flops_of(lambda count=count: count(meta_x, meta_control))
            for one in (subject, twin):
                one.checkpointing(recompute)
            counted, bare = (
                flops_of(lambda count=count, c=c: count(meta_x, c)) for c in (meta_control, None)
            )
            label = f"{name}, every {every}, {kind}"
            flop_share = 1 - bare / counted
            report.add(f"{label}: share of FLOPs", flop_share * 100, "%")
            with memory_may_end(report, label):
                slow, fast = (
                    subject.setting.measure(lambda run=run, c=c: run(x, c)) for c in (control, None)
                )
                time_share = 1 - fast.median / slow.median
                about = {"without": round(fast.median, 4)}
                if kind == "training":
                    about["memory"] = mode
                report.add(label, slow, "s", **about)
                report.add(f"{label}: share of time", time_share * 100, "%")
                report.add(f"{label}: time / FLOPs", time_share / flop_share, "", target="<= 1.2")
                used = model_flops / slow.median / peak * 100
                report.add(f"{label}: utilisation", used, "%", target=">= 45")


def find_largest_batch(report: record.Report, name: str, subject: Subject) -> None:
    """Double the batch of a training step until memory runs out."""
    for checkpointing in (True, False) if subject.setting.largest_batch else ():
        subject.checkpointing(checkpointing)
        fitting, batch = 0, 1
        while batch <= subject.setting.largest_batch:
            peak = _peak_of_step(subject, batch)
            if peak is None:
                break
            fitting = batch
            mode = "on" if checkpointing else "off"
            if peak:
                report.add(f"{name}, checkpointing {mode}, batch {batch}: peak", peak, "GiB")
            batch *= 2
        stopped = "memory" if batch <= subject.setting.largest_batch else "limit of the search"
        label = f"{name}, checkpointing {'on' if checkpointing else 'off'}: largest batch"
        report.add(label, float(fitting), "samples", stopped_by=stopped)


def _peak_of_step(subject: Subject, batch: int) -> float | None:
    """GiB at the peak of a training step (0 where no GPU counts them), or None if it fails."""
    cuda = subject.setting.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    try:
        subject.train(*subject.inputs(batch))
    except torch.OutOfMemoryError:
        return None
    finally:
        gc.collect()
        if cuda:
            torch.cuda.empty_cache()
    return torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0


def measure_model(
    report: record.Report, name: str, published: PublishedBackbone, setting: Setting, peak: float
) -> None:
    """Everything about one model; whatever memory does not allow is recorded as such."""
    with memory_may_end(report, name):
        subject = Subject(published, setting)
        find_largest_batch(report, name, subject)
        twin = Subject(published, replace(setting, device=torch.device("meta")))
        compare_placements(report, name, subject, twin, peak)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", choices=sorted(TOYS), default=list(TOYS))
    parser.add_argument("--placements", nargs="+", type=int, default=[1, 2, 4], help="ascending")
    parser.add_argument("--compile", action="store_true", help="torch.compile every block")
    parser.add_argument("--attention", default="native", help="diffusers' attention backend")
    parser.add_argument("--repeats", type=int, default=5, help="counted calls of each timing")
    parser.add_argument("--largest-batch", type=int, default=16, help="0: do not search")


def main() -> int:
    """Measure both models."""
    arguments = record.parse_arguments("backbones", __doc__, add=_add_options)
    cuda = torch.cuda.is_available()
    if not cuda and not arguments.quick:
        print(
            "error: no CUDA device is visible: run on one, or see that it runs with --quick",
            file=sys.stderr,
        )
        return 2
    device = torch.device("cuda" if cuda else "cpu")
    small = arguments.quick
    setting = Setting(
        device=device,
        dtype=torch.bfloat16,
        frames=5 if small else 49,
        side=64 if small else 480,
        matrices=(256, 512) if small else (4096, 8192, 16384),
        repeats=3 if small else arguments.repeats,
        largest_batch=min(4, arguments.largest_batch) if small else arguments.largest_batch,
        placements=tuple(arguments.placements),
        compiled=arguments.compile,
        attention=arguments.attention,
    )
    torch._dynamo.config.recompile_limit = 64  # blocks by kind, with and without control, gradients
    report = record.Report(arguments.name, arguments)
    peak = matrix_peak(setting)
    report.add("matrix peak", peak / 1e12, "TFLOP/s", dtype=str(setting.dtype))
    for name in arguments.models:
        published, toy = PUBLISHED[name], TOYS[name]
        if arguments.quick:
            kind, geometry = published.transformer_class, published.geometry
            published = PublishedBackbone(kind, toy, geometry)
        measure_model(report, name, published, setting, peak)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
