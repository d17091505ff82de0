"""Frame numbers of a file, counted from the number that the video's first frame has there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.formats.given import frame_index_or_none


def from_first_frame(
    numbers: npt.ArrayLike, first_frame: int | None, path: Path
) -> npt.NDArray[np.int64] | None:
    """Return frame numbers (n,) with ``first_frame`` as 0, or None where they are 0, 1, 2...

    Args:
        numbers: as the file has them.
        first_frame: the number of the video's first frame there. None: 0.
        path: the file, for messages.

    Raises:
        ValueError: for a number before ``first_frame``, or one that does not fit into 64 bits.
    """
    index = frame_index_or_none(numbers)
    found = np.asarray(numbers, dtype=np.int64)
    if not first_frame or found.size == 0:
        return index
    if found.min() < first_frame:
        raise ValueError(
            f"{path}: frame number {found.min()} lies before the given first frame, {first_frame}: "
            f"give the number that the video's first frame has there"
        )
    return frame_index_or_none(found - first_frame)
