"""Things to sit on: sofas, armchairs, dining chairs, bar chairs, stools."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh
from ..soft import cushion, pillow
from ..solids import box, cylinder, ellipse, rounded_rectangle, slab, tube
from .parts import corner_legs
from .recipe import Recipe, looks

UPHOLSTERY = {
    "grey_linen": {
        "fabric": "linen_grey",
        "fabric_pillow": "fabric_mustard",
        "wood": "oak",
        "metal": "steel",
    },
    "teal": {
        "fabric": "fabric_teal",
        "fabric_pillow": "linen_cream",
        "wood": "walnut",
        "metal": "brass",
    },
    "cream": {
        "fabric": "linen_cream",
        "fabric_pillow": "check_blue",
        "wood": "oak",
        "metal": "black_metal",
    },
    "cognac_leather": {
        "fabric": "leather_cognac",
        "fabric_pillow": "linen_grey",
        "wood": "walnut",
        "metal": "black_metal",
    },
    "rust": {
        "fabric": "fabric_rust",
        "fabric_pillow": "stripes_cream",
        "wood": "dark_oak",
        "metal": "brass",
    },
    "black_leather": {
        "fabric": "leather_black",
        "fabric_pillow": "fabric_rust",
        "wood": "dark_oak",
        "metal": "chrome",
    },
}


def sofa(
    seats: int = 3,
    width: float = 2.1,
    depth: float = 0.92,
    arm: str = "block",
    legs: str = "taper",
    pillows: int = 2,
    tufted: bool = False,
    seed: int = 1,
) -> list[Mesh]:
    """A sofa with seat and back cushions, arms, a plinth and legs."""
    arm_width = {"block": 0.17, "slim": 0.09, "round": 0.22, "none": 0.0}[arm]
    leg = 0.13 if legs != "none" else 0.03
    seat_z, arm_z, back_z = 0.44, 0.62, 0.82
    parts = [box((width - 0.04, depth - 0.06, 0.17), (0, 0, leg + 0.085), 0.02, 3, "fabric")]
    inner = width - 2 * arm_width
    each = inner / seats
    back_y = depth / 2
    for i in range(seats):
        x = -inner / 2 + (i + 0.5) * each
        seat = cushion(
            (each - 0.006, depth - 0.24, 0.17),
            (x, -0.11, seat_z - 0.075),
            0.03,
            0.045,
            seed=seed + i,
        )
        parts.append(seat)
        rest = cushion((each - 0.008, 0.42, 0.19), (0, 0, 0), 0.045, 0.055, seed=seed + 10 + i)
        rest = rest.turned(90 - 11, "x").moved(x, back_y - 0.27, seat_z + 0.21)
        parts.append(rest)
        if tufted:
            for row in range(2):
                for k in range(3):
                    bx = x + (k - 1) * each * 0.28
                    parts.append(
                        cylinder(0.014, 0.012, (0, 0, 0), slot="fabric", segments=10)
                        .turned(80, "x")
                        .moved(bx, back_y - 0.375 + 0.035 * row, seat_z + 0.14 + 0.15 * row)
                    )
    parts.append(
        box(
            (width - 0.02, 0.16, back_z - leg - 0.02),
            (0, back_y - 0.09, (back_z + leg) / 2),
            0.05,
            4,
            "fabric",
        )
    )
    for sx in (-1, 1):
        if arm == "round":
            x = sx * (width / 2 - arm_width / 2)
            parts.append(
                box(
                    (arm_width * 0.8, depth - 0.03, arm_z - leg - 0.06),
                    (x, 0, (arm_z + leg) / 2 - 0.04),
                    0.03,
                    3,
                    "fabric",
                )
            )
            roll = np.column_stack(
                [np.zeros(8), np.linspace(-depth / 2 + 0.02, depth / 2 - 0.03, 8), np.zeros(8)]
            )
            parts.append(tube(roll, arm_width / 2, 20, "fabric").moved(x, 0, arm_z - arm_width / 3))
        elif arm != "none":
            parts.append(
                cushion(
                    (arm_z - leg, depth - 0.02, arm_width), (0, 0, 0), 0.012, 0.05, seed=seed + 5
                )
                .turned(90, "y")
                .moved(sx * (width / 2 - arm_width / 2), 0, (arm_z + leg) / 2)
            )
    if legs != "none":
        parts += corner_legs(
            width,
            depth,
            leg + 0.01,
            style=legs,
            thick=0.045 if legs != "pin" else 0.02,
            slot="metal" if legs == "pin" else "wood",
            inset=0.05,
        )
    for k in range(pillows):
        side = -1 if k % 2 == 0 else 1
        scatter = (
            pillow(0.46, 0.46, 0.15, seed=seed + 20 + k).turned(68, "x").turned(side * 10 - 4 * k)
        )
        reach = inner / 2 - 0.27 - 0.30 * (k // 2)
        parts.append(scatter.moved(side * reach, back_y - 0.44, seat_z + 0.24))
    return parts


def corner_sofa(
    mirror: bool = False, chaise: float = 1.55, width: float = 2.6, arm: str = "block"
) -> list[Mesh]:
    """A sofa with a chaise: the combination sofa of layouts."""
    parts = sofa(3, width, 0.95, arm, "taper", 3, seed=4)
    leg, seat_z = 0.13, 0.44
    wide = 0.80
    x = width / 2 - wide / 2 - 0.01
    y = -0.95 / 2 - (chaise - 0.95) / 2
    long = chaise - 0.95
    parts.append(box((wide, long + 0.1, 0.17), (x, y + 0.03, leg + 0.085), 0.02, 3, "fabric"))
    parts.append(
        cushion((wide - 0.01, long + 0.14, 0.17), (x, y + 0.03, seat_z - 0.07), 0.03, 0.045, seed=9)
    )
    parts += [
        box(
            (0.045, 0.045, leg),
            (x + sx * (wide / 2 - 0.07), y - long / 2 + 0.06, leg / 2),
            0.004,
            slot="wood",
        )
        for sx in (-1, 1)
    ]
    return [part.mirrored() for part in parts] if mirror else parts


def armchair(style: str = "club", seed: int = 1) -> list[Mesh]:
    """An easy chair: club (upholstered), lounge (wood frame), shell (rounded back)."""
    if style == "club":
        return sofa(1, 0.86, 0.84, "block", "taper", 0, seed=seed)
    if style == "lounge":
        parts = [
            cushion((0.60, 0.62, 0.13), (0, 0, 0), 0.025, 0.045, seed=seed)
            .turned(8, "x")
            .moved(0, -0.04, 0.40),
            cushion((0.60, 0.60, 0.13), (0, 0, 0), 0.025, 0.045, seed=seed + 1)
            .turned(68, "x")
            .moved(0, 0.29, 0.66),
        ]
        for sx in (-1, 1):
            x = sx * 0.345
            parts.append(
                tube(
                    [(x, -0.34, 0.0), (x, -0.33, 0.3), (x, -0.31, 0.56)],
                    [0.016, 0.02, 0.018],
                    10,
                    "wood",
                )
            )
            parts.append(
                tube(
                    [(x, 0.42, 0.0), (x, 0.34, 0.3), (x, 0.36, 0.57), (x * 0.95, 0.44, 0.88)],
                    [0.016, 0.02, 0.02, 0.014],
                    10,
                    "wood",
                )
            )
            arm = np.array(
                [
                    (x, -0.38, 0.575),
                    (x * 1.03, -0.2, 0.585),
                    (x * 1.02, 0.1, 0.575),
                    (x, 0.37, 0.56),
                ]
            )
            parts.append(tube(arm, 0.026, 12, "wood", flat=0.5))
            parts.append(tube([(x, -0.33, 0.36), (x, 0.35, 0.27)], 0.016, 8, "wood"))
        for y, z in ((-0.325, 0.34), (0.34, 0.27), (0.44, 0.84)):
            parts.append(tube([(-0.345, y, z), (0.345, y, z)], 0.016, 8, "wood"))
        return parts
    seat = cushion((0.66, 0.62, 0.16), (0, -0.06, 0.40), 0.03, 0.06, seed=seed)
    turn = np.linspace(np.radians(-35), np.radians(215), 34)
    rows = np.linspace(0, 1, 12)
    ring = []
    for t in rows:
        height = 0.30 + t * (0.24 + 0.26 * np.clip(np.sin(turn), 0, 1) ** 1.2)
        radius_x, radius_y = 0.37 + 0.03 * t, 0.36 + 0.05 * t
        ring.append(np.column_stack([radius_x * np.cos(turn), radius_y * np.sin(turn), height]))
    from ..soft import sheet

    grid = np.stack(ring)
    uv = np.stack(np.broadcast_arrays(turn[None] * 0.37, rows[:, None] * 0.45), -1) / 0.35
    shell = sheet(grid[:, ::-1], uv[:, ::-1], "fabric", thickness=0.055)
    base = slab(ellipse(0.72, 0.70), 0.12, 0.24, 0.03, "fabric")
    legs = corner_legs(0.62, 0.6, 0.26, style="splay", thick=0.035, slot="wood", splay=0.16)
    return [seat, shell, base, *legs]


def dining_chair(style: str = "spindle") -> list[Mesh]:
    """A straight chair: spindle back, upholstered, ladder back, bent metal, wishbone."""
    seat = 0.455
    if style == "metal":
        parts = [slab(rounded_rectangle(0.42, 0.42, 0.09), 0.022, seat - 0.02, 0.008, "wood")]
        for sx in (-1, 1):
            x = sx * 0.19
            frame = [
                (x * 1.08, -0.20, 0.0),
                (x, -0.18, 0.43),
                (x, 0.12, 0.435),
                (x, 0.18, 0.47),
                (x, 0.21, 0.62),
                (x, 0.24, 0.82),
            ]
            parts.append(tube(frame, 0.010, 10, "metal"))
            parts.append(tube([(x * 1.08, 0.21, 0.0), (x, 0.14, 0.43)], 0.010, 10, "metal"))
        back = slab(rounded_rectangle(0.42, 0.17, 0.06), 0.016, 0, 0.006, "wood").turned(80, "x")
        return [*parts, back.moved(0, 0.235, 0.74)]
    if style == "upholstered":
        parts = [
            cushion((0.48, 0.46, 0.11), (0, -0.01, seat - 0.03), 0.022, 0.04, seed=2),
            box((0.45, 0.43, 0.05), (0, -0.01, seat - 0.085), 0.012, slot="fabric"),
        ]
        rest = cushion((0.46, 0.50, 0.085), (0, 0, 0), 0.015, 0.035, seed=3).turned(80, "x")
        parts.append(rest.moved(0, 0.215, seat + 0.25))
        return parts + corner_legs(
            0.46, 0.46, seat - 0.1, style="splay", thick=0.036, slot="wood", inset=0.02, splay=0.07
        )
    parts = []
    if style == "wishbone":
        parts.append(
            cushion((0.50, 0.46, 0.05), (0, -0.01, seat - 0.02), 0.012, 0.02, slot="fabric", seed=4)
        )
    else:
        outline = rounded_rectangle(0.44, 0.42, 0.06)
        outline[:, 0] *= 1 - 0.12 * (outline[:, 1] / 0.42 + 0.5)
        parts.append(slab(outline, 0.032, seat - 0.032, 0.012, "wood"))
    lean, top = 0.085, 0.90 if style != "wishbone" else 0.72
    for sx in (-1, 1):
        front_leg = tube(
            [(sx * 0.20, -0.19, 0), (sx * 0.195, -0.175, seat - 0.01)], [0.014, 0.019], 12, "wood"
        )
        post = [
            (sx * 0.195, 0.22, 0),
            (sx * 0.18, 0.175, seat * 0.75),
            (sx * 0.178, 0.185, seat + 0.05),
            (sx * 0.19, 0.19 + lean, top),
        ]
        parts += [front_leg, tube(post, [0.014, 0.018, 0.017, 0.012], 12, "wood")]
        parts.append(tube([(sx * 0.197, -0.18, 0.2), (sx * 0.187, 0.2, 0.17)], 0.010, 8, "wood"))
    parts.append(tube([(-0.197, -0.18, 0.26), (0.197, -0.18, 0.26)], 0.010, 8, "wood"))
    if style == "wishbone":
        t = np.linspace(-0.35, np.pi + 0.35, 19)
        rail = np.column_stack(
            [0.275 * np.cos(t), -0.02 + 0.255 * np.sin(t) + 0.02, 0.70 + 0.03 * np.sin(t)]
        )
        parts.append(tube(rail, 0.017, 12, "wood"))
        parts.append(
            tube(
                [(0, 0.215, seat), (0, 0.235, 0.54), (-0.06, 0.25, 0.66), (-0.09, 0.25, 0.715)],
                0.012,
                8,
                "wood",
                flat=0.6,
            )
        )
        parts.append(
            tube(
                [(0, 0.235, 0.53), (0.06, 0.25, 0.66), (0.09, 0.25, 0.715)],
                0.012,
                8,
                "wood",
                flat=0.6,
            )
        )
        return parts
    arc = np.linspace(-1, 1, 9)
    rail = np.column_stack([0.19 * arc, 0.19 + lean + 0.03 * (1 - arc**2), np.full(9, top - 0.03)])
    parts.append(tube(rail, 0.032, 12, "wood", flat=0.42).turned(0))
    if style == "spindle":
        for share in (-0.66, -0.33, 0.0, 0.33, 0.66):
            spindle = [
                (0.17 * share, 0.18, seat - 0.01),
                (0.18 * share, 0.20 + lean * 0.5, 0.66),
                (0.185 * share, 0.215 + lean * 0.95 + 0.02 * (1 - share**2), top - 0.03),
            ]
            parts.append(tube(spindle, [0.007, 0.009, 0.006], 8, "wood"))
    else:
        for z in (0.56, 0.68, 0.79):
            y = 0.19 + lean * (z - seat) / (top - seat)
            slat = np.column_stack([0.18 * arc, y + 0.02 * (1 - arc**2), np.full(9, z)])
            parts.append(tube(slat, 0.026, 10, "wood", flat=0.35))
    return parts


def bar_chair(style: str = "round") -> list[Mesh]:
    """A high seat at a counter: round (pedestal), back (four legs and a low back), saddle."""
    seat = 0.74
    if style == "round":
        return [
            cushion((0.38, 0.38, 0.09), (0, 0, seat), 0.02, 0.04, seed=5),
            cylinder(0.028, seat - 0.06, (0, 0, 0.02), slot="metal"),
            cylinder(0.21, 0.022, (0, 0, 0), 0.01, 32, "metal"),
            tube(
                np.column_stack(
                    [
                        0.14 * np.cos(np.linspace(0, 2 * np.pi, 28, endpoint=False)),
                        0.14 * np.sin(np.linspace(0, 2 * np.pi, 28, endpoint=False)),
                        np.full(28, 0.30),
                    ]
                ),
                0.009,
                8,
                "metal",
                closed=True,
            ),
            tube([(-0.14, 0, 0.30), (0.14, 0, 0.30)], 0.008, 8, "metal"),
        ]
    legs = corner_legs(
        0.36, 0.36, seat - 0.02, style="splay", thick=0.036, slot="wood", inset=0.05, splay=0.12
    )
    rails = [tube([(-0.2, y, 0.26), (0.2, y, 0.26)], 0.010, 8, "metal") for y in (-0.19, 0.19)]
    rails += [tube([(x, -0.19, 0.32), (x, 0.19, 0.32)], 0.010, 8, "wood") for x in (-0.19, 0.19)]
    top = (
        [cushion((0.40, 0.36, 0.07), (0, 0, seat), 0.015, 0.03, seed=6)]
        if style == "back"
        else [slab(ellipse(0.42, 0.32), 0.045, seat - 0.02, 0.018, "wood")]
    )
    parts = [*legs, *rails, *top]
    if style == "back":
        arc = np.linspace(0.15, np.pi - 0.15, 11)
        parts.append(
            tube(
                np.column_stack([0.21 * np.cos(arc), 0.20 * np.sin(arc), np.full(11, seat + 0.24)]),
                0.024,
                10,
                "fabric",
                flat=1.4,
            )
        )
        parts += [
            tube([(x, 0.12, seat), (x * 1.05, 0.155, seat + 0.23)], 0.009, 8, "metal")
            for x in (-0.13, 0.13)
        ]
    return parts


def stool(style: str = "turned") -> list[Mesh]:
    """A low stool: turned (three-legged), pouf, bench, tripod."""
    if style == "pouf":
        return [cushion((0.5, 0.5, 0.40), (0, 0, 0.20), 0.04, 0.15, seed=7, resolution=14)]
    if style == "bench":
        return [
            cushion((0.48, 0.38, 0.09), (0, 0, 0.43), 0.02, 0.035, seed=8),
            box((0.45, 0.35, 0.05), (0, 0, 0.37), 0.006, slot="wood"),
            *corner_legs(0.47, 0.37, 0.36, style="taper", thick=0.045, inset=0.01),
        ]
    parts = [slab(ellipse(0.36, 0.36), 0.038, 0.42, 0.014, "wood")]
    for k in range(3 if style == "tripod" else 4):
        a = 2 * np.pi * k / (3 if style == "tripod" else 4) + np.pi / 4
        parts.append(
            tube(
                [
                    (0.19 * np.cos(a), 0.19 * np.sin(a), 0),
                    (0.11 * np.cos(a), 0.11 * np.sin(a), 0.43),
                ],
                [0.013, 0.019],
                12,
                "wood",
            )
        )
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    parts.append(
        tube(
            np.column_stack([0.165 * np.cos(t), 0.165 * np.sin(t), np.full(24, 0.17)]),
            0.008,
            8,
            "metal",
            closed=True,
        )
    )
    return parts


CHAIR_LOOKS = looks(
    None,
    oak={"wood": "oak", "fabric": "linen_cream", "metal": "black_metal"},
    walnut={"wood": "walnut", "fabric": "leather_black", "metal": "brass"},
    black={"wood": "black_wood", "fabric": "linen_grey", "metal": "black_metal"},
    white={"wood": "white_wood", "fabric": "fabric_teal", "metal": "chrome"},
    cherry={"wood": "cherry", "fabric": "fabric_rust", "metal": "steel"},
)

RECIPES = [
    Recipe(
        "sofa",
        "sofa",
        {
            "three_seat": lambda: sofa(3, 2.1),
            "slim_two_seat": lambda: sofa(2, 1.7, 0.86, "slim", "pin", 1, seed=2),
            "rolled_arm": lambda: sofa(3, 2.2, 0.95, "round", "taper", 2, tufted=True, seed=3),
            "modular": lambda: sofa(2, 2.0, 0.98, "block", "none", 3, seed=6),
        },
        UPHOLSTERY,
        tags=("seating", "living"),
        quickstart=True,
    ),
    Recipe(
        "combination_sofa",
        "combination_sofa",
        {
            "chaise_right": lambda: corner_sofa(False),
            "chaise_left": lambda: corner_sofa(True),
            "deep": lambda: corner_sofa(False, 1.75, 2.9, "slim"),
        },
        UPHOLSTERY,
        tags=("seating", "living"),
    ),
    Recipe(
        "chair",
        "chair",
        {
            "club": lambda: armchair("club"),
            "lounge": lambda: armchair("lounge"),
            "shell": lambda: armchair("shell"),
        },
        UPHOLSTERY,
        tags=("seating",),
        quickstart=True,
    ),
    Recipe(
        "dining_chair",
        "dining_chair",
        {
            "spindle": lambda: dining_chair("spindle"),
            "upholstered": lambda: dining_chair("upholstered"),
            "ladder": lambda: dining_chair("ladder"),
            "metal": lambda: dining_chair("metal"),
            "wishbone": lambda: dining_chair("wishbone"),
        },
        CHAIR_LOOKS,
        tags=("seating", "dining"),
        quickstart=True,
    ),
    Recipe(
        "bar_chair",
        "bar_chair",
        {
            "round": lambda: bar_chair("round"),
            "back": lambda: bar_chair("back"),
            "saddle": lambda: bar_chair("saddle"),
        },
        CHAIR_LOOKS,
        tags=("seating", "kitchen"),
    ),
    Recipe(
        "stool",
        "stool",
        {
            "turned": lambda: stool("turned"),
            "pouf": lambda: stool("pouf"),
            "bench": lambda: stool("bench"),
            "tripod": lambda: stool("tripod"),
        },
        CHAIR_LOOKS,
        tags=("seating",),
    ),
]
