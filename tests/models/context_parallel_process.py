"""One of two processes that share the tokens of a video; run by test_context_parallel.py.

    python -m tests.models.context_parallel_process RANK STORE block
    python -m tests.models.context_parallel_process RANK STORE model FAMILY=FOLDER ...

Compares results and gradients with those of the whole video in one process.
"""

from __future__ import annotations

import sys

import torch
from torch import distributed as dist

from scaling4d.models import ModelConfig, VNVSBlock, VNVSBlockConfig, VNVSModel
from scaling4d.models.injection import vnvs_blocks

GRID = (3, 2, 2)


def compare_block(scope: str) -> None:
    """One VNVS Block on half of the tokens; the cut goes through the second of three frames."""
    torch.manual_seed(0)
    config = VNVSBlockConfig(scope=scope, window=(2, 1, 2))
    block = VNVSBlock(config, dim=16, heads=2).double()
    torch.nn.init.normal_(block.output.weight)
    video, control = torch.randn(2, 2, 12, 16, dtype=torch.float64).requires_grad_()
    mine = slice(6 * dist.get_rank(), 6 * dist.get_rank() + 6)
    results = []
    for part, group in ((slice(None), None), (mine, dist.group.WORLD)):
        block.zero_grad()
        inputs = [x.detach()[:, part].clone().requires_grad_() for x in (video, control)]
        output = block(*inputs, grid=GRID, group=group)
        output.sin().sum().backward()
        weights = [p.grad.clone() for p in block.parameters() if p.grad is not None]
        if group is not None:
            for gradient in weights:
                dist.all_reduce(gradient)
        results.append((output, inputs, weights))
    (whole, all_inputs, wanted), (part, my_inputs, got) = results
    torch.testing.assert_close(part, whole[:, mine])
    for ours, everyone in zip(my_inputs, all_inputs, strict=True):
        torch.testing.assert_close(ours.grad, everyone.grad[:, mine])
    torch.testing.assert_close(got, wanted)


def compare_model(family: str, path: str, every: int, scope: str) -> None:
    """The whole network on a toy backbone, whose own attention diffusers makes parallel."""
    config = ModelConfig.from_dict(
        {
            "backbone": {"name": family, "path": path, "options": {"local_files_only": True}},
            "projector": {"width": 16, "depth": 1, "frequencies": 8},
            "injection": {"every": every, "block": {"scope": scope, "window": [2, 1, 2]}},
        }
    )
    model = VNVSModel.build(config, seed=3)
    generator = torch.Generator().manual_seed(0)
    for block in vnvs_blocks(model.backbone).values():
        torch.nn.init.normal_(block.output.weight, std=0.2, generator=generator)
    geometry = model.backbone.geometry
    # Three token frames of 2 x 2: the cut between two processes goes through the second.
    frames, side = 2 * geometry.frame_compression + 1, 2 * geometry.size_multiple
    noisy = torch.randn(model.latent_shape(2, frames, side, side), generator=generator)
    control = torch.rand(2, frames, 9, side, side, generator=generator)
    inputs = (torch.tensor([0.4, 0.9]), model.encode_text(["a chair", ""]), control)

    def run() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        model.zero_grad()
        velocity = model.velocity(noisy, *inputs)
        velocity.square().mean().backward()
        return velocity.detach(), {n: p.grad.clone() for n, p in model.trainable_parameters()}  # type: ignore[union-attr]

    whole, wanted = run()
    model.enable_context_parallel(ulysses=2)
    shared, got = run()
    torch.testing.assert_close(shared, whole, rtol=1e-4, atol=1e-5)
    for name, gradient in got.items():
        dist.all_reduce(gradient)
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-3, atol=1e-6, msg=name)


if __name__ == "__main__":
    rank, store, what, *families = sys.argv[1:]
    torch.set_num_threads(1)
    # diffusers asks for the rank's accelerator; the CPU counts as one here.
    torch.accelerator.device_count = lambda: 1
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=int(rank), world_size=2)
    if what == "block":
        for scope in ("frame", "full", "window"):
            compare_block(scope)
    else:
        for family, _, folder in (entry.partition("=") for entry in families):
            for every, scope in ((1, "frame"), (2, "full"), (1, "window")):
                compare_model(family, folder, every, scope)
    dist.destroy_process_group()
