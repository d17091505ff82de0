"""Solved motions as SkelAnimations that name only the joints which leave their rest pose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pxr import Gf, Sdf, Usd, UsdSkel, Vt

from .motion import SolvedMotion
from .skeleton import Skeleton

__all__ = ["write_animations"]


def write_animations(
    stage: Usd.Stage, scope: Sdf.Path, cast: Mapping[str, tuple[Skeleton, SolvedMotion]]
) -> None:
    """One SkelAnimation per body at ``<scope>/<body>``, a sample per frame from time code 0."""
    moved = np.any([_moving(skeleton, motion) for skeleton, motion in cast.values()], axis=0)
    joints = np.flatnonzero(moved)
    for body, (skeleton, motion) in cast.items():
        _write(stage, scope.AppendChild(body), skeleton, motion, joints)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(next(iter(cast.values()))[1].frames - 1)


def _moving(skeleton: Skeleton, motion: SolvedMotion) -> np.ndarray:
    """Mask (J,) of the joints that a motion turns away from rest; the hips always count."""
    rest = np.stack([turn.as_quat() for turn in skeleton.rest])
    same = np.abs((motion.quaternions * rest).sum(axis=-1)).min(axis=0)
    return (same < 1 - 1e-9) | (skeleton.parents < 0)


def _write(
    stage: Usd.Stage, path: Sdf.Path, skeleton: Skeleton, motion: SolvedMotion, joints: np.ndarray
) -> None:
    animation = UsdSkel.Animation.Define(stage, path)
    animation.CreateJointsAttr([skeleton.usd_paths[joint] for joint in joints])
    offsets = skeleton.offsets().astype(np.float32)
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)] * len(joints))
    hips = skeleton.index("Hips")
    for frame in range(motion.frames):
        offsets[hips] = motion.root[frame]
        translations.Set(Vt.Vec3fArray.FromNumpy(offsets[joints]), frame)
        quaternions = motion.quaternions[frame, joints]  # x, y, z, w; Gf wants the real part first
        rotations.Set(
            Vt.QuatfArray([Gf.Quatf(w, x, y, z) for x, y, z, w in quaternions.tolist()]), frame
        )
