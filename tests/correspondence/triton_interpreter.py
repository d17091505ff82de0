"""Run the Triton kernels on CPU tensors, in Triton's interpreter, and compare with the reference.

A program of its own, because the interpreter is chosen when Triton is first imported:

    TRITON_INTERPRET=1 python -m tests.correspondence.triton_interpreter
"""

from __future__ import annotations

import itertools
import os
import sys

import torch

from scaling4d.correspondence import cuda
from scaling4d.correspondence.cameras import plane_and_parallax
from scaling4d.correspondence.splat import gather, splat_winners
from scaling4d.correspondence.warp import warp_from_depth
from tests.correspondence.random_fields import moving_clip, random_field


def compare() -> list[str]:
    """Sentences about what differs; none when all agrees."""
    wrong = []
    choices = itertools.product(
        (torch.float32, torch.float64), ("nearest", "random"), (1, 2), (True, False)
    )
    for dtype, rule, footprint, has_depth in choices:
        if rule == "nearest" and not has_depth:
            continue
        field = random_field(3, 2, 17, 39, dtype, has_depth=has_depth)
        ours = cuda.splat(field, rule, 2**63 + 5, footprint)
        theirs = splat_winners(field, rule, 2**63 + 5, footprint, "reference")
        if not torch.equal(ours, theirs):
            wrong.append(
                f"{(ours != theirs).sum()} winners, {dtype} {rule} {footprint} {has_depth}"
            )

    for dtype in (torch.float32, torch.float64):
        source, depth, *cameras = moving_clip(dtype, frames=2)
        frames, height, width = depth.shape
        table = plane_and_parallax(*cameras, frames=frames, height=height, width=width)
        plain = warp_from_depth(source, depth, *cameras, implementation="reference")
        moved, z, winner, warped, mask = cuda.warp(source, depth, table, "nearest", 0, 1)
        rendered, drawn = cuda.render(source, depth, table, "nearest", 0, 1)
        # The interpreter rounds like the CPU; a GPU may fuse a multiplication with an addition.
        pairs = {
            "field": (moved, plain.field.displacement),
            "depth": (z, plain.field.target_depth),
            "winner": (winner, plain.winner),
            "warped": (warped, plain.warped),
            "mask": (mask, plain.mask),
            "warped alone": (rendered, plain.warped),
            "mask alone": (drawn, plain.mask),
        }
        for name, (ours, theirs) in pairs.items():
            if not torch.allclose(ours, theirs, rtol=0, atol=0, equal_nan=True):
                wrong.append(f"fused {name}, {dtype}")

    for frames, height, width in ((0, 9, 7), (2, 1, 7), (2, 9, 1)):
        field = random_field(4, frames, height, width, torch.float32)
        ours = cuda.splat(field, "random", 1, 2)
        if not torch.equal(ours, splat_winners(field, "random", 1, 2, "reference")):
            wrong.append(f"winners of {frames} frames of {height} x {width}")

    for dtype in (torch.uint8, torch.bfloat16, torch.float64):
        values = (source * 50).to(dtype)
        if not torch.equal(cuda.gather(values, winner)[0], gather(values, winner, "reference")[0]):
            wrong.append(f"gather, {dtype}")
    return wrong


if __name__ == "__main__":
    if os.environ.get("TRITON_INTERPRET") != "1":
        sys.exit("set TRITON_INTERPRET=1")
    problems = compare()
    print("\n".join(problems) or "agrees")
    sys.exit(bool(problems))
