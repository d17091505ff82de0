"""Scenes set aside because a stage failed for good: one record each, whichever engine ran it."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path

from .files import read_json, write_json


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a scene is set aside.

    Attributes:
        scene_id: the scene.
        stage: the stage that failed.
        message: one sentence.
        attempts: how often it was tried; None where the engine does not tell (Houdini).
        log: its output, relative to the data set where it lies there; "" when it has none.
    """

    scene_id: str
    stage: str
    message: str
    attempts: int | None = None
    log: str = ""


def quarantine_path(root: Path, scene_id: str) -> Path:
    """Record of a scene whose retries are used up."""
    return root / "quarantine" / f"{scene_id}.json"


def set_aside(root: Path, failure: Failure) -> None:
    """Write the record of a scene that failed; the next run tries it once more."""
    item = root / "items" / f"{failure.scene_id}.json"
    command = ["python", "-m", "houdini_pdg", "stage", failure.stage, "--item", str(item)]
    write_json(quarantine_path(root, failure.scene_id), {**asdict(failure), "command": command})


def take_back(root: Path, scene_id: str) -> None:
    """Forget that a scene has failed: it is finished now."""
    quarantine_path(root, scene_id).unlink(missing_ok=True)


def read_failure(root: Path, scene_id: str) -> Failure:
    """Read the record of a scene.

    Raises:
        ValueError: it is missing or damaged.
    """
    path = quarantine_path(root, scene_id)
    values = dict(read_json(path))
    values.pop("command", None)
    try:
        return Failure(**values)
    except TypeError as error:
        raise ValueError(f"{path} is not a record of a failure: delete it") from error


def last_line(log: Path) -> str:
    """Last line of a command's output that is not empty; "" when nothing can be read."""
    with contextlib.suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1]
    return ""


def describe_failure(root: Path, failure: Failure) -> str:
    """The record in one line, with the log where there is one."""
    attempts = f" after {failure.attempts} attempts" if failure.attempts else ""
    where = failure.log if "://" in failure.log else str(root / failure.log)
    log = f" (log: {where})" if failure.log else ""
    return f"failed {failure.scene_id} in {failure.stage}{attempts}: {failure.message}{log}"
