"""Layouts by seed: a random furnished flat, or one of the user's own files (§3.3)."""

from __future__ import annotations

import logging

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from .config import LayoutConfig
from .furnish import furnish
from .grammar import LayoutError, parse_layout
from .model import Layout
from .rooms import draw_shell

logger = logging.getLogger(__name__)


class LayoutImpossible(ValueError):  # noqa: N818 - a verdict on the sample
    """No floor plan of the asked kind could be furnished within the allowed attempts."""


def generate_layout(config: LayoutConfig, seed: int, redrawn: list[str] | None = None) -> Layout:
    """Return the furnished layout of a seed; the same seed gives the same layout.

    Args:
        config: what rooms to draw, or which files to choose from.
        seed: 64-bit seed of the layout stage.
        redrawn: gets a sentence for each floor plan that was given up for the next child seed.

    Raises:
        LayoutImpossible: after `config.attempts` floor plans without a furnished one.
        LayoutError: a user's file breaks the grammar.
        OSError: a user's file cannot be read.
    """
    if config.files:
        return _chosen_file(config, seed)
    density = float(named_rng(seed, "density").uniform(*config.density))
    for attempt in range(config.attempts):
        generator = named_rng(seed, "rooms", attempt)
        shell = draw_shell(config, generator)
        boxes = furnish(shell, config, density, generator)
        if boxes is not None:
            return Layout(
                tuple(shell.walls), tuple(shell.doors), tuple(shell.windows), tuple(boxes)
            )
        if redrawn is not None:
            redrawn.append(f"floor plan {attempt} could not be furnished")
    raise LayoutImpossible(
        f"none of {config.attempts} floor plans could be furnished: "
        "allow larger rooms, a lower density or less free floor"
    )


def _chosen_file(config: LayoutConfig, seed: int) -> Layout:
    generator: np.random.Generator = named_rng(seed, "file")
    path = config.files[int(generator.integers(len(config.files)))]
    try:
        layout = parse_layout(path.read_text(encoding="utf-8"), lenient=config.lenient)
    except LayoutError as error:
        raise LayoutError(
            f"{path}: {error.message}", line=error.line, column=error.column
        ) from error
    if not layout.walls:
        raise ValueError(
            f"{path} holds no wall: a scene needs at least one, got {len(layout.boxes)} boxes"
        )
    return layout
