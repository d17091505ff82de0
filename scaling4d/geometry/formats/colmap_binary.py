"""COLMAP's binary model: cameras.bin and images.bin, little-endian and without padding."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.formats.colmap_lenses import COUNTS, MODELS, pinhole, require_pinhole

FloatArray = npt.NDArray[np.float64]

_POINT = 24  # bytes: x, y and the number of a 3D point


def read_lenses(path: Path) -> dict[str, tuple[tuple[int, int], FloatArray]]:
    """Return the size (height, width) and fx, fy, cx, cy (4,) in pixels of each camera, by its id.

    Raises:
        ValueError: if the file cannot be read or is cut short, or for a camera that is no pinhole.
    """
    content = _Content(path)
    (count,) = content.take("Q")
    lenses = {}
    for _ in range(count):
        number, model_number, width, height = content.take("IiQQ")
        where = f"{path} camera {number}"
        if not 0 <= model_number < len(MODELS):
            raise ValueError(
                f"{where}: {model_number} is the number of no camera model of COLMAP: convert the "
                f"model to text (`colmap model_converter --output_type TXT`)"
            )
        model = MODELS[model_number]
        require_pinhole(model, where)
        parameters = _finite(content.take(f"{COUNTS[model]}d"), where)
        lenses[str(number)] = ((height, width), pinhole(model, parameters, where))
    content.require_end()
    return lenses


def read_images(path: Path) -> list[tuple[str, FloatArray, str]]:
    """Return name, qw qx qy qz tx ty tz (7,) and camera id of each image, skipping its points.

    Raises:
        ValueError: if the file cannot be read or is cut short.
    """
    content = _Content(path)
    (count,) = content.take("Q")
    images = []
    for _ in range(count):
        number, *row, lens = content.take("I7dI")
        name = content.take_name()
        (points,) = content.take("Q")
        content.skip(points * _POINT)
        images.append((name, _finite(row, f"{path} image {number}"), str(lens)))
    content.require_end()
    return images


class _Content:
    """The bytes of a file, taken one after another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        try:
            self._bytes = path.read_bytes()
        except OSError as error:
            raise ValueError(f"cannot read {path} as COLMAP: {error}") from None

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return the next values, of types in the words of `struct`."""
        layout = f"<{layout}"
        start = self._at
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self._bytes, start)

    def take_name(self) -> str:
        """Return the text up to the next zero byte."""
        end = self._bytes.find(b"\0", self._at)
        start = self._at
        self.skip((len(self._bytes) if end < 0 else end) + 1 - start)
        try:
            return self._bytes[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self._path} is no binary model of COLMAP: the name of an image at byte {start} "
                f"is no text ({error.reason})"
            ) from None

    def skip(self, count: int) -> None:
        """Go on by ``count`` bytes."""
        if count > len(self._bytes) - self._at:
            raise ValueError(
                f"{self._path} ends after {len(self._bytes)} bytes, within what it says it holds: "
                f"it is cut short, or no binary model of COLMAP"
            )
        self._at += count

    def require_end(self) -> None:
        """Check that nothing is left."""
        left = len(self._bytes) - self._at
        if left:
            raise ValueError(
                f"{self._path} goes on for {left} bytes after what it says it holds: it is no "
                f"binary model of COLMAP"
            )


def _finite(values: npt.ArrayLike, where: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{where}: holds a number that is not finite")
    return array
