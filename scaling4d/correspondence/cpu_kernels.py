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
def move_row(
    depth, table, x, y, minimum_ratio, columns, row_y, height, width, across, down, target_depth,
    targets, single_depth,
):  # fmt: skip
    """`from_depth` and `aim_row` for one row, in one loop.

    ``columns`` (width,) and ``row_y`` are positions, ``x`` and ``y`` those from the image centre.
    """
    a00, a01, a02 = table[0], table[1], table[2]
    a10, a11, a12 = table[3], table[4], table[5]
    a20, a21, a22 = table[6], table[7], table[8]
    e0, e1, e2 = table[9], table[10], table[11]
    one, zero = depth.dtype.type(1), depth.dtype.type(0)
    right, bottom = depth.dtype.type(width), depth.dtype.type(height)
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
        u = u / ratio if seen else missing
        v = v / ratio if seen else missing
        moved = z * ratio if seen else missing
        across[i], down[i], target_depth[i], single_depth[i] = u, v, moved, np.float32(moved)
        column, row = u + columns[i], v + row_y
        inside = (column >= zero) & (column < right) & (row >= zero) & (row < bottom)
        target = np.int32(row) * np.int32(width) + np.int32(column)
        targets[i] = target if inside & (moved > zero) else np.int32(-1)


@_compiled
def hash_keys(first_index, frame_keys, keys):
    """Keys of one row for ``random``: see `candidate_hash`."""
    key, second_key = np.uint32(frame_keys[0]), np.uint32(frame_keys[1])
    for i in range(keys.size):
        mixed = np.uint32(np.uint32(first_index + i) * np.uint32(0x9E3779B1)) ^ key
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(16)))
        mixed = np.uint32(mixed * np.uint32(0x7FEB352D))
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(15)))
        mixed = np.uint32(mixed + second_key)
        mixed = np.uint32(mixed * np.uint32(0x846CA68B))
        mixed = np.uint32(mixed ^ (mixed >> np.uint32(16)))
        keys[i] = np.uint32(mixed >> np.uint32(2))


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
    """`aim_row` at one of the four pixels that a unit box around each position may overlap.

    Keys move up a bit for: not the pixel's own position.
    """
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
        corner_keys[i] = np.uint32(keys[i] << np.uint32(1)) | np.uint32(second)
    if has_depth:
        for i in range(targets.size):
            targets[i] = targets[i] if depth[i] > zero else np.int32(-1)


@_compiled
def draw_row(targets, keys, first_index, best, winner):
    """Keep the smallest key at each target; rows come in source order, so the first of equals."""
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
def draw_corners(
    across, down, x, y, depth, has_depth, height, width, overlap, keys, targets, first_index, best,
    winner,
):  # fmt: skip
    """Draw one row with the 2x2 footprint; ``targets`` is scratch."""
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
    single_depth, targets = np.empty(width, np.float32), np.empty(width, np.int32)
    keys = single_depth.view(np.uint32)  # bits of positive floats sort as integers
    for row in range(height):
        across, down = displacement[0, row], displacement[1, row]
        depth, first_index = target_depth[row if has_depth else 0], row * width
        if random:
            hash_keys(first_index, frame_keys, keys)
        else:
            single_depth[:] = depth
        if footprint == 1:
            aim_row(across, down, columns, rows[row], depth, has_depth, height, width, targets)
            draw_row(targets, keys, first_index, best, flat)
        else:
            draw_corners(
                across, down, columns, rows[row], depth, has_depth, height, width, overlap, keys,
                targets, first_index, best, flat,
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
    single_depth, targets = np.empty(width, np.float32), np.empty(width, np.int32)
    keys = single_depth.view(np.uint32)
    x = columns - centre[0]
    for row in range(height):
        at, y, first_index = row if kept else 0, rows[row] - centre[1], row * width
        across, down, moved_depth = displacement[0, at], displacement[1, at], target_depth[at]
        move_row(
            depth[row], table, x, y, minimum_ratio, columns, rows[row], height, width, across,
            down, moved_depth, targets, single_depth,
        )  # fmt: skip
        if random:
            hash_keys(first_index, frame_keys, keys)
        if footprint == 1:
            draw_row(targets, keys, first_index, best, flat)
        else:
            draw_corners(
                across, down, columns, rows[row], moved_depth, True, height, width, overlap, keys,
                targets, first_index, best, flat,
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
