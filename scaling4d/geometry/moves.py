"""Camera moves as curves of named amounts, and the poses they make relative to the source camera.

Signs follow the operator: right, up and forward are positive, pan turns right, tilt turns up, roll
turns the camera clockwise; yaw and pitch travel right and up on the sphere about the pivot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.rotation import rotation_about

FloatArray = npt.NDArray[np.float64]

ANGLES = ("yaw", "pitch", "pan", "tilt", "roll")  # degrees
LENGTHS = ("right", "up", "forward")  # metres
AMOUNTS = (*ANGLES, *LENGTHS, "zoom")


def require_pivot(name: str, pivot_depth: float) -> float:
    """Return the depth of a pivot after checking that it lies in front of the camera.

    Raises:
        ValueError: naming ``name``, which needs it, if it is not finite and > 0.
    """
    if not (np.isfinite(pivot_depth) and pivot_depth > 0.0):
        raise ValueError(f"{name} needs the depth of its pivot in metres, > 0, got {pivot_depth}")
    return pivot_depth


def _zeros() -> FloatArray:
    return np.zeros(1)


@dataclass(frozen=True)
class Moves:
    """One value per frame, (n,) each, of every way to move a camera; the default is to stay.

    Attributes:
        yaw, pitch: degrees travelled to the right and up around the pivot, looking at it.
        right, up, forward: metres moved along the axes of the camera placed by yaw and pitch.
        pan, tilt, roll: degrees turned in place, to the right, up and clockwise.
        zoom: focal length as a multiple of the source's.
        aim: turn in place towards the pivot first; pan, tilt and roll come on top.
    """

    yaw: FloatArray = field(default_factory=_zeros)
    pitch: FloatArray = field(default_factory=_zeros)
    right: FloatArray = field(default_factory=_zeros)
    up: FloatArray = field(default_factory=_zeros)
    forward: FloatArray = field(default_factory=_zeros)
    pan: FloatArray = field(default_factory=_zeros)
    tilt: FloatArray = field(default_factory=_zeros)
    roll: FloatArray = field(default_factory=_zeros)
    zoom: FloatArray = field(default_factory=lambda: np.ones(1))
    aim: bool = False

    def __post_init__(self) -> None:
        """Broadcast the curves to one length and check that they are finite and zoom is > 0."""
        curves = {name: np.asarray(getattr(self, name), dtype=np.float64) for name in AMOUNTS}
        for name, curve in curves.items():
            if not np.isfinite(curve).all():
                raise ValueError(f"the camera move {name!r} holds a value that is not finite")
        if not np.all(curves["zoom"] > 0.0):
            raise ValueError(
                f"zoom multiplies the focal length, so it must be > 0: {self.zoom.min()}"
            )
        frames = np.broadcast_shapes(*(curve.shape for curve in curves.values()))
        for name, curve in curves.items():
            object.__setattr__(self, name, np.broadcast_to(curve, frames))

    @classmethod
    def from_columns(cls, columns: Mapping[str, npt.ArrayLike], *, aim: bool = False) -> Moves:
        """Build moves from a mapping of amount name to its curve."""
        return cls(**{n: np.asarray(c, dtype=np.float64) for n, c in columns.items()}, aim=aim)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.yaw.shape[0])

    def scaled(self, factor: float) -> Moves:
        """Return the moves with every length multiplied by ``factor``."""
        return dataclasses.replace(self, **{n: getattr(self, n) * factor for n in LENGTHS})

    def source_from_target(self, pivot_depth: float) -> FloatArray:
        """Return the moved cameras (n, 4, 4) in the frame of the source camera (OpenCV axes).

        Args:
            pivot_depth: metres from the source camera, along its axis, to the pivot.

        Raises:
            ValueError: if the pivot is needed and is not at a finite depth > 0, or the camera would
                pass through it while aiming at it.
        """
        needs_pivot = self.aim or bool(np.any(self.yaw != 0.0) or np.any(self.pitch != 0.0))
        if not needs_pivot:
            pivot_depth = 0.0
        elif not (np.isfinite(pivot_depth) and pivot_depth > 0.0):
            raise ValueError(
                f"this camera move turns about a pivot in front of the camera: give the depth of "
                f"that pivot in metres, > 0, got {pivot_depth}"
            )
        pivot = np.array([0.0, 0.0, pivot_depth])
        orbit = rotation_about("y", -np.radians(self.yaw)) @ rotation_about(
            "x", -np.radians(self.pitch)
        )
        step = np.stack((self.right, -self.up, self.forward), axis=-1)
        pan, tilt = np.radians(self.pan), np.radians(self.tilt)
        if self.aim:
            pan_to_pivot, tilt_to_pivot = _aim(pivot - step)
            pan, tilt = pan + pan_to_pivot, tilt + tilt_to_pivot
        turn = (
            rotation_about("y", pan)
            @ rotation_about("x", tilt)
            @ rotation_about("z", np.radians(self.roll))
        )
        poses = np.tile(np.eye(4), (self.frames, 1, 1))
        poses[:, :3, :3] = orbit @ turn
        poses[:, :3, 3] = pivot + (orbit @ (step - pivot)[..., None])[..., 0]
        return poses


def _aim(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the pan and tilt in radians that turn the axis from (0, 0, 1) to ``direction``."""
    if not np.all(direction[:, 2] > 0.0):
        raise ValueError(
            "the camera would pass the pivot it looks at: move it less far, or give a larger "
            "pivot depth"
        )
    across = np.hypot(direction[:, 0], direction[:, 2])
    return np.arctan2(direction[:, 0], direction[:, 2]), np.arctan2(-direction[:, 1], across)
