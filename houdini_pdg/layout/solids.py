"""The solid side of a layout: oriented boxes that hold everything a camera must not touch.

Walls are solid except for passages: doors with floor on both sides. Other doors and windows count
as solid. The distance is a minimum of exact box distances and hence 1-Lipschitz, on which the
camera certificate rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import ndimage

from .model import Layout, Opening, Wall

FITTING = 0.015
"""Metres by which skirting, door and window casings may stand out from a wall; solid as well."""

_THINNEST = 1e-3  # metres given to boxes without height, as carpets in model output have
_CELL = 0.05
_CHUNK = 400_000  # point-box pairs held in memory at once


@dataclass(frozen=True)
class FloorRegion:
    """Where there is floor: a raster of the plan, outside flood-filled from its border."""

    low: np.ndarray
    cells: np.ndarray

    @property
    def area(self) -> float:
        """Square metres of floor."""
        return float(self.cells.sum()) * _CELL**2

    def contains(self, xy: np.ndarray) -> np.ndarray:
        """Whether each point (..., 2) lies on floor, walls excluded; bool (...)."""
        index = np.floor((np.asarray(xy) - self.low) / _CELL).astype(int)
        shape = np.array(self.cells.shape)
        known = ((index >= 0) & (index < shape)).all(-1)
        clipped = np.clip(index, 0, shape - 1)
        return known & self.cells[clipped[..., 0], clipped[..., 1]]


def floor_region(layout: Layout) -> FloorRegion:
    """Rasterise the floor; for walls that do not close, all within their bounds is floor."""
    low, high = layout.bounds()
    low, size = low - 0.5, np.ceil((high - low + 1.0) / _CELL).astype(int)
    axes = [low[i] + (np.arange(size[i]) + 0.5) * _CELL for i in (0, 1)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    solid = np.zeros(size, dtype=bool)
    for wall in layout.walls:
        local = (points - np.asarray(wall.a[:2])) @ wall.direction
        across = (points - np.asarray(wall.a[:2])) @ np.array(
            [-wall.direction[1], wall.direction[0]]
        )
        half = max(wall.solid_thickness / 2, _CELL * 0.75)
        solid |= (np.abs(across) <= half) & (local >= -half) & (local <= wall.length + half)
    labels, _ = ndimage.label(~solid)
    inside = (labels != labels[0, 0]) & ~solid
    if inside.sum() * _CELL**2 < 1.0:
        inside = ((points >= low + 0.5) & (points <= high)).all(-1) & ~solid
    return FloorRegion(low, inside)


def is_passage(layout: Layout, door: Opening, region: FloorRegion) -> bool:
    """Whether a door has floor on both sides, and so stands open."""
    wall = layout.wall(door.wall)
    normal = np.array([-wall.direction[1], wall.direction[0]])
    reach = normal * (wall.solid_thickness / 2 + 0.15)
    centre = np.asarray(door.position[:2])
    return bool(region.contains(np.stack([centre + reach, centre - reach])).all())


@dataclass(frozen=True)
class Solids:
    """Oriented boxes between a floor and a ceiling plane.

    Arrays: `centre` (n, 3), `half` (n, 3) half extents, `yaw` (n,) radians; metres in the world.
    """

    names: tuple[str, ...]
    centre: np.ndarray
    half: np.ndarray
    yaw: np.ndarray
    floor: float
    ceiling: float

    @cached_property
    def _rotation(self) -> tuple[np.ndarray, np.ndarray]:
        return np.cos(self.yaw), np.sin(self.yaw)

    def _local(self, points: np.ndarray) -> np.ndarray:
        """Points (k, 3) in every box's frame, (k, n, 3)."""
        offset = points[:, None, :] - self.centre
        return self._turned(offset)

    def _turned(self, vectors: np.ndarray) -> np.ndarray:
        cos, sin = self._rotation
        x, y = vectors[..., 0], vectors[..., 1]
        turned_x, turned_y = cos * x + sin * y, cos * y - sin * x
        return np.stack(
            [turned_x, turned_y, np.broadcast_to(vectors[..., 2], x.shape[:1] + cos.shape)], axis=-1
        )

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance (...) of points (..., 3) to the union, floor and ceiling included."""
        flat = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        result = np.minimum(flat[:, 2] - self.floor, self.ceiling - flat[:, 2])
        if len(self.names):
            step = max(1, _CHUNK // len(self.names))
            for start in range(0, len(flat), step):
                part = slice(start, start + step)
                gap = np.abs(self._local(flat[part])) - self.half
                outside = np.sqrt((np.maximum(gap, 0.0) ** 2).sum(-1))
                boxes = outside + np.minimum(gap.max(-1), 0.0)
                result[part] = np.minimum(result[part], boxes.min(axis=1))
        return result.reshape(points.shape[:-1])

    def plan_distance(self, xy: np.ndarray, low: float, high: float) -> np.ndarray:
        """Distance in plan (k,) of points (k, 2) to the boxes that reach into [low, high] of z."""
        flat = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        used = (self.centre[:, 2] - self.half[:, 2] < high) & (
            self.centre[:, 2] + self.half[:, 2] > low
        )
        if not used.any():
            return np.full(len(flat), np.inf)
        points = np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)
        gap = (np.abs(self._local(points)) - self.half)[:, used, :2]
        outside = np.linalg.norm(np.maximum(gap, 0.0), axis=-1)
        result: np.ndarray = (outside + np.minimum(gap.max(-1), 0.0)).min(axis=1)
        return result

    def hits(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cast rays (k, 3) and return the nearest box's ray parameter (k,) and index (k,).

        The parameter is in units of the direction's length, +inf (index -1) where nothing is hit.
        Floor and ceiling count, with index -2.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            plane = np.where(directions[:, 2] < 0, self.floor, self.ceiling) - origins[:, 2]
            nearest = np.where(directions[:, 2] != 0, plane / directions[:, 2], np.inf)
            index = np.full(len(origins), -2)
            index[~np.isfinite(nearest)] = -1
            if len(self.names):
                entry = self.entries(origins, directions)
                best = entry.argmin(axis=1)
                value = entry[np.arange(len(entry)), best]
                index = np.where(value < nearest, best, index)
                nearest = np.minimum(nearest, value)
        return nearest, index

    def entries(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Ray parameter (k, n) at which each ray enters each box; +inf where it misses."""
        local, turned = self._local(origins), self._turned(directions[:, None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = 1.0 / turned
            first = (-self.half - local) * inverse
            second = (self.half - local) * inverse
        near = np.fmax.reduce(np.fmin(first, second), axis=-1)
        far = np.fmin.reduce(np.fmax(first, second), axis=-1)
        parallel = (turned == 0) & (np.abs(local) > self.half)
        hit = (near <= far) & (far >= 0) & ~parallel.any(-1)
        return np.where(hit, np.maximum(near, 0.0), np.inf)


def layout_solids(layout: Layout, region: FloorRegion | None = None) -> Solids:
    """Return walls (passages open), objects, floor and ceiling of a layout as solids."""
    region = region or floor_region(layout)
    rows: list[tuple[str, Any, np.ndarray, float]] = [
        (box.name, box.position, np.maximum(box.scale, _THINNEST) / 2, box.angle_z)
        for box in layout.boxes
    ]
    for wall in layout.walls:
        passages = [
            d for d in layout.doors if d.wall == wall.name and is_passage(layout, d, region)
        ]
        spare = np.array([0.0, FITTING, 0.0])
        rows += [(wall.name, c, h + spare, wall.yaw) for c, h in wall_blocks(wall, passages)]
    return Solids(
        tuple(row[0] for row in rows),
        np.array([row[1] for row in rows], dtype=float).reshape(-1, 3),
        np.array([row[2] for row in rows], dtype=float).reshape(-1, 3),
        np.array([row[3] for row in rows], dtype=float),
        layout.floor_height,
        layout.ceiling_height,
    )


def wall_blocks(
    wall: Wall, openings: list[Opening], *, reach: tuple[float, float] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut a wall into boxes around its openings; (centre (3,), half extents (3,)) in its frame.

    The wall goes on for `reach` metres before its start and beyond its end: half its thickness, so
    that corners close, unless something else is given.
    """
    before, beyond = reach or (wall.solid_thickness / 2,) * 2
    start = np.asarray(wall.a, dtype=float)
    along = np.array([*wall.direction, 0.0])
    bottom, top = start[2], start[2] + wall.height
    lefts = [
        float((np.asarray(o.position[:2]) - start[:2]) @ wall.direction) - o.width / 2
        for o in openings
    ]
    spans = sorted(zip(lefts, openings, strict=True), key=lambda span: span[0])
    blocks: list[tuple[np.ndarray, np.ndarray]] = []
    cursor = -before

    def block(u0: float, u1: float, z0: float, z1: float) -> None:
        if u1 - u0 > 1e-6 and z1 - z0 > 1e-6:
            centre = start + along * (u0 + u1) / 2
            centre[2] = (z0 + z1) / 2
            half = np.array([(u1 - u0) / 2, wall.solid_thickness / 2, (z1 - z0) / 2])
            blocks.append((centre, half))

    for left, opening in spans:
        right = left + opening.width
        block(cursor, left, bottom, top)
        low = opening.position[2] - opening.height / 2
        block(left, right, bottom, low if low - bottom > 0.02 else bottom)
        block(left, right, opening.position[2] + opening.height / 2, top)
        cursor = right
    block(cursor, wall.length + beyond, bottom, top)
    return blocks
