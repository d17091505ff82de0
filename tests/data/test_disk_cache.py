"""The cache of dear results: what is damaged, taken away or too much for the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scaling4d.data.disk_cache import DiskCache, settings_hash

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "text": lambda _: b"not an array",
}


def frames(value: int) -> np.ndarray:
    return np.full((5, 8, 8, 3), value, dtype=np.uint8)


def get(cache: DiskCache, kind: str, value: int) -> np.ndarray:
    """Return an entry of either sort, full of the value if it is computed now."""
    key = settings_hash(kind)
    if kind == "frames":
        return cache.get_frames(kind, key, lambda: frames(value))
    return cache.get(kind, key, lambda: {"flow": frames(value)})["flow"]


@pytest.mark.parametrize("kind", ["frames", "pairs"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_named_and_made_again(
    tmp_path: Path, kind: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = DiskCache(tmp_path)
    assert (get(cache, kind, 1) == 1).all()
    (path,) = tmp_path.rglob("*.np?")
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert (get(cache, kind, 2) == 2).all()
    assert caplog.text.count(str(path)) == 1
    assert (get(cache, kind, 3) == 2).all(), "written over"
    assert caplog.text.count(str(path)) == 1
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
