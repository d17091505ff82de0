"""Plan drawings of layouts, people and camera paths, to look at (needs opencv)."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .model import Box, Layout, Opening, Wall

Colour = tuple[int, int, int]

_PALETTE: tuple[Colour, ...] = (
    (66, 133, 244),
    (219, 68, 55),
    (15, 157, 88),
    (171, 71, 188),
    (255, 143, 0),
)
_LINE: Colour = (90, 90, 90)


def draw_top_view(
    layout: Layout,
    *,
    people: Sequence[np.ndarray] = (),
    paths: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    points_of_interest: Sequence[Sequence[float]] = (),
    pixels_per_metre: float = 70.0,
) -> np.ndarray:
    """Return an RGB drawing (height, width, 3) uint8 with y up.

    Args:
        layout: what to draw.
        people: tracks (frames, 3) with x, y and radius in metres.
        paths: camera name -> eye positions (frames, 3) and viewing directions (frames, 3).
        points_of_interest: points (3,) drawn as crosses.
        pixels_per_metre: scale of the drawing.
    """
    plan = _Plan(layout, pixels_per_metre)
    for box in sorted(layout.boxes, key=lambda b: b.top):
        plan.box(box)
    for wall in layout.walls:
        plan.line(wall.a, wall.b, (60, 60, 60), wall.solid_thickness)
    for door in layout.doors:
        plan.opening(door, layout.wall(door.wall), (200, 150, 90))
    for window in layout.windows:
        plan.opening(window, layout.wall(window.wall), (150, 200, 255))
    for track in people:
        for x, y, radius in track[:: max(1, len(track) // 8)]:
            plan.circle((x, y), radius, (200, 60, 60))
    for index, (eyes, forward) in enumerate((paths or {}).values()):
        plan.path(eyes, forward, _PALETTE[index % len(_PALETTE)])
    for point in points_of_interest:
        plan.cross(point)
    return plan.image


class _Plan:
    """An image with metres for coordinates."""

    def __init__(self, layout: Layout, pixels_per_metre: float) -> None:
        low, high = layout.bounds()
        self.low, self.scale = low - 0.3, pixels_per_metre
        width, height = np.ceil((high - low + 0.6) * pixels_per_metre).astype(int)
        self.image = np.full((height, width, 3), 255, np.uint8)

    def pixel(self, point: Any) -> tuple[int, int]:
        x, y = (np.asarray(point, dtype=float)[:2] - self.low) * self.scale
        return round(float(x)), round(self.image.shape[0] - float(y))

    def line(self, a: Any, b: Any, colour: Colour, width: float = 0.0) -> None:
        import cv2

        thickness = max(1, round(width * self.scale))
        cv2.line(self.image, self.pixel(a), self.pixel(b), colour, thickness, cv2.LINE_AA)

    def box(self, box: Box) -> None:
        """The footprint, filled if it stands below head height, with a line to its front."""
        import cv2

        corners = np.array([self.pixel(corner) for corner in box.corners()], np.int32)
        if box.bottom < 1.9:
            cv2.fillPoly(self.image, [corners], _colour(box.category))
        cv2.polylines(self.image, [corners], True, _LINE, 1, cv2.LINE_AA)
        centre = np.asarray(box.position[:2])
        self.line(centre, centre + box.front * box.scale[1] / 2, _LINE)
        if box.bottom < 0.1:
            where = (int(corners[:, 0].min()) + 3, int(corners[:, 1].min()) + 12)
            cv2.putText(self.image, box.category[:12], where, 0, 0.34, (40, 40, 40), 1, cv2.LINE_AA)

    def opening(self, opening: Opening, wall: Wall, colour: Colour) -> None:
        offset = wall.direction * opening.width / 2
        centre = np.asarray(opening.position[:2])
        self.line(centre - offset, centre + offset, colour, 0.1)

    def circle(self, centre: Any, radius: float, colour: Colour) -> None:
        import cv2

        size = round(radius * self.scale)
        cv2.circle(self.image, self.pixel(centre), size, colour, 1, cv2.LINE_AA)

    def path(self, eyes: np.ndarray, forward: np.ndarray, colour: Colour) -> None:
        import cv2

        for a, b in itertools.pairwise(eyes):
            self.line(a, b, colour, 0.04)
        for frame in (0, len(eyes) - 1):
            tip = self.pixel(eyes[frame, :2] + 0.5 * forward[frame, :2])
            start = self.pixel(eyes[frame])
            cv2.arrowedLine(self.image, start, tip, colour, 2, cv2.LINE_AA, tipLength=0.3)

    def cross(self, point: Any) -> None:
        import cv2

        cv2.drawMarker(self.image, self.pixel(point), (220, 0, 0), 0, 14, 2)


def _colour(category: str) -> Colour:
    digest = hashlib.blake2b(category.encode(), digest_size=3).digest()
    r, g, b = (150 + value // 3 for value in digest)
    return r, g, b
