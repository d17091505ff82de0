"""COLMAP's camera models: their names and numbers, and which of them are pinholes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Binary files hold a model as its position here.
MODELS = (
    "SIMPLE_PINHOLE",
    "PINHOLE",
    "SIMPLE_RADIAL",
    "RADIAL",
    "OPENCV",
    "OPENCV_FISHEYE",
    "FULL_OPENCV",
    "FOV",
    "SIMPLE_RADIAL_FISHEYE",
    "RADIAL_FISHEYE",
    "THIN_PRISM_FISHEYE",
    "RAD_TAN_THIN_PRISM_FISHEYE",
    "SIMPLE_DIVISION",
    "DIVISION",
    "SIMPLE_FISHEYE",
    "FISHEYE",
    "EUCM",
    "EQUIRECTANGULAR",
)
# Camera models that are pinholes where their distortion is 0, and the positions of fx, fy, cx, cy
# among their parameters; what follows is distortion.
PINHOLES = {
    "SIMPLE_PINHOLE": (0, 0, 1, 2),
    "PINHOLE": (0, 1, 2, 3),
    "SIMPLE_RADIAL": (0, 0, 1, 2),
    "RADIAL": (0, 0, 1, 2),
    "OPENCV": (0, 1, 2, 3),
}
# How many parameters a binary file holds of each.
COUNTS = {"SIMPLE_PINHOLE": 3, "PINHOLE": 4, "SIMPLE_RADIAL": 4, "RADIAL": 5, "OPENCV": 8}


def require_pinhole(model: str, where: str) -> None:
    """Check that a camera model is a pinhole where its distortion is 0.

    Raises:
        ValueError: naming the place and the model, if it is none.
    """
    if model not in PINHOLES:
        raise ValueError(
            f"{where}: camera model {model} is not a pinhole, of which {', '.join(PINHOLES)} are "
            f"known: undistort the images first"
        )


def pinhole(model: str, parameters: npt.ArrayLike, where: str) -> FloatArray:
    """Return fx, fy, cx, cy (4,) in pixels of a camera.

    Args:
        model: COLMAP's name for it.
        parameters: those of the model, in COLMAP's order.
        where: place in a file, for messages.

    Raises:
        ValueError: for a model that is no pinhole, too few parameters, or a distortion.
    """
    require_pinhole(model, where)
    order, values = PINHOLES[model], np.asarray(parameters, dtype=np.float64)
    if len(values) <= max(order):
        raise ValueError(f"{where}: {model} needs {max(order) + 1} parameters or more")
    if np.any(values[max(order) + 1 :] != 0.0):
        raise ValueError(f"{where}: the lens is distorted; undistort the images with COLMAP first")
    return values[list(order)]
