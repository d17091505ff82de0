"""``python -m scaling4d quickstart``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  everything on embedded defaults, about 7 minutes on 2 cores, into ./quickstart:
    python -m scaling4d quickstart
  with your own videos as the real part of the training data:
    python -m scaling4d quickstart --out try --real ~/videos
  a quicker look (settings are key=value, see scaling4d/quickstart/settings.py):
    python -m scaling4d quickstart --out tiny size=64 train_steps=50
Interrupt it whenever you like: the same command goes on where it stopped.
"""


def add_parser(subparsers: Any) -> None:
    """Add ``quickstart`` to the command line."""
    parser = subparsers.add_parser(
        "quickstart",
        help="library, mint, train, generate and report, in minutes on a CPU",
        description="Run the whole pipeline on embedded defaults.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("quickstart"), help="output folder")
    parser.add_argument("--real", type=Path, help="folder of videos to train on")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="change a setting")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the pipeline and print where the report is."""
    import sys

    from scaling4d.quickstart.command import CommandError
    from scaling4d.quickstart.pipeline import run_quickstart
    from scaling4d.quickstart.settings import QuickstartSettings

    settings = QuickstartSettings.parse(arguments.settings)
    try:
        report = run_quickstart(arguments.out, arguments.real, settings)
    except CommandError as error:
        sys.stderr.write(f"error: {error}\nthe same command goes on from here\n")
        return 1
    sys.stdout.write(f"report: {report}\n")
    return 0
