"""Potted plants for the floor and for the table."""

from __future__ import annotations

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..arrange import around, placed
from ..foliage import aimed, frond, leaf, pot, rosette, stem, tree
from ..mesh import Mesh
from ..solids import rounded_rectangle, slab
from ..turned import smooth, sphere, tube
from .legs import slanted_leg

GOLDEN = 2.4  # radians between one leaf and the next around a stem


def plant(style: str) -> list[Mesh]:
    """Potted plants: fig, palm, snake, monstera, fern."""
    rng = named_rng(7, "plant", style)
    if style == "fig":
        return [*pot(0.19, 0.34, "tapered"), *tree(rng, 0.3, 1.5, 11, 0.22, 0.42, 0.62, 0.3)]
    if style == "snake":
        return [*pot(0.15, 0.26, "cylinder"), *rosette(rng, 15, 0.75, 0.08, 0.23, 1.52, 0.06, 0.22)]
    if style == "palm":
        parts = pot(0.18, 0.32, "cylinder")
        for i in range(12):
            base = np.array([0.02 * np.cos(GOLDEN * i), 0.02 * np.sin(GOLDEN * i), 0.29])
            parts += frond(rng, base, _heading(i, 1.50, 0.05), 1.25 - 0.03 * i, 1.15, 0.30, 12)
        return parts
    if style == "monstera":
        parts = pot(0.2, 0.32, "bowl")
        for i in range(12):
            place = np.array([0, 0, 0.28])
            twig, path = stem(
                place, _heading(i, 1.35, 0.05), 0.8 - 0.025 * i, 0.008, 0.6, "leaf_stem"
            )
            blade = leaf(0.36, 0.32, 0.6, 0.12, rows=15, split=0.42)
            aim = np.array([np.cos(GOLDEN * i), np.sin(GOLDEN * i), -0.15])
            parts += [twig, aimed(blade, aim, path[-1], float(rng.uniform(-0.3, 0.3)))]
        return parts
    # A fern hangs over its pot, so it stands on a stool of three legs.
    parts = [*around(3, slanted_leg(0.17, 0.11, 0.42, (0.013, 0.016), "stem"), start=30)]
    parts.append(
        slab(
            np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 32, False)]) * 0.16,
            0.025,
            0.40,
            0.008,
            "stem",
        )
    )
    parts += placed(pot(0.16, 0.22, "urn"), (0, 0, 0.425))
    for i in range(22):
        base = np.array([0, 0, 0.615])
        parts += frond(rng, base, _heading(i, 1.25, 0.05), 0.50, 1.6, 0.10, 12)
    return parts


def _heading(i: int, first: float, fall: float) -> np.ndarray:
    """Which way the i-th leaf of a crown grows: the first rises at `first` radians."""
    turn, rise = GOLDEN * i, first - fall * i
    return np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])


def bonsai(style: str) -> list[Mesh]:
    """Small plants for a table: pine (clouds on a bent trunk), succulent, flowers."""
    rng = named_rng(7, "bonsai", style)
    if style == "succulent":
        return [*pot(0.075, 0.09, "bowl"), *rosette(rng, 26, 0.10, 0.042, 0.075, 1.35, 0.25)]
    if style == "flowers":
        return _flowers(rng)
    trunk = smooth(
        [(0, 0, 0.05), (0.03, 0, 0.12), (-0.02, 0.01, 0.19), (0.05, 0, 0.26), (0.02, 0, 0.33)]
    )
    parts = [
        tube(trunk, np.linspace(0.022, 0.007, len(trunk)), 10, "stem"),
        slab(rounded_rectangle(0.28, 0.19, 0.05), 0.055, 0, 0.01, "ceramic"),
        slab(rounded_rectangle(0.25, 0.16, 0.04), 0.012, 0.05, 0.006, "soil"),
    ]
    clouds = (
        (0.12, 0.0, 0.27, 0.085),
        (-0.10, 0.02, 0.21, 0.075),
        (0.02, -0.01, 0.37, 0.09),
        (-0.03, 0.05, 0.30, 0.06),
    )
    for x, y, z, size in clouds:
        parts.append(tube([(0.02, 0, z - 0.04), (x * 0.8, y, z - 0.012)], 0.006, 8, "stem"))
        for _ in range(90):
            away = rng.standard_normal(3) * (1, 0.8, 0.35)
            away *= size * rng.uniform(0.4, 1.0) / np.linalg.norm(away)
            spray = leaf(0.032, 0.014, 0.2, 0.1, rows=3).turned(float(rng.uniform(-50, 20)), "y")
            place = np.array([x, y, z]) + away * (1, 0.85, 0.45)
            parts += placed([spray], place, float(rng.uniform(0, 360)))
    return parts


def _flowers(rng: np.random.Generator) -> list[Mesh]:
    petal = leaf(0.035, 0.024, 0.3, 0.2, slot="petal", rows=4).turned(-25, "y")
    flower = [*around(5, petal), sphere(0.008, (0, 0, 0), 10, "pollen")]
    parts = pot(0.07, 0.11, "tapered")
    for i in range(14):
        lean = 0.08 + 0.06 * (i % 3)
        top = np.array(
            [lean * np.cos(GOLDEN * i), lean * np.sin(GOLDEN * i), 0.22 + 0.05 * rng.uniform()]
        )
        bend = smooth([(0, 0, 0.09), tuple(top * [0.5, 0.5, 0.8]), tuple(top)], 3)
        parts += [tube(bend, 0.002, 6, "leaf_stem"), *placed(flower, top)]
    return parts + rosette(rng, 14, 0.13, 0.04, 0.09, 0.9, 0.8)
