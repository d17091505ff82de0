"""Plants, pictures, carpets, curtains, mirrors and wall decoration."""

from __future__ import annotations

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..foliage import frond, leaf, pot, rosette, tree
from ..mesh import Mesh
from ..soft import curtain, sheet
from ..solids import (
    box,
    cylinder,
    ellipse,
    lathe,
    panel,
    rounded_rectangle,
    slab,
    sphere,
    tile_of,
    tube,
)
from .recipe import Recipe, looks, styles


def plant(style: str) -> list[Mesh]:
    """Potted plants: fig, palm, snake, monstera, fern."""
    rng = named_rng(7, "plant", style)
    if style == "fig":
        return [*pot(0.19, 0.34, "tapered"), *tree(rng, 0.3, 1.5, 11, 0.22, 0.42, 0.62, 0.3)]
    if style == "palm":
        parts = pot(0.18, 0.32, "cylinder")
        for i in range(11):
            a, rise = i * 2.4, 1.35 - 0.09 * i
            heading = np.array([np.cos(a) * np.cos(rise), np.sin(a) * np.cos(rise), np.sin(rise)])
            parts += frond(
                rng,
                np.array([0.02 * np.cos(a), 0.02 * np.sin(a), 0.29]),
                heading,
                1.15 - 0.03 * i,
                1.5,
                0.30,
                11,
            )
        return parts
    if style == "snake":
        return [*pot(0.15, 0.26, "cylinder"), *rosette(rng, 13, 0.72, 0.075, 0.23, 1.5, 0.12)]
    if style == "monstera":
        parts = pot(0.2, 0.32, "bowl")
        for i in range(12):
            a, rise = i * 2.4, 1.25 - 0.05 * i
            heading = np.array([np.cos(a) * np.cos(rise), np.sin(a) * np.cos(rise), np.sin(rise)])
            from ..foliage import _aimed, stem

            twig, path = stem(
                np.array([0, 0, 0.28]), heading, 0.75 - 0.025 * i, 0.008, 0.75, "leaf_stem"
            )
            blade = _aimed(
                leaf(0.36, 0.30, 0.7, 0.12, rows=8),
                np.array([np.cos(a), np.sin(a), -0.15]),
                path[-1],
                float(rng.uniform(-0.3, 0.3)),
            )
            parts += [twig, blade]
        return parts
    parts = pot(0.16, 0.22, "urn")
    for i in range(22):
        a, rise = i * 2.4, 1.25 - 0.05 * i
        heading = np.array([np.cos(a) * np.cos(rise), np.sin(a) * np.cos(rise), np.sin(rise)])
        parts += frond(rng, np.array([0, 0, 0.19]), heading, 0.52, 1.7, 0.10, 12)
    return parts


def bonsai(style: str) -> list[Mesh]:
    """Small plants for a table: pine (clouds on a bent trunk), succulent, flowers."""
    rng = named_rng(7, "bonsai", style)
    if style == "succulent":
        return [*pot(0.075, 0.09, "bowl"), *rosette(rng, 26, 0.10, 0.042, 0.075, 1.35, 0.25)]
    if style == "flowers":
        parts = pot(0.07, 0.11, "tapered")
        for i in range(14):
            a, lean = i * 2.4, 0.12 + 0.10 * (i % 3)
            top = np.array([lean * np.cos(a), lean * np.sin(a), 0.22 + 0.05 * rng.uniform()])
            parts.append(
                tube(
                    [(0, 0, 0.09), tuple(top * [0.5, 0.5, 0.8]), tuple(top)], 0.002, 6, "leaf_stem"
                )
            )
            petals = [
                leaf(0.035, 0.024, 0.3, 0.2, slot="petal", rows=4)
                .turned(-25, "y")
                .turned(72 * k)
                .moved(*top)
                for k in range(5)
            ]
            parts += [*petals, sphere(0.008, tuple(top), 10, "pollen")]
        return parts + rosette(rng, 14, 0.13, 0.04, 0.09, 0.9, 0.8)
    trunk = np.array(
        [(0, 0, 0.05), (0.03, 0, 0.12), (-0.02, 0.01, 0.19), (0.05, 0, 0.26), (0.02, 0, 0.33)]
    )
    parts = [tube(trunk, [0.022, 0.019, 0.016, 0.012, 0.007], 10, "stem")]
    tray = slab(rounded_rectangle(0.28, 0.19, 0.05), 0.055, 0, 0.01, "ceramic")
    parts += [tray, slab(rounded_rectangle(0.25, 0.16, 0.04), 0.012, 0.05, 0.006, "soil")]
    for x, y, z, size in (
        (0.12, 0.0, 0.27, 0.085),
        (-0.10, 0.02, 0.21, 0.075),
        (0.02, -0.01, 0.37, 0.09),
        (-0.03, 0.05, 0.30, 0.06),
    ):
        parts.append(tube([(0.02, 0, z - 0.04), (x * 0.8, y, z - 0.012)], 0.006, 8, "stem"))
        for _ in range(90):
            d = rng.standard_normal(3) * (1, 0.8, 0.35)
            d = d / np.linalg.norm(d) * size * rng.uniform(0.4, 1.0) * (1, 0.85, 0.45)
            spray = (
                leaf(0.032, 0.014, 0.2, 0.1, rows=3)
                .turned(float(rng.uniform(-50, 20)), "y")
                .turned(float(rng.uniform(0, 360)))
            )
            parts.append(spray.moved(x + d[0], y + d[1], z + d[2]))
    return parts


def painting(style: str) -> list[Mesh]:
    """Framed pictures: landscape, portrait, square, triptych; the canvas slot is "canvas"."""
    sizes = {"landscape": (0.95, 0.65), "portrait": (0.55, 0.78), "square": (0.6, 0.6)}
    if style == "triptych":
        parts = []
        for k in (-1, 0, 1):
            parts += [
                p.moved(k * 0.46) for p in _framed(0.42, 0.85, 0.015, 0.0, (k + 1) / 3, 1 / 3)
            ]
        return parts
    return _framed(*sizes[style], 0.035, 0.06 if style == "portrait" else 0.0)


def _framed(
    width: float, height: float, frame: float, mat: float, u0: float = 0.0, span: float = 1.0
) -> list[Mesh]:
    parts = [
        box(
            (frame, 0.03, height),
            (sx * (width - frame) / 2, 0, height / 2),
            0.005,
            slot="wood",
            grain=2,
        )
        for sx in (-1, 1)
    ]
    parts += [
        box((width - 2 * frame, 0.03, frame), (0, 0, z), 0.005, slot="wood", grain=0)
        for z in (frame / 2, height - frame / 2)
    ]
    if mat:
        parts.append(
            panel(width - 2 * frame, height - 2 * frame, (0, 0.006, height / 2), 0.004, "paper")
        )
    picture = panel(
        width - 2 * frame - 2 * mat,
        height - 2 * frame - 2 * mat,
        (0, 0.002, height / 2),
        0.004,
        "canvas",
    )
    uv = picture.uv * (span, 1.0) + (u0, 0.0)
    return [*parts, Mesh(picture.points, picture.faces, picture.normals, uv, "canvas")]


def carpet(style: str) -> list[Mesh]:
    """Rugs: rectangle, round, runner with a border, fringed."""
    if style == "round":
        return [slab(ellipse(1.9, 1.9, 72), 0.014, 0, 0.006, "carpet")]
    width, depth = {"runner": (0.8, 2.4), "fringed": (2.0, 1.4)}.get(style, (2.2, 1.5))
    grid_x, grid_y = np.meshgrid(
        np.linspace(-width / 2, width / 2, 36),
        np.linspace(-depth / 2, depth / 2, 28),
        indexing="xy",
    )
    ripple = 0.0012 * np.sin(3 * grid_x + 1.3 * grid_y) + 0.001 * np.sin(5 * grid_y - 2 * grid_x)
    points = np.stack([grid_x, grid_y, 0.012 + ripple], -1)[:, ::-1][:, ::-1]
    pile = sheet(
        points.transpose(1, 0, 2),
        points.transpose(1, 0, 2)[..., :2] / tile_of("carpet"),
        "carpet",
        0.010,
    )
    parts = [pile]
    if style in ("runner", "rectangle"):
        for inset, wide in ((0.10, 0.045), (0.17, 0.015)):
            for sx in (-1, 1):
                parts.append(
                    box(
                        (wide, depth - 2 * inset, 0.004),
                        (sx * (width / 2 - inset), 0, 0.0135),
                        0.0015,
                        1,
                        "carpet_border",
                    )
                )
                parts.append(
                    box(
                        (width - 2 * inset, wide, 0.004),
                        (0, sx * (depth / 2 - inset), 0.0135),
                        0.0015,
                        1,
                        "carpet_border",
                    )
                )
    if style == "fringed":
        rng = named_rng(7, "fringe")
        for sx in (-1, 1):
            for y in np.linspace(-depth / 2 + 0.01, depth / 2 - 0.01, 90):
                d = rng.uniform(-0.012, 0.012)
                x = sx * width / 2
                parts.append(
                    tube(
                        [
                            (x, y, 0.006),
                            (x + sx * 0.03, y + d * 0.5, 0.005),
                            (x + sx * 0.06, y + d, 0.003),
                        ],
                        0.003,
                        5,
                        "carpet_border",
                    )
                )
    return parts


def drapes(style: str) -> list[Mesh]:
    """Curtains on a rod: open pair, closed, tied, roman blind."""
    width, height = 1.8, 2.3
    rod = [
        tube(
            [(-width / 2 - 0.08, 0, height + 0.03), (width / 2 + 0.08, 0, height + 0.03)],
            0.013,
            12,
            "metal",
        )
    ]
    rod += [
        sphere(0.026, (s * (width / 2 + 0.09), 0, height + 0.03), slot="metal") for s in (-1, 1)
    ]
    if style == "roman":
        z = np.linspace(0, 1, 40)
        fold = 0.02 * np.abs(np.sin(np.pi * 5 * z)) * (z < 0.6)
        grid = np.stack(
            np.broadcast_arrays(
                np.linspace(-0.6, 0.6, 12)[:, None], -fold[None], (0.9 + z * 0.6)[None]
            ),
            -1,
        )
        uv = grid[..., [0, 2]] / tile_of("fabric")
        return [
            sheet(grid, uv, "fabric", 0.006),
            box((1.22, 0.05, 0.04), (0, 0.01, 1.51), 0.008, slot="wood"),
        ]
    if style == "closed":
        return [
            *rod,
            curtain(width / 2, height, 8, 0.09, seed=1).moved(-width / 4),
            curtain(width / 2, height, 8, 0.09, seed=2).moved(width / 4),
        ]
    gather = 0.45 if style == "tied" else 0.0
    wide = 0.55 if style == "tied" else 0.42
    parts = [*rod]
    for s in (-1, 1):
        parts.append(
            curtain(wide, height, 6, 0.10, seed=3 + s, gather=gather).moved(
                s * (width / 2 - wide / 2)
            )
        )
        if style == "tied":
            parts.append(
                box(
                    (wide * 0.62, 0.09, 0.05),
                    (s * (width / 2 - wide / 2), 0, height * 0.42),
                    0.015,
                    2,
                    "metal",
                )
            )
    return parts


def mirror(style: str) -> list[Mesh]:
    """Wall or standing mirrors: round, arch, tall (leaning), wide."""
    if style == "tall":
        frame = [p.turned(-8, "x") for p in _mirror(rounded_rectangle(0.65, 1.75, 0.03), 0.035)]
        return frame
    outline = {"round": ellipse(0.8, 0.8, 64), "wide": rounded_rectangle(1.1, 0.7, 0.12)}.get(style)
    if outline is None:
        t = np.linspace(0, np.pi, 24)
        arch = np.column_stack([0.33 * np.cos(t), 0.3 + 0.33 * np.sin(t)])
        outline = np.concatenate([arch, [(-0.33, -0.5), (0.33, -0.5)]])
    return _mirror(outline, 0.025)


def _mirror(outline: np.ndarray, frame: float) -> list[Mesh]:
    size = np.abs(outline).max(axis=0)
    board = slab(outline * (1 + frame / size), 0.028, 0, 0.01, "metal").turned(90, "x")
    glass = slab(outline, 0.004, 0, 0.001, "mirror").turned(90, "x")
    return [board, glass.moved(y=-0.027)]


def wall_decoration(style: str) -> list[Mesh]:
    """Wall pieces: clock, sunburst, shelf, plates."""
    if style == "clock":
        face = lathe(
            [(0, 0), (0.165, 0), (0.17, 0.004), (0, 0.012)], segments=48, slot="face", crease=60
        )
        rim = tube(
            np.column_stack(
                [
                    0.168 * np.cos(np.linspace(0, 2 * np.pi, 48, endpoint=False)),
                    0.168 * np.sin(np.linspace(0, 2 * np.pi, 48, endpoint=False)),
                    np.full(48, 0.012),
                ]
            ),
            0.011,
            10,
            "wood",
            closed=True,
        )
        parts = [face, rim]
        parts.extend(
            box(
                (0.005, 0.022 if k % 3 else 0.034, 0.003),
                (0, 0.138, 0.0135),
                0.0005,
                1,
                "metal",
            ).turned(30 * k)
            for k in range(12)
        )
        parts += [
            box((0.007, 0.10, 0.003), (0, 0.035, 0.017), 0.001, 1, "metal").turned(-50),
            box((0.005, 0.14, 0.003), (0, 0.05, 0.020), 0.001, 1, "metal").turned(65),
            cylinder(0.01, 0.014, (0, 0, 0.012), slot="metal"),
        ]
        return [p.turned(90, "x") for p in parts]
    if style == "sunburst":
        parts = [
            lathe(
                [(0, 0), (0.13, 0), (0.14, 0.012), (0.125, 0.022), (0, 0.02)],
                segments=40,
                slot="mirror",
                crease=50,
            )
        ]
        for k in range(32):
            long = 0.20 if k % 2 else 0.13
            parts.append(
                tube([(0.13, 0, 0.01), (0.13 + long, 0, 0.008)], [0.008, 0.002], 8, "metal").turned(
                    k * 11.25
                )
            )
        return [p.turned(90, "x") for p in parts]
    if style == "shelf":
        rng = named_rng(7, "shelf")
        from .parts import books, vase

        parts = [box((0.9, 0.2, 0.03), (0, 0, 0.015), 0.004, slot="wood")]
        parts += [
            box((0.025, 0.16, 0.10), (s * 0.36, 0.02, -0.05), 0.004, slot="metal") for s in (-1, 1)
        ]
        return [
            *parts,
            *books(rng, 0.36, 0.24, 0.16, -0.42, 0.0, 0.03),
            vase(0.22, 0.07, (0.15, 0, 0.03)),
            vase(0.12, 0.045, (0.32, 0, 0.03), "bottle"),
        ]
    parts = []
    for x, z, r in (
        (-0.22, 0.1, 0.13),
        (0.05, 0.22, 0.16),
        (0.28, 0.02, 0.11),
        (0.02, -0.12, 0.10),
    ):
        dish = lathe(
            [(0, 0), (0.6 * r, 0), (r, 0.018), (r, 0.023), (0.6 * r, 0.008), (0, 0.008)],
            segments=36,
            slot="ceramic",
            crease=50,
        )
        parts.append(dish.turned(90, "x").moved(x, 0, z))
    return parts


PLANT_LOOKS = looks(
    {"soil": "soil", "pollen": "cloth_orange"},
    white_pot={
        "ceramic": "ceramic_white",
        "leaf": "leaf_green",
        "leaf_stem": "stem_green",
        "stem": "bark",
        "petal": "petal_red",
    },
    terracotta={
        "ceramic": "terracotta",
        "leaf": "leaf_dark",
        "leaf_stem": "stem_green",
        "stem": "bark",
        "petal": "petal_white",
    },
    basket={
        "ceramic": "wicker",
        "leaf": "leaf_olive",
        "leaf_stem": "stem_green",
        "stem": "bark",
        "petal": "cloth_orange",
    },
    black_pot={
        "ceramic": "ceramic_black",
        "leaf": "leaf_blue",
        "leaf_stem": "stem_green",
        "stem": "bark",
        "petal": "petal_red",
    },
    concrete={
        "ceramic": "concrete",
        "leaf": "leaf_green",
        "leaf_stem": "leaf_olive",
        "stem": "bark",
        "petal": "petal_white",
    },
)
ART = looks(
    {"paper": "paper"},
    coast={"canvas": "art_coast", "wood": "oak"},
    hills={"canvas": "art_hills", "wood": "black_wood"},
    circles={"canvas": "art_circles", "wood": "white_wood"},
    blocks={"canvas": "art_blocks", "wood": "gold"},
    bloom={"canvas": "art_bloom", "wood": "walnut"},
)
CARPETS = looks(
    None,
    cream={"carpet": "carpet_cream", "carpet_border": "carpet_black"},
    blue={"carpet": "carpet_blue", "carpet_border": "carpet_cream"},
    red={"carpet": "carpet_red", "carpet_border": "carpet_beige"},
    grey={"carpet": "carpet_grey", "carpet_border": "carpet_cream"},
    green={"carpet": "carpet_green", "carpet_border": "carpet_beige"},
)
DRAPES = looks(
    None,
    linen={"fabric": "linen_cream", "metal": "black_metal", "wood": "oak"},
    teal={"fabric": "fabric_teal", "metal": "brass", "wood": "walnut"},
    stripes={"fabric": "stripes_navy", "metal": "chrome", "wood": "white_wood"},
    rust={"fabric": "fabric_rust", "metal": "brass", "wood": "dark_oak"},
    white={"fabric": "fabric_white", "metal": "white_metal", "wood": "birch"},
)
MIRRORS = looks(
    {"mirror": "mirror"},
    brass={"metal": "brass"},
    black={"metal": "black_metal"},
    oak={"metal": "oak"},
    white={"metal": "white_wood"},
)
WALL = looks(
    {
        "mirror": "mirror",
        "face": "card",
        "book_1": "cloth_red",
        "book_2": "cloth_navy",
        "book_3": "cloth_cream",
        "book_4": "cloth_green",
        "book_5": "cloth_black",
        "paper": "paper",
    },
    oak={"wood": "oak", "metal": "black_metal", "ceramic": "ceramic_blue"},
    walnut={"wood": "walnut", "metal": "brass", "ceramic": "ceramic_sand"},
    white={"wood": "white_wood", "metal": "gold", "ceramic": "ceramic_white"},
    black={"wood": "black_wood", "metal": "copper", "ceramic": "ceramic_green"},
)

RECIPES = [
    Recipe(
        "plants",
        "plants",
        styles(plant, "fig", "palm", "snake", "monstera", "fern"),
        PLANT_LOOKS,
        fit_mode="uniform",
        tags=("plant",),
        thin=("leaf", "petal"),
        quickstart=True,
    ),
    Recipe(
        "potted_bonsai",
        "potted_bonsai",
        styles(bonsai, "pine", "succulent", "flowers"),
        PLANT_LOOKS,
        support="on_top",
        fit_mode="uniform",
        tags=("plant",),
        thin=("leaf", "petal"),
    ),
    Recipe(
        "painting",
        "painting",
        styles(painting, "landscape", "portrait", "square", "triptych"),
        ART,
        support="wall",
        tags=("decoration",),
        quickstart=True,
    ),
    Recipe(
        "carpet",
        "carpet",
        styles(carpet, "rectangle", "round", "runner", "fringed"),
        CARPETS,
        tags=("decoration",),
        quickstart=True,
    ),
    Recipe(
        "curtain",
        "curtain",
        styles(drapes, "open", "closed", "tied", "roman"),
        DRAPES,
        support="wall",
        tags=("window",),
        quickstart=True,
    ),
    Recipe(
        "mirror",
        "mirror",
        styles(mirror, "round", "arch", "tall", "wide"),
        MIRRORS,
        support="wall",
        tags=("decoration",),
    ),
    Recipe(
        "wall_decoration",
        "wall_decoration",
        styles(wall_decoration, "clock", "sunburst", "shelf", "plates"),
        WALL,
        support="wall",
        tags=("decoration",),
    ),
]
