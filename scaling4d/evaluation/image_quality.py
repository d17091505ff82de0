"""How near a video is to the truth, pixel by pixel (section 4.3)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def psnr(
    video: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    where: NDArray[np.bool_] | None = None,
) -> float:
    """Peak signal-to-noise ratio in dB, from the mean square error over all pixels at once.

    Args:
        video: (frames, height, width, 3) uint8 sRGB.
        truth: the same.
        where: (frames, height, width), pixels that count; None counts all.

    Returns:
        10 log10(255^2 / mean square error): inf for equal videos, NaN where no pixel counts.

    Raises:
        ValueError: if the shapes differ.
    """
    if video.shape != truth.shape:
        raise ValueError(f"videos to compare must share a shape, got {video.shape}, {truth.shape}")
    difference = video.astype(np.float64) - truth
    if where is not None:
        difference = difference[where]
    if difference.size == 0:
        return math.nan
    error = float(np.mean(np.square(difference)))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
