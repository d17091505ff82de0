"""The three-line text of TrajectoryCrafter and, in another line order, of CogNVS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.formats.files import numbers, read_text, words, write_text
from scaling4d.geometry.moves import Moves, require_pivot
from scaling4d.geometry.trajectory import Trajectory

FloatArray = npt.NDArray[np.float64]

TRAJECTORYCRAFTER = (
    "text, three lines of keys: theta (degrees, up), phi (degrees, right), r (forward, in units of "
    "the central depth), spread evenly over the clip, on the sphere about the central depth"
)
COGNVS = "as TrajectoryCrafter, but the first line is phi and the second theta"

_ORDER = {"trajectorycrafter": ("theta", "phi", "r"), "cognvs": ("phi", "theta", "r")}


@dataclass(frozen=True)
class SphericalLines:
    """Keys of the three curves; each line may hold another number of them.

    Attributes:
        theta, phi: degrees up and right about the point at the central depth.
        r: distance moved towards it, in units of the central depth.
    """

    theta: tuple[float, ...]
    phi: tuple[float, ...]
    r: tuple[float, ...]

    def trajectory(self, frames: int, pivot_depth: float) -> Trajectory:
        """Return the trajectory, interpolated as the tools do (see `_curve`).

        Raises:
            ValueError: if the pivot depth, in which r is measured, is not finite and > 0.
        """
        require_pivot("a motion of theta, phi and r", pivot_depth)
        moves = Moves(
            yaw=_curve(self.phi, frames),
            pitch=_curve(self.theta, frames),
            forward=_curve(self.r, frames) * pivot_depth,
        )
        plain = Trajectory.from_moves(moves, pivot_depth=pivot_depth)
        return Trajectory(plain.target_from_source, parameters=self)


def read_spherical_lines(path: Path, name: str) -> SphericalLines:
    """Read the keys; ``name`` is "trajectorycrafter" or "cognvs" and decides the line order."""
    lines = [line.split() for line in read_text(path, name).splitlines() if line.strip()]
    if len(lines) != 3:
        raise ValueError(f"{path}: {name} has three lines of numbers, found {len(lines)}")
    curves = {
        curve: tuple(numbers(fields, f"{path} ({curve})").tolist())
        for curve, fields in zip(_ORDER[name], lines, strict=True)
    }
    return SphericalLines(**curves)


def write_spherical_lines(path: Path, lines: SphericalLines, name: str) -> None:
    """Write the keys in the line order of ``name``."""
    write_text(path, "".join(words(getattr(lines, curve)) + "\n" for curve in _ORDER[name]))


def _curve(keys: tuple[float, ...], frames: int) -> FloatArray:
    """Return a curve (frames,) through, or for more than three keys near, evenly spread keys.

    The tools join up to three keys by straight lines. Four or more they feed to scipy's smoothing
    spline with its default tolerance (a sum of squares equal to the number of keys), and pin both
    ends; a file only means the same motion here if we do too.
    """
    values = np.asarray(keys, dtype=np.float64)
    positions = np.linspace(0.0, 1.0, frames) if frames > 1 else np.zeros(1)
    if len(values) == 1 or frames == 1:
        return np.full(frames, values[0])
    at = np.linspace(0.0, 1.0, len(values))
    if len(values) <= 3:
        return np.interp(positions, at, values)
    from scipy.interpolate import UnivariateSpline

    curve: FloatArray = np.asarray(UnivariateSpline(at, values, k=3)(positions), dtype=np.float64)
    curve[0], curve[-1] = values[0], values[-1]
    return curve
