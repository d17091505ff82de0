"""Room layouts as typed entities: walls, doors, windows and oriented 3-D boxes (§3.3, SpatialLM).

World: metres, right-handed, z up. A layout is immutable; lengths are metres and angles radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float, float]

DEFAULT_WALL_THICKNESS = 0.10
"""Metres given to walls whose file says 0, as every public SpatialLM file does."""


@dataclass(frozen=True)
class Wall:
    """A vertical wall over the segment a-b of its centre line, both at the bottom (z = floor)."""

    name: str
    a: Point
    b: Point
    height: float
    thickness: float = 0.0

    @property
    def length(self) -> float:
        return math.hypot(self.b[0] - self.a[0], self.b[1] - self.a[1])

    @property
    def solid_thickness(self) -> float:
        """Thickness that is built and avoided: the file's own, or the default where it says 0."""
        return self.thickness if self.thickness > 0 else DEFAULT_WALL_THICKNESS

    @property
    def direction(self) -> np.ndarray:
        """Unit vector (2,) from a to b in the floor plane."""
        return np.array([self.b[0] - self.a[0], self.b[1] - self.a[1]]) / self.length

    @property
    def yaw(self) -> float:
        return math.atan2(self.b[1] - self.a[1], self.b[0] - self.a[0])


@dataclass(frozen=True)
class Opening:
    """A door or a window: `position` is the centre of the opening, `width` runs along the wall."""

    name: str
    wall: str
    position: Point
    width: float
    height: float


@dataclass(frozen=True)
class Box:
    """An object's box: `position` is its centre, `scale` its full extents, `angle_z` its yaw.

    The front is the local -y side; width runs along local x, depth along local y.
    """

    name: str
    category: str
    position: Point
    angle_z: float
    scale: Point

    @property
    def bottom(self) -> float:
        return self.position[2] - self.scale[2] / 2

    @property
    def top(self) -> float:
        return self.position[2] + self.scale[2] / 2

    @property
    def front(self) -> np.ndarray:
        """Unit vector (2,) in which the box faces."""
        return np.array([math.sin(self.angle_z), -math.cos(self.angle_z)])

    def corners(self, margin: float = 0.0) -> np.ndarray:
        """Footprint corners (4, 2), counter-clockwise, grown by `margin` metres on each side."""
        half = np.array([self.scale[0], self.scale[1]]) / 2 + margin
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
        cos, sin = math.cos(self.angle_z), math.sin(self.angle_z)
        rotation = np.array([[cos, -sin], [sin, cos]])
        return signs * half @ rotation.T + np.asarray(self.position[:2])


@dataclass(frozen=True)
class Layout:
    """One scene's walls, doors, windows and boxes, in file order."""

    walls: tuple[Wall, ...] = ()
    doors: tuple[Opening, ...] = ()
    windows: tuple[Opening, ...] = ()
    boxes: tuple[Box, ...] = ()

    def wall(self, name: str) -> Wall:
        """Return the wall of that name; KeyError if there is none."""
        for wall in self.walls:
            if wall.name == name:
                return wall
        raise KeyError(name)

    @property
    def floor_height(self) -> float:
        """z of the floor: the lowest wall bottom, else the lowest box bottom."""
        if self.walls:
            return min(min(wall.a[2], wall.b[2]) for wall in self.walls)
        return min((box.bottom for box in self.boxes), default=0.0)

    @property
    def ceiling_height(self) -> float:
        """z of the ceiling: the top of the lowest wall that reaches above head height."""
        tops = [wall.a[2] + wall.height for wall in self.walls]
        tall = [top for top in tops if top > self.floor_height + 2.0]
        return min(tall or tops, default=self.floor_height + 2.8)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner (2,) of all walls and boxes in the floor plane."""
        points = [np.asarray(p[:2]) for wall in self.walls for p in (wall.a, wall.b)]
        points += [corner for box in self.boxes for corner in box.corners()]
        if not points:
            raise ValueError("the layout is empty: it has neither a wall nor a box")
        stacked = np.stack(points)
        return stacked.min(axis=0), stacked.max(axis=0)
