"""The camera-motion language of Diffusion as Shader: "trans dx dy dz; rot axis deg; spiral r"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import look_at
from scaling4d.geometry.formats.files import numbers, read_text, words, write_text
from scaling4d.geometry.rotation import rotation_about
from scaling4d.geometry.trajectory import Trajectory

FloatArray = npt.NDArray[np.float64]

DAS = (
    "one line of `trans dx dy dz [f0 f1]; rot x|y|z degrees [f0 f1]; spiral radius [f0 f1]`, whose "
    "matrices move the *points* (OpenCV axes): +x is camera left, +y up, +z back, rot y is yaw "
    "left; frames f0 to f1 take the motion, later ones keep it"
)
_VALUES = {"trans": 3, "rot": 1, "spiral": 1}


@dataclass(frozen=True)
class Motion:
    """One motion of the language.

    Attributes:
        kind: "trans", "rot" or "spiral".
        values: dx dy dz; degrees; or the radius.
        axis: "x", "y" or "z" for "rot", else "".
        frames: first and last frame of the motion, or None for the whole clip.
    """

    kind: str
    values: tuple[float, ...]
    axis: str = ""
    frames: tuple[int, int] | None = None

    def matrices(self, count: int) -> FloatArray:
        """Return the matrices (count, 4, 4) that act on points."""
        first, last = self.frames or (0, count - 1)
        first, last = (min(max(frame, 0), count - 1) for frame in sorted((first, last)))
        span = max(last - first, 1)
        progress = np.clip((np.arange(count) - first) / span, 0.0, 1.0)
        result = np.tile(np.eye(4), (count, 1, 1))
        if self.kind == "trans":
            result[:, :3, 3] = progress[:, None] * np.asarray(self.values)
        elif self.kind == "rot":
            result[:, :3, :3] = rotation_about(self.axis, np.radians(self.values[0]) * progress)
        else:
            result = _spiral(self.values[0], progress)
        return result

    def text(self) -> str:
        """Return the motion as it is written."""
        span = "" if self.frames is None else f" {self.frames[0]} {self.frames[1]}"
        axis = f"{self.axis} " if self.axis else ""
        return f"{self.kind} {axis}{words(self.values)}{span}"


@dataclass(frozen=True)
class DasMotion:
    """A sequence of motions."""

    motions: tuple[Motion, ...]

    def trajectory(self, frames: int) -> Trajectory:
        """Return the trajectory: the product of the motions' matrices, in their order."""
        target_from_source = np.tile(np.eye(4), (frames, 1, 1))
        for motion in self.motions:
            target_from_source = target_from_source @ motion.matrices(frames)
        return Trajectory(target_from_source, parameters=self)


def parse_das(text: str, where: str = "DaS") -> DasMotion:
    """Parse the language.

    Raises:
        ValueError: naming the motion that is not understood.
    """
    motions = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        kind, *fields = part.lower().split()
        if kind not in _VALUES:
            raise ValueError(f"{where}: unknown motion {part!r}; it is trans, rot or spiral")
        axis = fields.pop(0) if kind == "rot" and fields else ""
        if kind == "rot" and axis not in ("x", "y", "z"):
            raise ValueError(f"{where}: {part!r} must turn about x, y or z")
        count = _VALUES[kind]
        values = numbers(fields, f"{where}: {part!r}").tolist()
        if len(values) not in (count, count + 2):
            raise ValueError(f"{where}: {part!r} needs {count} numbers, and two frames if wanted")
        span = values[count:]
        if any(frame != int(frame) or frame < 0 for frame in span):
            raise ValueError(f"{where}: the frames of {part!r} must be whole numbers >= 0")
        frames = (int(span[0]), int(span[1])) if span else None
        motions.append(Motion(kind, tuple(values[:count]), axis, frames))
    if not motions:
        raise ValueError(f"{where}: no motion found, expected for example `rot y 25`")
    return DasMotion(tuple(motions))


def read_das(path: Path) -> DasMotion:
    """Read a text file that holds the language."""
    return parse_das(" ".join(read_text(path, "DaS").split()), str(path))


def write_das(path: Path, motion: DasMotion) -> None:
    """Write the language to a text file."""
    write_text(path, "; ".join(part.text() for part in motion.motions) + "\n")


def _spiral(radius: float, progress: FloatArray) -> FloatArray:
    """Return the tool's spiral: a small loop that always faces a point half a radius ahead.

    The tool builds camera poses and then lets them act on points, as it does with every motion.
    """
    reach = np.sin(np.pi * progress) * radius * 0.1
    angle = 2.0 * np.pi * progress
    position = np.stack((reach * np.sin(angle), 0.3 * reach * np.cos(angle), -0.5 * reach), axis=-1)
    if radius == 0.0:
        return np.tile(np.eye(4), (len(progress), 1, 1))
    return look_at(position, (0.0, 0.0, 0.5 * radius), up=(0.0, -1.0, 0.0))
