"""Results that are dear to compute, kept on disk under a hash of everything they depend on."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scaling4d.geometry.formats.files import UNREADABLE
from scaling4d.storage.atomic import atomic_path

log = logging.getLogger(__name__)

T = TypeVar("T")
Arrays = Mapping[str, NDArray[Any]]


def content_hash(path: str | Path) -> str:
    """Hash a file's bytes: the same clip under another name or folder has the same hash."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def settings_hash(*settings: object) -> str:
    """Hash plain values (numbers, strings, lists, dicts); the order of dict keys is no part."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class DiskCache:
    """A folder of ``.npz`` and ``.npy`` files, each written whole or not at all and never changed.

    Several processes may share it: two that compute the same entry write the same bytes. An entry
    that is damaged, or goes away while it is asked for, is computed again. Deleting the folder
    costs time and nothing else.
    """

    def __init__(self, folder: str | Path | None) -> None:
        """Keep entries below ``folder``; None keeps nothing."""
        self.folder = None if folder is None else Path(folder)

    def get(self, kind: str, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays stored under ``key``, computing and storing them the first time."""
        if self.folder is None:
            return compute()
        path = self.folder / kind / key[:2] / f"{key}.npz"
        found = _load(path, _arrays)
        if found is None:
            found = compute()
            with atomic_path(path) as partial:
                np.savez(partial, **found)
        return found

    def get_frames(
        self, kind: str, key: str, compute: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.uint8]:
        """Return one large array as a read-only memory map, computing it the first time."""
        if self.folder is None:
            return compute()
        path = self.folder / kind / key[:2] / f"{key}.npy"
        found = _load(path, _memory_map)
        if found is None:
            with atomic_path(path) as partial:
                np.save(partial, compute())
            found = _memory_map(path)
        return found


def _arrays(path: Path) -> Arrays:
    # numpy leaves a file that it opened itself open when it turns out to be no archive.
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as entry:
        return dict(entry)


def _memory_map(path: Path) -> NDArray[np.uint8]:
    frames: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return frames


def _load(path: Path, read: Callable[[Path], T]) -> T | None:
    """Return an entry, or None if there is none or it is damaged, which is warned of."""
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except (*UNREADABLE, ValueError) as error:
        reason = str(error) or type(error).__name__
        log.warning("the cached %s is damaged and made again (%s)", path, reason)
        return None
