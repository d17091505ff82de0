"""What the planner asks of a scene: solids, people, floor, the clip and its limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FloorRegion, Solids, floor_region, layout_solids

from .certificate import scene_distance
from .config import TrajectoryConfig
from .moving import MovingCylinder, read_characters
from .timing import Limits


@dataclass(frozen=True)
class Clip:
    """Length and image size of the cameras: frames, frames per second, pixels."""

    frames: int
    fps: float
    height: int
    width: int

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last, at least one frame step."""
        return max(self.frames - 1, 1) / self.fps

    @property
    def times(self) -> np.ndarray:
        return np.arange(self.frames) / self.fps


@dataclass(frozen=True)
class Scene:
    """A layout with its people, ready for queries."""

    layout: Layout
    characters: Mapping[str, Any]
    clip: Clip
    config: TrajectoryConfig

    @cached_property
    def region(self) -> FloorRegion:
        return floor_region(self.layout)

    @cached_property
    def solids(self) -> Solids:
        return layout_solids(self.layout, self.region)

    @cached_property
    def people(self) -> tuple[MovingCylinder, ...]:
        return read_characters(self.characters)

    @property
    def limits(self) -> Limits:
        turn = math.radians(self.config.max_turn_rate)
        return Limits(self.config.max_speed, self.config.max_acceleration, turn)

    def always_free(self, points: np.ndarray) -> np.ndarray:
        """Distance (...) of points (..., 3) to everything at any time of the clip."""
        flat = points.reshape(-1, 3)
        start, end = np.zeros(len(flat)), np.full(len(flat), self.clip.duration)
        return scene_distance(self.solids, self.people, flat, start, end).reshape(points.shape[:-1])
