"""The catalogue file: round trip, errors, build, update, diff."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace

import pytest
import yaml

from assets_schema import (
    Catalog,
    CharacterInfo,
    Entry,
    LightInfo,
    MotionInfo,
    choose_variants,
)
from assets_schema.catalog import CatalogError, schema_problems
from assets_schema.catalog_build import build_catalog, diff_catalogs, find_assets, update_catalog
from assets_schema.categories import (
    ALIASES,
    CATEGORIES,
    SPATIALLM_CATEGORIES,
    default_support,
    normalize_category,
)
from assets_schema.variant_tree import Variant, VariantSet

from .builders import PreviewSurface, stool_package, write_stool


def rich_entry() -> Entry:
    return Entry(
        "person_1",
        "character/person_1/asset.usda",
        "character",
        kind="character",
        tags=("adult", "été"),
        weight=2.5,
        content_hash="ab" * 32,
        variants=(
            VariantSet("motion", (Variant("walk"), Variant("wave", 0.5), Variant("old", 1, True))),
        ),
        extent_sets=("motion",),
        extents_cache={"motion=walk": ((-0.5, -0.25, 0.0), (0.5, 0.25, 1.75))},
        character=CharacterInfo({"walk": MotionInfo(0, 48, 24.0, True, True, 1.5)}),
        light=LightInfo((2700.0, 4000.0), (1.0, 8.0)),
    )


@pytest.mark.parametrize("name", ["catalog.yaml", "catalog.json"])
def test_saved_catalogue_loads_equal(tmp_path, name) -> None:
    catalog = Catalog([rich_entry(), Entry("b", "b.usda", "sofa")], tmp_path)
    for entry in catalog:
        entry.root = tmp_path
    catalog.save(tmp_path / name)
    loaded = Catalog.load(tmp_path / name)
    assert loaded.entries == catalog.entries
    assert loaded.entries[0].file == tmp_path / "character/person_1/asset.usda"


def test_saved_file_is_yaml_and_satisfies_its_json_schema(tmp_path) -> None:
    Catalog([rich_entry()], tmp_path).save(tmp_path / "catalog.yaml")
    document = yaml.safe_load((tmp_path / "catalog.yaml").read_text())
    assert list(schema_problems(document)) == []
    document["entries"][0]["weight"] = -1
    document["entries"][0]["path"] = "../elsewhere.usda"
    assert len(list(schema_problems(document))) == 2


def test_catalogue_that_a_person_wrote_as_plain_yaml_loads(tmp_path) -> None:
    (tmp_path / "catalog.yaml").write_text(
        "format: scaling4d-catalog\nversion: 1\nentries:\n"
        "  - id: chair\n    path: chair.usda\n    category: chair\n"
        "    variants:\n      - name: look\n        variants: [oak, {name: pine, weight: 2}]\n"
    )
    entry = Catalog.load(tmp_path)["chair"]
    assert entry.variant_sets == {"look": ("oak", "pine")}
    assert entry.variants[0].variants[1].weight == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: other\nversion: 1\nentries: []\n", "expected 'format"),
        ("- just\n- a list\n", "expected a mapping"),
        ("format: scaling4d-catalog\nversion: 1\nentries:\n- {id: a, path: b}\n", "category"),
        (
            "format: scaling4d-catalog\nversion: 1\nentries:\n"
            '- {"id": "a", "path": "b", "category": "c", "colour": "red"}\n',
            "unknown keys",
        ),
        (
            "format: scaling4d-catalog\nversion: 1\nentries:\n"
            '- {"id": "a", "path": "b", "category": "c"}\n- {"id": "a", "path": "b", '
            '"category": "c"}\n',
            "share the id 'a'",
        ),
        ("format: [\n", "line 2"),
        ("format: scaling4d-catalog\nversion: 1\nentries:\n- 3\n", "entry 0 is no mapping"),
    ],
)
def test_broken_catalogue_is_refused_with_the_place(tmp_path, text, message) -> None:
    (tmp_path / "catalog.yaml").write_text(text)
    with pytest.raises(CatalogError, match=message):
        Catalog.load(tmp_path)


def test_missing_catalogue_and_duplicate_ids_are_refused(tmp_path) -> None:
    with pytest.raises(CatalogError, match="cannot read"):
        Catalog.load(tmp_path)
    twice = Catalog([Entry("a", "a.usda", "bed"), Entry("a", "b.usda", "bed")], tmp_path)
    with pytest.raises(CatalogError, match="share the id"):
        twice.save(tmp_path / "catalog.yaml")
    assert not (tmp_path / "catalog.yaml").exists()


def test_unknown_id_names_close_ones() -> None:
    catalog = Catalog([Entry("sofa_classic", "a", "sofa")])
    with pytest.raises(KeyError, match="did you mean sofa_classic"):
        catalog["sofa_clasic"]


def test_the_59_categories_and_their_aliases() -> None:
    assert len(SPATIALLM_CATEGORIES) == len(set(SPATIALLM_CATEGORIES)) == 59
    assert set(ALIASES.values()) <= set(CATEGORIES)
    assert not set(ALIASES) & set(CATEGORIES)
    assert normalize_category("Dining Chair") == "dining_chair"
    assert normalize_category("floor standing lamp") == "floor-standing_lamp"
    assert normalize_category("micro-wave oven") == "micro-wave_oven"
    assert normalize_category("couch") == "sofa"
    assert normalize_category("wardrobes") == "wardrobe"
    assert normalize_category("spaceship") == "unknown"
    assert default_support("painting") == "wall"


def test_lookup_by_category_understands_aliases() -> None:
    catalog = Catalog([Entry("a", "a", "sofa"), Entry("b", "b", "chair")])
    assert [entry.id for entry in catalog.by_category("Couch")] == ["a"]
    assert catalog.by_category("bed") == []


def test_extents_are_cached_per_selection_that_matters(tmp_path) -> None:
    entry = write_stool(tmp_path)
    assert entry.extent_sets == ("geometry",)
    assert entry.extents({"geometry": "tall", "look": "red"}) == (
        (-0.2, -0.2, 0.0),
        (0.2, 0.2, 0.6),
    )
    entry.extents_cache.clear()
    assert entry.extents()[1][2] == 0.4  # measured in the file again
    assert set(entry.extents_cache) == {"geometry=low"}


def test_build_finds_packages_and_foreign_layouts(tmp_path) -> None:
    write_stool(tmp_path, "one")
    write_stool(tmp_path, "two")
    (tmp_path / "stool" / "two").rename(tmp_path / "stool" / "moved")
    found = [path.relative_to(tmp_path).as_posix() for path in find_assets(tmp_path)]
    assert found == ["stool/moved/asset.usda", "stool/one/asset.usda"]
    catalog = build_catalog(tmp_path)
    assert [entry.id for entry in catalog] == ["two", "one"]


def test_described_file_equals_the_entry_that_the_writer_returned(tmp_path) -> None:
    entry = write_stool(tmp_path)
    (found,) = build_catalog(tmp_path)
    # The file does not store tags, and USD sorts the names that the catalogue pins.
    assert {k: sorted(v) for k, v in found.variant_sets.items()} == {
        k: sorted(v) for k, v in entry.variant_sets.items()
    }
    assert replace(found, tags=entry.tags, variants=entry.variants) == entry


def test_update_keeps_pins_appends_and_retires(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path)], tmp_path)
    catalog.entries[0].weight = 3.0
    package = stool_package()
    del package.sets["look"]["red"]
    package.add_look_variant(
        "look", "aqua", {"body": PreviewSurface(), "leg": PreviewSurface(diffuse=(0, 1, 1))}
    )
    package.write(tmp_path / "stool" / "stool_block", library_root=tmp_path)
    write_stool(tmp_path, "newcomer")
    updated = update_catalog(catalog)
    assert [entry.id for entry in updated] == ["stool_block", "newcomer"]
    entry = updated["stool_block"]
    assert entry.variant_sets["look"] == ("painted", "red", "blue", "aqua")
    assert [v.retired for v in entry.variants[1].variants] == [False, True, False, False]
    assert entry.weight == 3.0
    assert entry.tags == ("test",)
    texts = [str(change) for change in diff_catalogs(catalog, updated)]
    assert "newcomer: entry added" in texts
    assert "stool_block: set look: aqua appended" in texts
    assert "stool_block: set look: red retired (breaking)" in texts


def test_entry_made_again_keeps_its_pins_weights_and_tags(tmp_path) -> None:
    catalog = Catalog([replace(rich_entry(), tags=("adult",))], tmp_path)
    motions = VariantSet("motion", tuple(Variant(name) for name in ("bow", "walk", "wave")))
    catalog.merge(replace(rich_entry(), variants=(motions,), weight=1.0, tags=("new",)))
    (merged,) = catalog
    assert merged.variant_sets["motion"] == ("walk", "wave", "old", "bow")
    assert merged.variants[0].variants[1].weight == 0.5
    assert (merged.weight, merged.tags) == (2.5, ("adult", "new"))


def test_renamed_folder_keeps_its_pins(tmp_path) -> None:
    pinned = write_stool(tmp_path)
    catalog = Catalog([replace(pinned, weight=3.0)], tmp_path)
    pinned.file.parent.rename(tmp_path / "stool" / "renamed")
    (moved,) = update_catalog(catalog)
    assert moved == replace(pinned, path="stool/renamed/asset.usda", weight=3.0)
    assert moved.file.is_file()


def test_copied_folder_is_refused(tmp_path) -> None:
    catalog = Catalog([write_stool(tmp_path)], tmp_path)
    shutil.copytree(tmp_path / "stool" / "stool_block", tmp_path / "stool" / "copy")
    with pytest.raises(CatalogError, match=r"copy/asset.usda and .* both have the id"):
        update_catalog(catalog)
    with pytest.raises(CatalogError, match="both have the id"):
        build_catalog(tmp_path)


def test_entry_whose_file_became_unreadable_stays_as_it_was(tmp_path, caplog) -> None:
    catalog = Catalog([write_stool(tmp_path, "good"), write_stool(tmp_path, "torn")], tmp_path)
    catalog["torn"].file.write_text("this is a letter, not a layer\n")
    assert update_catalog(catalog).entries == catalog.entries
    assert "torn/asset.usda cannot be opened as USD" in caplog.text


def test_diff_marks_a_changed_order_as_breaking() -> None:
    old = Catalog(
        [Entry("a", "a", "bed", variants=(VariantSet("l", (Variant("x"), Variant("y"))),))]
    )
    new = Catalog(
        [Entry("a", "a", "bed", variants=(VariantSet("l", (Variant("y"), Variant("x"))),))]
    )
    (change,) = diff_catalogs(old, new)
    assert change.breaking
    assert str(change) == "a: set l: pinned order changed to ['y', 'x'] (breaking)"
    assert diff_catalogs(old, old) == []


def test_content_hash_follows_every_file_and_not_the_place(tmp_path) -> None:
    first, second = write_stool(tmp_path / "a"), write_stool(tmp_path / "b")
    assert first.content_hash == second.content_hash
    texture = next((tmp_path / "b").rglob("*.png"))
    texture.write_bytes(texture.read_bytes() + b" ")
    (changed,) = build_catalog(tmp_path / "b")
    assert changed.content_hash != first.content_hash


def test_catalogue_line_per_entry_diffs_well(tmp_path) -> None:
    Catalog([rich_entry(), Entry("b", "b.usda", "sofa")], tmp_path).save(tmp_path / "c.yaml")
    lines = (tmp_path / "c.yaml").read_text().splitlines()
    assert len(lines) == 5
    assert json.loads(lines[3].removeprefix("- "))["id"] == "person_1"


@pytest.mark.full
def test_ten_thousand_entries_load_in_a_second_and_give_choices_in_two(tmp_path) -> None:
    from tests.benchmarks.bench_assets import CHOICES, ENTRIES, large_catalog

    large_catalog(tmp_path, ENTRIES).save(tmp_path / "catalog.yaml")
    # Processor time: other work on the machine must not decide.
    start = time.process_time()
    entries = Catalog.load(tmp_path).entries
    assert time.process_time() - start < 1.0
    start = time.process_time()
    for seed in range(CHOICES):
        choose_variants(entries[seed % ENTRIES], seed)
    assert time.process_time() - start < 2.0
