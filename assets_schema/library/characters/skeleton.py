"""A body's skeleton and how a motion, authored on a neutral figure, becomes its joint rotations.

Joint frames are parallel to the world in the bind pose, so a bind transform is a translation alone.
At rest the fingers are curled besides, which is what they do in motions that say nothing of them.
A motion is authored against a *neutral stance*: standing straight, arms hanging, feet along -y.
Each joint of a body carries the rotation that takes its bind pose (MakeHuman's relaxed A-pose) to
that stance, so one motion means the same on every body.
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
_SHOULDER_DROP = 11.0  # degrees by which collar bones sink when arms hang instead of standing off
# Hanging arms turn about their own length so that palms face the thighs, degrees for the left side.
_TWIST = {"Arm": -20.0, "ForeArm": -50.0, "Hand": -60.0}


@dataclass(frozen=True)
class Skeleton:
    """Joints of one body.

    Attributes:
        joints: names, parents first; parents: index per joint, -1 at the root.
        heads: (J, 3) rest positions, metres.
        stance: per joint the rotation from the bind pose to the neutral stance.
        rest: per joint its own rotation at rest, relative to its parent.
        heel, ball: per side the rest position (3,) under the heel and under the toe joint.
    """

    joints: tuple[str, ...]
    parents: np.ndarray
    heads: np.ndarray
    stance: tuple[Rotation, ...]
    rest: tuple[Rotation, ...]
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
    rest = _relaxed_hands(joints, heads)
    stance: list[Rotation] = []
    for index, (name, parent) in enumerate(zip(joints, parents, strict=True)):
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
        elif part == "Shoulder":
            sign = 1.0 if side == "Left" else -1.0
            stance.append(Rotation.from_euler("y", sign * _SHOULDER_DROP, degrees=True))
        elif parent >= 0 and side:
            stance.append(stance[parent] * rest[index])  # fingers
        else:
            stance.append(Rotation.identity())
    heel, ball = {}, {}
    for side, skin in soles.items():
        ankle, toe = heads[joints.index(side + "Foot")], heads[joints.index(side + "ToeBase")]
        heel[side] = np.array([ankle[0], skin[:, 1].max() - 0.012, 0.0])
        ball[side] = np.array([toe[0], toe[1], 0.0])
    return Skeleton(joints, parents, heads, tuple(stance), rest, heel, ball)


# Degrees by which the bones of a relaxed finger are bent, from the knuckle outwards.
_CURL = {
    "Index": (16.0, 24.0, 16.0),
    "Middle": (22.0, 28.0, 18.0),
    "Ring": (26.0, 30.0, 20.0),
    "Pinky": (28.0, 30.0, 20.0),
    "Thumb": (8.0, 12.0, 18.0),
}


def _relaxed_hands(joints: tuple[str, ...], heads: np.ndarray) -> tuple[Rotation, ...]:
    """Per joint its rotation at rest: fingers bent towards the palm and drawn together."""
    at = dict(zip(joints, heads, strict=True))
    rest = []
    for name in joints:
        side = next((s for s in SIDES if name.startswith(f"{s}Hand")), "")
        finger = name.removeprefix(f"{side}Hand")
        if not side or finger[:-1] not in _CURL or f"{side}HandPinky1" not in at:
            rest.append(Rotation.identity())
            continue
        middle = at[f"{side}HandMiddle1"] - at[f"{side}Hand"]
        across = at[f"{side}HandPinky1"] - at[f"{side}HandIndex1"]
        palm = np.cross(middle, across) * (1 if side == "Left" else -1)  # out of the palm
        root = at[f"{side}Hand{finger[:-1]}1"]
        along = at[f"{side}Hand{finger[:-1]}2"] - root
        bend = np.cross(along, palm)
        number = int(finger[-1]) - 1
        degrees = _CURL[finger[:-1]][number] if number < 3 else 0.0
        turn = Rotation.from_rotvec(np.radians(degrees) * bend / np.linalg.norm(bend))
        if number == 0 and finger[:-1] != "Thumb":  # fingers lie side by side
            flat = along - palm * (along @ palm) / (palm @ palm)
            turn = turn * Rotation.from_rotvec(0.6 * between(flat, middle).as_rotvec())
        rest.append(turn)
    return tuple(rest)
