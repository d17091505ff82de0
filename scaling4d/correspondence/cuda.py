"""The CUDA path: allocate, launch, return (see `cuda_kernels`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import triton
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from . import cuda_kernels as kernels
from .field import MIN_DEPTH_RATIO, CorrespondenceField
from .splat import CARRIERS, MIN_OVERLAP, Rule, frame_keys

_BLOCK = 512
_NO_KEY = torch.iinfo(torch.int64).max


def build_launcher() -> None:
    """Have Triton compile what loads its kernels, as it else does at the first launch.

    Raises:
        RuntimeError: if there is no GPU or no C compiler.
        subprocess.CalledProcessError: if the compiler fails, for lack of Python.h say.
    """
    triton.runtime.driver.active.get_current_device()


def splat(
    field: CorrespondenceField, rule: Rule, seed: int, footprint: int
) -> Int[Tensor, "frames height width"]:
    """Winners of a field (see `splat_winners`)."""
    displacement = field.displacement.contiguous()
    depth = displacement if field.target_depth is None else field.target_depth.contiguous()
    best = _no_keys(field.frames, field.height, field.width, displacement.device)
    _launch(
        kernels.splat_kernel,
        best,
        displacement,
        depth,
        _keys(rule, seed, best),
        best,
        field.height,
        field.width,
        MIN_OVERLAP,
        RANDOM=rule == "random",
        HAS_DEPTH=field.target_depth is not None,
        FOOTPRINT=footprint,
    )
    return _winners(best)


def gather(
    source: Shaped[Tensor, "frames channels height width"],
    winner: Int[Tensor, "frames target_height target_width"],
) -> tuple[
    Shaped[Tensor, "frames channels target_height target_width"],
    Float[Tensor, "frames 1 target_height target_width"],
]:
    """Warped values and mask (see `splat.gather`)."""
    chosen = winner.contiguous()
    return _gather(source, chosen, winner=chosen, from_keys=False)


def warp(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    coefficients: Float[np.ndarray, "frames 12"],
    rule: Rule,
    seed: int,
    footprint: int,
    results: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Depth to (displacement, target depth, winner, warped, mask).

    ``results`` is accepted for the CPU's sake: torch's own allocator reuses memory on a GPU.
    """
    frames, height, width = depth.shape
    displacement = depth.new_empty((frames, 2, height, width))
    target_depth = depth.new_empty(depth.shape)
    best = _best_of(depth, coefficients, rule, seed, footprint, (displacement, target_depth))
    winner = torch.empty(best.shape, dtype=torch.int32, device=best.device)
    return displacement, target_depth, winner, *_gather(source, best, winner=winner, from_keys=True)


def render(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    coefficients: Float[np.ndarray, "frames 12"],
    rule: Rule,
    seed: int,
    footprint: int,
    results: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Depth to (warped, mask): as `warp`, but the rest is never written; ``results`` as there."""
    best = _best_of(depth, coefficients, rule, seed, footprint, None)
    return _gather(source, best, winner=None, from_keys=True)


def _best_of(
    depth: Tensor,
    coefficients: NDArray[np.float64],
    rule: Rule,
    seed: int,
    footprint: int,
    field: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Smallest key of each target pixel; fills ``field`` (displacement, target depth)."""
    z = depth.contiguous()
    frames, height, width = z.shape
    best = _no_keys(frames, height, width, z.device)
    displacement, target_depth = (best, best) if field is None else field
    _launch(
        kernels.move_and_splat_kernel,
        best,
        z,
        torch.as_tensor(coefficients, dtype=z.dtype, device=z.device),
        displacement,
        target_depth,
        _keys(rule, seed, best),
        best,
        height,
        width,
        MIN_DEPTH_RATIO,
        MIN_OVERLAP,
        RANDOM=rule == "random",
        FOOTPRINT=footprint,
        KEEP=field is not None,
    )
    return best


def _gather(
    source: Tensor, chosen: Tensor, *, winner: Tensor | None, from_keys: bool
) -> tuple[Tensor, Tensor]:
    """Warped values and mask from the winners, or from the keys and then into ``winner``."""
    frames, channels, height, width = source.shape
    values = source.detach().contiguous().view(CARRIERS[source.element_size()])
    warped = values.new_empty((frames, channels, *chosen.shape[1:]))
    mask_shape = (frames, 1, *chosen.shape[1:])
    mask = torch.empty(mask_shape, dtype=torch.float32, device=source.device)
    _launch(
        kernels.gather_kernel,
        chosen,
        values,
        chosen,
        chosen if winner is None else winner,
        warped,
        mask,
        height * width,
        chosen.shape[1] * chosen.shape[2],
        channels,
        FROM_KEYS=from_keys,
        KEEP=winner is not None,
    )
    return warped.view(source.dtype), mask


def _no_keys(frames: int, height: int, width: int, device: torch.device) -> Tensor:
    return torch.full((frames, height, width), _NO_KEY, dtype=torch.int64, device=device)


def _keys(rule: Rule, seed: int, best: Tensor) -> Tensor:
    if rule == "random":
        return frame_keys(seed, len(best)).to(best.device)
    return best  # not read


def _winners(best: Tensor) -> Int[Tensor, "frames height width"]:
    winner = torch.empty(best.shape, dtype=torch.int32, device=best.device)
    _launch(kernels.winner_kernel, best.view(1, 1, -1), best, winner, best.numel())
    return winner


def _launch(kernel: Any, per_pixel: Tensor, *arguments: Any, **choices: Any) -> None:
    """Run a kernel for blocks of pixels of each frame of ``per_pixel`` (frames, height, width)."""
    frames, height, width = per_pixel.shape
    if per_pixel.numel() == 0:
        return
    # Triton launches on the current GPU, whichever the tensors are on.
    with torch.cuda.device_of(per_pixel):
        kernel[(-(-height * width // _BLOCK), frames)](*arguments, BLOCK=_BLOCK, **choices)
