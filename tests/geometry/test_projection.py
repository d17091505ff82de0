"""Equations 1 and 2 against cv2.projectPoints, pxr's camera and the analytic scenes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from pxr import Gf
from scipy.spatial.transform import Rotation

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import intrinsics_matrix, invert_pose, relative_pose
from scaling4d.geometry.projection import (
    pixel_centers,
    project,
    rays_through,
    transform_points,
    unproject,
)
from tests.geometry.test_camera import random_poses
from tests.scenes import SCENES, default_camera


def test_project_agrees_with_cv2() -> None:
    generator = np.random.default_rng(0)
    points = generator.normal((0.0, 0.0, 5.0), size=(200, 3))
    pose = random_poses(1)[0]
    pose[:3, :3] = Rotation.from_euler("xyz", (0.1, -0.2, 0.3)).as_matrix()
    intrinsics = intrinsics_matrix(500.0, 480.0, 311.0, 207.0)
    rotation_vector = Rotation.from_matrix(pose[:3, :3]).as_rotvec()
    expected, _ = cv2.projectPoints(points, rotation_vector, pose[:3, 3], intrinsics, None)
    xy, z = project(transform_points(pose, points), intrinsics)
    assert (z > 0).all()
    np.testing.assert_allclose(xy, expected[:, 0], atol=1e-9)


def test_project_agrees_with_the_usd_camera() -> None:
    height, width, focal = 48, 64, 70.0
    pose = random_poses(1, seed=4)[0]
    gf_camera = Gf.Camera()
    gf_camera.transform = Gf.Matrix4d(convert_axes(pose, "opencv", "usd").T)
    gf_camera.horizontalAperture = 20.0
    gf_camera.verticalAperture = 20.0 * height / width
    gf_camera.focalLength = 20.0 * focal / width
    frustum = gf_camera.frustum
    to_clip = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    points = transform_points(pose, np.random.default_rng(2).normal((0, 0, 6.0), size=(100, 3)))
    ndc = np.array([to_clip.Transform(Gf.Vec3d(*point)) for point in points])
    expected = np.stack(((ndc[:, 0] + 1) / 2 * width, (1 - ndc[:, 1]) / 2 * height), axis=-1)
    intrinsics = intrinsics_matrix(focal, focal, width / 2, height / 2)
    xy, _ = project(transform_points(invert_pose(pose), points), intrinsics)
    np.testing.assert_allclose(xy, expected, atol=1e-9)


def test_unprojecting_and_projecting_returns_every_pixel_centre() -> None:
    depth = np.random.default_rng(0).uniform(0.5, 9.0, (3, 20, 30))
    intrinsics = np.stack([intrinsics_matrix(f, f + 1, 14.0, 11.0) for f in (25.0, 30.0, 40.0)])
    xy, z = project(unproject(depth, intrinsics), intrinsics)
    np.testing.assert_allclose(xy, np.broadcast_to(pixel_centers(20, 30), xy.shape), atol=1e-12)
    np.testing.assert_array_equal(z, depth)


def test_skew_is_respected_both_ways() -> None:
    intrinsics = intrinsics_matrix(25.0, 30.0, 14.0, 11.0)
    intrinsics[0, 1] = 3.0
    points = unproject(np.full((20, 30), 2.0), intrinsics)
    direct = points @ intrinsics.T
    np.testing.assert_allclose(direct[..., :2] / direct[..., 2:], pixel_centers(20, 30), atol=1e-12)
    np.testing.assert_allclose(project(points, intrinsics)[0], pixel_centers(20, 30), atol=1e-12)


@pytest.mark.parametrize("name", SCENES)
def test_the_chain_of_equation_4_equals_the_closed_form(name: str) -> None:
    scene, source = SCENES[name](), default_camera()
    target = source.orbit(2, yaw=10.0, pivot=(0.0, 4.0, 0.0))[1]
    match = scene.correspondence(0.0, source, 0.0, target)
    depth = scene.depth(0.0, source)
    target_from_source = relative_pose(target.world_from_camera, source.world_from_camera)
    points = transform_points(target_from_source, unproject(depth, source.intrinsics))
    xy, z = project(points, target.intrinsics)
    finite = np.isfinite(depth)
    displacement = (xy - pixel_centers(48, 64))[finite]
    np.testing.assert_allclose(displacement, match.displacement[finite], atol=1e-8)
    np.testing.assert_allclose(z[finite], match.target_depth[finite], atol=1e-9)


def test_rays_of_infinite_depth_keep_their_direction() -> None:
    intrinsics = intrinsics_matrix(25.0, 30.0, 14.0, 11.0)
    xy = pixel_centers(4, 6)
    np.testing.assert_allclose(project(rays_through(xy, intrinsics), intrinsics)[0], xy, atol=1e-12)
    assert not np.isfinite(unproject(np.full((4, 6), np.inf), intrinsics)).all()


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_gives_what_numpy_gives(batch: tuple[int, ...], dtype: torch.dtype) -> None:
    generator = np.random.default_rng(1)
    depth = generator.uniform(1.0, 5.0, (*batch, 6, 8))
    intrinsics = np.broadcast_to(intrinsics_matrix(9.0, 8.0, 4.0, 3.0), (*batch, 3, 3)).copy()
    poses = np.broadcast_to(random_poses(1)[0], (*batch, 4, 4)).copy()
    reference = transform_points(poses, unproject(depth, intrinsics))
    k = torch.tensor(intrinsics, dtype=dtype)
    points = transform_points(
        torch.tensor(poses, dtype=dtype), unproject(torch.tensor(depth, dtype=dtype), k)
    )
    assert points.dtype == dtype
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(points.numpy(), reference, rtol=tolerance, atol=tolerance)
    for ours, expected in zip(project(points, k), project(reference, intrinsics), strict=True):
        np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-2, atol=100 * tolerance)


def test_float32_projection_stays_float32() -> None:
    intrinsics = intrinsics_matrix(9.0, 8.0, 4.0, 3.0).astype(np.float32)
    points = unproject(np.ones((6, 8), np.float32), intrinsics)
    assert points.dtype == np.float32
    assert project(points, intrinsics)[0].dtype == np.float32
