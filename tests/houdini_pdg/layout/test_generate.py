"""Generated rooms, checked with independent geometry: OpenCV polygons and a flood fill."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import ndimage

from assets_schema.categories import UNKNOWN, normalize_category
from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import LayoutImpossible, generate_layout
from houdini_pdg.layout.grammar import LayoutError, parse_layout, print_layout
from houdini_pdg.layout.model import Box, Layout
from houdini_pdg.layout.solids import floor_region

SEEDS = range(40)


@cache
def room(seed: int) -> Layout:
    return generate_layout(LayoutConfig(), seed)


def _rotated(box: Box) -> tuple[tuple[float, float], tuple[float, float], float]:
    x, y, _ = box.position
    return (x, y), (box.scale[0], box.scale[1]), float(np.degrees(box.angle_z))


def _shared_area(a: Box, b: Box) -> float:
    kind, points = cv2.rotatedRectangleIntersection(_rotated(a), _rotated(b))
    if kind == cv2.INTERSECT_NONE or points is None or len(points) < 3:
        return 0.0
    return float(cv2.contourArea(cv2.convexHull(points)))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_boxes_share_volume(seed: int) -> None:
    for a, b in itertools.combinations(room(seed).boxes, 2):
        if "carpet" in (a.category, b.category):
            continue
        height = min(a.top, b.top) - max(a.bottom, b.bottom)
        if height > 1e-3:
            assert _shared_area(a, b) < 1e-3, (a, b)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_box_lies_within_the_walls_and_below_the_ceiling(seed: int) -> None:
    layout = room(seed)
    region = floor_region(layout)
    walls = [
        Box(w.name, "wall", tuple((np.add(w.a, w.b) / 2).tolist()), w.yaw, (w.length, 0.12, 2.0))
        for w in layout.walls
    ]
    for box in layout.boxes:
        assert region.contains(np.asarray(box.position[:2]) + 0.05 * box.front), box
        assert all(_shared_area(wall, box) < 1e-3 for wall in walls), box
        assert box.bottom >= -1e-9
        assert box.top <= layout.ceiling_height + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_all_doors_are_reached_on_foot_from_one_another(seed: int) -> None:
    layout = room(seed)
    cell, person = 0.05, 0.22
    low, high = layout.bounds()
    shape = np.ceil((high - low) / cell).astype(int)
    grid = np.ones((shape[1], shape[0]), np.uint8)  # image rows are y

    def fill(corners: np.ndarray, value: int) -> None:
        points = np.round((corners - low) / cell).astype(np.int32)
        cv2.fillPoly(grid, [points], value)

    for wall in layout.walls:
        normal = np.array([-wall.direction[1], wall.direction[0]]) * (0.06 + person)
        a, b = np.asarray(wall.a[:2]), np.asarray(wall.b[:2])
        fill(np.stack([a - normal, b - normal, b + normal, a + normal]), 0)
    for door in layout.doors:
        wall = layout.wall(door.wall)
        along = wall.direction * max(door.width / 2 - person, 0.1)
        normal = np.array([-wall.direction[1], wall.direction[0]]) * 0.45
        centre = np.asarray(door.position[:2])
        ends = [centre - along - normal, centre + along - normal]
        fill(np.stack([*ends, centre + along + normal, centre - along + normal]), 1)
    for box in layout.boxes:
        if box.bottom < 1.8 and box.category != "carpet":
            fill(box.corners(margin=person - 0.05), 0)
    labels, _ = ndimage.label(grid)
    reached = set()
    for door in layout.doors:
        x, y = ((np.asarray(door.position[:2]) - low) / cell).astype(int)
        around = labels[max(y - 8, 0) : y + 9, max(x - 8, 0) : x + 9]
        found = set(around[around > 0].tolist())
        assert found, door
        reached = found if not reached else reached & found
    assert reached


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_room() -> None:
    first = print_layout(generate_layout(LayoutConfig(), 7))
    assert print_layout(generate_layout(LayoutConfig(), 7)) == first
    texts = {print_layout(room(seed)) for seed in SEEDS}
    assert len(texts) == len(SEEDS)


def test_what_is_generated_follows_the_strict_grammar() -> None:
    for seed in SEEDS:
        assert parse_layout(print_layout(room(seed))) == room(seed)


def test_every_class_is_one_that_the_asset_schema_knows() -> None:
    classes = {box.category for seed in SEEDS for box in room(seed).boxes}
    assert len(classes) >= 30
    assert UNKNOWN not in {normalize_category(name) for name in classes}


@pytest.mark.parametrize(("shape", "walls"), [("rectangle", {4}), ("l_shape", {6})])
def test_a_floor_plan_has_the_corners_of_its_shape(shape: str, walls: set[int]) -> None:
    config = LayoutConfig(shapes={shape: 1.0})
    assert {len(generate_layout(config, seed).walls) for seed in range(6)} == walls


def test_several_rooms_are_joined_by_doors() -> None:
    config = LayoutConfig(shapes={"rooms": 1.0})
    for seed in range(6):
        layout = generate_layout(config, seed)
        assert len(layout.walls) >= 7
        assert len(layout.doors) >= 2


def test_the_floor_region_of_a_rectangle_has_its_inner_area() -> None:
    config = LayoutConfig(shapes={"rectangle": 1.0})
    layout = generate_layout(config, 3)
    ends = np.array([p[:2] for wall in layout.walls for p in (wall.a, wall.b)])
    inner = np.prod(np.ptp(ends, axis=0) - 0.12)
    assert floor_region(layout).area == pytest.approx(inner, rel=0.04)


def test_a_denser_room_holds_more() -> None:
    counts = []
    for density in (0.0, 0.5, 1.0):
        config = LayoutConfig(density=(density, density), shapes={"rectangle": 1.0})
        counts.append(sum(len(generate_layout(config, seed).boxes) for seed in range(10)))
    assert counts[0] < counts[1] < counts[2]


def test_small_things_stand_on_something() -> None:
    small = {"vase", "books", "ornaments", "potted_bonsai", "table_lamp", "computer", "tv"}
    count = 0
    for seed in SEEDS:
        for box in room(seed).boxes:
            if box.category in small:
                below = [
                    other
                    for other in room(seed).boxes
                    if abs(other.top - box.bottom) < 2e-3
                    and _shared_area(other, box) > 0.6 * box.scale[0] * box.scale[1]
                ]
                assert below, box
                count += 1
    assert count > 50


def _towards(box: Box, other: Box) -> float:
    """Cosine between a box's front and the way to another box."""
    way = np.subtract(other.position[:2], box.position[:2])
    return float(box.front @ way / np.linalg.norm(way))


def test_furniture_at_walls_turns_its_back_to_the_wall_and_can_be_reached() -> None:
    used = {"bed", "wardrobe", "bookcase", "sideboard", "cupboard", "tv_cabinet", "desk", "stove"}
    for seed in SEEDS:
        region = floor_region(room(seed))
        solid = [b for b in room(seed).boxes if b.bottom < 0.05 and b.category != "carpet"]
        for box in (b for b in room(seed).boxes if b.category in used):
            ahead = box.front * (box.scale[1] / 2 + 0.25)
            behind = -box.front * (box.scale[1] / 2 + 0.1)
            centre = np.asarray(box.position[:2])
            assert region.contains(centre + ahead), (seed, box)
            assert not region.contains(centre + behind), (seed, box)
            if box.category in ("wardrobe", "bookcase"):
                near = Box("", "", (*(centre + ahead), 0.5), box.angle_z, (0.3, 0.3, 1.0))
                assert all(_shared_area(near, other) < 1e-3 for other in solid), (seed, box)


def test_chairs_turn_to_their_table_or_desk_and_sofas_to_the_television() -> None:
    faced = []
    for seed in SEEDS:
        by_category: dict[str, list[Box]] = {}
        for box in room(seed).boxes:
            by_category.setdefault(box.category, []).append(box)
        for chair in by_category.get("dining_chair", []):
            tables = by_category["dining_table"]
            distance = [np.hypot(*np.subtract(t.position, chair.position)[:2]) for t in tables]
            table = tables[int(np.argmin(distance))]
            along = np.array([np.cos(table.angle_z), np.sin(table.angle_z)])
            across = np.array([-along[1], along[0]])  # chairs stand along the table's long sides
            way = np.subtract(table.position, chair.position)[:2] @ across
            assert chair.front @ across * np.sign(way) > 0.95, (seed, chair)
        sofas, sets = by_category.get("sofa", []), by_category.get("tv", [])
        if len(sofas) == len(sets) == 1 and len(room(seed).walls) == 4:
            faced.append(_towards(sofas[0], sets[0]) > 0.5)
    assert len(faced) > 5
    assert np.mean(faced) > 0.6


def test_nothing_stands_in_a_doorway_and_curtains_hang_in_pairs() -> None:
    for seed in SEEDS:
        layout = room(seed)
        for door in layout.doors:
            wall = layout.wall(door.wall)
            middle = (*door.position[:2], 1.0)
            zone = Box("", "", middle, wall.yaw, (door.width - 0.02, 1.6, 2.0))
            low = [b for b in layout.boxes if b.bottom < door.height and b.category != "carpet"]
            assert all(_shared_area(zone, box) < 1e-3 for box in low), (seed, door)
        assert sum(box.category == "curtain" for box in layout.boxes) % 2 == 0


def test_impossible_rooms_are_rejected_with_advice() -> None:
    config = LayoutConfig(
        width=(2.5, 2.6),
        depth=(2.5, 2.6),
        attempts=1,
        room_types={"studio": 1.0},
    )
    with pytest.raises(LayoutImpossible, match="allow larger rooms"):
        generate_layout(config, 0)


def test_a_user_layout_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(print_layout(room(1)), encoding="utf-8")
    assert generate_layout(LayoutConfig(files=(path,)), 5) == room(1)
    path.write_text("wall_0=Wall(0,0)\n", encoding="utf-8")
    with pytest.raises(LayoutError, match=r"mine.txt.*got 2") as caught:
        generate_layout(LayoutConfig(files=(path,)), 5)
    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shapes": {"round": 1.0}}, "unknown 'round'"),
        ({"room_types": {"study": -1.0}}, "must not be negative"),
        ({"shapes": {"rectangle": 0.0}}, "at least one weight"),
        ({"width": (5.0, 4.0)}, "width"),
        ({"density": (0.5, 1.5)}, "density"),
        ({"attempts": 0}, "attempts"),
    ],
)
def test_bad_configuration_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LayoutConfig(**values)


def test_more_free_floor_that_is_asked_for_is_left() -> None:
    """In small rooms filled to the brim, where it is short."""

    def covered(free: float) -> float:
        config = LayoutConfig(
            shapes={"rectangle": 1.0},
            width=(3.0, 3.0),
            depth=(3.0, 3.0),
            density=(1.0, 1.0),
            min_free_floor=free,
            attempts=60,
        )
        boxes = [b for seed in range(4) for b in generate_layout(config, seed).boxes]
        return sum(b.scale[0] * b.scale[1] for b in boxes if b.bottom < 0.05 and b.scale[2] > 0.2)

    assert covered(4.0) < 0.9 * covered(0.0)
