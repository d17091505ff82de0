"""Conventions of other tools: round trips for every pair, and each axis where it belongs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from pxr import Gf

from scaling4d.geometry.axes import CONVENTIONS, convert_axes, z_up_from_y_up
from scaling4d.geometry.camera import require_rigid
from tests.geometry.camera_paths import poses


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(CONVENTIONS, 2)))
@settings(max_examples=25, deadline=None)
@given(pose=poses())
def test_each_pair_of_conventions_round_trips(first: str, second: str, pose: np.ndarray) -> None:
    again = convert_axes(convert_axes(pose, first, second), second, first)
    np.testing.assert_allclose(again, pose, rtol=1e-14, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(pose=poses())
def test_conversions_compose(pose: np.ndarray) -> None:
    for first, middle, last in itertools.permutations(CONVENTIONS, 3):
        through = convert_axes(convert_axes(pose, first, middle), middle, last)
        np.testing.assert_allclose(through, convert_axes(pose, first, last), atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(pose=poses())
def test_a_rigid_pose_stays_rigid_in_every_convention(pose: np.ndarray) -> None:
    for convention in CONVENTIONS:
        require_rigid(convert_axes(pose, "opencv", convention), convention, tolerance=1e-9)


def test_opengl_camera_looks_down_its_negative_z_and_y_is_up() -> None:
    ours = np.eye(4)  # right = x, down = y, forward = z of the world
    theirs = convert_axes(ours, "opencv", "opengl")
    np.testing.assert_array_equal(theirs[:3, 0], ours[:3, 0])  # right stays right
    np.testing.assert_array_equal(theirs[:3, 1], -ours[:3, 1])  # up
    np.testing.assert_array_equal(theirs[:3, 2], -ours[:3, 2])  # backward


def test_usd_camera_looks_where_pxr_says() -> None:
    pose = convert_axes(np.eye(4), "opencv", "usd")
    camera = Gf.Camera()
    camera.transform = Gf.Matrix4d(pose.T)
    np.testing.assert_allclose(camera.frustum.ComputeViewDirection(), (0, 0, 1), atol=1e-15)
    np.testing.assert_allclose(camera.frustum.ComputeUpVector(), (0, -1, 0), atol=1e-15)


def test_an_unrotated_unreal_camera_looks_along_plus_x_in_centimetres() -> None:
    theirs = np.eye(4)
    theirs[:3, 3] = (100.0, 200.0, 300.0)
    ours = convert_axes(theirs, "unreal", "opencv")
    np.testing.assert_allclose(ours[:3, 2], (1, 0, 0))  # forward
    np.testing.assert_allclose(ours[:3, 1], (0, 0, -1))  # down
    np.testing.assert_allclose(ours[:3, 0], (0, -1, 0))  # right: Unreal's +y is our -y
    np.testing.assert_allclose(ours[:3, 3], (1.0, -2.0, 3.0))


def test_y_up_worlds_are_stood_upright() -> None:
    change = z_up_from_y_up()
    np.testing.assert_array_equal(change @ (0, 1, 0, 0), (0, 0, 1, 0))
    np.testing.assert_array_equal(change @ (1, 0, 0, 0), (1, 0, 0, 0))
    assert np.linalg.det(change) == 1.0


def test_unknown_conventions_are_named() -> None:
    with pytest.raises(ValueError, match="unknown camera convention 'blender': choose one of"):
        convert_axes(np.eye(4), "blender", "opencv")


def test_torch_gives_what_numpy_gives() -> None:
    pose = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    full = np.eye(4)
    full[:3, :3] = pose * np.linalg.det(pose)
    for convention in CONVENTIONS:
        ours = convert_axes(torch.tensor(full), "opencv", convention)
        np.testing.assert_array_equal(ours.numpy(), convert_axes(full, "opencv", convention))
