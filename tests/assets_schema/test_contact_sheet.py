"""Pictures of assets: framing, sheets over variants, turntables."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from assets_schema.contact_sheet import (
    framing_camera,
    library_sheet,
    one_at_a_time,
    tile,
    turntable,
    variant_sheet,
    write_movie,
)
from assets_schema.variants import enumerate_variants

from .builders import write_stool
from .test_variants import NESTED


@pytest.mark.parametrize("high", [(1.0, 1.0, 1.0), (5.0, 0.1, 0.2), (0.1, 0.1, 3.0)])
def test_framing_camera_sees_every_corner_and_fills_the_picture(high) -> None:
    intrinsics, world_from_camera = framing_camera((0, 0, 0), high, 100)
    corners = np.array(list(itertools.product(*zip((0, 0, 0), high, strict=True))))
    camera_from_world = np.linalg.inv(world_from_camera)
    points = corners @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    pixels = (points @ intrinsics.T)[:, :2] / points[:, 2:]
    assert (points[:, 2] > 0).all()
    assert pixels.min() >= 0
    assert pixels.max() <= 100
    assert max(np.abs(pixels - 50).max(axis=0)) == pytest.approx(47.5)
    assert np.linalg.det(world_from_camera[:3, :3]) == pytest.approx(1.0)


def test_variant_sheet_has_one_different_picture_per_combination(tmp_path) -> None:
    sheet = variant_sheet(write_stool(tmp_path), size=64, columns=3)
    assert sheet.shape == (2 * 82, 3 * 64, 3)
    cells = [sheet[r * 82 : r * 82 + 64, c * 64 : (c + 1) * 64] for r in (0, 1) for c in range(3)]
    for one, other in itertools.combinations(cells, 2):
        assert np.abs(one.astype(int) - other).max() > 30


def test_library_sheet_has_one_picture_per_entry(tmp_path) -> None:
    entries = [write_stool(tmp_path, id) for id in ("one", "two")]
    assert library_sheet(entries, size=48).shape == (66, 96, 3)


def test_one_at_a_time_shows_every_variant_once_in_a_valid_combination() -> None:
    shown = one_at_a_time(NESTED)
    valid = list(enumerate_variants(NESTED))
    assert all(selection in valid for selection in shown)
    seen = {pair for selection in shown for pair in selection.items()}
    assert seen == {pair for selection in valid for pair in selection.items()}


def test_turntable_turns_and_the_movie_can_be_read(tmp_path) -> None:
    frames = turntable(write_stool(tmp_path), {"look": "painted"}, frames=4, size=64)
    assert len(frames) == 4
    assert np.abs(frames[0].astype(int) - frames[1]).mean() > 0.1
    write_movie(tmp_path / "turn.mp4", frames)
    capture = cv2.VideoCapture(str(tmp_path / "turn.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["turn.mp4"]


def test_tiles_keep_their_order() -> None:
    pictures = [np.full((2, 2, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = tile(pictures, 2)
    assert sheet[0, 0, 0] == 10
    assert sheet[0, 2, 0] == 20
    assert sheet[2, 0, 0] == 30
    assert sheet[2, 2, 0] == 255
