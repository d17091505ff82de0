"""Execute a plan with one of the engines, resuming what is finished, and say how it went."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .engine.command import Outcome
from .engine.local import Limits, run_local
from .engine.progress import Progress
from .engine.tasks import Task, all_task, scene_task
from .graph import GRAPH, SCENE_STAGES
from .plan import Plan, PlannedScene, read_item
from .quarantine import Failure, quarantine_path, set_aside, take_back
from .render import make_renderer
from .render.base import RenderError
from .stages import marker_is_valid, read_marker, remove_bulk

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a plan is executed; nothing here changes the result."""

    engine: Literal["local", "dask"] = "local"
    address: str | None = None
    """Scheduler of a running Dask cluster; None starts one on this machine."""
    limits: Limits = field(default_factory=Limits)
    first: int = 0
    last: int | None = None
    """Scenes ``first`` to ``last`` (excluded) of the plan."""
    skip_quarantined: bool = False
    progress: bool = True


@dataclass(frozen=True)
class RunReport:
    """Outcomes of one run: scenes in place, rejected, set aside; and why the run stopped early."""

    finished: int
    rejected: int
    quarantined: tuple[str, ...]
    disk_full: bool
    outcomes: tuple[Outcome, ...]


def run_plan(plan: Plan, options: RunOptions) -> RunReport:
    """Run every unfinished stage of the chosen scenes, then the index.

    Raises:
        ValueError: another run holds the data set, or an option does not fit.
    """
    chosen = chosen_scenes(plan, options.first, options.last)
    with run_lock(plan.root):
        tasks, cached = _unfinished(plan, chosen, options.skip_quarantined)
        if len(tasks) > 1:  # more than the index
            require_libraries(plan)
        if options.address is None and any(task.stage.renders for task in tasks):
            _require_renderer(plan)
        progress = Progress(len(tasks) + cached, cached, show=options.progress)
        try:
            outcomes = _execute(tasks, progress, options)
        finally:
            progress.close()
        _quarantine(plan, chosen, tasks, outcomes)
        return _report(plan, chosen, outcomes)


def chosen_scenes(plan: Plan, first: int, last: int | None) -> tuple[PlannedScene, ...]:
    """Scenes ``first`` to ``last`` (excluded) of the plan.

    Raises:
        ValueError: there are none.
    """
    chosen = plan.scenes[first:last] if first >= 0 and (last is None or last >= 0) else ()
    if not chosen:
        end = len(plan.scenes) if last is None else last
        raise ValueError(
            f"no scenes lie from {first} to {end} (excluded): "
            f"the plan has {len(plan.scenes)}, numbered from 0"
        )
    return chosen


def require_libraries(plan: Plan) -> None:
    """Look for the plan's libraries where it says that they are.

    Raises:
        ValueError: one is not there.
    """
    for path in plan.spec.libraries:
        if not path.exists():
            raise ValueError(
                f"the library {path} is not there: put it back, or mint again with a spec that "
                "names its new place (finished scenes are kept)"
            )


def _require_renderer(plan: Plan) -> None:
    """Say before anything runs what this machine lacks; a cluster's workers are not looked at."""
    try:
        make_renderer(plan.spec.render).require()
    except RenderError as error:
        raise ValueError(str(error)) from error


def _execute(tasks: list[Task], progress: Progress, options: RunOptions) -> list[Outcome]:
    if options.engine == "dask":
        from .engine.dask import run_dask

        return run_dask(
            tasks,
            progress,
            address=options.address,
            workers=options.limits.workers,
            renders=options.limits.renders,
        )
    return run_local(tasks, progress, options.limits)


def _unfinished(
    plan: Plan, chosen: tuple[PlannedScene, ...], skip_quarantined: bool
) -> tuple[list[Task], int]:
    """Tasks still to run, quarantined scenes last, and how many are finished already."""
    first, later, cached = [], [], 0
    for scene in chosen:
        tasks = unfinished_tasks(plan, scene)
        cached += len(SCENE_STAGES) - len(tasks)
        if not quarantine_path(plan.root, scene.scene_id).exists():
            first += tasks
        elif not skip_quarantined:
            later += tasks
    tasks = first + later
    index_stage = next(stage for stage in GRAPH if stage.fan == "all")
    return [*tasks, all_task(plan, index_stage, chosen)], cached


def unfinished_tasks(plan: Plan, scene: PlannedScene) -> list[Task]:
    """The stages of a scene from the first that is not finished, or finished but damaged, on.

    Markers of damaged and later stages are removed, and what a kill has left of the large files of
    a packed scene.
    """
    tasks = [scene_task(plan, scene, stage) for stage in SCENE_STAGES]
    if not (plan.root / "work" / scene.scene_id / "done").is_dir():
        return tasks
    item = read_item(plan.item_path(scene.scene_id))
    if marker_is_valid(item, SCENE_STAGES[-1].name):
        remove_bulk(item.work, plan.spec)
        return []
    for position, stage in enumerate(SCENE_STAGES):
        if not marker_is_valid(item, stage.name):
            for marker in item.markers_from(stage.name):  # what follows a damaged stage is stale
                marker.unlink()
            return tasks[position:]
    return []


def _quarantine(
    plan: Plan, chosen: tuple[PlannedScene, ...], tasks: list[Task], outcomes: list[Outcome]
) -> None:
    """Set scenes that failed aside, and take back those that are finished, by whatever engine."""
    by_key = {task.key: task for task in tasks}
    for outcome in outcomes:
        task = by_key[outcome.key]
        if outcome.status == "failed" and task.scene_id:
            failure = Failure(
                scene_id=task.scene_id,
                stage=task.stage.name,
                message=outcome.message,
                attempts=outcome.attempts,
                log=task.log.relative_to(plan.root).as_posix(),
            )
            set_aside(plan.root, failure)
    take_back_finished(plan, chosen)


def take_back_finished(plan: Plan, chosen: tuple[PlannedScene, ...]) -> None:
    """Remove the records of scenes that failed once and have been finished since."""
    for scene in chosen:
        if quarantine_path(plan.root, scene.scene_id).exists() and scene_state(plan, scene) in (
            "ok",
            "rejected",
        ):
            take_back(plan.root, scene.scene_id)


def _report(plan: Plan, chosen: tuple[PlannedScene, ...], outcomes: list[Outcome]) -> RunReport:
    states = Counter(scene_state(plan, scene) for scene in chosen)
    set_aside = tuple(s.scene_id for s in chosen if quarantine_path(plan.root, s.scene_id).exists())
    full = any(outcome.status == "disk_full" for outcome in outcomes)
    return RunReport(states["ok"], states["rejected"], set_aside, full, tuple(outcomes))


def scene_state(plan: Plan, scene: PlannedScene) -> str:
    """ "ok", "rejected", or the name of the first stage that is not finished."""
    if not (plan.root / "work" / scene.scene_id / "done").is_dir():
        return SCENE_STAGES[0].name
    item = read_item(plan.item_path(scene.scene_id))
    last = SCENE_STAGES[-1].name
    if marker_is_valid(item, last):
        return str(read_marker(item.marker(last))["status"])
    for stage in SCENE_STAGES:
        if not marker_is_valid(item, stage.name):
            return stage.name
    return last


@contextlib.contextmanager
def run_lock(root: Path) -> Iterator[None]:
    """Let one coordinator at a time work on a data set.

    Raises:
        ValueError: another run holds it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".run.lock").open("w") as stream:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"another run is working on {root}: wait for it or stop it") from error
        yield
