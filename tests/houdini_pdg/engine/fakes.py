"""Tasks of two stages per scene whose commands are replaced by a recording launcher."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from houdini_pdg.engine.tasks import Task
from houdini_pdg.files import write_json
from houdini_pdg.graph import StageDef

FIRST = StageDef(name="layout", attempts=3, memory_gb=1.0)
SECOND = StageDef(name="render", needs=("layout",), attempts=2, renders=True, memory_gb=2.0)
INDEX = StageDef(name="index", fan="all", needs=("render",), attempts=1)


def tasks_of(root: Path, scenes: int) -> list[Task]:
    names = tuple(f"scene_{number:06d}" for number in range(scenes))
    tasks = [
        Task(stage, root, name, "x", stage.memory_gb) for name in names for stage in (FIRST, SECOND)
    ]
    return [*tasks, Task(INDEX, root, "", "x", INDEX.memory_gb, names)]


class Recorder:
    """A launcher that notes what runs when, and ends as ``decide`` says (0 writes the marker)."""

    def __init__(
        self, tasks: Iterable[Task], decide: Callable[[str, int], int] = lambda key, n: 0
    ) -> None:
        self.tasks, self.decide = {task.arguments: task for task in tasks}, decide
        self.started: list[str] = []
        self.running: set[str] = set()
        self.together: list[frozenset[str]] = []
        self._lock = threading.Lock()

    def __call__(self, arguments, *, log, timeout, watch) -> int:
        task = self.tasks[arguments]
        key = task.key
        with self._lock:
            self.started.append(key)
            self.running.add(key)
            self.together.append(frozenset(self.running))
            attempt = self.started.count(key)
        time.sleep(0.01)
        code = self.decide(key, attempt)
        if code == 0:
            write_json(task.marker, {"status": "ok", "report": {}, "outputs": {}})
        else:
            log.write_text(f"error: {key} attempt {attempt}\n")
        with self._lock:
            self.running.discard(key)
        return code
