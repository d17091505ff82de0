"""Put functional groups, wall pieces, ceiling lights and clutter into the rooms of a shell."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .config import LayoutConfig
from .fittings import add_ceiling_lights, add_clutter, hang_pieces
from .floor import FloorSpace, overlaps, share_height
from .frames import Frame, at_wall, carries, to_box
from .groups import GROUPS, PROGRAMME, Group
from .model import Box
from .rooms import WALL_THICKNESS, Shell, facing

_GAP = 0.04  # metres between pieces of different groups
_TRIES = 40
_USED = 0.45  # metres in front of a group that no later group may take


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
    hang_pieces(space, density, rng)
    add_clutter(space, density, rng)
    add_ceiling_lights(space, rng)
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
            if group.reach > 0:
                space.keep_free(_strip(boxes[0], min(group.reach, _USED)))
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
        return _facing_television(space, half, rng) or at_wall(space, walls, half, rng)
    return at_wall(space, walls, half, rng)


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


def _fitting_boxes(space: FloorSpace, group: Group, frame: Frame) -> list[Box] | None:
    """Boxes of the pieces that fit; None when a required piece does not."""
    placed: list[Box] = []
    first = to_box(group.items[0], frame)
    if not _reachable(space, first, group.reach):
        return None
    previous = True
    for item in group.items:
        box = to_box(item, frame)
        supported = not item.on or any(b.category == item.on and carries(b, box) for b in placed)
        clear = space.fits(box, gap=_GAP) and not any(_meets(box, other) for other in placed)
        previous = supported and clear and (previous or not item.with_previous)
        if previous:
            placed.append(box)
        elif not item.optional:
            return None
    return placed


def _reachable(space: FloorSpace, box: Box, reach: float) -> bool:
    """Whether the strip in front of the box is free of solid pieces."""
    return reach <= 0 or space.fits(_strip(box, reach), blocks_openings=False)


def _strip(box: Box, reach: float) -> Box:
    """The floor in front of a box from which it is used, up to table height."""
    centre = np.asarray(box.position[:2]) + box.front * (box.scale[1] + reach) / 2
    return replace(
        box,
        position=(float(centre[0]), float(centre[1]), 0.5),
        scale=(0.8 * box.scale[0], reach - 0.02, 0.9),
    )


def _meets(first: Box, second: Box) -> bool:
    return share_height(first, second) and overlaps(first.corners(), second.corners())
