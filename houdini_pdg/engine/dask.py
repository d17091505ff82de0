"""Many machines: the same commands as Dask tasks, on a running cluster or on one of our own.

Dask decides where and when; retries of a crashed command stay in `run_task`, so that they mean the
same in every executor. A command whose worker dies is run again elsewhere by Dask itself. Workers
must see the data set under the same path and have this package installed.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from .command import Outcome, launch_subprocess, run_task
from .progress import Progress
from .tasks import Task

log = logging.getLogger(__name__)

RENDER_RESOURCE = "render"
"""Workers started with ``--resources "render=1"`` take the render commands; if no worker of the
cluster declares it, every worker does."""

_PATIENCE = "10s"


def run_dask(
    tasks: Sequence[Task],
    progress: Progress,
    *,
    address: str | None = None,
    workers: int = 2,
    renders: int = 1,
) -> list[Outcome]:
    """Run tasks on a Dask cluster and return how each ended, in the order they ended.

    Args:
        tasks: in dependency order; ``needs`` that are not among them count as finished.
        progress: told about every finished task.
        address: scheduler of a running cluster; None starts one on this machine.
        workers: worker processes of our own cluster, one command each.
        renders: how many of them take render commands.

    Raises:
        ValueError: the extra ``cluster`` is not installed, or the scheduler cannot be reached.
    """
    with _client(address, workers, renders) as client:
        futures = _submit(client, tasks)
        return _collect(client, futures, tasks, progress)


def run_remote(task: Task, upstream: list[Outcome]) -> Outcome:
    """What a worker does: skip the task when what it needs has failed, else run its command."""
    if task.stage.fan == "scene":
        for outcome in upstream:
            if not outcome.lets_dependents_run:
                return Outcome(task.key, "skipped", message=f"{outcome.key} did not finish")
    return run_task(task, launch_subprocess)


def _submit(client: Any, tasks: Sequence[Task]) -> dict[str, Any]:
    declared = any(
        RENDER_RESOURCE in worker.get("resources", {})
        for worker in client.scheduler_info()["workers"].values()
    )
    run_name = secrets.token_hex(4)  # a name of an earlier run may still be known to the cluster
    futures: dict[str, Any] = {}
    for rank, task in enumerate(tasks):
        needs = [futures[need] for need in task.needs if need in futures]
        futures[task.key] = client.submit(
            run_remote,
            task,
            needs,
            key=f"{task.key}-{run_name}",
            priority=-rank,
            resources={RENDER_RESOURCE: 1} if task.stage.renders and declared else None,
            retries=0,
            pure=False,
        )
    return futures


def _collect(
    client: Any, futures: dict[str, Any], tasks: Sequence[Task], progress: Progress
) -> list[Outcome]:
    from distributed import as_completed

    by_future = {future.key: key for key, future in futures.items()}
    needs = {task.key: task.needs for task in tasks}
    outcomes: dict[str, Outcome] = {}
    for future in as_completed(list(futures.values())):
        key = by_future[future.key]
        if future.cancelled():
            continue
        error = future.exception()
        outcome = future.result() if error is None else _lost(key, needs[key], outcomes, error)
        outcomes[key] = outcome
        progress.finished(outcome)
        if outcome.status == "disk_full":
            client.cancel([f for f in futures.values() if not f.done()])
            break
    return list(outcomes.values())


def _lost(
    key: str, needs: Sequence[str], outcomes: dict[str, Outcome], error: BaseException
) -> Outcome:
    """Outcome of a task whose workers died too often, or that waited for such a task."""
    for need in needs:
        if need in outcomes and not outcomes[need].lets_dependents_run:
            return Outcome(key, "skipped", message=f"{need} did not finish")
    return Outcome(key, "failed", message=f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _client(address: str | None, workers: int, renders: int) -> Iterator[Any]:
    try:
        from distributed import Client, Nanny, Scheduler, SpecCluster
    except ImportError as error:
        raise ValueError(
            "the engine dask needs Dask distributed: pip install 'scaling4d[cluster]'"
        ) from error
    if address is not None:
        try:
            client = Client(address, timeout=_PATIENCE)
        except (OSError, TimeoutError) as error:
            raise ValueError(f"no Dask scheduler answers at {address}: {error}") from error
        except ValueError as error:
            raise ValueError(
                f"--address must read like tcp://host:8786, got {address!r} ({error})"
            ) from error
        with client:
            yield client
        return
    specification = {
        index: {
            "cls": Nanny,
            "options": {
                "nthreads": 1,
                "silence_logs": logging.WARNING,
                "memory_limit": 0,  # the commands are processes of their own, not worker memory
                "resources": {RENDER_RESOURCE: 1} if index < renders else {},
            },
        }
        for index in range(workers)
    }
    scheduler = {"cls": Scheduler, "options": {"dashboard_address": None, "host": "127.0.0.1"}}
    with SpecCluster(scheduler=scheduler, workers=specification) as cluster, Client(cluster) as own:
        yield own
