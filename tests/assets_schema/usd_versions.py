"""Run this suite on every USD that a supported Houdini ships (`python -m` this module).

Houdini 20.5 has USD 24.03, 21 has 25.05, 22 has 26.05. Each version gets its own virtual
environment below the folder given (kept between runs), with the libraries of `assets_schema` and
nothing else: torch and the other extras are absent, as in hython. With ``--library`` each version
also validates every entry of a library that was built elsewhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
VERSIONS = ("24.3", "25.5.1", "26.5")
_LIBRARIES = (
    "numpy>=2.0",
    "scipy>=1.14",
    "pyyaml>=6",
    "jsonschema>=4.23",
    "trimesh>=4.6",
    "opencv-python-headless>=4.10",
    "embreex>=2.17.7.post6",
    "pillow",  # trimesh reads the images of glTF with it
    "jaxtyping>=0.3",
    "beartype>=0.22",
    "hypothesis>=6.130",
    "pytest>=8.4",
    "pytest-timeout>=2.4",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Test each version; return 0 if all pass, else 1."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="example: python -m tests.assets_schema.usd_versions --environments /tmp/usd 24.3",
    )
    parser.add_argument("versions", nargs="*", default=list(VERSIONS), help="of usd-core")
    parser.add_argument("--environments", type=Path, default=REPOSITORY / "build" / "usd")
    parser.add_argument("--library", type=Path, help="a built library to validate on each too")
    arguments = parser.parse_args(argv)
    failed = [
        version
        for version in arguments.versions
        if not passes_on(version, arguments.environments / version, arguments.library)
    ]
    print(f"failed on {', '.join(failed)}" if failed else "passed on every version")
    return 1 if failed else 0


def passes_on(version: str, environment: Path, library: Path | None = None) -> bool:
    """Make the environment if needed, run the suite in it and validate the library."""
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", f"usd-core=={version}"]
        subprocess.run([*install, *_LIBRARIES], check=True)
    print(f"USD {version}", flush=True)
    # The built-in library has its own dependencies (torch, anny); its tests run in the main suite.
    suite = ["tests/assets_schema", "--ignore=tests/assets_schema/library", "-q", "--no-header"]
    commands = [["pytest", *suite, "-p", "no:cacheprovider"]]
    if library is not None:
        commands.append(["assets_schema", "validate", str(library.resolve())])
    return all(
        subprocess.run([str(python), "-m", *command], cwd=REPOSITORY).returncode == 0
        for command in commands
    )


if __name__ == "__main__":
    raise SystemExit(main())
