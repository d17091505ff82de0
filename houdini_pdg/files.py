"""Atomic writing and digests: a file is whole under its final name, or it is not there."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write ``text`` under a temporary name in the same folder, then rename it to ``path``.

    With ``durable`` the file and its folder are flushed to disk first; leave it out only for files
    that can be made again from others.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write ``value`` as JSON with sorted keys and a final newline, atomically."""
    write_text(path, json.dumps(value, sort_keys=True, indent=1) + "\n", durable=durable)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: the file does not exist or is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}): delete it and run again") from error


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut, where the system supports it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (PermissionError, IsADirectoryError):  # Windows cannot open folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(value: Any, length: int = 16) -> str:
    """Hex digest of JSON-like ``value``; equal values give equal digests on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=length // 2).hexdigest()


def file_digest(path: Path) -> str:
    """Hex digest of a file's bytes."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            state.update(block)
    return state.hexdigest()
