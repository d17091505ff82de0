"""The index of a data set: what each finished scene file holds, without opening it.

``index.jsonl`` is written by the generator after the scene files, one JSON object a line; a file
that is not listed is unfinished or was rejected.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from scaling4d.storage.scene_format import SceneFileError

INDEX = "index.jsonl"


@dataclass(frozen=True)
class IndexedScene:
    """A finished scene file: its cameras, sorted, and its number of frames."""

    path: Path
    cameras: tuple[str, ...]
    frames: int


def read_index(folder: Path) -> list[IndexedScene]:
    """Read the index of a data set folder.

    Raises:
        SceneFileError: there is none, a line is malformed, or a listed file is missing or not of
            the size it was written with.
    """
    index = folder / INDEX
    try:
        lines = index.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SceneFileError(f"cannot read the index {index}: {error}") from None
    return [_read_line(folder, f"{index} line {n}", line) for n, line in enumerate(lines, 1)]


def _read_line(folder: Path, where: str, line: str) -> IndexedScene:
    try:
        entry = json.loads(line)
        path = folder / entry["file"]
        scene = IndexedScene(path, tuple(sorted(entry["cameras"])), int(entry["frames"]))
        size = int(entry["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise SceneFileError(f"{where} is damaged ({error}): run the generator again") from None
    if not path.is_file() or path.stat().st_size != size:
        raise SceneFileError(
            f"{where} lists {path}, which is missing or cut short: run the generator again"
        )
    return scene
