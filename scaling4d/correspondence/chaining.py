"""Fields joined end to end and turned around."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from .field import CorrespondenceField, pixel_axes
from .splat import splat_winners

Outside = Literal["missing", "border"]


def sample(
    values: Float[Tensor, "frames channels height width"],
    positions: Float[Tensor, "frames 2 out_height out_width"],
    outside: Outside = "missing",
) -> Float[Tensor, "frames channels out_height out_width"]:
    """Bilinear values at continuous positions (x, y) in pixels, pixel centres at 0.5.

    NaN where the position is NaN, where a value of weight above 1e-3 is NaN, and, with
    ``outside="missing"``, beyond the image; ``border`` repeats the nearest pixel there.
    """
    height, width = values.shape[2:]
    size = positions.new_tensor([width, height])[:, None, None]
    unknown = torch.isnan(positions).any(dim=1, keepdim=True)
    if outside == "missing":
        inside = ((positions >= 0) & (positions < size)).all(dim=1, keepdim=True)
        unknown = unknown | ~inside
    # Far positions are drawn to the border first: an index made of infinity is not defined.
    bounded = torch.nan_to_num(positions).clamp(min=-1).minimum(size + 1)
    grid = (bounded * 2 / size - 1).permute(0, 2, 3, 1)
    missing = torch.isnan(values).any(dim=1, keepdim=True)
    has_missing = bool(missing.any())
    known = values.masked_fill(missing, 0) if has_missing else values
    sampled = functional.grid_sample(known, grid, padding_mode="border", align_corners=False)
    if has_missing:
        weight = functional.grid_sample(
            missing.to(values.dtype), grid, padding_mode="border", align_corners=False
        )
        unknown = unknown | (weight > 1e-3)
    return sampled.masked_fill(unknown, torch.nan)


def compose(
    first: CorrespondenceField, second: CorrespondenceField, outside: Outside = "missing"
) -> CorrespondenceField:
    """Follow ``first`` from image a to b, then ``second`` from b to c.

    The second displacement is read where the pixel is in b, not where it was in a: adding fields
    pixel by pixel is off by 32 px at the border of a 480 px image after 48 frames of 1 % zoom.

    Args:
        first: field on grid a.
        second: field on grid b, of the same frames and size.
        outside: what a pixel that leaves image b gets: ``missing`` (NaN), or ``border``, the
            displacement of the nearest pixel of b, which keeps the field dense.

    Returns:
        The field from a to c on grid a, without target depth.
    """
    if first.displacement.shape != second.displacement.shape:
        raise ValueError(
            "fields to compose must have one shape, got "
            f"{tuple(first.displacement.shape)} and {tuple(second.displacement.shape)}"
        )
    onward = sample(second.displacement.to(first.displacement), first.positions(), outside)
    return CorrespondenceField(first.displacement + onward)


def inverse(field: CorrespondenceField, iterations: int = 8, seed: int = 0) -> CorrespondenceField:
    """The field from the target back to the source, on the target grid.

    Each target pixel starts from the source pixel drawn there: the nearest one where the field has
    a target depth, else one at random. It is then moved onto the exact point by the fixed point
    r = -d(q + r), kept only while it stays within a pixel of its start, so that it cannot jump
    across an occlusion edge.

    Returns:
        Displacement NaN where no source pixel lands; no target depth.
    """
    rule: Literal["nearest", "random"] = "random" if field.target_depth is None else "nearest"
    winner = splat_winners(field, rule, seed)
    empty = (winner < 0)[:, None]
    index = winner.clamp(min=0).long().flatten(1)[:, None].expand(-1, 2, -1)
    back = -field.displacement.flatten(2).gather(2, index).unflatten(2, winner.shape[1:])
    # `back` belongs to the position where the source pixel landed, up to half a pixel away.
    start = refined = back.masked_fill(empty, torch.nan)
    x, y = pixel_axes(field.height, field.width, field.displacement)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    for _ in range(iterations):
        refined = -sample(field.displacement, grid + refined, outside="border")
    settled = ((refined - start).abs() < 1).all(dim=1, keepdim=True)
    return CorrespondenceField(torch.where(settled, refined, start))
