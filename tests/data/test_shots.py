from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.data.disk_cache import DiskCache
from scaling4d.data.pairs import ClipSize
from scaling4d.data.shots import find_shots
from scaling4d.data.spatialvid import read_spatialvid
from scaling4d.data.video_folder import read_video_folder
from tests.scenes import Camera, Scene, moving_box, room

SIZE = ClipSize(frames=17, height=96, width=96)


def clip(scene: Scene, frames: int, *, yaw: float, distance: float) -> np.ndarray:
    camera = Camera.look_at(64, 64, eye=(0.3, -distance, 1.0), target=(0, 0, 0.5), fov=60)
    return scene.clip(camera.orbit(frames, yaw=yaw, pivot=(0, 0, 0.5)), fps=8).rgb


@pytest.fixture(scope="module")
def two_clips() -> tuple[np.ndarray, np.ndarray]:
    return clip(moving_box(), 30, yaw=20, distance=4), clip(room(), 30, yaw=15, distance=2)


def test_one_moving_shot_is_not_cut(two_clips: tuple[np.ndarray, np.ndarray]) -> None:
    assert [find_shots(video) for video in two_clips] == [[(0, 30)], [(0, 30)]]


def test_cut_is_found_on_its_frame(two_clips: tuple[np.ndarray, np.ndarray]) -> None:
    assert find_shots(np.concatenate(two_clips)) == [(0, 30), (30, 60)]


def test_frames_of_a_dissolve_belong_to_no_shot(two_clips: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (video.astype(float) for video in two_clips)
    share = np.linspace(0, 1, 12)[1:-1, None, None, None]
    blended = (1 - share) * first[20:] + share * second[:10]
    video = np.concatenate([first[:20], blended, second[10:]]).round().astype(np.uint8)
    shots = find_shots(video)
    assert len(shots) == 2
    assert 8 <= shots[0][1] <= 24
    assert 26 <= shots[1][0] <= 42


def barred(video: np.ndarray, kind: str) -> np.ndarray:
    """Put a video of 64 x 64 pixels beside bars of encoded black."""
    height, width, top, left = {
        "pillars": (64, 170, 0, 53),
        "letterbox": (170, 64, 53, 0),
        "right bar": (64, 170, 0, 0),
        "window": (110, 130, 25, 30),
    }[kind]
    noise = np.random.default_rng(0)
    frames = noise.integers(0, 6, (len(video), height, width, 3), dtype=np.uint8)
    frames[:, top : top + 64, left : left + 64] = video
    return frames


BARS = ["pillars", "letterbox", "right bar", "window"]


@pytest.mark.parametrize("kind", BARS)
def test_cut_is_found_beside_black_bars(
    two_clips: tuple[np.ndarray, np.ndarray], kind: str
) -> None:
    assert find_shots(barred(np.concatenate(two_clips), kind)) == [(0, 30), (30, 60)]


@pytest.mark.parametrize("kind", BARS)
def test_one_moving_shot_inside_bars_is_not_cut(
    two_clips: tuple[np.ndarray, np.ndarray], kind: str
) -> None:
    for video in two_clips:
        assert find_shots(barred(video, kind)) == [(0, 30)]


@pytest.mark.parametrize("kind", BARS)
def test_dissolve_is_found_beside_black_bars(
    two_clips: tuple[np.ndarray, np.ndarray], kind: str
) -> None:
    first, second = (video.astype(float) for video in two_clips)
    share = np.linspace(0, 1, 12)[1:-1, None, None, None]
    blended = (1 - share) * first[20:] + share * second[:10]
    video = np.concatenate([first[:20], blended, second[10:]]).round().astype(np.uint8)
    shots = find_shots(barred(video, kind))
    assert len(shots) == 2
    assert 8 <= shots[0][1] <= 24
    assert 26 <= shots[1][0] <= 42


def test_a_dark_scene_is_whole(two_clips: tuple[np.ndarray, np.ndarray]) -> None:
    for video in two_clips:
        assert find_shots((video // 12).astype(np.uint8)) == [(0, 30)]


@pytest.mark.parametrize("length", [17, 49, 65])
def test_a_dissolve_as_long_as_the_video_leaves_its_purest_frames_alone(
    two_clips: tuple[np.ndarray, np.ndarray], length: int
) -> None:
    share = np.linspace(0, 1, length)[:, None, None, None]
    blended = (1 - share) * two_clips[0][0] + share * two_clips[1][0]
    for start, end in find_shots(blended.round().astype(np.uint8)):
        assert end <= 8 or start >= length - 8


def test_shortest_videos_are_one_shot() -> None:
    assert find_shots(np.zeros((1, 16, 16, 3), dtype=np.uint8)) == [(0, 1)]
    assert find_shots(np.zeros((5, 16, 16, 3), dtype=np.uint8)) == [(0, 5)]


@pytest.mark.full  # decodes 2 600 frames
def test_real_clips_are_whole_but_for_the_one_that_holds_a_dissolve(test_data: Path) -> None:
    clips = read_video_folder(test_data / "video", SIZE, skip_broken=False)
    clips += read_spatialvid(test_data / "spatialvid", SIZE, skip_broken=False)
    for found in clips:
        video = found.read(SIZE, DiskCache(None))
        shots = find_shots(video)
        if found.path.name.startswith("57387151"):  # a beach that turns into a hill
            assert len(shots) == 2
            assert 110 <= shots[0][1] <= 127
            assert 132 <= shots[1][0] <= 145
        else:
            assert shots == [(0, len(video))], found.path.name
