"""Tables: coffee, side, dining, desks, dressing tables, and sets of table and chairs."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..solids import box, cylinder, ellipse, lathe, rounded_rectangle, slab, sphere, tube
from .parts import BOOK_FINISHES, carcass, corner_legs, front, stack_of_books, vase
from .recipe import Recipe, styles
from .seating import CHAIR_LOOKS, dining_chair, stool


def top(
    width: float,
    depth: float,
    height: float,
    thick: float = 0.03,
    corner: float = 0.02,
    slot: str = "wood_top",
) -> Mesh:
    """A table top whose upper side is at `height`."""
    return slab(
        rounded_rectangle(width, depth, corner), thick, height - thick, min(0.008, thick / 3), slot
    )


def coffee_table(style: str) -> list[Mesh]:
    """Styles: shelf, round, drawer, block."""
    rng = np.random.default_rng(5)
    if style == "round":
        parts = [slab(ellipse(0.84, 0.84), 0.028, 0.38, 0.01, "wood_top")]
        for k in range(3):
            a = 2 * np.pi * k / 3 + 0.5
            parts.append(
                tube(
                    [
                        (0.36 * np.cos(a), 0.36 * np.sin(a), 0),
                        (0.24 * np.cos(a), 0.24 * np.sin(a), 0.385),
                    ],
                    [0.014, 0.022],
                    12,
                    "wood",
                )
            )
        return [
            *parts,
            vase(0.22, 0.07, (0.12, 0.1, 0.408)),
            *stack_of_books(rng, 2, -0.12, -0.05, 0.408),
        ]
    if style == "block":
        return [
            slab(rounded_rectangle(1.1, 0.62, 0.12), 0.04, 0.30, 0.012, "wood_top"),
            cylinder(0.17, 0.30, (-0.3, 0, 0), 0.01, 32, "wood"),
            cylinder(0.17, 0.30, (0.3, 0, 0), 0.01, 32, "wood"),
            vase(0.13, 0.10, (0.25, 0.05, 0.34), "cup"),
        ]
    parts = [top(1.15, 0.6, 0.42)]
    if style == "drawer":
        parts += carcass(1.09, 0.56, 0.15, 0.24, uprights=(0.0,))
        for sx in (-1, 1):
            parts += front(0.52, 0.125, (sx * 0.263, -0.28, 0.315), grip="knob")
        return [
            *parts,
            *corner_legs(1.1, 0.56, 0.25, style="taper", thick=0.05, inset=0.02),
            *stack_of_books(rng, 3, -0.25, 0, 0.42),
        ]
    parts += corner_legs(1.15, 0.6, 0.395, style="square", thick=0.045, slot="metal", inset=0.01)
    parts.append(box((1.06, 0.51, 0.02), (0, 0, 0.12), 0.004, slot="wood"))
    parts += [box((1.06, 0.02, 0.03), (0, s * 0.26, 0.375), 0.003, slot="metal") for s in (-1, 1)]
    parts += [
        *stack_of_books(rng, 3, 0.25, 0.02, 0.13),
        *stack_of_books(rng, 2, -0.2, 0, 0.42),
        vase(0.16, 0.06, (0.22, 0.08, 0.42), "bottle"),
    ]
    return parts


def side_table(style: str) -> list[Mesh]:
    """Styles: tray, pedestal, cube, hairpin."""
    if style == "tray":
        rim = lathe(
            [
                (0, 0.50),
                (0.235, 0.50),
                (0.245, 0.505),
                (0.25, 0.545),
                (0.243, 0.547),
                (0.236, 0.515),
                (0, 0.512),
            ],
            segments=36,
            slot="metal",
            crease=50,
        )
        return [
            rim,
            *[
                part
                for k in range(3)
                for part in [
                    tube(
                        [
                            (0.2 * np.cos(a), 0.2 * np.sin(a), 0),
                            (0.13 * np.cos(a), 0.13 * np.sin(a), 0.5),
                        ],
                        0.011,
                        10,
                        "wood",
                    )
                    for a in [2 * np.pi * k / 3]
                ]
            ],
        ]
    if style == "pedestal":
        return [
            slab(ellipse(0.46, 0.46), 0.025, 0.53, 0.01, "wood_top"),
            lathe(
                [
                    (0, 0),
                    (0.17, 0),
                    (0.175, 0.012),
                    (0.05, 0.06),
                    (0.03, 0.14),
                    (0.045, 0.28),
                    (0.028, 0.40),
                    (0.06, 0.53),
                    (0, 0.53),
                ],
                segments=28,
                slot="wood",
                crease=50,
            ),
        ]
    if style == "cube":
        return [
            *carcass(0.45, 0.42, 0.48, 0.03, shelves=(0.45,)),
            top(0.46, 0.43, 0.53, 0.022),
            *corner_legs(0.44, 0.41, 0.04, thick=0.04),
            *stack_of_books(np.random.default_rng(2), 3, 0, 0, 0.255),
        ]
    return [
        top(0.5, 0.4, 0.52, 0.028, 0.06),
        *corner_legs(0.5, 0.4, 0.495, style="hairpin", slot="metal", thick=0.012, inset=0.05),
    ]


def dining_table(style: str, width: float = 1.7, depth: float = 0.9) -> list[Mesh]:
    """Styles: farm, trestle, round, pedestal (oval), modern."""
    h = 0.75
    if style == "round":
        turned = [
            (0, 0.06),
            (0.09, 0.06),
            (0.07, 0.14),
            (0.10, 0.26),
            (0.06, 0.40),
            (0.055, 0.55),
            (0.12, 0.70),
            (0.18, 0.72),
            (0, 0.72),
        ]
        feet = [
            tube(
                [
                    (0.05 * np.cos(a), 0.05 * np.sin(a), 0.16),
                    (0.25 * np.cos(a), 0.25 * np.sin(a), 0.09),
                    (0.40 * np.cos(a), 0.40 * np.sin(a), 0.028),
                ],
                [0.042, 0.034, 0.026],
                12,
                "wood",
            )
            for a in np.arange(4) * np.pi / 2 + np.pi / 4
        ]
        return [
            slab(ellipse(1.15, 1.15, 56), 0.032, h - 0.032, 0.012, "wood_top"),
            lathe(turned, segments=28, slot="wood", crease=50),
            *feet,
        ]
    if style == "pedestal":
        stem = [
            (0, 0),
            (0.30, 0),
            (0.31, 0.015),
            (0.24, 0.035),
            (0.075, 0.13),
            (0.05, 0.3),
            (0.055, 0.52),
            (0.13, 0.68),
            (0.22, 0.715),
            (0, 0.72),
        ]
        return [
            slab(ellipse(width, depth + 0.1, 64), 0.03, h - 0.03, 0.012, "wood_top"),
            lathe(stem, segments=36, slot="metal", crease=60).scaled(1.25, 1, 1),
        ]
    parts = [
        top(width, depth, h, 0.036 if style == "farm" else 0.03, 0.015 if style == "farm" else 0.05)
    ]
    if style == "trestle":
        for sx in (-1, 1):
            x = sx * (width / 2 - 0.28)
            parts += [
                tube([(x + sx * 0.05, y, 0.0), (x, y * 0.35, h - 0.05)], 0.026, 12, "wood")
                for y in (-0.36, 0.36)
            ]
            parts.append(box((0.06, 0.66, 0.045), (x, 0, h - 0.055), 0.006, slot="wood", grain=1))
        parts.append(box((width - 0.56, 0.035, 0.07), (0, 0, 0.36), 0.006, slot="wood"))
        return parts
    legs = "turned" if style == "farm" else "taper"
    parts += corner_legs(
        width, depth, h - 0.03, style=legs, thick=0.085 if style == "farm" else 0.06, inset=0.03
    )
    inset = 0.075
    parts += [
        box((width - 0.26, 0.022, 0.09), (0, s * (depth / 2 - inset), h - 0.08), 0.004, slot="wood")
        for s in (-1, 1)
    ]
    parts += [
        box((0.022, depth - 0.26, 0.09), (s * (width / 2 - inset), 0, h - 0.08), 0.004, slot="wood")
        for s in (-1, 1)
    ]
    return parts


def dining_set(table: str, chair: str, seats: int) -> list[Mesh]:
    """A table with chairs pushed in, and plates with glasses on it."""
    parts = dining_table(table)
    if table in ("round",):
        places = [(np.degrees(a), 0.74) for a in np.arange(seats) * 2 * np.pi / seats]
        for degrees, reach in places:
            parts += [p.moved(0, -reach).turned(degrees) for p in dining_chair(chair)]
        settings = [
            (0.36 * np.sin(np.radians(d)), -0.36 * np.cos(np.radians(d))) for d, _ in places
        ]
    else:
        xs = np.linspace(-1, 1, seats // 2) * (0.56 if seats > 4 else 0.4)
        for x in xs:
            parts += [p.moved(x, -0.60) for p in dining_chair(chair)]
            parts += [p.turned(180).moved(x, 0.60) for p in dining_chair(chair)]
        settings = [(x, s * 0.27) for x in xs for s in (-1, 1)]
    plate = lathe(
        [(0, 0.752), (0.06, 0.752), (0.115, 0.766), (0.116, 0.770), (0.06, 0.758), (0, 0.757)],
        segments=28,
        slot="ceramic",
        crease=60,
    )
    for x, y in settings:
        parts += [
            plate.moved(x, y),
            vase(0.11, 0.032, (x + 0.14, y + 0.09 * np.sign(-y or 1), 0.751), "cup", "glass"),
        ]
    return [*parts, vase(0.24, 0.08, (0, 0, 0.75), "round")]


def desk(style: str) -> list[Mesh]:
    """Styles: pedestal (drawers one side), trestle, secretary (with hutch), simple."""
    h, width, depth = 0.74, 1.4, 0.66
    rng = np.random.default_rng(11)
    parts = [top(width, depth, h, 0.028, 0.012)]
    if style == "trestle":
        for sx in (-1, 1):
            x = sx * 0.5
            parts += [
                tube([(x - 0.14, y, 0), (x, y, h - 0.03)], 0.016, 10, "wood") for y in (-0.26, 0.26)
            ]
            parts += [
                tube([(x + 0.14, y, 0), (x, y, h - 0.03)], 0.016, 10, "wood") for y in (-0.26, 0.26)
            ]
            parts += [
                tube([(x + s * 0.08, -0.26, 0.3), (x + s * 0.08, 0.26, 0.3)], 0.011, 8, "wood")
                for s in (-1, 1)
            ]
        return [*parts, *stack_of_books(rng, 4, -0.45, 0.12, h)]
    if style == "simple":
        parts += corner_legs(
            width, depth, h - 0.02, style="taper", thick=0.05, inset=0.02, slot="metal"
        )
        parts += carcass(0.9, 0.5, 0.11, h - 0.14, thick=0.014)
        parts += front(0.43, 0.09, (-0.22, -0.25, h - 0.085), grip="knob") + front(
            0.43, 0.09, (0.22, -0.25, h - 0.085), grip="knob"
        )
        return parts
    x = width / 2 - 0.22
    parts += [m.moved(x, 0.0) for m in carcass(0.42, depth - 0.06, h - 0.09, 0.06)]
    for i, share in enumerate((0.13, 0.38, 0.72)):
        tall = (0.145, 0.145, 0.29)[i]
        parts += front(
            0.40, tall, (x, -(depth - 0.06) / 2, h - 0.03 - share * (h - 0.09)), grip="bar"
        )
    parts += corner_legs(
        width, depth, h - 0.02, style="square", thick=0.05, inset=0.0, slot="wood"
    )[:2]
    parts.append(box((0.36, depth - 0.14, 0.06), (x, 0, 0.03), 0.004, slot="metal"))
    parts.append(
        box((width - 0.5, 0.018, 0.28), (-0.2, depth / 2 - 0.08, h - 0.17), 0.003, slot="wood")
    )
    if style == "secretary":
        hutch = carcass(width, 0.26, 0.42, h, shelves=(0.5,), uprights=(-0.2, 0.2))
        parts += [m.moved(0, depth / 2 - 0.13) for m in hutch]
        from .parts import books

        parts += books(rng, 0.34, 0.18, 0.2, -0.66, depth / 2 - 0.14, h + 0.02) + books(
            rng, 0.34, 0.17, 0.2, 0.3, depth / 2 - 0.14, h + 0.22
        )
    return parts


def dressing_table(style: str) -> list[Mesh]:
    """A vanity with drawers, a mirror and a stool; styles round, arch, wide."""
    width, depth, h = (1.2 if style == "wide" else 0.9), 0.42, 0.75
    parts = [
        top(width, depth, h, 0.022, 0.02),
        *carcass(width - 0.06, depth - 0.03, 0.16, h - 0.18, thick=0.016, uprights=(0.0,)),
    ]
    half = (width - 0.08) / 2
    for sx in (-1, 1):
        parts += front(
            half - 0.01,
            0.13,
            (sx * half / 2, -(depth - 0.03) / 2, h - 0.10),
            grip="knob",
            style="flat",
        )
    parts += corner_legs(
        width - 0.03, depth - 0.02, h - 0.18, style="taper", thick=0.045, inset=0.01
    )
    high = 0.62
    if style == "round":
        outline, centre = ellipse(0.56, 0.56, 48), h + 0.36
    elif style == "arch":
        side = ellipse(0.5, 0.5, 48)
        outline, centre = np.where(side[:, 1:] < 0, side * (1, 1.7), side * (1, 1.1)), h + 0.44
    else:
        outline, centre = rounded_rectangle(0.95, high, 0.06), h + 0.37
    frame = slab(outline * 1.06, 0.022, 0, 0.008, "wood").turned(90, "x")
    glass = slab(outline, 0.006, 0, 0.001, "mirror").turned(90, "x")
    parts += [frame.moved(0, depth / 2 - 0.02, centre), glass.moved(0, depth / 2 - 0.04, centre)]
    parts += [
        tube(
            [(x, depth / 2 - 0.03, h - 0.02), (x, depth / 2 - 0.03, centre - 0.15)],
            0.009,
            8,
            "metal",
        )
        for x in (-0.12, 0.12)
    ]
    parts += [
        vase(0.09, 0.025, (width * 0.36, 0.08, h), "bottle", "glass"),
        vase(0.06, 0.03, (width * 0.28, 0.0, h), "cup"),
        sphere(0.02, (width * 0.36, 0.08, h + 0.1), slot="metal"),
    ]
    return parts + [p.scaled(0.95, 0.95, 0.95).moved(0, -0.34) for p in stool("bench")]


TABLE_LOOKS = {
    name: {**BOOK_FINISHES, "ceramic": pot, "glass": "glass", "mirror": "mirror", **look}
    for name, pot, look in (
        (
            "oak",
            "ceramic_white",
            {"wood": "oak", "wood_top": "oak", "metal": "black_metal", "fabric": "linen_cream"},
        ),
        (
            "walnut",
            "ceramic_blue",
            {"wood": "walnut", "wood_top": "walnut", "metal": "brass", "fabric": "fabric_teal"},
        ),
        (
            "marble",
            "ceramic_black",
            {
                "wood": "black_wood",
                "wood_top": "marble_white",
                "metal": "gold",
                "fabric": "fabric_blush",
            },
        ),
        (
            "white",
            "ceramic_green",
            {"wood": "white_wood", "wood_top": "birch", "metal": "chrome", "fabric": "linen_grey"},
        ),
        (
            "green_marble",
            "ceramic_sand",
            {
                "wood": "dark_oak",
                "wood_top": "marble_green",
                "metal": "brass",
                "fabric": "leather_cognac",
            },
        ),
    )
}

RECIPES = [
    Recipe(
        "coffee_table",
        "coffee_table",
        styles(coffee_table, "shelf", "round", "drawer", "block"),
        TABLE_LOOKS,
        tags=("table", "living"),
        quickstart=True,
    ),
    Recipe(
        "side_table",
        "side_table",
        styles(side_table, "tray", "pedestal", "cube", "hairpin"),
        TABLE_LOOKS,
        tags=("table",),
    ),
    Recipe(
        "dining_table",
        "dining_table",
        styles(dining_table, "farm", "trestle", "round", "pedestal", "modern"),
        TABLE_LOOKS,
        tags=("table", "dining"),
        quickstart=True,
    ),
    Recipe(
        "dining_set",
        "dining_table_combination",
        {
            "farm_four": lambda: dining_set("farm", "ladder", 4),
            "round_four": lambda: dining_set("round", "wishbone", 4),
            "modern_six": lambda: dining_set("modern", "upholstered", 6),
        },
        TABLE_LOOKS,
        tags=("table", "dining"),
    ),
    Recipe(
        "leisure_set",
        "leisure_table_and_chair_combination",
        {
            "bistro": lambda: leisure_set("metal", "pedestal"),
            "garden": lambda: leisure_set("spindle", "tray"),
            "cosy": lambda: leisure_set("wishbone", "hairpin"),
        },
        TABLE_LOOKS,
        tags=("table", "seating"),
    ),
    Recipe(
        "desk",
        "desk",
        styles(desk, "simple", "pedestal", "trestle", "secretary"),
        TABLE_LOOKS,
        tags=("table", "study"),
        quickstart=True,
    ),
    Recipe(
        "dressing_table",
        "dressing_table",
        styles(dressing_table, "round", "arch", "wide"),
        TABLE_LOOKS,
        tags=("table", "bedroom"),
    ),
]


def leisure_set(chair: str, table: str) -> list[Mesh]:
    """Two chairs that half face each other over a small table."""
    parts = [p.scaled(1.15, 1.15, 1.2) for p in side_table(table)]
    for sx in (-1, 1):
        parts += [p.turned(sx * 52).moved(sx * 0.66, 0.0) for p in dining_chair(chair)]
    return [*parts, vase(0.10, 0.045, (0.05, 0.0, 0.64 if table != "hairpin" else 0.624), "cup")]


__all__ = ["CHAIR_LOOKS", "RECIPES"]
