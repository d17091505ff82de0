"""Frame counts and frame numbers: whole numbers, and no more than a video has."""

from __future__ import annotations

import numpy as np

MOST_FRAMES = 100_000  # more than an hour; a slip of the keyboard would fill the memory instead


def require_frame_count(value: object, name: str, *, least: int = 1) -> int:
    """Return ``value`` as a number of frames.

    Raises:
        ValueError: naming ``name`` and the value, if it is not a whole number in the range.
    """
    number = int(value) if isinstance(value, int | np.integer) and value is not True else 0
    if least <= number <= MOST_FRAMES:
        return number
    raise ValueError(
        f"{name} must be a whole number >= {least} and <= {MOST_FRAMES}, got {value!r}"
    )


def require_source_frame(value: float, name: str) -> int:
    """Return ``value`` as the number of a source frame.

    Raises:
        ValueError: naming ``name`` and the value, if it is not a whole number in the range.
    """
    if 0 <= value < MOST_FRAMES and value == int(value):
        return int(value)
    raise ValueError(
        f"{name} must be a source frame number, whole, >= 0 and < {MOST_FRAMES}, got {value}"
    )
