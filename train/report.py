"""What a run tells: one JSON line per step, one per pair, and progress for people."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm

from scaling4d.data.mixture import Mix
from scaling4d.storage.atomic import write_text_atomic

log = logging.getLogger("train")


class JsonLines:
    """A log that grows by whole lines and is cut back to the checkpoint when a run resumes."""

    def __init__(self, path: Path, *, after_step: int, writes: bool = True) -> None:
        """Remove lines of later steps than ``after_step`` and append from there.

        Args:
            path: the log; made if missing.
            after_step: step of the checkpoint that the run goes on from.
            writes: False in all but the first process, where nothing is written.
        """
        self._handle: TextIO | None = None
        if writes:
            old = (
                path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
            )
            # A killed process may have left the last line unfinished.
            kept = [x for x in old if x.endswith("\n") and json.loads(x)["step"] <= after_step]
            write_text_atomic(path, "".join(kept))
            self._handle = path.open("a", encoding="utf-8")

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record; it must hold its ``step``. Numbers that are not finite become null."""
        if self._handle is not None:
            self._handle.write(json.dumps(_finite(record), allow_nan=False) + "\n")
            self._handle.flush()


class Progress:
    """A bar on a terminal, plain lines elsewhere; silent on all but the first process."""

    def __init__(self, steps: int, done: int, *, every: int, shown: bool) -> None:
        self._every = every
        self._steps = steps
        self._shown = shown
        self._pace = 0.0  # seconds per step, smoothed
        self._bar: tqdm[Any] | None = None
        if shown and sys.stderr.isatty():
            self._bar = tqdm(total=steps, initial=done, unit="step", dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, record: Mapping[str, Any]) -> None:
        """Show one finished step."""
        seconds = record["seconds"]
        self._pace = 0.9 * self._pace + 0.1 * seconds if self._pace else seconds
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_postfix_str(f"loss {record['loss']:.4f}, {drawn_text(record['drawn'])}")
        elif self._shown and (record["step"] % self._every == 0 or record["step"] == self._steps):
            log.info(
                "step %d/%d  loss %.4f  lr %.2e  %.2f s/step, %s left  drawn %s",
                record["step"],
                self._steps,
                record["loss"],
                record["lr"],
                seconds,
                timedelta(seconds=round(self._pace * (self._steps - record["step"]))),
                drawn_text(record["drawn"]),
            )


def _finite(value: Any) -> Any:
    """Replace what JSON has no words for, such as the mean length of a flow that is all unknown."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def drawn_text(drawn: Mapping[str, int]) -> str:
    """Write the samples drawn so far with their shares: ``real 71 (0.888), syn 9 (0.112)``."""
    total = max(sum(drawn.values()), 1)
    return ", ".join(f"{name} {count} ({count / total:.3f})" for name, count in drawn.items())


def mix_text(mix: Mix, drawn: Mapping[str, int]) -> str:
    """Compare the mix asked for with the one that was drawn."""
    total = max(sum(drawn.values()), 1)
    parts = (
        f"{name} {drawn.get(name, 0) / total:.3f} (asked {share:.3f})"
        for name, share in mix.shares.items()
    )
    return f"realised mix over {sum(drawn.values())} samples: {', '.join(parts)}"


def pair_summary(path: Path) -> dict[str, dict[str, int]]:
    """Count the distinct pairs of a ``pairs.jsonl``: accepted by mode, rejected by reason.

    A broken video counts once for every pair that was drawn from another one in its place.
    """
    accepted: dict[str, str] = {}
    rejected: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["origin"] in accepted:
            continue
        accepted[record["origin"]] = record["accepted"].split()[0]
        tried = [*record.get("rejected", [])]
        for clip in record.get("passed_over", []):
            tried += clip["rejected"]
            if "broken" in clip:
                tried.append({"reason": "unreadable video"})
        rejected.update(_reason_kind(entry["reason"]) for entry in tried)
    return {"accepted": dict(Counter(accepted.values())), "rejected": dict(rejected)}


def _reason_kind(reason: str) -> str:
    """Drop the figures of a reason, so that equal kinds count together."""
    return " ".join(word for word in reason.split() if not any(c.isdigit() for c in word))
