"""The statistics of section 4.4 against closed forms, and the measure on an analytic clip."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scaling4d.correspondence.consistency import covisible
from scaling4d.correspondence.field import CorrespondenceField, from_depth
from scaling4d.estimators import make_flow_estimator
from scaling4d.evaluation.correspondence_gap import (
    average,
    clip_gap,
    correspondence_gap,
    markdown_table,
)
from scaling4d.evaluation.flow_depth import depth_from_flow
from scaling4d.geometry.camera import relative_pose
from tests import scenes


def polynomial(frames: int = 3, height: int = 12, width: int = 16) -> CorrespondenceField:
    """u = 0.2 x + 0.1 y + 0.05 x^2 + 3 t, v = -0.4 y + 4 t: known differences everywhere."""
    t = torch.arange(frames, dtype=torch.float64)[:, None, None]
    y = torch.arange(height, dtype=torch.float64)[None, :, None]
    x = torch.arange(width, dtype=torch.float64)[None, None]
    u = 0.2 * x + 0.1 * y + 0.05 * x**2 + 3 * t
    v = -0.4 * y + 0 * x + 4 * t
    return CorrespondenceField(torch.stack([u, v.expand_as(u)], dim=1))


def test_roughness_of_a_polynomial_field():
    field = polynomial()
    report = correspondence_gap(field, field)
    x = np.arange(15)  # the last column has no pixel to its right
    forward = np.abs(0.2 + 0.05 * (2 * x + 1)).mean()
    assert report.flow.tv1 == pytest.approx(forward + 0.1 + 0.4)
    assert report.flow.laplacian_energy == pytest.approx(0.1**2)
    assert report.flow.temporal == pytest.approx(5.0)
    assert report.flow == report.depth
    assert report.epe == 0
    assert report.vec_corr == pytest.approx(1)
    assert report.vec_corr_centred == pytest.approx(1)
    assert report.covisible_share == 1


def test_epe_and_correlations_of_an_offset_field():
    field = polynomial()
    offset = CorrespondenceField(field.displacement + torch.tensor([3.0, -4.0])[:, None, None])
    report = correspondence_gap(field, offset)
    assert report.epe == pytest.approx(5)
    assert report.vec_corr_centred == pytest.approx(1), "the centred form ignores an offset"
    a, b = field.displacement, offset.displacement
    expected = (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()
    assert report.vec_corr == pytest.approx(expected.item())
    assert report.vec_corr < 0.999
    opposite = CorrespondenceField(-a)
    assert correspondence_gap(field, opposite).vec_corr == pytest.approx(-1)


def test_only_compared_pixels_count():
    field = polynomial()
    spoiled = field.displacement.clone()
    spoiled[:, :, 5:7, 8:10] = 1e4
    spoiled[:, :, 0, 0] = torch.nan
    compared = torch.ones(3, 12, 16, dtype=torch.bool)
    compared[:, 5:7, 8:10] = False
    report = correspondence_gap(CorrespondenceField(spoiled), field, compared)
    assert report.epe == 0
    assert report.flow.laplacian_energy == pytest.approx(0.01)
    assert report.covisible_share == pytest.approx(1 - 5 / 192)
    with pytest.raises(ValueError, match="no pixel is co-visible"):
        correspondence_gap(field, field, torch.zeros_like(compared))


def test_a_single_pair_has_no_temporal_statistic():
    field = polynomial(frames=1)
    assert math.isnan(correspondence_gap(field, field).flow.temporal)


def test_a_clip_without_a_statistic_does_not_take_it_from_the_mean():
    long, short = (polynomial(frames=n) for n in (3, 1))
    reports = [correspondence_gap(long, long), correspondence_gap(short, short)]
    assert average(reports).flow.temporal == reports[0].flow.temporal
    assert average(reports).flow.tv1 == pytest.approx(np.mean([r.flow.tv1 for r in reports]))
    assert math.isnan(average(reports[1:]).flow.temporal)


@pytest.fixture(scope="module")
def clip():
    camera = scenes.default_camera(96, 128)
    cameras = camera.orbit(5, yaw=4.0, pivot=(0, 2, 0))
    return scenes.room().clip(cameras, samples=2)


def test_gap_of_a_static_clip_is_small_and_symmetric_in_its_means(clip):
    result = clip_gap(
        clip.rgb,
        clip.depth,
        clip.intrinsics,
        clip.world_from_camera,
        make_flow_estimator("dis"),
        sources=range(4),
        targets=range(1, 5),
    )
    report = result.report
    assert report.epe < 1.18, "DIS on clean renders beats the paper's RAFT on real video"
    assert report.vec_corr > 0.95
    assert report.covisible_share > 0.8
    assert report.flow.temporal > 0
    assert result.consistent_share > 0.8
    both = average([report, report])
    assert both.epe == pytest.approx(report.epe)
    assert both.frames == 8
    table = markdown_table([("room", report)])
    assert "| room | 4 |" in table
    assert table.splitlines()[-1].startswith("| paper")


def test_covisibility_counts_what_the_target_shows_alone(clip):
    """A wider orbit hides a share of the pixels; none counting as hidden would go unseen."""
    result = clip_gap(
        clip.rgb, clip.depth, clip.intrinsics, clip.world_from_camera,
        make_flow_estimator("dis"), sources=[0], targets=[4],
    )  # fmt: skip
    hidden = ~result.compared & result.depth.in_frame()
    assert 0.005 < hidden.double().mean() < 0.5
    with pytest.raises(ValueError, match=r"must be .* like the field"):
        covisible(result.depth, torch.ones(1, 2 * 96, 2 * 128))


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_what_one_frame_alone_shows_is_not_compared(clip, factor):
    """A thing, or an error, before or behind the surface that the other frame shows."""
    depth = clip.depth.copy()
    depth[0, 30:50, 40:60] *= factor
    target = torch.from_numpy(clip.depth[1:2]).float()
    pose = np.linalg.inv(clip.world_from_camera[1]) @ clip.world_from_camera[0]
    lenses = clip.intrinsics[0], clip.intrinsics[1]
    seen, wrong = (
        covisible(from_depth(torch.from_numpy(z[:1]).float(), *lenses, pose), target)
        for z in (clip.depth, depth)
    )
    assert seen[0, 32:48, 42:58].all()
    assert not wrong[0, 30:50, 40:60].any()


def zooming(clip):
    """The clip's first frame seen again through a lens of twice the focal length."""
    k = np.stack([clip.intrinsics[0], clip.intrinsics[0].copy()])
    k[1, :2, :2] *= 2
    pose = np.stack([clip.world_from_camera[0]] * 2)
    return k, pose


def test_the_targets_own_lens_is_used(clip):
    k, poses = zooming(clip)
    rgb, depth = (np.stack([frames[0]] * 2) for frames in (clip.rgb, clip.depth))
    result = clip_gap(
        rgb, np.full_like(depth, 3.0), k, poses, make_flow_estimator("dis"),
        sources=[0], targets=[1],
    )  # fmt: skip
    centres = np.arange(128) + 0.5
    expected = np.broadcast_to(centres - k[0, 0, 2], (96, 128))
    np.testing.assert_allclose(result.depth.displacement[0, 0], expected, atol=1e-3)


@pytest.mark.parametrize("unit", [0.25, 1.0, 40.0])
def test_the_cameras_unit_is_measured_from_flow(clip, unit):
    poses = clip.world_from_camera.copy()
    poses[:, :3, 3] /= unit
    shared = {"sources": [0, 1], "targets": [3, 4], "estimator": make_flow_estimator("dis")}
    rest = clip.rgb, clip.depth, clip.intrinsics
    right = clip_gap(*rest, clip.world_from_camera, **shared)
    fitted = clip_gap(*rest, poses, scale=None, **shared)
    assert fitted.scale == pytest.approx(unit, rel=0.03)
    assert fitted.report.epe == pytest.approx(right.report.epe, abs=0.2)
    if unit != 1.0:
        wrong = clip_gap(*rest, poses, **shared)
        assert wrong.report.epe > 4 * right.report.epe
        assert wrong.measured_scale == pytest.approx(unit, rel=0.03)


def test_depth_of_the_exact_field_is_the_scenes(clip):
    """Triangulation against ray casting, to rounding."""
    camera = scenes.default_camera(96, 128)
    cameras = camera.orbit(2, yaw=4.0, pivot=(0, 2, 0))
    truth = scenes.room().correspondence(0.0, cameras[0], 0.0, cameras[1])
    field = CorrespondenceField(torch.from_numpy(truth.displacement).permute(2, 0, 1)[None])
    motion = relative_pose(cameras[1].world_from_camera, cameras[0].world_from_camera)
    lens = cameras[0].intrinsics
    depth = depth_from_flow(field, lens, cameras[1].intrinsics, motion)[0].numpy()
    exact = scenes.room().depth(0.0, cameras[0])
    told = np.isfinite(depth)
    assert told.mean() > 0.7
    np.testing.assert_allclose(depth[told], exact[told], rtol=1e-6)
