"""``python -m scaling4d``: one command line for everybody who has a video."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

COMMANDS = (
    "scaling4d.quickstart.cli",
    "scaling4d.generate_cli",
    "scaling4d.trajectory_cli",
    "scaling4d.verify_cli",
    "scaling4d.gap_cli",
)
"""Modules with ``add_parser(subparsers)``; each loads its heavy imports only when it runs."""

EPILOG = """\
start here:
  python -m scaling4d quickstart         the whole pipeline on embedded defaults, in minutes
  python -m scaling4d generate --help    a novel view of your own video
the other two halves:
  python -m houdini_pdg --help           mint synthetic scenes
  python -m train --help                 train on real and synthetic data
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    parser = argparse.ArgumentParser(
        prog="python -m scaling4d",
        description="Video novel view synthesis as a correspondence-guided generation task.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        importlib.import_module(module).add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; a user's error ends in one sentence and exit status 2."""
    arguments = build_parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return int(arguments.run(arguments))
    except (ValueError, OSError, ImportError) as error:
        if arguments.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
