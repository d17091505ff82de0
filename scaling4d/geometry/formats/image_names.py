"""Frame numbers in image names, which count from 0 or, as ffmpeg's do, from 1."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.formats.first_frame import from_first_frame

logger = logging.getLogger(__name__)


def natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key under which frame_2 comes before frame_10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def numbered(
    names: tuple[str, ...], path: Path, first_frame: int | None
) -> npt.NDArray[np.int64] | None:
    """Return the frame numbers, from 0, at the end of file names, each once.

    None stands for 0, 1, 2... in the order of the names: where that is what they say, or where one
    has no number or a number stands twice, which a line of the log says.

    Args:
        names: file names.
        path: the file that holds them, for messages.
        first_frame: the number in the name of the video's first frame. None: 1 where the lowest
            number is 1 (a line of the log says so), else 0.

    Raises:
        ValueError: if a number lies before ``first_frame``.
    """
    found = [re.search(r"(\d+)$", Path(name).stem) for name in names]
    bare = [name for name, match in zip(names, found, strict=True) if match is None]
    if bare:
        _say_in_order(path, len(names), f"{bare[0]!r} has no number")
        return None
    index = np.array([int(match.group(1)) for match in found if match is not None])
    numbers, counts = np.unique(index, return_counts=True)
    if len(numbers) != len(index):
        _say_in_order(path, len(names), f"number {numbers[counts > 1][0]} stands twice")
        return None
    lowest = int(index.min())
    if first_frame is None:
        first_frame = 1 if lowest == 1 else 0
        if lowest == 1:
            logger.warning(
                "%s: its image names start at 1, which is taken as the first frame of the video "
                "(if they count from 0 and frame 0 is missing: --first-frame 0 of `gap`, `verify "
                "cameras` and `trajectory convert`)",
                path,
            )
    return from_first_frame(index, first_frame, path)


def _say_in_order(path: Path, count: int, reason: str) -> None:
    if count > 1:
        logger.warning(
            "%s: its %d images are taken for frames 0 to %d in the order of their names, because "
            "%s", path, count, count - 1, reason,
        )  # fmt: skip
