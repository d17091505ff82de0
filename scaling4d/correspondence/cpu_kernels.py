# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False
"""One frame of `from_depth`, `splat_winners` and `gather` for the CPU, compiled by numba.

The arithmetic follows the torch reference operation by operation in the same precision, so the
winners are the same bit for bit; a frame goes in source order, so ties fall to the lowest index.
Loops that compute are kept apart from loops that scatter: the former become vector instructions.

Kernels hold no constants of other modules: numba's cache would not notice that one has changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter lock, cached on disk where some folder can be written."""
    function = inspect.unwrap(function)  # shape checks in tests wrap every function
    try:
        return njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # numba found no folder for its cache: a read-only installation
        return njit(nogil=True, error_model="numpy")(function)


@_compiled
def move_row(depth, table, x, y, minimum_ratio, across, down, target_depth):
    """`from_depth` for one row. ``x`` (width,) and ``y`` are measured from the image centre."""
    a00, a01, a02 = table[0], table[1], table[2]
    a10, a11, a12 = table[3], table[4], table[5]
    a20, a21, a22 = table[6], table[7], table[8]
    e0, e1, e2 = table[9], table[10], table[11]
    one, zero = depth.dtype.type(1), depth.dtype.type(0)
    missing = depth.dtype.type(np.nan)
    offset_x, offset_y, perspective_y = a01 * y + a02, a11 * y + a12, a21 * y
    for i in range(x.size):
        z = depth[i]
        inverse = one / z
        perspective = a20 * x[i] + perspective_y
        ratio = (perspective + a22) + e2 * inverse
        u = ((a00 * x[i] + offset_x) - x[i] * perspective) + (e0 - x[i] * e2) * inverse
        v = ((a10 * x[i] + offset_y) - y * perspective) + (e1 - y * e2) * inverse
        seen = (z > zero) & (ratio > minimum_ratio)
        across[i] = u / ratio if seen else missing
        down[i] = v / ratio if seen else missing
        target_depth[i] = z * ratio if seen else missing


@_compiled
def depth_keys(depth, keys):
    """Keys of one row for ``nearest``: bits of the depth as float32, twice (see `draw_row`)."""
    single = depth.astype(np.float32).view(np.uint32)
    for i in range(keys.size):
        keys[i] = np.uint32(single[i] << np.uint32(1))


@_compiled
def hash_keys(first_index, frame_keys, keys):
    """Keys of one row for ``random``: `candidate_hash`, twice (see `draw_row`)."""
    key, second_key = np.uint32(frame_keys[0]), np.uint32(frame_keys[1])
    for i in range(keys.size):
        mixed = np.uint32(np.uint32(first_index + i) * np.uint32(0x9E3779B1)) ^ key
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(16)))
        mixed = np.uint32(mixed * np.uint32(0x7FEB352D))
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(15)))
        mixed = np.uint32(mixed + second_key)
        mixed = np.uint32(mixed * np.uint32(0x846CA68B))
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(16)))
        keys[i] = np.uint32((mixed >> np.uint32(2)) << np.uint32(1))


@_compiled
def aim_row(across, down, x, y, depth, has_depth, height, width, targets):
    """Target index of each pixel of one row, -1 where it lands outside or must not be drawn."""
    zero = across.dtype.type(0)
    right, bottom = across.dtype.type(width), across.dtype.type(height)
    for i in range(targets.size):
        column, row = across[i] + x[i], down[i] + y
        inside = (column >= zero) & (column < right) & (row >= zero) & (row < bottom)
        target = np.int32(row) * np.int32(width) + np.int32(column)
        targets[i] = target if inside else np.int32(-1)
    if has_depth:
        for i in range(targets.size):
            targets[i] = targets[i] if depth[i] > zero else np.int32(-1)


@_compiled
def aim_corner_row(
    across, down, x, y, depth, has_depth, height, width, overlap, step_x, step_y, keys, targets,
    corner_keys,
):  # fmt: skip
    """`aim_row` at one of the four pixels that a unit box around each position may overlap."""
    half, one, zero = across.dtype.type(0.5), across.dtype.type(1), across.dtype.type(0)
    right, bottom = across.dtype.type(width), across.dtype.type(height)
    for i in range(targets.size):
        column, row = across[i] + x[i], down[i] + y
        left, top = np.floor(column - half), np.floor(row - half)
        beyond_x, beyond_y = (column - half) - left, (row - half) - top
        at_x = left + one if step_x else left
        at_y = top + one if step_y else top
        covered_x = beyond_x > overlap if step_x else beyond_x < one - overlap
        covered_y = beyond_y > overlap if step_y else beyond_y < one - overlap
        inside = (at_x >= zero) & (at_x < right) & (at_y >= zero) & (at_y < bottom)
        target = np.int32(at_y) * np.int32(width) + np.int32(at_x)
        targets[i] = target if inside & covered_x & covered_y else np.int32(-1)
        second = (at_x != np.floor(column)) | (at_y != np.floor(row))
        corner_keys[i] = keys[i] | np.uint32(second)
    if has_depth:
        for i in range(targets.size):
            targets[i] = targets[i] if depth[i] > zero else np.int32(-1)


@_compiled
def draw_row(targets, keys, first_index, best, winner):
    """Keep the smallest key at each target. Bit 0 of a key says: not the pixel's own position."""
    for i in range(targets.size):
        target = targets[i]
        if target >= 0 and keys[i] < best[np.uint32(target)]:
            best[np.uint32(target)] = keys[i]
            winner[np.uint32(target)] = first_index + i


@_compiled
def draw_corner_row(targets, keys, first_index, best, winner):
    """`draw_row` for pixels that do not come in source order: ties compare source indices."""
    for i in range(targets.size):
        if targets[i] < 0:
            continue
        target = np.uint32(targets[i])
        index = first_index + i
        if keys[i] < best[target] or (keys[i] == best[target] and index < winner[target]):
            best[target] = keys[i]
            winner[target] = index


@_compiled
def draw_any_row(
    across, down, x, y, depth, has_depth, height, width, random, frame_keys, footprint, overlap,
    keys, targets, first_index, best, winner,
):  # fmt: skip
    """Splat one row by either rule and footprint; ``keys`` and ``targets`` are scratch."""
    if random:
        hash_keys(first_index, frame_keys, keys)
    else:
        depth_keys(depth, keys)
    if footprint == 1:
        aim_row(across, down, x, y, depth, has_depth, height, width, targets)
        draw_row(targets, keys, first_index, best, winner)
        return
    corner_keys = np.empty_like(keys)
    for corner in range(4):
        aim_corner_row(
            across, down, x, y, depth, has_depth, height, width, overlap, corner % 2 == 1,
            corner // 2 == 1, keys, targets, corner_keys,
        )  # fmt: skip
        draw_corner_row(targets, corner_keys, first_index, best, winner)


@_compiled
def splat_frame(
    displacement, target_depth, columns, rows, random, frame_keys, footprint, overlap, best, winner
):
    """Fill ``winner`` (height, width) from the displacement (2, height, width) of one frame.

    ``target_depth`` is (height, width), or (1, 1) where the field has none; ``best`` is scratch.
    """
    height, width = winner.shape
    has_depth = target_depth.shape == (height, width)
    flat = winner.reshape(height * width)
    best[:] = np.uint32(0xFFFFFFFF)
    flat[:] = np.int32(-1)
    keys = np.empty(width, np.uint32)
    targets = np.empty(width, np.int32)
    for row in range(height):
        draw_any_row(
            displacement[0, row], displacement[1, row], columns, rows[row],
            target_depth[row if has_depth else 0], has_depth, height, width, random, frame_keys,
            footprint, overlap, keys, targets, row * width, best, flat,
        )  # fmt: skip


@_compiled
def move_and_splat_frame(
    depth, table, centre, minimum_ratio, displacement, target_depth, columns, rows, random,
    frame_keys, footprint, overlap, best, winner,
):  # fmt: skip
    """`from_depth`, then `splat_frame`, row by row while a row is in cache.

    ``displacement`` (2, rows, width) and ``target_depth`` (rows, width) hold the whole frame, or
    one row that is used again and again where nobody wants the field.
    """
    height, width = winner.shape
    kept = target_depth.shape[0] == height
    flat = winner.reshape(height * width)
    best[:] = np.uint32(0xFFFFFFFF)
    flat[:] = np.int32(-1)
    keys = np.empty(width, np.uint32)
    targets = np.empty(width, np.int32)
    x = columns - centre[0]
    for row in range(height):
        at = row if kept else 0
        across, down, moved_depth = displacement[0, at], displacement[1, at], target_depth[at]
        y = rows[row] - centre[1]
        move_row(depth[row], table, x, y, minimum_ratio, across, down, moved_depth)
        draw_any_row(
            across, down, columns, rows[row], moved_depth, True, height, width, random, frame_keys,
            footprint, overlap, keys, targets, row * width, best, flat,
        )  # fmt: skip


@_compiled
def gather_frame(source, winner, warped, mask):
    """`gather` for one frame: source (channels, height, width), mask (height, width)."""
    channels = source.shape[0]
    height, width = winner.shape
    flat = source.reshape(channels, source.shape[1] * source.shape[2])
    blank = source.dtype.type(0)
    for row in range(height):
        for i in range(width):
            mask[row, i] = np.float32(winner[row, i] >= 0)
        for channel in range(channels):
            for i in range(width):
                index = winner[row, i]
                value = flat[channel, np.uint32(index if index >= 0 else 0)]
                warped[channel, row, i] = value if index >= 0 else blank
