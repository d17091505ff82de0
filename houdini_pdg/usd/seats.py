"""Seats of a layout, measured on the assets that will stand there: height, place and front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pxr import Sdf, Usd, UsdGeom

from assets_schema.preview import PreviewRenderer
from houdini_pdg.layout.model import Box
from scaling4d.geometry.camera import look_at

from .objects import Placed, fit, reference_asset
from .stage import placement, set_matrix

SEAT_CATEGORIES = ("chair", "dining_chair", "sofa", "combination_sofa", "stool")

_CELL = 0.02  # metres between the samples of a height map
_SKY = 60.0  # metres above the seat from which it is seen: all but parallel rays
_HEIGHTS = (0.30, 0.60)  # metres at which people sit
_LEVEL = 0.05  # metres by which a cushion's surface may swell
_HIPS = 0.36  # metres that one person's hips take across
_BACK = 0.17  # metres from a backrest to the middle of the hips
_SHALLOWEST = 0.26  # metres of depth that carry a person


@dataclass(frozen=True)
class Seat:
    """A place to sit on one object.

    Attributes:
        box: the object's box in the layout; seated people face its front.
        height: z of the seat's surface in the world.
        back: the point (2,) in the world, over which the hips are when the back is leant on.
        depth: metres of seat in front of that point.
    """

    box: Box
    height: float
    back: np.ndarray
    depth: float

    def hips(self, legs: float) -> np.ndarray | None:
        """Where the hips (2,) go for legs that need the seat's front at most `legs` metres ahead.

        None where the hips would hang over the front.
        """
        ahead = min(self.depth, legs)
        if ahead < _SHALLOWEST / 2:
            return None
        result: np.ndarray = self.back + self.box.front * (self.depth - ahead)
        return result


def find_seats(placed: Sequence[Placed]) -> list[Seat]:
    """The seats of the objects that people sit on, in the order of the layout."""
    measured: dict[tuple[str, str, tuple[float, float, float]], list[tuple[float, ...]]] = {}
    seats: list[Seat] = []
    for each in placed:
        if each.box.category not in SEAT_CATEGORIES:
            continue
        key = (each.choice.entry.id, repr(sorted(each.choice.variants.items())), each.box.scale)
        if key not in measured:
            measured[key] = _measure(each)
        world_from_box = placement((*each.box.position[:2], each.box.bottom), each.box.angle_z)
        for x, y, height, depth in measured[key]:
            point = world_from_box @ (x, y, height, 1.0)
            seats.append(Seat(each.box, float(point[2]), point[:2], depth))
    return seats


def _measure(placed: Placed) -> list[tuple[float, ...]]:
    """Seats of one object in its box's frame (bottom at z = 0): x, y of the hips, z, depth."""
    heights = _height_map(placed)
    half = heights.shape[1] * _CELL / 2
    slots = max(1, int(2 * half / 0.62))
    across = (np.arange(slots) - (slots - 1) / 2) * (2 * half / slots) * 0.86
    found = [(float(x), _sit_at(heights, float(x))) for x in across]
    return [(x, *seat) for x, seat in found if seat is not None]


def _height_map(placed: Placed) -> np.ndarray:
    """Height (rows, columns) over the box's bottom, seen from above; row 0 is the front."""
    box = placed.box
    still = replace(box, position=(0.0, 0.0, box.scale[2] / 2), angle_z=0.0)
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Seat")
    set_matrix(root.GetPrim(), fit(still, placed.choice.entry, placed.choice.variants))
    reference_asset(stage, Sdf.Path("/Seat/asset"), placed.choice)
    columns, rows = (max(1, round(size / _CELL)) for size in box.scale[:2])
    focal = (_SKY - np.mean(_HEIGHTS)) / _CELL
    intrinsics = np.array([[focal, 0, columns / 2], [0, focal, rows / 2], [0, 0, 1.0]])
    eye = np.array([0.0, 0.0, _SKY])
    camera = look_at(eye, np.zeros(3), up=(0.0, 1.0, 0.0))
    depth = PreviewRenderer(stage).render(intrinsics, camera, rows, columns).depth
    return np.where(np.isfinite(depth), _SKY - depth, 0.0)[::-1]


def _sit_at(heights: np.ndarray, x: float) -> tuple[float, float, float] | None:
    """Seat (y of the hips, height, depth before them) in the strip about `x`; None without one."""
    columns = (np.arange(heights.shape[1]) + 0.5) * _CELL - heights.shape[1] * _CELL / 2
    strip = heights[:, np.abs(columns - x) <= _HIPS / 2]
    flat = (strip > _HEIGHTS[0]) & (strip < _HEIGHTS[1])
    if flat.mean() < 0.2:
        return None
    level = float(np.median(strip[flat]))
    carries = (np.abs(strip - level) < _LEVEL).mean(axis=1) > 0.75
    edges = np.flatnonzero(np.diff(np.concatenate([[0], carries.astype(int), [0]])))
    first, last = max(edges.reshape(-1, 2), key=lambda run: run[1] - run[0], default=(0, 0))
    front, back = (np.array([first, last]) - heights.shape[0] / 2) * _CELL
    if back - front < _SHALLOWEST:
        return None
    leans = (strip[last:] > level + 2 * _LEVEL).any()
    hips = max(back - _BACK, front + _SHALLOWEST / 2) if leans else (front + back) / 2
    surface = strip[first:last][np.abs(strip[first:last] - level) < _LEVEL]
    return float(hips), float(np.median(surface)), float(hips - front)
