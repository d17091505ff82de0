"""Floor plans: rooms as polygons, then walls, doors and windows around them (§3.3).

Floor polygons run along the walls' centre lines; a room's usable floor begins half a wall inside.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from .config import LayoutConfig
from .model import Opening, Wall

WALL_THICKNESS = 0.12
DOOR_HEIGHT = 2.05
_DIGITS = 4  # layouts are written in tenths of a millimetre


@dataclass(frozen=True)
class Room:
    """An axis-aligned room: its bounding rectangle and the notch that makes it an L, if any."""

    use: str
    low: tuple[float, float]
    high: tuple[float, float]
    notch: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def area(self) -> float:
        area = (self.high[0] - self.low[0]) * (self.high[1] - self.low[1])
        if self.notch:
            (x0, y0), (x1, y1) = self.notch
            area -= (x1 - x0) * (y1 - y0)
        return area

    def polygon(self) -> list[tuple[float, float]]:
        """Corners of the floor, counter-clockwise; four of them, or six for an L."""
        (x0, y0), (x1, y1) = self.low, self.high
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        if self.notch is None:
            return corners
        (a0, b0), (a1, b1) = self.notch
        cut = next(i for i, (x, y) in enumerate(corners) if x in (a0, a1) and y in (b0, b1))
        inner = (a1 if corners[cut][0] == a0 else a0, b1 if corners[cut][1] == b0 else b0)
        before, after = corners[cut - 1], corners[(cut + 1) % 4]
        along_x = before[1] == corners[cut][1]
        first = (inner[0], before[1]) if along_x else (before[0], inner[1])
        second = (after[0], inner[1]) if along_x else (inner[0], after[1])
        return [*corners[:cut], first, inner, second, *corners[cut + 1 :]]

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies on the floor polygon."""
        inside = self.low[0] <= x <= self.high[0] and self.low[1] <= y <= self.high[1]
        if not inside or self.notch is None:
            return inside
        (a0, b0), (a1, b1) = self.notch
        return not (a0 < x < a1 and b0 < y < b1)


@dataclass(frozen=True)
class Shell:
    """The empty flat: rooms with their walls, doors and windows."""

    rooms: tuple[Room, ...]
    height: float
    walls: list[Wall] = field(default_factory=list)
    doors: list[Opening] = field(default_factory=list)
    windows: list[Opening] = field(default_factory=list)

    def rooms_at(self, wall: Wall) -> list[Room]:
        """Rooms on the two sides of a wall."""
        middle = (np.asarray(wall.a[:2]) + np.asarray(wall.b[:2])) / 2
        normal = np.array([-wall.direction[1], wall.direction[0]]) * (WALL_THICKNESS + 0.05)
        sides = (middle + normal, middle - normal)
        return [room for room in self.rooms if any(room.contains(*side) for side in sides)]


def draw_shell(config: LayoutConfig, rng: np.random.Generator) -> Shell:
    """Draw a floor plan with its walls, doors and windows from the generator `rng`."""
    shape = _choice(rng, config.shapes)
    sides = (_uniform(rng, config.width, 2), _uniform(rng, config.depth, 2))
    if shape == "rooms":
        rooms = _flat(config, rng)
    else:
        use = _choice(rng, config.room_types)
        notch = _notch(sides, rng) if shape == "l_shape" else None
        rooms = [Room(use, (0.0, 0.0), sides, notch)]
    shell = Shell(tuple(rooms), _uniform(rng, config.height, 2))
    for start, end in _wall_segments(rooms):
        name = f"wall_{len(shell.walls)}"
        a, b = (*start, 0.0), (*end, 0.0)
        shell.walls.append(Wall(name, a, b, shell.height, WALL_THICKNESS))
    _add_doors(shell, rng)
    _add_windows(shell, rng)
    return shell


def _choice(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = sorted(weights)
    values = np.array([weights[name] for name in names], dtype=float)
    return names[int(rng.choice(len(names), p=values / values.sum()))]


def _uniform(rng: np.random.Generator, limits: tuple[float, float], digits: int = _DIGITS) -> float:
    return round(float(rng.uniform(*limits)), digits)


def _notch(
    sides: tuple[float, float], rng: np.random.Generator
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Cut one corner; both arms of the L keep at least 2.2 m."""
    cut = [
        _uniform(rng, (0.25 * side, max(0.26 * side, min(0.5 * side, side - 2.2))), 2)
        for side in sides
    ]
    low, high = [], []
    for side, length in zip(sides, cut, strict=True):
        at_end = bool(rng.integers(2))
        low.append(round(side - length, 2) if at_end else 0.0)
        high.append(side if at_end else length)
    return (low[0], low[1]), (high[0], high[1])


def _flat(config: LayoutConfig, rng: np.random.Generator) -> list[Room]:
    """Two or three rectangular rooms side by side; the largest is never a kitchen."""
    wide, deep = _uniform(rng, config.width, 2), _uniform(rng, config.depth, 2)
    second = _uniform(rng, (max(3.0, 0.6 * config.width[0]), max(3.2, 0.75 * config.width[1])), 2)
    full = round(wide + second, 2)
    uses = _uses(config, rng, 3)
    rooms = [Room(uses[0], (0.0, 0.0), (wide, deep))]
    if deep >= 5.6 and rng.random() < 0.6:
        cut = round(deep * float(rng.uniform(0.45, 0.55)), 2)
        rooms.append(Room(uses[1], (wide, 0.0), (full, cut)))
        rooms.append(Room(uses[2], (wide, cut), (full, deep)))
    else:
        rooms.append(Room(uses[1], (wide, 0.0), (full, deep)))
    return rooms


def _uses(config: LayoutConfig, rng: np.random.Generator, count: int) -> list[str]:
    """Uses of a flat's rooms: the first is a room to be in, the others differ where they can."""
    remaining = dict(config.room_types)
    uses: list[str] = []
    for index in range(count):
        pool = {
            use: weight
            for use, weight in remaining.items()
            if weight > 0 and (index > 0 or use != "kitchen")
        }
        uses.append(_choice(rng, pool or config.room_types))
        remaining.pop(uses[-1], None)
    return uses


def _wall_segments(
    rooms: list[Room],
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Edges of all floor polygons, cut where rooms meet, each listed once."""
    corners = {corner for room in rooms for corner in room.polygon()}
    seen: set[frozenset[tuple[float, float]]] = set()
    segments = []
    for room in rooms:
        polygon = room.polygon()
        for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            along = 0 if start[1] == end[1] else 1
            cuts = [
                c
                for c in corners
                if c[1 - along] == start[1 - along]
                and min(start[along], end[along]) < c[along] < max(start[along], end[along])
            ]
            ordered = sorted(cuts, key=lambda c: c[along], reverse=end[along] < start[along])
            points = [start, *ordered, end]
            for a, b in itertools.pairwise(points):
                if frozenset((a, b)) not in seen:
                    seen.add(frozenset((a, b)))
                    segments.append((a, b))
    return segments


def _add_doors(shell: Shell, rng: np.random.Generator) -> None:
    """One door to the outside and one between each pair of neighbouring rooms."""
    outer = [w for w in shell.walls if len(shell.rooms_at(w)) == 1 and w.length > 1.5]
    first = [w for w in outer if shell.rooms_at(w)[0] is shell.rooms[0]]
    wall = (first or outer)[int(rng.integers(len(first or outer)))]
    _add_door(shell, wall, round(float(rng.uniform(0.82, 0.95)), 2), rng)
    for wall in shell.walls:
        if len(shell.rooms_at(wall)) == 2 and wall.length > 1.5:
            wide = wall.length > 2.6 and rng.random() < 0.35
            width = float(rng.uniform(1.4, 1.8)) if wide else float(rng.uniform(0.85, 0.95))
            _add_door(shell, wall, round(width, 2), rng)


def _add_door(shell: Shell, wall: Wall, width: float, rng: np.random.Generator) -> None:
    margin = width / 2 + 0.25
    along = float(rng.uniform(margin, max(wall.length - margin, margin + 1e-3)))
    shell.doors.append(
        Opening(
            f"door_{len(shell.doors)}",
            wall.name,
            _on_wall(wall, along, DOOR_HEIGHT / 2),
            width,
            DOOR_HEIGHT,
        )
    )


def _add_windows(shell: Shell, rng: np.random.Generator) -> None:
    """At least one window per room where an outer wall is long enough, on walls without a door."""
    taken = {door.wall for door in shell.doors}
    for room in shell.rooms:
        walls = [
            w
            for w in shell.walls
            if w.name not in taken and shell.rooms_at(w) == [room] and w.length > 1.7
        ]
        rng.shuffle(walls)  # type: ignore[arg-type]
        for wall in walls[: 1 + int(rng.random() < 0.5)]:
            width = round(float(rng.uniform(1.0, min(2.4, wall.length - 0.7))), 2)
            sill = round(float(rng.uniform(0.75, 0.95)), 2)
            height = round(min(float(rng.uniform(1.2, 1.5)), shell.height - sill - 0.2), 2)
            along = wall.length / 2 + float(rng.uniform(-0.5, 0.5)) * (wall.length - width - 0.6)
            name = f"window_{len(shell.windows)}"
            centre = _on_wall(wall, along, sill + height / 2)
            shell.windows.append(Opening(name, wall.name, centre, width, height))


def _on_wall(wall: Wall, along: float, z: float) -> tuple[float, float, float]:
    x, y = np.asarray(wall.a[:2]) + along * wall.direction
    return round(float(x), _DIGITS), round(float(y), _DIGITS), round(z, _DIGITS)


def inward_normal(wall: Wall, room: Room) -> np.ndarray:
    """Unit vector (2,) from the wall into the room."""
    middle = (np.asarray(wall.a[:2]) + np.asarray(wall.b[:2])) / 2
    normal = np.array([-wall.direction[1], wall.direction[0]])
    inside = room.contains(*(middle + normal * (WALL_THICKNESS + 0.05)))
    return normal if inside else -normal


def facing(normal: np.ndarray) -> float:
    """Yaw at which a box's front (local -y) points along `normal`."""
    return math.atan2(float(normal[0]), float(-normal[1]))
