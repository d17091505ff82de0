"""Sizes and counts of the quickstart, chosen for 2 cores, 8 minutes and 6 GB."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class QuickstartSettings:
    """Every value can be changed on the command line as ``key=value``."""

    seed: int = 0
    """One seed for everything."""
    frames: int = 17
    """Frames of a clip, 4k+1."""
    size: int = 128
    """Height and width in pixels."""
    fps: float = 8.0
    """Frames per second of the rendered scenes."""
    cameras: int = 3
    """Synchronised cameras per synthetic scene."""
    train_scenes: int = 3
    """Synthetic scenes to train on."""
    stand_in_scenes: int = 2
    """Scenes kept apart whose RGB stands in for real videos when no folder is given."""
    stand_in_cameras: int = 1
    """Videos per stand-in scene; each is used as if nothing were known of the others."""
    stand_in_frames: int = 33
    """Frames of a stand-in video: room for pairs of clips."""
    samples: int = 5
    """Light samples per pixel before denoising."""
    train_steps: int = 700
    """Optimiser steps."""
    sampler_steps: int = 4
    """Steps of the generator's sampler."""
    evaluation_pairs: int = 6
    """Ordered camera pairs of the held-out scene that are measured."""

    @classmethod
    def parse(cls, overrides: list[str]) -> QuickstartSettings:
        """Apply ``key=value`` overrides.

        Raises:
            ValueError: naming an unknown key or a value of the wrong type.
        """
        types: dict[str, type[int] | type[float]] = {
            field.name: float if isinstance(field.default, float) else int
            for field in dataclasses.fields(cls)
        }
        values: dict[str, Any] = {}
        for override in overrides:
            key, equals, text = override.partition("=")
            if not equals or key not in types:
                known = ", ".join(types)
                raise ValueError(f"{override!r} is no setting: write key=value with one of {known}")
            try:
                values[key] = types[key](text)
            except ValueError:
                raise ValueError(f"{key} must be {types[key].__name__}, got {text!r}") from None
            if values[key] < (0 if key in ("seed", "train_steps") else 1):
                raise ValueError(f"{key} is too small: {text}")
        return cls(**values)

    def scene_spec(
        self, *, name: str, scenes: int, cameras: int, frames: int, library: str
    ) -> dict[str, Any]:
        """Return the generator's spec for one part of the data."""
        return {
            "name": name,
            "seed": self.seed,
            "scenes": scenes,
            "cameras": cameras,
            "frames": frames,
            "fps": self.fps,
            "height": self.size,
            "width": self.size,
            "libraries": [library],
            # One furnished room by day with one person: quick to render and easy to see.
            "layout": {"shapes": {"rectangle": 1.0}},
            "characters": {"count": [1, 1]},
            "compose": {"times_of_day": {"morning": 1.0, "noon": 1.0, "afternoon": 1.0}},
            "render": {"cycles": {"samples": self.samples, "bounces": 3}},
        }
