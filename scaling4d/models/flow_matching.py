"""Flow matching (§3.2): noise levels, the training loss and the sampler's steps.

Convention: ``noisy = (1 - sigma) x + sigma noise`` with sigma from 0 (data) to 1 (noise); the
network predicts the velocity ``noise - x``.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class SigmaSampling:
    """Distribution of noise levels in training."""

    kind: str = "logit_normal"
    """The logistic function of a normal variable (Esser et al. 2024), uniform, or one of `levels`
    with equal chance."""
    mean: float = 0.0
    """Mean of the normal variable; above 0 prefers noise."""
    std: float = 1.0
    """Standard deviation of the normal variable."""
    shift: float = 1.0
    """sigma -> shift sigma / (1 + (shift - 1) sigma); above 1 prefers noise."""

    levels: tuple[float, ...] = ()
    """Noise levels of kind "levels", for families that were trained on a diffusion schedule."""

    def __post_init__(self) -> None:
        if self.kind not in ("logit_normal", "uniform", "levels"):
            raise ValueError(
                f"sigma sampling kind must be logit_normal, uniform or levels, got {self.kind!r}"
            )
        if (self.kind == "levels") != bool(self.levels):
            raise ValueError("sigma sampling needs levels exactly when its kind is levels")
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
    elif sampling.kind == "levels":
        levels = torch.tensor(sampling.levels)
        sigma = levels[torch.randint(len(levels), (count,), generator=generator)]
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


class DiffusionSchedule:
    """Lets a network trained for v on a variance-preserving diffusion serve as a flow network.

    At time step t the diffusion's sample is ``a x + b noise`` with a^2 + b^2 = 1 and the network
    predicts ``v = a noise - b x`` (Salimans and Ho 2022). Flow matching's sample at
    ``sigma = b / (a + b)`` is the same up to the factor ``a + b``.
    """

    def __init__(self, alphas_cumprod: Float[Tensor, " steps"]) -> None:
        """Take a^2 of every time step, falling."""
        a, b = alphas_cumprod.double().sqrt(), (1 - alphas_cumprod.double()).sqrt()
        self.sigmas: Tensor = b / (a + b)

    def timestep(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Time step with this ratio of noise to signal, between steps by interpolation."""
        sigmas = self.sigmas.to(sigma.device)
        level = sigma.to(sigmas).clamp(sigmas[0], sigmas[-1])
        above = torch.searchsorted(sigmas, level).clamp(1, len(sigmas) - 1)
        low, high = sigmas[above - 1], sigmas[above]
        return (above - 1 + (level - low) / (high - low)).float()

    def diffusion_input(self, noisy: Tensor, sigma: Float[Tensor, " batch"]) -> Tensor:
        """Scale flow matching's sample to the diffusion's variance."""
        level = _per_sample(sigma, noisy)
        return noisy / torch.hypot(1 - level, level)

    def velocity_from_v(self, v: Tensor, noisy: Tensor, sigma: Float[Tensor, " batch"]) -> Tensor:
        """Noise minus data, from v and flow matching's sample."""
        level = _per_sample(sigma, noisy)
        norm = torch.hypot(1 - level, level)
        a, b = (1 - level) / norm, level / norm
        return (b - a) * noisy / norm + (a + b) * v

    def v_loss_weight(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Factor that turns the velocity's square error into that of v: (a + b)^-2."""
        return (1 - sigma).square() + sigma.square()
