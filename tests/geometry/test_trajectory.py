"""Trajectories: what each preset does to the picture, modes, zooms, bullet time and parsing."""

from __future__ import annotations

import numpy as np
import pytest

from scaling4d.geometry.camera import intrinsics_matrix, invert_pose, require_rigid
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.moves import Moves
from scaling4d.geometry.presets import EASINGS, PRESETS
from scaling4d.geometry.projection import project, transform_points
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from scaling4d.geometry.trajectory_io import load_trajectory, write_cameras
from tests.geometry.camera_paths import camera_path

DEPTH = 4.0
PIVOT = np.array([0.0, 0.0, DEPTH])
K = intrinsics_matrix(100.0, 100.0, 50.0, 40.0)


def moved(name: str, **amounts: float) -> np.ndarray:
    """(4, 4) pose of the last camera in the frame of the source camera."""
    return Trajectory.preset(name, 9, pivot_depth=DEPTH, **amounts).source_from_target[-1]


def seen(trajectory: Trajectory, point: np.ndarray) -> np.ndarray:
    """(n, 2) pixels at which a point of the source camera's frame appears."""
    return np.stack(
        [
            project(transform_points(pose, point), k)[0]
            for pose, k in zip(
                trajectory.target_from_source, trajectory.target_intrinsics(K), strict=True
            )
        ]
    )


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("frames", [1, 2, 49])
def test_every_preset_gives_rigid_cameras_of_the_length_asked(name: str, frames: int) -> None:
    trajectory = Trajectory.preset(name, frames, pivot_depth=DEPTH)
    assert len(trajectory) == frames
    assert trajectory.mode == "relative"
    require_rigid(trajectory.target_from_source, name, tolerance=1e-12)


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in ("arc",)])
def test_presets_start_at_the_source_view(name: str) -> None:
    trajectory = Trajectory.preset(name, 9, pivot_depth=DEPTH)
    np.testing.assert_allclose(trajectory.target_from_source[0], np.eye(4), atol=1e-12)


def test_arc_passes_the_source_view_at_half_time() -> None:
    trajectory = Trajectory.preset("arc", 9, pivot_depth=DEPTH, yaw=30)
    np.testing.assert_allclose(trajectory.target_from_source[4], np.eye(4), atol=1e-12)
    left, right = trajectory.source_from_target[[0, -1], 0, 3]
    assert right == pytest.approx(-left) == pytest.approx(DEPTH * np.sin(np.radians(15)))


@pytest.mark.parametrize("name", ["orbit", "arc", "spiral", "bullet_time", "random"])
def test_moves_around_the_pivot_keep_it_in_the_middle_of_the_image(name: str) -> None:
    trajectory = Trajectory.preset(name, 25, pivot_depth=DEPTH)
    np.testing.assert_allclose(seen(trajectory, PIVOT), np.tile((50.0, 40.0), (25, 1)), atol=1e-9)


@pytest.mark.parametrize(("name", "amount"), [("truck", "distance"), ("crane", "height")])
def test_aim_keeps_the_pivot_in_the_middle_and_is_off_by_default(name: str, amount: str) -> None:
    aimed = Trajectory.preset(name, 5, pivot_depth=DEPTH, aim=1, **{amount: 1.0})
    np.testing.assert_allclose(seen(aimed, PIVOT), np.tile((50.0, 40.0), (5, 1)), atol=1e-9)
    plain = Trajectory.preset(name, 5, pivot_depth=DEPTH, **{amount: 1.0})
    np.testing.assert_allclose(plain.source_from_target[:, :3, :3], np.tile(np.eye(3), (5, 1, 1)))


def test_orbit_travels_right_and_up_on_the_sphere() -> None:
    pose = moved("orbit", yaw=90, pitch=0)
    np.testing.assert_allclose(pose[:3, 3], (DEPTH, 0, DEPTH), atol=1e-12)
    pose = moved("orbit", yaw=0, pitch=90)
    np.testing.assert_allclose(pose[:3, 3], (0, -DEPTH, DEPTH), atol=1e-12)  # y points down
    centers = Trajectory.preset("orbit", 9, pivot_depth=DEPTH, yaw=70, pitch=30)
    distance = np.linalg.norm(centers.source_from_target[:, :3, 3] - PIVOT, axis=1)
    np.testing.assert_allclose(distance, DEPTH, rtol=1e-12)


def test_orbit_forward_approaches_the_pivot() -> None:
    pose = moved("orbit", yaw=40, pitch=10, forward=1.5)
    assert np.linalg.norm(pose[:3, 3] - PIVOT) == pytest.approx(DEPTH - 1.5)


@pytest.mark.parametrize(
    ("name", "amounts", "center"),
    [
        ("dolly", {"distance": 1.0}, (0, 0, 1)),
        ("dolly", {"distance": -1.0}, (0, 0, -1)),
        ("truck", {"distance": 1.0}, (1, 0, 0)),
        ("crane", {"height": 1.0}, (0, -1, 0)),
        ("pan", {"angle": 20}, (0, 0, 0)),
        ("tilt", {"angle": 20}, (0, 0, 0)),
        ("zoom", {"factor": 2}, (0, 0, 0)),
    ],
)
def test_signs_follow_the_operator(
    name: str, amounts: dict[str, float], center: tuple[float, float, float]
) -> None:
    np.testing.assert_allclose(moved(name, **amounts)[:3, 3], center, atol=1e-12)


def test_turning_right_moves_the_picture_left_and_tilting_up_moves_it_down() -> None:
    pan = seen(Trajectory.preset("pan", 2, pivot_depth=DEPTH, angle=10), PIVOT)
    assert pan[1, 0] == pytest.approx(50 - 100 * np.tan(np.radians(10)))
    tilt = seen(Trajectory.preset("tilt", 2, pivot_depth=DEPTH, angle=10), PIVOT)
    assert tilt[1, 1] == pytest.approx(40 + 100 * np.tan(np.radians(10)))


def test_rolling_clockwise_turns_the_picture_anticlockwise() -> None:
    right_of_axis = np.array([1.0, 0.0, DEPTH])
    roll = seen(Trajectory.preset("roll", 2, pivot_depth=DEPTH, angle=90), right_of_axis)
    np.testing.assert_allclose(roll[1], (50.0, 40.0 - 25.0), atol=1e-9)  # right goes to the top


def test_zoom_scales_the_picture_about_the_principal_point_at_a_steady_rate() -> None:
    trajectory = Trajectory.preset("zoom", 5, pivot_depth=DEPTH, factor=2)
    offsets = seen(trajectory, np.array([1.0, -1.0, DEPTH])) - (50.0, 40.0)
    np.testing.assert_allclose(offsets / offsets[0], 2.0 ** np.linspace(0, 1, 5)[:, None] * [1, 1])


def test_dolly_zoom_keeps_the_size_of_what_is_at_the_pivot() -> None:
    trajectory = Trajectory.preset("dolly_zoom", 5, pivot_depth=DEPTH, distance=1.5)
    at_pivot = seen(trajectory, np.array([0.7, 0.3, DEPTH]))
    np.testing.assert_allclose(at_pivot, np.tile(at_pivot[0], (5, 1)), atol=1e-9)
    behind = seen(trajectory, np.array([0.7, 0.3, 2 * DEPTH]))
    assert (np.diff(behind[:, 0]) < 0).all()  # the background shrinks


def test_bullet_time_holds_one_source_frame() -> None:
    trajectory = Trajectory.preset("bullet_time", 5, pivot_depth=DEPTH, frame=12)
    np.testing.assert_array_equal(trajectory.source_index, [12] * 5)
    many = np.tile(K, (20, 1, 1))
    many[12, 0, 0] = 123.0
    assert trajectory.target_intrinsics(many)[3, 0, 0] == 123.0


@pytest.mark.parametrize("frame", [-1, 0.5])
def test_bullet_time_needs_a_frame_number(frame: float) -> None:
    with pytest.raises(ValueError, match="source frame number"):
        Trajectory.preset("bullet_time", 5, pivot_depth=DEPTH, frame=frame)


@pytest.mark.parametrize("ease", EASINGS)
def test_easing_changes_when_and_not_where(ease: str) -> None:
    trajectory = Trajectory.preset("dolly", 11, pivot_depth=DEPTH, distance=1.0, ease=ease)
    forward = trajectory.source_from_target[:, 2, 3]
    assert forward[0] == pytest.approx(0.0)
    assert forward[-1] == pytest.approx(1.0)
    assert (np.diff(forward) > 0).all()
    steps = np.diff(forward)
    assert (steps[0] < 0.9 * steps[5]) == (ease in ("in", "in_out"))
    assert (steps[-1] < 0.9 * steps[5]) == (ease in ("out", "in_out"))


def test_random_is_decided_by_its_seed_and_keeps_its_limits() -> None:
    first = Trajectory.preset("random", 49, pivot_depth=DEPTH, seed=3)
    again = Trajectory.preset("random", 49, pivot_depth=DEPTH, seed=3)
    other = Trajectory.preset("random", 49, pivot_depth=DEPTH, seed=4)
    np.testing.assert_array_equal(first.target_from_source, again.target_from_source)
    assert np.abs(first.target_from_source - other.target_from_source).max() > 0.05
    for seed in range(40):
        poses = Trajectory.preset("random", 25, pivot_depth=DEPTH, seed=seed).source_from_target
        offset = poses[:, :3, 3] - PIVOT
        distance = np.linalg.norm(offset, axis=1)
        yaw = np.degrees(np.arctan2(offset[:, 0], -offset[:, 2]))
        pitch = np.degrees(np.arcsin(-offset[:, 1] / distance))
        assert np.abs(distance / DEPTH - 1).max() <= 0.25 + 1e-9
        assert np.abs(yaw).max() <= 30 + 1e-9
        assert np.abs(pitch).max() <= 12 + 1e-9


def test_random_paths_differ_in_every_direction() -> None:
    ends = [Trajectory.preset("random", 2, pivot_depth=DEPTH, seed=s) for s in range(60)]
    x = np.array([end.source_from_target[-1, 0, 3] for end in ends])
    y = np.array([end.source_from_target[-1, 1, 3] for end in ends])
    for values in (x, y):
        assert 0.3 < (values > 0).mean() < 0.7


def test_relative_trajectories_ignore_the_source_poses() -> None:
    trajectory = Trajectory.preset("orbit", 3, pivot_depth=DEPTH)
    poses = camera_path(3).world_from_camera
    np.testing.assert_array_equal(trajectory.relative_to(poses), trajectory.target_from_source)
    np.testing.assert_array_equal(trajectory.relative_to(None), trajectory.target_from_source)


def test_world_trajectories_are_composed_with_the_source_poses() -> None:
    targets, sources = camera_path(3, seed=1), camera_path(3, seed=2).world_from_camera
    trajectory = Trajectory.from_cameras(targets, mode="world")
    expected = invert_pose(targets.world_from_camera) @ sources
    np.testing.assert_allclose(trajectory.relative_to(sources), expected, atol=1e-12)
    np.testing.assert_array_equal(trajectory.target_intrinsics(K), targets.intrinsics)


def test_world_trajectories_need_the_source_poses_and_enough_of_them() -> None:
    trajectory = Trajectory.from_cameras(camera_path(3), mode="world")
    with pytest.raises(ValueError, match="needs the poses of the source cameras"):
        trajectory.relative_to(None)
    with pytest.raises(ValueError, match="shows source frame 2, but the source has 2 frames"):
        trajectory.relative_to(camera_path(2).world_from_camera)


def test_a_file_in_relative_mode_starts_at_the_source_view() -> None:
    cameras = camera_path(4)
    trajectory = Trajectory.from_cameras(cameras)
    np.testing.assert_allclose(trajectory.target_from_source[0], np.eye(4), atol=1e-12)
    expected = invert_pose(cameras.world_from_camera[0]) @ cameras.world_from_camera
    np.testing.assert_allclose(trajectory.source_from_target, expected, atol=1e-12)


def test_scaling_multiplies_lengths_and_leaves_turns() -> None:
    trajectory = Trajectory.preset("orbit", 5, pivot_depth=DEPTH, yaw=50)
    double = Trajectory.preset("orbit", 5, pivot_depth=2 * DEPTH, yaw=50)
    np.testing.assert_allclose(
        trajectory.scaled(2.0).target_from_source, double.target_from_source, atol=1e-12
    )
    with pytest.raises(ValueError, match="finite factor > 0"):
        trajectory.scaled(0.0)


def test_resampling_keeps_the_ends_and_the_path() -> None:
    trajectory = Trajectory.preset("orbit", 49, pivot_depth=DEPTH, yaw=60)
    few = trajectory.resampled(25)
    np.testing.assert_allclose(
        few.target_from_source, trajectory.target_from_source[::2], atol=1e-9
    )
    zoom = Trajectory.preset("zoom", 9, pivot_depth=DEPTH).resampled(5)
    np.testing.assert_allclose(zoom.focal_scale, 1.5 ** np.linspace(0, 1, 5), rtol=1e-12)


def test_presets_can_be_typed_with_amounts() -> None:
    typed = parse_trajectory("orbit: yaw=20, pitch=5 ,ease=in_out", frames=7, pivot_depth=DEPTH)
    built = Trajectory.preset("orbit", 7, pivot_depth=DEPTH, yaw=20, pitch=5, ease="in_out")
    np.testing.assert_array_equal(typed.target_from_source, built.target_from_source)
    assert len(parse_trajectory("static", frames=3)) == 3


def test_lengths_can_be_typed_in_pivot_depths() -> None:
    typed = parse_trajectory("dolly:distance=0.25p", frames=2, pivot_depth=DEPTH)
    assert typed.source_from_target[-1, 2, 3] == pytest.approx(0.25 * DEPTH)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("orbit:yaw=fast", "must be a number"),
        ("orbit:yaw=nan", "finite"),
        ("orbit:speed=3", "has no amount 'speed': it takes yaw"),
        ("orbit:yaw", "is not an amount"),
        ("orbit:ease=bouncy", "unknown easing 'bouncy': choose one of linear"),
        ("orbbit:yaw=3", "neither a camera preset"),
        ("dolly_zoom:distance=9", "move less far"),
        ("zoom:factor=0", "factor > 0"),
        ("random:waypoints=0", "random:waypoints must be a whole number >= 1"),
        ("random:waypoints=100000000000", "and <= 1000, got 100000000000"),
        ("truck:aim=1,distance=1,ease=in_out,up=2", "has no amount 'up'"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_trajectory(text, frames=5, pivot_depth=DEPTH)


@pytest.mark.parametrize("text", ["orbit", "random", "dolly_zoom", "spiral", "dolly:distance=1p"])
def test_a_missing_pivot_depth_is_asked_for_where_it_matters(text: str) -> None:
    with pytest.raises(ValueError, match=r"depth|pivot"):
        parse_trajectory(text, frames=5)


def test_a_preset_needs_a_number_of_frames() -> None:
    with pytest.raises(ValueError, match="needs a number of frames"):
        parse_trajectory("pan")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("dolly", {"frames": 2.5}, "'dolly' must be a whole number >= 1 and <= 100000, got 2.5"),
        ("dolly", {"frames": 10**12}, "<= 100000"),
        ("orbit", {"yaw": "20"}, "orbit:yaw must be a finite number, got '20'"),
        ("orbit", {"yaw": None}, "orbit:yaw must be a finite number, got None"),
        ("orbit", {"pivot_depth": None}, "give the depth of that pivot in metres"),
        ("random", {"pivot_depth": None}, "needs the depth of its pivot in metres"),
    ],
)
def test_mistakes_in_python_are_named_too(name: str, changes: dict, message: str) -> None:
    arguments = {"frames": 5, "pivot_depth": DEPTH} | changes
    with pytest.raises(ValueError, match=message):
        Trajectory.preset(name, **arguments)


def test_a_move_about_no_point_needs_no_pivot_depth() -> None:
    assert len(Trajectory.preset("dolly", 5, pivot_depth=None)) == 5


def test_a_camera_that_would_pass_its_pivot_is_refused() -> None:
    moves = Moves.from_columns({"forward": [0.0, 5.0]}, aim=True)
    with pytest.raises(ValueError, match="pass the pivot"):
        moves.source_from_target(DEPTH)


def test_a_file_with_another_length_says_how_to_resample(tmp_path) -> None:
    path = tmp_path / "cameras.tum"
    write_cameras(path, camera_path(5).replaced(intrinsics=None), "tum")
    with pytest.raises(ValueError, match="holds 5 cameras, but 9 frames are wanted"):
        parse_trajectory(path, frames=9)
    assert len(parse_trajectory(path, frames=5)) == 5


def test_intrinsics_of_a_file_are_fitted_to_the_given_image_size(tmp_path) -> None:
    path = tmp_path / "sparse"
    cameras = camera_path(3)
    write_cameras(path, cameras, "colmap")
    half = load_trajectory(str(path), given=Given(height=30, width=40))
    expected = cameras.intrinsics * [[0.5], [0.5], [1.0]]
    np.testing.assert_allclose(half.intrinsics, expected, rtol=1e-12)
    with pytest.raises(ValueError, match="of another shape: crop one of them first"):
        load_trajectory(str(path), given=Given(height=40, width=40))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "global"}, "choose relative or world"),
        ({"target_from_source": np.eye(4)}, "shape"),
        ({"target_from_source": 2 * np.tile(np.eye(4), (3, 1, 1))}, "matrix 0"),
        ({"intrinsics": np.eye(3)}, "intrinsics must have the shape"),
        ({"focal_scale": np.ones(2)}, "focal_scale"),
        ({"source_index": np.array([0, 1, -1])}, "frame numbers >= 0"),
        ({"source_index": np.array([0.0, 1.0, 2.0])}, "frame numbers >= 0"),
    ],
)
def test_inconsistent_fields_are_refused(changes: dict, message: str) -> None:
    fields = {"target_from_source": np.tile(np.eye(4), (3, 1, 1))} | changes
    with pytest.raises(ValueError, match=message):
        Trajectory(**fields)


def test_a_zooming_trajectory_asks_for_intrinsics_before_it_becomes_cameras() -> None:
    trajectory = Trajectory.preset("zoom", 3, pivot_depth=DEPTH)
    with pytest.raises(ValueError, match="give the source's intrinsics"):
        trajectory.cameras()
    cameras = trajectory.cameras(K, 80, 100)
    assert isinstance(cameras, CameraPath)
    assert cameras.intrinsics[-1, 0, 0] == pytest.approx(150.0)


def test_cameras_between_key_frames_are_placed_by_frame_number() -> None:
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = (0.0, 1.0, 4.0)
    sparse = CameraPath(poses, frame_index=np.array([0, 10, 40]), times=np.array([0.0, 1.0, 4.0]))
    dense = sparse.at_frames(np.arange(41))
    np.testing.assert_allclose(dense.world_from_camera[:, 0, 3], np.arange(41) / 10.0, atol=1e-12)
    np.testing.assert_allclose(dense.times, np.arange(41) / 10.0)
    np.testing.assert_array_equal(dense.frame_index, np.arange(41))
    np.testing.assert_allclose(sparse.resampled(5).world_from_camera[:, 0, 3], np.arange(5.0))
    assert sparse.resampled(4).frame_index is None  # 40 / 3 is no frame number
    with pytest.raises(ValueError, match="outside the keys"):
        sparse.at_frames([41])
