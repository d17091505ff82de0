"""What stands on shelves and tables: books, vases, folded and hanging clothes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrange import placed
from ..mesh import Mesh
from ..soft import curtain, cushion
from ..solids import box
from ..turned import cylinder, sphere, tube
from .profiles import turned

__all__ = ["books", "folded_stack", "hanging_garment", "stack_of_books", "things", "vase"]


def books(
    rng: np.random.Generator,
    width: float,
    height: float,
    depth: float,
    x: float,
    y: float,
    z: float,
    fill: float = 0.8,
) -> list[Mesh]:
    """Books standing on z from x to the right, spines at -y, some leaning, of five cover slots."""
    parts: list[Mesh] = []
    at, end = x, x + width * fill
    while True:
        thick = float(rng.uniform(0.014, 0.045))
        if at + thick > end:
            return parts
        tall = height * float(rng.uniform(0.62, 0.93))
        deep = min(depth, float(rng.uniform(0.7, 0.95)) * depth)
        cover = box((thick, deep, tall), (0, 0, tall / 2), 0.0025, 1, f"book_{rng.integers(1, 6)}")
        block = (thick * 0.72, deep * 0.96, tall * 0.965)
        pages = box(block, (0, deep * 0.025, tall * 0.52), 0.001, 1, "paper")
        lean = 9.0 if at + thick + 0.06 > end and rng.uniform() < 0.5 else 0.0
        place = (at + thick / 2, y - depth / 2 + deep / 2 + 0.005, z)
        parts += placed([cover, pages], place, -lean, "y")
        at += thick + 0.001


def stack_of_books(
    rng: np.random.Generator, count: int, x: float, y: float, z: float
) -> list[Mesh]:
    """Books lying on one another."""
    parts = []
    for _ in range(count):
        thick = float(rng.uniform(0.018, 0.035))
        wide, deep = float(rng.uniform(0.17, 0.24)), float(rng.uniform(0.13, 0.17))
        turn = float(rng.uniform(-12, 12))
        cover = box((wide, deep, thick), (0, 0, thick / 2), 0.002, 1, f"book_{rng.integers(1, 6)}")
        block = (wide * 0.97, deep * 0.97, thick * 0.7)
        pages = box(block, (0.004, 0.004, thick / 2), 0.001, 1, "paper")
        parts += placed([cover, pages], (x, y, z), turn)
        z += thick
    return parts


def vase(
    height: float,
    radius: float,
    center: Sequence[float],
    style: str = "round",
    slot: str = "ceramic",
) -> Mesh:
    """A vessel; styles round, bottle, cup."""
    return turned(
        f"vase_{style}", slot, center, radius=radius, height=height, segments=24, corner=50
    )


def things(rng: np.random.Generator, width: float, height: float, x: float, z: float) -> list[Mesh]:
    """One or two ornaments that fit a shelf."""
    kind = int(rng.integers(0, 4))
    tall = min(0.8 * height, 0.26)
    if kind == 0:
        return [vase(tall, 0.35 * tall, (x, 0, z))]
    if kind == 1:
        return [
            vase(tall, 0.28 * tall, (x - 0.2 * width, 0, z), "bottle"),
            vase(0.5 * tall, 0.26 * tall, (x + 0.12 * width, -0.02, z), "cup"),
        ]
    if kind == 2 and width > 0.26:
        return stack_of_books(rng, 3, x, 0, z)
    ball = sphere(0.3 * tall, (x, 0, z + 0.3 * tall), slot="metal")
    return [ball, cylinder(0.2 * tall, 0.02, (x, 0, z), slot="metal")]


def hanging_garment(x: float, rail: float, k: int) -> list[Mesh]:
    """A garment on a hanger, seen edge-on from the front (its width runs along y)."""
    long = 0.78 + 0.06 * ((k * 7) % 3)
    cloth = curtain(0.42, long, 3, 0.045, f"fabric_{k % 4 + 1}", seed=k)
    share = cloth.points[:, 2] / cloth.points[:, 2].max()
    cloth.points[:, 0] *= 1 - 0.55 * np.clip((share - 0.9) / 0.1, 0, 1) + 0.12 * (1 - share)
    hanger = [(0, -0.19, -0.15), (0, 0, -0.07), (0, 0.19, -0.15)]
    parts = [
        cloth.turned(90).moved(z=-0.10 - cloth.points[:, 2].max()),
        tube(hanger, 0.006, 6, "metal"),
        tube([(0, 0, -0.07), (0, 0, 0.016)], 0.003, 6, "metal"),
    ]
    return placed(parts, (x, 0, rail))


def folded_stack(x: float, y: float, z: float, count: int, seed: int) -> list[Mesh]:
    """Folded clothes or towels on a shelf."""
    return [
        cushion(
            (0.32, 0.36, 0.055),
            (x, y, z + 0.028 + 0.05 * i),
            0.008,
            0.024,
            f"fabric_{(seed + i) % 4 + 1}",
            seed=seed + i,
            resolution=6,
        )
        for i in range(count)
    ]
