"""Screens, computers and kitchen machines."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..solids import box, cylinder, panel, rounded_rectangle, slab, sphere, tube
from .parts import handle
from .recipe import Recipe, looks, styles


def tv(style: str) -> list[Mesh]:
    """Televisions: feet, pedestal, wall."""
    width, height = {"feet": (1.23, 0.71), "pedestal": (1.45, 0.83), "wall": (1.66, 0.95)}[style]
    lift = {"feet": 0.07, "pedestal": 0.09, "wall": 0.0}[style]
    z = lift + height / 2
    parts = [
        box((width, 0.03, height), (0, 0, z), 0.006, 3, "plastic"),
        box((width * 0.6, 0.045, height * 0.5), (0, 0.03, z - 0.08), 0.012, slot="plastic"),
        panel(width - 0.02, height - 0.03, (0, -0.0155, z + 0.004), 0.002, "screen"),
        box((0.03, 0.004, 0.004), (0, -0.016, lift + 0.006), 0.001, 1, "metal"),
    ]
    if style == "feet":
        for sx in (-1, 1):
            parts.append(
                tube(
                    [(sx * width * 0.36, 0, lift + 0.02), (sx * width * 0.40, -0.12, 0.008)],
                    0.009,
                    8,
                    "metal",
                )
            )
            parts.append(
                tube(
                    [(sx * width * 0.36, 0, lift + 0.02), (sx * width * 0.40, 0.12, 0.008)],
                    0.009,
                    8,
                    "metal",
                )
            )
    elif style == "pedestal":
        parts += [
            slab(rounded_rectangle(0.5, 0.26, 0.05), 0.014, 0, 0.005, "metal"),
            box((0.1, 0.04, 0.2), (0, 0.02, 0.1), 0.008, slot="metal"),
        ]
    return parts


def computer(style: str) -> list[Mesh]:
    """Computers: laptop, desktop (monitor, keyboard, mouse), all_in_one."""
    if style == "laptop":
        lid = [
            slab(rounded_rectangle(0.34, 0.235, 0.012), 0.006, 0, 0.002, "metal")
            .turned(90, "x")
            .moved(0, 0, 0.1175),
            panel(0.32, 0.205, (0, -0.0075, 0.12), 0.001, "screen"),
        ]
        base = [
            slab(rounded_rectangle(0.34, 0.24, 0.012), 0.013, 0, 0.003, "metal"),
            box((0.29, 0.105, 0.002), (0, 0.035, 0.0135), 0.0005, 1, "plastic"),
            box((0.11, 0.07, 0.001), (0, -0.07, 0.0135), 0.0003, 1, "metal"),
        ]
        keys = [
            box(
                (0.016, 0.016, 0.002),
                (-0.135 + 0.0193 * c, 0.075 - 0.02 * r, 0.0155),
                0.0006,
                1,
                "key",
            )
            for r in range(5)
            for c in range(15)
        ]
        return [*base, *keys, *[p.turned(-18, "x").moved(0, 0.118, 0.013) for p in lid]]
    wide, high = (0.61, 0.36) if style == "desktop" else (0.55, 0.40)
    parts = [
        slab(rounded_rectangle(0.24, 0.19, 0.03), 0.012, 0, 0.004, "metal").moved(0, 0.06),
        tube([(0, 0.09, 0.01), (0, 0.08, 0.28)], [0.03, 0.02], 12, "metal", flat=0.5),
        box((wide, 0.028, high), (0, 0.04, 0.14 + high / 2), 0.008, 3, "metal"),
        panel(
            wide - 0.016,
            high - (0.02 if style == "desktop" else 0.07),
            (0, 0.0255, 0.14 + high / 2 + (0 if style == "desktop" else 0.025)),
            0.001,
            "screen",
        ),
    ]
    parts += [
        box((0.43, 0.13, 0.014), (0, -0.16, 0.009), 0.005, slot="plastic"),
        *[
            box(
                (0.018, 0.018, 0.005),
                (-0.19 + 0.0222 * c, -0.115 - 0.0225 * r, 0.018),
                0.0015,
                1,
                "key",
            )
            for r in range(5)
            for c in range(18)
        ],
    ]
    mouse = sphere(1.0, slot="plastic").scaled(0.03, 0.052, 0.018)
    parts.append(mouse.moved(0.29, -0.16, 0.017))
    if style == "desktop":
        parts += [
            box((0.19, 0.40, 0.40), (0.46, 0.02, 0.2), 0.01, slot="plastic"),
            *[
                box((0.15, 0.004, 0.006), (0.46, -0.182, 0.06 + 0.014 * k), 0.001, 1, "metal")
                for k in range(8)
            ],
            cylinder(0.012, 0.004, (0, 0, 0), slot="metal")
            .turned(90, "x")
            .moved(0.46, -0.18, 0.35),
        ]
    return parts


def refrigerator(style: str) -> list[Mesh]:
    """Refrigerators: double (freezer below), side_by_side, retro (rounded)."""
    wide, deep, high = {
        "double": (0.6, 0.65, 1.85),
        "side_by_side": (0.91, 0.72, 1.78),
        "retro": (0.6, 0.66, 1.5),
    }[style]
    bevel = 0.09 if style == "retro" else 0.012
    parts = [
        box((wide, deep - 0.07, high - 0.04), (0, 0.035, high / 2 + 0.02), bevel * 0.6, 4, "body"),
        *[
            cylinder(0.02, 0.04, (sx * wide * 0.42, sy * deep * 0.38, 0), slot="plastic")
            for sx in (-1, 1)
            for sy in (-1, 1)
        ],
    ]
    y = -deep / 2 + 0.03
    if style == "side_by_side":
        for sx in (-1, 1):
            parts.append(
                box(
                    (wide / 2 - 0.004, 0.065, high - 0.06),
                    (sx * wide / 4, y, high / 2 + 0.03),
                    0.012,
                    3,
                    "body",
                )
            )
            parts += handle("bar", (sx * 0.045, y - 0.032, high * 0.55), 0.8, "metal", True)
        parts.append(box((0.2, 0.01, 0.32), (-wide / 4, y - 0.03, 1.15), 0.004, slot="dark"))
    else:
        split = 0.38 if style == "double" else 0.74
        for low, top in ((0.04, split), (split, 1.0)):
            z0, z1 = low * high + 0.004, top * high - 0.004
            parts.append(
                box(
                    (wide, 0.065, z1 - z0),
                    (0, y, (z0 + z1) / 2),
                    bevel * 0.5 if style == "retro" else 0.012,
                    4,
                    "body",
                )
            )
        for z in (
            (split * high - 0.16, split * high + 0.2)
            if style == "double"
            else (split * high - 0.2, split * high + 0.13)
        ):
            parts += handle("bar", (-wide * 0.42, y - 0.033, z), 0.24, "metal", True)
    if style == "retro":
        parts.append(box((0.14, 0.006, 0.025), (0.12, y - 0.033, 0.62 * high), 0.002, slot="metal"))
    return parts


def washing_machine(style: str) -> list[Mesh]:
    """Washing machines: front (porthole), stack (with dryer), top (lid)."""

    def unit() -> list[Mesh]:
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        ring = np.column_stack([0.185 * np.cos(t), np.zeros(40), 0.185 * np.sin(t)])
        from ..solids import lathe

        glass = lathe(
            [(0.165, 0), (0.13, 0.03), (0.06, 0.045), (0, 0.047)],
            segments=32,
            slot="dark",
            crease=60,
        ).turned(90, "x")
        return [
            box((0.6, 0.58, 0.85), (0, 0, 0.425), 0.012, 3, "body"),
            tube(ring, 0.024, 12, "metal", closed=True).moved(0, -0.295, 0.40),
            glass.moved(0, -0.29, 0.40),
            box((0.56, 0.012, 0.09), (0, -0.288, 0.775), 0.004, slot="plastic"),
            cylinder(0.032, 0.02, (0, 0, 0), slot="metal")
            .turned(90, "x")
            .moved(0.06, -0.293, 0.775),
            box((0.16, 0.006, 0.07), (-0.18, -0.296, 0.775), 0.003, slot="body"),
            box((0.09, 0.004, 0.035), (0.2, -0.295, 0.775), 0.002, 1, "led"),
        ]

    if style == "front":
        return unit()
    if style == "stack":
        return [*unit(), *[p.moved(z=0.86) for p in unit()]]
    return [
        box((0.58, 0.6, 0.88), (0, 0, 0.44), 0.02, 3, "body"),
        box((0.5, 0.42, 0.02), (0, -0.06, 0.885), 0.008, slot="dark"),
        box((0.56, 0.12, 0.09), (0, 0.23, 0.92), 0.02, 3, "plastic"),
        *[
            cylinder(0.028, 0.02, (0, 0, 0), slot="metal").turned(90, "x").moved(x, 0.17, 0.925)
            for x in (-0.18, 0.18)
        ],
        box((0.14, 0.004, 0.04), (0, 0.169, 0.93), 0.001, 1, "led"),
        *handle("bar", (0, -0.3, 0.84), 0.3),
    ]


def _hob(width: float, depth: float, z: float, slot: str = "dark") -> list[Mesh]:
    """A glass plate with gas burners and pan supports."""
    from ..solids import lathe

    parts = [slab(rounded_rectangle(width, depth, 0.02), 0.012, z, 0.003, slot)]
    for x in (-width * 0.25, width * 0.25):
        for y in (-depth * 0.22, depth * 0.24):
            parts.append(
                lathe(
                    [(0, 0), (0.045, 0), (0.045, 0.012), (0.03, 0.02), (0.03, 0.026), (0, 0.028)],
                    (x, y, z + 0.012),
                    24,
                    "metal",
                    50,
                )
            )
            parts += [
                tube(
                    [
                        (x + 0.02 * np.cos(a), y + 0.02 * np.sin(a), z + 0.045),
                        (x + 0.1 * np.cos(a), y + 0.1 * np.sin(a), z + 0.045),
                        (x + 0.1 * np.cos(a), y + 0.1 * np.sin(a), z + 0.012),
                    ],
                    0.005,
                    6,
                    "iron",
                )
                for a in np.arange(4) * np.pi / 2 + np.pi / 4
            ]
    return parts


def stove(style: str) -> list[Mesh]:
    """Cookers: range (oven below), wide (two ovens), retro (high back)."""
    width = 0.9 if style == "wide" else 0.6
    parts = [
        box((width, 0.6, 0.86), (0, 0, 0.45), 0.008, slot="body"),
        box((width - 0.04, 0.5, 0.06), (0, 0.03, 0.03), 0.002, slot="dark"),
        *_hob(width - 0.01, 0.58, 0.88),
    ]
    ovens = [(-0.2, 0.42), (0.25, 0.36)] if style == "wide" else [(0.0, 0.5)]
    for x, wide in ovens:
        parts += [
            box((wide, 0.03, 0.42), (x, -0.305, 0.42), 0.01, slot="body"),
            box((wide - 0.1, 0.008, 0.24), (x, -0.322, 0.42), 0.006, slot="dark"),
        ]
        parts += handle("bar", (x, -0.32, 0.60), wide * 0.85)
    count = 6 if style == "wide" else 5
    parts += [
        cylinder(0.021, 0.028, (0, 0, 0), slot="metal").turned(90, "x").moved(x, -0.30, 0.785)
        for x in np.linspace(-width * 0.38, width * 0.38, count)
    ]
    if style == "retro":
        parts += [
            box((width, 0.04, 0.18), (0, 0.28, 0.98), 0.015, 3, "body"),
            cylinder(0.045, 0.006, (0, 0, 0), slot="ceramic").turned(90, "x").moved(0, 0.262, 1.0),
        ]
    parts.append(box((width - 0.04, 0.03, 0.11), (0, -0.30, 0.135), 0.008, slot="body"))
    return parts


def gas_stove(style: str) -> list[Mesh]:
    """Hobs set into a counter: four, two, enamel."""
    width = 0.36 if style == "two" else 0.62
    parts = _hob(width, 0.5, 0.0, "body" if style == "enamel" else "dark")
    return parts + [
        cylinder(0.017, 0.022, (x, -0.215, 0.012), slot="metal")
        for x in np.linspace(-width * 0.2, width * 0.2, 4 if width > 0.5 else 2)
    ]


def range_hood(style: str) -> list[Mesh]:
    """Extractor hoods: chimney, slanted, box."""

    def frustum(low: tuple[float, float], high: tuple[float, float], z0: float, z1: float) -> Mesh:
        base = box((1, 1, 1), (0, 0, 0), 0.01, 2, "metal")
        t = base.points[:, 2:] + 0.5
        points = np.hstack(
            [
                base.points[:, :1] * (low[0] * (1 - t) + high[0] * t),
                base.points[:, 1:2] * (low[1] * (1 - t) + high[1] * t),
                z0 + (z1 - z0) * t,
            ]
        )
        points[:, 1] += (low[1] - (low[1] * (1 - t[:, 0]) + high[1] * t[:, 0])) / 2
        from ..mesh import smooth_normals

        return Mesh(points, base.faces, smooth_normals(points, base.faces), base.uv, "metal")

    if style == "slanted":
        plate = (
            box((0.8, 0.03, 0.62), (0, 0, 0), 0.006, slot="dark")
            .turned(-28, "x")
            .moved(0, -0.1, 0.30)
        )
        return [
            plate,
            box((0.34, 0.28, 0.75), (0, 0.1, 0.5), 0.006, slot="metal"),
            box((0.7, 0.3, 0.12), (0, 0.06, 0.1), 0.01, slot="metal"),
        ]
    parts = [
        box((0.9 if style == "chimney" else 0.6, 0.5, 0.06), (0, 0, 0.03), 0.006, slot="metal")
    ]
    if style == "chimney":
        parts += [
            frustum((0.9, 0.5), (0.3, 0.28), 0.06, 0.28),
            box((0.28, 0.26, 0.6), (0, 0.11, 0.56), 0.004, slot="metal"),
        ]
    else:
        parts += [box((0.6, 0.32, 0.36), (0, 0.09, 0.24), 0.008, slot="body")]
    parts += [box((0.22, 0.30, 0.006), (x, -0.02, -0.001), 0.001, 1, "dark") for x in (-0.15, 0.15)]
    return parts + [
        cylinder(0.008, 0.006, (0, 0, 0), slot="led").turned(90, "x").moved(x, -0.252, 0.03)
        for x in (0.0, 0.035, 0.07)
    ]


def microwave(style: str) -> list[Mesh]:
    """Microwave ovens: dial, keypad, retro."""
    bevel = 0.04 if style == "retro" else 0.008
    parts = [
        box((0.48, 0.34, 0.27), (0, 0, 0.145), bevel, 4, "body"),
        box((0.30, 0.02, 0.20), (-0.06, -0.168, 0.145), 0.012, 3, "dark"),
        *[
            cylinder(0.012, 0.012, (x, y, 0), slot="plastic")
            for x in (-0.2, 0.2)
            for y in (-0.13, 0.13)
        ],
    ]
    parts += handle("bar", (0.105, -0.17, 0.145), 0.17, "metal", True)
    parts.append(box((0.075, 0.004, 0.03), (0.182, -0.171, 0.235), 0.001, 1, "led"))
    if style == "keypad":
        parts += [
            box(
                (0.02, 0.006, 0.015),
                (0.158 + 0.024 * c, -0.171, 0.19 - 0.024 * r),
                0.002,
                1,
                "plastic",
            )
            for r in range(4)
            for c in range(3)
        ]
    else:
        parts += [
            cylinder(0.026, 0.022, (0, 0, 0), slot="metal").turned(90, "x").moved(0.182, -0.168, z)
            for z in (0.17, 0.09)
        ]
    return parts


def air_conditioner(style: str) -> list[Mesh]:
    """Air conditioners: split (wall), tower, slim (wall)."""
    if style == "tower":
        parts = [
            slab(rounded_rectangle(0.36, 0.34, 0.15), 1.7, 0.03, 0.03, "body"),
            slab(rounded_rectangle(0.34, 0.32, 0.14), 0.03, 0, 0.004, "plastic"),
        ]
        parts += [
            box((0.24, 0.02, 0.008), (0, -0.168, 1.15 + 0.028 * k), 0.002, 1, "plastic")
            for k in range(16)
        ]
        return [*parts, box((0.1, 0.006, 0.05), (0, -0.17, 1.0), 0.002, 1, "led")]
    wide, high = (0.9, 0.30) if style == "split" else (1.05, 0.26)
    parts = [
        box((wide, 0.21, high), (0, 0, high / 2), 0.045, 5, "body"),
        box((wide - 0.08, 0.012, 0.05), (0, -0.095, 0.045), 0.005, slot="plastic").turned(0),
    ]
    parts += [
        box((wide - 0.1, 0.006, 0.008), (0, -0.103, 0.03 + 0.016 * k), 0.001, 1, "dark")
        for k in range(3)
    ]
    parts += [
        box((wide - 0.06, 0.1, 0.004), (0, 0.02, high + 0.0), 0.001, 1, "dark"),
        box((0.06, 0.004, 0.02), (wide * 0.36, -0.104, 0.16), 0.001, 1, "led"),
    ]
    return parts


TV = looks(
    {"plastic": "plastic_black"},
    off={"screen": "screen", "metal": "black_metal"},
    film={"screen": "screen_film", "metal": "steel"},
    silver={"screen": "dark_glass", "metal": "chrome"},
    picture={"screen": "art_hills", "metal": "brass"},
)
COMPUTERS = looks(
    None,
    silver={
        "metal": "steel",
        "plastic": "plastic_white",
        "key": "plastic_white",
        "screen": "screen_on",
    },
    black={
        "metal": "black_metal",
        "plastic": "plastic_black",
        "key": "plastic_grey",
        "screen": "screen_on",
    },
    grey={
        "metal": "plastic_grey",
        "plastic": "plastic_grey",
        "key": "plastic_black",
        "screen": "screen",
    },
    gold={
        "metal": "gold",
        "plastic": "plastic_white",
        "key": "plastic_grey",
        "screen": "screen_on",
    },
)
MACHINES = looks(
    {"dark": "dark_glass", "led": "led_green", "iron": "black_metal", "ceramic": "ceramic_white"},
    steel={"body": "steel", "metal": "steel", "plastic": "plastic_black"},
    white={"body": "plastic_white", "metal": "chrome", "plastic": "plastic_grey"},
    black={"body": "black_metal", "metal": "brass", "plastic": "plastic_black"},
    mint={"body": "enamel_mint", "metal": "chrome", "plastic": "plastic_white"},
    red={"body": "enamel_red", "metal": "chrome", "plastic": "plastic_black"},
    cream={"body": "enamel_cream", "metal": "copper", "plastic": "plastic_white"},
)

RECIPES = [
    Recipe(
        "tv",
        "tv",
        styles(tv, "feet", "pedestal", "wall"),
        TV,
        support="wall",
        tags=("electronics",),
        quickstart=True,
    ),
    Recipe(
        "computer",
        "computer",
        styles(computer, "laptop", "desktop", "all_in_one"),
        COMPUTERS,
        support="on_top",
        tags=("electronics",),
    ),
    Recipe(
        "refrigerator",
        "refrigerator",
        styles(refrigerator, "double", "side_by_side", "retro"),
        MACHINES,
        tags=("kitchen",),
    ),
    Recipe(
        "washing_machine",
        "washing_machine",
        styles(washing_machine, "front", "stack", "top"),
        MACHINES,
        tags=("laundry",),
    ),
    Recipe(
        "stove",
        "stove",
        styles(stove, "range", "wide", "retro"),
        MACHINES,
        tags=("kitchen",),
    ),
    Recipe(
        "gas_stove",
        "gas_stove",
        styles(gas_stove, "four", "two", "enamel"),
        MACHINES,
        support="on_top",
        tags=("kitchen",),
    ),
    Recipe(
        "range_hood",
        "range_hood",
        styles(range_hood, "chimney", "slanted", "box"),
        MACHINES,
        support="wall",
        tags=("kitchen",),
    ),
    Recipe(
        "microwave_oven",
        "micro-wave_oven",
        styles(microwave, "dial", "keypad", "retro"),
        MACHINES,
        support="on_top",
        tags=("kitchen",),
    ),
    Recipe(
        "air_conditioner",
        "air_conditioner",
        styles(air_conditioner, "split", "tower", "slim"),
        MACHINES,
        support="wall",
        tags=("electronics",),
    ),
]
