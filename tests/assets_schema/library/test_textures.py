"""Texture maps: seamless, flat on average, coloured as asked, equal for equal seeds."""

from __future__ import annotations

import numpy as np
import pytest

from assets_schema.library.artwork import ARTWORKS, paint_artwork
from assets_schema.library.finishes import FinishShelf, finishes, linear
from assets_schema.library.textures import PATTERNS, draw

COLORS = {"dark": (60, 50, 40), "light": (200, 190, 180)}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_maps_tile_without_a_seam(pattern: str) -> None:
    maps = draw(pattern, **COLORS, roughness=0.5, size=128)
    for image in (maps.albedo, maps.normal, maps.roughness):
        values = image.astype(float).reshape(128, 128, -1)
        for axis in (0, 1):
            rolled = np.roll(values, 1, axis=axis)
            steps = np.abs(values - rolled).mean(axis=(1 - axis, 2))
            # The step over the border is one of the steps inside, not a new, larger one.
            assert steps[0] <= steps[1:].max() * 1.35 + 1e-9


@pytest.mark.parametrize("pattern", PATTERNS)
def test_normals_are_unit_and_lean_no_way_on_average(pattern: str) -> None:
    normal = draw(pattern, **COLORS, roughness=0.5, size=128).normal.astype(float) / 127.5 - 1
    assert np.linalg.norm(normal, axis=-1) == pytest.approx(1, abs=0.04)
    assert np.abs(normal.mean(axis=(0, 1))[:2]).max() < 0.02


def test_a_normal_map_leans_away_from_a_ridge_in_opengl_sense() -> None:
    maps = draw("tiles", **COLORS, roughness=0.5, size=128)
    # Rows run down: at a tile's upper edge the surface climbs downwards, so the normal points up.
    assert maps.normal[2, 16, 1] > 140
    assert maps.normal[29, 16, 1] < 116


def test_the_same_seed_draws_the_same_bytes_and_another_does_not() -> None:
    first, again = (draw("wood", **COLORS, roughness=0.5, size=64, seed=3) for _ in range(2))
    assert np.array_equal(first.albedo, again.albedo)
    other = draw("wood", **COLORS, roughness=0.5, size=64, seed=4)
    assert not np.array_equal(first.albedo, other.albedo)


def test_an_unknown_pattern_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown texture pattern 'velvet'"):
        draw("velvet", **COLORS, roughness=0.5)


def test_linear_is_the_inverse_of_srgb() -> None:
    assert linear((255, 0, 188)) == pytest.approx((1.0, 0.0, 0.5029), abs=1e-3)


@pytest.mark.parametrize("name", ["oak", "steel", "art_hills", "shade_white", "glass"])
def test_a_finish_is_made_once_and_kept(tmp_path, name: str) -> None:
    shelf = FinishShelf(tmp_path)
    assert shelf.surface(name) is shelf.surface(name)


def test_lamp_finishes_emit_and_others_do_not(tmp_path) -> None:
    shelf = FinishShelf(tmp_path)
    for name, finish in finishes().items():
        if finish.pattern or finish.artwork:
            continue
        assert (max(shelf.surface(name).emissive) > 0) == (finish.emission > 0)


def test_an_unknown_finish_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="unknown finish 'unobtainium'"):
        FinishShelf(tmp_path).surface("unobtainium")


@pytest.mark.parametrize("name", ARTWORKS)
def test_artworks_are_pictures_with_contrast(name: str) -> None:
    image = paint_artwork(name)
    assert image.shape == (256, 256, 3)
    assert image.std() > 15
