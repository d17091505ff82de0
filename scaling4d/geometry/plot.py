"""A picture of a camera path: seen from above and from the side, with the cameras as frusta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera_path import CameraPath

FloatArray = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_PANEL = 480  # pixels, side of one view
_MARGIN = 48
_INK = (40, 40, 40)
_GRID = (225, 225, 225)


@dataclass(frozen=True)
class _View:
    """Which world directions run right and down in a panel, and what the panel is called."""

    title: str
    right: tuple[float, float, float]
    down: tuple[float, float, float]


_VIEWS = {
    # In the frame of a camera y points down and z forward; in our worlds z points up.
    "camera": (
        _View("from above (right x, up z)", (1, 0, 0), (0, 0, -1)),
        _View("from the side (right z, down y)", (0, 0, 1), (0, 1, 0)),
    ),
    "world": (
        _View("from above (right x, up y)", (1, 0, 0), (0, -1, 0)),
        _View("from the side (right x, up z)", (1, 0, 0), (0, 0, -1)),
    ),
}


def plot_cameras(cameras: CameraPath, frame: str = "camera", frusta: int = 9) -> Image:
    """Draw a camera path, two views side by side, both in the same scale.

    Args:
        cameras: the path; without intrinsics and an image size the frusta are square, with a field
            of view of 60 degrees.
        frame: "camera" if the poses stand in the frame of a camera (y down), "world" if z is up.
        frusta: how many cameras are drawn along the path; the first is green, the last red.

    Returns:
        RGB image, uint8.
    """
    centers = cameras.world_from_camera[:, :3, 3]
    extent = float(np.ptp(centers, axis=0).max())
    size = max(0.12 * extent, 0.05)
    chosen = np.unique(np.linspace(0, len(cameras) - 1, frusta).round().astype(int))
    shapes = [_frustum(cameras, index, size) for index in chosen.tolist()]
    every = np.concatenate([centers, *shapes])
    panels = [_panel(view, every, centers, shapes) for view in _VIEWS[frame]]
    return np.concatenate(panels, axis=1)


def _frustum(cameras: CameraPath, index: int, size: float) -> FloatArray:
    """Return apex and the four image corners (5, 3) in the world, the corners at depth ``size``."""
    if cameras.intrinsics is None or cameras.height is None or cameras.width is None:
        half = np.tan(np.radians(30.0))
        corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    else:
        k = cameras.intrinsics[index]
        right, bottom = float(cameras.width), float(cameras.height)
        xy = np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
        corners = (xy - k[:2, 2]) / (k[0, 0], k[1, 1])
    rays = np.concatenate((corners, np.ones((4, 1))), axis=1) * size
    in_camera = np.concatenate((np.zeros((1, 3)), rays))
    pose = cameras.world_from_camera[index]
    return np.asarray(in_camera @ pose[:3, :3].T + pose[:3, 3])


def _panel(view: _View, every: FloatArray, centers: FloatArray, shapes: list[FloatArray]) -> Image:
    import cv2

    axes = np.array([view.right, view.down], dtype=np.float64).T
    flat = every @ axes
    span = max(float(np.ptp(every, axis=0).max()), 1e-6)
    middle = (flat.min(0) + flat.max(0)) / 2.0
    pixels_per_metre = (_PANEL - 2 * _MARGIN) / span

    def to_pixels(points: FloatArray) -> npt.NDArray[np.int32]:
        return np.rint((points @ axes - middle) * pixels_per_metre + _PANEL / 2).astype(np.int32)

    image = np.full((_PANEL, _PANEL, 3), 255, np.uint8)
    step = _round_step(span / 5.0)
    reach = span / 2.0 * _PANEL / (_PANEL - 2 * _MARGIN)
    for axis in (0, 1):
        first = np.ceil((middle[axis] - reach) / step) * step
        for value in np.arange(first, middle[axis] + reach, step):
            at = round(float(value - middle[axis]) * pixels_per_metre + _PANEL / 2)
            start, end = ((at, 0), (at, _PANEL)) if axis == 0 else ((0, at), (_PANEL, at))
            cv2.line(image, start, end, _GRID, 1)
    cv2.polylines(image, [to_pixels(centers)], False, _INK, 2, cv2.LINE_AA)
    for number, shape in enumerate(shapes):
        share = number / max(len(shapes) - 1, 1)
        color = (round(200 * share), round(160 * (1 - share)), 60)
        apex, *corners = to_pixels(shape)
        cv2.polylines(image, [np.array(corners)], True, color, 1, cv2.LINE_AA)
        for corner in corners:
            cv2.line(image, tuple(map(int, apex)), tuple(map(int, corner)), color, 1, cv2.LINE_AA)
    font = cv2.FONT_HERSHEY_SIMPLEX
    label = f"grid {step:g} m"
    cv2.putText(image, view.title, (10, 20), font, 0.5, _INK, 1, cv2.LINE_AA)
    cv2.putText(image, label, (10, _PANEL - 10), font, 0.45, _INK, 1, cv2.LINE_AA)
    return image


def _round_step(length: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at most ``length``."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(
        max(factor for factor in (1.0, 2.0, 5.0) if factor * power <= length * 1.001) * power
    )
