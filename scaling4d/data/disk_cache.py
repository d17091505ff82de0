"""Results that are dear to compute, kept on disk under a hash of everything they depend on."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scaling4d.data.cache_limit import free_space, remove_least_recent
from scaling4d.geometry.formats.files import UNREADABLE
from scaling4d.storage.atomic import atomic_path, remove_partials

log = logging.getLogger(__name__)

T = TypeVar("T")

_DAY = 86400.0  # seconds
_UNCHECKED = 2**28
"""Most bytes that a process writes before it looks whether a bound is exceeded."""
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

    def __init__(self, folder: str | Path | None, limit: int | None = None) -> None:
        """Keep entries below ``folder``; None keeps nothing.

        Args:
            folder: made when the first entry is written.
            limit: bytes that entries may take together; those used least recently make room. None
                sets no bound. A process looks whenever it has written a fiftieth of it, at most
                0.27 GB, so that n processes may exceed it by n times as much for a while.
        """
        self.folder = None if folder is None else Path(folder)
        self.limit = limit
        self._unchecked = limit or 0  # bytes written since it was looked; at first, look at once
        self._writes = True

    def get(self, kind: str, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays stored under ``key``, computing and storing them the first time."""
        if self.folder is None:
            return compute()
        path = self.folder / kind / key[:2] / f"{key}.npz"
        found = _load(path, _arrays)
        if found is None:
            arrays = found = compute()
            self._store(path, lambda partial: _save_arrays(partial, arrays))
        return found

    def get_frames(
        self, kind: str, key: str, compute: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.uint8]:
        """Return one large array, computing it the first time.

        Without a limit it is a read-only memory map; with one it is read whole, since an entry may
        be removed, which a map of a file on another machine does not survive.
        """
        if self.folder is None:
            return compute()
        path = self.folder / kind / key[:2] / f"{key}.npy"
        read = _memory_map if self.limit is None else _array
        found = _load(path, read)
        if found is not None:
            return found
        frames = compute()
        if self._store(path, lambda partial: _save_array(partial, frames)) and self.limit is None:
            found = _load(path, read)  # the map takes no memory, and replaces what does
        return frames if found is None else found

    def remove_leftovers(self) -> None:
        """Remove what killed writers left over a day ago; others may be writing now."""
        for folder in self.folder.glob("*/??") if self.folder else ():
            with suppress(OSError):  # of another user: only its owner can
                remove_partials(folder, older_than=_DAY)

    def _store(self, path: Path, save: Callable[[Path], object]) -> bool:
        """Write an entry and make room; where the disk refuses, warn and write no more."""
        if not self._writes:
            return False
        assert self.folder is not None
        try:
            with atomic_path(path) as partial:
                save(partial)
                self._unchecked += partial.stat().st_size
            if self.limit is not None and self._unchecked >= min(self.limit // 50, _UNCHECKED):
                remove_least_recent(self.folder, self.limit)
                self._unchecked = 0
        except OSError as error:
            self._writes = False
            log.warning(
                "%s cannot be kept (%s; %s): this process goes on without keeping results, which "
                "costs time: free some room, or set run.cache or run.cache_limit",
                path,
                error.strerror or error,
                free_space(self.folder),
            )
        return self._writes


def _arrays(path: Path) -> Arrays:
    # numpy leaves a file that it opened itself open when it turns out to be no archive.
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as entry:
        return dict(entry)


def _save_arrays(path: Path, arrays: Arrays) -> None:
    """Write an ``.npz``, in memory first: zipfile's words for a full disk are a riddle."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.write_bytes(buffer.getbuffer())


def _save_array(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an ``.npy`` by Python's own file: `np.save` may not notice that the disk is full."""
    array = np.ascontiguousarray(array)
    with path.open("wb") as handle:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(handle, header)
        handle.write(array.data)


def _array(path: Path) -> NDArray[np.uint8]:
    frames: NDArray[np.uint8] = np.load(path, allow_pickle=False)
    return frames


def _memory_map(path: Path) -> NDArray[np.uint8]:
    frames: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return frames


def _load(path: Path, read: Callable[[Path], T]) -> T | None:
    """Return an entry, or None if there is none or it is damaged, which is warned of."""
    try:
        entry = read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (*UNREADABLE, ValueError) as error:
        reason = str(error) or type(error).__name__
        log.warning("the cached %s is damaged and made again (%s)", path, reason)
        return None
    with suppress(OSError):  # a folder that may only be read, or an entry removed by now
        os.utime(path)  # the time of its last use, see `remove_least_recent`
    return entry
