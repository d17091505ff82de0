"""What a user may ask of the characters and compose stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from houdini_pdg.layout.config import check_weights

TIMES_OF_DAY = ("morning", "noon", "afternoon", "evening", "night")


@dataclass(frozen=True, kw_only=True)
class CharactersConfig:
    """Animated people, their parts recombined at random (§3.3, procedural characters)."""

    count: tuple[int, int] = (1, 3)
    """Least and greatest number of people per scene; fewer where the floor has no room."""
    motions: tuple[str, ...] = ()
    """Names of motion variants to draw from; empty: all that the catalogue has. Sitting takes a
    free seat of the layout; who finds none does something on foot, or is left out."""
    clearance: float = 0.05
    """Metres kept between a person's swept volume and everything else."""
    placements: int = 60
    """Places tried for each person before it is left out."""

    def __post_init__(self) -> None:
        if not 0 <= self.count[0] <= self.count[1]:
            raise ValueError(f"count must satisfy 0 <= least <= greatest, got {self.count}")
        if self.clearance < 0 or self.placements < 1:
            raise ValueError("clearance must not be negative and placements at least 1")


@dataclass(frozen=True, kw_only=True)
class ComposeConfig:
    """How a layout and its characters become a USD stage."""

    times_of_day: dict[str, float] = field(
        default_factory=lambda: {
            "morning": 1.0,
            "noon": 1.5,
            "afternoon": 1.5,
            "evening": 1.0,
            "night": 0.5,
        }
    )
    """Weight of each time of day; it decides sun, sky and whether the lamps are on. One that is not
    named has none."""
    exposure: tuple[float, float] = (-0.35, 0.35)
    """Stops by which the whole light rig is made darker or brighter, drawn uniformly."""
    colour_temperature: tuple[float, float] = (2700.0, 4500.0)
    """Kelvin of the lamps, drawn uniformly per scene."""
    instancing: bool = True
    """Make repeats of the same asset and variants instanceable."""

    def __post_init__(self) -> None:
        check_weights("times_of_day", self.times_of_day, TIMES_OF_DAY)
        low, high = self.colour_temperature
        if not 1000 <= low <= high <= 15000:
            raise ValueError("colour_temperature must lie in 1000..15000 K, least first")
        if not -10 <= self.exposure[0] <= self.exposure[1] <= 10:
            raise ValueError(f"exposure must lie in -10..10 stops, least first: {self.exposure}")
