"""Clips of monocular videos as a source of pairs: flow between two clips of one shot (§3.2)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from scaling4d.correspondence.control import build_control
from scaling4d.correspondence.warp import warp_from_flow
from scaling4d.data.clip_pairs import (
    Candidate,
    ClipPairConfig,
    PairReport,
    draw_candidate,
    judge,
    measure_flow,
)
from scaling4d.data.disk_cache import Arrays, DiskCache, settings_hash
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipPair, ClipSize, DataError, names_below, to_signed
from scaling4d.data.shots import find_shots
from scaling4d.data.video_clips import VideoClip
from scaling4d.estimators import make_flow_estimator
from scaling4d.estimators.base import FlowEstimator
from scaling4d.estimators.long_range import VideoFlow
from scaling4d.geometry.seeds import child_seed, rng

log = logging.getLogger(__name__)

_CACHE_VERSION = 5
"""Part of every key: raise it when shots are found or pairs drawn in another way, or when the
meaning of a cached value changes."""

_BEYOND = 1 << 32
"""No run has as many epochs: variants beside those of epochs, where each epoch has its own."""


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """Which optical flow gives the correspondence of real pairs."""

    name: str = "raft_large"
    """A name known to `scaling4d.estimators.make_flow_estimator`; the paper uses RAFT."""
    options: dict[str, Any] = field(default_factory=dict)
    """Arguments of that estimator, such as a path to weights."""
    method: Literal["direct", "chain", "hybrid"] = "direct"
    """How far frames are joined: in one step, by neighbour flows, or by the better of both per
    pixel."""
    device: str = "cpu"
    """Where it runs: cpu, cuda, cuda:1 ..."""
    batch: int = 16
    """Image pairs per call."""


class RealPairs:
    """Pairs of clips of videos; an item is one clip."""

    def __init__(
        self,
        clips: Sequence[VideoClip],
        size: ClipSize,
        *,
        config: ClipPairConfig,
        flow: FlowConfig,
        cache: DiskCache,
        seed: int,
        skip_broken: bool = False,
    ) -> None:
        """Offer pairs of these clips, the same for the same seed whatever the folder is called.

        Args:
            clips: the items, in the order that draws count them.
            size: what every clip is brought to.
            config: how pairs are drawn and which are kept.
            flow: the estimator of the correspondence.
            cache: for decoded frames, shots and pairs.
            seed: of everything random.
            skip_broken: pass over a clip that turns out to be unreadable, with one warning.

        Raises:
            EstimatorError: if the optical flow cannot be had.
        """
        self.clips = list(clips)
        self.size = size
        self.config = config
        self.flow = flow
        self.cache = cache
        self.seed = seed
        self.skip_broken = skip_broken
        self._broken: dict[VideoClip, str] = {}
        # Built here so that missing weights are told before a run begins.
        self._estimator: FlowEstimator | None = self._make_estimator()
        # What the flow depends on is more than its options: weights may change under their name.
        # Kept here, because a worker process builds its estimator only for what is not cached.
        self._flow_settings = getattr(self._estimator, "settings", flow.options)

    def __len__(self) -> int:
        return len(self.clips)

    def item_names(self) -> list[str]:
        """Name each clip by its file and window; files are not opened for it."""
        names = names_below([clip.path for clip in self.clips])
        return [
            f"{name} {clip.indices[0]}..{clip.indices[-1]} ({len(clip.indices)})"
            for name, clip in zip(names, self.clips, strict=True)
        ]

    def pair(self, draw: Draw) -> ClipPair:
        """Make the pair of a draw: variant ``epoch`` (modulo ``variants``) of its clip.

        A clip that yields no acceptable pair hands over to the next one, and with ``skip_broken``
        so does one that cannot be read. Where all do, their other variants are tried: a variant has
        one mode, which few videos may not allow. The report says what was passed over.

        Raises:
            DataError: if no variant of a clip yields a pair, or a video is broken (unless skipped).
        """
        passed_over: list[dict[str, Any]] = []
        last = ""
        for number, variant in enumerate(self._variants(draw.epoch)):
            for step in range(len(self.clips)):
                clip = self.clips[(draw.item + step) % len(self.clips)]
                if number > 0 and clip in self._broken:
                    continue  # as the report says already
                try:
                    made = self._pair_of(clip, variant, draw.seed)
                except DataError as error:
                    last = self._skip(clip, str(error))
                    passed_over.append({"clip": clip.path.name, "rejected": [], "broken": last})
                    continue
                if isinstance(made, ClipPair):
                    made.report = {**made.report, "passed_over": passed_over}
                    return made
                last = made.rejected[-1]["reason"]
                passed_over.append({"clip": clip.path.name, "rejected": made.rejected})
        broken = len(self._broken)
        unread = f", {broken} cannot be read" if broken else ""
        raise DataError(
            f"none of the {len(self.clips)} clips gave a pair in any of {self._tried} variants of "
            f"{self.config.attempts} attempts{unread} (the last reason: {last}); loosen data.pairs "
            "or use videos with more motion"
        )

    @property
    def _tried(self) -> int:
        return self.config.variants or ClipPairConfig().variants

    def _variants(self, epoch: int) -> list[int]:
        """Return the variant of an epoch, then those to try where no clip gives that one."""
        if self.config.variants:
            return [(epoch + step) % self.config.variants for step in range(self._tried)]
        return [epoch + step * _BEYOND for step in range(self._tried)]

    def _pair_of(self, clip: VideoClip, variant: int, seed: int) -> ClipPair | PairReport:
        """Return a clip's pair, or the report on why it gives none."""
        if clip in self._broken:
            raise DataError(self._broken[clip])
        try:
            clip.identity  # noqa: B018 -- reads the file, which may be gone since the start
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{clip.path}: {reason}; replace or remove the file") from None
        # Frames are needed once or twice or not at all, and decoding them is dear.
        read = functools.cache(functools.partial(clip.read, self.size, self.cache))
        entry = self._variant(clip, variant, read)
        report = PairReport.from_json(str(entry["report"]))
        return self._assemble(clip, read(), entry, report, seed) if report.accepted else report

    def _skip(self, clip: VideoClip, problem: str) -> str:
        """Warn of a broken clip the first time, or stop for it; return what is wrong with it."""
        if not self.skip_broken:
            raise DataError(f"{problem}, or set data.skip_broken=true") from None
        if clip not in self._broken:
            log.warning("skipped: %s", problem)
            self._broken[clip] = problem
        return problem

    def _make_estimator(self) -> FlowEstimator:
        options = dict(self.flow.options)
        if self.flow.name.startswith("raft"):
            options.setdefault("device", self.flow.device)
        return make_flow_estimator(self.flow.name, **options)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the estimator behind when travelling to a worker process, which builds its own."""
        return {**self.__dict__, "_estimator": None}

    def _variant(
        self, clip: VideoClip, variant: int, read: Callable[[], NDArray[np.uint8]]
    ) -> Arrays:
        """Return the frames, flow and report of one variant of a clip, cached when it may recur."""
        size = asdict(self.size)
        flow = {"name": self.flow.name, "settings": self._flow_settings, "method": self.flow.method}
        key = settings_hash(
            _CACHE_VERSION, clip.identity, size, asdict(self.config), flow, self.seed, variant
        )
        cache = self.cache if self.config.variants else DiskCache(None)
        return cache.get("pairs", key, lambda: self._search(clip, variant, read()))

    def _search(self, clip: VideoClip, variant: int, video: NDArray[np.uint8]) -> Arrays:
        """Draw candidates until one passes every bound."""
        shots = self._shots(clip, video)
        if self._estimator is None:
            self._estimator = self._make_estimator()
        frames = torch.from_numpy(np.ascontiguousarray(video.transpose(0, 3, 1, 2)))
        flow = VideoFlow(frames.to(self.flow.device), self._estimator, self.flow.batch)
        generator = rng(self.seed, "pair", clip.identity, variant)
        report = PairReport()
        for attempt in range(self.config.attempts):
            candidate = draw_candidate(shots, self.size.frames, self.config, generator)
            if isinstance(candidate, str):
                report.reject(None, candidate, None)
                continue
            seed = child_seed(self.seed, "measure", clip.identity, variant, attempt)
            displacement = self._try(flow, candidate, report, seed)
            if report.accepted:
                return {
                    "source": candidate.source,
                    "target": candidate.target,
                    "flow": displacement,
                    "report": np.array(report.to_json()),
                }
        return {"report": np.array(report.to_json())}

    def _try(
        self, flow: VideoFlow, candidate: Candidate, report: PairReport, seed: int
    ) -> NDArray[np.float16]:
        """Measure a candidate and report on it; return its flow, rounded as stored."""
        sources, targets = candidate.source.tolist(), candidate.target.tolist()
        found = flow(sources, targets, self.flow.method)
        if self.flow.method != "chain":
            flow.forget()  # only the links of a chain serve other candidates too
        # Half precision rounds by under 0.02 px up to 64 px, less than any estimator errs.
        rounded = found.field.displacement.cpu().half()
        video = flow.video.cpu()
        warp = warp_from_flow(video[sources], rounded.float(), seed=seed)
        measure = measure_flow(
            rounded.float(), found.consistent.cpu(), warp.mask, warp.warped, video[targets]
        )
        kept, reason = judge(candidate, measure, self.size.width, self.config)
        if kept:
            report.accept(candidate, reason, measure)
        else:
            report.reject(candidate, reason, measure)
        return rounded.numpy()

    def _shots(self, clip: VideoClip, video: NDArray[np.uint8]) -> list[tuple[int, int]]:
        key = settings_hash(_CACHE_VERSION, clip.identity, self.size.height, self.size.width)
        entry = self.cache.get("shots", key, lambda: {"shots": np.array(find_shots(video))})
        return [(int(start), int(end)) for start, end in entry["shots"]]

    def _assemble(
        self,
        clip: VideoClip,
        video: NDArray[np.uint8],
        entry: Arrays,
        report: PairReport,
        seed: int,
    ) -> ClipPair:
        source = to_signed(video[entry["source"]])
        flow = torch.from_numpy(entry["flow"]).float()
        warp = warp_from_flow(source, flow, seed=seed)
        return ClipPair(
            source=source,
            target=to_signed(video[entry["target"]]),
            control=build_control(source, warp.field.displacement, warp.warped, warp.mask),
            prompt=clip.prompt,
            origin=f"{clip.path.name}: {report.accepted}",
            report=report.as_dict(),
        )
