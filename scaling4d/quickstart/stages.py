"""Stages with markers: a stage whose inputs are unchanged and whose marker exists is done."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaling4d.storage.atomic import write_text_atomic

Record = dict[str, Any]


@dataclass
class Stages:
    """Runs stages in order and remembers each in ``OUT/state/NAME.json``."""

    out: Path
    total: int
    records: dict[str, Record] = field(default_factory=dict)

    def run(
        self,
        name: str,
        title: str,
        inputs: Any,
        work: Callable[[], Record | None],
        owns: Sequence[Path] = (),
    ) -> Record:
        """Run a stage unless it is done with the same inputs; return what it recorded.

        The inputs of earlier stages count too, so that a change anywhere redoes what follows.
        ``owns`` are folders of this stage that are cleared when it was begun with other inputs: a
        training, say, goes on only where it began.
        """
        number = len(self.records) + 1
        chain = [self.records[key]["inputs_hash"] for key in self.records]
        text = json.dumps([chain, inputs], sort_keys=True, default=str)
        inputs_hash = hashlib.sha256(text.encode()).hexdigest()[:16]
        marker = self.out / "state" / f"{name}.json"
        if marker.is_file():
            record: Record = json.loads(marker.read_text(encoding="utf-8"))
            if record["inputs_hash"] == inputs_hash:
                self._say(f"[{number}/{self.total}] {title}: done before")
                self.records[name] = record
                return record
        self._say(f"[{number}/{self.total}] {title}")
        begun = marker.with_suffix(".begun")
        if begun.is_file() and begun.read_text(encoding="utf-8") != inputs_hash:
            for folder in owns:
                shutil.rmtree(folder, ignore_errors=True)
        write_text_atomic(begun, inputs_hash)
        begin = time.perf_counter()
        result = work() or {}
        seconds = time.perf_counter() - begin
        record = {"inputs_hash": inputs_hash, "title": title, "seconds": seconds, **result}
        write_text_atomic(marker, json.dumps(record, indent=1) + "\n")
        self._say(f"[{number}/{self.total}] {title}: {seconds:.0f} s")
        self.records[name] = record
        return record

    def _say(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def peak_memory_bytes() -> int:
    """Largest resident size of this process or of any finished command, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) * unit


@contextlib.contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold a folder for this run alone; the lock goes with the process, however it ends.

    Raises:
        ValueError: if another run holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another quickstart is working in {out}: wait for it, or choose another --out"
            ) from None
        yield
