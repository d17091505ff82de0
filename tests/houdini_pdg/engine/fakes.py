"""Tasks of two stages per scene whose commands are replaced by a recording launcher."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from houdini_pdg.engine.tasks import Task
from houdini_pdg.files import write_json
from houdini_pdg.graph import StageDef

FIRST = StageDef(name="layout", attempts=3, memory_gb=1.0)
SECOND = StageDef(name="render", needs=("layout",), attempts=2, renders=True, memory_gb=2.0)
INDEX = StageDef(name="index", fan="all", needs=("render",), attempts=1)


def tasks_of(root: Path, scenes: int) -> list[Task]:
    tasks = [
        _task(root, stage, scene, tuple(f"{need}-{scene}" for need in stage.needs))
        for scene in (f"scene_{number:06d}" for number in range(scenes))
        for stage in (FIRST, SECOND)
    ]
    needs = tuple(task.key for task in tasks if task.stage is SECOND)
    return [*tasks, _task(root, INDEX, "", needs)]


def _task(root: Path, stage: StageDef, scene: str, needs: tuple[str, ...]) -> Task:
    key = f"{stage.name}-{scene}" if scene else stage.name
    return Task(
        key=key,
        stage=stage,
        scene_id=scene,
        arguments=("stage", stage.name, scene),
        marker=root / f"{key}.json",
        log=root / f"{key}.log",
        needs=needs,
    )


class Recorder:
    """A launcher that notes what runs when, and ends as ``decide`` says (0 writes the marker)."""

    def __init__(self, root: Path, decide: Callable[[str, int], int] = lambda key, n: 0) -> None:
        self.root, self.decide = root, decide
        self.started: list[str] = []
        self.running: set[str] = set()
        self.together: list[frozenset[str]] = []
        self._lock = threading.Lock()

    def __call__(self, arguments, *, log, timeout, watch) -> int:
        key = "-".join(part for part in arguments[1:] if part)
        with self._lock:
            self.started.append(key)
            self.running.add(key)
            self.together.append(frozenset(self.running))
            attempt = self.started.count(key)
        time.sleep(0.01)
        code = self.decide(key, attempt)
        if code == 0:
            write_json(self.root / f"{key}.json", {"status": "ok", "report": {}, "outputs": {}})
        else:
            log.write_text(f"error: {key} attempt {attempt}\n")
        with self._lock:
            self.running.discard(key)
        return code
