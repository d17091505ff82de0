"""Reading and writing frames: exact indices, sizes, rotation, and errors that say what to do."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from scaling4d.storage.video import (
    VideoError,
    contact_sheet,
    crop_box,
    find_videos,
    probe_video,
    read_frames,
    read_video,
    write_video,
)
from tests.storage.encoded import encode


def numbered_frames(count: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Frames whose grey level tells their index, far enough apart to survive compression."""
    levels = (np.arange(count) * (200 // count) + 20).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3)).copy()


def frame_index(image: np.ndarray, count: int) -> int:
    return round((float(image.mean()) - 20) / (200 // count))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "numbered.mp4"
    write_video(path, numbered_frames(20), 8)
    return path


def test_a_written_video_states_its_size_rate_and_length(video: Path) -> None:
    info = probe_video(video)
    assert (info.frames, info.height, info.width, info.fps) == (20, 32, 48, 8.0)


def test_start_step_and_count_select_exact_frames(video: Path) -> None:
    clip = read_video(video, start=3, frames=4, step=5)
    assert [frame_index(image, 20) for image in clip.frames] == [3, 8, 13, 18]
    assert clip.fps == 8 / 5


def test_frames_are_read_by_index_in_any_order_with_repeats(video: Path) -> None:
    images = read_frames(video, [7, 0, 7, 19])
    assert [frame_index(image, 20) for image in images] == [7, 0, 7, 19]


def test_odd_sizes_are_padded_and_colours_kept(tmp_path: Path) -> None:
    frames = np.zeros((3, 31, 47, 3), np.uint8)
    frames[..., 0] = 220  # red stays red: the channel order is RGB on both sides
    write_video(tmp_path / "odd.mp4", frames, 10)
    back = read_video(tmp_path / "odd.mp4").frames
    assert back.shape == (3, 32, 48, 3)
    assert back[..., 0].mean() > 200
    assert back[..., 1:].mean() < 20


def test_fitting_crops_centrally_to_the_asked_shape() -> None:
    assert crop_box(100, 200, 64, 64) == (0, 50, 100, 100)
    assert crop_box(200, 100, 50, 100) == (75, 0, 50, 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 21}, "gives 20 frames .* 21 needed"),
        ({"start": 30}, "gives 0 frames"),
        ({"step": 0}, "step >= 1"),
    ],
)
def test_asking_for_too_much_says_what_there_is(video: Path, arguments, message) -> None:
    with pytest.raises(VideoError, match=message):
        read_video(video, **arguments)


def test_missing_broken_and_cut_videos_are_named(video: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"no video at .*none\.mp4"):
        read_video(tmp_path / "none.mp4")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    with pytest.raises(VideoError, match=r"broken\.mp4 is not a readable video"):
        probe_video(broken)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[:-300])
    with pytest.raises(VideoError, match=r"cut\.mp4"):
        read_video(cut, frames=20)
    with pytest.raises(VideoError, match="has no frame 20"):
        read_frames(video, [20])


def test_other_shapes_and_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="must be"):
        write_video(tmp_path / "a.mp4", np.zeros((3, 8, 8), np.uint8), 8)
    with pytest.raises(VideoError, match=r"written as \.mp4"):
        write_video(tmp_path / "a.gif", np.zeros((3, 8, 8, 3), np.uint8), 8)
    assert list(tmp_path.iterdir()) == []


def test_a_text_file_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "poses.txt").write_text("0 0.5 0.8 0.5 0.5 0 0 1 0 0 1 0 1 0 2 0 0 1 3\n" * 40)
    with pytest.raises(VideoError, match=r"poses\.txt holds no video"):
        probe_video(tmp_path / "poses.txt")


def test_videos_are_found_anywhere_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.MP4").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("x")
    assert find_videos(tmp_path) == [tmp_path / "deep" / "er" / "a.MP4"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="holds no video"):
        find_videos(tmp_path / "empty")
    with pytest.raises(VideoError, match="no folder"):
        find_videos(tmp_path / "none")


def test_links_to_folders_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    for name in ("set/z/b.mp4", "elsewhere/a.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "set" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set" / "z")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "set")
    found = find_videos(tmp_path / "set")
    assert found == [tmp_path / "set" / "more" / "a.mp4", tmp_path / "set" / "z" / "b.mp4"]


def test_a_written_video_has_its_index_in_front(video: Path) -> None:
    content = video.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


def display_matrix(video: Path, path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Copy an mp4 with another display matrix in its track header."""
    content = bytearray(video.read_bytes())
    start = content.find(b"tkhd") + 44
    values = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    content[start : start + 36] = struct.pack(">9i", *values)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), lambda image: image),
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda image: np.rot90(image, 2).swapaxes(0, 1)),
    ],
)
def test_turned_and_mirrored_videos_are_read_as_displayed(
    tmp_path: Path, matrix: tuple[int, int, int, int], shown: Callable[[np.ndarray], np.ndarray]
) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:20, :30], image[40:, 60:], image[:20, 60:] = (255, 0, 0), (0, 0, 255), (0, 255, 0)
    write_video(tmp_path / "a.mp4", np.repeat(image[None], 4, axis=0), 16)
    path = display_matrix(tmp_path / "a.mp4", tmp_path / "turned.mp4", *matrix)
    found = read_video(path).frames[0].astype(int)
    assert found.shape == shown(image).shape
    assert np.abs(found - shown(image)).mean() < 3
    info = probe_video(path)
    assert (info.height, info.width) == found.shape[:2]


@pytest.mark.parametrize(("aspect", "width"), [("64/45", 1024), ("16/15", 768), ("1/2", 360)])
def test_pixels_that_are_not_square_are_made_so(tmp_path: Path, aspect: str, width: int) -> None:
    frames = np.zeros((3, 576, 720, 3), np.uint8)
    frames[:, :, 360:] = 200
    path = encode(tmp_path / "dvd.mp4", frames, 25, aspect=Fraction(aspect))
    assert (probe_video(path).height, probe_video(path).width) == (576, width)
    image = read_video(path).frames[1]
    assert image.shape == (576, width, 3)
    assert image[:, : width // 2 - 4].mean() < 3
    assert abs(image[:, width // 2 + 4 :].mean() - 200) < 3


def test_a_contact_sheet_places_pictures_row_by_row() -> None:
    images = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = contact_sheet(images, columns=2, gap=1)
    assert sheet.shape == (11, 15, 3)
    assert [sheet[1, 1, 0], sheet[1, 8, 0], sheet[6, 1, 0], sheet[6, 8, 0]] == [10, 20, 30, 255]


def test_real_videos_are_read_with_the_length_they_state(test_data: Path) -> None:
    info = probe_video(test_data / "video" / "hiker_tiny.mp4")
    assert (info.frames, info.height, info.width) == (49, 240, 368)
    clip = read_video(test_data / "video" / "hiker_tiny.mp4", frames=49, size=(96, 128))
    assert clip.frames.shape == (49, 96, 128, 3)
