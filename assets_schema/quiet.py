"""Keep USD's own warnings off the terminal and hand them to `logging` instead."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pxr import UsdUtils

log = logging.getLogger(__name__)


@contextmanager
def quiet_usd() -> Iterator[list[str]]:
    """Collect what USD prints while the block runs.

    Yields:
        A list that is filled with the messages when the block ends; they are logged as debug.
    """
    messages: list[str] = []
    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    try:
        yield messages
    finally:
        for diagnostic in delegate.TakeUncoalescedDiagnostics():
            messages.append(diagnostic.commentary)
            log.debug("USD: %s", diagnostic.commentary)
