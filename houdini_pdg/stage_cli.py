"""``python -m houdini_pdg stage``: one stage of one scene, as every engine starts it."""

from __future__ import annotations

import argparse
import contextlib
import errno
import faulthandler
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .engine.command import DISK_FULL, EXIT_DISK_FULL
from .graph import SCENE_STAGES, stage_def
from .quarantine import Failure, set_aside, take_back
from .stages import StageResult, run_stage
from .tops.surface import JobEnvironment

log = logging.getLogger(__name__)

_FULL_BYTES = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # also a quota and a limit on file sizes
_NO_SPACE_TEXT = ("No space left on device", "Disk quota exceeded", "File too large")


def run_stage_command(options: argparse.Namespace) -> int:
    """Run the stage; a full disk has its own exit status, because retrying cannot help."""
    name, item = options.name, options.item
    try:
        with ends_by_itself(stage_def(name).timeout_minutes * 60):
            result = _run(name, item)
    except Exception as error:
        if is_disk_full(error, item):
            return _disk_full(item)
        if isinstance(error, ValueError):
            _record_under_pdg(name, item, str(error))
            raise
        log.debug("stage %s failed", name, exc_info=True)
        text = f"{name}: {type(error).__name__}: {' '.join(str(error).split())}"  # on one line
        _record_under_pdg(name, item, text)
        print(f"error: {text}", file=sys.stderr)
        return 1
    if name == SCENE_STAGES[-1].name:
        take_back(item.resolve().parent.parent, item.stem)
    log.info("%s %s: %s", item.stem, name, result.status)
    return 0


def _record_under_pdg(name: str, item: Path, message: str) -> None:
    """Set the scene aside where no engine of ours sees the failure: in a graph that is cooked from
    Houdini's own window, or submitted to a farm as a job."""
    path = item.resolve()
    if JobEnvironment.ITEM_NAME in os.environ and path.is_file() and path.parent.name == "items":
        failure = Failure(scene_id=path.stem, stage=name, message=message)
        set_aside(path.parent.parent, failure)


def _run(name: str, item: Path) -> StageResult:
    if name == "index":
        from .stages.index import run_index

        return run_index(item.resolve().parent)
    return run_stage(name, item)


@contextlib.contextmanager
def ends_by_itself(seconds: float) -> Iterator[None]:
    """End this process, with its threads' tracebacks in the log, well after its time is over.

    Engines kill a command at its limit; this is for those that cannot, or whose unit of time is
    not known (Deadline). Programs that a stage has started end with it.
    """
    faulthandler.dump_traceback_later(1.1 * seconds + 60, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def is_disk_full(error: BaseException, place: Path) -> bool:
    """Say whether an error came from a full disk, also when a library hid its number."""
    chain: BaseException | None = error
    while chain is not None:
        if getattr(chain, "errno", None) in NO_SPACE:
            return True
        if any(text in str(chain) for text in _NO_SPACE_TEXT):
            return True
        chain = chain.__cause__ or chain.__context__
    return shutil.disk_usage(_existing(place.resolve())).free < _FULL_BYTES


def _existing(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.is_dir())


def _disk_full(item: Path) -> int:
    print(f"{DISK_FULL} of {item}", file=sys.stderr)
    return EXIT_DISK_FULL
