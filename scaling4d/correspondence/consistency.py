"""Which pixels of a pair see the same point: forward-backward checks and depth checks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .chaining import require_one_shape, sample
from .field import CorrespondenceField

# Sundaram, Brox and Keutzer (2010): |F + B|^2 < 0.01 (|F|^2 + |B|^2) + 0.5.
RELATIVE_TOLERANCE = 0.01
ABSOLUTE_TOLERANCE = 0.5


@dataclass(frozen=True)
class Consistency:
    """Result of the cycle test of a forward and a backward field.

    Attributes:
        residual: (frames, height, width) pixels between a pixel and where the cycle brings it, NaN
            where the cycle leaves the image or a field is missing.
        consistent: True where the residual is small against the length of the two steps.
        occluded: True where the pixel lands in the image and the cycle does not close: what is
            seen there is another point, or the flow is wrong.
    """

    residual: Float[Tensor, "frames height width"]
    consistent: Bool[Tensor, "frames height width"]
    occluded: Bool[Tensor, "frames height width"]

    def share(self) -> Float[Tensor, " frames"]:
        """Share of consistent pixels per frame, 0..1: the valid share of a clip pair."""
        return self.consistent.double().mean(dim=(1, 2))


def forward_backward(
    forward: CorrespondenceField,
    backward: CorrespondenceField,
    relative: float = RELATIVE_TOLERANCE,
    absolute: float = ABSOLUTE_TOLERANCE,
) -> Consistency:
    """Follow each pixel forward and back; the backward field is read at the displaced point.

    Args:
        forward: field from a to b.
        backward: field from b to a.
        relative: share of the two squared lengths that is allowed as squared residual.
        absolute: squared pixels allowed on top.

    Raises:
        ValueError: if the fields are not of one shape.
    """
    require_one_shape(forward, backward)
    returned = sample(backward.displacement.to(forward.displacement), forward.positions())
    cycle = (forward.displacement + returned).square().sum(dim=1)
    lengths = forward.displacement.square().sum(dim=1) + returned.square().sum(dim=1)
    consistent = cycle < relative * lengths + absolute  # False where NaN
    return Consistency(cycle.sqrt(), consistent, forward.in_frame() & ~consistent)


def covisible(
    field: CorrespondenceField,
    target_depth_map: Float[Tensor, "target_frames target_height target_width"],
    tolerance: float = 0.01,
) -> Bool[Tensor, "frames height width"]:
    """True where a pixel's point is the surface that the target's own depth map shows.

    A point counts as seen when it lies behind none of the four target pixels around its position
    by more than ``tolerance`` times their depth, and before not all of them by more: pixels beside
    an occlusion edge do not, nor does what the target's map does not show, moved or misjudged.

    Args:
        field: field with target depth.
        target_depth_map: planar z of the target image, +inf = no surface, NaN = unknown.
        tolerance: relative.

    Raises:
        ValueError: if the field has no target depth, or the map is not of its frames and size.
    """
    if field.target_depth is None:
        raise ValueError("covisibility by depth needs a field from depth, this one is from flow")
    if target_depth_map.shape != field.target_depth.shape:
        raise ValueError(
            f"the target's depth map must be {tuple(field.target_depth.shape)} like the field, got "
            f"{tuple(target_depth_map.shape)}: resize it by nearest neighbour"
        )
    x, y = field.positions().unbind(dim=1)
    left, top = (torch.nan_to_num(axis - 0.5).floor().long() for axis in (x, y))
    seen = field.in_frame()
    near = torch.zeros_like(seen)
    flat = target_depth_map.flatten(1)
    for column in (left, left + 1):
        for row in (top, top + 1):
            index = row.clamp(0, field.height - 1) * field.width + column.clamp(0, field.width - 1)
            shown = flat.gather(1, index.flatten(1)).view_as(seen)
            seen = seen & (field.target_depth <= shown * (1 + tolerance))
            near = near | (field.target_depth >= shown * (1 - tolerance))
    return seen & near
