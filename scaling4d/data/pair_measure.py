"""What is measured on a candidate pair: its flow, its warp and its frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Measure:
    """What is measured on a candidate; lengths are in pixels, shares between 0 and 1."""

    mean_displacement: float
    p95_displacement: float
    valid_share: float
    least_valid_share: float
    """Of the worst frame."""
    covered_share: float
    warp_error: float
    """Median absolute difference between I^r and I^t where drawn, in 8-bit levels."""
    contrast: float
    """Standard deviation of a target frame's grey levels (0..255), mean over the frames."""

    def rounded(self) -> Mapping[str, float | None]:
        """Return the values by name, for reports; None for what is not finite, as JSON has none."""
        return {
            name: round(value, 4) if math.isfinite(value) else None
            for name, value in asdict(self).items()
        }


def measure_flow(
    flow: Float[Tensor, "frames 2 height width"],
    valid: Bool[Tensor, "frames height width"],
    mask: Float[Tensor, "frames 1 height width"],
    warped: UInt8[Tensor, "frames 3 height width"],
    target: UInt8[Tensor, "frames 3 height width"],
) -> Measure:
    """Measure a candidate: its flow in pixels, what the backward flow confirms, its warp.

    Pixels of unknown flow (NaN) have no length; if all are unknown the mean is infinite.
    """
    length = torch.hypot(flow[:, 0], flow[:, 1]).numpy()
    length = length[np.isfinite(length)]
    mean, p95 = (length.mean(), np.percentile(length, 95)) if length.size else (np.inf, np.inf)
    error = (warped.short() - target.short()).abs().masked_select(mask.bool())
    return Measure(
        mean_displacement=float(mean),
        p95_displacement=float(p95),
        valid_share=float(valid.double().mean()),
        least_valid_share=float(valid.double().mean(dim=(1, 2)).min()),
        covered_share=float(mask.double().mean()),
        warp_error=float(error.median()) if error.numel() else 255.0,
        contrast=float(target.float().mean(dim=1).flatten(1).std(dim=1, correction=0).mean()),
    )
