"""Which two clips of one video make a training pair (§3.2, Fig. 3: "arbitrarily select two clips").

At inference a trajectory usually starts at the source view, so C^r is zero in the first frame and
grows; a constant time offset alone never shows that. Hence five modes, drawn by weight. Frame
numbers below count frames of a clip at its own rate; a shot is a run of frames without a cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scaling4d.data.pair_measure import Measure, measure_flow

__all__ = [
    "MODES",
    "Candidate",
    "ClipPairConfig",
    "Measure",
    "Mode",
    "PairReport",
    "draw_candidate",
    "judge",
    "measure_flow",
]

Mode = Literal["constant", "growing", "reversed", "still", "identity"]
MODES: tuple[Mode, ...] = get_args(Mode)

_MODE_STREAM = 0
"""Child of a generator's seed that chooses the mode."""


@dataclass(frozen=True, kw_only=True)
class ClipPairConfig:
    """How pairs are drawn from a video and which are kept."""

    constant: float = 0.25
    """Weight of: target = source shifted in time by a constant offset, either way."""
    growing: float = 0.45
    """Weight of: both start together and the offset grows evenly, either way (as at inference)."""
    reversed: float = 0.1
    """Weight of: target = the source's frames in reverse order."""
    still: float = 0.15
    """Weight of: source = one frame repeated, target moves away from it (bullet time)."""
    identity: float = 0.05
    """Weight of: target = source."""
    min_offset: int = 1
    """Smallest largest offset between source and target, in frames."""
    max_offset: int = 16
    """Largest offset between source and target in modes constant and growing, in frames."""
    min_displacement: float = 0.003
    """Smallest mean length of C^r over a pair, as a share of the width (identity exempt)."""
    max_displacement: float = 0.35
    """Largest mean length of C^r over a pair, as a share of the width."""
    min_valid: float = 0.4
    """Smallest share of source pixels whose flow the backward flow confirms."""
    min_frame_valid: float = 0.2
    """Smallest share of them in any one frame. A few frames that join two scenes across a missed
    cut vanish in the mean; between the project's real clips they had 0.17 at most. Of 227
    candidates drawn in those clips themselves this bound turns 5 away."""
    min_covered: float = 0.35
    """Smallest share of target pixels that the warp draws."""
    min_contrast: float = 3.0
    """Smallest contrast of an identity pair's frames, in 8-bit levels (standard deviation of grey):
    black leader shows nothing. The other modes need motion, which a blank picture has not."""
    attempts: int = 12
    """Candidates of the drawn mode that are tried before a clip is given up for a draw."""
    variants: int = 8
    """Pairs made (and cached) per clip; 0 = a new pair in every epoch, uncached."""

    def __post_init__(self) -> None:
        if min(self.weights.values()) < 0 or not sum(self.weights.values()) > 0:
            raise ValueError(f"mode weights must be >= 0 with a positive sum, got {self.weights}")
        if not 1 <= self.min_offset <= self.max_offset:
            raise ValueError(
                f"1 <= min_offset <= max_offset expected, got {self.min_offset}, {self.max_offset}"
            )
        if not 0 <= self.min_displacement < self.max_displacement:
            raise ValueError(
                "0 <= min_displacement < max_displacement expected, got "
                f"{self.min_displacement}, {self.max_displacement}"
            )
        shares = (self.min_valid, self.min_frame_valid, self.min_covered)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(
                "min_valid, min_frame_valid and min_covered are shares between 0 and 1, got "
                f"{', '.join(f'{share:g}' for share in shares)}"
            )
        if not 0 <= self.min_contrast < 128:
            raise ValueError(
                f"min_contrast is in 8-bit levels, 0 <= it < 128 expected, got {self.min_contrast}"
            )
        if self.attempts < 1 or self.variants < 0:
            raise ValueError("attempts must be at least 1 and variants at least 0")

    @property
    def weights(self) -> dict[Mode, float]:
        """Weight of each mode."""
        return {mode: float(getattr(self, mode)) for mode in MODES}


@dataclass(frozen=True)
class Candidate:
    """Frames of one clip that may become a pair."""

    mode: Mode
    source: NDArray[np.int64]
    """Frame numbers of I^s, within the clip."""
    target: NDArray[np.int64]
    """Frame numbers of I^t, within the clip."""

    def describe(self) -> str:
        """Name mode and frames in a few words, for reports."""
        offsets = self.target - self.source
        return (
            f"{self.mode} {self.source[0]}..{self.source[-1]} -> "
            f"{self.target[0]}..{self.target[-1]} (offset {offsets[0]:+d} to {offsets[-1]:+d})"
        )


def draw_candidate(
    shots: Sequence[tuple[int, int]],
    frames: int,
    config: ClipPairConfig,
    generator: np.random.Generator,
) -> Candidate | str:
    """Draw a shot (by length) and an offset (uniformly) for the mode that the generator stands for.

    All candidates of one generator have one mode, drawn by weight among those that the longest shot
    can hold. If it were drawn anew after each candidate that is rejected, videos without motion,
    which only identity pairs pass, would become nothing but identity pairs.

    Args:
        shots: (start, end) of each shot, end exclusive.
        frames: length n of the pair.
        config: weights and offset bounds.
        generator: source of all randomness.

    Returns:
        A candidate inside one shot, or the reason why no shot holds one.
    """
    if not shots:
        return "no shot without a cut or dissolve"
    longest = max(end - start for start, end in shots)
    needed = {
        mode: _spans(mode, frames, config) for mode, weight in config.weights.items() if weight > 0
    }
    fitting = [mode for mode, spans in needed.items() if min(spans.values()) <= longest]
    if not fitting:
        shortest = min(min(spans.values()) for spans in needed.values())
        return (
            f"{', '.join(needed)}: the longest shot has {longest} frames, "
            f"at least {shortest} needed"
        )
    mode = _mode(fitting, config, generator)
    spans = needed[mode]
    roomy = [(start, end) for start, end in shots if end - start >= min(spans.values())]
    lengths = np.array([end - start for start, end in roomy])
    start, end = roomy[int(generator.choice(len(roomy), p=lengths / lengths.sum()))]
    offset = int(generator.choice([o for o, span in spans.items() if span <= end - start]))
    source, target = _frames(mode, frames, offset)
    shift = start - min(source.min(), target.min())
    shift += int(generator.integers(end - start - spans[offset] + 1))
    return Candidate(mode, source + shift, target + shift)


def _mode(modes: Sequence[Mode], config: ClipPairConfig, generator: np.random.Generator) -> Mode:
    """Draw a mode by weight from a child of the generator's seed, however much it has drawn."""
    seed = generator.bit_generator.seed_seq
    assert isinstance(seed, np.random.SeedSequence)
    child = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, _MODE_STREAM))
    weights = np.array([config.weights[mode] for mode in modes])
    return modes[int(np.random.default_rng(child).choice(len(modes), p=weights / weights.sum()))]


def _spans(mode: Mode, frames: int, config: ClipPairConfig) -> dict[int, int]:
    """Return how many frames of a shot each offset needs, from its first to its last."""
    sizes = range(config.min_offset, config.max_offset + 1)
    spans = {}
    for offset in (sign * size for size in sizes for sign in (1, -1)):
        both = np.concatenate(_frames(mode, frames, offset))
        spans[offset] = int(np.ptp(both)) + 1
    return spans


def _frames(mode: Mode, frames: int, offset: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return source and target of a mode for a source that starts at frame 0."""
    steps = np.arange(frames)
    source = np.zeros(frames, dtype=np.int64) if mode == "still" else steps
    return source, _target(mode, steps, offset)


def _target(mode: Mode, steps: NDArray[np.int64], offset: int) -> NDArray[np.int64]:
    match mode:
        case "constant":
            return steps + offset
        case "growing":
            grown = np.floor(steps * (offset / max(len(steps) - 1, 1)) + 0.5).astype(np.int64)
            return steps + grown
        case "reversed":
            return steps[::-1].copy()
        case "still":
            return steps * (1 if offset > 0 else -1)
        case "identity":
            return steps


def judge(
    candidate: Candidate, measure: Measure, width: int, config: ClipPairConfig
) -> tuple[bool, str]:
    """Return whether a candidate keeps every bound, and why: the first one broken, or all kept."""
    least = 0.0 if candidate.mode == "identity" else config.min_displacement
    share = measure.mean_displacement / width
    findings = [
        _within("mean displacement / width", share, least, config.max_displacement),
        _within("valid share", measure.valid_share, config.min_valid, 1.0),
        _within(
            "least valid share of a frame", measure.least_valid_share, config.min_frame_valid, 1.0
        ),
        _within("covered share", measure.covered_share, config.min_covered, 1.0),
    ]
    if candidate.mode == "identity":
        findings.append(_within("contrast", measure.contrast, config.min_contrast, 255.0))
    for kept, words in findings:
        if not kept:
            return False, words
    return True, ", ".join(words for _, words in findings)


def _within(name: str, value: float, low: float, high: float) -> tuple[bool, str]:
    if value < low:
        return False, f"{name} {value:.4f} is below {low:g}"
    if not value <= high:  # NaN too
        return False, f"{name} {value:.4f} is above {high:g}"
    return True, f"{name} {value:.4f} is within {low:g} to {high:g}"


@dataclass
class PairReport:
    """The story of one pair: what was tried, what was measured, why it was kept."""

    accepted: str = ""
    """The frames that became the pair, the mode first; empty if none did."""
    why: str = ""
    """The bounds that they keep."""
    measure: Mapping[str, float | None] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    passed_over: list[dict[str, Any]] = field(default_factory=list)
    """Clips tried before this one that gave no pair, with their rejected candidates."""

    def reject(self, candidate: Candidate | None, reason: str, measure: Measure | None) -> None:
        """Note a candidate that was not used."""
        self.rejected.append(
            {
                "candidate": candidate.describe() if candidate else "",
                "reason": reason,
                **({} if measure is None else measure.rounded()),
            }
        )

    def accept(self, candidate: Candidate, reason: str, measure: Measure) -> None:
        """Note the candidate that became the pair, and why."""
        self.accepted, self.why = candidate.describe(), reason
        self.measure = measure.rounded()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> PairReport:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
