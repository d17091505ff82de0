"""Read a trajectory from any file that we understand."""

from __future__ import annotations

from pathlib import Path

from scaling4d.geometry.keyframes import read_keyframes
from scaling4d.geometry.trajectory import Trajectory


def load_trajectory(
    text: str, *, frames: int | None = None, pivot_depth: float | None = None
) -> Trajectory:
    """Read the trajectory file named by ``text``.

    Raises:
        ValueError: if there is no such file or its format is not known.
    """
    path = Path(text)
    if not path.exists():
        raise ValueError(
            f"{text!r} is neither a camera preset nor an existing trajectory file: see "
            f"`python -m scaling4d trajectory --help`"
        )
    return read_keyframes(path, frames=frames, pivot_depth=pivot_depth)
