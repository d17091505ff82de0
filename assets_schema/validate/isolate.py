"""Validate in worker processes, so that an asset which hangs or crashes USD is only a finding."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from assets_schema.conform import fix_asset
from assets_schema.entry import Entry

from .finding import Finding, Report
from .runner import Options, validate_asset
from .usd_rules import UnusableOptionError

DEFAULT_TIME_LIMIT = 300.0  # seconds per asset
_START_LIMIT = 60.0  # seconds for a fresh worker to import USD

log = logging.getLogger(__name__)

Task = tuple[Path, Entry | None]


def validate_isolated(
    tasks: Sequence[Task],
    options: Options | None = None,
    *,
    time_limit: float = DEFAULT_TIME_LIMIT,
    jobs: int = 2,
    check: Callable[[Path, Entry | None, Options], Report] = validate_asset,
) -> Iterator[Report]:
    """Yield one report per task, in order.

    Args:
        tasks: asset files with their catalogue entries, if any.
        time_limit: seconds per asset; beyond, the worker is ended and S4D190 reported.
        jobs: worker processes.
        check: what a worker runs; must be importable by name.
    """
    options = options or Options()
    local = threading.local()
    workers: list[_Worker] = []

    def run(task: Task) -> Report:
        if not hasattr(local, "worker"):
            local.worker = _Worker(check)
            workers.append(local.worker)
        report: Report = local.worker.validate(task, options, time_limit)
        return report

    try:
        with ThreadPoolExecutor(max(1, min(jobs, len(tasks)))) as pool:
            yield from pool.map(run, tasks)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process that serves assets until it misbehaves, then a fresh one."""

    def __init__(self, check: Callable[..., Report]) -> None:
        self._check = check
        self._process: Any = None
        self._pipe: Connection | None = None

    def validate(self, task: Task, options: Options, time_limit: float) -> Report:
        file, entry = task
        name = entry.id if entry else file.name
        if self._process is None:
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send((file, entry, options))
            if not self._pipe.poll(time_limit):
                self.stop()
                return _failed("S4D190", name, file, f"not done after {time_limit:g} s")
            outcome = self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            code = self._process.exitcode
            self._process.join(5)
            code = self._process.exitcode if code is None else code
            self.stop()
            return _failed("S4D191", name, file, f"the process ended with status {code}")
        if isinstance(outcome, BaseException):
            raise outcome
        report: Report = outcome
        return report

    def _start(self) -> None:
        # A fresh interpreter: USD keeps global state that must not be shared by forking.
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_serve, args=(child, self._check), daemon=True)
        self._process.start()
        child.close()
        if not self._pipe.poll(_START_LIMIT):
            self.stop()
            raise ValueError("a validator process did not start; is the machine overloaded?")
        self._pipe.recv()

    def stop(self) -> None:
        """End the process, gently only in name: it may be stuck inside USD."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _serve(pipe: Connection, check: Callable[..., Report]) -> None:
    """Run in the worker: answer one report per task, or the error of an option."""
    pipe.send("ready")
    while True:
        try:
            file, entry, options = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send(check(file, entry, options))
        except UnusableOptionError as error:  # the user's, not the asset's: the parent raises it
            pipe.send(error)
        except Exception as error:  # an asset may be broken in ways that no rule foresees
            log.debug("%s", file, exc_info=True)
            name = entry.id if entry else file.name
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            pipe.send(_failed("S4D191", name, file, f"a rule stopped with {reason}"))


def fix_only(file: Path, entry: Entry | None, options: Options) -> Report:
    """Repair an asset in a worker; the report only says what was done."""
    report = Report(entry.id if entry else file.name, str(file))
    try:
        report.fixed = fix_asset(file)
    except ValueError as error:
        log.warning("not fixed: %s", error)
    return report


def _failed(code: str, name: str, file: Path, message: str) -> Report:
    return Report(name, str(file), [Finding(code, name, str(file), message)])
