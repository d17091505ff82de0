"""The graph expanded over a plan: every command with its marker and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from houdini_pdg.graph import GRAPH, SCENE_STAGES, StageDef
from houdini_pdg.plan import Plan, PlannedScene


@dataclass(frozen=True)
class Task:
    """One command of the graph.

    ``arguments`` follow ``python -m houdini_pdg`` in every executor; ``needs`` are keys of other
    tasks; the task is finished when ``marker`` exists.
    """

    key: str
    stage: StageDef
    scene_id: str
    arguments: tuple[str, ...]
    marker: Path
    log: Path
    needs: tuple[str, ...]


def expand(plan: Plan, first: int = 0, last: int | None = None) -> Iterator[Task]:
    """Yield the tasks of scenes ``first`` to ``last`` (excluded), then the index."""
    chosen = plan.scenes[first:last]
    for scene in chosen:
        for stage in SCENE_STAGES:
            yield scene_task(plan, scene, stage)
    for stage in GRAPH:
        if stage.fan == "all":
            yield all_task(plan, stage, chosen)


def scene_task(plan: Plan, scene: PlannedScene, stage: StageDef) -> Task:
    item = plan.item_path(scene.scene_id)
    name = f"{stage.name}.{scene.hashes[stage.name]}.json"
    return Task(
        key=f"{stage.name}-{scene.scene_id}",
        stage=stage,
        scene_id=scene.scene_id,
        arguments=("stage", stage.name, "--item", str(item)),
        marker=plan.root / "work" / scene.scene_id / "done" / name,
        log=plan.root / "logs" / f"{scene.scene_id}.{stage.name}.log",
        needs=tuple(f"{need}-{scene.scene_id}" for need in stage.needs),
    )


def all_task(plan: Plan, stage: StageDef, scenes: tuple[PlannedScene, ...]) -> Task:
    return Task(
        key=stage.name,
        stage=stage,
        scene_id="",
        arguments=("stage", stage.name, "--item", str(plan.root / "plan.json")),
        marker=plan.index_marker,
        log=plan.root / "logs" / f"{stage.name}.log",
        needs=tuple(f"{need}-{scene.scene_id}" for scene in scenes for need in stage.needs),
    )
