"""Flow matching (§3.2): noise levels, the training loss and the sampler's steps.

Convention: ``noisy = (1 - sigma) x + sigma noise`` with sigma from 0 (data) to 1 (noise); the
network predicts the velocity ``noise - x``.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class SigmaSampling:
    """Distribution of noise levels in training."""

    kind: Literal["logit_normal", "uniform"] = "logit_normal"
    """Uniform, or the logistic function of a normal variable (Esser et al. 2024)."""
    mean: float = 0.0
    """Mean of the normal variable; above 0 prefers noise."""
    std: float = 1.0
    """Standard deviation of the normal variable."""
    shift: float = 1.0
    """sigma -> shift sigma / (1 + (shift - 1) sigma); above 1 prefers noise."""

    def __post_init__(self) -> None:
        if self.kind not in ("logit_normal", "uniform"):
            raise ValueError(
                f"sigma sampling kind must be logit_normal or uniform, got {self.kind!r}"
            )
        if not (self.std > 0 and self.shift > 0 and math.isfinite(self.mean)):
            raise ValueError(
                "sigma sampling needs std > 0, shift > 0 and a finite mean, "
                f"got std {self.std}, shift {self.shift}, mean {self.mean}"
            )


def shift_sigmas(sigma: Tensor, shift: float) -> Tensor:
    """Move noise levels towards noise (shift > 1), keeping 0 and 1 (Esser et al. 2024)."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def sample_sigmas(
    count: int, generator: torch.Generator, sampling: SigmaSampling
) -> Float[Tensor, " count"]:
    """Draw noise levels in (0, 1), float32 on the CPU."""
    if sampling.kind == "uniform":
        sigma = torch.rand(count, generator=generator)
    else:
        normal = torch.randn(count, generator=generator)
        sigma = torch.sigmoid(sampling.mean + sampling.std * normal)
    return shift_sigmas(sigma, sampling.shift).clamp(1e-4, 1.0)


def sampler_sigmas(steps: int, shift: float = 1.0) -> Float[Tensor, " levels"]:
    """Noise levels of an Euler sampler: ``steps + 1`` values from 1 down to 0, in float64.

    Raises:
        ValueError: if there is no step.
    """
    if steps < 1:
        raise ValueError(f"a sampler needs at least 1 step, got {steps}")
    return shift_sigmas(torch.linspace(1, 0, steps + 1, dtype=torch.float64), shift)


def _per_sample(sigma: Tensor, like: Tensor) -> Tensor:
    return sigma.to(like).view(-1, *[1] * (like.ndim - 1))


def add_noise(x: Tensor, noise: Tensor, sigma: Float[Tensor, " batch"]) -> Tensor:
    """Mix data and noise: ``(1 - sigma) x + sigma noise``."""
    level = _per_sample(sigma, x)
    return (1 - level) * x + level * noise


def flow_matching_loss(
    predicted_velocity: Float[Tensor, "batch ..."],
    x: Float[Tensor, "batch ..."],
    noise: Float[Tensor, "batch ..."],
    weight: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, ""]:
    """Mean square error of the velocity in float32, weighted per sample when weights are given."""
    error = (predicted_velocity.float() - (noise.float() - x.float())).square()
    if weight is not None:
        error = error * _per_sample(weight, error)
    return error.mean()


def velocity_from_data(
    predicted_x: Tensor, noisy: Tensor, sigma: Float[Tensor, " batch"], smallest: float = 0.05
) -> Tensor:
    """Turn a prediction of clean data into a velocity: ``(noisy - x) / sigma``.

    The divisor is kept above ``smallest`` so that errors are not amplified without bound near the
    data (Li and He 2025, "Back to Basics", use the same bound).
    """
    return (noisy - predicted_x) / _per_sample(sigma, noisy).clamp_min(smallest)


def dropout_mask(
    count: int, probability: float, generator: torch.Generator
) -> Bool[Tensor, " count"]:
    """Choose the samples whose condition is dropped for classifier-free guidance.

    Raises:
        ValueError: if the probability lies outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a dropout probability must lie in [0, 1], got {probability}")
    return torch.rand(count, generator=generator) < probability
