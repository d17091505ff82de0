"""The scene file: exact round trip, refusal of broken files, nothing half written."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from scaling4d.storage.atomic import atomic_path, remove_partials
from scaling4d.storage.scene_file import CameraTrack, SceneFileError, open_scene, write_scene
from scaling4d.storage.scene_format import CONVENTIONS


def make_track(frames: int = 5, height: int = 12, width: int = 16, seed: int = 0) -> CameraTrack:
    generator = np.random.default_rng(seed)
    depth = generator.uniform(0.5, 9, (frames, height, width)).astype(np.float32)
    depth[:, 0] = np.inf
    pose = np.tile(np.eye(4), (frames, 1, 1))
    pose[:, :3, 3] = generator.normal(size=(frames, 3))
    return CameraTrack(
        rgb=generator.integers(0, 256, (frames, height, width, 3), dtype=np.uint8),
        depth=depth,
        intrinsics=np.tile(np.array([[20.0, 0, 8], [0, 20, 6], [0, 0, 1]]), (frames, 1, 1)),
        world_from_camera=pose,
        instance_id=generator.integers(0, 9, (frames, height, width), dtype=np.uint16),
    )


def write(path: Path, **changes: object) -> dict[str, CameraTrack]:
    cameras = {"cam0": make_track(seed=0), "cam1": make_track(seed=1)}
    arguments: dict = {
        "cameras": cameras,
        "fps": 8.0,
        "attributes": {"generator": "test", "seed": np.uint64(2**63 + 1), "versions": {"a": "1"}},
        "scene": {"layout": "wall_0=Wall(0,0,0,1,0,0,2.5,0)\n", "raw": b"a\0b\0", "n": [1, 2]},
        "paths": {"cam0": {"control_points": np.arange(6.0).reshape(2, 3), "style": "orbit"}},
        "qa": {"median_px": 0.01, "pairs": {"cam0-cam1": {"p99": 0.2}}},
    } | changes
    write_scene(path, **arguments)
    return cameras


@pytest.mark.parametrize("compression", [None, "gzip4+shuffle"])
def test_reading_gives_back_every_bit_that_was_written(tmp_path: Path, compression) -> None:
    cameras = write(tmp_path / "a.h5", compression=compression)
    with open_scene(tmp_path / "a.h5") as scene:
        assert (scene.frames, scene.height, scene.width, scene.fps) == (5, 12, 16, 8.0)
        assert scene.camera_names == ["cam0", "cam1"]
        for name, track in cameras.items():
            back = scene.track(name)
            for field in ("rgb", "depth", "intrinsics", "world_from_camera", "instance_id"):
                written, read = getattr(track, field), getattr(back, field)
                assert written.dtype == read.dtype
                np.testing.assert_array_equal(written, read)
        assert scene.scene == {
            "layout": "wall_0=Wall(0,0,0,1,0,0,2.5,0)\n",
            "raw": b"a\0b\0",
            "n": [1, 2],
        }
        np.testing.assert_array_equal(
            scene.path_record("cam0")["control_points"], np.arange(6.0).reshape(2, 3)
        )
        assert scene.path_record("cam1") == {}
        assert scene.qa["pairs"] == {"cam0-cam1": {"p99": 0.2}}
        assert scene.attributes["seed"] == 2**63 + 1


def test_every_convention_is_stated_in_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.h5")
    with open_scene(tmp_path / "a.h5") as scene:
        for key, text in CONVENTIONS.items():
            assert scene.attributes[f"convention_{key}"] == text


def test_frames_come_in_any_order_and_with_repeats(tmp_path: Path) -> None:
    track = write(tmp_path / "a.h5")["cam0"]
    with open_scene(tmp_path / "a.h5") as scene:
        np.testing.assert_array_equal(scene.rgb("cam0", [3, 1, 1, 4]), track.rgb[[3, 1, 1, 4]])
        np.testing.assert_array_equal(scene.depth("cam0", 2), track.depth[2])
        np.testing.assert_array_equal(scene.depth("cam0", slice(1, 3)), track.depth[1:3])
        with pytest.raises(SceneFileError, match="has no camera 'cam7'; it has cam0, cam1"):
            scene.rgb("cam7")


def test_a_chunk_is_one_frame(tmp_path: Path) -> None:
    write(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as handle:
        assert handle["cameras/cam0/rgb"].chunks == (1, 12, 16, 3)
        assert handle["cameras/cam0/depth"].chunks == (1, 12, 16)


def test_a_file_cut_short_is_refused_at_every_length(tmp_path: Path) -> None:
    write(tmp_path / "a.h5")
    whole = (tmp_path / "a.h5").read_bytes()
    for share in (0.0, 0.01, 0.5, 0.9, 0.999):
        (tmp_path / "cut.h5").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SceneFileError, match=r"cut\.h5"), open_scene(tmp_path / "cut.h5"):
            pass


def test_unfinished_foreign_and_newer_files_are_refused(tmp_path: Path) -> None:
    for key, value, message in (
        ("complete", False, "unfinished"),
        ("schema", "other", "schema 'other'"),
        ("schema_version", 99, "update scaling4d"),
    ):
        write(tmp_path / "a.h5")
        with h5py.File(tmp_path / "a.h5", "a") as handle:
            handle.attrs[key] = value
        with pytest.raises(SceneFileError, match=message), open_scene(tmp_path / "a.h5"):
            pass
    with pytest.raises(SceneFileError, match="no scene file"), open_scene(tmp_path / "none.h5"):
        pass


def bad_track(**changes: np.ndarray) -> CameraTrack:
    track = make_track()
    return CameraTrack(**{**vars(track), **changes})


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (bad_track(depth=np.zeros((5, 12, 16), np.float32)), "depth holds values <= 0"),
        (bad_track(depth=np.full((5, 12, 16), np.nan, np.float32)), "or NaN"),
        (bad_track(depth=np.ones((5, 12, 16))), "float64"),
        (bad_track(rgb=np.zeros((5, 3, 12, 16), np.uint8)), "rgb must be"),
        (bad_track(intrinsics=np.full((5, 3, 3), np.nan)), "not finite"),
        (bad_track(world_from_camera=np.tile(np.diag([1.0, 1, -1, 1]), (5, 1, 1))), "right-handed"),
        (bad_track(world_from_camera=np.tile(2 * np.eye(4), (5, 1, 1))), "without scale"),
    ],
)
def test_what_breaks_a_convention_is_never_written(tmp_path: Path, track, message) -> None:
    with pytest.raises(SceneFileError, match=message):
        write(tmp_path / "a.h5", cameras={"cam0": track})
    assert list(tmp_path.iterdir()) == []


def test_cameras_of_different_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneFileError, match="share frames and size"):
        write(tmp_path / "a.h5", cameras={"a": make_track(5), "b": make_track(6)})


def test_a_failed_write_leaves_the_older_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_path(path) as partial:
        partial.write_text("new") + "a string is no number"
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_leftovers_of_killed_writers_are_found(tmp_path: Path) -> None:
    (tmp_path / ".a.0123abcd.partial.h5").write_bytes(b"x")
    (tmp_path / "a.h5").write_bytes(b"y")
    assert [path.name for path in remove_partials(tmp_path)] == [".a.0123abcd.partial.h5"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
