"""Checks of one machine, with Houdini or without, written as a report to send back.

Nobody who wrote this project had Houdini: what could not be verified (houdini.md section 9) is
checked here, on the machine of someone who has, and the report names each finding.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from houdini_pdg.engine.local import available_memory_gb
from houdini_pdg.files import write_json

log = logging.getLogger(__name__)

_PACKAGES = ("numpy", "usd-core", "h5py", "hdf5plugin", "av", "OpenEXR", "bpy", "distributed")


@dataclass(frozen=True)
class Check:
    """One finding; ``status`` is "ok", "failed", "missing" (optional part) or "skipped"."""

    name: str
    status: str
    detail: str


def run_doctor(out: Path) -> int:
    """Run every check that fits this machine, print and write the report; 1 if one failed."""
    checks = list(machine_checks())
    if find_spec("hou") is None:
        checks.append(
            Check("houdini", "skipped", "not inside hython; run: hython -m houdini_pdg doctor")
        )
    else:
        from .doctor_houdini import houdini_checks

        checks += houdini_checks()
    for check in checks:
        sys.stdout.write(f"{check.status:8} {check.name}: {check.detail}\n")
    write_json(out, {"checks": [asdict(check) for check in checks]})
    sys.stdout.write(f"report: {out.resolve()} (send it with a problem report)\n")
    return 1 if any(check.status == "failed" for check in checks) else 0


def attempt(name: str, check: Callable[[], str]) -> Check:
    """Run one check; its text is the detail, and an exception is a finding, not a crash."""
    try:
        return Check(name, "ok", check())
    except Exception as error:
        log.debug("%s", traceback.format_exc())
        return Check(name, "failed", f"{type(error).__name__}: {error}")


def machine_checks() -> list[Check]:
    """What every engine needs: Python, packages, husk, memory, a folder that can be locked."""
    checks = [
        Check("python", "ok", f"{platform.python_version()} at {sys.executable}"),
        Check("system", "ok", platform.platform()),
        Check("memory", "ok", f"{available_memory_gb():.1f} GB free"),
    ]
    for name in _PACKAGES:
        try:
            checks.append(Check(f"package {name}", "ok", version(name)))
        except PackageNotFoundError:
            checks.append(Check(f"package {name}", "missing", "not installed"))
    husk = shutil.which("husk")
    checks.append(Check("husk", "ok" if husk else "missing", husk or "not on the PATH"))
    checks.append(attempt("atomic files and locks", _files_work))
    return checks


def _files_work() -> str:
    from houdini_pdg.mint import run_lock

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.json"
        with run_lock(Path(folder)):
            write_json(path, {"probe": 1})
        return f"wrote {json.loads(path.read_text())}"
