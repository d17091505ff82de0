"""The CPU path: numpy views of the tensors, frames shared among threads, kernels per frame.

numba's own parallel loops are not used: their thread pools break when a data loader forks, or when
two Python threads enter them. Threads here live for one call, and there are as many as torch uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from . import cpu_kernels
from .field import MIN_DEPTH_RATIO, CorrespondenceField
from .splat import CARRIERS, MIN_OVERLAP, Rule, frame_keys


def splat(
    field: CorrespondenceField, rule: Rule, seed: int, footprint: int
) -> Int[Tensor, "frames height width"]:
    """Winners of a field on the CPU (see `splat_winners`)."""
    displacement = _array(field.displacement)
    depth = _array(field.target_depth) if field.target_depth is not None else None
    no_depth = np.ones((1, 1), displacement.dtype)
    winner = np.empty((field.frames, field.height, field.width), np.int32)
    shared = _Splat.of(displacement.dtype, winner.shape, rule, seed, footprint)

    def work(frame: int, best: NDArray[np.uint32]) -> None:
        z = depth[frame] if depth is not None else no_depth
        cpu_kernels.splat_frame(
            displacement[frame], z, *shared.of_frame(frame), best, winner[frame]
        )

    _each_frame(work, field.frames, lambda: (np.empty(field.height * field.width, np.uint32),))
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

    def work(frame: int) -> None:
        cpu_kernels.gather_frame(values[frame], chosen[frame], warped[frame], mask[frame, 0])

    _each_frame(work, len(source))
    return torch.from_numpy(warped).view(source.dtype), torch.from_numpy(mask)


def warp(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    coefficients: Float[np.ndarray, "frames 12"],
    rule: Rule,
    seed: int,
    footprint: int,
    results: Sequence[Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Depth to (displacement, target depth, winner, warped, mask), a frame at a time.

    ``results`` are five contiguous tensors of the right shapes and dtypes to write into.
    """
    if results is None:
        frames, height, width = depth.shape
        results = (
            _new((frames, 2, height, width), depth.dtype),
            _new((frames, height, width), depth.dtype),
            _new((frames, height, width), torch.int32),
            *_new_pictures(source),
        )
    displacement, target_depth, winner, warped, mask = results
    _warp_frames(
        source, depth, coefficients, rule, seed, footprint, (warped, mask),
        field=(_array(displacement), _array(target_depth), _array(winner)),
    )  # fmt: skip
    return displacement, target_depth, winner, warped, mask


def render(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    coefficients: Float[np.ndarray, "frames 12"],
    rule: Rule,
    seed: int,
    footprint: int,
    results: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Depth to (warped, mask): as `warp`, but the rest never leaves the cache."""
    warped, mask = results or _new_pictures(source)
    _warp_frames(source, depth, coefficients, rule, seed, footprint, (warped, mask), None)
    return warped, mask


def _warp_frames(
    source: Tensor,
    depth: Tensor,
    coefficients: NDArray[np.float64],
    rule: Rule,
    seed: int,
    footprint: int,
    pictures: tuple[Tensor, Tensor],
    field: tuple[NDArray[Any], NDArray[Any], NDArray[np.int32]] | None,
) -> None:
    """Fill ``pictures`` (warped, mask), and ``field`` (displacement, target depth, winner)."""
    frames, height, width = depth.shape
    values, z = _carrier(source), _array(depth)
    warped, mask = _carrier(pictures[0]), _array(pictures[1])
    tables = coefficients.astype(z.dtype)
    centre = np.array([width / 2, height / 2], z.dtype)
    ratio = z.dtype.type(MIN_DEPTH_RATIO)
    shared = _Splat.of(z.dtype, (frames, height, width), rule, seed, footprint)

    def scratch() -> tuple[NDArray[Any], ...]:
        best = np.empty(height * width, np.uint32)
        if field is not None:
            return (best,)
        row = np.empty((3, 1, width), z.dtype)
        return best, row[:2], row[2], np.empty((height, width), np.int32)

    def work(frame: int, best: NDArray[np.uint32], *unkept: NDArray[Any]) -> None:
        displacement, target_depth, winner = (
            unkept if field is None else (part[frame] for part in field)
        )
        cpu_kernels.move_and_splat_frame(
            z[frame],
            tables[frame],
            centre,
            ratio,
            displacement,
            target_depth,
            *shared.of_frame(frame),
            best,
            winner,
        )
        cpu_kernels.gather_frame(values[frame], winner, warped[frame], mask[frame, 0])

    _each_frame(work, frames, scratch)


def _new(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Memory from numpy, which asks for huge pages: the first write to it costs less."""
    size = dtype.itemsize * math.prod(shape)
    if not size:  # torch cannot see numpy's empty bytes as another dtype
        return torch.empty(shape, dtype=dtype)
    return torch.from_numpy(np.empty(size, np.uint8)).view(dtype).view(*shape)


def _new_pictures(source: Tensor) -> tuple[Tensor, Tensor]:
    frames, _, height, width = source.shape
    return _new(source.shape, source.dtype), _new((frames, 1, height, width), torch.float32)


@dataclass(frozen=True)
class _Splat:
    """What every frame of a splat shares."""

    columns: NDArray[Any]
    rows: NDArray[Any]
    random: bool
    keys: NDArray[np.int64]
    footprint: int
    overlap: np.floating

    @classmethod
    def of(
        cls, real: np.dtype[Any], shape: tuple[int, ...], rule: Rule, seed: int, footprint: int
    ) -> _Splat:
        frames, height, width = shape
        half = real.type(0.5)
        return cls(
            columns=np.arange(width).astype(real) + half,
            rows=np.arange(height).astype(real) + half,
            random=rule == "random",
            keys=frame_keys(seed, frames).numpy()
            if rule == "random"
            else np.zeros((frames, 2), int),
            footprint=footprint,
            overlap=real.type(MIN_OVERLAP),
        )

    def of_frame(self, frame: int) -> tuple[Any, ...]:
        """The middle arguments of the frame kernels."""
        keys = self.keys[frame]
        return self.columns, self.rows, self.random, keys, self.footprint, self.overlap


def _each_frame(
    work: Callable[..., None],
    frames: int,
    scratch: Callable[[], tuple[NDArray[Any], ...]] = tuple,
) -> None:
    """Run ``work(frame, *scratch())`` for every frame; each thread has its own scratch.

    The caller's thread works too, and each takes the next frame when it is ready for one: a thread
    that the system starts late costs its own share of the time, not half of the frames.
    """
    threads = max(1, min(torch.get_num_threads(), frames))
    waiting = iter(range(frames))  # taking the next item is one step under the interpreter's lock

    def run() -> None:
        own = scratch()
        for frame in waiting:
            work(frame, *own)

    if threads == 1:
        run()
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(run) for _ in range(threads - 1)]
        run()
        for helper in helpers:
            helper.result()


def _array(tensor: Tensor) -> NDArray[Any]:
    """The tensor's memory as an array; copied only when it is not contiguous."""
    array: NDArray[Any] = tensor.detach().contiguous().numpy()
    return array


def _carrier(source: Tensor) -> NDArray[Any]:
    return _array(source.detach().contiguous().view(CARRIERS[source.element_size()]))
