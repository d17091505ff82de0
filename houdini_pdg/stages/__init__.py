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
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from houdini_pdg.files import sync_folder, write_json
from houdini_pdg.graph import SCENE_STAGES, stage_def, upstream
from houdini_pdg.plan import Item, read_item

from .bulk import remove_bulk
from .markers import marker_is_valid, read_marker, write_marker

__all__ = [
    "Item",
    "StageRejected",
    "StageResult",
    "marker_is_valid",
    "read_marker",
    "remove_bulk",
    "run_stage",
]

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


# Files of the last stage that leave the scene's work folder: name in ``out`` -> place.
_LAST = SCENE_STAGES[-1].name
_PUBLISHED = {
    "scene.h5": "scenes/{scene}.h5",
    "preview.mp4": "previews/{scene}.mp4",
    "preview.png": "previews/{scene}.png",
}
# Of a rejected scene the previews are kept, to be looked at, and the reason beside them.
_REJECTED = {
    "preview.mp4": "rejected/{scene}.mp4",
    "preview.png": "rejected/{scene}.png",
}
_REASON = "rejected/{scene}.json"


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
        for need in upstream(name):
            if not item.marker(need).is_file():
                raise ValueError(f"stage {name} of {item.scene_id} needs {need}, run that first")
            if not marker_is_valid(item, need):
                raise ValueError(
                    f"what {need} of {item.scene_id} wrote is damaged, or a library that it "
                    f"points at has moved: run {need} again first"
                )
        for need in stage.needs:
            report = read_marker(item.marker(need))["report"]
            if read_marker(item.marker(need))["status"] == "rejected":
                return _finish(item, name, "rejected", report, {})
        return _run(item, name)


def _run(item: Item, name: str) -> StageResult:
    item.work.mkdir(parents=True, exist_ok=True)
    for stale in item.work.glob(f".{name}-*"):  # left by a killed attempt; the lock is ours
        shutil.rmtree(stale, ignore_errors=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=item.work) as folder:
        out = Path(folder)
        module = importlib.import_module(f"houdini_pdg.stages.{name}")
        try:
            status, report = "ok", module.run(item, out)
        except StageRejected as rejection:
            log.warning("%s %s rejected: %s", item.scene_id, name, rejection.reason)
            status = "rejected"
            report = {**rejection.report, "reason": rejection.reason, "stage": name}
        for path in _files(out):
            _flush(path)
        _invalidate(item, name)
        if status == "ok":
            outputs = _publish(item, out, _PUBLISHED if name == _LAST else {})
        else:
            outputs = {}
            _keep_previews(item, out)
    return _finish(item, name, status, report, outputs, time.monotonic() - started)


def _invalidate(item: Item, name: str) -> None:
    """Forget this and all later stages, whatever their input was: their files are now stale."""
    for marker in item.markers_from(name):
        marker.unlink()
    for marker in (item.root / "done").glob("index.*.json"):
        marker.unlink(missing_ok=True)
    for place in (*_REJECTED.values(), _REASON):
        _place(item, place).unlink(missing_ok=True)


def _publish(item: Item, out: Path, places: Mapping[str, str]) -> dict[str, int]:
    """Move the finished files into place; each move is atomic and the marker comes after all."""
    sizes: dict[str, int] = {}
    for source in sorted(out.iterdir()):
        known = places.get(source.name)
        target = _place(item, known) if known else item.work / source.name
        for path in _files(source):
            place = target / path.relative_to(source) if source.is_dir() else target
            sizes[place.relative_to(item.root).as_posix()] = path.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        source.replace(target)
        sync_folder(target.parent)
    return sizes


def _keep_previews(item: Item, out: Path) -> None:
    for name, place in _REJECTED.items():
        if (out / name).is_file():
            target = _place(item, place)
            target.parent.mkdir(parents=True, exist_ok=True)
            (out / name).replace(target)


def _finish(
    item: Item,
    name: str,
    status: str,
    report: dict[str, Any],
    outputs: dict[str, int],
    seconds: float = 0.0,
) -> StageResult:
    if status == "rejected" and name == _LAST:
        for place in _PUBLISHED.values():  # a file of an earlier plan must not stand for this one
            _place(item, place).unlink(missing_ok=True)
        write_json(_place(item, _REASON), {"scene_id": item.scene_id, **report})
    marker = write_marker(item, name, status, report, outputs, seconds)
    if item.scratch(name).exists():
        shutil.rmtree(item.scratch(name), ignore_errors=True)
    if name == _LAST:
        remove_bulk(item.work, item.spec)
    return StageResult(status, marker, report)


def _place(item: Item, place: str) -> Path:
    return item.root / place.format(scene=item.scene_id)


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
