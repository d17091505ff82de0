"""Put functional groups, wall pieces, ceiling lights and clutter into the rooms of a shell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .config import LayoutConfig
from .floor import FloorSpace, overlaps, share_height
from .groups import GROUPS, PROGRAMME, Group, Item
from .model import Box, Wall
from .rooms import WALL_THICKNESS, Room, Shell, facing, inward_normal

_GAP = 0.04  # metres between pieces of different groups
_TRIES = 40

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

Frame = tuple[np.ndarray, float]  # origin (2,) and yaw of a group


def furnish(
    shell: Shell, config: LayoutConfig, density: float, rng: np.random.Generator
) -> list[Box] | None:
    """Return collision-free boxes for all rooms, or None if a room's main group found no place.

    Args:
        shell: the empty flat.
        config: limits; `min_free_floor` is kept in every room.
        density: 0 (main groups alone) to 1 (cluttered).
        rng: the layout's random stream.
    """
    boxes: list[Box] = []
    for room in shell.rooms:
        space = FloorSpace(room, shell)
        if not _furnish_room(space, config, density, rng):
            return None
        boxes += space.boxes
    return [replace(box, name=f"bbox_{index}") for index, box in enumerate(boxes)]


def _furnish_room(
    space: FloorSpace, config: LayoutConfig, density: float, rng: np.random.Generator
) -> bool:
    least = min(config.min_free_floor, 0.35 * space.room.area)
    main, extra = PROGRAMME[space.room.use]
    placed = [_place_group(space, name, least, density, rng) for name in main]
    if not any(placed):
        return False
    count = round(density * (2 + space.room.area / 5))
    for name in _shuffled(extra, rng)[:count]:
        _place_group(space, name, least * (1.6 - 0.6 * density), density, rng)
    _hang_pieces(space, density, rng)
    _add_clutter(space, density, rng)
    _add_ceiling_lights(space, rng)
    return space.walkable(least)


def _shuffled(names: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    return [names[int(i)] for i in rng.permutation(len(names))]


def _place_group(
    space: FloorSpace, name: str, least: float, density: float, rng: np.random.Generator
) -> bool:
    """Try places until the group's required pieces fit and the floor stays walkable."""
    group = GROUPS[name](rng, density)
    for attempt in range(_TRIES):
        frame = _draw_frame(space, group, rng, prefer=attempt < _TRIES // 2)
        if frame is None:
            return False
        boxes = _fitting_boxes(space, group, frame)
        wanted = 0.75 * len(group.items) if attempt < _TRIES // 2 else 0.0
        if boxes is None or len(boxes) < wanted:
            continue
        kept = len(space.boxes)
        space.add(*boxes)
        if space.walkable(least):
            return True
        del space.boxes[kept:]
    return False


def _draw_frame(
    space: FloorSpace, group: Group, rng: np.random.Generator, *, prefer: bool
) -> Frame | None:
    if group.anchor == "floor":
        low, high = np.asarray(space.room.low) + 0.9, np.asarray(space.room.high) - 0.9
        origin = rng.uniform(low, np.maximum(high, low))
        return np.round(origin, 2), float(rng.integers(2)) * math.pi / 2
    walls = [w for w in space.shell.walls if space.room in space.shell.rooms_at(w)]
    half = max(abs(item.x) + item.size[0] / 2 for item in group.items if not item.optional)
    walls = [w for w in walls if w.length > 2 * half + WALL_THICKNESS]
    if not walls:
        return None
    if prefer and group.name == "sofa":
        return _facing_television(space, half, rng) or _at_wall(space, walls, half, rng)
    return _at_wall(space, walls, half, rng)


def _at_wall(space: FloorSpace, walls: list[Wall], half: float, rng: np.random.Generator) -> Frame:
    """A frame with its back on a wall drawn in proportion to length; corners are liked."""
    lengths = np.array([wall.length for wall in walls])
    wall = walls[int(rng.choice(len(walls), p=lengths / lengths.sum()))]
    margin = half + WALL_THICKNESS / 2 + 0.03
    style = rng.random()
    along = float(rng.uniform(margin, max(wall.length - margin, margin + 1e-6)))
    if style < 0.25:
        along = margin
    elif style < 0.5:
        along = wall.length - margin
    elif style < 0.7:
        along = wall.length / 2
    normal = inward_normal(wall, space.room)
    origin = np.asarray(wall.a[:2]) + along * wall.direction + normal * WALL_THICKNESS / 2
    return origin, facing(normal)


def _facing_television(space: FloorSpace, half: float, rng: np.random.Generator) -> Frame | None:
    """Opposite the television: against the far wall, or free-standing in a deep room."""
    sets = [box for box in space.boxes if box.category == "tv_cabinet"]
    if not sets:
        return None
    cabinet = sets[0]
    forward = cabinet.front
    start = np.asarray(cabinet.position[:2])
    low = np.asarray(space.room.low) + WALL_THICKNESS / 2
    high = np.asarray(space.room.high) - WALL_THICKNESS / 2
    axis = int(abs(forward[1]) > abs(forward[0]))
    wall = high[axis] if forward[axis] > 0 else low[axis]
    depth = abs(float(wall - start[axis]))
    if depth < 2.6:
        return None
    reach = depth if depth < 4.6 else float(rng.uniform(3.4, 4.2))
    origin = start + forward * reach
    across = 1 - axis
    slack = float(rng.uniform(-0.3, 0.3))
    origin[across] = np.clip(origin[across] + slack, low[across] + half, high[across] - half)
    return np.round(origin, 3), facing(-forward)


def _to_box(item: Item, frame: Frame) -> Box:
    origin, yaw = frame
    cos, sin = math.cos(yaw), math.sin(yaw)
    x = float(origin[0]) + cos * item.x - sin * item.y
    y = float(origin[1]) + sin * item.x + cos * item.y
    z = item.z + item.size[2] / 2
    angle = (yaw + item.yaw + math.pi) % (2 * math.pi) - math.pi
    position = (round(x, 4), round(y, 4), round(z, 4))
    return Box("", item.category, position, round(angle, 4) + 0.0, item.size)


def _fitting_boxes(space: FloorSpace, group: Group, frame: Frame) -> list[Box] | None:
    """Boxes of the pieces that fit; None when a required piece does not."""
    placed: list[Box] = []
    first = _to_box(group.items[0], frame)
    if not _reachable(space, first, group.reach):
        return None
    for item in group.items:
        box = _to_box(item, frame)
        supported = not item.on or any(b.category == item.on and _carries(b, box) for b in placed)
        clear = space.fits(box, gap=_GAP) and not any(_meets(box, other) for other in placed)
        if supported and clear:
            placed.append(box)
        elif not item.optional:
            return None
    return placed


def _reachable(space: FloorSpace, box: Box, reach: float) -> bool:
    """Whether the strip in front of the box is free of solid pieces."""
    if reach <= 0:
        return True
    centre = np.asarray(box.position[:2]) + box.front * (box.scale[1] + reach) / 2
    strip = replace(
        box,
        position=(float(centre[0]), float(centre[1]), 0.5),
        scale=(0.8 * box.scale[0], reach - 0.02, 0.9),
    )
    return space.fits(strip, blocks_openings=False)


def _carries(support: Box, box: Box) -> bool:
    """Whether `box` stands within the top of `support`."""
    cos, sin = math.cos(support.angle_z), math.sin(support.angle_z)
    offset = box.corners() - np.asarray(support.position[:2])
    u = np.abs(offset @ np.array([cos, sin]))
    v = np.abs(offset @ np.array([-sin, cos]))
    within = (u <= support.scale[0] / 2 + 0.02).all() and (v <= support.scale[1] / 2 + 0.02).all()
    return bool(within) and abs(box.bottom - support.top) < 1e-3


def _meets(first: Box, second: Box) -> bool:
    return share_height(first, second) and overlaps(first.corners(), second.corners())


def _hang_pieces(space: FloorSpace, density: float, rng: np.random.Generator) -> None:
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
        frame = _at_wall(space, [wall], size[0] / 2, rng)
        box = _to_box(Item(category, size, 0.0, -size[1] / 2 - 0.005, bottom), frame)
        if space.fits(box, gap=0.15):
            space.add(box)
            return


def _add_clutter(space: FloorSpace, density: float, rng: np.random.Generator) -> None:
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
            box = _to_box(item, (np.asarray(support.position[:2]), support.angle_z))
            if _carries(support, box) and space.fits(box, gap=0.02):
                space.add(box)


def _add_curtains(
    space: FloorSpace,
    wall: Wall,
    position: tuple[float, float, float],
    width: float,
    rng: np.random.Generator,
) -> None:
    normal = inward_normal(wall, space.room)
    centre = np.asarray(position[:2]) + normal * WALL_THICKNESS / 2
    size = (
        round(float(rng.uniform(0.28, 0.45)), 2),
        0.14,
        round(min(2.4, space.shell.height - 0.12), 2),
    )
    for side in (-1, 1):
        offset = side * (width / 2 + size[0] / 2 + 0.06)
        box = _to_box(Item("curtain", size, offset, -0.08, 0.02), (centre, facing(normal)))
        if space.fits(box):
            space.add(box)


def _add_ceiling_lights(space: FloorSpace, rng: np.random.Generator) -> None:
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
