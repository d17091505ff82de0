"""Which convention do these poses follow? Measured on the video, by epipolar residuals.

A pose file can be read as world-to-camera or camera-to-world, with OpenCV or OpenGL axes. Each
reading predicts on which line of another frame a point must lie; only the right one passes through
the matches that SIFT finds in the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import invert_pose, relative_pose

FloatArray = npt.NDArray[np.float64]
Frame = npt.NDArray[np.uint8]

READINGS = (
    ("world-to-camera", "opencv"),
    ("camera-to-world", "opencv"),
    ("world-to-camera", "opengl"),
    ("camera-to-world", "opengl"),
)
# A reading holds below this median residual in pixels (per 1000 pixels of width in wider images),
# and is told from another one when that is worse by this factor. SpatialVID's poses reach 0.2 to
# 0.6 px at 1280 x 720, RealEstate10K's 0.2 to 0.5 px at 384 x 256; wrong readings 2 to 40 px.
_HOLDS = 1.0
_CLEARLY_WORSE = 2.0
_FEWEST_MATCHES = 30


@dataclass(frozen=True)
class ReadingResidual:
    """How well one reading of the poses explains the matches.

    Attributes:
        direction: "world-to-camera" or "camera-to-world".
        axes: "opencv" or "opengl".
        median_px: median over frame pairs of each pair's median distance of a match from its
            epipolar line, pixels.
        pair_medians_px: the medians of the pairs.
    """

    direction: str
    axes: str
    median_px: float
    pair_medians_px: tuple[float, ...]

    @property
    def name(self) -> str:
        """Both words, for example "world-to-camera opencv"."""
        return f"{self.direction} {self.axes}"


@dataclass(frozen=True)
class EpipolarReport:
    """The readings from best to worst, and which of them the video allows.

    Attributes:
        residuals: one entry per reading of `READINGS`, best first.
        consistent: the readings that the video allows: one if it decides, none if no reading fits,
            several if the motion cannot tell them apart (a camera that does not turn).
        pairs: the frame pairs compared, as positions in the frames given.
        matches: number of matches over all pairs.
        limit_px: residual in pixels up to which a reading holds.
    """

    residuals: tuple[ReadingResidual, ...]
    consistent: tuple[ReadingResidual, ...]
    pairs: tuple[tuple[int, int], ...]
    matches: int
    limit_px: float

    @property
    def decided(self) -> bool:
        """Whether exactly one reading holds."""
        return len(self.consistent) == 1


def check_cameras(
    frames: Sequence[Frame] | Frame,
    matrices: npt.ArrayLike,
    intrinsics: npt.ArrayLike,
    *,
    max_pairs: int = 12,
    progress: Callable[[int, int], None] | None = None,
) -> EpipolarReport:
    """Measure every reading of pose matrices against the frames they belong to.

    Args:
        frames: n images (height, width, 3), uint8 RGB.
        matrices: (n, 4, 4) rigid matrices as a file holds them, meaning unknown.
        intrinsics: (n, 3, 3) pixels, corner convention.
        max_pairs: most frame pairs to compare.
        progress: called with pairs done and pairs wanted.

    Raises:
        ValueError: if the numbers disagree, there are fewer than 2 frames, or no pair of frames
            matches with enough motion between the cameras.
    """
    matrices = np.asarray(matrices, dtype=np.float64)
    intrinsics = np.asarray(intrinsics, dtype=np.float64)
    if not len(frames) == len(matrices) == len(intrinsics) >= 2:
        raise ValueError(
            f"epipolar residuals need 2 frames or more with a pose each, got {len(frames)} frames, "
            f"{len(matrices)} poses and {len(intrinsics)} intrinsics"
        )
    poses = [_read(matrices, direction, axes) for direction, axes in READINGS]
    matcher = _Matcher(frames)
    medians: list[list[float]] = [[] for _ in READINGS]
    pairs, matches = [], 0
    anchors = np.unique(np.linspace(0, len(frames) - 2, max_pairs).round().astype(int))
    for done, first in enumerate(anchors.tolist()):
        if progress is not None:
            progress(done, len(anchors))
        found = _widest_pair(matcher, matrices, first)
        if found is None:
            continue
        second, xy_first, xy_second = found
        pairs.append((first, second))
        matches += len(xy_first)
        for values, pose in zip(medians, poses, strict=True):
            fundamental = fundamental_matrix(
                relative_pose(pose[second], pose[first]), intrinsics[first], intrinsics[second]
            )
            distance = epipolar_distance(xy_first, xy_second, fundamental)
            values.append(float(np.median(distance)))
    if not pairs:
        raise ValueError(
            "no two frames match well enough while their poses differ: choose a clip with texture "
            "and a moving camera"
        )
    results = [
        ReadingResidual(direction, axes, float(np.median(values)), tuple(values))
        for (direction, axes), values in zip(READINGS, medians, strict=True)
    ]
    results.sort(key=lambda result: result.median_px)
    limit = _HOLDS * max(1.0, matcher.width / 1000.0)
    threshold = min(limit, max(_CLEARLY_WORSE * results[0].median_px, 0.05 * limit))
    consistent = tuple(result for result in results if result.median_px <= threshold)
    return EpipolarReport(tuple(results), consistent, tuple(pairs), matches, limit)


def fundamental_matrix(
    second_from_first: FloatArray, intrinsics_first: FloatArray, intrinsics_second: FloatArray
) -> FloatArray:
    """Return F (3, 3) with x2^T F x1 = 0 for the images x1, x2 of any point, of unit norm."""
    tx, ty, tz = second_from_first[:3, 3]
    cross = np.array([[0.0, -tz, ty], [tz, 0.0, -tx], [-ty, tx, 0.0]])
    essential = cross @ second_from_first[:3, :3]
    fundamental = np.linalg.inv(intrinsics_second).T @ essential @ np.linalg.inv(intrinsics_first)
    norm = np.linalg.norm(fundamental)
    if norm == 0.0:
        raise ValueError("two cameras in one place have no epipolar geometry")
    return fundamental / norm


def epipolar_distance(
    xy_first: FloatArray, xy_second: FloatArray, fundamental: FloatArray
) -> FloatArray:
    """Return the distance in pixels (n,) of matches from their epipolar lines, mean of both images.

    Args:
        xy_first, xy_second: matched positions (n, 2), pixels.
        fundamental: (3, 3), x2^T F x1 = 0.
    """
    first = np.concatenate((xy_first, np.ones((len(xy_first), 1))), axis=1)
    second = np.concatenate((xy_second, np.ones((len(xy_second), 1))), axis=1)
    lines_second = first @ fundamental.T
    lines_first = second @ fundamental
    error = np.abs(np.sum(lines_second * second, axis=1))
    lengths = np.stack(
        [np.linalg.norm(lines[:, :2], axis=1) for lines in (lines_first, lines_second)]
    )
    return np.asarray(0.5 * (error / np.maximum(lengths, 1e-300)).sum(axis=0))


def _read(matrices: FloatArray, direction: str, axes: str) -> FloatArray:
    """Return world_from_camera in OpenCV axes under a reading of the matrices."""
    poses = invert_pose(matrices) if direction == "world-to-camera" else matrices
    return np.asarray(convert_axes(poses, axes, "opencv"))


def _widest_pair(
    matcher: _Matcher, matrices: FloatArray, first: int
) -> tuple[int, FloatArray, FloatArray] | None:
    """Return the later frame, 1, 2, 4, ... away, that still matches well and moves the most."""
    best = None
    gap = 1
    while first + gap < len(matrices):
        second = first + gap
        matched = matcher.match(first, second)
        if len(matched[0]) < _FEWEST_MATCHES:
            break
        step = np.linalg.inv(matrices[second]) @ matrices[first]
        if np.linalg.norm(step[:3, 3]) > 1e-9:
            best = (second, *matched)
        if np.median(np.linalg.norm(matched[1] - matched[0], axis=1)) > 0.1 * matcher.width:
            break
        gap *= 2
    return best


class _Matcher:
    """SIFT matches between frames, features computed once per frame."""

    def __init__(self, frames: Sequence[Frame] | Frame) -> None:
        import cv2

        self._frames = frames
        # Otherwise OpenCV's features lie a quarter of a pixel too far right and down.
        self._sift = cv2.SIFT.create(nfeatures=2000, enable_precise_upscale=True)
        self._features: dict[int, tuple[FloatArray, Any]] = {}
        self.width = int(np.shape(frames[0])[1])

    def match(self, first: int, second: int) -> tuple[FloatArray, FloatArray]:
        """Return matched positions (n, 2) in both frames, pixels, corner convention.

        Matches pass the ratio test both ways and agree with *some* epipolar geometry, found without
        the poses, so that wrong matches and moving things do not decide.
        """
        import cv2

        (xy_first, a), (xy_second, b) = self._detect(first), self._detect(second)
        none = np.empty((0, 2)), np.empty((0, 2))
        if len(xy_first) < _FEWEST_MATCHES or len(xy_second) < _FEWEST_MATCHES:
            return none
        there, back = self._nearest(a, b), self._nearest(b, a)
        mutual = [(i, j) for i, j in there.items() if back.get(j) == i]
        if len(mutual) < _FEWEST_MATCHES:
            return none
        index = np.array(mutual)
        xy_first, xy_second = xy_first[index[:, 0]], xy_second[index[:, 1]]
        cv2.setRNGSeed(
            0
        )  # RANSAC draws from OpenCV's own generator; the same pair, the same answer
        _, inliers = cv2.findFundamentalMat(xy_first, xy_second, cv2.FM_RANSAC, 1.5, 0.999)
        if inliers is None:
            return none
        keep = inliers.ravel().astype(bool)
        return xy_first[keep], xy_second[keep]

    def _detect(self, number: int) -> tuple[FloatArray, Any]:
        import cv2

        if number not in self._features:
            gray = cv2.cvtColor(np.ascontiguousarray(self._frames[number]), cv2.COLOR_RGB2GRAY)
            # cv2's stubs lack the mask of None that its documentation gives.
            points, descriptors = self._sift.detectAndCompute(gray, None)  # type: ignore[call-overload]
            # OpenCV counts pixel centres from 0, we count them from 0.5.
            xy = np.array([point.pt for point in points], dtype=np.float64).reshape(-1, 2) + 0.5
            self._features[number] = (xy, descriptors)
        return self._features[number]

    @staticmethod
    def _nearest(a: Any, b: Any) -> dict[int, int]:
        import cv2

        pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(a, b, k=2)
        good = (p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.75 * p[1].distance)
        return {match.queryIdx: match.trainIdx for match in good}
