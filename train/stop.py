"""Stopping without loss: a signal becomes a wish that the loop grants between two steps."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType, TracebackType

import torch
from accelerate import Accelerator

log = logging.getLogger("train")


class RunInterruptedError(Exception):
    """The run was asked to stop; its state is saved."""


class StopRequest:
    """Catches the first SIGINT or SIGTERM inside a ``with`` block; a second one kills as usual."""

    def __init__(self) -> None:
        self._received = False
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = True
        signal.signal(number, self._before[signal.Signals(number)])
        log.warning("stopping after this step and its checkpoint; once more stops at once")

    def asked(self, accelerator: Accelerator) -> bool:
        """Say whether any process was asked to stop; every process must call it."""
        if accelerator.num_processes == 1:
            return self._received
        wish = torch.tensor(float(self._received), device=accelerator.device)
        return bool(accelerator.reduce(wish, reduction="sum") > 0)
