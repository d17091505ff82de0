"""Where the picture is inside black bars, so that comparing frames is not diluted by the bars."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

BLACK = 12
"""Brightest 8-bit level of a bar: encoders leave a little noise on black."""

_REACH = 16
"""Frames to each side in which a row or column must be black too: a fade or a dark moment blackens
rows for a while, bars stay. Not the whole video, because scenes with and without bars alternate."""

_SMALLEST = 0.2
"""Share of a side below which the bright part is no picture but a lamp in the dark."""

Box = tuple[int, int, int, int]
"""Top, bottom, left, right; bottom and right exclusive."""


class Pictures:
    """Small square versions of a video's frames without the bars around them."""

    def __init__(self, frames: UInt8[np.ndarray, "frames height width 3"], side: int) -> None:
        self._frames = frames
        self._side = side
        whole = (0, frames.shape[1], 0, frames.shape[2])
        small = [_resized(image, whole, side) for image in frames]
        self.boxes = [_scaled(box, whole, side) for box in picture_boxes(small)]
        self._made = {(index, whole): image for index, image in enumerate(small)}

    def __len__(self) -> int:
        return len(self._frames)

    def at(self, *indices: int) -> list[UInt8[np.ndarray, "side side 3"]]:
        """Return frames to be compared, cut to the box around all of them."""
        box = joint_box(*(self.boxes[index] for index in indices))
        for index in indices:
            if (index, box) not in self._made:
                self._made[index, box] = _resized(self._frames[index], box, self._side)
        return [self._made[index, box] for index in indices]


def picture_boxes(frames: Sequence[UInt8[np.ndarray, "height width 3"]]) -> list[Box]:
    """Return per frame the rows and columns from the first to the last one that is not black.

    The whole frame where nothing is bright, or so little that it is no picture.
    """
    rows = _lasting(np.stack([image.max(axis=(1, 2)) for image in frames]))
    columns = _lasting(np.stack([image.max(axis=(0, 2)) for image in frames]))
    return [
        (*_extent(row > BLACK), *_extent(column > BLACK))
        for row, column in zip(rows, columns, strict=True)
    ]


def joint_box(*boxes: Box) -> Box:
    """Return the smallest box around several."""
    top, bottom, left, right = zip(*boxes, strict=True)
    return min(top), max(bottom), min(left), max(right)


def _resized(image: NDArray[np.uint8], box: Box, side: int) -> NDArray[np.uint8]:
    top, bottom, left, right = box
    picture = image[top:bottom, left:right]
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))


def _scaled(box: Box, whole: Box, side: int) -> Box:
    """Bring a box from ``side`` pixels to the size of the whole frame, rounding outwards."""
    _, height, _, width = whole
    top, bottom, left, right = box
    return (
        top * height // side,
        -(-bottom * height // side),
        left * width // side,
        -(-right * width // side),
    )


def _lasting(levels: UInt8[np.ndarray, "frames length"]) -> UInt8[np.ndarray, "frames length"]:
    """Return the largest level within reach of each frame."""
    kernel = np.ones((2 * _REACH + 1, 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(levels, kernel), dtype=np.uint8)


def _extent(bright: NDArray[np.bool_]) -> tuple[int, int]:
    found = np.flatnonzero(bright)
    if not found.size or found[-1] + 1 - found[0] < _SMALLEST * bright.size:
        return 0, bright.size
    return int(found[0]), int(found[-1]) + 1
