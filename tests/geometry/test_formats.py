"""read(write(x)) = x for what each format holds, and from any format to any other and back."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import (
    FORMATS,
    MotionFormat,
    PoseFormat,
    detect_format,
    read_cameras,
    write_cameras,
    write_trajectory,
)
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path, camera_paths, every_frame


@dataclass(frozen=True)
class Holds:
    """What a format holds beside poses, and the precision of its lens and poses."""

    file: str
    intrinsics: bool = True
    size: bool = True
    times: bool = False
    frame_index: bool = False
    one_lens: bool = False
    lens_tolerance: float = 1e-12


HOLDS = {
    "re10k": Holds("cameras.txt", times=True),
    "tum": Holds("cameras.tum", intrinsics=False, size=False, times=True),
    "kitti": Holds("cameras.kitti", intrinsics=False, size=False),
    "vista4d": Holds("cameras.npz", size=False),
    "vipe": Holds("vipe", size=False, frame_index=True),
    "gen3c": Holds("gen3c", size=False),
    "megasam": Holds("megasam.npz", size=False, one_lens=True),
    "ex4d": Holds("camera_30.npz", size=False, one_lens=True),
    "spatialvid": Holds("clip"),
    "colmap": Holds("sparse", frame_index=True),
    "nerfstudio": Holds("transforms.json", frame_index=True),
    "recammaster": Holds("extrinsics.json", intrinsics=False, size=False, frame_index=True),
    "usd": Holds("camera.usda", lens_tolerance=1e-6),  # the schema's lens is in single precision
}
WITH_LENS = [name for name, holds in HOLDS.items() if holds.intrinsics]
SINGLE_FILES = [name for name, holds in HOLDS.items() if "." in holds.file]
SIZE = Given(height=HEIGHT, width=WIDTH)


def held(cameras: CameraPath, holds: Holds) -> CameraPath:
    """The part of a path that a format can hold."""
    intrinsics = cameras.intrinsics if holds.intrinsics else None
    if holds.one_lens:
        intrinsics = np.tile(cameras.intrinsics[0], (len(cameras), 1, 1))
    return CameraPath(
        cameras.world_from_camera,
        intrinsics,
        cameras.height if holds.size else None,
        cameras.width if holds.size else None,
        times=cameras.times if holds.times else None,
        frame_index=cameras.frame_index if holds.frame_index else None,
    )


def assert_same(ours: CameraPath, expected: CameraPath, holds: Holds) -> None:
    scale = 1.0 + np.abs(expected.world_from_camera).max()
    np.testing.assert_allclose(
        ours.world_from_camera, expected.world_from_camera, rtol=0, atol=1e-12 * scale
    )
    if expected.intrinsics is not None:
        assert ours.intrinsics is not None
        np.testing.assert_allclose(
            ours.intrinsics,
            expected.intrinsics,
            rtol=holds.lens_tolerance,
            atol=1e-3 * holds.lens_tolerance * 5000,
        )
    if holds.size:
        assert (ours.height, ours.width) == (expected.height, expected.width)
    if expected.times is not None:
        np.testing.assert_allclose(ours.times, expected.times, rtol=0, atol=1e-12)
    if expected.frame_index is not None:
        np.testing.assert_array_equal(ours.frame_index, expected.frame_index)


def test_every_pose_format_is_covered_here() -> None:
    assert HOLDS.keys() == {n for n, kind in FORMATS.items() if isinstance(kind, PoseFormat)}


@pytest.mark.parametrize("name", HOLDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cameras=camera_paths())
def test_reading_what_was_written_gives_it_back(name: str, cameras: CameraPath) -> None:
    holds = HOLDS[name]
    expected = held(cameras, holds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / holds.file
        write_cameras(path, expected, name, SIZE)
        assert_same(read_cameras(path, name, SIZE), expected, holds)


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(HOLDS, 2)))
def test_cameras_survive_the_way_through_two_formats(
    first: str, second: str, tmp_path: Path
) -> None:
    # What neither holds is given from outside, as a user would: one lens, a frame rate.
    cameras = camera_path(frames=4, seed=3)
    cameras = CameraPath(
        cameras.world_from_camera, np.tile(cameras.intrinsics[0], (4, 1, 1)), HEIGHT, WIDTH
    )
    k = cameras.intrinsics[0]
    outside = Given(
        HEIGHT, WIDTH, intrinsics=(k[0, 0], k[1, 1], k[0, 2], k[1, 2]), fps=24.0, camera=None
    )
    path = tmp_path / "a" / HOLDS[first].file
    write_cameras(path, cameras, first, outside)
    between = read_cameras(path, first, outside)
    path = tmp_path / "b" / HOLDS[second].file
    write_cameras(path, between, second, outside)
    assert_same(read_cameras(path, second, outside), cameras, Holds("", lens_tolerance=2e-6))


@pytest.mark.parametrize("name", HOLDS)
def test_a_written_file_is_recognised_without_naming_its_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / HOLDS[name].file
    write_cameras(path, held(camera_path(), HOLDS[name]), name, SIZE)
    assert detect_format(path) == name


@pytest.mark.parametrize("name", WITH_LENS)
def test_a_format_with_intrinsics_refuses_to_write_without_them(name: str, tmp_path: Path) -> None:
    bare = every_frame().replaced(intrinsics=None)
    with pytest.raises(ValueError, match="give fx, fy, cx, cy"):
        write_cameras(tmp_path / HOLDS[name].file, bare, name, SIZE)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("name", WITH_LENS)
def test_a_skew_is_refused_because_no_format_holds_one(name: str, tmp_path: Path) -> None:
    cameras = every_frame()
    skewed = cameras.intrinsics.copy()
    skewed[:, 0, 1] = 0.1
    with pytest.raises(ValueError, match="skew"):
        write_cameras(tmp_path / HOLDS[name].file, cameras.replaced(intrinsics=skewed), name, SIZE)


@pytest.mark.parametrize("name", [name for name, holds in HOLDS.items() if holds.one_lens])
def test_a_format_with_one_lens_refuses_a_zoom(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one lens for all frames"):
        write_cameras(tmp_path / HOLDS[name].file, every_frame(), name)
    assert not any(tmp_path.iterdir())


def test_the_registry_knows_what_each_format_holds() -> None:
    for name, holds in HOLDS.items():
        kind = FORMATS[name]
        assert isinstance(kind, PoseFormat)
        assert kind.lens == holds.intrinsics, name
        assert kind.seconds == holds.times, name
        assert kind.timed == (holds.times or holds.frame_index or name == "usd"), name


@pytest.mark.parametrize("name", [name for name, holds in HOLDS.items() if not holds.intrinsics])
def test_a_format_without_intrinsics_loses_no_zoom(name: str, tmp_path: Path) -> None:
    path = tmp_path / HOLDS[name].file
    zooming = every_frame()
    with pytest.raises(ValueError, match="holds no intrinsics, and these cameras zoom"):
        write_cameras(path, zooming, name)
    constant = zooming.replaced(intrinsics=np.tile(zooming.intrinsics[0], (5, 1, 1)))
    with pytest.raises(ValueError, match="another lens than the source"):
        write_cameras(path, constant, name, Given(intrinsics=(400.0, 400.0, 240.0, 240.0)))
    moving = Trajectory.preset("dolly_zoom", 5, pivot_depth=3.0)
    for outside in (Given(), Given(intrinsics=(400.0, 400.0, 240.0, 240.0), fps=24.0)):
        with pytest.raises(ValueError, match="--drop-intrinsics"):
            write_trajectory(path, moving, name, outside)
    assert not any(tmp_path.iterdir())
    write_cameras(path, constant, name, replace(SIZE, fps=24.0))


@pytest.mark.parametrize("name", WITH_LENS)
def test_intrinsics_beside_those_of_the_file_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / HOLDS[name].file
    cameras = camera_path(3)
    k = cameras.intrinsics[0]
    cameras = cameras.replaced(intrinsics=np.tile(k, (3, 1, 1)), frame_index=None, times=None)
    write_cameras(path, cameras, name, SIZE)
    own = (k[0, 0], k[1, 1], k[0, 2], k[1, 2])
    read_cameras(path, name, replace(SIZE, intrinsics=own))  # what the file says may be repeated
    with pytest.raises(ValueError, match=rf"{path.name}.*holds its own intrinsics, .*given 50 50"):
        read_cameras(path, name, replace(SIZE, intrinsics=(50.0, 50.0, 40.0, 30.0)))


def test_given_intrinsics_reach_a_stage_of_unknown_size(tmp_path: Path) -> None:
    path = tmp_path / "camera.usda"
    write_cameras(path, camera_path(3).replaced(frame_index=None, times=None), "usd")
    cameras = read_cameras(path, "usd", Given(intrinsics=(50.0, 50.0, 40.0, 30.0)))
    np.testing.assert_array_equal(cameras.intrinsics[:, 0, 0], 50.0)


@pytest.mark.parametrize("name", ["re10k", "colmap", "nerfstudio", "spatialvid", "usd"])
def test_a_format_that_needs_the_image_size_says_so(name: str, tmp_path: Path) -> None:
    cameras = every_frame().replaced(height=None, width=None)
    with pytest.raises(ValueError, match="give height and width"):
        write_cameras(tmp_path / HOLDS[name].file, cameras, name)


def test_tum_asks_for_a_frame_rate_when_there_are_no_times(tmp_path: Path) -> None:
    cameras = camera_path().replaced(times=None, intrinsics=None)
    with pytest.raises(ValueError, match="give fps"):
        write_cameras(tmp_path / "cameras.tum", cameras, "tum")


def test_real_estate_10k_asks_for_a_frame_rate_where_it_would_lose_frame_numbers(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cameras.txt"
    key_frames = camera_path(3).replaced(times=None, frame_index=np.array([0, 5, 10]))
    with pytest.raises(ValueError, match="frame numbers alone: give fps"):
        write_cameras(path, key_frames, "re10k")
    write_cameras(path, key_frames, "re10k", Given(fps=5.0))
    np.testing.assert_allclose(read_cameras(path, "re10k", SIZE).times, (0.0, 1.0, 2.0))
    write_cameras(path, key_frames.replaced(frame_index=None), "re10k")
    assert read_cameras(path, "re10k", SIZE).times is None


@pytest.mark.parametrize(
    ("camera", "name"), [("../evil", "evil"), ("/rig/shot", "shot"), ("a/", "cameras")]
)
def test_a_vipe_clip_stays_in_its_folder(camera: str, name: str, tmp_path: Path) -> None:
    write_cameras(tmp_path / "clip", camera_path(3), "vipe", Given(camera=camera))
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz"))
    assert files == [f"clip/intrinsics/{name}.npz", f"clip/pose/{name}.npz"]


@pytest.mark.parametrize("name", SINGLE_FILES)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\x13 nonsense", b"1 2 3\n4 5 6\n", b"{}", b"{", b"[" * 100_000]
)
def test_broken_files_end_in_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / HOLDS[name].file
    path.write_bytes(content)
    with pytest.raises(ValueError, match=path.name) as caught:
        read_cameras(path, name, SIZE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", HOLDS)
def test_a_truncated_file_is_an_error_and_never_a_shorter_path(name: str, tmp_path: Path) -> None:
    path = tmp_path / HOLDS[name].file
    write_cameras(path, held(camera_path(), HOLDS[name]), name, SIZE)
    file = max(
        (p for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()),
        key=lambda p: p.stat().st_size,
    )
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(ValueError, match=r"."):
        read_cameras(path, name, SIZE)


def test_usd_keeps_frame_numbers_and_refuses_gaps(tmp_path: Path) -> None:
    cameras = camera_path(frames=3).replaced(times=None)
    path = tmp_path / "camera.usda"
    write_cameras(path, cameras.replaced(frame_index=np.array([7, 8, 9])), "usd", SIZE)
    again = read_cameras(path, "usd", SIZE)
    np.testing.assert_array_equal(again.frame_index, [7, 8, 9])
    np.testing.assert_allclose(again.times, np.array([7, 8, 9]) / 24.0)
    with pytest.raises(ValueError, match="gaps"):
        write_cameras(path, cameras.replaced(frame_index=np.array([7, 9, 12])), "usd", SIZE)


def test_every_format_names_its_convention() -> None:
    for name, kind in FORMATS.items():
        words = kind.convention
        if isinstance(kind, MotionFormat):
            assert any(word in words for word in ("degrees", "+x", "operations", "first line")), (
                name
            )
        else:
            assert "camera-to-world" in words or "world-to-camera" in words, name
            assert "axes" in words, name
