"""The projector's causality, shapes and refusals."""

from __future__ import annotations

import math

import pytest
import torch

from scaling4d.models.backbones.base import TokenGeometry
from scaling4d.models.correspondence_projector import CorrespondenceProjector, ProjectorConfig
from scaling4d.models.folding import fold, unfold
from scaling4d.models.spectrum import CosineSpectrum


def make(r: int, side: int, patch: tuple[int, int, int]) -> CorrespondenceProjector:
    geometry = TokenGeometry(frame_compression=r, pixel_compression=side, patch=patch)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = ProjectorConfig(width=16, depth=2, frequencies=64)
        return CorrespondenceProjector(config, geometry=geometry, token_dim=24).double()


@pytest.mark.parametrize(
    ("r", "side", "patch"), [(4, 8, (1, 2, 2)), (8, 32, (1, 1, 1)), (4, 8, (2, 2, 2))]
)
def test_frame_k_touches_no_latent_frame_before_its_own(
    r: int, side: int, patch: tuple[int, int, int]
) -> None:
    projector = make(r, side, patch)
    frames, size = 3 * r + 1, side * patch[1]
    generator = torch.Generator().manual_seed(1)
    control = torch.randn(1, frames, 9, size, size, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        before = projector(control)
        for k in range(frames):
            changed = control.clone()
            changed[:, k] += 1
            touched = (projector(changed) != before).flatten(2).any(-1)[0]
            padding = projector.geometry.front_padding(4)
            first = 0 if k == 0 else (math.ceil(k / r) + padding) // patch[0]
            assert touched.tolist() == [False] * first + [True] * (len(touched) - first) or (
                # Far later frames may lie beyond the reach of the convolutions.
                not touched[:first].any() and touched[first]
            )


def test_tokens_stay_where_their_pixels_are() -> None:
    projector = make(4, 8, (1, 2, 2))
    projector.convolutions = torch.nn.ModuleList()
    control = torch.zeros(1, 5, 9, 32, 48, dtype=torch.float64)
    with torch.no_grad():
        before = projector(control)
        control[:, 3, 5, 20, 40] = 1  # row 20 lies in token row 1, column 40 in token column 2
        touched = (projector(control) != before).any(-1)[0]
    assert touched.nonzero().tolist() == [[1, 1, 2]]


def test_wrong_channels_and_sizes_are_refused() -> None:
    projector = make(4, 8, (1, 2, 2))
    with pytest.raises(ValueError, match="must have 9 channels for this model, got 4"):
        projector(torch.zeros(1, 5, 4, 16, 16))
    with pytest.raises(ValueError, match="nearest legal: 5 frames of 16x16"):
        projector(torch.zeros(1, 6, 9, 16, 16))
    with pytest.raises(ValueError, match="multiple of 4"):
        ProjectorConfig(width=6)


def test_fold_and_unfold_are_inverse() -> None:
    x = torch.randn(2, 3, 4, 6, 10)
    folded = fold(x, (2, 3, 5))
    assert folded.shape == (2, 2, 2, 2, 3 * 2 * 3 * 5)
    assert torch.equal(unfold(folded, (2, 3, 5)), x)
    assert torch.equal(folded[0, 1, 0, 1].view(3, 2, 3, 5), x[0, :, 2:4, 0:3, 5:10])


def test_spectrum_of_all_frequencies_is_orthonormal_up_to_its_scale() -> None:
    spectrum = CosineSpectrum((2, 4, 4), channels=3, frequencies=999).double()
    x = torch.randn(5, 96, dtype=torch.float64)
    assert spectrum.features == 96
    torch.testing.assert_close(spectrum.inverse(spectrum(x)), x, rtol=1e-5, atol=1e-5)
    identity = torch.eye(32, dtype=torch.float64)
    torch.testing.assert_close(spectrum.basis @ spectrum.basis.T, identity, rtol=0, atol=1e-5)


def test_spectrum_keeps_the_lowest_frequencies() -> None:
    spectrum = CosineSpectrum((1, 4, 4), channels=1, frequencies=3)
    flat = torch.ones(16)
    ramp = torch.arange(4.0).repeat(4)
    coefficients = spectrum(torch.stack((flat, ramp - ramp.mean())))
    assert coefficients[0, 0] > 0
    assert coefficients[0, 1:].abs().max() < 1e-6
    assert coefficients[1, 0].abs() < 1e-6
