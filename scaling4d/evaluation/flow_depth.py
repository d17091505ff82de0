"""Depth by triangulating optical flow between posed frames: the unit of length of the cameras."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from scaling4d.correspondence.cameras import plane_and_parallax
from scaling4d.correspondence.field import CorrespondenceField
from scaling4d.geometry.scale import depth_scale

MIN_PARALLAX = 1.0
"""Pixels that a point must have moved against infinity, so that its depth can be told."""


def depth_from_flow(
    flow: CorrespondenceField,
    source_intrinsics: ArrayLike,
    target_intrinsics: ArrayLike,
    target_from_source: ArrayLike,
) -> Float[Tensor, "frames height width"]:
    """Planar z of the source in the unit of the cameras' translations, float64.

    A pixel p at depth z lands on q ~ H p + e / z with H = K_t R K_s^-1 and e = K_t t; 1 / z is the
    least-squares solution of q x (H p + e / z) = 0. NaN where the point moved less than
    `MIN_PARALLAX` against one at infinity, or comes out behind the camera.
    """
    frames, height, width = flow.frames, flow.height, flow.width
    table = plane_and_parallax(
        source_intrinsics,
        target_intrinsics,
        target_from_source,
        frames=frames,
        height=height,
        width=width,
    )
    coefficients = torch.from_numpy(table)
    plane, parallax = coefficients[:, :9].view(-1, 3, 3), coefficients[:, 9:, None, None]
    rows, columns = torch.meshgrid(
        torch.arange(height) + 0.5 - height / 2,
        torch.arange(width) + 0.5 - width / 2,
        indexing="ij",
    )
    pixels = torch.stack((columns, rows, torch.ones_like(rows))).double()
    moved = torch.einsum("fij,jhw->fihw", plane, pixels)
    # The table holds H without H[2, 2] on its first two diagonal entries.
    moved[:, :2] += plane[:, 2, 2, None, None, None] * pixels[:2]
    landed = pixels.repeat(frames, 1, 1, 1)
    landed[:, :2] += flow.displacement.double().cpu()
    first = torch.linalg.cross(landed, moved, dim=1)
    second = torch.linalg.cross(landed, parallax.expand_as(landed), dim=1)
    inverse = -(first * second).sum(dim=1) / second.square().sum(dim=1)
    far = moved[:, :2] / moved[:, 2:]
    told = ((landed[:, :2] - far).norm(dim=1) >= MIN_PARALLAX) & (inverse > 0)
    return torch.where(told, 1 / inverse, torch.nan)


def translation_scale(
    flow: CorrespondenceField,
    depth: Float[Tensor, "frames height width"],
    source_intrinsics: ArrayLike,
    target_intrinsics: ArrayLike,
    target_from_source: ArrayLike,
    trusted: Bool[Tensor, "frames height width"],
) -> float:
    """Return the factor on the cameras' translations that brings them to the unit of ``depth``.

    The median over all trusted pixels, so half of them may be wrong. NaN where fewer than a hundred
    have the parallax that it takes.
    """
    seen = depth_from_flow(flow, source_intrinsics, target_intrinsics, target_from_source)
    seen = torch.where(trusted.cpu(), seen, torch.nan)
    try:
        return depth_scale(seen.numpy(), depth.cpu().double().numpy(), minimum_points=100)
    except ValueError:
        return float("nan")
