"""Checks of one machine, with Houdini or without, written as a report to send back.

Nobody who wrote this project had Houdini: what could not be verified (houdini.md section 9) is
checked here, on the machine of someone who has, and the report names each finding.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from houdini_pdg.engine.local import available_memory_gb
from houdini_pdg.files import write_json

log = logging.getLogger(__name__)

_PACKAGES = {
    "numpy": "everything",
    "usd-core": "every stage (Houdini brings its own)",
    "h5py": "pack",
    "hdf5plugin": "zstd in scene files; without it gzip",
    "av": "previews",
    "OpenEXR": "cycles and karma",
    "bpy": "cycles",
    "embreex": "the preview renderer",
    "distributed": "--engine dask",
}
IN_HOUDINI = {
    "names": "every node type, parameter and token that the network uses",
    "cook": "a built network cooks, failed items are reported, the index follows",
    "child": "quoting of commands, variables a child inherits, unit of time limits",
    "usd": "files of the stages' USD open in Houdini's, and the schema of the assets is found",
    "karma": "exit status of husk, sign and background of depth, ids, on cpu and xpu",
}
NOT_HERE = {
    "farms": "HQueue, Deadline, Tractor: tops cook DATA --scheduler NAME on the farm",
    "cluster": "Dask over several machines: run DATA --engine dask --address ADDRESS",
    "windows": "commands and paths on Windows",
}


@dataclass(frozen=True)
class Check:
    """One finding; ``status`` is "ok", "failed", "missing" (optional part) or "unchecked"."""

    name: str
    status: str
    detail: str


def run_doctor(out: Path) -> int:
    """Run every check that fits this machine, print and write the report; 1 if one failed.

    Raises:
        ValueError: the report cannot be written to ``out``.
    """
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ValueError(f"cannot write the report to {out}: name a file in a folder that exists")
    checks = list(machine_checks())
    if find_spec("hou") is None:
        checks += [Check(name, "unchecked", text) for name, text in IN_HOUDINI.items()]
    else:
        from .doctor_houdini import houdini_checks

        checks += houdini_checks()
    checks += [Check(name, "unchecked", text) for name, text in NOT_HERE.items()]
    sys.stdout.write("\n".join(_lines(checks)) + "\n")
    write_json(out, {"checks": [asdict(check) for check in checks]})
    sys.stdout.write(f"report: {out.resolve()} (send it with a problem report)\n")
    return 1 if any(check.status == "failed" for check in checks) else 0


def _lines(checks: list[Check]) -> Iterator[str]:
    width = max(len(check.name) for check in checks)
    for check in checks:
        yield f"{check.status:9}  {check.name:{width}}  {check.detail}"
    counts = Counter(check.status for check in checks)
    yield ", ".join(f"{count} {status}" for status, count in counts.items())
    if find_spec("hou") is None:
        yield "Houdini was not checked: run hython -m houdini_pdg doctor on a licensed machine"


def attempt(name: str, check: Callable[[], str]) -> Check:
    """Run one check; its text is the detail, and an exception is a finding, not a crash."""
    try:
        return Check(name, "ok", check())
    except Exception as error:
        log.debug("%s", traceback.format_exc())
        return Check(name, "failed", f"{type(error).__name__}: {error}")


def machine_checks() -> Iterator[Check]:
    """What every engine needs: Python, packages, husk, memory, a folder that can be locked."""
    yield Check("python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield Check("system", "ok", f"{platform.platform()}, {os.cpu_count()} cores")
    yield Check("memory", "ok", f"{available_memory_gb():.1f} GB free")
    for name, use in _PACKAGES.items():
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "missing", f"not installed; for {use}")
    husk = shutil.which("husk")
    yield Check("husk", "ok" if husk else "missing", husk or "not on the PATH; for karma")
    yield attempt("files and locks", _files_work)


def _files_work() -> str:
    from houdini_pdg.mint import run_lock

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.json"
        with run_lock(Path(folder)):
            write_json(path, {"probe": 1})
        if json.loads(path.read_text()) != {"probe": 1}:
            raise RuntimeError("read back something else than was written")
        return "written atomically, locked and read back"
