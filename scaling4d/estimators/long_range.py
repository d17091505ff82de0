"""Correspondence between far frames of a video: direct, chained, or the better of both.

The paper computes correspondences "from sequential video frames" (section 4.1) and is silent on how
far frames are joined; all three ways are offered.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, SupportsIndex

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from scaling4d.correspondence.chaining import compose
from scaling4d.correspondence.consistency import forward_backward
from scaling4d.correspondence.field import CorrespondenceField, from_flow

from .base import EstimatorError, FlowEstimator

Method = Literal["direct", "chain", "hybrid"]
METHODS = ("direct", "chain", "hybrid")


@dataclass(frozen=True)
class LongRangeFlow:
    """Correspondence from each source frame to its target frame.

    Attributes:
        field: dense displacement in pixels, one frame per pair.
        consistent: (pairs, height, width) True where the forward-backward check holds; for a chain,
            at every link.
        direct_share: (pairs,) share of the pixels that were taken from direct flow, 0..1.
    """

    field: CorrespondenceField
    consistent: Bool[Tensor, "pairs height width"]
    direct_share: Float[Tensor, " pairs"]

    def valid_share(self) -> Float[Tensor, " pairs"]:
        """Share of the pixels that pass the check, per pair, 0..1."""
        return self.consistent.double().mean(dim=(1, 2))


class VideoFlow:
    """Flow between any two frames of one video; each pair of frames is estimated once."""

    def __init__(
        self,
        video: UInt8[Tensor, "frames 3 height width"],
        estimator: FlowEstimator,
        batch_size: int = 8,
    ) -> None:
        """Keep the video and an estimator; nothing is computed yet.

        Args:
            video: RGB frames.
            estimator: any flow estimator.
            batch_size: pairs of frames given to the estimator at a time.

        Raises:
            EstimatorError: if the batch size is under 1.
        """
        if batch_size < 1:
            raise EstimatorError(f"batch_size must be at least 1, got {batch_size}")
        self.video = video
        self.estimator = estimator
        self.batch_size = batch_size
        self._flows: dict[tuple[int, int], Tensor] = {}

    def __call__(
        self,
        sources: Iterable[SupportsIndex],
        targets: Iterable[SupportsIndex],
        method: Method = "direct",
    ) -> LongRangeFlow:
        """Correspondence from frame ``sources[i]`` to frame ``targets[i]``, in either direction.

        ``direct`` estimates each pair in one step. ``chain`` joins neighbour flows, reading each
        link where the pixel has got to; it costs nothing more once the neighbours are cached.
        ``hybrid`` takes, per pixel, the direct flow where it passes the forward-backward check,
        else the chain where every link passes, else the direct flow.

        Raises:
            EstimatorError: if the method is unknown, or a frame is no whole number or not in the
                video.
        """
        pairs = self._pairs(sources, targets, method)
        wanted = pairs if method != "chain" else []
        if method != "direct":
            wanted = wanted + [link for pair in pairs for link in _links(*pair)]
        # Both ways, and all at once: what follows asks for few at a time, and finds them here.
        self._estimate([*wanted, *((target, source) for source, target in wanted)])
        if method == "chain":
            chained = self._chained(pairs)
            return LongRangeFlow(*chained, torch.zeros(len(pairs), device=self.video.device))
        direct, passes = self._direct(pairs)
        if method == "direct":
            return LongRangeFlow(direct, passes, torch.ones(len(pairs), device=self.video.device))
        chain, links_pass = self._chained(pairs)
        take_chain = ~passes & links_pass
        merged = torch.where(take_chain[:, None], chain.displacement, direct.displacement)
        share = 1 - take_chain.float().mean(dim=(1, 2))
        return LongRangeFlow(CorrespondenceField(merged), passes | links_pass, share)

    def neighbour_flows(self, forward: bool = True) -> Float[Tensor, "links 2 height width"]:
        """Flow from each frame to the next, or from each to the one before, in frame order."""
        count = len(self.video)
        steps = [(i, i + 1) if forward else (i + 1, i) for i in range(count - 1)]
        return self._flow(steps)

    def forget(self) -> None:
        """Free the cached flows."""
        self._flows.clear()

    def _direct(
        self, pairs: list[tuple[int, int]]
    ) -> tuple[CorrespondenceField, Bool[Tensor, "pairs height width"]]:
        there = from_flow(self._flow(pairs))
        back = from_flow(self._flow([(target, source) for source, target in pairs]))
        return there, forward_backward(there, back).consistent

    def _chained(
        self, pairs: list[tuple[int, int]]
    ) -> tuple[CorrespondenceField, Bool[Tensor, "pairs height width"]]:
        """Walk from each source one frame at a time, forward and backward, as far as is asked."""
        found: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
        for source in dict.fromkeys(source for source, _ in pairs):
            targets = [target for start, target in pairs if start == source]
            for end in {max(source, *targets), min(source, *targets)}:
                found.update(self._walk(source, end, set(targets)))
        chosen = [found[pair] for pair in pairs]
        field = CorrespondenceField(torch.stack([displacement for displacement, _ in chosen]))
        return field, torch.stack([unbroken for _, unbroken in chosen])

    def _walk(
        self, source: int, end: int, targets: set[int]
    ) -> dict[tuple[int, int], tuple[Tensor, Tensor]]:
        """Chain links from source to end and keep what the targets need."""
        chain = from_flow(self._flow([(source, source)]))
        unbroken = chain.in_frame()
        found = {(source, source): (chain.displacement[0], unbroken[0])}
        for link in _links(source, end):
            onward, holds = self._direct([link])
            unbroken = unbroken & _read_at(holds, chain)
            chain = compose(chain, onward, outside="border")
            if link[1] in targets:
                found[source, link[1]] = chain.displacement[0], unbroken[0]
        return found

    def _flow(self, pairs: list[tuple[int, int]]) -> Float[Tensor, "pairs 2 height width"]:
        self._estimate(pairs)
        if not pairs:
            return torch.empty(0, 2, *self.video.shape[2:], device=self.video.device)
        return torch.stack([self._flows[pair] for pair in pairs])

    def _estimate(self, pairs: list[tuple[int, int]]) -> None:
        """Estimate the flows that are not cached, in full batches."""
        height, width = self.video.shape[2:]
        missing = [pair for pair in dict.fromkeys(pairs) if pair not in self._flows]
        for pair in [pair for pair in missing if pair[0] == pair[1]]:
            self._flows[pair] = torch.zeros(2, height, width, device=self.video.device)
            missing.remove(pair)
        for start in range(0, len(missing), self.batch_size):
            batch = missing[start : start + self.batch_size]
            first = self.video[[source for source, _ in batch]]
            second = self.video[[target for _, target in batch]]
            self._flows.update(zip(batch, self.estimator(first, second), strict=True))

    def _pairs(
        self, sources: Iterable[SupportsIndex], targets: Iterable[SupportsIndex], method: str
    ) -> list[tuple[int, int]]:
        """Return the checked frame numbers as (source, target)."""
        if method not in METHODS:
            raise EstimatorError(f"the long-range method must be one of {METHODS}, got {method!r}")
        try:
            starts, ends = ([operator.index(frame) for frame in row] for row in (sources, targets))
        except TypeError as error:
            raise EstimatorError(f"frames are given by whole numbers: {error}") from error
        if len(starts) != len(ends) or not starts:
            raise EstimatorError(
                "sources and targets must name as many frames, at least one, "
                f"got {len(starts)} and {len(ends)}"
            )
        frames = len(self.video)
        outside = [frame for frame in (*starts, *ends) if not 0 <= frame < frames]
        if outside:
            raise EstimatorError(f"frame {outside[0]} is not in a video of {frames} frames")
        return list(zip(starts, ends, strict=True))


def _links(source: int, target: int) -> list[tuple[int, int]]:
    step = 1 if target >= source else -1
    return [(frame, frame + step) for frame in range(source, target, step)]


def _read_at(
    holds: Bool[Tensor, "1 height width"], chain: CorrespondenceField
) -> Bool[Tensor, "1 height width"]:
    """Whether the link holds at the pixel where the chain has got to; False outside the image."""
    inside = chain.in_frame()
    column, row = torch.nan_to_num(chain.positions()).floor().long().unbind(dim=1)
    index = row.clamp(0, chain.height - 1) * chain.width + column.clamp(0, chain.width - 1)
    return inside & holds.flatten(1).gather(1, index.flatten(1)).view_as(inside)
