"""BVH motion capture: the file format (Biovision hierarchy) read into joints and rotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

__all__ = ["BvhClip", "BvhError", "read_bvh"]

_CHANNELS = {f"{axis}{kind}" for axis in "xyz" for kind in ("position", "rotation")}


class BvhError(ValueError):
    """A file that is no readable BVH; the message names the line."""


@dataclass(frozen=True)
class BvhClip:
    """A clip in the file's own units and axes.

    Attributes:
        joints, parents: names (parents first; "" prefix kept as in the file) and parent indices.
        offsets: (J, 3) rest translation from the parent.
        rotations: (T, J, 3, 3) local rotation matrices.
        positions: (T, J, 3) local translations (the offset where a joint has no position channels).
        frame_time: seconds.
    """

    joints: tuple[str, ...]
    parents: np.ndarray
    offsets: np.ndarray
    rotations: np.ndarray
    positions: np.ndarray
    frame_time: float

    def world(self) -> tuple[np.ndarray, np.ndarray]:
        """Joint positions (T, J, 3) and world rotations (T, J, 3, 3)."""
        place, turn = np.empty_like(self.positions), np.empty_like(self.rotations)
        for j, parent in enumerate(self.parents):
            if parent < 0:
                place[:, j], turn[:, j] = self.positions[:, j], self.rotations[:, j]
            else:
                turn[:, j] = turn[:, parent] @ self.rotations[:, j]
                place[:, j] = place[:, parent] + np.einsum(
                    "tij,tj->ti", turn[:, parent], self.positions[:, j]
                )
        return place, turn

    def rest(self) -> np.ndarray:
        """Joint positions (J, 3) of the hierarchy with every rotation zero."""
        place = np.zeros_like(self.offsets)
        for j, parent in enumerate(self.parents):
            place[j] = self.offsets[j] + (place[parent] if parent >= 0 else 0)
        return place


def read_bvh(path: Path) -> BvhClip:
    """Read a BVH file.

    Raises:
        BvhError: for a file that is missing, truncated or malformed, naming the line.
    """
    try:
        lines = Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        raise BvhError(f"cannot read {path}: {error.strerror}") from error
    hierarchy = _Hierarchy()
    for index, line in enumerate(lines):
        words = line.split()
        if words and words[0].upper() == "MOTION":
            break
        try:
            if words:
                hierarchy.read(words[0].upper(), words[1:])
        except (IndexError, ValueError) as error:
            raise BvhError(f"{path}, line {index + 1}: {error}") from error
    else:
        raise BvhError(f"{path}: no HIERARCHY and MOTION sections: is it a BVH file?")
    if hierarchy.open or not hierarchy.joints:
        raise BvhError(f"{path}, line {index + 1}: MOTION before the joints' braces are closed")
    frame_time, values = _motion(path, lines, index, sum(map(len, hierarchy.channels)))
    return _clip(hierarchy, values, frame_time)


@dataclass
class _Hierarchy:
    """The joints read so far; `open` holds the joint of each open brace, -1 for an end site."""

    joints: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    announced: int | None = None

    def read(self, keyword: str, words: list[str]) -> None:
        """Take one line in; ValueError or IndexError for a malformed one."""
        if keyword in ("ROOT", "JOINT"):
            name = " ".join(words)
            if not name or name in self.joints:
                raise ValueError(f"joint name {name!r} is missing or given twice")
            self.announced = len(self.joints)
            self.joints.append(name)
            self.parents.append(self.open[-1] if self.open else -1)
            self.offsets.append([0.0, 0.0, 0.0])
            self.channels.append([])
        elif keyword == "END":
            self.announced = -1
        elif keyword == "{":
            if self.announced is None:
                raise ValueError("a brace opens without a joint before it")
            self.open.append(self.announced)
            self.announced = None
        elif keyword == "}":
            if not self.open:
                raise ValueError("a brace closes that never opened")
            self.open.pop()
        elif keyword == "OFFSET":
            offset = [float(word) for word in words]
            if len(offset) != 3 or not np.isfinite(offset).all():
                raise ValueError(f"OFFSET needs three finite numbers, got {' '.join(words)!r}")
            if self.open[-1] >= 0:
                self.offsets[self.open[-1]] = offset
        elif keyword == "CHANNELS":
            names = [word.lower() for word in words[1:]]
            if len(names) != int(words[0]) or not set(names) <= _CHANNELS:
                raise ValueError(
                    f"CHANNELS {' '.join(words)!r} is not a count and as many of Xposition, "
                    "Yrotation, ..."
                )
            self.channels[self.open[-1]] = names
        elif keyword != "HIERARCHY":
            raise ValueError(f"unknown keyword {keyword!r}")


def _motion(path: Path, lines: list[str], index: int, width: int) -> tuple[float, np.ndarray]:
    """Seconds per frame and the channels' values (frames, width)."""
    try:
        frames = int(lines[index + 1].split(":")[1])
        frame_time = float(lines[index + 2].split(":")[1])
        values = np.array(" ".join(lines[index + 3 :]).split(), float)
    except (IndexError, ValueError) as error:
        raise BvhError(f"{path}, line {index + 2}: malformed MOTION section") from error
    if frames < 1 or not 0 < frame_time < np.inf or not np.isfinite(values).all():
        raise BvhError(f"{path}: needs 1 or more frames, a positive frame time and finite values")
    if values.size != frames * width:
        raise BvhError(
            f"{path}: {frames} frames of {width} channels announced, {values.size} values found"
        )
    return frame_time, values.reshape(frames, width)


def _clip(hierarchy: _Hierarchy, values: np.ndarray, frame_time: float) -> BvhClip:
    joints, offsets = hierarchy.joints, np.asarray(hierarchy.offsets)
    frames, count = len(values), len(joints)
    rotations = np.broadcast_to(np.eye(3), (frames, count, 3, 3)).copy()
    positions = np.broadcast_to(offsets, (frames, count, 3)).copy()
    column = 0
    for j, names in enumerate(hierarchy.channels):
        for name in names:
            axis = "xyz".index(name[0])
            if name.endswith("position"):
                positions[:, j, axis] = values[:, column]
            else:
                turn = Rotation.from_euler(
                    "xyz"[axis], values[:, [column]], degrees=True
                ).as_matrix()
                rotations[:, j] = rotations[:, j] @ turn
            column += 1
    parents = np.asarray(hierarchy.parents)
    return BvhClip(tuple(joints), parents, offsets, rotations, positions, frame_time)
