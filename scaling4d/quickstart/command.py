"""Run a part of the project as a command: output shown and logged, no orphan left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


class CommandError(RuntimeError):
    """A command of the pipeline failed; the message names its log."""


def run_command(arguments: Sequence[str], log: Path) -> None:
    """Run ``python -m ARGUMENTS``, copying what it prints to our output and to ``log``.

    On a terminal the command gets one too, so that it draws its progress bars. If we are killed
    the command dies with us (Linux): two runs never write to one folder.

    Raises:
        CommandError: if it fails, with its last line and the path of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    reader, writer = os.openpty() if sys.stdout.isatty() else os.pipe()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("ab") as file:
        file.write(f"$ python -m {' '.join(arguments)}\n".encode())
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            env=environment,
            preexec_fn=_die_with_parent(),
        )
        os.close(writer)
        try:
            tail = _copy(reader, file.write)
            status = process.wait()
        except BaseException:  # an interrupt: the command got it too; give it time to save
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            raise
        finally:
            os.close(reader)
    if status:
        raise CommandError(
            f"`python -m {' '.join(arguments)}` ended with status {status}: {tail} (log: {log})"
        )


def _copy(reader: int, write: Callable[[bytes], object]) -> str:
    """Copy bytes until the command closes its output; return its last line."""
    last = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # Linux ends a pseudo-terminal this way
            break
        if not chunk:
            break
        write(chunk)
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        last = (last + chunk)[-4000:]
    lines = [line for line in last.decode(errors="replace").replace("\r", "\n").split("\n") if line]
    return lines[-1] if lines else ""


def _die_with_parent() -> Callable[[], None] | None:
    """Ask Linux to kill the child when its parent ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: afterwards only system calls are safe

    def arm() -> None:
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        libc.prctl(set_parent_death_signal, signal.SIGKILL)

    return arm
