"""Command line of the asset library: ``python -m assets_schema COMMAND``."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .catalog import Catalog, write_atomically
from .entry import Entry
from .quiet import quiet_usd
from .variants import Selection, complete_selection, count_variants

_USD = (".usd", ".usda", ".usdc", ".usdz")

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
    build_library.set_defaults(run=_build_library)

    listing = commands.add_parser("list", help="one line per entry")
    listing.add_argument("library", type=Path, help="folder or catalogue file")
    listing.add_argument("--category", help="only this category (aliases are understood)")
    listing.add_argument("--kind", choices=("asset", "character", "light", "room"))
    listing.add_argument("--json", action="store_true", help="whole entries as JSON lines")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="one entry with its variants and boxes")
    show.add_argument("library", type=Path)
    show.add_argument("id")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)

    preview = commands.add_parser("preview", help="contact sheet or turntable of one asset")
    preview.add_argument("library", type=Path, help="folder, catalogue, or an asset file")
    preview.add_argument("id", nargs="?", help="entry; left out: an overview of all")
    preview.add_argument("--out", type=Path, required=True, help="a .png, or .mp4 for a turntable")
    preview.add_argument("--turntable", action="store_true", help="turn around one selection")
    preview.add_argument(
        "--select", action="append", default=[], metavar="SET=NAME", help="variant to show"
    )
    preview.add_argument("--size", type=int, default=256, help="pixels per picture (256)")
    preview.set_defaults(run=_preview)
    _add_catalog_commands(commands)
    _add_checking_commands(commands)
    return parser


def _add_catalog_commands(commands: Any) -> None:
    build = commands.add_parser("build", help="catalogue every asset below a folder")
    build.add_argument("library", type=Path)
    build.set_defaults(run=_build)

    update = commands.add_parser("update", help="append what is new, retire what is gone")
    update.add_argument("library", type=Path)
    update.set_defaults(run=_update)

    diff = commands.add_parser(
        "diff", help="compare two catalogues, or one with its files; exit status 1 if they differ"
    )
    diff.add_argument("library", type=Path)
    diff.add_argument("other", type=Path, nargs="?", help="left out: the files as they are now")
    diff.set_defaults(run=_diff)


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
    validate.set_defaults(run=_validate)

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
    ingest.set_defaults(run=_ingest)


def _build(arguments: argparse.Namespace) -> int:
    from .catalog_build import build_catalog

    if not arguments.library.is_dir():
        raise ValueError(f"{arguments.library} is no folder")
    path = arguments.library / "catalog.yaml"
    if path.exists():
        raise ValueError(f"{path} exists; update keeps its pinned names, or delete it first")
    catalog = build_catalog(arguments.library)
    catalog.save(path)
    print(f"{len(catalog)} entries: {path}")
    return 0


def _update(arguments: argparse.Namespace) -> int:
    from .catalog_build import diff_catalogs, update_catalog

    catalog = Catalog.load(arguments.library)
    updated = update_catalog(catalog)
    changes = diff_catalogs(catalog, updated)
    for change in changes:
        print(f"{change.entry}: {change.what}")
    if changes:
        updated.save(_catalog_file(arguments.library))
    print(f"{len(changes)} changes, {len(updated)} entries")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from .catalog_build import diff_catalogs, update_catalog

    old = Catalog.load(arguments.library)
    new = Catalog.load(arguments.other) if arguments.other else update_catalog(old)
    changes = diff_catalogs(old, new)
    for change in changes:
        print(f"{change.entry}: {change.what}{' (breaking)' if change.breaking else ''}")
    return 1 if changes else 0


def _catalog_file(library: Path) -> Path:
    return library / "catalog.yaml" if library.is_dir() else library


def _validate(arguments: argparse.Namespace) -> int:
    from .validate.finding import as_json, as_sarif, as_text
    from .validate.library import validate_targets
    from .validate.runner import Options

    if arguments.time_limit <= 0 or arguments.jobs < 1 or arguments.most < 1:
        raise ValueError("--time-limit, --jobs and --most must be positive")
    reports = validate_targets(
        arguments.targets,
        Options(most=arguments.most, seed=arguments.seed, usd_rules=arguments.usd_rules),
        only=arguments.id,
        fix=arguments.fix,
        time_limit=arguments.time_limit,
        jobs=arguments.jobs,
    )
    text = {"text": as_text, "json": as_json, "sarif": as_sarif}[arguments.format](reports)
    if arguments.out:
        write_atomically(arguments.out, text.encode())
        print(as_text(reports).splitlines()[-1])
    else:
        print(text, end="" if text.endswith("\n") else "\n")
    return 1 if any(report.errors for report in reports) else 0


def _ingest(arguments: argparse.Namespace) -> int:
    from .ingest import IngestRequest, ingest

    request = IngestRequest(
        source=arguments.source,
        category=arguments.category,
        license=arguments.license,
        id=arguments.id,
        origin=arguments.origin,
        variant_set=arguments.variant_set,
        metres_per_unit=arguments.units,
        up=arguments.up,
        front=arguments.front,
        support=arguments.support,
        fit_mode=arguments.fit_mode,
        tags=tuple(arguments.tag),
    )
    path = arguments.out / "catalog.yaml"
    catalog = Catalog.load(path) if path.exists() else Catalog([], arguments.out)
    entry = ingest(request, arguments.out)
    catalog.add(entry)
    catalog.save(path)
    print(entry.file)
    return 0


def _build_library(arguments: argparse.Namespace) -> int:
    from .library.build import build_library

    def progress(done: int, total: int, name: str) -> None:
        logging.info("%d/%d %s", done, total, name)

    captures = {}
    for motion in arguments.motion:
        name, equals, file = motion.partition("=")
        if not (name and equals and file):
            raise ValueError(f"--motion must read NAME=FILE.bvh, got {motion!r}")
        if not Path(file).is_file():
            raise ValueError(f"--motion {name}: no BVH file at {file}")
        captures[name] = Path(file)
    catalog = build_library(arguments.out, arguments.preset, progress, captures)
    print(f"{len(catalog)} entries in {len(catalog.categories)} categories: {arguments.out}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    catalog = Catalog.load(arguments.library)
    entries = catalog.by_category(arguments.category) if arguments.category else catalog.entries
    for entry in entries:
        if arguments.kind and entry.kind != arguments.kind:
            continue
        if arguments.json:
            print(json.dumps(entry.to_record(), ensure_ascii=False))
        else:
            sets = " ".join(f"{name}:{len(each)}" for name, each in entry.variant_sets.items())
            count = count_variants(entry)
            print(f"{entry.id:32} {entry.category:24} {entry.kind:10} {count:6}  {sets}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    entry = Catalog.load(arguments.library)[arguments.id]
    if arguments.json:
        print(json.dumps(entry.to_record(), ensure_ascii=False, indent=2))
        return 0
    for name in ("id", "path", "category", "kind", "front_axis", "fit_mode", "support", "license"):
        print(f"{name:14} {getattr(entry, name)}")
    print(f"{'combinations':14} {count_variants(entry)}")
    for name, values in entry.variant_sets.items():
        indexed = ", ".join(f"{index} {value}" for index, value in enumerate(values))
        print(f"{'set ' + name:14} {indexed}")
    low, high = entry.extents()
    size = " x ".join(f"{b - a:.3f}" for a, b in zip(low, high, strict=True))
    print(f"{'size':14} {size} m (first variants)")
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from .contact_sheet import (
        library_sheet,
        tile,
        turntable,
        variant_sheet,
        write_image,
        write_movie,
    )

    if arguments.out.suffix.lower() not in (".png", ".mp4"):
        raise ValueError(f"--out must end in .png or .mp4, got {arguments.out.name}")
    if not 16 <= arguments.size <= 4096:
        raise ValueError(f"--size must lie in 16..4096 pixels, got {arguments.size}")
    is_library = arguments.library.suffix.lower() not in _USD
    if arguments.id is None and is_library:
        write_image(
            arguments.out,
            library_sheet(Catalog.load(arguments.library).entries, size=arguments.size),
        )
        print(arguments.out)
        return 0
    entry = _entry(arguments.library, arguments.id)
    selection = _selection(entry, arguments.select)
    if arguments.turntable or arguments.out.suffix.lower() == ".mp4":
        frames = turntable(entry, selection, size=arguments.size)
        if arguments.out.suffix.lower() == ".mp4":
            write_movie(arguments.out, frames)
        else:
            write_image(arguments.out, tile(frames))
    else:
        write_image(arguments.out, variant_sheet(entry, size=arguments.size))
    print(arguments.out)
    return 0


def _entry(library: Path, id: str | None) -> Entry:
    """Return a catalogue entry, or describe an asset file on the spot."""
    if id is not None:
        return Catalog.load(library)[id]
    from .describe import describe_asset

    return describe_asset(library, library_root=library.parent)


def _selection(entry: Entry, pairs: Sequence[str]) -> Selection:
    selection = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--select takes SET=NAME, got {pair!r}")
        selection[name] = value
    return complete_selection(entry, selection)


if __name__ == "__main__":
    raise SystemExit(main())
