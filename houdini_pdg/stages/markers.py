"""Markers: small files, written last, whose existence says that a stage is finished for its input.

The name holds the hash of everything the stage depends on; the content lists what it wrote, so
that a file that was lost or cut short since is found by its size.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from houdini_pdg.configuration import relative_path
from houdini_pdg.files import read_json, write_json
from houdini_pdg.graph import stage_def
from houdini_pdg.plan import Item

CONSUMED = {"pack": "render"}
"""Stage -> the earlier stage whose files it uses up: render's frames are removed once packed."""
REMADE = {"characters": ("characters.usdc",)}
"""Stage -> its large files that only the render needs, which makes them again if they are gone."""


def write_marker(
    item: Item,
    name: str,
    status: str,
    report: dict[str, Any],
    outputs: dict[str, int],
    seconds: float = 0.0,
) -> Path:
    """Write the marker of a stage; ``outputs`` maps places in the data set to sizes in bytes."""
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
            "points_at": _points_at(item, name),
            "seconds": round(seconds, 3),
            "peak_memory_mb": _peak_memory_mb(),
            "python": sys.version.split()[0],
        },
    )
    return marker


def read_marker(path: Path) -> dict[str, Any]:
    """Read a marker: ``status``, ``report``, ``outputs`` (path -> bytes) and ``seconds``."""
    marker = read_json(path)
    if not isinstance(marker, dict) or not {"status", "report", "outputs"} <= marker.keys():
        raise ValueError(f"{path} is not a marker: delete it and run again")
    return marker


def marker_is_valid(item: Item, name: str) -> bool:
    """Say whether the stage's marker exists, its files still have their recorded sizes, and what
    they point at is still where it was."""
    path = item.marker(name)
    if not path.is_file():
        return False
    try:
        marker = read_marker(path)
    except ValueError:
        return False
    consumer = next((later for later, used in CONSUMED.items() if used == name), None)
    if consumer is not None and marker_is_valid(item, consumer):
        return True
    if marker.get("points_at", _points_at(item, name)) != _points_at(item, name):
        return False
    gone = [item.work / file for file in REMADE.get(name, ())]
    gone = [path for path in gone if not path.exists()]
    return all(
        _has_size(path, size) or path in gone
        for path, size in ((item.root / place, size) for place, size in marker["outputs"].items())
    )


def _points_at(item: Item, name: str) -> list[str]:
    """Files outside the data set that the stage's output names, as its work folder sees them."""
    paths = [path for key in stage_def(name).points_at for path in getattr(item.spec, key)]
    return [relative_path(path, item.work).as_posix() for path in paths]


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _peak_memory_mb() -> int | None:
    """Most memory that this process, or one that it started, has held at once."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    kilobytes = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return round(kilobytes / (1024 if sys.platform != "darwin" else 1024**2))
