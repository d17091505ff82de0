"""What a user may ask of the trajectory stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from houdini_pdg.layout.config import check_weights

STYLES = ("orbit", "dolly", "arc", "crane", "handheld", "follow", "spline", "still")
START_VIEWS = ("shared", "offset", "opposite")


def parse_point(wish: str) -> tuple[float, float, float] | None:
    """The point that "x,y,z" spells, or None for a name; ValueError for a malformed point."""
    if "," not in wish:
        return None
    try:
        x, y, z = (float(part) for part in wish.split(","))
    except ValueError as error:
        message = f"a point of interest is a name or 'x,y,z' in metres, got {wish!r}"
        raise ValueError(message) from error
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise ValueError(f"a point of interest must be finite, got {wish!r}")
    return x, y, z


@dataclass(frozen=True, kw_only=True)
class TrajectoryConfig:
    """Camera paths that keep clear of everything and keep their point of interest in frame."""

    styles: dict[str, float] = field(
        default_factory=lambda: {
            "orbit": 1.5,
            "dolly": 1.0,
            "arc": 1.5,
            "crane": 1.0,
            "handheld": 1.0,
            "follow": 0.7,
            "spline": 1.5,
            "still": 0.3,
        }
    )
    """Weight of each style of movement; one that is not named has none."""
    start_views: dict[str, float] = field(
        default_factory=lambda: {"shared": 0.5, "offset": 0.35, "opposite": 0.15}
    )
    """Weight of how each further camera starts relative to the first: the same pose and lens,
    beside it, or from the other side of the point of interest."""
    points_of_interest: tuple[str, ...] = ()
    """What may be kept in frame: "person", a class such as "sofa", the name of a box or a person,
    or a point "x,y,z" in metres; empty: people first, then main furniture. One of them is what all
    cameras of a scene are about."""
    points_per_camera: tuple[int, int] = (1, 2)
    """Least and greatest number of points of interest that each camera keeps in frame throughout;
    further ones than the scene's own are taken where they fit beside it."""
    clearance: float = 0.25
    """Metres between camera and everything else, proved along the whole continuous path."""
    max_speed: float = 1.2
    """Metres per second; a brisk walk with a camera is 1.2."""
    max_acceleration: float = 2.5
    """Metres per second squared."""
    max_turn_rate: float = 50.0
    """Degrees per second of the viewing direction."""
    height: tuple[float, float] = (1.05, 1.75)
    """Metres above the floor at which a camera starts."""
    horizontal_fov: tuple[float, float] = (46.0, 84.0)
    """Degrees, least and greatest; a lens is drawn from the primes between them."""
    frame_margin: float = 0.06
    """Share of the image's smaller side at each edge into which no point of interest may come."""
    min_line_of_sight: float = 0.7
    """Share of frames that must see the point of interest unoccluded by boxes and people."""
    attempts: int = 6
    """Rounds of start views and styles tried before the sample is rejected."""

    def __post_init__(self) -> None:
        check_weights("styles", self.styles, STYLES)
        check_weights("start_views", self.start_views, START_VIEWS)
        for wish in self.points_of_interest:
            parse_point(wish)
        for key in ("clearance", "max_speed", "max_acceleration", "max_turn_rate", "attempts"):
            if not 0 < getattr(self, key) < float("inf"):
                raise ValueError(f"{key} must be positive, got {getattr(self, key)}")
        if not 1 <= self.points_per_camera[0] <= self.points_per_camera[1]:
            raise ValueError(
                "points_per_camera must satisfy 1 <= least <= greatest, "
                f"got {self.points_per_camera}"
            )
        if not 0.2 <= self.height[0] <= self.height[1]:
            raise ValueError(f"height must satisfy 0.2 <= least <= greatest, got {self.height}")
        if not 20 <= self.horizontal_fov[0] <= self.horizontal_fov[1] <= 120:
            raise ValueError("horizontal_fov must satisfy 20 <= least <= greatest <= 120 degrees")
        if not 0 <= self.frame_margin < 0.4 or not 0 <= self.min_line_of_sight <= 1:
            raise ValueError("frame_margin must lie in 0..0.4 and min_line_of_sight in 0..1")
