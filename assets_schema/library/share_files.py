"""Equal files of a library stored once: every package stays whole, the disk holds one copy."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["share_equal_files"]

log = logging.getLogger(__name__)


def share_equal_files(files: Iterable[Path]) -> int:
    """Make files of equal content hard links of the first of them; return the bytes saved.

    Paths, contents and hashes stay as they are. A file system without hard links keeps its copies.
    """
    first: dict[str, Path] = {}
    saved = 0
    for path in sorted(files):
        kept = first.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
        if kept.samefile(path):
            continue
        link = path.with_name(f".{path.name}.link")
        try:
            os.link(kept, link)
        except OSError as error:
            log.warning("equal textures are kept as copies: %s", error)
            return saved
        saved += path.stat().st_size
        link.replace(path)
    return saved
