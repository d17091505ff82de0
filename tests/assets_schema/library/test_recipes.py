"""Every recipe: enough variants, sane sizes, looks that fill every slot, light that is inside."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from assets_schema.categories import CATEGORIES, SPATIALLM_CATEGORIES
from assets_schema.library.assemble import centred
from assets_schema.library.build import recipes
from assets_schema.library.finishes import finishes
from assets_schema.library.mesh import Mesh

ALL = {recipe.id: recipe for recipe in recipes("full")}


@functools.cache
def shape_of(name: str, shape: str) -> list[Mesh]:
    return centred(ALL[name].shapes[shape]())


def test_every_spatiallm_category_has_an_asset() -> None:
    assert set(SPATIALLM_CATEGORIES) <= {recipe.category for recipe in ALL.values()}


def test_the_quickstart_covers_an_indoor_layout() -> None:
    bedroom = {"bed", "nightstand", "wardrobe", "desk", "chair", "bookcase", "carpet", "curtain"}
    living = {"sofa", "coffee_table", "tv_cabinet", "tv", "plants", "painting", "illumination"}
    dining = {"dining_table", "dining_chair", "floor-standing_lamp", "door", "window"}
    needed = bedroom | living | dining
    assert needed <= {recipe.category for recipe in recipes("quickstart")}


@pytest.mark.parametrize("name", ALL)
def test_a_recipe_has_three_shapes_four_looks_and_a_known_category(name: str) -> None:
    recipe = ALL[name]
    assert recipe.category in CATEGORIES
    assert len(recipe.shapes) >= 3
    assert len(recipe.looks) >= 4


@pytest.mark.parametrize("name", ALL)
def test_shapes_differ_are_finite_and_of_human_size(name: str) -> None:
    drawn = []
    for shape in ALL[name].shapes:
        meshes = shape_of(name, shape)
        for mesh in meshes:
            assert np.isfinite(mesh.points).all()
            assert np.isfinite(mesh.uv).all()
            assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-3)
            assert mesh.faces.max() < len(mesh.points)
        low = np.min([mesh.bounds[0] for mesh in meshes], axis=0)
        high = np.max([mesh.bounds[1] for mesh in meshes], axis=0)
        assert low[2] == pytest.approx(0, abs=1e-9)
        assert (low + high)[:2] == pytest.approx(0, abs=1e-9)
        assert 0.05 < np.max(high - low) < 7.0
        drawn.append(tuple((mesh.slot, mesh.points.tobytes()) for mesh in meshes))
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("name", ALL)
def test_looks_fill_every_slot_with_a_known_finish_and_differ(name: str) -> None:
    recipe = ALL[name]
    for shape in recipe.shapes:
        slots = {mesh.slot for mesh in shape_of(name, shape)}
        for look in recipe.looks.values():
            assert slots <= look.keys()
            assert {look[slot] for slot in slots} <= finishes().keys()
    assert len({tuple(sorted(look.items())) for look in recipe.looks.values()}) == len(recipe.looks)


@pytest.mark.parametrize("name", [recipe.id for recipe in ALL.values() if recipe.glow])
def test_a_lamp_has_an_emissive_part_in_every_shape_and_look(name: str) -> None:
    recipe = ALL[name]
    for shape in recipe.shapes:
        slots = {mesh.slot for mesh in shape_of(name, shape)}
        for look in recipe.looks.values():
            assert any(finishes()[look[slot]].emission > 0 for slot in slots)


STANDING = [
    name for name, recipe in ALL.items() if recipe.support in ("floor", "on_top", "ceiling")
]


@pytest.mark.parametrize("name", STANDING)
def test_no_part_floats(name: str) -> None:
    """From part to part, each a centimetre from the next at most, all hang on what carries them."""
    for shape, make in ALL[name].shapes.items():
        bounds = np.array([part.bounds for part in make()])
        low, high = bounds[:, 0] - 0.005, bounds[:, 1] + 0.005
        carried = (
            high[:, 2] > high[:, 2].max() - 0.01
            if ALL[name].support == "ceiling"
            else low[:, 2] < low[:, 2].min() + 0.01
        )
        reached = np.zeros_like(carried)
        while (fresh := carried & ~reached).any():
            reached |= fresh
            for index in np.flatnonzero(fresh):
                carried |= ((low <= high[index]) & (high >= low[index])).all(axis=1)
        assert carried.all(), f"{shape}: {np.flatnonzero(~carried)} of {len(bounds)} parts float"


def test_plants_stand_on_their_pots_and_not_on_their_leaves() -> None:
    for shape in ALL["plants"].shapes:
        lowest = {mesh.slot: mesh.bounds[0][2] for mesh in shape_of("plants", shape)}
        assert min(lowest, key=lowest.__getitem__) in ("ceramic", "stem")
        assert lowest["leaf"] > 0.02
