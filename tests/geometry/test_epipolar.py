"""The convention checker against closed forms, rendered scenes and real clips with known poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import invert_pose, relative_pose
from scaling4d.geometry.epipolar import (
    READINGS,
    _Matcher,
    check_cameras,
    epipolar_distance,
    fundamental_matrix,
)
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras
from tests.scenes import Clip, Scene, default_camera, occluder, plane, rigid, room, rotation_z


def turning_clip() -> Clip:
    """A room seen by a camera that turns, rises and moves sideways."""
    start = default_camera(240, 320, fov=70.0)
    cameras = []
    for t in np.linspace(0.0, 1.0, 4):
        turn = np.eye(4)
        turn[:3, :3] = rotation_z(0.12 * t)
        step = rigid(np.eye(3), (0.9 * t, 0.25 * t, -0.5 * t))
        pose = turn @ start.world_from_camera @ step
        cameras.append(type(start)(240, 320, start.intrinsics, pose))
    return room().clip(cameras)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return turning_clip()


def test_exact_matches_lie_on_their_epipolar_lines() -> None:
    source = default_camera()
    target = source.orbit(2, yaw=10.0, pivot=(0.0, 4.0, 0.0))[1]
    match = occluder().correspondence(0.0, source, 0.0, target)
    xy = source.pixel_centers()
    relative = relative_pose(target.world_from_camera, source.world_from_camera)
    fundamental = fundamental_matrix(relative, source.intrinsics, target.intrinsics)
    distance = epipolar_distance(
        xy.reshape(-1, 2), (xy + match.displacement).reshape(-1, 2), fundamental
    )
    assert distance.max() < 1e-9


def test_the_distance_is_measured_in_pixels() -> None:
    # A camera that moves sideways has horizontal epipolar lines: a match 3 rows off is 3 px off.
    sideways = rigid(np.eye(3), (-1.0, 0.0, 0.0))
    k = default_camera().intrinsics
    xy = np.array([[10.0, 20.0], [30.0, 5.0]])
    distance = epipolar_distance(xy, np.add(xy, (4.0, 3.0)), fundamental_matrix(sideways, k, k))
    np.testing.assert_allclose(distance, 3.0, rtol=1e-12)


@pytest.mark.parametrize(("direction", "axes"), READINGS)
def test_each_reading_is_found_when_it_is_the_true_one(
    direction: str, axes: str, clip: Clip
) -> None:
    poses = convert_axes(clip.world_from_camera, "opencv", axes)
    matrices = invert_pose(poses) if direction == "world-to-camera" else poses
    report = check_cameras(clip.rgb, matrices, clip.intrinsics, max_pairs=3)
    assert report.decided
    assert report.consistent[0].name == f"{direction} {axes}"
    assert report.residuals[0].median_px < 0.2
    assert report.residuals[1].median_px > 1.0


def test_a_camera_that_never_turns_leaves_the_direction_open() -> None:
    # In a world set by the first camera R = I: t and -t predict the same lines.
    start = default_camera(240, 320, fov=70.0)
    cameras = [start.moved(rigid(np.eye(3), (0.25 * i, 0.1 * i, 0.1 * i))) for i in range(3)]
    clip = room().clip(cameras)
    first_from_camera = invert_pose(start.world_from_camera) @ clip.world_from_camera
    report = check_cameras(clip.rgb, first_from_camera, clip.intrinsics, max_pairs=2)
    assert not report.decided
    names = {result.name for result in report.consistent}
    assert names == {"camera-to-world opencv", "world-to-camera opencv"}


def test_poses_of_another_clip_fit_no_reading(clip: Clip) -> None:
    wrong = clip.world_from_camera[::-1] @ rigid(rotation_z(0.2), (0.3, -0.4, 0.1))
    wrong[1] = wrong[1] @ rigid(rotation_z(0.3), (0.5, 0.5, 0.0))
    report = check_cameras(clip.rgb, wrong, clip.intrinsics, max_pairs=3)
    assert report.consistent == ()


def test_frames_without_texture_are_refused() -> None:
    frames = np.full((3, 60, 80, 3), 128, np.uint8)
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = (0.0, 0.1, 0.2)
    k = np.tile(default_camera(60, 80).intrinsics, (3, 1, 1))
    with pytest.raises(ValueError, match="choose a clip with texture"):
        check_cameras(frames, poses, k)


def test_still_cameras_are_refused(clip: Clip) -> None:
    still = np.tile(np.eye(4), (4, 1, 1))
    with pytest.raises(ValueError, match="moving camera"):
        check_cameras(clip.rgb, still, clip.intrinsics)


def test_numbers_that_disagree_are_refused(clip: Clip) -> None:
    with pytest.raises(ValueError, match="4 frames, 3 poses"):
        check_cameras(clip.rgb, clip.world_from_camera[:3], clip.intrinsics)


def test_the_same_input_gives_the_same_answer(clip: Clip) -> None:
    first = check_cameras(clip.rgb, clip.world_from_camera, clip.intrinsics, max_pairs=2)
    second = check_cameras(clip.rgb, clip.world_from_camera, clip.intrinsics, max_pairs=2)
    assert first == second


def _spatialvid_clips(test_data: Path) -> list[tuple[Path, Path]]:
    root = test_data / "spatialvid" / "SpatialVid" / "HQ"
    folders = sorted((root / "annotations").glob("*/*"))
    return [(f, root / "videos" / f.parent.name / f"{f.name}.mp4") for f in folders]


def _check_spatialvid(folder: Path, video: Path, *, keys: int, pairs: int) -> None:
    from scaling4d.storage.video import probe_video, read_frames

    info = probe_video(video)
    given = Given(info.height, info.width, video_frames=info.frames)
    cameras = read_cameras(folder, "spatialvid", given)
    assert cameras.frame_index is not None
    assert cameras.intrinsics is not None
    chosen = np.arange(0, min(len(cameras), 2 * keys), 2)
    frames = read_frames(video, cameras.frame_index[chosen].tolist())
    report = check_cameras(
        frames, cameras.camera_from_world[chosen], cameras.intrinsics[chosen], max_pairs=pairs
    )
    assert [result.name for result in report.consistent] == ["world-to-camera opencv"]
    assert report.residuals[0].median_px < 0.8


def test_a_spatialvid_clip_holds_world_to_camera_opencv(test_data: Path) -> None:
    folder, video = _spatialvid_clips(test_data)[1]
    _check_spatialvid(folder, video, keys=6, pairs=2)


@pytest.mark.full
def test_every_spatialvid_clip_holds_world_to_camera_opencv(test_data: Path) -> None:
    clips = _spatialvid_clips(test_data)
    assert len(clips) == 6
    for folder, video in clips:
        _check_spatialvid(folder, video, keys=20, pairs=5)


@pytest.mark.parametrize("clip_number", [0, 1, 2])
def test_real_estate_10k_poses_hold_world_to_camera_opencv(
    clip_number: int, test_data: Path
) -> None:
    from scaling4d.storage.video import probe_video, read_video

    video = sorted((test_data / "re10k").glob("*.mp4"))[clip_number]
    info = probe_video(video)
    cameras = read_cameras(
        video.with_suffix(".txt"), "re10k", Given(height=info.height, width=info.width)
    )
    frames = read_video(video).frames
    assert len(frames) == len(cameras)
    report = check_cameras(frames, cameras.camera_from_world, cameras.intrinsics, max_pairs=6)
    assert [result.name for result in report.consistent] == ["world-to-camera opencv"]


def test_features_are_found_where_our_pixel_centres_are() -> None:
    # A blob on the centre of column 40, row 30 lies at (40.5, 30.5), not at (40, 30).
    rows, columns = np.mgrid[:60, :80]
    blob = np.exp(-((columns - 40) ** 2 + (rows - 30) ** 2) / (2 * 4.0**2))
    image = np.repeat(np.round(255 * blob).astype(np.uint8)[..., None], 3, axis=2)
    xy, _ = _Matcher([image])._detect(0)
    np.testing.assert_allclose(xy[0], (40.5, 30.5), atol=0.02)


def test_scenes_used_here_have_texture() -> None:
    scene: Scene = plane()
    assert scene.rgb(0.0, default_camera()).std() > 20
