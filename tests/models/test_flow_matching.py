"""Flow matching and v-prediction against closed forms."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from scaling4d.models.flow_matching import (
    DiffusionSchedule,
    SigmaSampling,
    add_noise,
    dropout_mask,
    flow_matching_loss,
    sample_sigmas,
    sampler_sigmas,
    velocity_from_data,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_euler_steps_with_the_true_velocity_end_at_the_data() -> None:
    x, noise = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    for shift in (1.0, 5.0):
        sigmas = sampler_sigmas(7, shift)
        assert sigmas[0] == 1
        assert sigmas[-1] == 0
        assert (sigmas.diff() < 0).all()
        z = noise.clone()
        for now, then in pairwise(sigmas):
            z = z + (then - now) * (noise - x)
        torch.testing.assert_close(z, x)


def test_logit_normal_has_its_median_and_spread() -> None:
    sampling = SigmaSampling(mean=0.5, std=0.8, shift=3.0)
    sigma = sample_sigmas(200_000, generator(), sampling).double()
    assert sigma.min() > 0
    assert sigma.max() <= 1
    unshifted = sigma / (3 - 2 * sigma)
    logit = torch.logit(unshifted)
    assert logit.mean().item() == pytest.approx(0.5, abs=0.01)
    assert logit.std().item() == pytest.approx(0.8, abs=0.01)


def test_uniform_and_levels_draw_what_they_say() -> None:
    uniform = sample_sigmas(100_000, generator(), SigmaSampling(kind="uniform"))
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.01)
    levels = sample_sigmas(1000, generator(), SigmaSampling(kind="levels", levels=(0.25, 0.75)))
    assert set(levels.tolist()) == {0.25, 0.75}


@pytest.mark.parametrize(
    "options",
    [{"kind": "cosine"}, {"std": 0.0}, {"shift": -1.0}, {"kind": "levels"}, {"levels": (0.5,)}],
)
def test_impossible_noise_levels_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="sigma sampling"):
        SigmaSampling(**options)  # type: ignore[arg-type]


def test_loss_is_zero_for_the_true_velocity_and_weights_count_per_sample() -> None:
    x, noise = torch.randn(2, 4, 5), torch.randn(2, 4, 5)
    assert flow_matching_loss(noise - x, x, noise) == 0
    off = noise - x + torch.tensor([1.0, 2.0]).view(2, 1, 1)
    assert flow_matching_loss(off, x, noise).item() == pytest.approx((1 + 4) / 2, rel=1e-5)
    weight = torch.tensor([1.0, 0.5])
    assert flow_matching_loss(off, x, noise, weight).item() == pytest.approx(1.5, rel=1e-5)


def test_true_data_gives_the_true_velocity() -> None:
    x, noise = torch.randn(3, 7, dtype=torch.float64), torch.randn(3, 7, dtype=torch.float64)
    sigma = torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64)
    noisy = add_noise(x, noise, sigma)
    torch.testing.assert_close(velocity_from_data(x, noisy, sigma), noise - x)


def test_true_v_gives_the_true_velocity_at_every_time_step() -> None:
    alphas_cumprod = torch.linspace(0.999, 0.0, 100, dtype=torch.float64) ** 2
    schedule = DiffusionSchedule(alphas_cumprod)
    x, noise = torch.randn(100, 6, dtype=torch.float64), torch.randn(100, 6, dtype=torch.float64)
    a, b = alphas_cumprod.sqrt()[:, None], (1 - alphas_cumprod).sqrt()[:, None]
    sigma = schedule.sigmas
    noisy = add_noise(x, noise, sigma)
    torch.testing.assert_close(schedule.diffusion_input(noisy, sigma), a * x + b * noise)
    velocity = schedule.velocity_from_v(a * noise - b * x, noisy, sigma)
    torch.testing.assert_close(velocity, noise - x)
    torch.testing.assert_close(schedule.timestep(sigma), torch.arange(100.0), rtol=0, atol=1e-4)
    half = schedule.timestep((sigma[10:11] + sigma[11:12]) / 2)
    assert half.item() == pytest.approx(10.5, abs=1e-4)


def test_v_weight_turns_velocity_error_into_v_error() -> None:
    alphas_cumprod = torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64)
    schedule = DiffusionSchedule(alphas_cumprod)
    sigma = schedule.sigmas
    noisy = torch.randn(3, 1, dtype=torch.float64)
    v, error = torch.randn(3, 1, dtype=torch.float64), torch.full((3, 1), 0.3, dtype=torch.float64)
    change = schedule.velocity_from_v(v + error, noisy, sigma) - schedule.velocity_from_v(
        v, noisy, sigma
    )
    weighted = schedule.v_loss_weight(sigma) * change[:, 0].square()
    torch.testing.assert_close(weighted, error[:, 0].square())


def test_dropout_has_its_share() -> None:
    assert dropout_mask(100_000, 0.1, generator()).float().mean().item() == pytest.approx(
        0.1, abs=0.005
    )
    assert not dropout_mask(100, 0.0, generator()).any()
    with pytest.raises(ValueError, match="must lie in"):
        dropout_mask(1, 1.5, generator())
