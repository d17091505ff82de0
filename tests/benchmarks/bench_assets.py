"""Asset library: loading a large catalogue, choosing variants, validating, rendering previews."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from assets_schema import Catalog, Entry, choose_variants, count_variants
from assets_schema.contact_sheet import framing_camera
from assets_schema.library.assemble import write_recipe
from assets_schema.library.build import recipes
from assets_schema.library.characters.motions import MOTIONS
from assets_schema.library.characters.person import write_person
from assets_schema.library.finishes import FinishShelf
from assets_schema.preview import PreviewRenderer
from assets_schema.read_variants import open_variant
from assets_schema.validate import validate_asset
from assets_schema.variant_tree import Variant, VariantSet
from tests.benchmarks import record

ENTRIES, CHOICES = 10_000, 100_000


def large_catalog(folder: Path, entries: int) -> Catalog:
    """Entries as the built-in library makes them: 3 geometries, 4 looks, a box per geometry."""
    sets = (
        VariantSet("geometry", tuple(Variant(name) for name in ("low", "tall", "wide"))),
        VariantSet("look", tuple(Variant(name) for name in ("oak", "walnut", "white", "black"))),
    )
    boxes = {f"geometry={v.name}": ((-0.5, -0.4, 0.0), (0.5, 0.4, 0.8)) for v in sets[0].variants}
    return Catalog(
        [
            Entry(
                f"asset_{number:05d}",
                f"chair/asset_{number:05d}/asset.usda",
                "chair",
                license="Apache-2.0",
                source="benchmark",
                tags=("wood", "modern"),
                content_hash=f"{number:064x}",
                variants=sets,
                extent_sets=("geometry",),
                extents_cache=boxes,
            )
            for number in range(entries)
        ],
        folder,
    )


def sofa(library: Path) -> Entry:
    """The heaviest piece of furniture of the built-in library with all of its variants."""
    (recipe,) = [each for each in recipes() if each.id == "sofa"]
    library.mkdir()
    return write_recipe(recipe, FinishShelf(library), library)


def person(library: Path) -> Entry:
    """The character with two variants of each set."""
    return write_person(
        library / "character" / "person",
        FinishShelf(library),
        library_root=library,
        bodies=("man_average", "woman_slim"),
        outfits=("tee_jeans", "dress"),
        hair=("short", "bob"),
        motions={name: MOTIONS[name] for name in ("idle", "walk")},
        looks=("navy", "earth"),
    )


def main() -> None:
    arguments = record.parse_arguments("assets", __doc__)
    count, choices = (1000, 1000) if arguments.quick else (ENTRIES, CHOICES)
    report = record.Report("assets", arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        large_catalog(folder, count).save(folder / "catalog.yaml")
        loading = record.measure(lambda: Catalog.load(folder), repeats=5, warmup=1)
        report.add("load the catalogue", loading, "s", entries=count)
        entries = Catalog.load(folder).entries

        def choose() -> None:
            for seed in range(choices):
                choose_variants(entries[seed % count], seed)

        choosing = record.measure(choose, repeats=3, warmup=1)
        report.add("choose variants", choosing, "s", choices=choices)
        entry = sofa(folder / "library")
        repeats = 1 if arguments.quick else 5
        _validate(report, "validate a library asset", entry, repeats)
        _validate(report, "validate the person", person(folder / "library"), repeats)
        renderer = PreviewRenderer(open_variant(entry.file, {}))
        low, high = np.array(entry.extents())
        intrinsics, pose = framing_camera(low, high, 480)
        rendering = record.measure(lambda: renderer.render(intrinsics, pose, 480, 480))
        report.add("preview frame, 480 x 480", rendering.scaled(1e3), "ms")
    report.finish()


def _validate(report: record.Report, name: str, entry: Entry, repeats: int) -> None:
    checked = validate_asset(entry.file, entry).combinations_checked
    checking = record.measure(lambda: validate_asset(entry.file, entry), repeats=repeats, warmup=0)
    report.add(
        name,
        checking.scaled(1e3 / checked),
        "ms/combination",
        combinations=count_variants(entry),
        composed=checked,
    )


if __name__ == "__main__":
    main()
