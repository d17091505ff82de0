"""One test per line of scaling4d/CONVENTIONS.md that geometry decides, and the page itself."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaling4d.geometry.camera import (
    intrinsics_from_fov,
    intrinsics_matrix,
    invert_pose,
    look_at,
    relative_pose,
)
from scaling4d.geometry.projection import pixel_centers, project, transform_points, unproject
from scaling4d.geometry.scale import central_depth
from scaling4d.geometry.seeds import child_seed, rng
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import FORMATS
from tests.scenes import default_camera, occluder, plane, sphere


def test_convention_world() -> None:
    # Right-handed, z up: from the south, east is right and height is up in the image.
    pose = look_at((0.0, -5.0, 0.0), (0.0, 0.0, 0.0))
    k = intrinsics_from_fov(100, 100, 60.0)
    east, up = (
        project(transform_points(invert_pose(pose), np.array(p)), k)[0]
        for p in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    )
    assert east[0] > 50
    assert up[1] < 50
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)


def test_convention_camera_axes() -> None:
    k = intrinsics_matrix(100.0, 100.0, 50.0, 50.0)
    for point, expected in (((1, 0, 5), (70, 50)), ((0, 1, 5), (50, 70)), ((0, 0, 5), (50, 50))):
        xy, z = project(np.array(point, dtype=float), k)
        np.testing.assert_allclose(xy, expected)  # x to the right, y down
        assert z == 5.0  # z forward


def test_convention_pose() -> None:
    # Column vectors: the last column is where the camera stands, its columns are its axes.
    pose = look_at((1.0, 2.0, 3.0), (1.0, 5.0, 3.0))
    assert pose.dtype == np.float64
    np.testing.assert_array_equal(pose[:3, 3], (1.0, 2.0, 3.0))
    np.testing.assert_allclose(pose[:3, 2], (0.0, 1.0, 0.0))
    np.testing.assert_allclose(pose @ (0.0, 0.0, 3.0, 1.0), (1.0, 5.0, 3.0, 1.0))
    world_from_target, world_from_source = pose, look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    target_from_source = relative_pose(world_from_target, world_from_source)
    np.testing.assert_allclose(
        world_from_target @ target_from_source, world_from_source, atol=1e-12
    )


def test_convention_intrinsics() -> None:
    np.testing.assert_array_equal(pixel_centers(4, 6)[0, 0], (0.5, 0.5))
    # A centred principal point is half the size, so the corner of the image is at (0, 0): the ray
    # through it makes half the field of view.
    k = intrinsics_from_fov(50, 80, 90.0)
    np.testing.assert_array_equal(k[:2, 2], (40.0, 25.0))
    xy, _ = project(np.array([-1.0, -25.0 / 40.0, 1.0]), k)
    np.testing.assert_allclose(xy, (0.0, 0.0), atol=1e-12)
    # cv2.resize samples the same way: the centre of a 2x2 block is the corner of four pixels.
    image = np.arange(4.0).reshape(2, 2)
    assert cv2.resize(image, (1, 1), interpolation=cv2.INTER_LINEAR)[0, 0] == image.mean()


def test_convention_depth() -> None:
    # Planar: a wall across the axis has one depth, not one per ray length.
    wall = plane(distance=4.0, tilt_degrees=0.0).depth(0.0, default_camera())
    np.testing.assert_allclose(wall, 4.0)
    points = unproject(wall, default_camera().intrinsics)
    np.testing.assert_allclose(points[..., 2], 4.0)
    assert np.linalg.norm(points[0, 0]) > 4.0
    assert np.isinf(sphere().depth(0.0, default_camera())[0, 0])


def test_convention_sizes() -> None:
    grid = pixel_centers(3, 5)
    assert grid.shape == (3, 5, 2)
    np.testing.assert_array_equal(grid[2, 4], (4.5, 2.5))  # row 2, column 4 is x 4.5, y 2.5


def test_convention_time() -> None:
    same = Trajectory.preset("orbit", 4, pivot_depth=2.0)
    assert same.source_index is None  # frame i shows source frame i
    many = np.stack([intrinsics_matrix(float(f), f, 0.0, 0.0) for f in (10, 11, 12, 13)])
    np.testing.assert_array_equal(same.target_intrinsics(many), many)
    held = Trajectory.preset("bullet_time", 4, pivot_depth=2.0, frame=2)
    np.testing.assert_array_equal(held.source_index, (2, 2, 2, 2))
    np.testing.assert_array_equal(held.target_intrinsics(many), many[[2, 2, 2, 2]])


def test_convention_trajectory() -> None:
    depth = occluder(near=3.0, far=6.0).depth(0.0, default_camera())
    assert central_depth(depth) == 3.0
    right = Trajectory.preset("truck", 2, pivot_depth=3.0, distance=1.0)
    # A target one metre to the right sees a source point one metre further left.
    moved = transform_points(right.target_from_source[-1], np.array([0.0, 0.0, 3.0]))
    np.testing.assert_allclose(moved, (-1.0, 0.0, 3.0))
    sources = np.stack([look_at((0.1 * i, 0.0, 0.0), (0.0, 4.0, 0.0)) for i in range(2)])
    np.testing.assert_array_equal(right.relative_to(sources), right.target_from_source)
    world = Trajectory(invert_pose(sources), mode="world")
    np.testing.assert_allclose(
        world.relative_to(sources), np.tile(np.eye(4), (2, 1, 1)), atol=1e-12
    )


def test_convention_seeds() -> None:
    assert 0 <= child_seed(7, "scene", 3) < 2**64
    assert child_seed(7, "scene", 3) == child_seed(7, "scene", 3)
    assert len({child_seed(7), child_seed(7, "a"), child_seed(7, "b"), child_seed(8, "a")}) == 4
    before = rng(7, "camera").uniform()
    rng(7, "light").uniform()  # another stream, drawn from or not, changes nothing
    assert rng(7, "camera").uniform() == before


def _page(repository: Path) -> str:
    return (repository / "scaling4d" / "CONVENTIONS.md").read_text()


def test_every_line_of_the_page_names_a_test_that_exists(repository: Path) -> None:
    rows = re.findall(r"^\| ([^|`]+) \| .* \| `(tests/[^`]+)` \|$", _page(repository), re.MULTILINE)
    assert len(rows) >= 15
    for _, node in rows + [
        ("", node) for node in re.findall(r"`(tests/[^`]+::\w+)`", _page(repository))
    ]:
        file, _, name = node.partition("::")
        source = (repository / file).read_text()
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), f"no test {node}"


def test_every_geometric_line_has_its_test_here_and_the_other_way_round(repository: Path) -> None:
    named = set(re.findall(r"test_conventions\.py::(test_convention_\w+)", _page(repository)))
    assert named == {name for name in globals() if name.startswith("test_convention_")}


def test_the_page_states_every_format_as_the_code_does(repository: Path) -> None:
    page = _page(repository)
    for name, kind in FORMATS.items():
        assert f"| `{name}` | {kind.convention.replace('|', '/')} |" in page, name
