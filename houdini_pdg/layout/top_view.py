"""Plan drawings of layouts, people and camera paths, to look at (needs opencv)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from .model import Layout

_PALETTE = ((66, 133, 244), (219, 68, 55), (15, 157, 88), (171, 71, 188), (255, 143, 0))


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
    import cv2

    low, high = layout.bounds()
    size = np.ceil((high - low + 0.6) * pixels_per_metre).astype(int)
    image = np.full((size[1], size[0], 3), 255, np.uint8)

    def pixels(points: np.ndarray) -> np.ndarray:
        scaled = (np.asarray(points)[..., :2] - low + 0.3) * pixels_per_metre
        scaled[..., 1] = size[1] - scaled[..., 1]
        return np.round(scaled).astype(np.int32)

    for box in sorted(layout.boxes, key=lambda b: b.top):
        corners = pixels(box.corners())
        if box.bottom < 1.9:
            cv2.fillPoly(image, [corners], _colour(box.category))
        cv2.polylines(image, [corners], True, (90, 90, 90), 1, cv2.LINE_AA)
        centre = np.asarray(box.position[:2])
        tip = centre + box.front * box.scale[1] / 2
        cv2.line(image, pixels(centre), pixels(tip), (90, 90, 90), 1, cv2.LINE_AA)
        if box.bottom < 0.1:
            where = (int(corners[:, 0].min()) + 3, int(corners[:, 1].min()) + 12)
            cv2.putText(image, box.category[:12], where, 0, 0.34, (40, 40, 40), 1, cv2.LINE_AA)
    for wall in layout.walls:
        width = max(1, round(wall.solid_thickness * pixels_per_metre))
        ends = pixels(np.array([wall.a[:2], wall.b[:2]]))
        cv2.line(image, ends[0], ends[1], (60, 60, 60), width)
    for openings, colour in ((layout.doors, (200, 150, 90)), (layout.windows, (150, 200, 255))):
        for opening in openings:
            wall = layout.wall(opening.wall)
            offset = wall.direction * opening.width / 2
            centre = np.asarray(opening.position[:2])
            ends = pixels(np.stack([centre - offset, centre + offset]))
            cv2.line(image, ends[0], ends[1], colour, max(2, round(0.1 * pixels_per_metre)))
    for track in people:
        for x, y, radius in track[:: max(1, len(track) // 8)]:
            centre_px = pixels(np.array([x, y]))
            cv2.circle(
                image, centre_px, round(radius * pixels_per_metre), (200, 60, 60), 1, cv2.LINE_AA
            )
    for index, (eyes, forward) in enumerate((paths or {}).values()):
        colour = _PALETTE[index % len(_PALETTE)]
        cv2.polylines(image, [pixels(eyes)], False, colour, 3, cv2.LINE_AA)
        for frame in (0, len(eyes) - 1):
            tip = eyes[frame, :2] + 0.5 * forward[frame, :2]
            ends = pixels(np.stack([eyes[frame, :2], tip]))
            cv2.arrowedLine(image, ends[0], ends[1], colour, 2, cv2.LINE_AA, tipLength=0.3)
    for point in points_of_interest:
        cv2.drawMarker(image, pixels(np.asarray(point)), (220, 0, 0), 0, 14, 2)
    return image


def _colour(category: str) -> tuple[int, int, int]:
    digest = hashlib.blake2b(category.encode(), digest_size=3).digest()
    r, g, b = (150 + value // 3 for value in digest)
    return r, g, b
