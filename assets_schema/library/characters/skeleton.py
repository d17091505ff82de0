"""A body's skeleton and how a motion, authored on a neutral figure, becomes its joint rotations.

Joint frames are parallel to the world at rest, so a rest transform is a translation alone. A motion
is authored against a *neutral stance*: standing straight, arms hanging, feet along -y. Each joint
of a body carries the rotation that takes its own rest pose (MakeHuman's relaxed A-pose) to that
stance, so one motion means the same on every body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

__all__ = ["SIDES", "Skeleton", "between", "make_skeleton"]

SIDES = ("Left", "Right")
DOWN = np.array([0.0, 0.0, -1.0])
# The stance's direction of a bone, for the joints whose rest direction differs from it.
_STANCE = {"UpLeg": DOWN, "Leg": DOWN, "Arm": DOWN, "ForeArm": DOWN, "Hand": DOWN}
_CHILD = {"UpLeg": "Leg", "Leg": "Foot", "Arm": "ForeArm", "ForeArm": "Hand", "Hand": "HandMiddle1"}
# Hanging arms turn about their own length so that palms face the thighs, degrees for the left side.
_TWIST = {"Arm": -20.0, "ForeArm": -50.0, "Hand": -60.0}


@dataclass(frozen=True)
class Skeleton:
    """Joints of one body.

    Attributes:
        joints: names, parents first; parents: index per joint, -1 at the root.
        heads: (J, 3) rest positions, metres.
        stance: per joint the rotation from the rest pose to the neutral stance.
        heel, ball: per side the rest position (3,) under the heel and under the toe joint.
    """

    joints: tuple[str, ...]
    parents: np.ndarray
    heads: np.ndarray
    stance: tuple[Rotation, ...]
    heel: dict[str, np.ndarray]
    ball: dict[str, np.ndarray]

    def index(self, name: str) -> int:
        """Position of a joint by name."""
        return self.joints.index(name)

    def bone(self, joint: str, child: str) -> np.ndarray:
        """Rest vector (3,) from a joint to another."""
        return self.heads[self.index(child)] - self.heads[self.index(joint)]

    @property
    def leg_length(self) -> float:
        """Thigh plus shin, metres."""
        thigh = np.linalg.norm(self.bone("LeftUpLeg", "LeftLeg"))
        return float(thigh + np.linalg.norm(self.bone("LeftLeg", "LeftFoot")))

    @property
    def usd_paths(self) -> list[str]:
        """Joint tokens as UsdSkel wants them: each path holds its ancestors."""
        paths: list[str] = []
        for name, parent in zip(self.joints, self.parents, strict=True):
            paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
        return paths

    def offsets(self) -> np.ndarray:
        """Rest translations (J, 3) relative to the parent joint."""
        base = np.where((self.parents >= 0)[:, None], self.heads[self.parents], 0.0)
        return self.heads - base

    def forward(self, rotations: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World joint positions (T, J, 3) and matrices (T, J, 3, 3) of local rotation matrices.

        `rotations` (T, J, 3, 3) local matrices, `root` (T, 3) hip positions.
        """
        offsets = self.offsets()
        world = np.empty_like(rotations)
        place = np.empty((*rotations.shape[:2], 3))
        for j, parent in enumerate(self.parents):
            if parent < 0:
                world[:, j], place[:, j] = rotations[:, j], root
            else:
                world[:, j] = world[:, parent] @ rotations[:, j]
                place[:, j] = place[:, parent] + world[:, parent] @ offsets[j]
        return place, world


def between(start: np.ndarray, end: np.ndarray) -> Rotation:
    """The smallest rotation that takes direction `start` (3,) to `end` (3,)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(a, b)
    sine, cosine = np.linalg.norm(axis), float(a @ b)
    if sine < 1e-9:
        return Rotation.identity()
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine))


def make_skeleton(
    joints: tuple[str, ...], parents: np.ndarray, heads: np.ndarray, soles: dict[str, np.ndarray]
) -> Skeleton:
    """The skeleton of a body; `soles` holds per side the points (n, 3) of the foot's skin."""
    stance: list[Rotation] = []
    for name, parent in zip(joints, parents, strict=True):
        side = next((s for s in SIDES if name.startswith(s)), "")
        part = name.removeprefix(side)
        if part in _STANCE:
            child = joints.index(side + _CHILD[part])
            turn = between(heads[child] - heads[joints.index(name)], _STANCE[part])
            sign = 1.0 if side == "Left" else -1.0
            twist = Rotation.from_euler("z", sign * _TWIST.get(part, 0.0), degrees=True)
            stance.append(twist * turn)
        elif part in ("Foot", "ToeBase"):
            toe = heads[joints.index(side + "ToeBase")] - heads[joints.index(side + "Foot")]
            stance.append(between(toe * [1, 1, 0], np.array([0.0, -1.0, 0.0])))
        elif parent >= 0 and side and part not in ("Shoulder",):
            stance.append(stance[parent])  # fingers keep their relaxed curl
        else:
            stance.append(Rotation.identity())
    heel, ball = {}, {}
    for side, skin in soles.items():
        ankle, toe = heads[joints.index(side + "Foot")], heads[joints.index(side + "ToeBase")]
        heel[side] = np.array([ankle[0], skin[:, 1].max() - 0.012, 0.0])
        ball[side] = np.array([toe[0], toe[1], 0.0])
    return Skeleton(joints, parents, heads, tuple(stance), heel, ball)
