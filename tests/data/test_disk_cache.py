"""The cache of dear results: what is damaged, taken away or too much for the disk."""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scaling4d.data.cache_limit import bytes_text, parse_bytes
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


ENTRY = 128 + 100_000
"""Bytes of an ``.npy`` file with 100 000 bytes."""


def numbered(cache: DiskCache, number: int) -> bool:
    """Get entry ``number`` of 100 kB; return whether it had to be computed."""
    computed = []

    def compute() -> np.ndarray:
        computed.append(number)
        return np.full(100_000, number, dtype=np.uint8)

    assert (cache.get_frames("frames", settings_hash(number), compute) == number).all()
    return bool(computed)


def taken(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def use_at(folder: Path, number: int, seconds: float) -> None:
    """Set the time at which an entry was last used, which a disk may tell apart only coarsely."""
    (path,) = folder.rglob(f"{settings_hash(number)}.npy")
    os.utime(path, (seconds, seconds))


def test_what_was_used_least_recently_makes_room(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, limit=5 * ENTRY)
    for number in range(5):
        assert numbered(cache, number)
        use_at(tmp_path, number, 1e9 + number)
    assert taken(tmp_path) == 5 * ENTRY, "the bound itself is allowed"
    assert not numbered(cache, 0), "now the one used last"
    assert numbered(cache, 5)
    assert taken(tmp_path) == 4 * ENTRY
    kept = [n for n in range(6) if list(tmp_path.rglob(f"{settings_hash(n)}.npy"))]
    assert kept == [0, 3, 4, 5]


def test_without_a_limit_nothing_is_removed_and_with_one_foreign_files_stay(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "ab" / "weights.npy"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(bytes(10 * ENTRY))
    for number in range(8):
        numbered(DiskCache(tmp_path), number)
    assert taken(tmp_path) == 18 * ENTRY
    numbered(DiskCache(tmp_path, limit=ENTRY), 8)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def _use_at_random(folder: Path, limit: int, seed: int) -> None:
    cache = DiskCache(folder, limit)
    for number in np.random.default_rng(seed).integers(0, 12, 150):
        numbered(cache, int(number))


def test_processes_share_a_bounded_cache(tmp_path: Path) -> None:
    limit = 5 * ENTRY
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_use_at_random, args=(tmp_path, limit, seed)) for seed in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert 0 < taken(tmp_path) <= limit


@pytest.mark.parametrize("kind", ["frames", "pairs"])
def test_disk_that_takes_no_more_is_named_once_and_the_run_goes_on(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = DiskCache(tmp_path / "cache")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))  # an entry is larger
    try:
        with caplog.at_level(logging.WARNING):
            assert (get(cache, kind, 1) == 1).all()
            assert (get(cache, kind, 2) == 2).all()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (record,) = caplog.records
    assert str(tmp_path / "cache" / kind) in record.getMessage()
    assert "B free there" in record.getMessage()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_folder_that_cannot_be_made_is_named_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pairs").write_text("a file")
    with caplog.at_level(logging.WARNING):
        assert (get(DiskCache(tmp_path), "pairs", 1) == 1).all()
    assert str(tmp_path / "pairs") in caplog.text


def test_old_leftovers_of_killed_writers_are_removed_and_young_ones_stay(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    get(cache, "frames", 1)
    (entry,) = tmp_path.rglob("*.npy")
    old, young = (entry.with_name(f".{name}.partial.npy") for name in ("old", "young"))
    for path, days in ((old, 1.1), (young, 0.9), (entry, 9)):
        path.touch()
        os.utime(path, (time.time() - days * 86400,) * 2)
    cache.remove_leftovers()
    DiskCache(None).remove_leftovers()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {entry, young}


def test_sizes_are_read_and_written_in_powers_of_a_thousand() -> None:
    texts = {"200GB": 200e9, "1.5 tb": 1.5e12, "7B": 7, "3kB": 3000, "20 MB": 20e6}
    assert {text: parse_bytes(text) for text in texts} == texts
    assert parse_bytes(512) == 512
    for wrong in ("many", "", "GB", "-1GB", "1e3", "3 KiB", "0B", "200", 0, -5):
        with pytest.raises(ValueError, match="500MB, 200GB or"):
            parse_bytes(wrong)
    assert [bytes_text(n) for n in (7, 1500, 2e6, 3.25e9, 4e14)] == [
        "7 B",
        "1.5 kB",
        "2 MB",
        "3.25 GB",
        "400 TB",
    ]
