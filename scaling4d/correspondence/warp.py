"""From depth or flow to the warped video I^r and its mask M^r (Equation 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import ArrayLike
from torch import Tensor

from .cameras import plane_and_parallax
from .field import (
    CorrespondenceField,
    check_depth,
    from_depth,
    from_flow,
    require_tensor,
)
from .splat import (
    Implementation,
    Rule,
    can_carry,
    check_splat,
    follow,
    kernels_for,
    splat_winners,
    wants_gradient,
)


@dataclass(frozen=True)
class Warp:
    """A source video moved into the target view.

    Attributes:
        field: C^r in pixels, on the source grid.
        winner: int32 (frames, height, width), source index y * width + x drawn at each target
            pixel, or -1.
        warped: I^r, the drawn source values, unblended; 0 where nothing was drawn.
        mask: M^r, float32 (frames, 1, height, width), 1 where a pixel was drawn.
    """

    field: CorrespondenceField
    winner: Int[Tensor, "frames height width"]
    warped: Shaped[Tensor, "frames channels height width"]
    mask: Float[Tensor, "frames 1 height width"]


def warp_from_depth(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    source_intrinsics: ArrayLike | Tensor,
    target_intrinsics: ArrayLike | Tensor,
    target_from_source: ArrayLike | Tensor,
    *,
    rule: Rule = "nearest",
    seed: int = 0,
    footprint: Literal[1, 2] = 1,
    implementation: Implementation = "auto",
    out: Warp | None = None,
) -> Warp:
    """Move a video by its depth and two cameras per frame.

    Gradients reach the source's values and, through the field, the depth; cameras are constants.

    Args:
        source: values to move, of any dtype.
        depth: planar z of the source camera (see `from_depth`).
        source_intrinsics: (3, 3) or (frames, 3, 3) pixels.
        target_intrinsics: (3, 3) or (frames, 3, 3) pixels.
        target_from_source: (4, 4) or (frames, 4, 4), OpenCV axes.
        rule: ``nearest`` at inference, ``random`` in training (see `splat_winners`).
        seed: of ``random``.
        footprint: 1 or 2 pixels (see `splat_winners`).
        out: an earlier result of the same sizes and dtypes to overwrite, which spares a loop over
            clips the cost of fresh memory; only the fused pass on the CPU uses it.
        implementation: ``auto`` (one fused pass), or ``reference`` for the readable torch path.

    Returns:
        The warp; the fused pass and the reference agree bit for bit on the CPU.

    Raises:
        ValueError: for shapes, dtypes or matrices that do not fit (see `from_depth`).
    """
    cameras = (source_intrinsics, target_intrinsics, target_from_source)
    kernels = _fused_kernels(source, depth, rule, footprint, implementation)
    if kernels is None:
        field = from_depth(depth, *cameras)
        winner = splat_winners(field, rule, seed, footprint, implementation)
        return Warp(field, winner, *follow(source, winner, implementation))
    frames, height, width = depth.shape
    table = plane_and_parallax(*cameras, frames=frames, height=height, width=width)
    results = None if out is None else _results_of(out, source, depth)
    moved, z, *rest = kernels.warp(source, depth, table, rule, seed, footprint, results)
    return Warp(CorrespondenceField(moved, z), *rest)


def render_from_depth(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    source_intrinsics: ArrayLike | Tensor,
    target_intrinsics: ArrayLike | Tensor,
    target_from_source: ArrayLike | Tensor,
    *,
    rule: Rule = "nearest",
    seed: int = 0,
    footprint: Literal[1, 2] = 1,
    implementation: Implementation = "auto",
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Shaped[Tensor, "frames channels height width"], Float[Tensor, "frames 1 height width"]]:
    """Return I^r and M^r alone, without writing the field and the winners to memory.

    For previews and baselines; a network also needs the field (`warp_from_depth`, whose arguments,
    values and errors these are).
    """
    cameras = (source_intrinsics, target_intrinsics, target_from_source)
    kernels = _fused_kernels(source, depth, rule, footprint, implementation)
    if kernels is None:
        warp = warp_from_depth(
            source,
            depth,
            *cameras,
            rule=rule,
            seed=seed,
            footprint=footprint,
            implementation=implementation,
        )
        return warp.warped, warp.mask
    frames, height, width = depth.shape
    table = plane_and_parallax(*cameras, frames=frames, height=height, width=width)
    if out is not None:
        _check_results(out, _picture_kinds(source), source, depth)
    warped, mask = kernels.render(source, depth, table, rule, seed, footprint, out)
    return warped, mask


def warp_from_flow(
    source: Shaped[Tensor, "frames channels height width"],
    flow: Float[Tensor, "frames 2 height width"],
    *,
    seed: int = 0,
    footprint: Literal[1, 2] = 1,
    implementation: Implementation = "auto",
    drawn: Bool[Tensor, "frames height width"] | None = None,
) -> Warp:
    """Move a video by an optical flow in pixels; collisions are settled at random (section 3.2).

    Args:
        source: values to move, of any dtype.
        flow: pixels, x then y, from the source to the target.
        seed: of the random rule.
        footprint: 1 or 2 pixels (see `splat_winners`).
        implementation: as in `warp_from_depth`.
        drawn: source pixels that may be drawn, such as the consistent ones of `forward_backward`;
            by default all, as at inference. The field stays dense either way.

    Raises:
        ValueError: for shapes or dtypes that do not fit.
    """
    field = from_flow(flow)
    check_source(source, (field.frames, field.height, field.width), flow)
    shown = field
    if drawn is not None:
        size = (field.frames, field.height, field.width)
        if drawn.dtype != torch.bool or tuple(drawn.shape) != size:
            raise ValueError(
                f"drawn must be {size} of bool like the flow, got "
                f"{tuple(drawn.shape)} {drawn.dtype}"
            )
        shown = CorrespondenceField(field.displacement.masked_fill(~drawn[:, None], torch.nan))
    winner = splat_winners(shown, "random", seed, footprint, implementation)
    return Warp(field, winner, *follow(source, winner, implementation))


def _fused_kernels(
    source: Tensor, depth: Tensor, rule: str, footprint: int, implementation: Implementation
) -> Any:
    """Check the arguments; return the module with the fused pass, None where it cannot serve."""
    check_depth(depth)
    check_splat(True, rule, footprint)
    check_source(source, tuple(depth.shape), depth)
    kernels = kernels_for(depth.device) if implementation == "auto" else None
    return kernels if can_carry(source) and not wants_gradient(depth) else None


def check_source(source: Tensor, size: tuple[int, ...], beside: Tensor) -> None:
    """Raise ValueError unless ``source`` has that (frames, height, width) and device."""
    require_tensor(source, "the source")
    if source.ndim != 4 or (source.shape[0], *source.shape[2:]) != size:
        frames, height, width = size
        raise ValueError(
            f"the source must be ({frames}, channels, {height}, {width}) like its correspondence, "
            f"got {tuple(source.shape)}: resize the frames and the depth or flow alike"
        )
    if source.device != beside.device:
        raise ValueError(
            f"the source is on {source.device} and its depth or flow on {beside.device}: "
            "move both to one device"
        )


_Kind = tuple[tuple[int, ...], torch.dtype]


def _results_of(out: Warp, source: Tensor, depth: Tensor) -> tuple[Tensor, ...]:
    """The tensors of an earlier result, to be written again."""
    displacement, target_depth = out.field.displacement, out.field.target_depth
    if target_depth is None:
        raise ValueError("out comes from a flow: leave it out, or pass the last result from depth")
    frames, height, width = depth.shape
    kinds = [
        ((frames, 2, height, width), depth.dtype),
        ((frames, height, width), depth.dtype),
        ((frames, height, width), torch.int32),
        *_picture_kinds(source),
    ]
    results = (displacement, target_depth, out.winner, out.warped, out.mask)
    _check_results(results, kinds, source, depth)
    return results


def _picture_kinds(source: Tensor) -> list[_Kind]:
    """Shapes and dtypes of (warped, mask)."""
    frames, _, height, width = source.shape
    return [(tuple(source.shape), source.dtype), ((frames, 1, height, width), torch.float32)]


def _check_results(
    results: Sequence[Tensor], kinds: Sequence[_Kind], source: Tensor, depth: Tensor
) -> None:
    """Raise ValueError unless kernels, which check nothing, can write into ``results``."""
    remedy = "leave it out, or pass the last result for such a source and depth"
    for number, (result, (shape, dtype)) in enumerate(zip(results, kinds, strict=True)):
        if (tuple(result.shape), result.dtype, result.device) != (shape, dtype, depth.device):
            raise ValueError(
                f"out must hold {shape} {dtype} on {depth.device} here, got "
                f"{tuple(result.shape)} {result.dtype} on {result.device}: {remedy}"
            )
        if not result.is_contiguous():
            raise ValueError(f"out must be contiguous: {remedy}")
        if _overlap(result, source) or _overlap(result, depth):
            raise ValueError(
                "out shares memory with the source or the depth, which would be overwritten while "
                f"it is read: {remedy}"
            )
        if any(_overlap(result, other) for other in results[:number]):
            raise ValueError(f"the tensors of out share memory with each other: {remedy}")


def _overlap(result: Tensor, read: Tensor) -> bool:
    """Whether a tensor that is written lies in memory of one that is read, stride by stride."""
    if not result.numel() or not read.numel():
        return False
    first = read.data_ptr()
    last = first + read.element_size() * sum(
        (size - 1) * stride for size, stride in zip(read.shape, read.stride(), strict=True)
    )
    return result.data_ptr() <= last and first < result.data_ptr() + result.nbytes
