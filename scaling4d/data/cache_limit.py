"""A bound on what a cache takes on the disk: entries that were used least recently make room."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_ENTRY = re.compile(r"[0-9a-f]{32}\.np[yz]")
_KEPT = 0.9
"""Share of the bound that stays, so that not every new entry calls for room."""

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([KMGT]?B)")


def parse_bytes(size: int | str) -> int:
    """Read a whole number of bytes, or a text such as ``200GB`` or ``1.5 TB`` (powers of 1000).

    Raises:
        ValueError: for anything else, and for less than a byte.
    """
    found = _SIZE.fullmatch(size.strip().upper()) if isinstance(size, str) else None
    count = int(float(found[1]) * _UNITS[found[2]]) if found else size
    if not isinstance(count, int) or count < 1:
        raise ValueError(
            f"a size is a whole number of bytes or a text such as 500MB, 200GB or 1.5TB, got {size}"
        )
    return count


def bytes_text(count: int | float) -> str:
    """Write bytes with the unit that leaves one to three digits before the point: ``1.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def free_space(folder: Path) -> str:
    """Say how much room the disk of a folder has; the folder need not exist yet."""
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        return f"{bytes_text(shutil.disk_usage(there).free)} free there"
    except OSError as error:
        return f"free space unknown: {error.strerror}"


def remove_least_recent(folder: Path, limit: int) -> None:
    """Bring the entries below ``folder`` to 0.9 of ``limit`` bytes if they take more than it.

    An entry's time of use is its modification time; only files that are named as entries are
    touched. Several processes may do this at once: an entry that is open stays readable, and one
    that another process has just removed counts as removed.

    Raises:
        OSError: if too many entries cannot be removed.
    """
    found = []
    for path in folder.glob("*/??/*.np?"):
        if _ENTRY.fullmatch(path.name):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
    taken = sum(size for _, size, _ in found)
    if taken <= limit:
        return
    for _, size, path in sorted(found):
        if taken <= _KEPT * limit:
            return
        try:
            path.unlink(missing_ok=True)
        except OSError:  # of another user, or on Windows in use
            continue
        taken -= size
    if taken > limit:
        raise OSError(f"{bytes_text(taken)} of entries cannot be removed")
