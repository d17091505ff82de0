# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False
"""`from_depth`, `splat_winners` and `gather` for CUDA, in Triton: one program per block of pixels.

Target pixels are settled by an atomic minimum over 64-bit keys, the same keys as in the reference;
a minimum does not depend on the order, so the winners repeat and equal the reference bit for bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl


def _kernel(function: Callable[..., Any]) -> Any:
    return triton.jit(inspect.unwrap(function))  # shape checks in tests wrap every function


@_kernel
def _hash(index, first_key, second_key):
    """`candidate_hash` of the reference, in the 32-bit integers that it imitates."""
    mixed = (index.to(tl.uint32) * 0x9E3779B1) ^ first_key
    mixed = mixed ^ (mixed >> 16)
    mixed = mixed * 0x7FEB352D
    mixed = mixed ^ (mixed >> 15)
    mixed = mixed + second_key
    mixed = mixed * 0x846CA68B
    mixed = mixed ^ (mixed >> 16)
    return mixed >> 2


@_kernel
def _divide(numerator, denominator):
    """Division rounded as on the CPU; plain float32 division may be two units off on a GPU."""
    if denominator.dtype == tl.float32:
        return tl.div_rn(numerator, denominator)
    else:
        return numerator / denominator


@_kernel
def _draw(column, row, home_column, home_row, drawn, priority, index, best, height, width):
    """Offer a key to the pixel (column, row), whole floats, where it is in the frame."""
    drawn = drawn & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    second = ((column != home_column) | (row != home_row)).to(tl.int64)
    key = (priority.to(tl.int64) << 32) | (second << 31) | index.to(tl.int64)
    target = tl.where(drawn, row, 0.0).to(tl.int32) * width + tl.where(drawn, column, 0.0).to(
        tl.int32
    )
    tl.atomic_min(best + target, key, mask=drawn, sem="relaxed")  # order does not matter


@_kernel
def _splat(
    across,
    down,
    depth,
    index,
    alive,
    keys,
    best,
    height,
    width,
    overlap,
    RANDOM: tl.constexpr,
    HAS_DEPTH: tl.constexpr,
    FOOTPRINT: tl.constexpr,
):
    """Draw one block of one frame; ``best`` and ``keys`` point at the frame."""
    real = across.dtype
    x = across + ((index % width).to(real) + 0.5)
    y = down + ((index // width).to(real) + 0.5)
    drawn = alive
    if HAS_DEPTH:
        drawn = drawn & (depth > 0)
    if RANDOM:
        first_key = tl.load(keys).to(tl.uint32)
        second_key = tl.load(keys + 1).to(tl.uint32)
        priority = _hash(index, first_key, second_key)
    else:
        priority = depth.to(tl.float32).to(tl.int32, bitcast=True)
    # NaN and far positions are dropped before they become integers.
    drawn = drawn & (x > -1) & (x < width + 1) & (y > -1) & (y < height + 1)
    x, y = tl.where(drawn, x, 0.0), tl.where(drawn, y, 0.0)
    home_x, home_y = tl.floor(x), tl.floor(y)
    if FOOTPRINT == 1:
        _draw(home_x, home_y, home_x, home_y, drawn, priority, index, best, height, width)
    else:
        left, top = tl.floor(x - 0.5), tl.floor(y - 0.5)
        beyond_x, beyond_y = (x - 0.5) - left, (y - 0.5) - top
        for corner in tl.static_range(4):
            step_x, step_y = corner % 2, corner // 2
            covered = drawn
            if step_x == 1:
                covered = covered & (beyond_x > overlap)
            else:
                covered = covered & (beyond_x < 1 - overlap)
            if step_y == 1:
                covered = covered & (beyond_y > overlap)
            else:
                covered = covered & (beyond_y < 1 - overlap)
            column, row = left + step_x, top + step_y
            _draw(column, row, home_x, home_y, covered, priority, index, best, height, width)


@_kernel
def splat_kernel(
    displacement,
    target_depth,
    keys,
    best,
    height,
    width,
    overlap,
    RANDOM: tl.constexpr,
    HAS_DEPTH: tl.constexpr,
    FOOTPRINT: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Keys of a given field."""
    pixels = height * width
    frame = tl.program_id(1).to(tl.int64)
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    alive = index < pixels
    across = tl.load(displacement + frame * 2 * pixels + index, mask=alive, other=0.0)
    down = tl.load(displacement + (frame * 2 + 1) * pixels + index, mask=alive, other=0.0)
    depth = across
    if HAS_DEPTH:
        depth = tl.load(target_depth + frame * pixels + index, mask=alive, other=0.0)
    _splat(
        across, down, depth, index, alive, keys + frame * 2, best + frame * pixels, height, width,
        overlap, RANDOM, HAS_DEPTH, FOOTPRINT,
    )  # fmt: skip


@_kernel
def move_and_splat_kernel(
    source_depth,
    tables,
    displacement,
    target_depth,
    keys,
    best,
    height,
    width,
    minimum_ratio,
    overlap,
    RANDOM: tl.constexpr,
    FOOTPRINT: tl.constexpr,
    KEEP: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """`from_depth`, then the keys of its field while it is in registers.

    KEEP: the field is wanted too, in ``displacement`` and ``target_depth``.
    """
    pixels = height * width
    frame = tl.program_id(1).to(tl.int64)
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    alive = index < pixels
    z = tl.load(source_depth + frame * pixels + index, mask=alive, other=0.0)
    real = z.dtype
    # Cast by function: Triton makes a size of 1 a constant, which has no methods.
    x = ((index % width).to(real) + 0.5) - tl.cast(width, real) * 0.5
    y = ((index // width).to(real) + 0.5) - tl.cast(height, real) * 0.5
    table = tables + frame * 12
    inverse = _divide(1.0, z)
    e2 = tl.load(table + 11)
    perspective = tl.load(table + 6) * x + tl.load(table + 7) * y
    ratio = (perspective + tl.load(table + 8)) + e2 * inverse
    across = (tl.load(table) * x + (tl.load(table + 1) * y + tl.load(table + 2))) - x * perspective
    across += (tl.load(table + 9) - x * e2) * inverse
    down = (
        tl.load(table + 3) * x + (tl.load(table + 4) * y + tl.load(table + 5))
    ) - y * perspective
    down += (tl.load(table + 10) - y * e2) * inverse
    seen = (z > 0) & (ratio > minimum_ratio)
    missing = float("nan")
    across = tl.where(seen, _divide(across, ratio), missing)
    down = tl.where(seen, _divide(down, ratio), missing)
    depth = tl.where(seen, z * ratio, missing)
    if KEEP:
        tl.store(displacement + frame * 2 * pixels + index, across, mask=alive)
        tl.store(displacement + (frame * 2 + 1) * pixels + index, down, mask=alive)
        tl.store(target_depth + frame * pixels + index, depth, mask=alive)
    _splat(
        across, down, depth, index, alive, keys + frame * 2, best + frame * pixels, height, width,
        overlap, RANDOM, True, FOOTPRINT,
    )  # fmt: skip


@_kernel
def _chosen(key):
    """Source index of the smallest key, -1 where none was offered."""
    return tl.where(key == 0x7FFFFFFFFFFFFFFF, -1, key & 0x7FFFFFFF).to(tl.int32)


@_kernel
def winner_kernel(best, winner, count, BLOCK: tl.constexpr):
    """Winners of all keys."""
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    alive = index < count
    key = tl.load(best + index, mask=alive, other=0)
    tl.store(winner + index, _chosen(key), mask=alive)


@_kernel
def gather_kernel(
    source,
    best,
    winner,
    warped,
    mask,
    source_pixels,
    pixels,
    channels,
    FROM_KEYS: tl.constexpr,
    KEEP: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """`gather` for one block of one frame, every channel.

    FROM_KEYS: winners follow from the keys in ``best``, and KEEP writes them to ``winner``;
    otherwise they are read from ``winner``.
    """
    frame = tl.program_id(1).to(tl.int64)
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    alive = index < pixels
    if FROM_KEYS:
        key = tl.load(best + frame * pixels + index, mask=alive, other=0x7FFFFFFFFFFFFFFF)
        chosen = _chosen(key)
        if KEEP:
            tl.store(winner + frame * pixels + index, chosen, mask=alive)
    else:
        chosen = tl.load(winner + frame * pixels + index, mask=alive, other=-1)
    drawn = chosen >= 0
    tl.store(mask + frame * pixels + index, drawn.to(tl.float32), mask=alive)
    for channel in range(channels):
        plane = frame * channels + channel
        value = tl.load(source + plane * source_pixels + chosen, mask=drawn, other=0)
        tl.store(warped + plane * pixels + index, value, mask=alive)
