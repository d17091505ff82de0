"""Shots of a video: runs of frames without a cut or a dissolve, so that no pair spans two scenes.

A cut is a frame whose colours differ from the frame before (histogram) by something that motion
does not explain (what optical flow between small versions of the frames leaves over). Fast camera
motion fails the second test, a person walking past usually the first. A dissolve is a frame that
is a blend of a frame before and one after it, which motion from neither explains. Black bars are
cut off first: they raise the contrast and lower the mean difference, so that cuts would be missed.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from scaling4d.data.black_bars import Pictures

HISTOGRAM_DISTANCE = 0.25
"""Hellinger distance (0..1) of neighbouring frames' colours above which a cut is possible."""

UNEXPLAINED = 0.25
"""Difference left after motion compensation, over the contrast, above which two frames belong to
different pictures. Continuous motion in the project's real test clips stays below 0.2 between
neighbours."""

BLEND_GAIN = 0.45
"""What a blend of a frame before and one after leaves over, against what motion from the nearer of
them does. Dissolves between the project's real test clips reach 0.13 to 0.45; continuous motion in
them stays above 0.59."""

DISSOLVE_REACH = (4, 8, 16)
"""How many frames before and after a frame are tried as the two ends of a dissolve. The longest
finds dissolves of up to about 65 frames, of which up to 8 at each end are left, and changes nothing
in the project's real test clips. In slower ones neighbours differ too little to be told apart."""

_WIDEST_MARGIN = 8
"""Most frames to each side of a blend that are left out with it. A long reach spans more than a
short dissolve, and would take whole frames with it."""

_SIDE = 96


def find_shots(frames: UInt8[np.ndarray, "frames height width 3"]) -> list[tuple[int, int]]:
    """Return (start, end) of each shot in order, end exclusive; frames of dissolves are in none."""
    pictures = Pictures(frames, _SIDE)
    inside = ~_dissolving(pictures)
    starts = [0, *_cuts(pictures), len(pictures)]
    shots = []
    for first, last in pairwise(starts):
        edges = np.flatnonzero(np.diff(inside[first:last], prepend=False, append=False))
        shots += [(first + int(a), first + int(b)) for a, b in edges.reshape(-1, 2)]
    return shots


def _cuts(pictures: Pictures) -> list[int]:
    found = []
    for index in range(1, len(pictures)):
        before, after = pictures.at(index - 1, index)
        if (
            _hellinger(_histogram(before), _histogram(after)) > HISTOGRAM_DISTANCE
            and unexplained(_grey(before), _grey(after)) > UNEXPLAINED
        ):
            found.append(index)
    return found


def _dissolving(pictures: Pictures) -> NDArray[np.bool_]:
    """Mark the frames of dissolves."""
    marked = np.zeros(len(pictures), dtype=bool)
    for reach in DISSOLVE_REACH:
        margin = min(reach, _WIDEST_MARGIN)
        for index in range(reach, len(pictures) - reach):
            three = [_grey(image) for image in pictures.at(index - reach, index, index + reach)]
            left = _blend_residual(*(_softened(image) for image in three))
            if left is None:
                continue
            before, image, after = three
            by_motion = min(unexplained(before, image), unexplained(after, image))
            if by_motion > UNEXPLAINED and left < BLEND_GAIN * by_motion:
                # The frames around it may be blends that are too pure to be told themselves.
                marked[index - margin : index + margin + 1] = True
    return marked


def _blend_residual(
    before: Float[np.ndarray, "height width"],
    image: Float[np.ndarray, "height width"],
    after: Float[np.ndarray, "height width"],
) -> float | None:
    """Fit image = a before + b after + c; return what is left over the contrast, if a blend."""
    columns = np.stack([before.ravel(), after.ravel(), np.ones(before.size)], axis=1)
    # Least squares of the normal equations: a still or black picture has no single solution.
    weights = np.linalg.lstsq(columns.T @ columns, columns.T @ image.ravel(), rcond=1e-9)[0]
    a, b = weights[:2]
    if min(a, b) < 0.15 or not 0.8 < a + b < 1.2:
        return None
    left = np.abs(columns @ weights - image.ravel()).mean()
    return float(left / _contrast(image))


def unexplained(
    first: UInt8[np.ndarray, "height width"], second: UInt8[np.ndarray, "height width"]
) -> float:
    """Mean difference left after warping by flow, over the second image's contrast."""
    flow: NDArray[np.float32] = np.zeros((*first.shape, 2), dtype=np.float32)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(search.calc(second, first, flow), dtype=np.float32)
    rows, columns = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    moved = cv2.remap(
        first,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return float(np.abs(moved.astype(np.float32) - second).mean() / _contrast(second))


def _grey(image: UInt8[np.ndarray, "height width 3"]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _softened(image: UInt8[np.ndarray, "height width"]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), dtype=np.float32)


def _contrast(image: NDArray[np.generic]) -> float:
    return (
        float(image.std()) + 4.0
    )  # 8-bit levels; the constant keeps noise on a flat picture small


def _histogram(image: UInt8[np.ndarray, "height width 3"]) -> NDArray[np.float64]:
    counts = cv2.calcHist([image], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3).ravel()
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _hellinger(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.sqrt(max(0.0, 1.0 - np.sum(np.sqrt(first * second)))))
