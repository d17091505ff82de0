"""What a user may ask of the layout stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

ROOM_SHAPES = ("rectangle", "l_shape", "rooms")
ROOM_TYPES = ("living_room", "bedroom", "dining_room", "study", "kitchen", "studio")


@dataclass(frozen=True, kw_only=True)
class LayoutConfig:
    """Random furnished rooms, or the user's own layout files."""

    files: tuple[Path, ...] = ()
    """SpatialLM layout texts to choose from by seed; empty: rooms are generated."""
    lenient: bool = False
    """Skip lines of the files that break the grammar, as the reference parser does."""
    shapes: dict[str, float] = field(
        default_factory=lambda: {"rectangle": 0.6, "l_shape": 0.2, "rooms": 0.2}
    )
    """Weight of each floor plan: rectangle, l_shape, rooms (two or three joined by doors). Here and
    below, what is not named has none."""
    room_types: dict[str, float] = field(
        default_factory=lambda: {
            "living_room": 0.3,
            "bedroom": 0.25,
            "dining_room": 0.15,
            "study": 0.1,
            "kitchen": 0.1,
            "studio": 0.1,
        }
    )
    """Weight of each use of a room."""
    width: tuple[float, float] = (4.0, 6.8)
    """Metres, least and greatest length of a room along x."""
    depth: tuple[float, float] = (3.8, 6.2)
    """Metres, least and greatest length of a room along y."""
    height: tuple[float, float] = (2.5, 3.0)
    """Metres from floor to ceiling, least and greatest."""
    density: tuple[float, float] = (0.15, 1.0)
    """Furnishing from 0 (the main group alone) to 1 (cluttered), drawn uniformly per scene."""
    min_free_floor: float = 3.0
    """Square metres of connected walkable floor that furnishing must leave in every room; of a
    small one no more than 35 % of its floor."""
    attempts: int = 20
    """Floor plans tried before the sample is rejected."""

    def __post_init__(self) -> None:
        for key, known in (("shapes", ROOM_SHAPES), ("room_types", ROOM_TYPES)):
            check_weights(key, getattr(self, key), known)
        for key, least in (("width", 2.5), ("depth", 2.5), ("height", 2.2)):
            low, high = getattr(self, key)
            if not least <= low <= high <= 30:
                raise ValueError(f"{key} must satisfy {least} <= least <= greatest <= 30 m")
        if not 0 <= self.density[0] <= self.density[1] <= 1:
            raise ValueError(f"density must satisfy 0 <= least <= greatest <= 1: {self.density}")
        if self.min_free_floor < 0 or self.attempts < 1:
            raise ValueError("min_free_floor must not be negative and attempts at least 1")


def check_weights(key: str, weights: dict[str, float], known: tuple[str, ...]) -> None:
    """Raise ValueError unless the weights are of known names, not negative and not all zero."""
    for name, weight in weights.items():
        if name not in known:
            raise ValueError(f"{key}: unknown {name!r}, expected one of {', '.join(known)}")
        if not 0 <= weight < float("inf"):
            raise ValueError(f"{key}: the weight of {name} must not be negative, got {weight}")
    if sum(weights.values()) <= 0:
        raise ValueError(f"{key}: at least one weight must be positive")
