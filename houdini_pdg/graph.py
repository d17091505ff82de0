"""The one description of the pipeline that Houdini TOPs, the local engine and Dask all execute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class StageDef:
    """One stage: a command per scene (``fan="scene"``) or one for the data set (``"all"``)."""

    name: str
    fan: Literal["scene", "all"] = "scene"
    needs: tuple[str, ...] = ()
    """Stages whose marker must exist before this one starts."""
    reads: tuple[str, ...] = ()
    """Keys of the spec that decide its output; their values enter the hash in its marker's name."""
    points_at: tuple[str, ...] = ()
    """Keys of the spec whose files its output refers to by path; moved, it is made again."""
    version: int = 1
    """Raise it when the stage's code changes its output for the same input."""
    memory_gb: float = 0.6
    """What one command needs; the local engine keeps the sum below the free memory."""
    bytes_per_pixel: float = 0.0
    """What it needs beside that for each pixel of all frames of all cameras."""
    timeout_minutes: float = 30.0
    attempts: int = 3
    """How often a crash, a kill or a time-out runs the same seed before the scene is set aside."""
    renders: bool = False
    """Uses a render slot (a GPU, a husk licence, all cores) of which there are few."""


_SIZE = ("height", "width")
_TIME = ("frames", "fps")

GRAPH: tuple[StageDef, ...] = (
    StageDef(name="layout", reads=("layout", "libraries")),
    StageDef(name="characters", needs=("layout",), reads=("characters", "libraries", *_TIME)),
    StageDef(
        name="compose",
        needs=("characters",),
        reads=("compose", "libraries", "cameras", *_TIME, *_SIZE),
        points_at=("libraries",),
        memory_gb=1.0,
    ),
    StageDef(
        name="trajectory",
        needs=("compose",),
        reads=("trajectory", "cameras", *_TIME, *_SIZE),
        memory_gb=1.0,
    ),
    StageDef(
        name="render",
        needs=("trajectory",),
        reads=("render",),
        memory_gb=2.5,
        timeout_minutes=24 * 60.0,
        renders=True,
    ),
    StageDef(name="pack", needs=("render",), reads=("pack",), memory_gb=0.4, bytes_per_pixel=40.0),
    StageDef(name="index", fan="all", needs=("pack",), memory_gb=0.5),
)

STAGE_NAMES: tuple[str, ...] = tuple(stage.name for stage in GRAPH)
SCENE_STAGES: tuple[StageDef, ...] = tuple(stage for stage in GRAPH if stage.fan == "scene")


def stage_def(name: str) -> StageDef:
    """Look a stage up by name.

    Raises:
        ValueError: no such stage; the message lists them.
    """
    for stage in GRAPH:
        if stage.name == name:
            return stage
    raise ValueError(f"there is no stage {name!r}: choose one of {', '.join(STAGE_NAMES)}")


def downstream(name: str) -> tuple[str, ...]:
    """Names of the per-scene stages that depend on ``name``, nearest first."""
    found = [name]
    for stage in SCENE_STAGES:
        if any(need in found for need in stage.needs):
            found.append(stage.name)
    return tuple(found[1:])


def upstream(name: str) -> tuple[str, ...]:
    """Names of the per-scene stages that ``name`` depends on, nearest first."""
    found = [name]
    for stage in reversed(SCENE_STAGES):
        if any(stage.name in stage_def(later).needs for later in found):
            found.append(stage.name)
    return tuple(found[1:])
