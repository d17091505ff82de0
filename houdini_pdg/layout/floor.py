"""Free-floor bookkeeping of one room: which boxes fit, and whether people can still walk about."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from .model import Box, Wall
from .rooms import WALL_THICKNESS, Room, Shell

CELL = 0.10
"""Metres per cell of the walkability grid."""
PERSON_RADIUS = 0.22
_HEAD_HEIGHT = 1.8
_FLAT = 0.05  # boxes lower than this (carpets) are walked upon and stood upon

Zone = tuple[np.ndarray, float, float]  # footprint corners (n, 2), lowest z, highest z


def overlaps(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two convex polygons (n, 2) share interior (separating-axis test)."""
    for polygon in (first, second):
        edges = np.roll(polygon, -1, axis=0) - polygon
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
        a, b = first @ normals.T, second @ normals.T
        gap = np.maximum(a.min(0) - b.max(0), b.min(0) - a.max(0))
        if (gap > -1e-4 * np.linalg.norm(normals, axis=1)).any():
            return False
    return True


def rectangle(low: tuple[float, float], high: tuple[float, float]) -> np.ndarray:
    """Corners (4, 2) of an axis-aligned rectangle, counter-clockwise."""
    (x0, y0), (x1, y1) = low, high
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def is_flat(box: Box) -> bool:
    """Whether a box lies on the floor so low that it is no obstacle (a carpet)."""
    return box.scale[2] <= _FLAT


class FloorSpace:
    """The boxes of one room so far and the zones that must stay free."""

    def __init__(self, room: Room, shell: Shell) -> None:
        self.room = room
        self.shell = shell
        self.boxes: list[Box] = []
        inset = WALL_THICKNESS / 2
        self._low = np.asarray(room.low) + inset - 1e-6
        self._high = np.asarray(room.high) - inset + 1e-6
        self._solid: list[Zone] = []
        self._kept_free: list[Zone] = []
        if room.notch:
            (x0, y0), (x1, y1) = room.notch
            notch = rectangle((x0 - inset, y0 - inset), (x1 + inset, y1 + inset))
            self._solid.append((notch, 0.0, shell.height))
        self._doors = [d for d in shell.doors if self._borders(shell, d.wall)]
        for door in self._doors:
            zone = _opening_zone(shell, door.wall, door.position, door.width, 0.9)
            self._kept_free.append((zone, 0.0, door.height))
        for window in shell.windows:
            if self._borders(shell, window.wall):
                zone = _opening_zone(shell, window.wall, window.position, window.width, 0.5)
                sill = window.position[2] - window.height / 2
                self._kept_free.append((zone, sill, sill + window.height))

    def _borders(self, shell: Shell, name: str) -> bool:
        wall = next(w for w in shell.walls if w.name == name)
        return self.room in shell.rooms_at(wall)

    def fits(self, box: Box, *, blocks_openings: bool = True, gap: float = 0.0) -> bool:
        """Whether the box lies in the room and meets no other box and no zone kept free."""
        corners = box.corners()
        if (corners < self._low).any() or (corners > self._high).any():
            return False
        if box.top > self.shell.height + 1e-6:
            return False
        zones = self._solid + (self._kept_free if blocks_openings else [])
        grown = box.corners(gap) if gap else corners
        for zone, low, high in zones:
            if box.bottom < high - 1e-6 and low < box.top - 1e-6 and overlaps(corners, zone):
                return False
        return not any(
            share_height(box, other) and overlaps(grown, other.corners()) for other in self.boxes
        )

    def add(self, *boxes: Box) -> None:
        self.boxes.extend(boxes)

    def keep_free(self, zone: Box) -> None:
        """Let nothing that is added from now on reach into a zone."""
        self._kept_free.append((zone.corners(), zone.bottom, zone.top))

    def walkable(self, least_area: float) -> bool:
        """Whether the doors reach one another over at least `least_area` square metres of floor."""
        free = self._free_cells()
        labels, count = ndimage.label(free)
        if count == 0:
            return False
        reached = {self._door_label(labels, door.position) for door in self._doors}
        reached.discard(0)
        if len(reached) > 1:
            return False
        main = reached.pop() if reached else int(np.bincount(labels.ravel())[1:].argmax()) + 1
        area = float((labels == main).sum()) * CELL**2
        return area >= least_area and area >= 0.85 * float(free.sum()) * CELL**2

    def _free_cells(self) -> np.ndarray:
        """Cells (x, y) whose centre a person of PERSON_RADIUS may stand on."""
        size = np.maximum(((self._high - self._low) / CELL).astype(int), 1)
        axes = [self._low[i] + (np.arange(size[i]) + 0.5) * CELL for i in (0, 1)]
        x, y = np.meshgrid(*axes, indexing="ij")
        edge = PERSON_RADIUS
        free = (x > self._low[0] + edge) & (x < self._high[0] - edge)
        free &= (y > self._low[1] + edge) & (y < self._high[1] - edge)
        for zone, low, _ in self._solid:
            if low < _HEAD_HEIGHT:
                (x0, y0), (x1, y1) = zone.min(0) - edge, zone.max(0) + edge
                free &= ~((x > x0) & (x < x1) & (y > y0) & (y < y1))
        for box in self.boxes:
            if not is_flat(box) and box.bottom < _HEAD_HEIGHT:
                cos, sin = math.cos(box.angle_z), math.sin(box.angle_z)
                u, v = x - box.position[0], y - box.position[1]
                across, along = np.abs(u * cos + v * sin), np.abs(v * cos - u * sin)
                free &= (across > box.scale[0] / 2 + edge) | (along > box.scale[1] / 2 + edge)
        return free

    def _door_label(self, labels: np.ndarray, position: tuple[float, float, float]) -> int:
        """Label of the free cell nearest to a door, 0 if none lies within 0.9 m."""
        index = np.argwhere(labels > 0)
        centres = self._low + (index + 0.5) * CELL
        distance = np.linalg.norm(centres - np.asarray(position[:2]), axis=1)
        nearest = int(distance.argmin())
        return int(labels[tuple(index[nearest])]) if distance[nearest] < 0.9 else 0


def share_height(first: Box, second: Box) -> bool:
    """Whether two boxes overlap in height; a carpet is below everything that stands on it."""
    if is_flat(first) != is_flat(second):
        return False
    return first.bottom < second.top - 1e-6 and second.bottom < first.top - 1e-6


def _opening_zone(
    shell: Shell, wall_name: str, position: tuple[float, float, float], width: float, reach: float
) -> np.ndarray:
    """Footprint in front of and behind an opening, `reach` metres from the wall."""
    wall: Wall = next(w for w in shell.walls if w.name == wall_name)
    along, normal = wall.direction, np.array([-wall.direction[1], wall.direction[0]])
    centre, half = np.asarray(position[:2]), width / 2 + 0.05
    sides = [(-half, -reach), (half, -reach), (half, reach), (-half, reach)]
    return np.stack([centre + u * along + v * normal for u, v in sides])
