"""Frames in which groups of furniture are laid out, and boxes placed in them."""

from __future__ import annotations

import math

import numpy as np

from .floor import FloorSpace
from .groups import Item
from .model import Box, Wall
from .rooms import WALL_THICKNESS, facing, inward_normal

Frame = tuple[np.ndarray, float]  # origin (2,) and yaw of a group


def at_wall(space: FloorSpace, walls: list[Wall], half: float, rng: np.random.Generator) -> Frame:
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


def to_box(item: Item, frame: Frame) -> Box:
    origin, yaw = frame
    cos, sin = math.cos(yaw), math.sin(yaw)
    x = float(origin[0]) + cos * item.x - sin * item.y
    y = float(origin[1]) + sin * item.x + cos * item.y
    z = item.z + item.size[2] / 2
    angle = (yaw + item.yaw + math.pi) % (2 * math.pi) - math.pi
    position = (round(x, 4), round(y, 4), round(z, 4))
    return Box("", item.category, position, round(angle, 4) + 0.0, item.size)


def carries(support: Box, box: Box) -> bool:
    """Whether `box` stands within the top of `support`."""
    cos, sin = math.cos(support.angle_z), math.sin(support.angle_z)
    offset = box.corners() - np.asarray(support.position[:2])
    u = np.abs(offset @ np.array([cos, sin]))
    v = np.abs(offset @ np.array([-sin, cos]))
    within = (u <= support.scale[0] / 2 + 0.02).all() and (v <= support.scale[1] / 2 + 0.02).all()
    return bool(within) and abs(box.bottom - support.top) < 1e-3
