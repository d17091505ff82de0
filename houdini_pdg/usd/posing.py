"""Raising or lowering a seated skeleton to its seat: the feet stay, the legs bend to suit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pxr import Usd, UsdSkel, Vt
from scipy.spatial.transform import Rotation

_SIDES = ("Left", "Right")
_LEG = ("UpLeg", "Leg", "Foot")


def joint_names(query: UsdSkel.SkeletonQuery) -> list[str]:
    """Names of the joints without their ancestors and without a namespace."""
    return [str(path).rsplit("/", 1)[-1].rsplit(":", 1)[-1] for path in query.GetJointOrder()]


def hip_joint(query: UsdSkel.SkeletonQuery) -> int:
    """Index of the hips: the joint of that name, else the first one."""
    names = [name.lower() for name in joint_names(query)]
    return next((names.index(name) for name in ("hips", "pelvis") if name in names), 0)


def joint_places(query: UsdSkel.SkeletonQuery, codes: Sequence[float]) -> np.ndarray:
    """Joint positions (T, J, 3) in the skeleton's space."""
    return np.stack([_matrices(query, code)[:, :3, 3] for code in codes])


def can_adapt(query: UsdSkel.SkeletonQuery) -> bool:
    """Whether the legs' joints are known by name (those of Mixamo's skeletons)."""
    names = joint_names(query)
    return all(side + part in names for side in _SIDES for part in _LEG)


def skinning_transforms(
    query: UsdSkel.SkeletonQuery, code: float, lift: float = 0.0
) -> Vt.Matrix4dArray:
    """Skinning transforms at a time code with everything but the feet lifted by `lift` metres.

    Knees bend in their own plane so that ankles stay where they are.
    """
    if lift == 0.0:
        return query.ComputeSkinningTransforms(Usd.TimeCode(code))
    matrices = _matrices(query, code)
    names, parents = joint_names(query), list(query.GetTopology().GetParentIndices())
    moved = matrices.copy()
    moved[:, 2, 3] += lift
    for side in _SIDES:
        thigh, shin, foot = (names.index(side + part) for part in _LEG)
        _bend(moved, matrices, thigh, shin, foot)
        for joint in range(len(names)):
            if joint == foot or _below(parents, joint, foot):
                moved[joint] = matrices[joint]
    bind = UsdSkel.Skeleton(query.GetPrim()).GetBindTransformsAttr().Get()
    skinning = [now.T for now in moved @ np.linalg.inv([np.array(each).T for each in bind])]
    return Vt.Matrix4dArray.FromNumpy(np.stack(skinning))


def _bend(moved: np.ndarray, before: np.ndarray, thigh: int, shin: int, foot: int) -> None:
    """Two-bone inverse kinematics from the moved hip socket to the ankle that stays."""
    socket, hip, knee, ankle = (
        moved[thigh, :3, 3],
        before[thigh, :3, 3],
        before[shin, :3, 3],
        before[foot, :3, 3],
    )
    upper, lower = np.linalg.norm(knee - hip), np.linalg.norm(ankle - knee)
    span = ankle - socket
    distance = np.clip(np.linalg.norm(span), abs(upper - lower) + 1e-4, 0.9999 * (upper + lower))
    axis = span / np.linalg.norm(span)
    aside = knee - hip
    aside = aside - axis * (aside @ axis)
    along = (upper**2 + distance**2 - lower**2) / (2 * distance)
    out = np.sqrt(max(upper**2 - along**2, 0.0)) / max(np.linalg.norm(aside), 1e-9)
    bent = socket + axis * along + aside * out
    for joint, start, end, old in (
        (thigh, socket, bent, knee - hip),
        (shin, bent, socket + axis * distance, ankle - knee),
    ):
        turn, _ = Rotation.align_vectors((end - start)[None], old[None])
        moved[joint, :3, :3] = turn.as_matrix() @ before[joint, :3, :3]
        moved[joint, :3, 3] = start


def _below(parents: Sequence[int], joint: int, ancestor: int) -> bool:
    while joint >= 0:
        joint = parents[joint]
        if joint == ancestor:
            return True
    return False


def _matrices(query: UsdSkel.SkeletonQuery, code: float) -> np.ndarray:
    """Joint transforms (J, 4, 4) in the skeleton's space, column vectors."""
    matrices = query.ComputeJointSkelTransforms(Usd.TimeCode(code))
    return np.swapaxes(np.array(matrices).reshape(-1, 4, 4), 1, 2)
