"""Double reprojection: the training data of inpainting methods, for the ablation against them.

A video is moved into a target view and back again. What comes back shows the source view with holes
where the target did not see it, which those methods train on as if it were a rendering of a novel
view (sections 1 and 3.1 name the training-inference gap that follows).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike
from torch import Tensor

from scaling4d.geometry.camera import invert_pose

from .cameras import frame_matrices
from .splat import Rule, gather
from .warp import Warp, warp_from_depth


@dataclass(frozen=True)
class DoubleReprojection:
    """Both halves of the way.

    Attributes:
        there: the source video in the target view.
        back: that rendering in the source view: ``back.warped`` has holes where ``back.mask`` is 0,
            and the source video itself is the ground truth of inpainting.
    """

    there: Warp
    back: Warp


def double_reprojection(
    source: Shaped[Tensor, "frames channels height width"],
    depth: Float[Tensor, "frames height width"],
    source_intrinsics: ArrayLike | Tensor,
    target_intrinsics: ArrayLike | Tensor,
    target_from_source: ArrayLike | Tensor,
    *,
    rule: Rule = "nearest",
    seed: int = 0,
) -> DoubleReprojection:
    """Move a video to the target and back with the depth that was drawn there.

    Arguments and errors are those of `warp_from_depth`.
    """
    pose = frame_matrices(target_from_source, len(depth), 4, "target_from_source")
    there = warp_from_depth(
        source, depth, source_intrinsics, target_intrinsics, pose, rule=rule, seed=seed
    )
    assert there.field.target_depth is not None
    drawn, mask = gather(there.field.target_depth[:, None], there.winner)
    drawn_depth = drawn.masked_fill(mask == 0, torch.nan)[:, 0]  # a hole has no point to move back
    back = warp_from_depth(
        there.warped,
        drawn_depth,
        target_intrinsics,
        source_intrinsics,
        invert_pose(pose),
        rule=rule,
        seed=seed,
    )
    return DoubleReprojection(there, back)
