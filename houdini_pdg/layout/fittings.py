"""What a furnished room gets last: curtains, pictures, clutter on surfaces, ceiling lights."""

from __future__ import annotations

import numpy as np

from .floor import FloorSpace
from .frames import at_wall, carries, to_box
from .groups import Item
from .model import Box, Wall
from .rooms import WALL_THICKNESS, Room, facing, inward_normal

_SURFACES = {
    "sideboard": 4,
    "dining_table": 2,
    "coffee_table": 2,
    "tv_cabinet": 2,
    "desk": 2,
    "nightstand": 1,
    "side_table": 1,
    "cupboard": 2,
    "shoe_cabinet": 2,
}
"""Category -> most small things that stand on one."""

_CLUTTER = (
    ("vase", (0.10, 0.10, 0.20), (0.16, 0.16, 0.34)),
    ("books", (0.16, 0.14, 0.06), (0.30, 0.24, 0.22)),
    ("ornaments", (0.10, 0.10, 0.12), (0.20, 0.18, 0.28)),
    ("potted_bonsai", (0.14, 0.14, 0.18), (0.22, 0.22, 0.34)),
)
"""Category, least and greatest size."""


def hang_pieces(space: FloorSpace, density: float, rng: np.random.Generator) -> None:
    """Curtains at windows, paintings, mirrors and an air conditioner on the walls."""
    room, shell = space.room, space.shell
    for window in shell.windows:
        wall = next(w for w in shell.walls if w.name == window.wall)
        if room in shell.rooms_at(wall) and rng.random() < 0.75:
            _add_curtains(space, wall, window.position, window.width, rng)
    walls = [w for w in shell.walls if room in shell.rooms_at(w) and w.length > 1.4]
    for _ in range(round(1 + 3 * density)):
        size = (
            round(float(rng.uniform(0.45, 1.0)), 2),
            0.04,
            round(float(rng.uniform(0.4, 0.8)), 2),
        )
        category = "painting" if rng.random() < 0.75 else "mirror"
        _hang(space, walls, category, size, round(float(rng.uniform(1.25, 1.5)), 2), rng)
    if rng.random() < 0.5:
        _hang(
            space, walls, "air_conditioner", (0.85, 0.22, 0.3), round(shell.height - 0.45, 2), rng
        )


def _hang(
    space: FloorSpace,
    walls: list[Wall],
    category: str,
    size: tuple[float, float, float],
    bottom: float,
    rng: np.random.Generator,
) -> None:
    for _ in range(8):
        wall = walls[int(rng.integers(len(walls)))]
        frame = at_wall(space, [wall], size[0] / 2, rng)
        box = to_box(Item(category, size, 0.0, -size[1] / 2 - 0.005, bottom), frame)
        if space.fits(box, gap=0.15):
            space.add(box)
            return


def add_clutter(space: FloorSpace, density: float, rng: np.random.Generator) -> None:
    """Small things on tables, cabinets and shelves, more of them in a denser room."""
    for support in list(space.boxes):
        most = _SURFACES.get(support.category, 0)
        for _ in range(int(rng.binomial(most, 0.15 + 0.65 * density)) if most else 0):
            category, low, high = _CLUTTER[int(rng.integers(len(_CLUTTER)))]
            wide, deep, tall = (
                round(float(rng.uniform(a, b)), 2) for a, b in zip(low, high, strict=True)
            )
            reach = np.array([support.scale[0] - wide, support.scale[1] - deep]) / 2 - 0.03
            if reach.min() <= 0:
                continue
            x, y = rng.uniform(-reach, reach)
            yaw = float(rng.uniform(-0.5, 0.5))
            item = Item(category, (wide, deep, tall), float(x), float(y), support.top, yaw)
            box = to_box(item, (np.asarray(support.position[:2]), support.angle_z))
            if carries(support, box) and space.fits(box, gap=0.02):
                space.add(box)


def _add_curtains(
    space: FloorSpace,
    wall: Wall,
    position: tuple[float, float, float],
    width: float,
    rng: np.random.Generator,
) -> None:
    """A pair beside the window, or none where one of them has no room."""
    normal = inward_normal(wall, space.room)
    centre = np.asarray(position[:2]) + normal * WALL_THICKNESS / 2
    size = (
        round(float(rng.uniform(0.28, 0.45)), 2),
        0.14,
        round(min(2.4, space.shell.height - 0.12), 2),
    )
    offset = width / 2 + size[0] / 2 + 0.06
    pair = [
        to_box(Item("curtain", size, side * offset, -0.08, 0.02), (centre, facing(normal)))
        for side in (-1, 1)
    ]
    if all(space.fits(box) for box in pair):
        space.add(*pair)


def add_ceiling_lights(space: FloorSpace, rng: np.random.Generator) -> None:
    """A chandelier over the dining table, else a flat ceiling light over the room's middle."""
    tables = [b for b in space.boxes if b.category == "dining_table"]
    rectangle = (np.asarray(space.room.low), np.asarray(space.room.high))
    centres = [np.asarray(b.position[:2]) for b in tables] or [_middle(space.room, rectangle)]
    for centre in centres:
        hanging = bool(tables) or rng.random() < 0.4
        size = (0.5, 0.5, 0.6) if hanging else (0.5, 0.5, 0.12)
        if hanging and space.shell.height - size[2] < 1.95:
            size = (0.5, 0.5, 0.12)
        category = "chandelier" if size[2] > 0.2 else "ceiling_light"
        z = round(space.shell.height - size[2] / 2, 4)
        x, y = (round(float(c), 4) for c in centre)
        space.add(Box("", category, (x, y, z), 0.0, size))


def _middle(room: Room, rectangle: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Centre of the room; of its longer arm where a notch makes it an L."""
    low, high = rectangle
    if room.notch is None:
        return (low + high) / 2
    (x0, _y0), (x1, _y1) = room.notch
    along_x = (low[0], x0) if x0 > low[0] else (x1, high[0])
    return np.array([sum(along_x) / 2, (low[1] + high[1]) / 2])
