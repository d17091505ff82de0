"""Functional groups: furniture that belongs together, in a frame with its back at the origin.

Group frame: x along the wall, -y into the room, origin on the wall (or, for free-standing groups,
at the centre). Sizes are metres (width, depth, height); yaw 0 faces -y.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Item:
    """One piece of a group; `optional` pieces are left out where they do not fit."""

    category: str
    size: tuple[float, float, float]
    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0
    optional: bool = False
    on: str = ""
    """Category of the piece that carries this one, for things on surfaces."""
    with_previous: bool = False
    """Left out unless the piece before it was placed, as a cabinet above another."""


@dataclass(frozen=True)
class Group:
    """A named set of items and where it wants to stand."""

    name: str
    items: tuple[Item, ...]
    anchor: str = "wall"
    """`wall`: back against a wall; `floor`: anywhere free; `corner`: at a wall's end."""
    reach: float = 0.6
    """Metres kept free in front of the group's first item."""


def _r(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 2)


def bed_group(rng: np.random.Generator, richness: float) -> Group:
    """Bed with nightstands, lamps on them and a carpet under it."""
    wide = _r(rng, 1.4, 1.9) if rng.random() < 0.75 else _r(rng, 0.95, 1.15)
    size = (wide, _r(rng, 2.0, 2.15), _r(rng, 0.9, 1.15))
    bed = Item("bed", size, 0.0, -size[1] / 2 - 0.02)
    stand = (_r(rng, 0.42, 0.55), _r(rng, 0.36, 0.45), _r(rng, 0.45, 0.58))
    items = [bed]
    for side in (-1, 1):
        x = side * (wide / 2 + stand[0] / 2 + 0.06)
        items.append(Item("nightstand", stand, x, -stand[1] / 2 - 0.02, optional=True))
        if rng.random() < 0.4 + 0.6 * richness:
            lamp = (0.26, 0.26, _r(rng, 0.38, 0.5))
            items.append(Item("table_lamp", lamp, x, -0.2, stand[2], 0.0, True, "nightstand"))
    if rng.random() < 0.6:
        items.append(Item("carpet", (wide + 1.0, 1.5, 0.01), 0.0, -1.75, optional=True))
    if rng.random() < 0.5:
        art = (_r(rng, 0.7, 1.2), 0.04, _r(rng, 0.5, 0.7))
        items.append(Item("painting", art, 0.0, -0.03, 1.45, optional=True))
    return Group("bed", tuple(items), reach=0.7)


def sofa_group(rng: np.random.Generator, richness: float) -> Group:
    """Sofa with a coffee table, a carpet, a side table and a standing lamp."""
    sofa = (_r(rng, 1.7, 2.4), _r(rng, 0.85, 0.98), _r(rng, 0.78, 0.9))
    table = (_r(rng, 0.9, 1.25), _r(rng, 0.5, 0.65), _r(rng, 0.38, 0.46))
    table_y = -(sofa[1] + 0.45 + table[1] / 2)
    items = [
        Item("sofa", sofa, 0.0, -sofa[1] / 2 - 0.02),
        Item("coffee_table", table, 0.0, table_y, optional=True),
        Item("carpet", (sofa[0] + 0.3, 1.8, 0.01), 0.0, table_y + 0.1, optional=True),
    ]
    if rng.random() < 0.3 + 0.6 * richness:
        bowl = (0.2, 0.2, _r(rng, 0.2, 0.32))
        x = _r(rng, -0.25, 0.25)
        items.append(Item("potted_bonsai", bowl, x, table_y, table[2], 0.0, True, "coffee_table"))
    side = float(rng.choice([-1.0, 1.0]))
    if rng.random() < 0.7:
        lamp = (0.4, 0.4, _r(rng, 1.45, 1.7))
        x = side * (sofa[0] / 2 + 0.28)
        items.append(Item("floor-standing_lamp", lamp, x, -0.3, optional=True))
    if rng.random() < 0.5:
        stand = (_r(rng, 0.42, 0.5), 0.45, _r(rng, 0.5, 0.58))
        items.append(Item("side_table", stand, -side * (sofa[0] / 2 + 0.3), -0.3, optional=True))
    if rng.random() < 0.25 + 0.4 * richness:
        chair = (_r(rng, 0.7, 0.8), _r(rng, 0.7, 0.8), _r(rng, 0.8, 0.95))
        x = side * (table[0] / 2 + 0.75)
        items.append(Item("chair", chair, x, table_y, 0.0, side * math.pi / 2 * -1, True))
    art = (_r(rng, 0.8, 1.4), 0.04, _r(rng, 0.55, 0.8))
    items.append(Item("painting", art, 0.0, -0.03, 1.35, optional=True))
    return Group("sofa", tuple(items), reach=0.6)


def tv_group(rng: np.random.Generator, richness: float) -> Group:
    """Television on a low cabinet, plants beside it."""
    cabinet = (_r(rng, 1.4, 2.0), _r(rng, 0.38, 0.45), _r(rng, 0.42, 0.55))
    wide = _r(rng, 0.95, 1.3)
    items = [
        Item("tv_cabinet", cabinet, 0.0, -cabinet[1] / 2 - 0.02),
        Item(
            "tv",
            (wide, 0.2, round(0.62 * wide, 2)),
            0.0,
            -0.22,
            cabinet[2],
            0.0,
            False,
            "tv_cabinet",
        ),
    ]
    for side in (-1, 1):
        if rng.random() < 0.3 + 0.4 * richness:
            pot = (0.45, 0.45, _r(rng, 0.9, 1.4))
            items.append(Item("plants", pot, side * (cabinet[0] / 2 + 0.3), -0.28, optional=True))
    return Group("tv", tuple(items), reach=0.9)


def dining_group(rng: np.random.Generator, richness: float) -> Group:
    """Dining table with chairs around it and a lamp above."""
    table = (_r(rng, 1.2, 1.8), _r(rng, 0.8, 0.95), _r(rng, 0.73, 0.77))
    chair = (_r(rng, 0.42, 0.48), _r(rng, 0.45, 0.52), _r(rng, 0.85, 0.95))
    items = [Item("dining_table", table, 0.0, 0.0)]
    per_side = 2 if table[0] < 1.65 else 3
    for side in (-1, 1):
        for place in range(per_side):
            x = (place - (per_side - 1) / 2) * table[0] / per_side
            y = side * (table[1] / 2 + chair[1] / 2 + _r(rng, 0.02, 0.1))
            yaw = (0.0 if side > 0 else math.pi) + float(rng.uniform(-0.12, 0.12))
            items.append(Item("dining_chair", chair, x, y, 0.0, round(yaw, 4), True))
    if rng.random() < 0.5:
        items.append(
            Item("carpet", (table[0] + 0.8, table[1] + 1.2, 0.01), 0.0, 0.0, optional=True)
        )
    for _ in range(1 + round(2 * richness)):
        thing = (0.2, 0.2, _r(rng, 0.2, 0.3))
        x, y = _r(rng, -0.35, 0.35) * table[0], _r(rng, -0.25, 0.25) * table[1]
        items.append(Item("potted_bonsai", thing, x, y, table[2], 0.0, True, "dining_table"))
    return Group("dining", tuple(items), anchor="floor", reach=0.0)


def desk_group(rng: np.random.Generator, richness: float) -> Group:
    """Desk with a chair and a computer."""
    desk = (_r(rng, 1.1, 1.6), _r(rng, 0.6, 0.72), _r(rng, 0.73, 0.77))
    chair = (0.55, 0.55, _r(rng, 0.85, 1.0))
    yaw = round(math.pi + float(rng.uniform(-0.5, 0.5)), 4)
    screen = (_r(rng, 0.5, 0.62), 0.22, _r(rng, 0.4, 0.48))
    items = [
        Item("desk", desk, 0.0, -desk[1] / 2 - 0.02),
        Item("chair", chair, _r(rng, -0.1, 0.1), -desk[1] - 0.45, 0.0, yaw, True),
        Item("computer", screen, 0.0, -0.25, desk[2], 0.0, True, "desk"),
    ]
    if rng.random() < 0.3 + 0.6 * richness:
        lamp = (0.22, 0.22, 0.42)
        items.append(Item("table_lamp", lamp, desk[0] / 2 - 0.2, -0.25, desk[2], 0.0, True, "desk"))
    return Group("desk", tuple(items), reach=0.8)


def kitchen_group(rng: np.random.Generator, richness: float) -> Group:
    """A kitchen run: refrigerator, cupboards with sink and stove, wall cabinets, range hood."""
    deep, high = 0.6, 0.9
    items = [Item("refrigerator", (_r(rng, 0.62, 0.75), 0.65, _r(rng, 1.65, 1.85)), 0.0, -0.34)]
    x = items[0].size[0] / 2 + 0.02
    for category in ("cupboard", "stove", "sink", "cupboard"):
        wide = {"stove": 0.6, "sink": 0.8}.get(category, _r(rng, 0.6, 0.8))
        centre = round(x + wide / 2, 3)
        items.append(Item(category, (wide, deep, high), centre, -deep / 2 - 0.02, optional=True))
        above = (wide, 0.35, 0.45) if category == "stove" else (wide, 0.34, 0.62)
        name = "range_hood" if category == "stove" else "wall_cabinet"
        items.append(Item(name, above, centre, -0.19, 1.5, optional=True, with_previous=True))
        x += wide + 0.01
    if rng.random() < 0.4 + 0.5 * richness:
        oven = (0.48, 0.36, 0.28)
        items.append(
            Item("micro-wave_oven", oven, round(x - 0.35, 3), -0.3, high, 0.0, True, "cupboard")
        )
    shift = x / 2 - items[0].size[0] / 4
    moved = tuple(replace(item, x=item.x - shift) for item in items)
    return Group("kitchen", moved, reach=0.9)


def _single(
    category: str, low: tuple[float, float, float], high: tuple[float, float, float], reach: float
) -> Callable[[np.random.Generator, float], Group]:
    def build(rng: np.random.Generator, richness: float) -> Group:
        size = (_r(rng, low[0], high[0]), _r(rng, low[1], high[1]), _r(rng, low[2], high[2]))
        return Group(category, (Item(category, size, 0.0, -size[1] / 2 - 0.02),), reach=reach)

    return build


def _dressing_group(rng: np.random.Generator, richness: float) -> Group:
    table = (_r(rng, 0.9, 1.2), 0.45, _r(rng, 1.3, 1.5))
    items = (
        Item("dressing_table", table, 0.0, -table[1] / 2 - 0.02),
        Item("stool", (0.4, 0.36, 0.45), 0.0, -table[1] - 0.28, 0.0, math.pi, True),
    )
    return Group("dressing_table", items, reach=0.5)


def _reading_group(rng: np.random.Generator, richness: float) -> Group:
    """An armchair with a lamp, turned a little."""
    chair = (_r(rng, 0.72, 0.82), _r(rng, 0.72, 0.82), _r(rng, 0.85, 1.0))
    yaw = round(float(rng.uniform(-0.5, 0.5)), 4)
    items = (
        Item("chair", chair, 0.0, -0.6, 0.0, yaw),
        Item("floor-standing_lamp", (0.38, 0.38, _r(rng, 1.45, 1.65)), 0.68, -0.28, optional=True),
    )
    return Group("reading", items, reach=0.5)


Builder = Callable[[np.random.Generator, float], Group]

GROUPS: dict[str, Builder] = {
    "bed": bed_group,
    "sofa": sofa_group,
    "tv": tv_group,
    "dining": dining_group,
    "desk": desk_group,
    "kitchen": kitchen_group,
    "reading": _reading_group,
    "dressing_table": _dressing_group,
    "wardrobe": _single("wardrobe", (1.0, 0.56, 1.95), (2.0, 0.62, 2.25), 0.7),
    "bookcase": _single("bookcase", (0.8, 0.3, 1.7), (1.4, 0.38, 2.1), 0.6),
    "sideboard": _single("sideboard", (1.2, 0.4, 0.75), (1.7, 0.48, 0.9), 0.6),
    "cupboard": _single("cupboard", (0.8, 0.4, 0.85), (1.2, 0.48, 1.3), 0.6),
    "shoe_cabinet": _single("shoe_cabinet", (0.7, 0.3, 0.85), (1.1, 0.38, 1.1), 0.6),
    "plants": _single("plants", (0.45, 0.45, 0.9), (0.65, 0.65, 1.5), 0.0),
    "stool": _single("stool", (0.36, 0.36, 0.42), (0.45, 0.45, 0.5), 0.2),
    "clothes_rack": _single("clothes_rack", (0.8, 0.42, 1.5), (1.2, 0.5, 1.75), 0.5),
    "wine_cabinet": _single("wine_cabinet", (0.6, 0.4, 1.4), (0.9, 0.45, 1.9), 0.6),
}

PROGRAMME: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "living_room": (
        ("tv", "sofa"),
        ("reading", "bookcase", "plants", "sideboard", "dining", "desk", "plants", "stool"),
    ),
    "bedroom": (
        ("bed", "wardrobe"),
        ("desk", "dressing_table", "reading", "bookcase", "plants", "clothes_rack", "tv", "stool"),
    ),
    "dining_room": (
        ("dining", "sideboard"),
        ("wine_cabinet", "plants", "reading", "cupboard", "bookcase", "plants"),
    ),
    "study": (
        ("desk", "bookcase"),
        ("bookcase", "reading", "plants", "sofa", "cupboard", "desk", "stool"),
    ),
    "kitchen": (
        ("kitchen", "dining"),
        ("cupboard", "plants", "shoe_cabinet", "stool", "wine_cabinet"),
    ),
    "studio": (
        ("bed", "sofa"),
        ("desk", "tv", "wardrobe", "kitchen", "dining", "plants", "bookcase"),
    ),
}
"""Use of a room -> (groups that make it, groups that fill it)."""
