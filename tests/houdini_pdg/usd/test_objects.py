"""Fitted assets stay inside their boxes, whatever their fit mode, front axis and yaw."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets_schema.catalog import Catalog
from assets_schema.entry import Entry
from houdini_pdg.layout.model import Box
from houdini_pdg.usd.objects import author_objects, choose_objects, fit
from houdini_pdg.usd.stage import new_stage

size = st.floats(0.1, 3.0)


def _entry(low: np.ndarray, high: np.ndarray, mode: str, front: str, support: str) -> Entry:
    entry = Entry("thing", "thing.usda", "chair", fit_mode=mode, front_axis=front, support=support)
    entry.extents_cache = {"": (tuple(low.tolist()), tuple(high.tolist()))}
    return entry


def _corners(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.array(list(itertools.product(*zip(low, high, strict=True))))


def _in_box(box: Box, points: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(box.angle_z), np.sin(box.angle_z)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    result: np.ndarray = (points - np.asarray(box.position)) @ turn
    return result


@given(
    st.tuples(size, size, size),
    st.tuples(size, size, size),
    st.floats(-3.2, 3.2),
    st.sampled_from(["stretch", "uniform", "keep"]),
    st.sampled_from(["-y", "y", "x", "-x"]),
    st.sampled_from(["floor", "wall", "ceiling", "on_top"]),
)
@settings(max_examples=150, deadline=None)
def test_the_asset_never_leaves_its_box(
    scale: tuple, extent: tuple, yaw: float, mode: str, front: str, support: str
) -> None:
    low = np.array([-0.3, 0.1, -0.2])
    high = low + np.array(extent)
    box = Box("bbox_0", "chair", (1.0, -2.0, 1.5), yaw, scale)
    matrix = fit(box, _entry(low, high, mode, front, support), {})
    world = _corners(low, high) @ matrix[:3, :3].T + matrix[:3, 3]
    local = _in_box(box, world)
    half = np.array(scale) / 2
    assert (np.abs(local) <= half + 1e-9).all()
    reach = local.max(axis=0), local.min(axis=0)
    if mode == "stretch":
        np.testing.assert_allclose(reach[0], half, rtol=1e-5)
    if support == "ceiling":
        assert reach[0][2] == pytest.approx(half[2], rel=1e-5)
    elif support in ("floor", "on_top"):
        assert reach[1][2] == pytest.approx(-half[2], rel=1e-5)
    elif support == "wall":
        assert reach[0][1] == pytest.approx(half[1], rel=1e-5)
    turned = {"-y": [0, -1, 0], "y": [0, 1, 0], "x": [1, 0, 0], "-x": [-1, 0, 0]}[front]
    facing = matrix[:3, :3] @ turned
    np.testing.assert_allclose(facing[:2] / np.linalg.norm(facing), box.front, atol=1e-9)
    if mode != "stretch":
        norms = np.linalg.norm(matrix[:3, :3], axis=0)
        assert np.ptp(norms) < 1e-9
        assert mode == "uniform" or norms.max() <= 1.0


def test_boxes_of_one_class_and_size_are_a_set(mini_library: Path) -> None:
    chairs = [Box(f"bbox_{i}", "dining_chair", (i, 0, 0.5), 0, (0.5, 0.5, 1.0)) for i in range(6)]
    other = Box("bbox_9", "dining_chair", (9, 0, 0.5), 0, (0.6, 0.5, 1.0))
    libraries = [Catalog.load(mini_library)]
    choices = set()
    for seed in range(8):
        placed, missing = choose_objects([*chairs, other], libraries, seed)
        assert missing == []
        assert len({repr(each.choice) for each in placed[:6]}) == 1
        choices.add(repr(placed[0].choice.variants))
    assert len(choices) > 1


def test_adding_a_box_changes_no_other_choice(mini_library: Path) -> None:
    boxes = [
        Box("bbox_0", "sofa", (0, 0, 0.4), 0, (2, 0.9, 0.8)),
        Box("bbox_1", "desk", (3, 0, 0.4), 0, (1.4, 0.7, 0.75)),
    ]
    libraries = [Catalog.load(mini_library)]
    first, _ = choose_objects(boxes, libraries, 4)
    extra = Box("bbox_2", "bed", (6, 0, 0.4), 0, (1.6, 2.0, 1.0))
    second, _ = choose_objects([extra, *boxes], libraries, 4)
    assert [p.choice.variants for p in first] == [p.choice.variants for p in second[1:]]


def test_what_no_library_has_is_reported_and_not_replaced_by_anything(mini_library: Path) -> None:
    tub = Box("bbox_0", "tub", (0, 0, 0.3), 0, (1.7, 0.8, 0.6))
    placed, missing = choose_objects([tub], [Catalog.load(mini_library)], 1)
    assert (placed, missing) == ([], ["tub"])


def test_repeats_are_instances_with_selections_by_name(mini_library: Path) -> None:
    boxes = [Box(f"bbox_{i}", "stool", (i, 0, 0.25), 0, (0.4, 0.4, 0.5)) for i in range(3)]
    boxes.append(Box("bbox_3", "desk", (5, 0, 0.4), 0, (1.4, 0.7, 0.75)))
    placed, _ = choose_objects(boxes, [Catalog.load(mini_library)], 2)
    for instancing in (True, False):
        stage = new_stage(1, 24.0)
        author_objects(stage, placed, instancing=instancing, lamps=1.0, kelvin=3000.0)
        assert len(stage.GetPrototypes()) == (1 if instancing else 0)
        stool = stage.GetPrimAtPath("/World/Objects/bbox_0_stool/asset")
        assert stool.IsInstance() is instancing
        spec = stage.GetRootLayer().GetPrimAtPath(stool.GetPath())
        assert dict(spec.variantSelections) == placed[0].choice.variants
        assert not stage.GetPrimAtPath("/World/Objects/bbox_3_desk/asset").IsInstance()
