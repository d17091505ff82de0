"""The graph expanded over a plan: every command with its marker and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from houdini_pdg.graph import GRAPH, SCENE_STAGES, StageDef
from houdini_pdg.plan import Plan, PlannedScene


@dataclass(frozen=True, slots=True)
class Task:
    """One command of the graph; small, because a large plan holds hundreds of thousands.

    Attributes:
        stage: what it runs.
        root: folder of the data set.
        scene_id: the scene, or "" for the stage over the whole data set.
        digest: input hash in the marker's name.
        memory_gb: what the command needs.
        over: the scenes that the stage over the whole data set waits for.
    """

    stage: StageDef
    root: Path
    scene_id: str
    digest: str
    memory_gb: float
    over: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.stage.name}-{self.scene_id}" if self.scene_id else self.stage.name

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the tasks that must end first."""
        scenes = (self.scene_id,) if self.scene_id else self.over
        return tuple(f"{need}-{scene}" for scene in scenes for need in self.stage.needs)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows ``python -m houdini_pdg`` in every executor."""
        item = f"items/{self.scene_id}.json" if self.scene_id else "plan.json"
        return ("stage", self.stage.name, "--item", str(self.root / item))

    @property
    def marker(self) -> Path:
        """File whose existence says that the task is finished."""
        work = f"work/{self.scene_id}/done" if self.scene_id else "done"
        return self.root / work / f"{self.stage.name}.{self.digest}.json"

    @property
    def log(self) -> Path:
        name = f"{self.scene_id}.{self.stage.name}" if self.scene_id else self.stage.name
        return self.root / "logs" / f"{name}.log"


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
    spec = plan.spec
    pixels = spec.cameras * spec.frames * spec.height * spec.width
    memory_gb = stage.memory_gb + stage.bytes_per_pixel * pixels / 1e9
    return Task(stage, plan.root, scene.scene_id, scene.hashes[stage.name], memory_gb)


def all_task(plan: Plan, stage: StageDef, scenes: tuple[PlannedScene, ...]) -> Task:
    over = tuple(scene.scene_id for scene in scenes)
    return Task(stage, plan.root, "", plan.hash, stage.memory_gb, over)
