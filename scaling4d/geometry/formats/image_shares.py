"""Intrinsics divided by the image size, as RealEstate10K and SpatialVID hold them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_LARGEST = 10.0  # a lens of 6 degrees; beyond it stand pixels that were never divided


def pixels_from_shares(shares: FloatArray, height: int, width: int, format_name: str) -> FloatArray:
    """Return fx, fy, cx, cy in pixels, (n, 4), from shares of the image size.

    Raises:
        ValueError: for numbers that can only be pixels.
    """
    row = _too_large(shares)
    if row is not None:
        raise ValueError(
            f"{format_name} holds intrinsics divided by the image size, but camera {row} has "
            f"{shares[row].tolist()}: if these are pixels, divide fx and cx by the image width, "
            f"fy and cy by its height"
        )
    return shares * (width, height, width, height)


def shares_from_pixels(pixels: FloatArray, height: int, width: int, format_name: str) -> FloatArray:
    """Return shares of the image size, (n, 4), from fx, fy, cx, cy in pixels.

    Raises:
        ValueError: for numbers that are no pixels of this image, and would not be read back.
    """
    shares = pixels / (width, height, width, height)
    row = _too_large(shares)
    if row is not None:
        raise ValueError(
            f"{format_name} divides intrinsics by the image size, and camera {row} has fx fy cx cy "
            f"{pixels[row].tolist()}, over {_LARGEST:g} times {height} x {width} (height, width): "
            f"give the size of the image that the intrinsics belong to"
        )
    return shares


def _too_large(shares: FloatArray) -> int | None:
    """The camera with the largest share, if no lens has it."""
    largest = np.abs(shares).max(axis=1)
    row = int(np.argmax(largest))
    return row if largest[row] > _LARGEST else None
