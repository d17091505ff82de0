"""Settings of the two scheduler nodes, one for ordinary stages and one for renders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from houdini_pdg.graph import GRAPH

from .surface import (
    AnyScheduler,
    DeadlineScheduler,
    HQueueScheduler,
    LocalScheduler,
    TractorScheduler,
)

SchedulerName = Literal["local", "hqueue", "deadline", "tractor"]
Value = str | int | float

# A child of hython inherits its Python's variables, which break a Python of its own.
_UNSET = "PYTHONPATH PYTHONHOME"


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Where and with what the network runs; nothing here changes the data.

    Attributes:
        scheduler: which of Houdini's schedulers.
        python: Python that runs the stages, with this package installed; the same path on every
            machine of a farm.
        workers: commands at a time on one machine.
        renders: render commands at a time: licences or GPUs.
        first, last: scenes of the plan, ``last`` excluded; None is all.
        extra: further scheduler parameters, for example a farm's pool; checked when set.
    """

    scheduler: SchedulerName = "local"
    python: str
    workers: int = 2
    renders: int = 1
    first: int = 0
    last: int | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.workers < 1 or self.renders < 1:
            raise ValueError("workers and renders must be at least 1")
        if any(character in self.python for character in '"`$'):
            raise ValueError(f"the Python path {self.python!r} holds characters that PDG expands")


def scheduler_parameters(options: NetworkOptions, root: Path, *, renders: bool) -> dict[str, Value]:
    """Parameters of the scheduler node for the render stage, or of the one for all others."""
    stages = [stage for stage in GRAPH if stage.renders == renders]
    attempts = max(stage.attempts for stage in stages)
    seconds = 60 * max(stage.timeout_minutes for stage in stages)
    slots = options.renders if renders else options.workers
    values: dict[str, Value] = {
        AnyScheduler.WORKING_DIRECTORY: root.as_posix(),
        AnyScheduler.DELETE_TEMPORARY: AnyScheduler.DELETE_NEVER,
        AnyScheduler.VALIDATE_OUTPUTS: 1,
        AnyScheduler.CHECK_EXPECTED: 1,
        AnyScheduler.WAIT_FOR_FAILURES: 0,
        AnyScheduler.USE_MAX_TASKS: int(renders),
        AnyScheduler.MAX_TASKS: options.renders if renders else 0,
    }
    values |= _SPECIFIC[options.scheduler](slots, attempts, seconds)
    return values | dict(options.extra)


def _local(slots: int, attempts: int, seconds: float) -> dict[str, Value]:
    return {
        LocalScheduler.SLOTS_KIND: LocalScheduler.SLOTS_KIND_CUSTOM,
        LocalScheduler.SLOTS: slots,
        LocalScheduler.TEMPORARY: LocalScheduler.TEMPORARY_IN_WORKING_DIRECTORY,
        LocalScheduler.TEMPORARY_PROCESS_ID: 0,
        LocalScheduler.USE_LOG_NAME: 1,
        LocalScheduler.EXIT_HANDLING: LocalScheduler.EXIT_RETRY,
        LocalScheduler.RETRIES: attempts - 1,
        LocalScheduler.USE_TIME_LIMIT: 1,
        LocalScheduler.TIME_LIMIT: seconds,
        LocalScheduler.LIMIT_THREADS: 1,  # of husk; all at once shall take each core once
        LocalScheduler.THREADS: max(1, (os.cpu_count() or 1) // slots),
        LocalScheduler.UNSET: _UNSET,
    }


def _hqueue(slots: int, attempts: int, seconds: float) -> dict[str, Value]:
    return {
        HQueueScheduler.EXIT_HANDLING: HQueueScheduler.EXIT_RETRY,
        HQueueScheduler.RETRIES: attempts - 1,
        HQueueScheduler.USE_TIME_LIMIT: 1,
        HQueueScheduler.TIME_LIMIT: int(seconds),
        HQueueScheduler.INHERIT: 0,
        HQueueScheduler.UNSET: _UNSET,
    }


def _deadline(slots: int, attempts: int, seconds: float) -> dict[str, Value]:
    """Retries and time limits are Deadline's own; the unit of its task time-out is not known."""
    return {
        DeadlineScheduler.IGNORE_EXIT: 0,
        DeadlineScheduler.MACHINES: slots,
        DeadlineScheduler.INHERIT: 0,
        DeadlineScheduler.UNSET: _UNSET,
    }


def _tractor(slots: int, attempts: int, seconds: float) -> dict[str, Value]:
    return {
        TractorScheduler.EXIT_HANDLING: TractorScheduler.EXIT_RETRY,
        TractorScheduler.RETRIES: attempts - 1,
        TractorScheduler.TIME_LIMIT: int(seconds),
        TractorScheduler.INHERIT: 0,
        TractorScheduler.UNSET: _UNSET,
    }


_SPECIFIC = {"local": _local, "hqueue": _hqueue, "deadline": _deadline, "tractor": _tractor}
