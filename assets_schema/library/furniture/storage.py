"""Cabinets, shelves and wardrobes: carcasses with fronts, and what stands in them."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..soft import curtain
from ..solids import box, cylinder, lathe, sphere, tube
from .parts import BOOK_FINISHES, books, carcass, corner_legs, front, stack_of_books, vase
from .recipe import Recipe, looks, styles

Row = tuple[float, str]  # share of the height, what fills it


def cabinet(
    width: float,
    depth: float,
    height: float,
    columns: int,
    rows: list[Row],
    *,
    style: str = "flat",
    grip: str = "bar",
    legs: str = "plinth",
    lift: float = 0.08,
    top: bool = True,
    seed: int = 0,
) -> list[Mesh]:
    """A cabinet: columns of equal width, rows from the top down of drawers, doors, or open shelves.

    A row's filling is "drawer", "door" (one per column), "pair" (two leaves per column), "glass",
    "open" (empty), "books" or "things".
    """
    rng = np.random.default_rng(seed)
    thick = 0.02
    parts = carcass(
        width,
        depth - 0.02,
        height - lift,
        lift,
        thick=thick,
        uprights=[(i + 1) / columns - 0.5 for i in range(columns - 1)],
    )
    parts = [p.moved(0, 0.01) for p in parts]
    if legs == "plinth":
        parts.append(
            box((width - 0.04, depth - 0.08, lift), (0, 0.02, lift / 2), 0.002, slot="wood")
        )
    elif legs != "none":
        parts += corner_legs(
            width,
            depth,
            lift + 0.005,
            style=legs,
            thick=0.045,
            inset=0.02,
            slot="metal" if legs in ("hairpin", "pin") else "wood",
        )
    if top:
        parts.append(
            box(
                (width + 0.02, depth + 0.01, 0.025), (0, 0, height + 0.0125), 0.006, slot="wood_top"
            )
        )
    inside, z_top = height - lift - 2 * thick, height - thick
    column = (width - 2 * thick) / columns
    front_y, gap = -(depth - 0.02) / 2 + 0.01, 0.004
    for share, filling in rows:
        tall = share * inside
        z = z_top - tall / 2
        z_top -= tall
        if z_top > lift + thick + 0.01:
            parts.append(
                box((width - 2 * thick, depth - 0.06, 0.016), (0, 0.01, z_top), 0.002, slot="wood")
            )
        for i in range(columns):
            x = -width / 2 + thick + (i + 0.5) * column
            if filling == "drawer":
                parts += front(
                    column - gap,
                    tall - gap,
                    (x, front_y, z),
                    style=style,
                    grip=grip,
                    grip_at=(0, 0.12 if tall > 0.25 else 0),
                )
            elif filling in ("door", "glass"):
                side = 0.42 if i % 2 == 0 else -0.42
                parts += front(
                    column - gap,
                    tall - gap,
                    (x, front_y, z),
                    style="glass" if filling == "glass" else style,
                    grip=grip,
                    grip_at=(side, 0.0 if tall > 1 else 0.2),
                    upright=True,
                )
            elif filling == "pair":
                for s in (-1, 1):
                    parts += front(
                        column / 2 - gap,
                        tall - gap,
                        (x + s * column / 4, front_y, z),
                        style=style,
                        grip=grip,
                        grip_at=(-s * 0.38, 0.0 if tall > 1 else 0.15),
                        upright=True,
                    )
            floor = z - tall / 2 + 0.008
            if filling == "books":
                parts += books(
                    rng,
                    column - 0.03,
                    tall - 0.02,
                    depth - 0.08,
                    x - column / 2 + 0.012,
                    0.0,
                    floor,
                    float(rng.uniform(0.45, 0.95)),
                )
            elif filling in ("things", "glass"):
                parts += _things(rng, column, tall, x, floor)
    return parts


def _things(
    rng: np.random.Generator, width: float, height: float, x: float, z: float
) -> list[Mesh]:
    """One or two ornaments that fit a shelf."""
    kind = int(rng.integers(0, 4))
    tall = min(0.8 * height, 0.26)
    if kind == 0:
        return [vase(tall, 0.35 * tall, (x, 0, z), "round")]
    if kind == 1:
        return [
            vase(tall, 0.28 * tall, (x - 0.2 * width, 0, z), "bottle"),
            vase(0.5 * tall, 0.26 * tall, (x + 0.12 * width, -0.02, z), "cup"),
        ]
    if kind == 2 and width > 0.26:
        return stack_of_books(rng, 3, x, 0, z)
    return [
        sphere(0.3 * tall, (x, 0, z + 0.3 * tall), slot="metal"),
        cylinder(0.2 * tall, 0.02, (x, 0, z), slot="metal"),
    ]


def bookcase(style: str) -> list[Mesh]:
    """Styles: tall, low, ladder, cube."""
    rng = np.random.default_rng(3)
    if style == "ladder":
        parts = []
        for sx in (-1, 1):
            parts.append(tube([(sx * 0.36, -0.19, 0), (sx * 0.36, 0.17, 1.85)], 0.015, 10, "metal"))
            parts.append(tube([(sx * 0.36, 0.18, 0), (sx * 0.36, 0.18, 1.85)], 0.015, 10, "metal"))
        for i, z in enumerate((0.15, 0.55, 0.95, 1.35, 1.72)):
            deep = 0.36 - 0.06 * i
            parts.append(box((0.74, deep, 0.022), (0, 0.18 - deep / 2, z), 0.004, slot="wood"))
            if i < 4:
                parts += (
                    books(rng, 0.42, 0.26, min(0.18, deep - 0.03), -0.34, 0.09, z + 0.012)
                    if i % 2 == 0
                    else _things(rng, 0.5, 0.3, 0.1, z + 0.012)
                )
                parts += [p.moved(0.2, 0.08) for p in _things(rng, 0.3, 0.25, 0, z + 0.012)]
        return parts
    if style == "low":
        return cabinet(
            1.2, 0.32, 0.85, 3, [(0.5, "books"), (0.5, "books")], legs="taper", lift=0.12, seed=4
        )
    if style == "cube":
        return cabinet(
            1.5,
            0.36,
            1.5,
            4,
            [(0.25, "books"), (0.25, "things"), (0.25, "books"), (0.25, "door")],
            grip="knob",
            top=False,
            lift=0.04,
            seed=5,
        )
    return cabinet(
        0.85,
        0.32,
        2.0,
        1,
        [(0.17, "things"), (0.2, "books"), (0.2, "books"), (0.21, "books"), (0.22, "books")],
        seed=6,
    )


def wardrobe(style: str) -> list[Mesh]:
    """Styles: two_door, four_door, sliding (mirror), open."""
    if style == "sliding":
        parts = [p.moved(0, 0.02) for p in carcass(2.0, 0.58, 2.12, 0.08)]
        parts.append(box((1.96, 0.5, 0.08), (0, 0.03, 0.04), 0.003))
        for i, (x, y) in enumerate(((-0.5, -0.275), (0.5, -0.30))):
            parts += [box((1.02, 0.02, 2.06), (x, y, 1.14), 0.004, grain=2)]
            if i == 1:
                parts.append(box((0.9, 0.004, 1.94), (x, y - 0.012, 1.14), 0.001, 1, "mirror"))
            parts.append(box((0.022, 0.02, 2.06), (x - 0.48, y - 0.012, 1.14), 0.004, slot="metal"))
        return parts
    if style == "open":
        parts = [
            p.moved(0, 0.01) for p in carcass(1.3, 0.55, 2.0, 0.08, uprights=(0.12,), shelves=())
        ]
        parts.append(box((1.26, 0.5, 0.08), (0, 0.02, 0.04), 0.003))
        rail_z = 1.85
        parts.append(tube([(-0.63, 0, rail_z), (0.14, 0, rail_z)], 0.013, 12, "metal"))
        for k, x in enumerate(np.linspace(-0.55, 0.05, 8)):
            parts += hanging_garment(x, rail_z, k)
        for i, z in enumerate((0.5, 0.9, 1.3, 1.65)):
            parts.append(box((0.47, 0.5, 0.018), (0.385, 0.01, z), 0.002))
            if i < 3:
                parts += folded_stack(0.385, 0.0, z + 0.01, 3, i)
        return [*parts, *folded_stack(0.385, 0.0, 0.11, 4, 9)]
    wide, columns = (0.95, 1) if style == "two_door" else (1.8, 2)
    rows = [(0.78, "pair"), (0.22, "drawer")] if style == "two_door" else [(1.0, "pair")]
    return cabinet(
        wide,
        0.58,
        2.0 if style == "two_door" else 2.15,
        columns,
        rows,
        style="shaker" if style == "two_door" else "flat",
        grip="knob" if style == "two_door" else "bar",
    )


def hanging_garment(x: float, rail: float, k: int, long: float = 0.0) -> list[Mesh]:
    """A garment on a hanger, seen edge-on from the front (its width runs along y)."""
    cloth = curtain(
        0.42, 0.78 + 0.12 * ((k * 7) % 3) / 2 + long, 3, 0.045, f"fabric_{k % 4 + 1}", seed=k
    )
    share = cloth.points[:, 2] / cloth.points[:, 2].max()
    cloth.points[:, 0] *= 1 - 0.55 * np.clip((share - 0.9) / 0.1, 0, 1) + 0.12 * (1 - share)
    cloth = cloth.turned(90).moved(x, 0, rail - 0.10 - cloth.points[:, 2].max())
    hook = tube(
        [(x, -0.19, rail - 0.15), (x, 0, rail - 0.07), (x, 0.19, rail - 0.15)], 0.006, 6, "metal"
    )
    return [cloth, hook, tube([(x, 0, rail - 0.07), (x, 0, rail + 0.016)], 0.003, 6, "metal")]


def folded_stack(x: float, y: float, z: float, count: int, seed: int) -> list[Mesh]:
    """Folded clothes or towels on a shelf."""
    from ..soft import cushion

    return [
        cushion(
            (0.32, 0.36, 0.055),
            (x, y, z + 0.028 + 0.05 * i),
            0.008,
            0.024,
            slot=f"fabric_{(seed + i) % 4 + 1}",
            seed=seed + i,
            resolution=6,
        )
        for i in range(count)
    ]


def clothes_rack(style: str) -> list[Mesh]:
    """Styles: rail, tree, frame."""
    if style == "tree":
        parts = [
            tube([(0, 0, 0.02), (0, 0, 1.75)], 0.022, 12, "wood"),
            cylinder(0.2, 0.03, (0, 0, 0), 0.01, 32, "wood"),
            sphere(0.034, (0, 0, 1.77), slot="wood"),
        ]
        for k in range(6):
            a, z = k * np.pi / 3, 1.66 - 0.2 * (k % 2)
            parts.append(
                tube(
                    [
                        (0, 0, z - 0.08),
                        (0.10 * np.cos(a), 0.10 * np.sin(a), z - 0.03),
                        (0.15 * np.cos(a), 0.15 * np.sin(a), z + 0.06),
                    ],
                    [0.014, 0.011, 0.009],
                    8,
                    "wood",
                )
            )
        coat = curtain(0.34, 0.95, 4, 0.09, "fabric_1", seed=3)
        share = coat.points[:, 2] / 0.95
        coat.points[:, 0] *= 1 - 0.7 * np.clip((share - 0.85) / 0.15, 0, 1)
        scarf = curtain(0.12, 0.8, 2, 0.05, "fabric_3", seed=4)
        return [*parts, coat.moved(0, -0.15, 0.62), scarf.turned(70).moved(0.15, 0.03, 0.72)]
    wide = 1.2
    parts = []
    for sx in (-1, 1):
        x = sx * wide / 2
        if style == "frame":
            parts += [
                tube([(x, -0.22, 0), (x, 0, 1.6)], 0.014, 10, "wood"),
                tube([(x, 0.22, 0), (x, 0, 1.6)], 0.014, 10, "wood"),
            ]
        else:
            parts += [
                tube([(x, 0, 0.05), (x, 0, 1.6)], 0.013, 10, "metal"),
                tube([(x, -0.24, 0.05), (x, 0.24, 0.05)], 0.013, 10, "metal"),
            ]
            parts += [sphere(0.027, (x, y, 0.027), slot="metal") for y in (-0.23, 0.23)]
    slot = "wood" if style == "frame" else "metal"
    parts.append(tube([(-wide / 2 - 0.05, 0, 1.6), (wide / 2 + 0.05, 0, 1.6)], 0.014, 10, slot))
    parts.append(box((wide, 0.32, 0.018), (0, 0, 0.2), 0.003, slot="wood"))
    for k, x in enumerate(np.linspace(-0.45, 0.4, 9 if style == "rail" else 6)):
        parts += hanging_garment(float(x), 1.6, k + (0 if style == "rail" else 2))
    return [*parts, box((0.3, 0.26, 0.16), (0.36, 0, 0.29), 0.004, slot="wood")]


def wine_cabinet(style: str) -> list[Mesh]:
    """Styles: lattice, glass, bar."""
    bottle = [
        (0, 0),
        (0.034, 0),
        (0.037, 0.005),
        (0.037, 0.19),
        (0.015, 0.235),
        (0.013, 0.30),
        (0.016, 0.302),
        (0.016, 0.312),
        (0, 0.312),
    ]

    def lying(x: float, z: float, k: int) -> Mesh:
        return (
            lathe(bottle, segments=14, slot=f"bottle_{k % 2 + 1}", crease=50)
            .turned(90, "x")
            .moved(x, 0.13, z)
        )

    if style == "glass":
        parts = cabinet(0.7, 0.42, 1.8, 1, [(0.70, "glass"), (0.30, "pair")], seed=3)
        return parts + [
            lying(-0.24 + 0.12 * i, 0.86 + 0.25 * r, i + r) for i in range(5) for r in range(3)
        ]
    wide, high = (0.8, 1.0) if style == "bar" else (0.6, 1.7)
    parts = [p.moved(0, 0.01) for p in carcass(wide, 0.36, high, 0.06, shelves=())]
    parts += [
        box((wide + 0.03, 0.4, 0.03), (0, 0, high + 0.075), 0.006, slot="wood_top"),
        box((wide - 0.04, 0.3, 0.06), (0, 0.02, 0.03), 0.002),
    ]
    rows, columns = (5, 6) if style == "bar" else (9, 4)
    dx, dz = (wide - 0.04) / columns, (high - 0.04) / rows
    parts += [
        box((wide - 0.04, 0.32, 0.012), (0, 0.02, 0.08 + r * dz), 0.001, 1) for r in range(1, rows)
    ]
    parts += [
        box(
            (0.012, 0.32, high - 0.04), (-wide / 2 + 0.02 + c * dx, 0.02, 0.06 + high / 2), 0.001, 1
        )
        for c in range(1, columns)
    ]
    parts += [
        lying(-wide / 2 + 0.02 + (c + 0.5) * dx, 0.08 + r * dz + 0.045, c + r)
        for r in range(rows)
        for c in range(columns)
        if (r * 7 + c * 5) % 4
    ]
    if style == "bar":
        parts += [vase(0.12, 0.035, (x, 0, high + 0.09), "cup", "glass") for x in (-0.2, -0.1, 0.0)]
        parts.append(lathe(bottle, (0.2, 0.02, high + 0.09), 16, "bottle_1", 50))
    return parts


def _looks(**more: str) -> dict[str, dict[str, str]]:
    base = {
        **BOOK_FINISHES,
        "glass": "glass",
        "mirror": "mirror",
        "fabric_1": "fabric_navy",
        "fabric_2": "linen_cream",
        "fabric_3": "fabric_rust",
        "fabric_4": "fabric_sage",
        "bottle_1": "bottle_green",
        "bottle_2": "bottle_dark",
        **more,
    }
    return looks(
        base,
        oak={"wood": "oak", "wood_top": "oak", "metal": "black_metal", "ceramic": "ceramic_white"},
        walnut={
            "wood": "walnut",
            "wood_top": "walnut",
            "metal": "brass",
            "ceramic": "ceramic_blue",
        },
        white={
            "wood": "white_wood",
            "wood_top": "oak",
            "metal": "chrome",
            "ceramic": "ceramic_sand",
        },
        sage={
            "wood": "sage_paint",
            "wood_top": "birch",
            "metal": "brass",
            "ceramic": "terracotta_plain",
        },
        navy={
            "wood": "navy_paint",
            "wood_top": "marble_white",
            "metal": "gold",
            "ceramic": "ceramic_white",
        },
        dark={
            "wood": "dark_oak",
            "wood_top": "dark_oak",
            "metal": "copper",
            "ceramic": "ceramic_green",
        },
    )


LOOKS = _looks()

RECIPES = [
    Recipe(
        "bookcase",
        "bookcase",
        styles(bookcase, "tall", "low", "ladder", "cube"),
        LOOKS,
        tags=("storage", "books"),
        quickstart=True,
    ),
    Recipe(
        "wardrobe",
        "wardrobe",
        styles(wardrobe, "two_door", "four_door", "sliding", "open"),
        LOOKS,
        tags=("storage", "bedroom"),
        quickstart=True,
    ),
    Recipe(
        "nightstand",
        "nightstand",
        {
            "two_drawers": lambda: cabinet(
                0.48, 0.40, 0.52, 1, [(0.5, "drawer"), (0.5, "drawer")], legs="taper", lift=0.14
            ),
            "open_shelf": lambda: cabinet(
                0.45,
                0.38,
                0.55,
                1,
                [(0.4, "drawer"), (0.6, "books")],
                style="shaker",
                grip="knob",
                legs="taper",
                lift=0.16,
                seed=2,
            ),
            "door": lambda: cabinet(
                0.42, 0.40, 0.58, 1, [(0.3, "drawer"), (0.7, "door")], style="slatted", grip="knob"
            ),
        },
        LOOKS,
        tags=("storage", "bedroom"),
        quickstart=True,
    ),
    Recipe(
        "tv_cabinet",
        "tv_cabinet",
        {
            "low_doors": lambda: cabinet(
                1.8,
                0.42,
                0.48,
                3,
                [(1.0, "door")],
                style="slatted",
                grip="none",
                legs="taper",
                lift=0.13,
            ),
            "drawers": lambda: cabinet(
                1.6,
                0.42,
                0.5,
                2,
                [(0.45, "things"), (0.55, "drawer")],
                legs="hairpin",
                lift=0.15,
                seed=2,
            ),
            "long": lambda: cabinet(2.1, 0.40, 0.40, 4, [(1.0, "drawer")], grip="cup"),
        },
        LOOKS,
        tags=("storage", "living"),
        quickstart=True,
    ),
    Recipe(
        "sideboard",
        "sideboard",
        {
            "classic": lambda: cabinet(
                1.6,
                0.45,
                0.82,
                3,
                [(0.25, "drawer"), (0.75, "door")],
                style="shaker",
                grip="knob",
                legs="taper",
                lift=0.14,
            ),
            "slatted": lambda: cabinet(
                1.7,
                0.44,
                0.78,
                4,
                [(1.0, "door")],
                style="slatted",
                grip="none",
                legs="taper",
                lift=0.16,
            ),
            "chest": lambda: cabinet(
                1.2,
                0.46,
                0.92,
                2,
                [(0.33, "drawer"), (0.33, "drawer"), (0.34, "drawer")],
                grip="cup",
            ),
        },
        LOOKS,
        tags=("storage", "dining"),
    ),
    Recipe(
        "shoe_cabinet",
        "shoe_cabinet",
        {
            "tilt": lambda: cabinet(
                0.8,
                0.26,
                1.1,
                1,
                [(0.34, "drawer"), (0.33, "drawer"), (0.33, "drawer")],
                grip="knob",
            ),
            "doors": lambda: cabinet(
                0.9,
                0.34,
                1.0,
                1,
                [(1.0, "pair")],
                style="slatted",
                grip="none",
                legs="taper",
                lift=0.12,
            ),
            "bench": lambda: cabinet(1.1, 0.36, 0.5, 3, [(1.0, "open")], lift=0.06),
        },
        LOOKS,
        tags=("storage", "hall"),
    ),
    Recipe(
        "entrance_cabinet",
        "entrance_cabinet",
        {
            "console": lambda: cabinet(
                1.1,
                0.34,
                0.86,
                2,
                [(0.28, "drawer"), (0.72, "open")],
                grip="knob",
                legs="taper",
                lift=0.12,
            ),
            "tall": lambda: cabinet(
                1.2,
                0.38,
                2.1,
                2,
                [(0.38, "pair"), (0.2, "things"), (0.42, "pair")],
                grip="bar",
                top=False,
                seed=3,
            ),
            "half": lambda: cabinet(
                1.0, 0.36, 1.1, 2, [(0.2, "drawer"), (0.8, "door")], style="shaker", grip="knob"
            ),
        },
        LOOKS,
        tags=("storage", "hall"),
    ),
    Recipe(
        "decorative_cabinet",
        "decorative_cabinet",
        {
            "vitrine": lambda: cabinet(
                0.9,
                0.4,
                1.85,
                2,
                [(0.36, "glass"), (0.32, "glass"), (0.32, "door")],
                grip="knob",
                legs="taper",
                lift=0.14,
                seed=5,
            ),
            "gallery": lambda: cabinet(
                1.4,
                0.36,
                1.6,
                3,
                [(0.3, "things"), (0.3, "books"), (0.4, "door")],
                grip="knob",
                seed=6,
            ),
            "low_vitrine": lambda: cabinet(
                1.2,
                0.4,
                1.1,
                2,
                [(0.55, "glass"), (0.45, "drawer")],
                grip="cup",
                legs="taper",
                lift=0.13,
                seed=7,
            ),
        },
        LOOKS,
        tags=("storage", "living"),
    ),
    Recipe(
        "cupboard",
        "cupboard",
        {
            "dresser": lambda: cabinet(
                1.2,
                0.46,
                1.95,
                2,
                [(0.4, "glass"), (0.14, "drawer"), (0.46, "door")],
                style="shaker",
                grip="knob",
                seed=8,
            ),
            "pantry": lambda: cabinet(
                0.8, 0.5, 2.05, 1, [(0.5, "pair"), (0.5, "pair")], style="shaker"
            ),
            "base": lambda: cabinet(1.8, 0.6, 0.9, 3, [(0.25, "drawer"), (0.75, "pair")]),
        },
        LOOKS,
        tags=("storage", "kitchen"),
    ),
    Recipe(
        "wall_cabinet",
        "wall_cabinet",
        {
            "double": lambda: cabinet(
                0.8,
                0.34,
                0.7,
                1,
                [(1.0, "pair")],
                style="shaker",
                legs="none",
                lift=0.0,
                top=False,
                grip="knob",
            ),
            "glass": lambda: cabinet(
                0.9,
                0.34,
                0.72,
                2,
                [(1.0, "glass")],
                legs="none",
                lift=0.0,
                top=False,
                grip="knob",
                seed=3,
            ),
            "open": lambda: cabinet(
                1.0,
                0.28,
                0.6,
                2,
                [(0.5, "things"), (0.5, "books")],
                legs="none",
                lift=0.0,
                top=False,
                seed=9,
            ),
        },
        LOOKS,
        support="wall",
        tags=("storage", "kitchen"),
    ),
    Recipe(
        "wine_cabinet",
        "wine_cabinet",
        styles(wine_cabinet, "lattice", "glass", "bar"),
        LOOKS,
        tags=("storage", "dining"),
    ),
    Recipe(
        "clothes_rack",
        "clothes_rack",
        styles(clothes_rack, "rail", "tree", "frame"),
        LOOKS,
        tags=("storage", "bedroom"),
    ),
]
