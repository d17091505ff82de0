"""Forward splat with one winner per target pixel, by either collision rule of section 3.2."""

from __future__ import annotations

import logging
import subprocess
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from scaling4d.geometry.seeds import child_seeds

from .field import CorrespondenceField

_log = logging.getLogger(__name__)

Rule = Literal["nearest", "random"]
Implementation = Literal["auto", "reference"]
RULES = ("nearest", "random")

# With the 2x2 footprint a point draws every pixel that a unit box around it overlaps by more than
# this, along both axes: rounding must not let a point on a pixel centre spill over. A power of two
# is the same number in every precision, and so in every kernel.
MIN_OVERLAP = 2.0**-10

# Kernels move values without looking at them, so one compiled version serves each size in bytes.
CARRIERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

_SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}

_NO_KEY = torch.iinfo(torch.int64).max
_INDEX_BITS = 31
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_MASK_32 = 0xFFFFFFFF


def splat_winners(
    field: CorrespondenceField,
    rule: Rule = "nearest",
    seed: int = 0,
    footprint: Literal[1, 2] = 1,
    implementation: Implementation = "auto",
) -> Int[Tensor, "frames height width"]:
    """Choose, for every target pixel, the source pixel that is drawn there.

    A source pixel is a candidate for the target pixel that holds its continuous position (floor).
    With ``footprint=2`` it is also a candidate for the other pixels, four in all, that a unit box
    around that position overlaps; this closes cracks under magnification and widens what is in
    front by up to a pixel. Among equal keys the pixel at the position itself comes first, then the
    lowest source index.

    Args:
        field: the field; ``nearest`` needs its target depth.
        rule: ``nearest`` keeps the smallest target depth as float32 (a z-buffer, for inference);
            ``random`` gives each candidate the same chance (for training), by a stateless hash of
            (seed, frame, source index).
        seed: 0 <= seed < 2**64, used by ``random`` alone.
        footprint: 1 or 2 pixels.
        implementation: ``auto`` takes the numba kernel on the CPU and the Triton kernel on CUDA,
            ``reference`` the torch operations below; all give the same winners, bit for bit.

    Returns:
        int32 (frames, height, width) on the target grid: source index y * width + x, or -1.

    Raises:
        ValueError: if the rule or footprint is unknown, or ``nearest`` has no target depth.
    """
    check_splat(field.target_depth is not None, rule, footprint)
    kernels = kernels_for(field.displacement.device) if implementation == "auto" else None
    if kernels is not None:
        winner: Tensor = kernels.splat(field, rule, seed, footprint)
        return winner
    return _reference_winners(field, rule, seed, footprint)


def check_splat(has_depth: bool, rule: str, footprint: int) -> None:
    """Raise ValueError unless the rule and footprint exist and the rule has what it needs."""
    if rule not in RULES:
        raise ValueError(f"the collision rule must be one of {RULES}, got {rule!r}")
    if footprint not in (1, 2):
        raise ValueError(f"the footprint must be 1 or 2 pixels, got {footprint!r}")
    if rule == "nearest" and not has_depth:
        raise ValueError(
            "rule 'nearest' compares target depths and this field has none (it comes from flow): "
            "use rule 'random', or a field from depth"
        )


def can_carry(source: Tensor) -> bool:
    """Whether kernels can move these values: of a plain size, and no gradient is wanted."""
    return source.element_size() in CARRIERS and not wants_gradient(source)


def wants_gradient(*tensors: Tensor) -> bool:
    """Whether autograd follows one of them: kernels would break its chain in silence."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def kernels_for(device: torch.device) -> Any:
    """The module of fast kernels for a device (`cpu` or `cuda`), None where there is none.

    Imported here because numba and Triton take a second each.
    """
    if device.type == "cpu":
        from . import cpu

        return cpu
    if device.type == "cuda":
        return _cuda_kernels()
    return None


@cache
def _cuda_kernels() -> Any:
    try:
        from . import cuda

        cuda.build_launcher()
    except (ImportError, RuntimeError, subprocess.CalledProcessError) as error:
        # Triton has no wheels for some systems, and on others finds no C compiler or no Python.h.
        _log.warning("warping on CUDA by plain torch, several times slower: %s", error)
        return None
    return cuda


def gather(
    source: Shaped[Tensor, "frames channels height width"],
    winner: Int[Tensor, "frames target_height target_width"],
    implementation: Implementation = "auto",
) -> tuple[
    Shaped[Tensor, "frames channels target_height target_width"],
    Float[Tensor, "frames 1 target_height target_width"],
]:
    """Follow the winners: the warped video I^r (0 where nothing landed) and its mask M^r.

    Args:
        source: any per-pixel values on the source grid, of any dtype.
        winner: source index per target pixel, or -1 (see `splat_winners`).
        implementation: as in `splat_winners`.

    Returns:
        The warped values in the dtype of ``source``, and the float32 mask, 1 = rendered.

    Raises:
        ValueError: if the source has no four axes, or the winners are not of its frames, or point
            outside of it.
    """
    if source.ndim != 4 or winner.ndim != 3:
        raise ValueError(
            "gather takes a source (frames, channels, height, width) and winners (frames, height, "
            f"width), got {tuple(source.shape)} and {tuple(winner.shape)}"
        )
    pixels = source.shape[-2] * source.shape[-1]
    if len(winner) != len(source):
        raise ValueError(
            f"the winners are for {len(winner)} frames and the source has {len(source)}: gather "
            "the frames that were splatted"
        )
    if winner.numel() and int(winner.max()) >= pixels:  # kernels would read beyond the frame
        raise ValueError(
            f"a winner points at pixel {int(winner.max())} of a source that has {pixels}: gather "
            "from a source of the splatted field's size"
        )
    return follow(source, winner, implementation)


def follow(
    source: Shaped[Tensor, "frames channels height width"],
    winner: Int[Tensor, "frames target_height target_width"],
    implementation: Implementation = "auto",
) -> tuple[
    Shaped[Tensor, "frames channels target_height target_width"],
    Float[Tensor, "frames 1 target_height target_width"],
]:
    """`gather` of winners that are known to fit."""
    kernels = kernels_for(source.device) if implementation == "auto" else None
    if kernels is not None and can_carry(source):
        warped, mask = kernels.gather(source, winner)
        return warped, mask
    channels = source.shape[1]
    drawn = winner >= 0
    index = winner.clamp(min=0).flatten(1).long()[:, None].expand(-1, channels, -1)
    signed = _SIGNED.get(source.dtype)  # of unsigned integers torch can gather bytes alone
    values = source if signed is None else source.view(signed)
    values = values.flatten(2).gather(2, index).unflatten(2, winner.shape[1:])
    warped = values.masked_fill(~drawn[:, None], 0)
    return warped if signed is None else warped.view(source.dtype), drawn[:, None].float()


def frame_keys(seed: int, frames: int) -> Int[Tensor, "frames 2"]:
    """Two 32-bit hash keys per frame, as int64 on the CPU (see `candidate_hash`)."""
    keys = np.array(child_seeds(seed, "splat", count=frames), np.uint64)
    halves = np.stack([keys >> np.uint64(32), keys & np.uint64(_MASK_32)], axis=-1)
    return torch.from_numpy(halves.astype(np.int64))


def candidate_hash(
    index: Int[Tensor, " pixels"], keys: Int[Tensor, "frames 2"]
) -> Int[Tensor, "frames pixels"]:
    """30-bit priority of each source index in each frame: 32-bit multiply-xorshift rounds.

    int64 holds the 32-bit products: they may wrap, and their low 32 bits are still right.
    """
    mixed = (index * 0x9E3779B1 & _MASK_32) ^ keys[:, :1]
    mixed = mixed ^ (mixed >> 16)
    mixed = mixed * 0x7FEB352D & _MASK_32
    mixed = mixed ^ (mixed >> 15)
    mixed = (mixed + keys[:, 1:]) & _MASK_32
    mixed = mixed * 0x846CA68B & _MASK_32
    mixed = mixed ^ (mixed >> 16)
    return mixed >> 2


def _reference_winners(
    field: CorrespondenceField, rule: Rule, seed: int, footprint: int
) -> Int[Tensor, "frames height width"]:
    frames, height, width = field.frames, field.height, field.width
    pixels = height * width
    device = field.displacement.device
    index = torch.arange(pixels, device=device)
    if rule == "random":
        priority = candidate_hash(index, frame_keys(seed, frames).to(device))
    else:
        assert field.target_depth is not None
        single = field.target_depth.float().flatten(1).contiguous()
        priority = single.view(torch.int32).long()  # positive floats sort as integers
    x, y = field.positions().flatten(2).unbind(dim=1)
    best = torch.full((frames, pixels), _NO_KEY, dtype=torch.int64, device=device)
    for column, row, drawn in _drawn_pixels(x, y, footprint):
        drawn = drawn & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        if field.target_depth is not None:
            drawn = drawn & (field.target_depth.flatten(1) > 0)
        second = (column != x.floor()) | (row != y.floor())
        key = (priority << 32) | (second.long() << _INDEX_BITS) | index
        target = torch.where(drawn, row * width + column, 0).long()
        best.scatter_reduce_(1, target, key.where(drawn, _NO_KEY), reduce="amin")
    winner = torch.where(best == _NO_KEY, -1, best & _INDEX_MASK)
    return winner.int().unflatten(1, (height, width))


def _drawn_pixels(x: Tensor, y: Tensor, footprint: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """(column, row, overlapped) of each footprint pixel, column and row as whole floats."""
    if footprint == 1:
        return [(x.floor(), y.floor(), torch.ones_like(x, dtype=torch.bool))]
    columns, rows = _overlapped(x), _overlapped(y)
    return [(c, r, in_x & in_y) for r, in_y in rows for c, in_x in columns]


def _overlapped(position: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The two pixels that a unit interval around the position touches, and whether it does."""
    first = (position - 0.5).floor()
    beyond = (position - 0.5) - first
    return [(first, beyond < 1 - MIN_OVERLAP), (first + 1, beyond > MIN_OVERLAP)]
