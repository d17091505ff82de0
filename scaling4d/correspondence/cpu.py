"""The CPU path: numpy views of the tensors, frames shared among threads, kernels per frame.

numba's own parallel loops are not used: their thread pools break when a data loader forks, or when
two Python threads enter them. Threads here live for one call, and there are as many as torch uses.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from . import cpu_kernels
from .field import MIN_DEPTH_RATIO, CorrespondenceField
from .splat import MIN_OVERLAP, Rule, frame_keys

# Kernels move values without looking at them, so one compiled version serves each size in bytes.
_CARRIERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def can_gather(source: Tensor) -> bool:
    """Whether the kernels can move these values: on the CPU, of a plain size, without gradient."""
    return (
        source.device.type == "cpu"
        and source.element_size() in _CARRIERS
        and not (source.requires_grad and torch.is_grad_enabled())
    )


def splat(
    field: CorrespondenceField, rule: Rule, seed: int, footprint: int
) -> Int[Tensor, "frames height width"]:
    """Winners of a field on the CPU (see `splat_winners`)."""
    winner = np.empty((field.frames, field.height, field.width), np.int32)
    splat_one = _splatter(field.displacement.dtype, winner.shape, rule, seed, footprint)
    displacement, depth = _array(field.displacement), None
    if field.target_depth is not None:
        depth = _array(field.target_depth)

    def work(frame: int, scratch: NDArray[np.uint32]) -> None:
        splat_one(frame, displacement[frame], depth, winner[frame], scratch)

    _each_frame(work, field.frames, field.height * field.width)
    return torch.from_numpy(winner)


def gather(
    source: Shaped[Tensor, "frames channels height width"],
    winner: Int[Tensor, "frames target_height target_width"],
) -> tuple[
    Shaped[Tensor, "frames channels target_height target_width"],
    Float[Tensor, "frames 1 target_height target_width"],
]:
    """Warped values and mask on the CPU (see `splat.gather`)."""
    values, chosen = _carrier(source), _array(winner)
    warped = np.empty((*source.shape[:2], *winner.shape[1:]), values.dtype)
    mask = np.empty((len(source), 1, *winner.shape[1:]), np.float32)

    def work(frame: int, _: NDArray[np.uint32]) -> None:
        cpu_kernels.gather_frame(values[frame], chosen[frame], warped[frame], mask[frame, 0])

    _each_frame(work, len(source), 0)
    return torch.from_numpy(warped).view(source.dtype), torch.from_numpy(mask)


def warp(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    coefficients: Float[np.ndarray, "frames 12"],
    rule: Rule,
    seed: int,
    footprint: int,
) -> tuple[CorrespondenceField, Tensor, Tensor, Tensor]:
    """Depth to (field, winner, warped, mask) in one pass over each frame, while it is in cache."""
    frames, height, width = depth.shape
    values, z = _carrier(source), _array(depth)
    # numpy asks the system for huge pages, which makes first writes to large results cheaper.
    displacement = np.empty((frames, 2, height, width), z.dtype)
    target_depth = np.empty_like(z)
    winner = np.empty(z.shape, np.int32)
    warped = np.empty(values.shape, values.dtype)
    mask = np.empty((frames, 1, height, width), np.float32)
    tables = coefficients.astype(z.dtype)
    columns, rows = _axes(height, width, z.dtype)
    centre = np.array([width / 2, height / 2], z.dtype)
    ratio = z.dtype.type(MIN_DEPTH_RATIO)
    splat_one = _splatter(depth.dtype, winner.shape, rule, seed, footprint)

    def work(frame: int, scratch: NDArray[np.uint32]) -> None:
        moved = displacement[frame], target_depth[frame]
        cpu_kernels.move_frame(z[frame], tables[frame], columns, rows, centre, ratio, *moved)
        splat_one(frame, displacement[frame], target_depth, winner[frame], scratch)
        cpu_kernels.gather_frame(values[frame], winner[frame], warped[frame], mask[frame, 0])

    _each_frame(work, frames, height * width)
    field = CorrespondenceField(torch.from_numpy(displacement), torch.from_numpy(target_depth))
    moved_values = torch.from_numpy(warped).view(source.dtype)
    return field, torch.from_numpy(winner), moved_values, torch.from_numpy(mask)


def _splatter(
    dtype: torch.dtype, shape: tuple[int, ...], rule: Rule, seed: int, footprint: int
) -> Callable[..., None]:
    """Bind what every frame of a splat shares."""
    frames, height, width = shape
    real = np.dtype(str(dtype).removeprefix("torch."))
    columns, rows = _axes(height, width, real)
    keys = frame_keys(seed, frames).numpy() if rule == "random" else np.zeros((frames, 2), int)
    overlap = real.type(MIN_OVERLAP)
    no_depth = np.ones((1, 1), real)

    def splat_one(
        frame: int,
        displacement: NDArray[Any],
        depth: NDArray[Any] | None,
        winner: NDArray[np.int32],
        scratch: NDArray[np.uint32],
    ) -> None:
        cpu_kernels.splat_frame(
            displacement,
            no_depth if depth is None else depth[frame],
            columns,
            rows,
            rule == "random",
            keys[frame],
            footprint,
            overlap,
            scratch,
            winner,
        )

    return splat_one


def _each_frame(
    work: Callable[[int, NDArray[np.uint32]], None], frames: int, scratch_pixels: int
) -> None:
    """Run ``work(frame, scratch)`` for every frame; each thread has its own scratch."""
    threads = max(1, min(torch.get_num_threads(), frames))

    def run(part: range) -> None:
        scratch = np.empty(scratch_pixels, np.uint32)
        for frame in part:
            work(frame, scratch)

    if threads == 1:
        run(range(frames))
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, [range(start, frames, threads) for start in range(threads)]):
            pass


def _axes(height: int, width: int, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    half = dtype.type(0.5)
    return np.arange(width).astype(dtype) + half, np.arange(height).astype(dtype) + half


def _array(tensor: Tensor) -> NDArray[Any]:
    """The tensor's memory as an array; copied only when it is not contiguous."""
    array: NDArray[Any] = tensor.detach().contiguous().numpy()
    return array


def _carrier(source: Tensor) -> NDArray[Any]:
    return _array(source.detach().contiguous().view(_CARRIERS[source.element_size()]))
