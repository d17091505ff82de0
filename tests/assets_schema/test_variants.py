"""Pinned indices, seeded choice, nested combinations, coded errors."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pxr import Usd

from assets_schema import (
    Entry,
    VariantError,
    apply_selection,
    choose_variants,
    complete_selection,
    count_variants,
    enumerate_variants,
    variants_by_index,
)
from assets_schema.coverage import plan_selections
from assets_schema.describe import describe_asset
from assets_schema.read_variants import open_stage, read_variant_sets
from assets_schema.variant_tree import Variant, VariantSet, merge_sets, parse_sets, sets_to_records


def entry(*sets: VariantSet) -> Entry:
    return Entry("thing", "thing/asset.usda", "chair", variants=sets)


def flat(name: str, *names: str) -> VariantSet:
    return VariantSet(name, tuple(Variant(each) for each in names))


NESTED = entry(
    VariantSet(
        "model",
        (
            Variant("utah", sets=(flat("shade", "black", "blue", "red"),)),
            Variant("fancy", sets=(flat("shade", "flowers"), flat("lid", "on", "off"))),
            Variant("plain"),
        ),
    ),
    flat("size", "small", "large"),
)

names = st.sampled_from("abcdefgh")


@st.composite
def trees(draw: st.DrawFn, depth: int = 2, prefix: str = "s") -> tuple[VariantSet, ...]:
    sets = []
    for index in range(draw(st.integers(0, 2))):
        variants = tuple(
            Variant(
                name,
                weight=draw(st.sampled_from([0.5, 1.0, 3.0])),
                retired=False,
                sets=draw(trees(depth - 1, f"{prefix}{index}")) if depth else (),
            )
            for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))
        )
        sets.append(VariantSet(f"{prefix}{index}", variants))
    return tuple(sets)


def test_nested_combinations_are_counted_and_listed_exactly() -> None:
    listed = list(enumerate_variants(NESTED))
    assert count_variants(NESTED) == len(listed) == (3 + 2 + 1) * 2
    assert listed[0] == {"model": "utah", "shade": "black", "size": "small"}
    assert {"model": "plain", "size": "large"} in listed
    assert {"model": "fancy", "shade": "flowers", "lid": "off", "size": "small"} in listed


@given(trees())
@settings(max_examples=60, deadline=None)
def test_count_equals_enumeration_and_every_choice_is_enumerated(tree) -> None:
    thing = entry(*tree)
    listed = list(enumerate_variants(thing))
    assert count_variants(thing) == len(listed)
    assert len({tuple(sorted(each.items())) for each in listed}) == len(listed)
    for seed in range(5):
        assert choose_variants(thing, seed) in listed
    for selection in listed[:5]:
        assert complete_selection(thing, selection) == selection


@given(trees())
@settings(max_examples=60, deadline=None)
def test_variant_tree_survives_its_record(tree) -> None:
    assert parse_sets(sets_to_records(tree)) == tree


def test_same_seed_gives_the_same_choice_and_other_seeds_differ() -> None:
    thing = entry(flat("look", *"abcdefgh"), flat("shape", *"abcdefgh"))
    assert choose_variants(thing, 7) == choose_variants(thing, 7)
    assert len({tuple(choose_variants(thing, seed).values()) for seed in range(50)}) > 30


def test_stored_choices_of_the_first_seeds_never_change() -> None:
    # Samples are re-created from their seeds years later: this value is part of the format.
    thing = entry(flat("geometry", "low", "tall", "wide"), flat("look", "oak", "pine", "white"))
    chosen = [tuple(choose_variants(thing, seed).values()) for seed in range(4)]
    assert chosen == [("wide", "pine"), ("wide", "oak"), ("wide", "white"), ("wide", "white")]


def test_generator_and_seed_choose_alike_and_the_generator_moves_one_step() -> None:
    thing = entry(flat("look", *"abcdefgh"))
    drawn = int(np.random.default_rng(3).integers(1 << 63))
    generator = np.random.default_rng(3)
    assert choose_variants(thing, generator) == choose_variants(thing, drawn)
    follower = np.random.default_rng(3)
    follower.integers(1 << 63)
    assert generator.integers(1000) == follower.integers(1000)


def test_weights_set_the_frequencies() -> None:
    variants = (Variant("rare", 1.0), Variant("common", 3.0), Variant("never", 0.0))
    thing = entry(VariantSet("look", variants))
    counts = Counter(choose_variants(thing, seed)["look"] for seed in range(8000))
    # 8000 draws of p = 1/4: five standard deviations are 2.4 %.
    assert counts["rare"] / 8000 == pytest.approx(0.25, abs=0.025)
    assert counts["never"] == 0


def test_appending_a_variant_changes_only_choices_that_it_wins() -> None:
    before = entry(flat("look", *"abcd"))
    after = entry(flat("look", *"abcde"))
    moved = 0
    for seed in range(500):
        old, new = choose_variants(before, seed)["look"], choose_variants(after, seed)["look"]
        assert new in (old, "e")
        moved += new == "e"
    assert moved == pytest.approx(100, abs=45)


def test_adding_a_set_changes_no_other_sets_choice() -> None:
    before = entry(flat("look", *"abcd"))
    after = entry(flat("size", *"xyz"), flat("look", *"abcd"))
    for seed in range(50):
        assert choose_variants(before, seed)["look"] == choose_variants(after, seed)["look"]


def test_index_means_the_same_after_an_update_appends_and_retires() -> None:
    pinned = (flat("ball", "Ball_2", "Ball_10", "Ball_1"),)
    found = (flat("ball", "Ball_1", "Ball_10", "Ball_16"),)  # sorted, one gone, one new
    merged = entry(*merge_sets(pinned, found))
    assert merged.variant_sets["ball"] == ("Ball_2", "Ball_10", "Ball_1", "Ball_16")
    assert variants_by_index(merged, {"ball": 2}) == {"ball": "Ball_1"}
    with pytest.raises(VariantError, match=r"S4D202: index 0 .* is retired"):
        variants_by_index(merged, {"ball": 0})
    back = merge_sets(merged.variants, pinned)
    assert not back[0].variants[0].retired


@pytest.mark.parametrize(
    ("selection", "code", "text"),
    [
        ({"colour": "red"}, "S4D201", "no variant set 'colour'"),
        ({"model": "utahh"}, "S4D202", "no variant 'utahh'"),
        ({"model": "plain", "shade": "red"}, "S4D201", "no variant set 'shade'"),
        ({"model": "fancy", "shade": "red"}, "S4D202", r"it has \['flowers'\]"),
    ],
)
def test_missing_set_or_name_is_a_coded_error(selection, code, text) -> None:
    with pytest.raises(VariantError, match=text) as caught:
        complete_selection(NESTED, selection)
    assert caught.value.code == code


def test_index_out_of_range_and_unknown_set_are_coded_errors() -> None:
    with pytest.raises(VariantError, match=r"S4D202: index 5 .* outside 0..2"):
        variants_by_index(NESTED, {"model": 5})
    with pytest.raises(VariantError, match="S4D201"):
        variants_by_index(NESTED, {"paint": 0})


def test_set_without_weight_is_a_coded_error() -> None:
    with pytest.raises(VariantError, match="S4D203"):
        choose_variants(entry(VariantSet("look", (Variant("a", 0.0),))), 1)


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_seed_outside_64_bits_is_refused(seed) -> None:
    with pytest.raises(ValueError, match="seed must lie"):
        choose_variants(NESTED, seed)


def nested_stage() -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    prim = stage.DefinePrim("/Pot", "Xform")
    stage.SetDefaultPrim(prim)
    model = prim.GetVariantSets().AddVariantSet("model")
    for name, shades in (("fancy", ["flowers"]), ("utah", ["black", "white"])):
        model.AddVariant(name)
        model.SetVariantSelection(name)
        with model.GetVariantEditContext():
            shade = prim.GetVariantSets().AddVariantSet("shade")
            for each in shades:
                shade.AddVariant(each)
            shade.SetVariantSelection(shades[0])
    return stage


def test_sets_whose_names_follow_an_outer_choice_are_read_as_nested() -> None:
    tree = read_variant_sets(nested_stage())
    assert [each.name for each in tree] == ["model"]
    inner = {variant.name: variant.sets[0].names for variant in tree[0].variants}
    assert inner == {"fancy": ("flowers",), "utah": ("black", "white")}


def test_independent_sets_are_read_side_by_side() -> None:
    stage = Usd.Stage.CreateInMemory()
    prim = stage.DefinePrim("/Pot", "Xform")
    stage.SetDefaultPrim(prim)
    for name, values in (("a", "xyz"), ("b", "uv")):
        for value in values:
            prim.GetVariantSets().AddVariantSet(name).AddVariant(value)
    tree = read_variant_sets(stage, {"a": ("z", "x")})
    assert {each.name: each.names for each in tree} == {"a": ("z", "x", "y"), "b": ("u", "v")}


def test_apply_selection_raises_where_usd_stays_silent() -> None:
    stage = nested_stage()
    prim = stage.GetDefaultPrim()
    assert prim.GetVariantSet("model").SetVariantSelection("NoSuch")  # USD's own behaviour
    with pytest.raises(VariantError, match="S4D202"):
        apply_selection(prim, {"model": "NoSuch"})
    with pytest.raises(VariantError, match="S4D201"):
        apply_selection(prim, {"paint": "red"})
    apply_selection(prim, {"model": "utah", "shade": "white"})
    assert prim.GetVariantSet("shade").GetVariantSelection() == "white"


def test_real_teapot_has_six_looks_under_one_model_and_one_under_the_other(test_data) -> None:
    folder = test_data / "usd" / "Teapot"
    pot = describe_asset(folder / "Teapot.usd", library_root=folder)
    looks = {v.name: len(v.sets[0].variants) for v in pot.variants[0].variants}
    assert looks == {"Fancy": 1, "Utah": 6}
    assert count_variants(pot) == 7
    stage = open_stage(pot.file)
    for selection in enumerate_variants(pot):
        apply_selection(stage.GetDefaultPrim(), selection)


def test_pairwise_plan_covers_every_pair_of_a_large_flat_asset() -> None:
    thing = entry(*(flat(f"axis_{k}", *"abcdefgh"[: 4 + k]) for k in range(5)))
    plan = plan_selections(thing, most=256)
    assert plan.combinations == 4 * 5 * 6 * 7 * 8
    assert plan.pair_coverage == 1.0
    assert len(plan.selections) < 256
    pairs = {
        (a, b)
        for each in plan.selections
        for a in each.items()
        for b in each.items()
        if a[0] < b[0]
    }
    sizes = [4, 5, 6, 7, 8]
    assert len(pairs) == sum(x * y for i, x in enumerate(sizes) for y in sizes[i + 1 :])


def test_pairwise_plan_of_a_nested_asset_stays_valid() -> None:
    plan = plan_selections(NESTED, most=3)
    valid = list(enumerate_variants(NESTED))
    assert all(selection in valid for selection in plan.selections)
    assert plan.pair_coverage == 1.0


def test_plan_of_one_large_set_composes_every_variant() -> None:
    thing = entry(flat("look", *(f"v{number}" for number in range(300))))
    plan = plan_selections(thing, most=256)
    assert {each["look"] for each in plan.selections} == set(thing.variant_sets["look"])
    assert len(plan.selections) == plan.combinations == 300
    assert plan.pair_coverage == 1.0


def test_plan_of_a_huge_nested_asset_reaches_the_last_variants() -> None:
    inner = tuple(flat(f"part_{axis}", *"abcdefghij") for axis in range(6))
    models = VariantSet("model", (Variant("first", sets=inner), Variant("last", sets=inner[:1])))
    thing = entry(models, flat("size", "small", "large"))
    plan = plan_selections(thing, most=256)
    assert plan.combinations > 2_000_000
    assert plan.pair_coverage == 1.0
    assert {"model": "last", "part_0": "j", "size": "large"} in plan.selections


@given(trees())
@settings(max_examples=60, deadline=None)
def test_plan_meets_every_pair_of_the_enumeration(tree) -> None:
    thing = entry(*tree)
    plan = plan_selections(thing, most=1)
    listed, planned = (
        {frozenset(pair) for each in selections for pair in combinations(each.items(), 2)}
        for selections in (enumerate_variants(thing), plan.selections)
    )
    assert planned == listed
    assert plan.pair_coverage == 1.0
