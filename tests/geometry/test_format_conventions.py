"""Each format means what its own tool means by it: arithmetic written out anew, and real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom
from scipy.spatial.transform import Rotation

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.projection import project, transform_points
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras, write_trajectory

SIZE = Given(height=256, width=384)
ROTATION = Rotation.from_euler("xyz", (0.3, -0.5, 0.2)).as_matrix()
CENTER = np.array([1.0, -2.0, 3.0])


def one_camera() -> CameraPath:
    """A camera of known orientation and centre, with an off-centre lens."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = ROTATION, CENTER
    return CameraPath(pose[None], intrinsics_matrix(300.0, 310.0, 190.0, 125.0)[None], 256, 384)


def test_real_estate_10k_centres_are_minus_r_transposed_t(test_data: Path) -> None:
    path = sorted((test_data / "re10k").glob("*.txt"))[0]
    rows = np.array([line.split() for line in path.read_text().splitlines()[1:]], dtype=float)
    cameras = read_cameras(path, "re10k", SIZE)
    extrinsic = rows[:, 7:].reshape(-1, 3, 4)
    centers = -np.einsum("nji,nj->ni", extrinsic[:, :, :3], extrinsic[:, :, 3])
    np.testing.assert_allclose(cameras.world_from_camera[:, :3, 3], centers, atol=1e-6)
    np.testing.assert_allclose(cameras.intrinsics[:, 0, 0], rows[:, 1] * 384, rtol=1e-12)
    np.testing.assert_allclose(cameras.intrinsics[:, 1, 1], rows[:, 2] * 256, rtol=1e-12)
    np.testing.assert_allclose(cameras.times, rows[:, 0] / 1e6)


def test_real_estate_10k_can_come_without_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "pose.txt"
    path.write_text("0 0.5 0.8 0.5 0.5 0 0 1 0 0 1 0 1 0 2 0 0 1 3\n")
    cameras = read_cameras(path, "re10k", SIZE)
    np.testing.assert_allclose(cameras.world_from_camera[0, :3, 3], (-1, -2, -3))
    assert cameras.times is None


def test_tum_lines_are_camera_to_world_with_the_scalar_last(tmp_path: Path) -> None:
    path = tmp_path / "pose.tum"
    write_cameras(path, one_camera(), "tum", Given(fps=10.0))
    values = np.array(path.read_text().split(), dtype=float)
    np.testing.assert_allclose(values[1:4], CENTER)
    np.testing.assert_allclose(Rotation.from_quat(values[4:]).as_matrix(), ROTATION, atol=1e-12)


def test_a_scalar_first_quaternion_of_wrong_length_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "pose.tum"
    path.write_text("0 1 2 3 0.1 0.2 0.3 0.4\n")
    with pytest.raises(ValueError, match="quaternion 0 has length"):
        read_cameras(path)


def test_kitti_lines_are_the_first_three_rows_of_camera_to_world(tmp_path: Path) -> None:
    path = tmp_path / "pose.kitti"
    write_cameras(path, one_camera(), "kitti")
    values = np.array(path.read_text().split(), dtype=float).reshape(3, 4)
    np.testing.assert_allclose(values[:, :3], ROTATION)
    np.testing.assert_allclose(values[:, 3], CENTER)


def test_colmap_images_are_world_to_camera_with_the_scalar_first(tmp_path: Path) -> None:
    write_cameras(tmp_path, one_camera(), "colmap")
    line = next(
        line for line in (tmp_path / "images.txt").read_text().splitlines() if line[:1] == "1"
    )
    fields = line.split()
    rotation = Rotation.from_quat(np.array(fields[2:5] + fields[1:2], dtype=float)).as_matrix()
    translation = np.array(fields[5:8], dtype=float)
    np.testing.assert_allclose(rotation, ROTATION.T, atol=1e-12)
    np.testing.assert_allclose(-rotation.T @ translation, CENTER, atol=1e-12)
    assert "PINHOLE 384 256 300.0 310.0 190.0 125.0" in (tmp_path / "cameras.txt").read_text()


def test_colmap_images_are_ordered_by_name_and_their_points_skipped(tmp_path: Path) -> None:
    (tmp_path / "cameras.txt").write_text("# c\n3 SIMPLE_RADIAL 384 256 300 192 128 0\n")
    (tmp_path / "images.txt").write_text(
        "# images\n"
        "1 1 0 0 0 0 0 10 3 shot_10.png\n"
        "12.5 30.1 -1 99 3 7\n"
        "2 1 0 0 0 0 0 2 3 shot_2.png\n"
        "\n"
        "7 1 0 0 0 0 0 9 3 shot_9.png\n"
        "1 2 3 4 5 6 7 8 9 10 11 12\n"
    )
    cameras = read_cameras(tmp_path)
    np.testing.assert_allclose(cameras.world_from_camera[:, 2, 3], (-2, -9, -10))
    np.testing.assert_array_equal(cameras.frame_index, (2, 9, 10))
    np.testing.assert_array_equal(cameras.intrinsics[0], intrinsics_matrix(300, 300, 192, 128))


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ("1 OPENCV 384 256 300 300 192 128 0.1 0 0 0", "distorted"),
        ("1 FISHEYE 384 256 300 300 192 128", "not a pinhole"),
        ("1 PINHOLE 384 256 300", "expected|needs 4"),
        ("2 PINHOLE 384 256 300 300 192 128", "lacks camera 1"),
    ],
)
def test_colmap_lenses_that_are_no_pinhole_are_refused(
    camera: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "cameras.txt").write_text(camera + "\n")
    (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 1 a_1.png\n\n")
    with pytest.raises(ValueError, match=message):
        read_cameras(tmp_path)


def test_nerfstudio_matrices_are_opengl_cameras(tmp_path: Path) -> None:
    path = tmp_path / "transforms.json"
    write_cameras(path, one_camera(), "nerfstudio")
    frame = json.loads(path.read_text())["frames"][0]
    matrix = np.array(frame["transform_matrix"])
    np.testing.assert_allclose(matrix[:3, 0], ROTATION[:, 0])  # right
    np.testing.assert_allclose(matrix[:3, 1], -ROTATION[:, 1])  # up
    np.testing.assert_allclose(matrix[:3, 2], -ROTATION[:, 2])  # backward
    assert frame["fl_y"] == 310.0


def test_nerfstudio_lens_may_be_shared_and_centred(tmp_path: Path) -> None:
    frames = [{"file_path": f"f_{i}.png", "transform_matrix": np.eye(4).tolist()} for i in (10, 9)]
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({"fl_x": 300, "w": 384, "h": 256, "frames": frames}))
    cameras = read_cameras(path)
    np.testing.assert_array_equal(cameras.intrinsics[1], intrinsics_matrix(300, 300, 192, 128))
    np.testing.assert_array_equal(cameras.frame_index, (9, 10))
    np.testing.assert_allclose(cameras.world_from_camera[0, :3, 2], (0, 0, -1))


def test_nerfstudio_distortion_is_refused(tmp_path: Path) -> None:
    frame = {"file_path": "f_0.png", "transform_matrix": np.eye(4).tolist(), "k1": 0.1}
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({"fl_x": 300, "w": 384, "h": 256, "frames": [frame]}))
    with pytest.raises(ValueError, match="distorted"):
        read_cameras(path)


def test_recammaster_relative_poses_follow_its_own_recipe(tmp_path: Path) -> None:
    # Its loader: transpose, take columns 1 2 0 3, negate column 1, centimetres to metres; then
    # poses relative to the first. Frame 0 looks along -x, frame 1 is turned and has moved.
    matrices = np.tile(np.eye(4), (2, 1, 1))
    matrices[0, :3, :3] = np.diag([-1.0, -1.0, 1.0])
    matrices[0, 3, :3] = (3390.0, 1380.0, 240.0)
    matrices[1, :3, :3] = (
        matrices[0, :3, :3] @ Rotation.from_euler("zyx", (0.4, 0.2, -0.1)).as_matrix()
    )
    matrices[1, 3, :3] = (3300.0, 1500.0, 200.0)
    text = [" ".join("[" + " ".join(map(str, row)) + "]" for row in m) + " " for m in matrices]
    path = tmp_path / "camera_extrinsics.json"
    path.write_text(json.dumps({f"frame{i}": {"cam01": t} for i, t in enumerate(text)}))

    recipe = matrices.transpose(0, 2, 1)[:, :, [1, 2, 0, 3]].copy()
    recipe[:, :3, 1] *= -1.0
    recipe[:, :3, 3] /= 100.0
    ours = read_cameras(path).world_from_camera
    np.testing.assert_allclose(
        np.linalg.inv(ours[0]) @ ours[1], np.linalg.inv(recipe[0]) @ recipe[1], atol=1e-12
    )
    assert np.linalg.det(ours[:, :3, :3]) == pytest.approx([1.0, 1.0])


def test_recammaster_asks_which_camera_is_meant(tmp_path: Path) -> None:
    row = "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 1]"
    path = tmp_path / "camera_extrinsics.json"
    path.write_text(json.dumps({"frame0": {"cam01": row, "cam02": row}}))
    with pytest.raises(ValueError, match="cam01, cam02: name the one"):
        read_cameras(path)
    assert len(read_cameras(path, given=Given(camera="cam02"))) == 1


def test_spatialvid_rows_are_world_to_camera_with_the_scalar_last(test_data: Path) -> None:
    folder = next((test_data / "spatialvid/SpatialVid/HQ/annotations").glob("*/*"))
    rows = np.load(folder / "poses.npy").astype(float)
    cameras = read_cameras(folder, given=Given(720, 1280, video_frames=899))
    rotation = Rotation.from_quat(rows[:, 3:]).as_matrix()
    centers = -np.einsum("nji,nj->ni", rotation, rows[:, :3])
    np.testing.assert_allclose(cameras.world_from_camera[:, :3, 3], centers, atol=1e-9)
    k = np.load(folder / "intrinsics.npy").astype(float)
    np.testing.assert_allclose(cameras.intrinsics[:, 0, 2], k[:, 2] * 1280)
    np.testing.assert_array_equal(np.unique(np.diff(cameras.frame_index)), -(-899 // len(rows)))


def test_vista4d_and_vipe_keep_camera_to_world_as_it_is(tmp_path: Path) -> None:
    write_cameras(tmp_path / "cameras.npz", one_camera(), "vista4d")
    with np.load(tmp_path / "cameras.npz") as archive:
        np.testing.assert_array_equal(archive["cam_c2w"][0, :3, 3], CENTER)
        np.testing.assert_array_equal(archive["intrinsics"], [[300.0, 310.0, 190.0, 125.0]])
    write_cameras(tmp_path / "vipe", one_camera(), "vipe", Given(camera="clip"))
    with np.load(tmp_path / "vipe/pose/clip.npz") as archive:
        np.testing.assert_array_equal(archive["data"][0, :3, :3], ROTATION)
        np.testing.assert_array_equal(archive["inds"], [0])


def test_gen3c_is_world_to_camera_and_megasam_camera_to_world(tmp_path: Path) -> None:
    write_cameras(tmp_path / "clip", one_camera(), "gen3c")
    with np.load(tmp_path / "clip" / "camera.npz") as archive:
        np.testing.assert_allclose(archive["w2c"][0, :3, :3], ROTATION.T)
        np.testing.assert_allclose(archive["w2c"][0, :3, 3], -ROTATION.T @ CENTER)
        np.testing.assert_array_equal(archive["intrinsics"], one_camera().intrinsics)
    write_cameras(tmp_path / "megasam.npz", one_camera(), "megasam")
    with np.load(tmp_path / "megasam.npz") as archive:
        np.testing.assert_array_equal(archive["cam_c2w"][0, :3, 3], CENTER)
        np.testing.assert_array_equal(archive["intrinsic"], one_camera().intrinsics[0])


def test_ex4d_views_follow_its_own_recipe(tmp_path: Path) -> None:
    # Its camera looks from an eye at a point; the rows of the view are forward x (0 1 0), that x
    # forward, and forward; the renderer then turns the sign of all three and the file keeps that.
    eye, point = np.array([0.6, -0.1, 0.2]), np.array([0.0, 0.0, 3.0])
    forward = (point - eye) / np.linalg.norm(point - eye)
    right = np.cross(forward, (0, 1, 0)) / np.linalg.norm(np.cross(forward, (0, 1, 0)))
    rows = np.stack([right, np.cross(right, forward), forward])
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = -rows, rows @ eye
    start = np.diag([1.0, -1, -1, 1])  # the same for an eye at the source camera
    path = tmp_path / "camera_30.npz"
    np.savez(path, extrinsics=np.stack([start, view]), intrinsics=np.eye(3))
    poses = read_cameras(path).world_from_camera
    np.testing.assert_allclose(poses[0], np.eye(4), atol=1e-12)
    np.testing.assert_allclose(poses[1, :3, 3], eye, atol=1e-12)
    np.testing.assert_allclose(poses[1, :3, 2], forward, atol=1e-12)
    assert poses[1, 0, 0] > 0.9, "right in the image is right in the world"
    assert poses[1, 1, 1] > 0.9, "down is down"


def test_archives_that_hold_pickles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cameras.npz"
    np.savez(path, cam_c2w=np.array([{"a": 1}], dtype=object), intrinsics=np.zeros((1, 4)))
    with pytest.raises(ValueError, match="Vista4D"):
        read_cameras(path)
    np.savez(path, angles=np.zeros(3))
    with pytest.raises(ValueError, match="cannot tell the format"):
        read_cameras(path)


def test_usd_projects_every_point_where_pxr_does(tmp_path: Path) -> None:
    path = tmp_path / "camera.usda"
    write_cameras(path, one_camera(), "usd")
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    frustum = UsdGeom.Camera(stage.GetPrimAtPath("/cameras/camera")).GetCamera(0.0).frustum
    to_clip = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    in_camera = np.random.default_rng(0).normal((0, 0, 5.0), size=(50, 3))
    points = transform_points(one_camera().world_from_camera[0], in_camera)
    ndc = np.array([to_clip.Transform(Gf.Vec3d(*point)) for point in points])
    theirs = np.stack(((ndc[:, 0] + 1) / 2 * 384, (1 - ndc[:, 1]) / 2 * 256), axis=-1)
    xy, _ = project(in_camera, one_camera().intrinsics[0])
    np.testing.assert_allclose(theirs, xy, atol=1e-3)  # the lens is single precision


def test_usd_units_and_up_axis_become_metres_and_z_up(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "camera.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    parent = UsdGeom.Xform.Define(stage, "/rig")
    parent.AddTranslateOp().Set(Gf.Vec3d(100.0, 200.0, 0.0))
    parent.AddScaleOp().Set(Gf.Vec3f(2.0))
    camera = UsdGeom.Camera.Define(stage, "/rig/shot")
    camera.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, 50.0))
    stage.Save()
    pose = read_cameras(tmp_path / "camera.usda").world_from_camera[0]
    # 100 right, 200 up and 100 towards the viewer, in centimetres and y up.
    np.testing.assert_allclose(pose[:3, 3], (1.0, -1.0, 2.0), atol=1e-12)
    np.testing.assert_allclose(pose[:3, 2], (0, 1, 0), atol=1e-12)  # looked along -z, now +y
    np.testing.assert_allclose(pose[:3, 1], (0, 0, -1), atol=1e-12)


def test_usd_asks_which_camera_is_meant(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "camera.usda"))
    UsdGeom.Camera.Define(stage, "/a")
    UsdGeom.Camera.Define(stage, "/b")
    stage.Save()
    with pytest.raises(ValueError, match="/a, /b: name the one"):
        read_cameras(tmp_path / "camera.usda")
    assert len(read_cameras(tmp_path / "camera.usda", given=Given(camera="/b"))) == 1


def test_a_motion_written_to_usd_stands_upright_and_is_the_same_motion(tmp_path: Path) -> None:
    trajectory = Trajectory.preset("crane", 3, pivot_depth=2.0, height=1.0)
    given = Given(height=256, width=384, intrinsics=(300.0, 300.0, 192.0, 128.0))
    write_trajectory(tmp_path / "camera.usda", trajectory, "usd", given)
    cameras = read_cameras(tmp_path / "camera.usda", given=given)
    np.testing.assert_allclose(cameras.world_from_camera[-1, :3, 3], (0, 0, 1), atol=1e-12)  # up
    np.testing.assert_allclose(cameras.world_from_camera[0, :3, 2], (0, 1, 0), atol=1e-12)  # north
    again = Trajectory.from_cameras(cameras)
    np.testing.assert_allclose(again.target_from_source, trajectory.target_from_source, atol=1e-12)
