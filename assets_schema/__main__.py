"""Command line of the asset library: ``python -m assets_schema COMMAND``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import commands_cli
from .quiet import quiet_usd

_EPILOG = """examples:
  python -m assets_schema build-library output/library
  python -m assets_schema build-library output/library --motion dance=capture.bvh
  python -m assets_schema list output/library --category sofa
  python -m assets_schema show output/library sofa
  python -m assets_schema preview output/library sofa --out sofa.png
  python -m assets_schema ingest chair.glb --category chair --license CC0-1.0 --out my_library
  python -m assets_schema validate my_library --format sarif --out findings.sarif
  python -m assets_schema build my_library        # catalogue every asset below a folder
  python -m assets_schema update my_library       # append what is new, retire what is gone
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 when the validator found errors, or 2 for a user's mistake."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    arguments = _parser().parse_args(argv)
    try:
        with quiet_usd():
            return int(arguments.run(arguments))
    except (ValueError, KeyError, OSError, ImportError) as error:
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m assets_schema",
        description="Build, catalogue, check and look at USD assets with variants.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build_library = commands.add_parser("build-library", help="make the built-in library")
    build_library.add_argument("out", type=Path, help="folder to create")
    build_library.add_argument(
        "--preset",
        default="full",
        choices=("quickstart", "full"),
        help="full: everything (default); quickstart: 20 categories, two shapes and looks each",
    )
    build_library.add_argument(
        "--motion",
        action="append",
        default=[],
        metavar="NAME=FILE.bvh",
        help="add motion capture as a further motion of the character; repeatable",
    )
    build_library.set_defaults(run=commands_cli.make_library)

    listing = commands.add_parser("list", help="one line per entry")
    listing.add_argument("library", type=Path, help="folder or catalogue file")
    listing.add_argument("--category", help="only this category (aliases are understood)")
    listing.add_argument("--kind", choices=("asset", "character", "light", "room"))
    listing.add_argument("--json", action="store_true", help="whole entries as JSON lines")
    listing.set_defaults(run=commands_cli.list_entries)

    show = commands.add_parser("show", help="one entry with its variants and boxes")
    show.add_argument("library", type=Path)
    show.add_argument("id")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=commands_cli.show)

    preview = commands.add_parser("preview", help="contact sheet or turntable of one asset")
    preview.add_argument("library", type=Path, help="folder, catalogue, or an asset file")
    preview.add_argument("id", nargs="?", help="entry; left out: an overview of all")
    preview.add_argument("--out", type=Path, required=True, help="a .png, or .mp4 for a turntable")
    preview.add_argument("--turntable", action="store_true", help="turn around one selection")
    preview.add_argument(
        "--select", action="append", default=[], metavar="SET=NAME", help="variant to show"
    )
    preview.add_argument("--size", type=int, default=256, help="pixels per picture (256)")
    preview.set_defaults(run=commands_cli.preview)
    _add_catalog_commands(commands)
    _add_checking_commands(commands)
    return parser


def _add_catalog_commands(commands: Any) -> None:
    build = commands.add_parser("build", help="catalogue every asset below a folder")
    build.add_argument("library", type=Path)
    build.set_defaults(run=commands_cli.build)

    update = commands.add_parser("update", help="append what is new, retire what is gone")
    update.add_argument("library", type=Path)
    update.set_defaults(run=commands_cli.update)

    diff = commands.add_parser(
        "diff", help="compare two catalogues, or one with its files; exit status 1 if they differ"
    )
    diff.add_argument("library", type=Path)
    diff.add_argument("other", type=Path, nargs="?", help="left out: the files as they are now")
    diff.set_defaults(run=commands_cli.diff)


def _add_checking_commands(commands: Any) -> None:
    validate = commands.add_parser(
        "validate", help="check assets; exit status 1 if there are errors"
    )
    validate.add_argument("targets", type=Path, nargs="+", help="libraries or asset files")
    validate.add_argument("--id", help="only this entry")
    validate.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    validate.add_argument("--out", type=Path, help="write the report here")
    validate.add_argument("--fix", action="store_true", help="repair units, extents, default prim")
    validate.add_argument("--time-limit", type=float, default=300.0, help="seconds per asset (300)")
    validate.add_argument("--jobs", type=int, default=2, help="worker processes (2)")
    validate.add_argument(
        "--most", type=int, default=256, help="compose all combinations up to this many (256)"
    )
    validate.add_argument("--seed", type=int, default=0, help="of the sample above that (0)")
    validate.add_argument("--usd-rules", action="store_true", help="also USD's own validators")
    validate.set_defaults(run=commands_cli.validate)

    ingest = commands.add_parser("ingest", help="bring a foreign file or folder into a library")
    ingest.add_argument("source", type=Path, help="a file, or a folder of files: one variant each")
    ingest.add_argument("--out", type=Path, required=True, help="library folder")
    ingest.add_argument("--category", required=True)
    ingest.add_argument("--license", required=True, help="SPDX name, for example CC0-1.0")
    ingest.add_argument("--id", default="", help="name of the asset (the file's)")
    ingest.add_argument("--origin", default="", help="where the work comes from (the file's name)")
    ingest.add_argument("--variant-set", default="model", help="set that a folder becomes (model)")
    ingest.add_argument("--units", type=float, help="metres per unit (the file's, else 1)")
    ingest.add_argument("--up", help="axis that points up, +y or +z (the file's or format's)")
    ingest.add_argument(
        "--front", help="axis the front faces, as --front=-x (+z for y up, else -y)"
    )
    ingest.add_argument("--support", help="floor, wall, ceiling or on_top (the category's)")
    ingest.add_argument("--fit-mode", default="stretch", help="stretch, uniform or keep")
    ingest.add_argument("--tag", action="append", default=[])
    ingest.set_defaults(run=commands_cli.ingest_source)


if __name__ == "__main__":
    raise SystemExit(main())
