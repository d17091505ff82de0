"""What each command of ``python -m assets_schema`` does: arguments in, exit status out."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from .catalog import Catalog, write_atomically
from .entry import Entry
from .variants import Selection, complete_selection, count_variants

_USD = (".usd", ".usda", ".usdc", ".usdz")


def build(arguments: argparse.Namespace) -> int:
    """Catalogue every asset below a folder; refuses to overwrite a catalogue."""
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


def update(arguments: argparse.Namespace) -> int:
    """Append what is new to a catalogue, retire what is gone, and print the changes."""
    from .catalog_build import diff_catalogs, update_catalog

    catalog = Catalog.load(arguments.library)
    updated = update_catalog(catalog)
    changes = diff_catalogs(catalog, updated)
    for change in changes:
        print(change)
    if changes:
        updated.save(_catalog_file(arguments.library))
    print(f"{len(changes)} changes, {len(updated)} entries")
    return 0


def diff(arguments: argparse.Namespace) -> int:
    """Print how two catalogues, or one and its files, differ; 1 if they do."""
    from .catalog_build import diff_catalogs, update_catalog

    old = Catalog.load(arguments.library)
    new = Catalog.load(arguments.other) if arguments.other else update_catalog(old)
    changes = diff_catalogs(old, new)
    for change in changes:
        print(change)
    return 1 if changes else 0


def _catalog_file(library: Path) -> Path:
    return library / "catalog.yaml" if library.is_dir() else library


def validate(arguments: argparse.Namespace) -> int:
    """Check assets and print or write the report; 1 if there are errors."""
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


def ingest_source(arguments: argparse.Namespace) -> int:
    """Bring a foreign file or folder into a library and catalogue it."""
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
    place = Path(request.category, request.asset_id)
    taken = [each for each in catalog if each.id == request.asset_id]
    if any(each.file.is_file() and Path(each.path).parent != place for each in taken):
        raise ValueError(
            f"{path} has {request.asset_id!r} at {taken[0].path} already; choose another --id"
        )
    entry = ingest(request, arguments.out)
    catalog.merge(entry)
    catalog.save(path)
    print(entry.file)
    return 0


def make_library(arguments: argparse.Namespace) -> int:
    """Make the built-in library."""
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


def list_entries(arguments: argparse.Namespace) -> int:
    """Print one line, or one JSON object, per entry."""
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


def show(arguments: argparse.Namespace) -> int:
    """Print one entry with its pinned variants and its size."""
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


def preview(arguments: argparse.Namespace) -> int:
    """Write a contact sheet, a turntable or an overview."""
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
