"""Frame numbers in image names: from 0, or as ffmpeg counts, from 1."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path


def named_files(folder: Path, name: str, numbers: list[int]) -> Path:
    """A COLMAP folder or transforms.json whose images are named as another tool names them."""
    if name == "nerfstudio":
        frames = [
            {"file_path": f"images/frame_{n:05d}.png", "transform_matrix": np.eye(4).tolist()}
            for n in numbers
        ]
        path = folder / "transforms.json"
        path.write_text(json.dumps({"fl_x": 300, "w": 384, "h": 256, "frames": frames}))
        return path
    (folder / "cameras.txt").write_text("1 PINHOLE 384 256 300 300 192 128\n")
    rows = [f"{n} 1 0 0 0 0 0 0 1 frame_{n:05d}.png\n\n" for n in numbers]
    (folder / "images.txt").write_text("# images\n" + "".join(rows))
    return folder


@pytest.mark.parametrize("name", ["colmap", "nerfstudio"])
@pytest.mark.parametrize(
    ("numbers", "first_frame", "expected"),
    [
        ([1, 2, 3], None, [0, 1, 2]),  # ffmpeg
        ([1, 5, 9], None, [0, 4, 8]),
        ([0, 1, 2], None, [0, 1, 2]),
        ([2, 3, 4], None, [2, 3, 4]),
        ([1, 2, 3], 0, [1, 2, 3]),  # frame 0 was not registered
        ([2, 3, 4], 1, [1, 2, 3]),
        ([101, 102], 101, [0, 1]),
    ],
)
def test_names_that_start_at_1_mean_the_first_frame(
    name: str,
    numbers: list[int],
    first_frame: int | None,
    expected: list[int],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = named_files(tmp_path, name, numbers)
    with caplog.at_level(logging.WARNING):
        cameras = read_cameras(path, given=Given(first_frame=first_frame))
    index = np.arange(len(cameras)) if cameras.frame_index is None else cameras.frame_index
    np.testing.assert_array_equal(index, expected)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (first_frame is None and numbers[0] == 1)
    assert all(str(path) in line for line in said)


@pytest.mark.parametrize("name", ["colmap", "nerfstudio"])
def test_what_we_write_counts_from_0_even_without_frame_0(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ("transforms.json" if name == "nerfstudio" else "sparse")
    write_cameras(path, camera_path(3).replaced(frame_index=np.array([1, 2, 3])), name)
    np.testing.assert_array_equal(read_cameras(path).frame_index, [1, 2, 3])
    assert not caplog.records


def test_a_number_before_the_first_frame_is_refused(tmp_path: Path) -> None:
    path = named_files(tmp_path, "colmap", [3, 4])
    with pytest.raises(ValueError, match="frame number 3 lies before the given first frame, 4"):
        read_cameras(path, given=Given(first_frame=4))


def test_the_command_line_takes_the_first_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = named_files(tmp_path, "colmap", [11, 12, 13])
    out = tmp_path / "out.tum"
    arguments = ["trajectory", "convert", str(path), str(out), "--fps", "10"]
    assert main([*arguments, "--first-frame", "11"]) == 0
    times = [float(line.split()[0]) for line in out.read_text().splitlines()]
    assert times == [0.0, 0.1, 0.2]


def images(folder: Path, *names: str) -> Path:
    """A COLMAP folder whose image i is that of ``names[i]``, i metres to the right."""
    (folder / "cameras.txt").write_text("1 PINHOLE 384 256 300 300 192 128\n")
    rows = [f"{i + 1} 1 0 0 0 {-i} 0 0 1 {name}\n\n" for i, name in enumerate(names)]
    (folder / "images.txt").write_text("".join(rows))
    return folder


def test_images_in_several_folders_come_in_the_order_of_their_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = images(tmp_path, "a/0005.png", "a/0006.png", "b/0003.png", "b/0004.png")
    cameras = read_cameras(path)
    np.testing.assert_array_equal(cameras.frame_index, (3, 4, 5, 6))
    np.testing.assert_array_equal(cameras.world_from_camera[:, 0, 3], (2, 3, 0, 1))
    out = tmp_path / "out.tum"
    assert main(["trajectory", "convert", str(path), str(out), "--fps", "10"]) == 0
    np.testing.assert_allclose(np.loadtxt(out)[:, :2], [[0.3, 2], [0.4, 3], [0.5, 0], [0.6, 1]])


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a/0001.png", "a/0002.png", "b/0001.png"), "number 1 stands twice"),
        (("f_0010.png", "f_0020.png", "ref.png"), "'ref.png' has no number"),
    ],
)
def test_images_that_cannot_be_numbered_are_said_to_be_taken_in_order(
    names: tuple[str, ...], reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_cameras(images(tmp_path, *names)).frame_index is None
    assert f"taken for frames 0 to 2 in the order of their names, because {reason}" in caplog.text


def test_names_that_are_nanoseconds_suggest_no_number_of_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = 1403636579763555584  # as EuRoC counts
    path = images(tmp_path, *(f"{start + i * 50_000_000}.png" for i in range(3)))
    for output in ("out.kitti", "out.yaml"):
        assert main(["trajectory", "convert", str(path), str(tmp_path / output)]) == 2
        error = capsys.readouterr().err
        assert "a video has no such numbers, which may be times" in error
        assert "--frames" not in error
