"""Run one task's command to its end: own process group, time limit, retries of the same seed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from houdini_pdg.files import read_json
from houdini_pdg.process import TIMED_OUT, one_thread_each, run
from houdini_pdg.quarantine import last_line

from .tasks import Task

EXIT_USER_ERROR = 2
"""The command refuses its input: trying again cannot help."""
EXIT_DISK_FULL = 75
"""No space left: not the scene's fault, the whole run stops (EX_TEMPFAIL of sysexits.h)."""
DISK_FULL = "error: no space left on the disk"
"""How the last line of such a command begins, for engines that do not see exit statuses."""

INTERRUPTED = -9998
"""Return code that stands for "killed by us because the run was stopped"."""

Status = Literal["ok", "cached", "rejected", "failed", "skipped", "disk_full"]


@dataclass(frozen=True)
class Outcome:
    """How a task ended. ``message`` says why when it is not "ok" or "cached"."""

    key: str
    status: Status
    attempts: int = 0
    seconds: float = 0.0
    message: str = ""

    @property
    def lets_dependents_run(self) -> bool:
        """A rejected scene's later stages run too: each only passes the verdict on."""
        return self.status in ("ok", "cached", "rejected")


Watch = Callable[[int, int], None]
"""Called with (frames finished, frames in all) while a render runs."""


class Launcher(Protocol):
    """Starts ``python -m houdini_pdg ARGUMENTS`` and waits; returns its exit status."""

    def __call__(
        self, arguments: tuple[str, ...], *, log: Path, timeout: float, watch: Watch | None
    ) -> int: ...


def run_task(task: Task, launch: Launcher, watch: Watch | None = None) -> Outcome:
    """Run a task unless its marker exists; retry crashes and time-outs up to its limit."""
    started = time.monotonic()
    message = ""
    for attempt in range(1, task.stage.attempts + 1):
        task.log.parent.mkdir(parents=True, exist_ok=True)
        if attempt > 1:
            time.sleep(min(8.0, 0.5 * 2 ** (attempt - 2)))  # a busy licence or disk may recover
        timeout = task.stage.timeout_minutes * 60
        code = launch(task.arguments, log=task.log, timeout=timeout, watch=watch)
        seconds = time.monotonic() - started
        if code == 0 and task.marker.is_file():
            marker = read_json(task.marker)
            status: Status = "rejected" if marker["status"] == "rejected" else "ok"
            report = marker["report"]
            passed_on = report.get("stage", task.stage.name) != task.stage.name
            reason = "" if passed_on else str(report.get("reason", ""))
            return Outcome(task.key, status, attempt, seconds, reason)
        message = _explain(code, task)
        if code == EXIT_DISK_FULL:
            return Outcome(task.key, "disk_full", attempt, seconds, message)
        if code in (EXIT_USER_ERROR, INTERRUPTED):
            break
    return Outcome(task.key, "failed", attempt, time.monotonic() - started, message)


def _explain(code: int, task: Task) -> str:
    if code == TIMED_OUT:
        return f"took longer than {task.stage.timeout_minutes:g} minutes and was killed"
    if code == 0:
        return f"ended well but left no marker {task.marker.name}"
    if code < 0:
        return f"killed by signal {-code}"
    return f"exit status {code}: {last_line(task.log) or 'no output'}"


def launch_subprocess(
    arguments: tuple[str, ...], *, log: Path, timeout: float, watch: Watch | None
) -> int:
    """Start a fresh Python for the command, as a farm would."""
    argv = [sys.executable, "-m", "houdini_pdg", *arguments]
    on_line = (lambda line: _watch_line(line, watch)) if watch else None
    environment = one_thread_each(os.environ)
    finished = run(argv, on_line=on_line, log_path=log, timeout=timeout, environment=environment)
    return finished.returncode


class ForkServer:
    """Starts commands by forking a clean process that has the heavy imports done already.

    Each command still has its own process and group, so it can be killed, and leaks nothing into
    the next; it just starts in milliseconds instead of a second. Where forking is not to be had
    (Windows), a new interpreter is spawned.
    """

    PRELOAD = ("numpy", "yaml", "h5py", "pxr.Usd", "cv2", "scipy.spatial", "houdini_pdg.__main__")

    def __init__(self) -> None:
        method = (
            "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        )
        self._context: Any = multiprocessing.get_context(method)
        if method == "forkserver":
            self._context.set_forkserver_preload(list(self.PRELOAD))
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Kill the commands at work, from another thread; each returns `INTERRUPTED`."""
        self._stopping.set()

    def __call__(
        self, arguments: tuple[str, ...], *, log: Path, timeout: float, watch: Watch | None
    ) -> int:
        process = self._context.Process(target=_command_child, args=(arguments, str(log)))
        with _clean_parent():
            process.start()
        deadline = time.monotonic() + timeout
        position = log.stat().st_size if log.exists() else 0
        try:
            while process.is_alive():
                process.join(0.2)
                if watch is not None:
                    position = _watch_log(log, position, watch)
                if self._stopping.is_set():
                    return INTERRUPTED
                if time.monotonic() > deadline:
                    return TIMED_OUT
            return process.exitcode if process.exitcode is not None else 1
        finally:
            if process.is_alive():
                _kill(process.pid)
                process.kill()
            process.join()
            process.close()


_STARTING = threading.Lock()


@contextlib.contextmanager
def _clean_parent() -> Iterator[None]:
    """Hide the running script while a process starts: multiprocessing would run it again in each
    command, to find functions that ours does not need. The fork server, which the first process
    starts, takes its number of threads from the environment of that moment."""
    with _STARTING:
        script, environment = sys.modules["__main__"], dict(os.environ)
        sys.modules["__main__"] = types.ModuleType("__main__")
        os.environ.update(one_thread_each(environment))
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]


def _command_child(arguments: tuple[str, ...], log: str) -> None:
    """Body of a forked command: own group, output into its log, then the ordinary main."""
    if os.name == "posix":
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        threading.Thread(target=_end_with_coordinator, daemon=True).start()
    stream = Path(log).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - lives to the end
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    sys.stdout = sys.stderr = stream
    from houdini_pdg.__main__ import main

    code = main(list(arguments))
    stream.flush()
    os._exit(code)  # skips the atexit handlers of libraries that the fork server loaded


def _end_with_coordinator() -> None:
    """Kill this command's group when the engine is gone; our parent is the fork server, which
    outlives the engine for as long as any command does."""
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        coordinator.join()
        os.killpg(0, signal.SIGKILL)


def _kill(pid: int | None) -> None:
    if pid is not None and os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


_FRAMES = re.compile(r"render (\d+)/(\d+) frames")


def _watch_line(line: str, watch: Watch | None) -> None:
    if watch is not None and (found := _FRAMES.search(line)):
        watch(int(found[1]), int(found[2]))


def _watch_log(path: Path, position: int, watch: Watch) -> int:
    """Report the newest frame count that the log holds since ``position``; return its end."""
    try:
        with path.open("rb") as stream:
            stream.seek(position)
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return position
    found = _FRAMES.findall(text)
    if found:
        watch(int(found[-1][0]), int(found[-1][1]))
    return position + len(text.encode())
