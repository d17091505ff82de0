"""The field from depth against closed forms, cv2, an Embree ray caster, and its edge cases."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import trimesh
from pxr import Gf

from scaling4d.correspondence.field import CorrespondenceField, from_depth, from_flow
from tests import scenes
from tests.scenes import Camera

HEIGHT, WIDTH = 48, 64
K = np.array([[60.0, 0, 33.0], [0, 58.0, 23.0], [0, 0, 1]])


def target_from_source(source: Camera, target: Camera) -> np.ndarray:
    return np.linalg.inv(target.world_from_camera) @ source.world_from_camera


def moved(camera: Camera, yaw: float = 12.0, shift: tuple = (0.5, 0.2, -0.3)) -> Camera:
    rotation, _ = cv2.Rodrigues(np.radians([yaw / 3, yaw, -yaw / 4]))
    zoomed = np.array([[80.0, 0, 30.0], [0, 81.0, 26.0], [0, 0, 1]])
    turned = camera.moved(scenes.rigid(rotation, shift))
    return Camera(camera.height, camera.width, zoomed, turned.world_from_camera)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float64, 1e-8)])
@pytest.mark.parametrize("name", sorted(scenes.STATIC_SCENES))
@pytest.mark.parametrize("size", [(48, 64), (240, 320)])
def test_field_from_depth_meets_the_closed_form(name, dtype, tolerance, size):
    scene, source = scenes.SCENES[name](), scenes.default_camera(*size)
    target = moved(source)
    truth = scene.correspondence(0.0, source, 0.0, target)
    depth = torch.from_numpy(scene.depth(0.0, source)).to(dtype)[None]
    field = from_depth(
        depth, source.intrinsics, target.intrinsics, target_from_source(source, target)
    )
    assert field.displacement.dtype == dtype
    # Only positions near the image are held to pixels; one next to the camera plane is unbounded.
    near = np.abs(truth.displacement).max(axis=-1) < 2 * size[1]
    assert near.mean() > 0.5
    ours = field.displacement[0].permute(1, 2, 0).double().numpy()
    assert np.abs(ours - truth.displacement)[near].max() < tolerance
    finite = near & np.isfinite(truth.target_depth)
    np.testing.assert_allclose(
        field.target_depth[0].numpy()[finite], truth.target_depth[finite], rtol=tolerance
    )
    assert np.isposinf(field.target_depth[0].numpy()[near & ~finite]).all()


def test_field_agrees_with_cv2_project_points():
    generator = np.random.default_rng(0)
    depth = generator.uniform(1, 9, (2, HEIGHT, WIDTH))
    poses = np.stack([np.eye(4), np.eye(4)])
    for pose in poses:
        pose[:3, :3] = cv2.Rodrigues(generator.normal(0, 0.1, 3))[0]
        pose[:3, 3] = generator.normal(0, 0.2, 3)
    target_k = np.stack([K, K * [[1.2], [1.2], [1]]])
    field = from_depth(torch.from_numpy(depth), K, target_k, poses)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    for frame in range(2):
        points = (pixels @ np.linalg.inv(K).T) * depth[frame][..., None]
        rotation = cv2.Rodrigues(poses[frame, :3, :3])[0]
        projected, _ = cv2.projectPoints(
            points.reshape(-1, 3), rotation, poses[frame, :3, 3], target_k[frame], None
        )
        ours = field.positions()[frame].permute(1, 2, 0).reshape(-1, 2).numpy()
        np.testing.assert_allclose(ours, projected[:, 0], atol=1e-8)


def test_field_agrees_with_the_usd_camera():
    source = scenes.default_camera(HEIGHT, WIDTH)
    target = source.moved(scenes.rigid(scenes.rotation_z(0.1), (0.4, -0.2, 0.3)))
    focal, axes = source.intrinsics[0, 0], np.diag([1.0, -1, -1, 1])  # USD looks down -z, y is up
    to_ndc = []
    for camera in (source, target):
        lens = Gf.Camera()
        lens.transform = Gf.Matrix4d((camera.world_from_camera @ axes).T)
        lens.horizontalAperture, lens.verticalAperture = 20.0, 20.0 * HEIGHT / WIDTH
        lens.focalLength = 20.0 * focal / WIDTH
        to_ndc.append(lens.frustum.ComputeViewMatrix() * lens.frustum.ComputeProjectionMatrix())
    depth = np.random.default_rng(0).uniform(2, 9, (1, HEIGHT, WIDTH))
    origin, directions = source.rays(source.pixel_centers())  # z is 1 along the camera's axis
    points = origin + directions * depth[0, ..., None]
    xy = [
        [
            [(p[0] + 1) / 2 * WIDTH, (1 - p[1]) / 2 * HEIGHT]
            for p in (matrix.Transform(Gf.Vec3d(*point)) for point in points.reshape(-1, 3))
        ]
        for matrix in to_ndc
    ]
    field = from_depth(
        torch.from_numpy(depth),
        source.intrinsics,
        target.intrinsics,
        target_from_source(source, target),
    )
    ours = field.displacement[0].permute(1, 2, 0).reshape(-1, 2).numpy()
    np.testing.assert_allclose(ours, np.subtract(xy[1], xy[0]), atol=1e-7)


def test_field_agrees_with_an_embree_ray_caster():
    # A mesh seen by two cameras: follow the hit points of the first, found by ray casting.
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
    source = scenes.default_camera(HEIGHT, WIDTH).moved(scenes.rigid(np.eye(3), (0, 0, -3.0)))
    target = moved(source, yaw=-8.0, shift=(-0.6, 0.1, 0.4))
    origin, directions = source.rays(source.pixel_centers())
    flat = directions.reshape(-1, 3)
    hits, rays, _ = mesh.ray.intersects_location(
        np.broadcast_to(origin, flat.shape), flat, multiple_hits=False
    )
    assert type(mesh.ray).__module__.endswith("ray_pyembree"), "the oracle must be Embree"
    depth = np.full(len(flat), np.inf)
    depth[rays] = np.einsum("ij,j->i", hits - origin, source.world_from_camera[:3, 2])
    expected, z = target.project(hits)
    field = from_depth(
        torch.from_numpy(depth.reshape(1, HEIGHT, WIDTH)),
        source.intrinsics,
        target.intrinsics,
        target_from_source(source, target),
    )
    assert len(rays) > 300
    ours = field.positions()[0].permute(1, 2, 0).reshape(-1, 2).numpy()[rays]
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    np.testing.assert_allclose(field.target_depth.flatten().numpy()[rays], z, atol=1e-6)


def test_identity_motion_has_zero_displacement_and_keeps_depth():
    depth = torch.rand(3, HEIGHT, WIDTH) * 10 + 0.1
    field = from_depth(depth, K, K, np.eye(4))
    assert field.displacement.abs().max() < 1e-10
    torch.testing.assert_close(field.target_depth, depth, rtol=1e-6, atol=0)


def test_points_at_infinity_follow_the_rotation_homography():
    rotation, _ = cv2.Rodrigues(np.array([0.02, 0.1, 0.03]))
    pose = scenes.rigid(rotation, (5.0, -3.0, 2.0))
    field = from_depth(torch.full((1, HEIGHT, WIDTH), torch.inf, dtype=torch.float64), K, K, pose)
    grid = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), axis=-1)
    homography = K @ rotation @ np.linalg.inv(K)
    expected = cv2.perspectiveTransform(grid.reshape(1, -1, 2), homography)[0]
    np.testing.assert_allclose(
        field.positions()[0].permute(1, 2, 0).reshape(-1, 2).numpy(), expected, atol=1e-9
    )
    assert torch.isposinf(field.target_depth).all()


@pytest.mark.parametrize("value", [torch.nan, 0.0, -1.0, -torch.inf])
def test_depth_that_is_no_surface_has_no_correspondence(value):
    depth = torch.full((1, 4, 5), 2.0)
    depth[0, 1, 3] = value
    field = from_depth(depth, K, K, np.eye(4))
    missing = ~field.valid()
    assert missing.nonzero().tolist() == [[0, 1, 3]]
    assert torch.isnan(field.displacement[:, :, 1, 3]).all()
    assert torch.isnan(field.target_depth[0, 1, 3])
    assert field.valid_share().item() == pytest.approx(19 / 20)


def test_gradients_of_the_target_depth_are_finite_beside_points_at_infinity():
    depth = torch.full((1, 4, 5), 2.0, dtype=torch.float64)
    depth[0, 1, 3], depth[0, 2, 2] = torch.inf, torch.nan
    depth.requires_grad_()
    pose = np.eye(4)
    pose[:3, 3] = 0.2, 0.1, -0.5
    field = from_depth(depth, K, K, pose)
    assert field.target_depth[0, 1, 3].item() == np.inf
    (gradient,) = torch.autograd.grad(field.target_depth[0].nan_to_num(0, 0).sum(), depth)
    assert gradient[0, 1, 3] == 0
    assert gradient[0, 2, 2] == 0
    assert (gradient[0, 0] == 1).all(), "sideways and along the axis depth changes as depth"


def test_points_behind_the_target_camera_have_no_correspondence():
    forward = scenes.rigid(np.eye(3), (0, 0, -3.0))
    depth = torch.full((1, HEIGHT, WIDTH), 5.0)
    depth[:, :10] = 1.0
    field = from_depth(depth, K, K, forward)
    assert not field.valid()[:, :10].any()
    assert field.valid()[:, 10:].all()
    about_face = scenes.rigid(np.diag([-1.0, 1, -1]), (0, 0, 0))
    assert not from_depth(torch.full_like(depth, torch.inf), K, K, about_face).valid().any()


def test_flow_is_kept_and_unknown_flow_becomes_missing():
    flow = torch.randn(2, 2, 5, 6)
    assert from_flow(flow).displacement is flow
    flow[1, 0, 2, 3] = torch.inf
    field = from_flow(flow)
    assert (~field.valid()).nonzero().tolist() == [[1, 2, 3]]
    assert torch.isinf(flow[1, 0, 2, 3]), "the caller's tensor is left alone"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_intrinsics": np.eye(4)}, r"source_intrinsics must have shape \(3, 3\)"),
        ({"target_from_source": np.eye(4)[None].repeat(3, 0)}, r"\(2, 4, 4\) for 2 frames"),
        ({"target_from_source": np.full((4, 4), np.nan)}, "must be finite"),
        ({"target_from_source": np.eye(4)[:, ::-1]}, "column vectors"),
        ({"source_intrinsics": np.diag([0.0, 1, 1])}, "invertible"),
        ({"depth": torch.ones(2, 4, 5, dtype=torch.float16)}, "float32 or float64"),
    ],
)
def test_cameras_that_cannot_be_are_refused(change, message):
    arguments = {
        "depth": torch.ones(2, 4, 5),
        "source_intrinsics": K,
        "target_intrinsics": K,
        "target_from_source": np.eye(4),
    }
    with pytest.raises(ValueError, match=message):
        from_depth(**{**arguments, **change})


def test_a_field_of_the_wrong_shape_is_refused():
    with pytest.raises((ValueError, TypeError)):
        CorrespondenceField(torch.zeros(2, 3, 4, 5))
