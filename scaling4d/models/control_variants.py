"""Other controls for comparison (§4.1), fed through the same projector and VNVS Blocks.

`correspondence` is ours. `inpainting` is TrajectoryCrafter's: warped video and mask, trained on
pairs from double reprojection. `aligned` is GEN3C's and Voyager's: warped video and mask, trained
on pairs of frames that cameras align. `camera` is ReCamMaster's: the camera matrices alone.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from scaling4d.correspondence.control import CONTROL_CHANNELS
from scaling4d.correspondence.warp import warp_from_depth

ControlVariant = Literal["correspondence", "inpainting", "aligned", "camera"]

_WARP_CHANNELS = ("warped", "mask")
_CAMERA_CHANNELS = 12  # the first three rows of target_from_source


def control_channels(variant: str) -> int:
    """Channels of the control tensor of a variant.

    Raises:
        ValueError: for an unknown variant.
    """
    if variant not in get_args(ControlVariant):
        raise ValueError(
            f"control variant must be one of {', '.join(get_args(ControlVariant))}, got {variant!r}"
        )
    if variant == "correspondence":
        return max(part.stop for part in CONTROL_CHANNELS.values())
    if variant == "camera":
        return _CAMERA_CHANNELS
    return sum(CONTROL_CHANNELS[n].stop - CONTROL_CHANNELS[n].start for n in _WARP_CHANNELS)


def select_control(
    variant: str,
    control: Float[Tensor, "batch frames 9 height width"],
    target_from_source: Float[Tensor, "batch frames 4 4"] | None = None,
) -> Float[Tensor, "batch frames channels height width"]:
    """Take a variant's control out of the full one.

    Args:
        variant: which comparison.
        control: of `scaling4d.correspondence.control.build_control`.
        target_from_source: poses, for `camera` alone; every pixel of a frame gets its 12 numbers.

    Raises:
        ValueError: if `camera` has no poses.
    """
    if variant == "correspondence":
        return control
    if variant != "camera":
        return torch.cat([control[:, :, CONTROL_CHANNELS[n]] for n in _WARP_CHANNELS], dim=2)
    if target_from_source is None:
        raise ValueError(
            "the control variant camera needs target_from_source for every frame; real clips "
            "without cameras cannot train it (use synthetic pairs)"
        )
    numbers = target_from_source[..., :3, :].flatten(-2).to(control)
    return numbers[..., None, None].expand(*numbers.shape, *control.shape[-2:])


def double_reprojection(
    video: Float[Tensor, "frames 3 height width"],
    depth: Float[Tensor, "frames height width"],
    intrinsics: Float[Tensor, "frames 3 3"],
    target_from_source: Float[Tensor, "frames 4 4"],
) -> tuple[Float[Tensor, "frames 3 height width"], Float[Tensor, "frames 1 height width"]]:
    """Move a video to another view and back, which leaves its own pixels with realistic holes.

    The pair (result, video) trains inpainting without a second camera (TrajectoryCrafter). Depth
    travels with the colours, so the way back uses what the other view saw.

    Returns:
        The video with holes (0 there), and the mask (1 where a pixel survived).
    """
    there = warp_from_depth(video, depth, intrinsics, intrinsics, target_from_source)
    seen = there.mask[:, 0] > 0
    target_depth = there.field.target_depth
    assert target_depth is not None
    index = there.winner.flatten(1).clamp_min(0).long()
    other_depth = target_depth.flatten(1).gather(1, index).view_as(depth)
    other_depth = torch.where(seen, other_depth, torch.full_like(other_depth, torch.nan))
    back = warp_from_depth(
        there.warped,
        other_depth,
        intrinsics,
        intrinsics,
        torch.linalg.inv(target_from_source),
    )
    return back.warped, back.mask


def aligned_frames(
    video: Float[Tensor, "frames 3 height width"],
    depth: Float[Tensor, "frames height width"],
    intrinsics: Float[Tensor, "frames 3 3"],
    world_from_camera: Float[Tensor, "frames 4 4"],
    source_index: int,
) -> tuple[Float[Tensor, "frames 3 height width"], Float[Tensor, "frames 1 height width"]]:
    """Move one frame of a video to the cameras of all its frames (GEN3C, Voyager).

    The pair (result, video) trains on monocular video with cameras; what moved by itself is wrong
    in the result, which is the weakness that §4.2 names.

    Returns:
        The moved frame at every camera (0 in holes), and the mask (1 where a pixel was drawn).
    """
    frames = len(video)
    target_from_source = torch.linalg.inv(world_from_camera) @ world_from_camera[source_index]
    moved = warp_from_depth(
        video[source_index].expand(frames, -1, -1, -1).contiguous(),
        depth[source_index].expand(frames, -1, -1).contiguous(),
        intrinsics[source_index].expand(frames, -1, -1),
        intrinsics,
        target_from_source,
    )
    return moved.warped, moved.mask
