"""BVH motion capture: the file format (Biovision hierarchy) read into joints and rotations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

__all__ = ["BvhClip", "BvhError", "read_bvh"]


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
    joints: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[list[str]] = []
    stack: list[int] = []
    end_site = False
    index = 0

    def fail(reason: str) -> BvhError:
        return BvhError(f"{path}, line {index + 1}: {reason}")

    while index < len(lines):
        words = lines[index].split()
        keyword = words[0].upper() if words else ""
        try:
            if keyword in ("ROOT", "JOINT"):
                joints.append(words[1])
                parents.append(stack[-1] if stack else -1)
                offsets.append([0.0, 0.0, 0.0])
                channels.append([])
            elif keyword == "END":
                end_site = True
            elif keyword == "{":
                stack.append(-2 if end_site else len(joints) - 1)
            elif keyword == "}":
                end_site = False
                stack.pop()
            elif keyword == "OFFSET" and not end_site:
                offsets[stack[-1]] = [float(word) for word in words[1:4]]
            elif keyword == "CHANNELS":
                channels[stack[-1]] = [word.lower() for word in words[2 : 2 + int(words[1])]]
            elif keyword == "MOTION":
                break
            elif keyword and keyword not in ("HIERARCHY", "OFFSET"):
                raise fail(f"unknown keyword {words[0]!r}")
        except (IndexError, ValueError) as error:
            if isinstance(error, BvhError):
                raise
            raise fail(f"malformed {keyword or 'line'}") from error
        index += 1
    if index == len(lines) or not joints:
        raise BvhError(f"{path}: no HIERARCHY and MOTION sections: is it a BVH file?")
    frames, frame_time, values = _motion(path, lines, index, sum(map(len, channels)))
    return _clip(
        joints, parents, np.asarray(offsets), channels, values.reshape(frames, -1), frame_time
    )


def _motion(path: Path, lines: list[str], index: int, width: int) -> tuple[int, float, np.ndarray]:
    try:
        frames = int(lines[index + 1].split(":")[1])
        frame_time = float(lines[index + 2].split(":")[1])
        values = np.array(" ".join(lines[index + 3 :]).split(), float)
    except (IndexError, ValueError) as error:
        raise BvhError(f"{path}, line {index + 2}: malformed MOTION section") from error
    if frames < 1 or frame_time <= 0 or not np.isfinite(values).all():
        raise BvhError(f"{path}: needs 1 or more frames, a positive frame time and finite values")
    if values.size < frames * width:
        raise BvhError(
            f"{path}: {frames} frames of {width} channels announced, {values.size} values found"
        )
    return frames, frame_time, values[: frames * width]


def _clip(
    joints: list[str],
    parents: list[int],
    offsets: np.ndarray,
    channels: list[list[str]],
    values: np.ndarray,
    frame_time: float,
) -> BvhClip:
    frames, count = len(values), len(joints)
    rotations = np.broadcast_to(np.eye(3), (frames, count, 3, 3)).copy()
    positions = np.broadcast_to(offsets, (frames, count, 3)).copy()
    column = 0
    for j, names in enumerate(channels):
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
    return BvhClip(tuple(joints), np.asarray(parents), offsets, rotations, positions, frame_time)
