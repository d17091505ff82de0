"""Files that exist whole or not at all: written beside their place, synced, then renamed."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder that becomes ``path`` when the block succeeds.

    The suffix is kept, because encoders choose a format by it. If the block raises, the temporary
    file is removed and an older file at ``path`` stays as it was. After a power cut the old or the
    new file is there, never a part: the file and its folder are synced before and after the rename.

    Args:
        path: final place; its folder is created if missing.

    Yields:
        The temporary path to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The dot hides it from folder listings that collect finished files by suffix.
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield partial
        sync_path(partial)
        partial.replace(path)
        sync_path(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync_path(path: Path) -> None:
    """Flush a file's bytes, or a folder's entries, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder as a file; its rename is already journaled
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text_atomic(path: str | Path, text: str) -> None:
    """Write UTF-8 text with `atomic_path`."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_bytes_atomic(path: str | Path, data: bytes) -> None:
    """Write bytes with `atomic_path`."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def remove_partials(folder: str | Path, *, older_than: float = 0.0) -> list[Path]:
    """Remove and return the files that killed writers left in a folder, not below it.

    Args:
        folder: where they lie.
        older_than: seconds since a file was last written to. Without it, only for a folder that no
            other process is writing to.
    """
    found = Path(folder).glob(".*.partial*")
    leftovers = sorted(path for path in found if path.is_file() and _age(path) >= older_than)
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return leftovers


def _age(path: Path) -> float:
    """Seconds since a file was last written to; 0 if it is gone, or of the future."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0
