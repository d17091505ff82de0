"""Motion capture on our bodies: each bone points where the actor's bone points.

The actor's skeleton may have other proportions, units, axes and another rest pose. Joints are
matched by name (Mixamo's, CMU's and common aliases). Every matched joint takes the world turn of
the actor's joint relative to the actor's rest pose, corrected by the difference of the two rest
poses. The hips travel scaled by the ratio of leg lengths, at the height where feet meet the floor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from .bvh import BvhClip, BvhError, read_bvh
from .motion import FPS, SolvedMotion, continuous
from .skeleton import SIDES, Skeleton, between

__all__ = ["import_bvh", "match_joints", "retarget"]

_ALIASES = {
    "hip": "Hips",
    "pelvis": "Hips",
    "root": "Hips",
    "hips": "Hips",
    "lowerback": "Spine",
    "spine": "Spine",
    "spine1": "Spine1",
    "spine2": "Spine2",
    "chest": "Spine1",
    "chest2": "Spine2",
    "upperchest": "Spine2",
    "neck": "Neck",
    "neck1": "Neck",
    "head": "Head",
}
_LIMBS = {
    "shoulder": "Shoulder",
    "collar": "Shoulder",
    "clavicle": "Shoulder",
    "arm": "Arm",
    "uparm": "Arm",
    "upperarm": "Arm",
    "forearm": "ForeArm",
    "lowarm": "ForeArm",
    "lowerarm": "ForeArm",
    "elbow": "ForeArm",
    "hand": "Hand",
    "wrist": "Hand",
    "upleg": "UpLeg",
    "upperleg": "UpLeg",
    "thigh": "UpLeg",
    "leg": "Leg",
    "lowleg": "Leg",
    "lowerleg": "Leg",
    "knee": "Leg",
    "shin": "Leg",
    "foot": "Foot",
    "ankle": "Foot",
    "toebase": "ToeBase",
    "toe": "ToeBase",
}
# The next joint along a bone, which says where the bone points.
_NEXT = {
    "Hips": "Spine",
    "Spine": "Spine1",
    "Spine1": "Spine2",
    "Spine2": "Neck",
    "Neck": "Head",
    "Shoulder": "Arm",
    "Arm": "ForeArm",
    "ForeArm": "Hand",
    "UpLeg": "Leg",
    "Leg": "Foot",
    "Foot": "ToeBase",
}


def match_joints(names: tuple[str, ...], joints: tuple[str, ...]) -> dict[str, int]:
    """Our joint name -> index of the actor's joint that drives it."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        plain = name.split(":")[-1].replace("_", "").replace("-", "").replace(" ", "")
        target = plain if plain in joints else _alias(plain.lower())
        if target in joints and target not in found:
            found[target] = index
    return found


def _alias(plain: str) -> str:
    if plain in _ALIASES:
        return _ALIASES[plain]
    for side, marks in (("Left", ("left", "l")), ("Right", ("right", "r"))):
        for mark in marks:
            for limb in (plain.removeprefix(mark), plain.removesuffix(mark)):
                if limb != plain and limb in _LIMBS:
                    return side + _LIMBS[limb]
    return ""


def retarget(clip: BvhClip, skeleton: Skeleton, fps: float = FPS) -> SolvedMotion:
    """The clip on our skeleton, resampled to `fps`, starting over the origin and facing -y.

    Raises:
        BvhError: when hips and both legs cannot be matched by name.
    """
    match = match_joints(clip.joints, skeleton.joints)
    needed = ["Hips", *(side + part for side in SIDES for part in ("UpLeg", "Leg", "Foot"))]
    missing = [name for name in needed if name not in match]
    if missing:
        raise BvhError(
            f"cannot match joints {missing} in a file with {list(clip.joints)[:8]}...: "
            "rename them as Mixamo or CMU do"
        )
    rest = clip.rest()
    actor_leg = sum(
        float(np.linalg.norm(rest[match[f"Left{a}"]] - rest[match[f"Left{b}"]]))
        for a, b in (("UpLeg", "Leg"), ("Leg", "Foot"))
    )
    if not actor_leg > 0:
        raise BvhError("the actor's left leg has no length at rest: check the OFFSET lines")
    ours_from_actor = _axes(rest, match)
    place, turn = clip.world()
    world = _world_turns(
        skeleton, match, rest @ ours_from_actor.T, ours_from_actor @ turn @ ours_from_actor.T
    )
    local = world.copy()
    for j, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[:, j] = np.swapaxes(world[:, parent], 1, 2) @ world[:, j]
    root = place[:, match["Hips"]] @ ours_from_actor.T * (skeleton.leg_length / actor_leg)
    quaternions, root = _resampled(local, root, clip.frame_time, fps)
    return _grounded(skeleton, quaternions, root)


def import_bvh(path: Path, skeleton: Skeleton, fps: float = FPS) -> SolvedMotion:
    """Read a BVH file and put it on a skeleton; see `retarget`."""
    return retarget(read_bvh(path), skeleton, fps)


def _axes(rest: np.ndarray, match: dict[str, int]) -> np.ndarray:
    """Rotation (3, 3) from the actor's axes to ours, from where the rest pose has up and left."""
    feet = (rest[match["LeftFoot"]] + rest[match["RightFoot"]]) / 2
    up = rest[match["Hips"]] - feet
    axis = int(np.argmax(np.abs(up)))
    up = np.eye(3)[axis] * np.sign(up[axis])
    left = rest[match["LeftUpLeg"]] - rest[match["RightUpLeg"]]
    left = left - up * (left @ up)
    left /= np.linalg.norm(left)
    return np.stack([left, np.cross(up, left), up])


def _world_turns(
    skeleton: Skeleton, match: dict[str, int], rest: np.ndarray, turn: np.ndarray
) -> np.ndarray:
    """World rotations (T, J, 3, 3) of our joints."""
    frames = len(turn)
    world = np.empty((frames, len(skeleton.joints), 3, 3))
    for j, name in enumerate(skeleton.joints):
        if name not in match:
            parent = skeleton.parents[j]
            at_rest = skeleton.rest[j].as_matrix()
            world[:, j] = world[:, parent] @ at_rest if parent >= 0 else at_rest
            continue
        side = next((s for s in SIDES if name.startswith(s)), "")
        follower = side + _NEXT.get(name.removeprefix(side), "")
        fix = np.eye(3)
        limb = name.removeprefix(side) not in (
            "Hips",
            "Spine",
            "Spine1",
            "Spine2",
            "Neck",
            "Shoulder",
        )
        if limb and follower in match and follower in skeleton.joints:
            ours = skeleton.heads[skeleton.index(follower)] - skeleton.heads[j]
            theirs = rest[match[follower]] - rest[match[name]]
            fix = between(ours, theirs).as_matrix()
        elif (name.startswith(SIDES) and name.endswith("Hand")) or "Hand" in name:
            fix = _rest_difference(skeleton, match, rest, side)
        world[:, j] = turn[:, match[name]] @ fix
    return world


def _rest_difference(
    skeleton: Skeleton, match: dict[str, int], rest: np.ndarray, side: str
) -> np.ndarray:
    """How far the actor's forearm at rest is turned from ours; a hand goes along with it."""
    start, end = f"{side}ForeArm", f"{side}Hand"
    if start not in match or end not in match:
        return np.eye(3)
    ours = skeleton.heads[skeleton.index(end)] - skeleton.heads[skeleton.index(start)]
    return between(ours, rest[match[end]] - rest[match[start]]).as_matrix()


def _resampled(
    local: np.ndarray, root: np.ndarray, frame_time: float, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (F, J, 4) and roots (F, 3) at `fps`, by slerp and linear interpolation."""
    times = np.arange(len(root)) * frame_time
    if len(root) == 1:
        return Rotation.from_matrix(local[0]).as_quat()[None], root
    goal = np.arange(int(np.floor(times[-1] * fps + 1e-9)) + 1) / fps
    quaternions = np.stack(
        [
            Slerp(times, Rotation.from_matrix(local[:, j]))(goal).as_quat()
            for j in range(local.shape[1])
        ],
        axis=1,
    )
    return quaternions, np.stack([np.interp(goal, times, root[:, k]) for k in range(3)], axis=1)


def _grounded(skeleton: Skeleton, quaternions: np.ndarray, root: np.ndarray) -> SolvedMotion:
    """Start over the origin; the lowest point of a sole over the whole clip lies on the floor."""
    frames, count = quaternions.shape[:2]
    matrices = (
        Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix().reshape(frames, count, 3, 3)
    )
    root = root - (*root[0, :2], 0.0)
    positions, world = skeleton.forward(matrices, root)
    lowest = np.full(frames, np.inf)
    for side in SIDES:
        ankle = skeleton.index(side + "Foot")
        for sole in (skeleton.heel[side], skeleton.ball[side]):
            offset = sole - skeleton.heads[ankle]
            height = positions[:, ankle, 2] + world[:, ankle, 2] @ offset
            lowest = np.minimum(lowest, height)
    # The clip's ground is where feet are most of the time; a jump must not lift the floor.
    drop = float(np.quantile(lowest, 0.1))
    root, positions = root - (0, 0, drop), positions - (0, 0, drop)
    travels = bool(np.linalg.norm(root[-1, :2] - root[0, :2]) > 0.3)
    return SolvedMotion(continuous(quaternions), root, positions, loop=False, travels=travels)
