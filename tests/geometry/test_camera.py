"""Cameras against cv2, closed forms and themselves; numpy and torch alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from scaling4d.geometry.camera import (
    crop_intrinsics,
    horizontal_fov,
    intrinsics_from_fov,
    intrinsics_matrix,
    invert_pose,
    look_at,
    pad_intrinsics,
    relative_pose,
    require_rigid,
    resize_intrinsics,
)
from scaling4d.geometry.projection import project
from tests.scenes import Camera


def random_poses(count: int, seed: int = 0) -> np.ndarray:
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, rng=seed).as_matrix()
    poses[:, :3, 3] = np.random.default_rng(seed).normal(size=(count, 3))
    return poses


def test_intrinsics_broadcast_over_frames() -> None:
    intrinsics = intrinsics_matrix(np.array([500.0, 510.0]), 400.0, 320.0, 240.0)
    np.testing.assert_array_equal(
        intrinsics[1], [[510.0, 0, 320.0], [0, 400.0, 240.0], [0, 0, 1.0]]
    )


def test_field_of_view_is_the_angle_between_the_image_borders() -> None:
    intrinsics = intrinsics_from_fov(48, 64, 70.0)
    left, right = ((np.array([x, 24.0, 1.0]) @ np.linalg.inv(intrinsics).T) for x in (0.0, 64.0))
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(70.0)
    assert horizontal_fov(intrinsics, 64) == pytest.approx(70.0)
    assert intrinsics[0, 0] == intrinsics[1, 1]


@pytest.mark.parametrize("fov", [0.0, 180.0, -5.0, float("nan")])
def test_impossible_field_of_view_is_refused(fov: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 180"):
        intrinsics_from_fov(48, 64, fov)


def test_crop_pad_and_resize_move_projections_as_they_move_pixels() -> None:
    point = np.array([0.3, -0.2, 2.0])
    intrinsics = intrinsics_matrix(60.0, 55.0, 33.0, 21.0)
    xy = project(point, intrinsics)[0]
    cropped = project(point, crop_intrinsics(intrinsics, top=5, left=7))[0]
    np.testing.assert_allclose(cropped, np.subtract(xy, (7, 5)))
    padded = project(point, pad_intrinsics(intrinsics, top=5, left=7))[0]
    np.testing.assert_allclose(padded, np.add(xy, (7, 5)))
    resized = resize_intrinsics(intrinsics, height=40, width=64, new_height=100, new_width=96)
    np.testing.assert_allclose(project(point, resized)[0], xy * (96 / 64, 100 / 40))


def test_resized_intrinsics_follow_a_resized_image() -> None:
    # A bright blob in an image and in its area-averaged half stay on the projection of one point.
    intrinsics = intrinsics_matrix(60.0, 60.0, 32.0, 24.0)
    point = np.array([0.2, 0.1, 1.0])
    rows, columns = np.mgrid[:48, :64] + 0.5
    x, y = project(point, intrinsics)[0]
    image = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18.0)
    half = cv2.resize(image, (32, 24), interpolation=cv2.INTER_AREA)
    rows, columns = np.mgrid[:24, :32] + 0.5
    centroid = np.array([(columns * half).sum(), (rows * half).sum()]) / half.sum()
    smaller = resize_intrinsics(intrinsics, height=48, width=64, new_height=24, new_width=32)
    np.testing.assert_allclose(project(point, smaller)[0], centroid, atol=1e-3)


def test_inverse_equals_the_general_inverse() -> None:
    poses = random_poses(20)
    np.testing.assert_allclose(invert_pose(poses), np.linalg.inv(poses), atol=1e-12)


def test_relative_pose_maps_source_points_to_the_target() -> None:
    world_from_target, world_from_source = random_poses(2)
    in_source = np.array([0.1, -0.4, 2.0, 1.0])
    in_target = relative_pose(world_from_target, world_from_source) @ in_source
    np.testing.assert_allclose(
        world_from_target @ in_target, world_from_source @ in_source, atol=1e-12
    )


def test_look_at_agrees_with_the_independent_camera_of_the_scenes() -> None:
    ours = look_at((1.0, -4.0, 1.5), (0.2, 0.1, 0.4))
    theirs = Camera.look_at(10, 10, eye=(1.0, -4.0, 1.5), target=(0.2, 0.1, 0.4))
    np.testing.assert_allclose(ours, theirs.world_from_camera, atol=1e-15)
    require_rigid(ours, "look_at")


def test_look_at_centres_the_target_and_keeps_up_upright() -> None:
    eyes = np.random.default_rng(1).normal(size=(50, 3)) * 3
    poses = look_at(eyes, (0.0, 0.0, 0.3))
    in_camera = invert_pose(poses) @ np.array([0.0, 0.0, 0.3, 1.0])
    np.testing.assert_allclose(in_camera[:, :2], 0.0, atol=1e-12)
    assert (in_camera[:, 2] > 0).all()
    assert (poses[:, 2, 1] < 0).all()  # the camera's down axis points down in the world
    np.testing.assert_allclose(poses[:, 2, 0], 0.0, atol=1e-12)  # and its x axis is level


@pytest.mark.parametrize(
    ("eye", "target", "message"),
    [((0, 0, 0), (0, 0, 0), "differ"), ((0, 0, 0), (0, 0, 2), "up direction")],
)
def test_look_at_refuses_what_has_no_answer(eye: tuple, target: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        look_at(eye, target)


def _broken(index: int) -> np.ndarray:
    poses = random_poses(3)
    match index:
        case 0:
            poses[1, 0, 3] = np.nan
        case 1:
            poses[1] = poses[1].T
        case 2:
            poses[1, :3, :3] *= 1.01
        case 3:
            poses[1, :3, 0] *= -1
    return poses


@pytest.mark.parametrize(
    ("index", "message"),
    [(0, "not finite"), (1, "transposed"), (2, "scaled"), (3, "reflection")],
)
def test_require_rigid_names_the_matrix_and_the_fault(index: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"poses: matrix 1 .*{message}"):
        require_rigid(_broken(index), "poses")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_gives_what_numpy_gives_in_its_own_dtype(dtype: torch.dtype) -> None:
    poses = random_poses(4)
    intrinsics = np.tile(intrinsics_matrix(60.0, 55.0, 33.0, 21.0), (4, 1, 1))
    tensor, k = torch.tensor(poses, dtype=dtype), torch.tensor(intrinsics, dtype=dtype)
    pairs = [
        (invert_pose(tensor), invert_pose(poses)),
        (relative_pose(tensor, tensor[0]), relative_pose(poses, poses[0])),
        (crop_intrinsics(k, top=1, left=2), crop_intrinsics(intrinsics, top=1, left=2)),
        (horizontal_fov(k, 64), horizontal_fov(intrinsics, 64)),
    ]
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for ours, reference in pairs:
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours.numpy(), reference, rtol=tolerance, atol=tolerance)
