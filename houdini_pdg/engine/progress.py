"""Progress on a terminal (a bar) or in a log (plain lines), for every executor."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from .command import Outcome, Watch
from .tasks import Task

_QUIET_SECONDS = 10.0


class Progress:
    """Counts finished tasks; shows frames of running renders at most every ten seconds in logs."""

    def __init__(self, total: int, done: int = 0, *, show: bool = True) -> None:
        self._total, self._done, self._show = total, done, show
        self._lock = threading.Lock()
        self._spoken = time.monotonic()
        self._bar: Any = None
        if show and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=done, unit="task", smoothing=0.05)

    def started(self, task: Task) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(task.key)

    def frames_of(self, task: Task) -> Watch | None:
        """A callback for a render's frames, or None for the other stages."""
        if not task.stage.renders or not self._show:
            return None

        def watch(done: int, total: int) -> None:
            with self._lock:
                if self._bar is not None:
                    self._bar.set_postfix_str(f"{task.scene_id} {done}/{total} frames")
                elif time.monotonic() - self._spoken > _QUIET_SECONDS:
                    self._say(f"{task.scene_id} render {done}/{total} frames")

        return watch

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update(1)
                if outcome.message and outcome.status != "skipped":
                    self._bar.write(_describe(outcome))
            else:
                self._say(f"[{self._done}/{self._total}] {_describe(outcome)}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _say(self, text: str) -> None:
        if self._show:
            self._spoken = time.monotonic()
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command line's own output


def _describe(outcome: Outcome) -> str:
    text = f"{outcome.key} {outcome.status} {outcome.seconds:.1f} s"
    if outcome.attempts > 1:
        text += f" after {outcome.attempts} attempts"
    return f"{text}: {outcome.message}" if outcome.message else text
