"""Every recipe: enough variants, sane sizes, looks that fill every slot, light that is inside."""

from __future__ import annotations

import numpy as np
import pytest

from assets_schema.categories import CATEGORIES, SPATIALLM_CATEGORIES
from assets_schema.library.assemble import centred
from assets_schema.library.build import recipes
from assets_schema.library.finishes import FINISHES

ALL = {recipe.id: recipe for recipe in recipes("full")}


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
    for shape in ALL[name].shapes.values():
        meshes = centred(shape())
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
    for shape in recipe.shapes.values():
        slots = {mesh.slot for mesh in centred(shape())}
        for look in recipe.looks.values():
            assert slots <= look.keys()
            assert {look[slot] for slot in slots} <= FINISHES.keys()
    assert len({tuple(sorted(look.items())) for look in recipe.looks.values()}) == len(recipe.looks)


@pytest.mark.parametrize("name", [recipe.id for recipe in ALL.values() if recipe.glow])
def test_a_lamp_has_an_emissive_part_in_every_shape_and_look(name: str) -> None:
    recipe = ALL[name]
    for shape in recipe.shapes.values():
        slots = {mesh.slot for mesh in centred(shape())}
        for look in recipe.looks.values():
            assert any(FINISHES[look[slot]].emission > 0 for slot in slots)
