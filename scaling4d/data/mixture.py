"""Weighted mixtures of training sources: what `--mix real:0.9,syn:0.1` means, exactly.

A weight counts *samples drawn*: each draw picks a source with probability weight / sum of weights,
independently of earlier draws, of batch size and of how long the sources are (§3.3 trains on real
and synthetic pairs together; per sample and not per batch is our choice, the paper is silent).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from scaling4d.geometry.seeds import child_seed, rng

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class MixError(ValueError):
    """A mixture that does not parse or does not fit the sources at hand."""


@dataclass(frozen=True)
class Mix:
    """Sources and their weights, in the order written; weights are positive and finite."""

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if not self.weights:
            raise MixError("a mix needs at least one source, such as real:0.9,syn:0.1")
        for name, weight in self.weights.items():
            if not _NAME.fullmatch(name):
                raise MixError(f"a source name is letters, digits, _ and -, got {name!r}")
            if not (math.isfinite(weight) and weight > 0):
                raise MixError(f"mix weights must be positive and finite, got {name}:{weight:g}")

    @classmethod
    def parse(cls, text: str) -> Mix:
        """Read ``name:weight,name:weight``; weights need not sum to 1.

        Raises:
            MixError: if the text has another form, repeats a source, or holds a weight that is
                not a positive finite number.
        """
        weights: dict[str, float] = {}
        for part in text.split(","):
            name, colon, number = (piece.strip() for piece in part.partition(":"))
            if not name or not colon:
                raise MixError(
                    f"a mix is written name:weight,name:weight (real:0.9,syn:0.1), got {text!r}"
                )
            if name in weights:
                raise MixError(f"the mix names {name!r} twice: {text!r}")
            try:
                weights[name] = float(number)
            except ValueError:
                raise MixError(f"the weight of {name!r} is not a number: {number!r}") from None
        return cls(weights)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.weights)

    @property
    def shares(self) -> dict[str, float]:
        """Weights divided by their sum."""
        total = sum(self.weights.values())
        return {name: weight / total for name, weight in self.weights.items()}

    def __str__(self) -> str:
        return ",".join(f"{name}:{weight:g}" for name, weight in self.weights.items())


@dataclass(frozen=True)
class Draw:
    """One sample to be made: everything random about it follows from ``seed``."""

    position: int
    """Place in the run's sequence of draws, from 0."""
    source: str
    item: int
    """Which clip or scene of the source, 0 <= item < its length."""
    epoch: int
    """How often the source had been gone through before."""
    seed: int


@dataclass
class MixtureSampler:
    """An endless, seeded sequence of draws that resumes exactly.

    Draw n depends on the run seed, the mix and the source lengths only, never on batch size or on
    the number of processes. Within a source, items come in a fresh order each epoch, each once.
    """

    mix: Mix
    lengths: Mapping[str, int]
    seed: int
    items: Mapping[str, str] = field(default_factory=dict)
    """Digest of each source's items in their order, to tell other data of the same length."""
    counts: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        for name in self.mix.names:
            if self.lengths.get(name, 0) < 1:
                raise MixError(f"the mix names {name!r}, which has no samples")
        self._edges = np.cumsum([self.mix.shares[name] for name in self.mix.names])
        self._orders: dict[str, tuple[int, np.ndarray]] = {}

    @property
    def position(self) -> int:
        """How many draws were made."""
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Draw]:
        while True:
            yield self.draw()

    def draw(self) -> Draw:
        """Make the next draw."""
        position = self.position
        point = child_seed(self.seed, "mixture", position) / 2.0**64
        # The last edge may round to just under 1, so the last source takes what lies beyond it.
        name = self.mix.names[int(np.searchsorted(self._edges[:-1], point, side="right"))]
        epoch, step = divmod(self.counts[name], self.lengths[name])
        self.counts[name] += 1
        seed = child_seed(self.seed, "draw", position)
        return Draw(position, name, int(self._order(name, epoch)[step]), epoch, seed)

    def _order(self, name: str, epoch: int) -> np.ndarray:
        if self._orders.get(name, (-1,))[0] != epoch:
            order = rng(self.seed, "order", name, epoch).permutation(self.lengths[name])
            self._orders[name] = (epoch, order)
        return self._orders[name][1]

    def state_dict(self) -> dict[str, object]:
        """Return the position as plain JSON values."""
        return {
            "mix": str(self.mix),
            "lengths": dict(self.lengths),
            "items": dict(self.items),
            "counts": dict(self.counts),
        }

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Go on after a saved position.

        Raises:
            MixError: if the state belongs to another mix or to sources of other lengths or items; a
                state that was saved without digests of the items fits any.
        """
        own = self.state_dict()
        for key in ("mix", "lengths"):
            if state.get(key) != own[key]:
                raise MixError(
                    f"the saved run drew from {key} {state.get(key)}, this one has {own[key]}: "
                    "resume with the same mix and data, or start a new run"
                )
        items = state.get("items", {})
        assert isinstance(items, Mapping)
        for name, digest in self.items.items():
            if items.get(name, digest) != digest:
                raise MixError(
                    f"the source {name!r} holds as many items as in the saved run, but other ones "
                    "or in another order, as after a file was renamed: put its files back as they "
                    "were, or start a new run"
                )
        counts = state["counts"]
        assert isinstance(counts, Mapping)
        self.counts = Counter({str(name): int(count) for name, count in counts.items()})
