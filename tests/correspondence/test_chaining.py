"""Composition, inversion, cycle and depth checks against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaling4d.correspondence.chaining import compose, inverse, sample
from scaling4d.correspondence.consistency import covisible, forward_backward
from scaling4d.correspondence.field import CorrespondenceField, from_depth, pixel_axes
from tests import scenes

HEIGHT, WIDTH = 40, 56


def affine(matrix, shift, height: int = HEIGHT, width: int = WIDTH) -> CorrespondenceField:
    """Field of q = c + matrix (p - c) + shift about the image centre."""
    like = torch.empty(0, dtype=torch.float64)
    x, y = pixel_axes(height, width, like)
    grid = torch.stack(torch.meshgrid(x - width / 2, y - height / 2, indexing="xy"))
    moved = torch.einsum("ij,jhw->ihw", torch.tensor(matrix, dtype=torch.float64), grid)
    return CorrespondenceField((moved - grid + torch.tensor(shift)[:, None, None])[None])


def test_sampling_agrees_with_cv2_remap():
    import cv2

    generator = torch.Generator().manual_seed(0)
    values = torch.rand(1, 1, 20, 30, generator=generator)
    positions = (
        torch.rand(1, 2, 20, 30, generator=generator) * torch.tensor([32.0, 22.0])[:, None, None]
        - 1
    )
    ours = sample(values, positions, outside="border")[0, 0].numpy()
    x, y = (positions[0] - 0.5).numpy()  # cv2 puts the first centre at 0
    theirs = cv2.remap(
        values[0, 0].numpy(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    np.testing.assert_allclose(ours, theirs, atol=0.02)  # cv2 rounds weights to 1/32
    missing = sample(values, positions)[0, 0].isnan().numpy()
    outside = (x < -0.5) | (y < -0.5) | (x >= 29.5) | (y >= 19.5)
    np.testing.assert_array_equal(missing, outside)


def test_sampling_passes_on_missing_values_only_where_they_weigh():
    values = torch.zeros(1, 2, 4, 4)
    values[0, 0, 1, 1] = torch.nan
    x, y = pixel_axes(4, 4, values)
    centres = torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]
    assert sample(values, centres)[0, 0].isnan().nonzero().tolist() == [[1, 1]]
    assert sample(values, centres + 0.25)[0, 1].isnan().nonzero().tolist() == [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
    ]
    far = torch.full_like(centres, torch.inf)
    assert sample(values, far).isnan().all()
    assert not sample(values, far, outside="border").isnan().any()


def test_values_beside_missing_ones_keep_their_size():
    values = torch.full((1, 1, 4, 8), 200.0, dtype=torch.float64)
    values[..., 4:] = torch.nan
    positions = torch.tensor([3.5 + 9e-4, 1.5], dtype=torch.float64).view(1, 2, 1, 1)
    assert sample(values, positions).item() == pytest.approx(200.0)


def test_gradients_beside_missing_values_are_finite():
    values = torch.ones(1, 2, 6, 6, dtype=torch.float64)
    values[..., 2, 3] = torch.nan
    values.requires_grad_()
    field = CorrespondenceField(torch.zeros(1, 2, 6, 6, dtype=torch.float64))
    positions = field.positions().requires_grad_()
    sampled = sample(values, positions)
    sampled[~sampled.isnan()].sum().backward()
    assert values.grad is not None
    assert positions.grad is not None
    assert torch.isfinite(values.grad).all()
    assert torch.isfinite(positions.grad).all()


def test_composition_reads_the_second_field_at_the_displaced_point():
    """Affine maps compose as matrices; bilinear sampling of an affine field is exact."""
    first, second = [[1.1, 0.05], [-0.04, 0.95]], [[0.9, -0.1], [0.08, 1.2]]
    ours = compose(affine(first, (1.5, -2.0)), affine(second, (-0.5, 3.0)))
    product = np.array(second) @ np.array(first)
    shift = np.array(second) @ np.array([1.5, -2.0]) + np.array([-0.5, 3.0])
    expected = affine(product.tolist(), tuple(shift))
    x, y = affine(first, (1.5, -2.0)).positions()[0]
    inner = (x > 0.5) & (x < WIDTH - 0.5) & (y > 0.5) & (y < HEIGHT - 0.5)
    difference = (ours.displacement - expected.displacement)[0][:, inner]
    assert inner.double().mean() > 0.6
    assert difference.abs().max() < 1e-9


def test_forty_eight_zooms_of_one_percent_stay_exact():
    """Adding fields pixel by pixel would be off by 0.13 of the radius here."""
    step = affine([[0.99, 0.0], [0.0, 0.99]], (0.0, 0.0), 96, 96)
    chained = step
    for _ in range(47):
        chained = compose(chained, step)
    expected = affine([[0.99**48, 0.0], [0.0, 0.99**48]], (0.0, 0.0), 96, 96)
    assert (chained.displacement - expected.displacement).abs().max() < 1e-9
    added = step.displacement * 48
    assert (added - expected.displacement).abs().max() > 4


def test_what_leaves_the_image_is_missing_or_kept_dense():
    shift = affine([[1.0, 0], [0, 1]], (10.0, 0.0))
    assert compose(shift, shift).valid()[0].double().mean() == pytest.approx((WIDTH - 10) / WIDTH)
    dense = compose(shift, shift, outside="border")
    torch.testing.assert_close(dense.displacement, 2 * shift.displacement)


def turned(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize(
    ("matrix", "least"),
    [
        (np.array([[0.9, 0.06], [-0.05, 0.93]]), 0.7),
        (2.5 * np.eye(2), 0.15),
        (0.5 * np.eye(2), 0.2),
        (turned(1.2), 0.5),
        (turned(3.0), 0.7),
    ],
    ids=["shear", "in", "out", "quarter", "half"],
)
def test_inverse_of_an_affine_field_is_the_inverse_map(matrix: np.ndarray, least: float) -> None:
    shift = np.array([2.25, -1.5])
    back = inverse(affine(matrix.tolist(), tuple(shift)))
    inverted = np.linalg.inv(matrix)
    expected = affine(inverted.tolist(), tuple(-inverted @ shift))
    known = back.valid()[0]
    assert known.double().mean() > least
    source_x, source_y = expected.positions()[0]
    # Beside the border of the source the field is sampled from replicated pixels.
    inside_x = (source_x > 1.5) & (source_x < WIDTH - 1.5)
    inner = inside_x & (source_y > 1.5) & (source_y < HEIGHT - 1.5)
    difference = (back.displacement - expected.displacement)[0][:, known & inner]
    assert difference.abs().max() < 1e-6


def test_inverse_keeps_the_front_surface_and_does_not_cross_edges():
    scene, source = scenes.occluder(), scenes.default_camera(60, 80)
    target = source.moved(scenes.rigid(np.eye(3), (0.4, 0, 0)))
    depth = torch.from_numpy(scene.depth(0.0, source))[None]
    pose = np.linalg.inv(target.world_from_camera) @ source.world_from_camera
    back = inverse(from_depth(depth, source.intrinsics, target.intrinsics, pose))
    truth = scene.correspondence(0.0, target, 0.0, source)
    known = back.valid()[0].numpy() & truth.visible
    ours = back.displacement[0].permute(1, 2, 0).numpy()
    error = np.abs(ours - truth.displacement).max(axis=-1)[known]
    assert known.mean() > 0.8
    assert np.mean(error < 1e-6) > 0.97, "all but pixels beside an edge"
    assert error.max() < 10.1, "an edge pixel may show the other surface, never something between"


def test_cycle_of_exact_fields_closes_on_visible_pixels_and_opens_on_hidden_ones():
    scene, source = scenes.occluder(), scenes.default_camera(60, 80)
    target = source.moved(scenes.rigid(np.eye(3), (0.4, 0.1, 0)))
    forward, backward = (
        scene.correspondence(0.0, *pair) for pair in ((source, 0.0, target), (target, 0.0, source))
    )
    fields = [
        CorrespondenceField(torch.from_numpy(m.displacement).permute(2, 0, 1)[None].contiguous())
        for m in (forward, backward)
    ]
    result = forward_backward(*fields)
    hidden = fields[0].in_frame()[0].numpy() & ~forward.visible
    consistent, occluded = result.consistent[0].numpy(), result.occluded[0].numpy()
    assert hidden.sum() > 100
    assert consistent[forward.visible].mean() > 0.97, "all but pixels beside an edge"
    assert occluded[hidden].mean() > 0.9
    assert not (occluded & consistent).any()
    assert np.nanmedian(result.residual[0].numpy()[forward.visible]) < 1e-6
    assert result.share().item() == pytest.approx(consistent.mean())
    outside = ~fields[0].in_frame()[0]
    assert result.residual[0][outside].isnan().all()


def test_covisibility_by_depth_agrees_with_ray_casting():
    scene, source = scenes.occluder(), scenes.default_camera(60, 80)
    target = source.moved(scenes.rigid(np.eye(3), (0.4, 0.1, 0.2)))
    truth = scene.correspondence(0.0, source, 0.0, target)
    field = from_depth(
        torch.from_numpy(scene.depth(0.0, source))[None],
        source.intrinsics,
        target.intrinsics,
        np.linalg.inv(target.world_from_camera) @ source.world_from_camera,
    )
    seen = covisible(field, torch.from_numpy(scene.depth(0.0, target))[None])[0].numpy()
    assert not (seen & ~truth.visible).any(), "what it accepts is visible"
    assert seen[truth.visible].mean() > 0.95, "it refuses only pixels beside an edge"
    with pytest.raises(ValueError, match="from flow"):
        covisible(CorrespondenceField(field.displacement), torch.ones(1, 60, 80))
