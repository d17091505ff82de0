"""What the pack stage checks and keeps. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

from houdini_pdg.configuration import NOT_HASHED


@dataclass(frozen=True, kw_only=True)
class PackConfig:
    """What a rendered scene must satisfy to be stored (one that fails is rejected for good), and
    what is kept beside it."""

    max_residual_px: float = 0.02
    """Median round-trip residual between views on co-visible static pixels, source pixels."""
    max_rgb_difference: float = 0.25
    """Median absolute difference of co-visible RGB between views, on a scale of 0 to 1."""
    min_covisible: float = 0.02
    """Least share of pixels that some other view also sees, for the best pair of each view (of the
    pair's two directions the larger share); two views may share nothing if others do with each."""
    min_finite_depth: float = 0.5
    """Least share of pixels of a view that see any surface."""
    min_mean_rgb: float = 0.02
    """A view whose mean brightness (0 to 1) is below this is black."""
    max_clipped: float = 0.6
    """Largest share of pixels of a view at full white, or at full black."""
    pairs: int = 0
    """How many ordered pairs of views are measured (spread over all); 0 = every pair. Only what is
    measured is judged: with few pairs a view's best one may be missed."""
    frames: int = 5
    """How many frames of each measured pair, evenly spread."""
    previews: bool = True
    """Also write an mp4 and a contact sheet per scene."""
    keep_work: bool = field(default=False, metadata=NOT_HASHED)
    """Keep the large files in ``work/<scene>/`` (frames, baked people) once the scene is packed, to
    look into; it decides nothing of the result, so that scenes finished before stay as they are."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.pairs < 0:
            raise ValueError("frames must be at least 1 and pairs at least 0")
