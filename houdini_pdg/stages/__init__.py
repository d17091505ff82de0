"""Stages as commands: each reads one item, writes into a temporary folder, and its marker last.

A stage is a module ``houdini_pdg.stages.<name>`` with ``run(item: Item, out: Path) -> dict``. It
reads what earlier stages left in ``item.work``, writes new files into ``out`` and returns a report
of JSON values. The runner here moves the files into place and then writes the marker, whose name
holds the hash of everything the stage depends on; a marker therefore means "finished, for this
input", and nothing else does.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from houdini_pdg.files import read_json, sync_folder, write_json
from houdini_pdg.graph import SCENE_STAGES, stage_def
from houdini_pdg.plan import Item, read_item

__all__ = ["Item", "StageRejected", "StageResult", "marker_is_valid", "read_marker", "run_stage"]

log = logging.getLogger(__name__)


class StageRejected(Exception):  # noqa: N818 - a verdict on the sample, not an error
    """The sample is impossible (no free path, failed quality check): final, never retried.

    Args:
        reason: one sentence.
        report: JSON values worth keeping about what was tried.
    """

    def __init__(self, reason: str, report: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.report = report or {}


@dataclass(frozen=True)
class StageResult:
    """Outcome of a stage command; ``status`` is "ok", "rejected" or "cached"."""

    status: str
    marker: Path
    report: dict[str, Any] = field(default_factory=dict)


# Files that leave the scene's work folder: name in ``out`` -> place in the data set.
_PUBLISHED = {
    "pack": {
        "scene.h5": "scenes/{scene}.h5",
        "preview.mp4": "previews/{scene}.mp4",
        "preview.png": "previews/{scene}.png",
    }
}

# Stage -> the earlier stage whose files it uses up: render's frames are removed once packed.
_CONSUMED = {"pack": "render"}


def run_stage(name: str, item_path: Path) -> StageResult:
    """Run one stage of one scene, or say that it is already finished.

    Raises:
        ValueError: unknown stage, damaged item file, or an earlier stage has not finished.
        Exception: whatever made the stage fail; nothing of it is left under a final name.
    """
    stage = stage_def(name)
    item = read_item(item_path)
    with _scene_lock(item):
        marker = item.marker(name)
        if marker_is_valid(item, name):
            return StageResult("cached", marker, read_marker(marker).get("report", {}))
        for need in stage.needs:
            if not item.marker(need).is_file():
                raise ValueError(f"stage {name} of {item.scene_id} needs {need}, run that first")
            upstream = read_marker(item.marker(need))
            if upstream["status"] == "rejected":
                return _finish(item, name, "rejected", {"reason": upstream["report"]["reason"]}, {})
        return _run(item, name)


def read_marker(path: Path) -> dict[str, Any]:
    """Read a marker: ``status``, ``report``, ``outputs`` (path -> bytes) and ``seconds``."""
    marker = read_json(path)
    if not isinstance(marker, dict) or not {"status", "report", "outputs"} <= marker.keys():
        raise ValueError(f"{path} is not a marker: delete it and run again")
    return marker


def marker_is_valid(item: Item, name: str) -> bool:
    """Say whether the stage's marker exists and its files still have their recorded sizes."""
    path = item.marker(name)
    if not path.is_file():
        return False
    try:
        outputs = read_marker(path)["outputs"]
    except ValueError:
        return False
    if name in _CONSUMED.values():
        consumer = next(key for key, value in _CONSUMED.items() if value == name)
        if marker_is_valid(item, consumer):
            return True
    return all(_has_size(item.root / place, size) for place, size in outputs.items())


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _run(item: Item, name: str) -> StageResult:
    item.work.mkdir(parents=True, exist_ok=True)
    for stale in item.work.glob(f".{name}-*"):  # left by a killed attempt; the lock is ours
        shutil.rmtree(stale, ignore_errors=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=item.work) as folder:
        out = Path(folder)
        module = importlib.import_module(f"houdini_pdg.stages.{name}")
        try:
            report = module.run(item, out)
        except StageRejected as rejection:
            log.warning("%s %s rejected: %s", item.scene_id, name, rejection.reason)
            _invalidate(item, name)
            report = {**rejection.report, "reason": rejection.reason}
            return _finish(item, name, "rejected", report, {}, started)
        for path in _files(out):
            _flush(path)
        _invalidate(item, name)
        outputs = _publish(item, name, out)
    return _finish(item, name, "ok", report, outputs, started)


def _invalidate(item: Item, name: str) -> None:
    """Forget this and all later stages, whatever their input was: their files are now stale."""
    for marker in item.markers_from(name):
        marker.unlink()
    for marker in (item.root / "done").glob("index.*.json"):
        marker.unlink(missing_ok=True)


def _publish(item: Item, name: str, out: Path) -> dict[str, int]:
    """Move the finished files into place; each move is atomic and the marker comes after all."""
    places = {
        file: item.root / place.format(scene=item.scene_id)
        for file, place in _PUBLISHED.get(name, {}).items()
    }
    sizes: dict[str, int] = {}
    for source in sorted(out.iterdir()):
        target = places.get(source.name, item.work / source.name)
        for path in _files(source):
            place = target / path.relative_to(source) if source.is_dir() else target
            sizes[place.relative_to(item.root).as_posix()] = path.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        source.replace(target)
        sync_folder(target.parent)
    return sizes


def _finish(
    item: Item,
    name: str,
    status: str,
    report: dict[str, Any],
    outputs: dict[str, int],
    started: float | None = None,
) -> StageResult:
    seconds = 0.0 if started is None else time.monotonic() - started
    if status == "rejected":  # a file of an earlier plan must not stand for this one
        for place in _PUBLISHED.get(name, {}).values():
            (item.root / place.format(scene=item.scene_id)).unlink(missing_ok=True)
    marker = item.marker(name)
    write_json(
        marker,
        {
            "stage": name,
            "scene_id": item.scene_id,
            "seed": item.seed,
            "status": status,
            "report": report,
            "outputs": outputs,
            "seconds": round(seconds, 3),
            "python": sys.version.split()[0],
        },
    )
    if item.scratch(name).exists():
        shutil.rmtree(item.scratch(name), ignore_errors=True)
    if name in _CONSUMED and not item.spec.render.keep_frames:
        shutil.rmtree(item.work / _CONSUMED[name], ignore_errors=True)
    return StageResult(status, marker, report)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(p for p in path.rglob("*") if p.is_file())


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@contextlib.contextmanager
def _scene_lock(item: Item) -> Iterator[None]:
    """Keep two processes off one scene: a worker believed dead may still be writing."""
    item.work.mkdir(parents=True, exist_ok=True)
    with (item.work / ".lock").open("w") as stream:
        try:
            import fcntl
        except ImportError:  # Windows: PDG's own bookkeeping is the only guard there
            yield
            return
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def scene_stage_names() -> tuple[str, ...]:
    """Names of the per-scene stages in order."""
    return tuple(stage.name for stage in SCENE_STAGES)
