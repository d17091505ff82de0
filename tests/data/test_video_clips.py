from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling4d.data import video_clips
from scaling4d.data.disk_cache import DiskCache, content_hash, settings_hash
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.video_clips import MAX_CLIP_SECONDS, resampled_indices, windows
from scaling4d.data.video_folder import read_video_folder
from scaling4d.storage.video import frame_times, probe_video
from tests.data.samples import write_sample_video
from tests.storage.encoded import encode

SIZE = ClipSize(frames=9, height=32, width=32)


@given(
    frames=st.integers(1, 2000), fps=st.floats(1, 240), wanted=st.sampled_from([8.0, 16.0, 24.0])
)
def test_resampling_keeps_within_half_a_frame_of_a_regular_clock(
    frames: int, fps: float, wanted: float
) -> None:
    indices = resampled_indices(frames, fps, wanted)
    assert (np.diff(indices) > 0).all()
    assert indices[0] == 0
    assert indices[-1] < frames
    if wanted < fps:
        seconds = indices / fps
        assert np.abs(seconds - np.arange(len(indices)) / wanted).max() <= 0.5 / fps + 1e-9
        assert len(indices) == int((frames - 1) / fps * wanted + 1e-6) + 1
    else:
        np.testing.assert_array_equal(indices, np.arange(frames))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("fps", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001"])
def test_files_of_constant_rate_are_resampled_by_frame_number(
    tmp_path: Path, fps: str, suffix: str
) -> None:
    """Matroska rounds times to milliseconds, which must not decide between equally near frames."""
    rate = Fraction(fps)
    path = encode(tmp_path / f"a.{suffix}", np.zeros((400, 32, 32, 3), dtype=np.uint8), rate)
    info, times = probe_video(path), frame_times(path)
    assert times is not None
    assert len(times) == info.frames == 400
    np.testing.assert_allclose(times, np.arange(400) / float(rate), atol=1e-3)
    expected = [int(tick * rate / 16 + Fraction(1, 2)) for tick in range(800)]
    chosen = resampled_indices(400, info.fps, 16.0, times)
    assert chosen.tolist() == [index for index in expected if index < 400][: len(chosen)]
    assert len(chosen) == int(399 / rate * 16) + 1
    np.testing.assert_array_equal(chosen, resampled_indices(400, info.fps, 16.0))


def test_a_phone_video_that_slows_down_is_resampled_by_time(tmp_path: Path) -> None:
    """30 frames per second in the light and 15 in the dark: 20 on average."""
    times = np.concatenate([np.arange(150) / 30, 5 + np.arange(75) / 15])
    frames = np.zeros((225, 32, 32, 3), dtype=np.uint8)
    encode(tmp_path / "phone.mp4", frames, times=times)
    (clip,) = read_video_folder(tmp_path, SIZE, skip_broken=False)
    shown = times[list(clip.indices)]
    light, dark = shown[shown < 5], shown[shown >= 5]
    assert np.abs(light - np.arange(len(light)) / 16).max() <= 0.5 / 30 + 1e-4
    np.testing.assert_allclose(dark, times[150:-1])  # all up to the last tick
    assert clip.fps == pytest.approx((len(shown) - 1) / shown[-1])
    assert 15 < clip.fps < 16


@given(
    gaps=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=200),
    wanted=st.sampled_from([8.0, 16.0]),
)
def test_every_tick_gets_the_frame_nearest_in_time_and_none_comes_twice(
    gaps: list[float], wanted: float
) -> None:
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    fps = len(gaps) / times[-1]
    chosen = resampled_indices(len(times), fps, wanted, times)
    assert chosen[0] == 0
    assert (np.diff(chosen) > 0).all()
    if np.abs(times * fps - np.arange(len(times))).max() > 0.25:
        ticks = np.arange(int(times[-1] * wanted + 1e-6) + 1) / wanted
        reached = np.abs(times[chosen][None] - ticks[:, None]).min(axis=1)
        best = np.abs(times[None] - ticks[:, None]).min(axis=1)
        np.testing.assert_allclose(reached, best, atol=1e-8)


def test_spatialvid_rates_become_sixteen_frames_per_second() -> None:
    assert len(resampled_indices(900, 59.94006, 16.0)) == 240
    assert len(resampled_indices(450, 29.97003, 16.0)) == 240
    np.testing.assert_array_equal(resampled_indices(9, 30.0, 15.0), [0, 2, 4, 6, 8])


def test_long_videos_are_cut_into_windows_that_share_no_frame() -> None:
    parts = windows(Path("film.mp4"), 1600, 16.0, SIZE)
    assert len(parts) == round(100 / MAX_CLIP_SECONDS)
    frames = [index for part in parts for index in part.indices]
    assert frames == list(range(1600))


@pytest.mark.parametrize("seconds", [19.9, 20, 20.1, 29.5, 30.5, 41, 59, 100])
def test_windows_are_never_longer_than_the_limit(seconds: float) -> None:
    parts = windows(Path("film.mp4"), round(seconds * 16), 16.0, SIZE)
    assert max(len(part.indices) / part.fps for part in parts) <= MAX_CLIP_SECONDS
    assert sum(len(part.indices) for part in parts) == round(seconds * 16)


def test_clips_that_are_longer_than_the_limit_still_get_their_windows() -> None:
    size = ClipSize(frames=400, height=32, width=32)
    assert [len(w.indices) for w in windows(Path("a"), 500, 16.0, size)] == [500]
    assert [len(w.indices) for w in windows(Path("a"), 810, 16.0, size)] == [405, 405]


def test_identity_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    first = write_sample_video(tmp_path / "a.mp4", frames=12)
    (tmp_path / "sub").mkdir()
    same = tmp_path / "sub" / "other.mp4"
    same.write_bytes(first.read_bytes())
    write_sample_video(tmp_path / "sub" / "third.mp4", frames=13)
    clips = read_video_folder(tmp_path, SIZE, skip_broken=False)
    names = [clip.identity for clip in clips]
    assert names[0] == names[1] != names[2]
    assert content_hash(first) == content_hash(same)


def test_a_film_is_hashed_once_for_all_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    monkeypatch.setattr(video_clips, "content_hash", lambda path: hashed.append(path) or "hash")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"as long as it is there")
    parts = windows(film, 1600, 16.0, SIZE)
    assert len({part.identity for part in parts}) == len(parts) == 5
    assert hashed == [film]
    film.write_bytes(b"another film of another length")
    assert windows(film, 1600, 16.0, SIZE)[0].identity
    assert hashed == [film, film]


def test_same_frames_give_the_same_file_so_that_pairs_are_the_same(tmp_path: Path) -> None:
    hashes = {
        content_hash(write_sample_video(tmp_path / "a.mp4", frames=12, width=80)) for _ in range(8)
    }
    assert len(hashes) == 1


def test_cached_frames_equal_decoded_ones_and_are_decoded_once(tmp_path: Path) -> None:
    write_sample_video(tmp_path / "a.mp4", frames=12)
    (clip,) = read_video_folder(tmp_path, SIZE, skip_broken=False)
    fresh = clip.read(SIZE, DiskCache(None))
    cache = DiskCache(tmp_path / "cache")
    np.testing.assert_array_equal(clip.read(SIZE, cache), fresh)
    assert clip.identity  # keep the hash: the file is gone below
    (tmp_path / "a.mp4").unlink()
    np.testing.assert_array_equal(clip.read(SIZE, cache), fresh)
    assert fresh.shape == (12, 32, 32, 3)


def test_captions_lie_beside_the_videos(tmp_path: Path) -> None:
    write_sample_video(tmp_path / "a.mp4", frames=12)
    write_sample_video(tmp_path / "b.mp4", frames=12)
    (tmp_path / "b.txt").write_text("a box\n on a table\n")
    prompts = [clip.prompt for clip in read_video_folder(tmp_path, SIZE, skip_broken=False)]
    assert prompts == ["", "a box on a table"]


def test_broken_video_is_named_or_skipped_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_sample_video(tmp_path / "good.mp4", frames=12)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"bad\.mp4.*skip_broken"):
        read_video_folder(tmp_path, SIZE, skip_broken=False)
    with caplog.at_level(logging.WARNING):
        clips = read_video_folder(tmp_path, SIZE, skip_broken=True)
    assert [clip.path.name for clip in clips] == ["good.mp4"]
    assert "bad.mp4" in caplog.text


def test_too_few_frames_are_counted_in_the_message(tmp_path: Path) -> None:
    write_sample_video(tmp_path / "short.mp4", frames=5)
    with pytest.raises(DataError, match=r"gives 5 frames at 16 fps, a clip needs 9"):
        read_video_folder(tmp_path, SIZE, skip_broken=False)
    with pytest.raises(DataError, match="none of the 1 videos"):
        read_video_folder(tmp_path, SIZE, skip_broken=True)


def test_cache_entry_is_whole_or_absent(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)

    def interrupted() -> dict[str, np.ndarray]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.get("pairs", "abcdef", interrupted)
    assert not list(tmp_path.rglob("*.npz"))
    stored = cache.get("pairs", "abcdef", lambda: {"flow": np.arange(3)})
    again = cache.get("pairs", "abcdef", interrupted)
    np.testing.assert_array_equal(stored["flow"], again["flow"])


def test_settings_hash_ignores_key_order_and_nothing_else() -> None:
    assert settings_hash({"a": 1, "b": 2.0}) == settings_hash({"b": 2.0, "a": 1})
    assert settings_hash({"a": 1}) != settings_hash({"a": 2})
    assert settings_hash(1, 2) != settings_hash([1, 2])
