"""Do the wheels find the system libraries they need? Names the Debian packages where not.

``python -m scaling4d.system_check`` uses the standard library alone, so that it runs where the
imports it checks would fail.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

DEBIAN_PACKAGE = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libXext.so.6": "libxext6",
    "libgomp.so.1": "libgomp1",
}
"""Shared library -> Debian package, for the wheels of OpenCV (cv2), Blender (bpy) and torch."""

CHECKED = ("cv2", "torch", "bpy")


def missing_library(module: str) -> str | None:
    """Import a module in a process of its own and return what is missing, or None.

    A separate process, because bpy and usd-core must not meet in one, and a broken library may
    abort the interpreter.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def explain(module: str, message: str) -> str:
    """Turn a loader's message into a sentence that says what to install."""
    for library, package in DEBIAN_PACKAGE.items():
        if library in message:
            return (
                f"{module} needs the system library {library}: apt-get install {package} "
                f"(all at once: apt-get install {' '.join(sorted(set(DEBIAN_PACKAGE.values())))})"
            )
    if f"No module named '{module}'" in message:
        return f"{module} is not installed: run `make setup`"
    return f"{module} cannot be imported: {message}"


def main(modules: Sequence[str] = CHECKED) -> int:
    """Check every module, print a sentence for each that fails, and return 0 or 2."""
    problems = [
        explain(module, message)
        for module in modules
        if (message := missing_library(module)) is not None
    ]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)  # noqa: T201  (a command's own output)
    return 2 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or CHECKED))
