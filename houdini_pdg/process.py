"""Child processes that never outlive their purpose: own group, time limits, parent's death."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

TIMED_OUT = -9999
"""Return code that stands for "killed by us because it took too long"."""


@dataclass(frozen=True)
class Finished:
    """How a child ended: its return code (`TIMED_OUT` when we killed it) and its last lines."""

    returncode: int
    tail: tuple[str, ...]


def run(
    argv: Sequence[str],
    *,
    on_line: Callable[[str], None] | None = None,
    log_path: Path | None = None,
    timeout: float | None = None,
    stall: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a command to its end, feeding each output line to ``on_line`` and to ``log_path``.

    Args:
        argv: command and arguments, run without a shell.
        on_line: called with every line of its output (both streams) as it comes; it may return
            nothing and must be quick.
        log_path: file that gets the whole output, appended.
        timeout: seconds for the whole run.
        stall: seconds without any line of output after which the child counts as hung.
        environment: the child's whole environment; None inherits.

    Returns:
        `Finished`; a child over a limit is killed with everything it started.

    Raises:
        OSError: the command cannot be started.
    """
    lines: queue.Queue[str | None] = queue.Queue()
    tail: list[str] = []
    with _log_stream(log_path) as sink, _started(argv, environment) as child:
        reader = threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True)
        reader.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                line = lines.get(timeout=_patience(deadline, stall))
            except queue.Empty:
                kill_group(child)
                return Finished(TIMED_OUT, tuple(tail))
            if line is None:
                return Finished(child.wait(), tuple(tail))
            sink(line)
            tail = [*tail[-19:], line.rstrip("\n")]
            if on_line is not None:
                on_line(line.rstrip("\n"))


def one_thread_each(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command that runs beside others: its linear algebra keeps to one
    thread, unless the user has said otherwise; renderers have thread settings of their own."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**dict.fromkeys(names, "1"), **environment}


def kill_group(child: subprocess.Popen[str]) -> None:
    """Kill a child and everything in its process group, and wait for it."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it dies, even by SIGKILL."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def _started(
    argv: Sequence[str], environment: Mapping[str, str] | None
) -> Iterator[subprocess.Popen[str]]:
    posix = os.name == "posix"
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        bufsize=1,
        env=None if environment is None else dict(environment),
        process_group=0 if posix else None,
        preexec_fn=die_with_parent if posix else None,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            kill_group(child)
        if child.stdout is not None:
            child.stdout.close()


def _read_lines(stream: IO[str] | None, lines: queue.Queue[str | None]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError):  # closed under us after a kill
        for line in stream:
            lines.put(line)
    lines.put(None)


def _patience(deadline: float | None, stall: float | None) -> float | None:
    """Seconds until the nearer of the two limits; None waits for ever."""
    limits = [] if stall is None else [stall]
    if deadline is not None:
        limits.append(max(0.0, deadline - time.monotonic()))
    return min(limits) if limits else None


@contextlib.contextmanager
def _log_stream(path: Path | None) -> Iterator[Callable[[str], object]]:
    if path is None:
        yield lambda line: None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as stream:
        yield stream.write
