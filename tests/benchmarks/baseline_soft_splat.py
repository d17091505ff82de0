"""The baseline: the forward splat that most of the field shares, written from its description.

Each source pixel is spread over the four target pixels around its position, with bilinear weights
divided by exp(50 log(1 + d) / max log(1 + d)), and the sums are normalised by the summed weights.
As in those tools a frame is handled at a time, points behind the camera are not dropped (their
depth is clamped to 0), and a pixel counts as drawn when any weight lands on it.

Two ways to add up: ``index_put``, torch's accumulating assignment of whole pixels at (row, column),
which is how one writes it down, and ``scatter``, the fastest of torch's ways that we found.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Adding = Literal["scatter", "index_put"]
SHARPNESS = 50.0


def soft_splat_video(
    source: Tensor,
    depth: Tensor,
    source_intrinsics: Tensor,
    target_intrinsics: Tensor,
    target_from_source: Tensor,
    adding: Adding = "scatter",
) -> tuple[Tensor, Tensor]:
    """Warp (frames, channels, height, width) by depth; one camera pair for every frame."""
    warped, mask = torch.empty_like(source), torch.empty_like(depth)[:, None]
    for frame in range(len(source)):
        warped[frame], mask[frame] = soft_splat(
            source[frame],
            depth[frame],
            source_intrinsics,
            target_intrinsics,
            target_from_source,
            adding,
        )
    return warped, mask


def soft_splat(
    source: Tensor,
    depth: Tensor,
    source_intrinsics: Tensor,
    target_intrinsics: Tensor,
    target_from_source: Tensor,
    adding: Adding = "scatter",
) -> tuple[Tensor, Tensor]:
    """Warp one frame (channels, height, width); returns it and its (1, height, width) mask."""
    channels, height, width = source.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([columns, rows, torch.ones_like(rows)]).flatten(1).to(depth)
    points = (torch.linalg.inv(source_intrinsics) @ pixels) * depth.flatten()
    moved = target_from_source[:3, :3] @ points + target_from_source[:3, 3:]
    projected = target_intrinsics @ moved
    x, y = projected[0] / projected[2], projected[1] / projected[2]

    log_depth = torch.log1p(moved[2].clamp(min=0))
    soft = torch.exp(-SHARPNESS * log_depth / log_depth.max())
    values = torch.cat([source.flatten(1), torch.ones(1, height * width).to(source)])
    # One more pixel on each side takes what falls outside.
    x, y = x.clamp(-1, width) + 1, y.clamp(-1, height) + 1
    left, top = x.floor(), y.floor()
    across, down = x - left, y - top
    total = values.new_zeros(channels + 1, height + 3, width + 3)
    if adding == "index_put":  # which adds whole rows of memory
        total = total.movedim(0, -1).contiguous().movedim(-1, 0)
    for step_x, near_x in ((0, 1 - across), (1, across)):
        for step_y, near_y in ((0, 1 - down), (1, down)):
            weight = near_x * near_y * soft
            if adding == "index_put":
                place = ((top + step_y).long(), (left + step_x).long())
                total.movedim(0, -1).index_put_(place, (values * weight).T, accumulate=True)
                continue
            index = ((top + step_y) * (width + 3) + left + step_x).long()
            for part, value in zip(total, values, strict=True):
                part.view(-1).scatter_add_(0, index, value * weight)
    grid = total[:, 1 : height + 1, 1 : width + 1]
    weight = grid[-1:]
    drawn = weight > 0
    return torch.where(drawn, grid[:-1] / weight.where(drawn, 1), 0), drawn.to(source)
