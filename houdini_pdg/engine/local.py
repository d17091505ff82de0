"""One machine: ready commands run side by side within its cores, memory and render slots."""

from __future__ import annotations

import contextlib
import heapq
import logging
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from .command import ForkServer, Launcher, Outcome, run_task
from .progress import Progress
from .tasks import Task

log = logging.getLogger(__name__)

_KEPT_FREE_GB = 0.5


@dataclass
class Limits:
    """How much may run at once.

    Attributes:
        workers: commands at a time.
        renders: render commands at a time; one already uses every core.
        memory_gb: sum of what the running commands are said to need; a single command may exceed
            it, or nothing could ever run.
    """

    workers: int = field(default_factory=lambda: max(2, os.cpu_count() or 1))
    renders: int = 1
    memory_gb: float = field(default_factory=lambda: available_memory_gb() - _KEPT_FREE_GB)

    def allow(self, task: Task, running: Iterable[Task]) -> bool:
        tasks = list(running)
        if not tasks:
            return True
        if len(tasks) >= self.workers:
            return False
        if task.stage.renders and sum(other.stage.renders for other in tasks) >= self.renders:
            return False
        return task.memory_gb + sum(other.memory_gb for other in tasks) <= self.memory_gb


def run_local(
    tasks: Iterable[Task],
    progress: Progress,
    limits: Limits | None = None,
    launch: Launcher | None = None,
) -> list[Outcome]:
    """Run tasks in dependency order, earlier scenes first, and return how each ended.

    A failed task's dependents are skipped, except the stage over the whole data set, which takes
    what there is. After a full disk nothing new is started; an interrupt kills what is at work.
    """
    limits = limits or Limits()
    server = ForkServer()
    schedule = _Schedule(tasks)
    running: dict[Future[Outcome], Task] = {}
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(max_workers=limits.workers) as pool, _stopped_on_error(server):
        while True:
            while task := schedule.next_allowed(limits, running.values()):
                progress.started(task)
                watch = progress.frames_of(task)
                running[pool.submit(run_task, task, launch or server, watch)] = task
            if not running:
                return outcomes
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                for outcome in schedule.finish(task, future.result()):
                    progress.finished(outcome)
                    outcomes.append(outcome)


@contextlib.contextmanager
def _stopped_on_error(server: ForkServer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        server.stop()
        raise


class _Schedule:
    """Which tasks are ready: a heap in plan order, so that early scenes are finished early."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = {task.key: task for task in tasks}
        self._rank = {key: rank for rank, key in enumerate(self._tasks)}
        self._waits: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = {}
        for key, task in self._tasks.items():
            needs = [need for need in task.needs if need in self._tasks]
            self._waits[key] = len(needs)
            for need in needs:
                self._dependents.setdefault(need, []).append(key)
        self._ready = [(self._rank[key], key) for key, count in self._waits.items() if not count]
        heapq.heapify(self._ready)
        self._stopped = False

    def next_allowed(self, limits: Limits, running: Iterable[Task]) -> Task | None:
        """Take the first ready task that the limits allow beside the running ones."""
        if self._stopped:
            return None
        busy = list(running)
        passed = []
        found = None
        while self._ready and found is None:
            entry = heapq.heappop(self._ready)
            task = self._tasks[entry[1]]
            if limits.allow(task, busy):
                found = task
            else:
                passed.append(entry)
                if len(passed) > 64 or len(busy) >= limits.workers:
                    break
        for entry in passed:
            heapq.heappush(self._ready, entry)
        return found

    def finish(self, task: Task, outcome: Outcome) -> list[Outcome]:
        """Note an outcome; return it with those of the dependents that it makes impossible."""
        outcomes = [outcome]
        if outcome.status == "disk_full":
            self._stopped = True
        for key in self._dependents.get(task.key, []):
            self._waits[key] -= 1
            dependent = self._tasks[key]
            if not outcome.lets_dependents_run and dependent.stage.fan == "scene":
                skipped = Outcome(key, "skipped", message=f"{task.key} did not finish")
                outcomes += self.finish(dependent, skipped)
            elif not self._waits[key]:
                heapq.heappush(self._ready, (self._rank[key], key))
        return outcomes


def available_memory_gb() -> float:
    """Memory that new processes can take without swapping, in GB."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 1e6
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return 8.0
