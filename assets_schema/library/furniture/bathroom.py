"""Bathroom and kitchen fixtures: basins, toilets, tubs, showers, counters and bars."""

from __future__ import annotations

import numpy as np

from ..mesh import Mesh, smooth_normals
from ..soft import curtain
from ..solids import box, cylinder, ellipse, lathe, panel, rounded_rectangle, slab, sphere, tube
from .appliances import _hob
from .parts import BOOK_FINISHES, handle, vase
from .recipe import Recipe, looks, styles
from .seating import bar_chair
from .storage import cabinet


def loft(rings: list[np.ndarray], slot: str, close_top: bool = False) -> Mesh:
    """A skin over closed rings (n, 3) of equal count, listed upwards or inwards."""
    from ..solids import grid_faces

    grid = np.stack([np.concatenate([ring, ring[:1]]) for ring in rings])
    points, faces = grid.reshape(-1, 3), grid_faces(grid.shape[0], grid.shape[1])[:, ::-1]
    if close_top:
        last = np.arange(grid.shape[1]) + (grid.shape[0] - 1) * grid.shape[1]
        points = np.concatenate([points, grid[-1].mean(axis=0)[None]])
        hub = np.full(len(last) - 1, len(points) - 1)
        faces = np.concatenate([faces, np.stack([hub, last[:-1], last[1:], last[1:]], axis=1)])
    return Mesh(points, faces, smooth_normals(points, faces), points[:, :2] / 0.5, slot)


def _at(
    outline: np.ndarray, scale: float | tuple[float, float], z: float, y: float = 0.0
) -> np.ndarray:
    ring = outline * scale
    return np.column_stack([ring[:, 0], ring[:, 1] + y, np.full(len(ring), z)])


def bowl(
    outline: np.ndarray, rim: float, depth: float, wall: float = 0.05, slot: str = "ceramic"
) -> list[Mesh]:
    """A basin: outside, rim and inside of an outline, the rim at height `rim`."""
    outside = [
        _at(outline, s, z)
        for s, z in (
            (0.62, rim - depth - 0.02),
            (0.80, rim - 0.7 * depth),
            (0.97, rim - 0.02),
            (1.0, rim - 0.006),
            (0.985, rim),
        )
    ]
    inside = [
        _at(outline, 1 - wall * s, rim - depth * z)
        for s, z in ((1.0, 0.0), (1.4, 0.08), (3.2, 0.55), (6.0, 0.9), (10.0, 1.0))
    ]
    drain = cylinder(0.022, 0.006, (0, 0, rim - depth), slot="metal")
    return [loft([*outside, *inside], slot, close_top=True), drain]


def faucet(x: float, y: float, z: float, reach: float = 0.13, high: float = 0.16) -> list[Mesh]:
    """A mixer tap that reaches towards -y."""
    path = [
        (x, y, z),
        (x, y, z + high * 0.7),
        (x, y - reach * 0.25, z + high),
        (x, y - reach * 0.8, z + high * 0.97),
        (x, y - reach, z + high * 0.75),
    ]
    return [
        tube(path, 0.012, 12, "metal"),
        cylinder(0.024, 0.012, (x, y, z), slot="metal"),
        tube([(x, y, z + high * 0.55), (x + 0.05, y + 0.01, z + high * 0.68)], 0.007, 8, "metal"),
    ]


def hand_sink(style: str) -> list[Mesh]:
    """Wash basins: pedestal, wall, vessel (bowl on a shelf)."""
    outline = ellipse(0.56, 0.44, 40) if style != "wall" else rounded_rectangle(0.58, 0.42, 0.09)
    if style == "vessel":
        parts = [p.moved(z=0.0) for p in bowl(ellipse(0.42, 0.36, 40), 0.97, 0.13)]
        return [
            *parts,
            box((0.8, 0.46, 0.05), (0, 0, 0.80), 0.006, slot="wood"),
            *[
                box((0.04, 0.40, 0.76), (s * 0.36, 0, 0.38), 0.004, slot="wood", grain=2)
                for s in (-1, 1)
            ],
            box((0.68, 0.38, 0.02), (0, 0, 0.3), 0.004, slot="wood"),
            *faucet(0, 0.2, 0.825, 0.16, 0.26),
        ]
    parts = [*bowl(outline, 0.85, 0.14), *faucet(0, 0.17, 0.845)]
    if style == "pedestal":
        parts.append(
            lathe(
                [(0.11, 0), (0.115, 0.02), (0.07, 0.12), (0.06, 0.4), (0.09, 0.62), (0.15, 0.72)],
                segments=28,
                slot="ceramic",
                crease=70,
            )
        )
    else:
        parts += [
            tube(
                [(0, 0.02, 0.70), (0, 0.02, 0.56), (0, 0.06, 0.52), (0, 0.2, 0.52)],
                0.018,
                10,
                "metal",
            )
        ]
    return parts


def sink(style: str) -> list[Mesh]:
    """Kitchen sinks set into a counter: single, double, drainer."""
    wide = {"single": 0.56, "double": 0.82, "drainer": 0.9}[style]
    parts = []
    bowls = {
        "single": [(0.0, 0.46)],
        "double": [(-0.2, 0.36), (0.2, 0.36)],
        "drainer": [(-0.2, 0.42)],
    }[style]
    for x, w in bowls:
        parts += [
            p.moved(x, -0.03)
            for p in bowl(rounded_rectangle(w + 0.03, 0.40, 0.05), 0.20, 0.18, 0.04, "metal_basin")
        ]
    rim = [(-wide / 2, -0.24), (wide / 2, 0.24)]
    for y0, y1 in ((-0.24, -0.225), (0.165, 0.24)):
        parts.append(box((wide, y1 - y0, 0.008), (0, (y0 + y1) / 2, 0.2), 0.003, 1, "metal_basin"))
    edges = (
        [rim[0][0]]
        + [e for x, w in bowls for e in (x - w / 2 - 0.01, x + w / 2 + 0.01)]
        + [rim[1][0]]
    )
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a > 0.005:
            parts.append(
                box((b - a, 0.42, 0.008), ((a + b) / 2, -0.03, 0.2), 0.003, 1, "metal_basin")
            )
    if style == "drainer":
        parts += [
            tube(
                [(0.12 + 0.045 * k, -0.2, 0.206), (0.12 + 0.045 * k, 0.13, 0.208)],
                0.005,
                6,
                "metal_basin",
            )
            for k in range(7)
        ]
    return [*parts, *faucet(0, 0.2, 0.204, 0.2, 0.30)]


def toilet(style: str) -> list[Mesh]:
    """Toilets: close_coupled, wall, round."""
    seat = ellipse(0.36, 0.46, 44) * (1.0, 1.0)
    seat[:, 1] = np.where(seat[:, 1] > 0, seat[:, 1] * 0.8, seat[:, 1])
    low = 0.0 if style != "wall" else 0.17
    rings = [
        _at(seat, 0.58 if style != "wall" else 0.35, low, 0.03),
        _at(seat, 0.60, low + 0.03, 0.03),
        _at(seat, 0.66, 0.2, 0.02),
        _at(seat, 0.9, 0.33),
        _at(seat, 1.0, 0.385),
        _at(seat, 1.0, 0.395),
        _at(seat, 0.86, 0.398),
        _at(seat, 0.78, 0.37),
        _at(seat, 0.5, 0.26),
        _at(seat, 0.2, 0.22),
    ]
    parts = [loft(rings, "ceramic", close_top=True)]
    ring = np.column_stack([seat[:, 0] * 0.9, seat[:, 1] * 0.9, np.full(len(seat), 0.408)])
    parts.append(tube(ring, 0.024, 10, "seat", closed=True, flat=1.6))
    lid = slab(seat * 0.98, 0.022, 0, 0.01, "seat").turned(0 if style == "round" else 80, "x")
    parts.append(
        lid.moved(0, 0.0 if style == "round" else 0.20, 0.425 if style == "round" else 0.64)
    )
    parts.append(box((0.26, 0.1, 0.03), (0, 0.19, 0.40), 0.01, slot="ceramic"))
    if style != "wall":
        parts += [
            box((0.38, 0.16, 0.36), (0, 0.30, 0.58), 0.03, 4, "ceramic"),
            box((0.40, 0.18, 0.03), (0, 0.30, 0.775), 0.012, 3, "ceramic"),
            cylinder(0.025, 0.012, (0, 0.30, 0.788), slot="metal"),
            box((0.24, 0.2, 0.40), (0, 0.25, 0.2), 0.03, 3, "ceramic"),
        ]
    else:
        parts += [
            box((0.25, 0.1, 0.16), (0, 0.20, 0.29), 0.02, 3, "ceramic"),
            box((0.25, 0.012, 0.16), (0, 0.25, 1.0), 0.006, slot="metal"),
        ]
    return parts


def tub(style: str) -> list[Mesh]:
    """Bathtubs: built_in, freestanding, clawfoot."""
    outline = (
        rounded_rectangle(1.7, 0.75, 0.1, 8) if style == "built_in" else ellipse(1.65, 0.78, 64)
    )
    inner = (
        rounded_rectangle(1.52, 0.57, 0.2, 10) if style == "built_in" else outline * (0.93, 0.88)
    )
    if style == "built_in":
        inner = rounded_rectangle(1.55, 0.60, 0.18, 8)
    low = 0.13 if style == "clawfoot" else 0.0
    base = 1.0 if style == "built_in" else 0.72
    rings = [
        _at(outline, base, low),
        _at(outline, base + 0.02 * (base < 1), low + 0.03),
        _at(outline, (1.0 + 3 * base) / 4 if base < 1 else 1.0, 0.35),
        _at(outline, 1.0, 0.565),
        _at(outline, 1.0, 0.58),
        _at(inner, 1.0, 0.58),
        _at(inner, 0.97, 0.55),
        _at(inner, 0.86, 0.25),
        _at(inner, 0.72, 0.17),
        _at(inner, 0.3, 0.16),
    ]
    parts = [loft(rings, "ceramic", close_top=True)]
    if style == "clawfoot":
        parts += [
            part
            for sx in (-1, 1)
            for sy in (-1, 1)
            for part in (
                sphere(0.04, (sx * 0.5, sy * 0.22, 0.04), slot="metal"),
                tube(
                    [(sx * 0.5, sy * 0.22, 0.04), (sx * 0.49, sy * 0.20, 0.19)],
                    [0.022, 0.04],
                    10,
                    "metal",
                ),
            )
        ]
    return [*parts, *faucet(0.0, 0.345 if style == "built_in" else 0.37, 0.575, 0.16, 0.17)]


def shower(style: str) -> list[Mesh]:
    """Shower sets on a wall: rain, rail, bath (with mixer)."""
    parts = [
        tube([(0, 0, 0.0), (0, 0, 1.05)], 0.010, 12, "metal"),
        *[tube([(0, 0, z), (0, 0.05, z)], 0.012, 10, "metal") for z in (0.06, 0.98)],
    ]
    if style == "rain":
        parts += [
            tube(
                [(0, 0, 1.05), (0, -0.03, 1.12), (0, -0.3, 1.14), (0, -0.36, 1.12)],
                0.010,
                12,
                "metal",
            ),
            lathe(
                [(0, 0), (0.125, 0), (0.125, 0.008), (0.03, 0.02), (0, 0.03)],
                (0, -0.36, 1.085),
                36,
                "metal",
                50,
            ),
        ]
    head = [
        lathe(
            [(0, 0), (0.05, 0), (0.052, 0.012), (0.02, 0.03), (0, 0.03)],
            segments=28,
            slot="metal",
            crease=50,
        )
        .turned(-60, "x")
        .moved(0, -0.075, 0.80),
        tube([(0, -0.05, 0.79), (0, -0.02, 0.62)], 0.011, 10, "metal"),
    ]
    hose = np.array(
        [
            (0, -0.02, 0.62),
            (0.06, -0.03, 0.40),
            (0.12, -0.03, 0.12),
            (0.06, -0.03, -0.12),
            (0, -0.02, -0.05),
        ]
    )
    parts += [
        *head,
        tube(
            np.stack(
                [np.interp(np.linspace(0, 4, 26), np.arange(5), hose[:, k]) for k in range(3)], 1
            ),
            0.007,
            8,
            "metal",
        ),
    ]
    parts += [
        tube([(-0.13, -0.02, -0.05), (0.13, -0.02, -0.05)], 0.021, 14, "metal"),
        *[sphere(0.027, (s * 0.14, -0.02, -0.05), slot="metal") for s in (-1, 1)],
    ]
    if style == "bath":
        parts.append(
            tube([(0, -0.02, -0.05), (0, -0.14, -0.06), (0, -0.16, -0.10)], 0.014, 10, "metal")
        )
    return parts


def shower_room(style: str) -> list[Mesh]:
    """Shower cabins: square, quadrant (rounded), curtain."""
    side, high = 0.9, 2.0
    outline = rounded_rectangle(side, side, 0.05)
    if style == "quadrant":
        t = np.linspace(0, np.pi / 2, 14)
        arc = np.column_stack(
            [-side / 2 + 0.35 + 0.55 * np.sin(t), side / 2 - 0.35 - 0.55 * np.cos(t)]
        )
        outline = np.concatenate(
            [
                [(-side / 2, side / 2), (-side / 2, -side / 2)],
                arc - (0.0, 0.0),
                [(side / 2, side / 2)],
            ]
        )
    tray = slab(outline, 0.07, 0, 0.015, "ceramic")
    parts = [tray, cylinder(0.045, 0.005, (0, 0, 0.07), slot="metal")]
    if style == "quadrant":
        from ..soft import sheet

        lines = np.concatenate(
            [
                [(-side / 2 + 0.01, -side / 2 + 0.01)],
                arc * 0.985,
                [(side / 2 - 0.01, side / 2 - 0.01)],
            ]
        )
        parts += [
            tube(np.column_stack([lines, np.full(len(lines), z)]), 0.012, 8, "metal")
            for z in (0.075, high)
        ]
        grid = np.stack([np.column_stack([lines, np.full(len(lines), z)]) for z in (0.08, high)])
        parts.append(sheet(grid, grid[..., [0, 2]], "glass", 0.006))
    elif style == "curtain":
        parts.append(
            tube(
                [
                    (-side / 2, -side / 2, high),
                    (side / 2, -side / 2, high),
                    (side / 2, side / 2, high),
                ],
                0.012,
                10,
                "metal",
            )
        )
        parts += [
            curtain(0.62, high - 0.12, 6, 0.07, seed=4).moved(-0.13, -side / 2, 0.1),
            curtain(0.5, high - 0.12, 5, 0.07, seed=5).turned(90).moved(side / 2, 0.15, 0.1),
        ]
    else:
        parts += [
            panel(side - 0.02, high - 0.08, (0, -side / 2 + 0.01, high / 2 + 0.04), 0.007, "glass"),
            box(
                (0.007, side - 0.02, high - 0.08),
                (side / 2 - 0.01, 0, high / 2 + 0.04),
                0.001,
                1,
                "glass",
            ),
        ]
        parts += [
            box((0.022, 0.022, high - 0.06), (x, y, high / 2 + 0.04), 0.003, slot="metal")
            for x, y in (
                (-side / 2 + 0.012, -side / 2 + 0.012),
                (side / 2 - 0.012, -side / 2 + 0.012),
                (side / 2 - 0.012, side / 2 - 0.012),
            )
        ]
        parts += [
            box((side, 0.024, 0.024), (0, -side / 2 + 0.012, high + 0.01), 0.003, slot="metal"),
            box((0.024, side, 0.024), (side / 2 - 0.012, 0, high + 0.01), 0.003, slot="metal"),
        ]
        parts += handle("bar", (-0.05, -side / 2 + 0.005, 1.05), 0.3, "metal", True)
    return [*parts, *[p.moved(-0.1, side / 2 - 0.06, 1.0) for p in shower("rail")]]


def bathroom_cabinet(style: str) -> list[Mesh]:
    """Vanity units: single (basin on drawers), double, mirror (wall cabinet)."""
    if style == "mirror":
        parts = [
            box((0.8, 0.14, 0.7), (0, 0, 0.35), 0.006),
            box((0.395, 0.008, 0.69), (-0.2, -0.073, 0.35), 0.002, slot="mirror"),
            box((0.395, 0.008, 0.69), (0.2, -0.073, 0.35), 0.002, slot="mirror"),
        ]
        return [*parts, box((0.7, 0.05, 0.03), (0, -0.06, 0.73), 0.008, slot="metal")]
    wide = 1.3 if style == "double" else 0.8
    parts = cabinet(
        wide,
        0.46,
        0.78,
        2 if style == "double" else 1,
        [(0.5, "drawer"), (0.5, "drawer")],
        legs="none",
        lift=0.18,
        top=False,
    )
    parts.append(box((wide + 0.02, 0.48, 0.03), (0, 0, 0.795), 0.006, slot="wood_top"))
    for x in (-0.32, 0.32) if style == "double" else (0.0,):
        parts += [
            p.moved(x, -0.02) for p in bowl(rounded_rectangle(0.46, 0.34, 0.1), 0.93, 0.10)
        ] + faucet(x, 0.19, 0.81, 0.15, 0.2)
    return parts


def washing_cabinet(style: str) -> list[Mesh]:
    """Laundry units with a tub sink: doors, open, wide."""
    wide = 1.2 if style == "wide" else 0.8
    rows = [(1.0, "open")] if style == "open" else [(1.0, "pair")]
    parts = cabinet(wide, 0.55, 0.8, 1, rows, style="slatted", grip="knob", top=False)
    parts.append(box((wide + 0.02, 0.57, 0.035), (0, 0, 0.8175), 0.006, slot="wood_top"))
    parts += [
        p.moved(-0.0 if wide < 1 else -0.25, -0.02)
        for p in bowl(rounded_rectangle(0.52, 0.42, 0.07), 0.90, 0.2)
    ]
    x = 0.0 if wide < 1 else -0.25
    return [
        *parts,
        *faucet(x, 0.23, 0.835, 0.2, 0.28),
        vase(0.18, 0.04, (wide * 0.4, 0.1, 0.835), "bottle"),
    ]


def bar(style: str) -> list[Mesh]:
    """Bar counters: straight, island (with stools), corner."""
    wide = 1.8
    parts = [
        box((wide, 0.5, 1.0), (0, 0.05, 0.5), 0.006),
        box((wide + 0.1, 0.72, 0.04), (0, 0, 1.04), 0.008, slot="wood_top"),
        tube([(-wide / 2, -0.3, 0.2), (wide / 2, -0.3, 0.2)], 0.018, 12, "metal"),
    ]
    count = 14
    parts += [
        box(
            (wide / count * 0.7, 0.02, 0.95),
            (-wide / 2 + (i + 0.5) * wide / count, -0.205, 0.5),
            0.005,
            1,
            grain=2,
        )
        for i in range(count)
    ]
    parts += [tube([(x, -0.3, 0.2), (x, -0.2, 0.2)], 0.012, 8, "metal") for x in (-0.8, 0.0, 0.8)]
    parts += [vase(0.14, 0.035, (0.3 + 0.1 * k, 0.05, 1.06), "cup", "glass") for k in range(3)] + [
        vase(0.30, 0.04, (0.7, 0.1, 1.06), "bottle", "bottle_1"),
        vase(0.28, 0.04, (0.6, 0.12, 1.06), "bottle", "bottle_2"),
    ]
    if style == "corner":
        parts += [
            box((0.5, 1.0, 1.0), (wide / 2 + 0.2, 0.3, 0.5), 0.006),
            box((0.62, 1.2, 0.04), (wide / 2 + 0.2, 0.24, 1.04), 0.008, slot="wood_top"),
        ]
    if style == "island":
        for x in (-0.5, 0.5):
            parts += [p.moved(x, -0.62) for p in bar_chair("saddle")]
    return parts


def screen(style: str) -> list[Mesh]:
    """Folding screens: paper, cloth, slatted."""
    parts: list[Mesh] = []
    wide, high = 0.48, 1.75
    for k, angle in enumerate((20, -20, 20, -20)):
        leaf = [
            box((0.03, 0.025, high), (s * (wide - 0.03) / 2, 0, high / 2), 0.004, grain=2)
            for s in (-1, 1)
        ]
        leaf += [
            box((wide - 0.06, 0.025, 0.03), (0, 0, z), 0.004, grain=0) for z in (0.08, high - 0.015)
        ]
        if style == "slatted":
            leaf += [
                box((wide - 0.06, 0.008, 0.03), (0, 0, 0.13 + 0.045 * i), 0.002, 1, grain=0).turned(
                    0
                )
                for i in range(36)
            ]
        else:
            leaf.append(
                box(
                    (wide - 0.06, 0.004, high - 0.12),
                    (0, 0, high / 2 + 0.03),
                    0.001,
                    1,
                    "paper" if style == "paper" else "fabric",
                )
            )
        if style == "paper":
            leaf += [
                box((0.01, 0.014, high - 0.12), (x, 0, high / 2 + 0.03), 0.002, 1, grain=2)
                for x in (-0.07, 0.07)
            ]
            leaf += [
                box((wide - 0.06, 0.014, 0.01), (0, 0, z), 0.002, 1, grain=0)
                for z in np.linspace(0.3, high - 0.25, 6)
            ]
        step = wide * np.cos(np.radians(20))
        parts += [p.turned(angle).moved((k - 1.5) * step) for p in leaf]
    return parts


def bunk(style: str) -> list[Mesh]:
    """Beds with more uses: bunk, loft (with a desk), drawers."""
    from .sleeping import bed
    from .tables import desk

    lower = bed("single", 0.95)
    if style == "drawers":
        from .parts import front

        drawers = [p for x in (-0.5, 0.5) for p in front(0.9, 0.2, (x, 0, 0.14), grip="cup")]
        return [
            *lower,
            *[p.turned(90).moved(0.53, 0.0) for p in drawers],
            *[p.turned(-90).moved(-0.53, 0.0) for p in drawers],
        ]
    high = 1.25
    upper = [p.moved(0, 0, high) for p in bed("low", 0.95, 2.0)[:]]
    posts = [
        box((0.07, 0.07, 1.95), (sx * 0.53, sy * 1.02, 0.975), 0.008, grain=2)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    rails = [
        box((0.03, 2.0, 0.08), (sx * 0.53, 0, z), 0.006, grain=1)
        for sx in (-1, 1)
        for z in (1.75, 1.9)
    ]
    ladder = [box((0.035, 0.05, 1.8), (0.60, y, 0.9), 0.005, grain=2) for y in (-0.75, -0.4)] + [
        tube([(0.60, -0.75, z), (0.60, -0.4, z)], 0.015, 10, "wood")
        for z in np.linspace(0.25, 1.65, 6)
    ]
    below = lower if style == "bunk" else [p.turned(90).moved(0.1, 0.2) for p in desk("simple")]
    keep = [p for p in upper if p.bounds[1][0] - p.bounds[0][0] < 1.5]
    return [*below, *keep, *posts, *rails, *ladder]


def integrated_stove(style: str) -> list[Mesh]:
    """Cookers with hood in one: tower, wide, slim."""
    wide = {"tower": 0.9, "wide": 1.1, "slim": 0.75}[style]
    parts = [
        box((wide, 0.58, 0.82), (0, 0, 0.41), 0.008, slot="body"),
        *_hob(wide - 0.02, 0.5, 0.83),
        box((wide, 0.10, 0.42), (0, 0.24, 1.03), 0.02, 3, "body"),
    ]
    parts += [
        box((wide - 0.1, 0.012, 0.03), (0, 0.185, 0.93 + 0.05 * k), 0.003, 1, "dark")
        for k in range(5)
    ]
    doors = 2 if style == "wide" else 1
    for i in range(doors):
        x = (i - (doors - 1) / 2) * 0.48
        parts += [
            box((wide / doors - 0.12, 0.03, 0.46), (x, -0.295, 0.40), 0.01, slot="body"),
            box((wide / doors - 0.22, 0.008, 0.28), (x, -0.312, 0.38), 0.006, slot="dark"),
            *handle("bar", (x, -0.31, 0.6), 0.4),
        ]
    parts += [
        cylinder(0.022, 0.03, (0, 0, 0), slot="metal").turned(90, "x").moved(x, -0.29, 0.74)
        for x in (-0.2, 0.2)
    ]
    return [*parts, box((0.16, 0.006, 0.05), (0, -0.291, 0.74), 0.002, 1, "led")]


FIXTURES = looks(
    {
        "glass": "glass",
        "mirror": "mirror",
        "bottle_1": "bottle_green",
        "bottle_2": "bottle_dark",
        "paper": "paper",
        "dark": "dark_glass",
        "led": "led_green",
        "iron": "black_metal",
        **{k: v for k, v in BOOK_FINISHES.items() if k != "paper"},
    },
    white={
        "ceramic": "ceramic_white",
        "seat": "plastic_white",
        "metal": "chrome",
        "metal_basin": "steel",
        "wood": "white_wood",
        "wood_top": "marble_white",
        "fabric": "fabric_white",
        "body": "plastic_white",
    },
    oak={
        "ceramic": "ceramic_white",
        "seat": "oak",
        "metal": "steel",
        "metal_basin": "steel",
        "wood": "oak",
        "wood_top": "oak",
        "fabric": "stripes_navy",
        "body": "steel",
    },
    black={
        "ceramic": "ceramic_black",
        "seat": "plastic_black",
        "metal": "brass",
        "metal_basin": "black_metal",
        "wood": "black_wood",
        "wood_top": "marble_black",
        "fabric": "linen_grey",
        "body": "black_metal",
    },
    sage={
        "ceramic": "ceramic_sand",
        "seat": "white_wood",
        "metal": "copper",
        "metal_basin": "ceramic_white",
        "wood": "sage_paint",
        "wood_top": "birch",
        "fabric": "fabric_sage",
        "body": "enamel_mint",
    },
    walnut={
        "ceramic": "ceramic_white",
        "seat": "walnut",
        "metal": "black_metal",
        "metal_basin": "granite",
        "wood": "walnut",
        "wood_top": "granite",
        "fabric": "linen_blue",
        "body": "enamel_cream",
    },
)
BUNKS = looks(
    {"fabric_sheet": "fabric_white", **BOOK_FINISHES, "ceramic": "ceramic_white"},
    oak={
        "fabric": "linen_blue",
        "fabric_pillow": "fabric_mustard",
        "wood": "oak",
        "wood_top": "oak",
        "metal": "black_metal",
        "fabric_frame": "linen_grey",
    },
    white={
        "fabric": "fabric_blush",
        "fabric_pillow": "knit_grey",
        "wood": "white_wood",
        "wood_top": "birch",
        "metal": "chrome",
        "fabric_frame": "linen_grey",
    },
    sage={
        "fabric": "linen_cream",
        "fabric_pillow": "knit_green",
        "wood": "sage_paint",
        "wood_top": "oak",
        "metal": "brass",
        "fabric_frame": "linen_grey",
    },
    navy={
        "fabric": "stripes_navy",
        "fabric_pillow": "knit_red",
        "wood": "navy_paint",
        "wood_top": "oak",
        "metal": "brass",
        "fabric_frame": "linen_grey",
    },
)

RECIPES = [
    Recipe(
        "toilet",
        "toilet",
        styles(toilet, "close_coupled", "wall", "round"),
        FIXTURES,
        tags=("bathroom",),
    ),
    Recipe(
        "hand_sink",
        "hand_sink",
        styles(hand_sink, "pedestal", "wall", "vessel"),
        FIXTURES,
        tags=("bathroom",),
    ),
    Recipe(
        "tub",
        "tub",
        styles(tub, "built_in", "freestanding", "clawfoot"),
        FIXTURES,
        tags=("bathroom",),
    ),
    Recipe(
        "shower",
        "shower",
        styles(shower, "rain", "rail", "bath"),
        FIXTURES,
        support="wall",
        tags=("bathroom",),
    ),
    Recipe(
        "shower_room",
        "shower_room",
        styles(shower_room, "square", "quadrant", "curtain"),
        FIXTURES,
        tags=("bathroom",),
    ),
    Recipe(
        "bathroom_cabinet",
        "bathroom_cabinet",
        styles(bathroom_cabinet, "single", "double", "mirror"),
        FIXTURES,
        tags=("bathroom", "storage"),
    ),
    Recipe(
        "washing_cabinet",
        "washing_cabinet",
        styles(washing_cabinet, "doors", "open", "wide"),
        FIXTURES,
        tags=("laundry", "storage"),
    ),
    Recipe(
        "sink",
        "sink",
        styles(sink, "single", "double", "drainer"),
        FIXTURES,
        support="on_top",
        tags=("kitchen",),
    ),
    Recipe(
        "bar",
        "bar",
        styles(bar, "straight", "island", "corner"),
        FIXTURES,
        tags=("kitchen",),
    ),
    Recipe(
        "screen",
        "screen",
        styles(screen, "paper", "cloth", "slatted"),
        FIXTURES,
        tags=("decoration",),
    ),
    Recipe(
        "integrated_stove",
        "integrated_stove",
        styles(integrated_stove, "tower", "wide", "slim"),
        FIXTURES,
        tags=("kitchen",),
    ),
    Recipe(
        "bunk_bed",
        "multifunctional_combination_bed",
        styles(bunk, "bunk", "loft", "drawers"),
        BUNKS,
        tags=("bedroom",),
    ),
]
