"""Command line of the data pipeline: from a spec to scenes, and what they are like."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from houdini_pdg.engine.command import EXIT_DISK_FULL
from houdini_pdg.pipeline_cli import COMMANDS, add_parsers
from houdini_pdg.stage_cli import NO_SPACE

EPILOG = """\
examples:
  python -m assets_schema build-library LIB --preset quickstart
  python -m houdini_pdg spec > spec.yaml                   every key with its default
  python -m houdini_pdg mint spec.yaml --out DATA          plan, then run what is not finished
  python -m houdini_pdg mint spec.yaml --out DATA render.cycles.samples=64 scenes=8
  python -m houdini_pdg status DATA
  python -m houdini_pdg verify DATA                        read every file, prove every clearance
  python -m houdini_pdg run DATA --engine dask --workers 8
  hython -m houdini_pdg tops cook DATA                     the same stages inside Houdini
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (2: the user's input cannot be used)."""
    parser = argparse.ArgumentParser(
        prog="python -m houdini_pdg",
        description="Mint synthetic multi-view scenes: layout, characters, composed USD stage, "
        "camera paths, render, one HDF5 file per scene.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--verbose", action="store_true", help="say more on stderr")
    add_parsers(parser)
    # argparse cannot take KEY=VALUE both before and after the options; what it leaves is ours.
    options, rest = parser.parse_known_args(argv)
    overrides = [text for text in rest if "=" in text and not text.startswith("-")]
    if overrides != rest or (rest and not hasattr(options, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.overrides += overrides
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for name in ("distributed", "bokeh", "tornado"):  # chatty at INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return COMMANDS[options.command](options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a folder that cannot be written, a full disk
        logging.debug("%s failed", options.command, exc_info=True)
        where = f": {error.filename}" if error.filename else ""
        print(f"error: {error.strerror or error}{where}", file=sys.stderr)
        return EXIT_DISK_FULL if error.errno in NO_SPACE else 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
