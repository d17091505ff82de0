"""Text files with a byte order mark, as editors on Windows save them, read like those without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import load_trajectory, read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path, every_frame

SIZE = Given(height=HEIGHT, width=WIDTH)
MARK = b"\xef\xbb\xbf"


def mark(path: Path) -> None:
    """Put the mark in front of a file, or of every text file of a folder."""
    for file in [path] if path.is_file() else path.glob("*.txt"):
        file.write_bytes(MARK + file.read_bytes())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("re10k", "a.txt"),
        ("tum", "a.tum"),
        ("kitti", "a.kitti"),
        ("colmap", "sparse"),
        ("nerfstudio", "transforms.json"),
        ("recammaster", "a.json"),
    ],
)
def test_cameras_behind_a_byte_order_mark_are_read(name: str, file: str, tmp_path: Path) -> None:
    cameras = every_frame(3) if name == "kitti" else camera_path(3)
    if name in ("tum", "kitti", "recammaster"):
        cameras = cameras.replaced(intrinsics=None)
    path = tmp_path / file
    write_cameras(path, cameras, name, SIZE)
    if name == "re10k":  # without the address, the mark stands before a camera
        path.write_text(path.read_text().partition("\n")[2])
    if name == "colmap":  # the same without the comments
        for part in path.glob("*.txt"):
            lines = part.read_text().splitlines(keepends=True)
            part.write_text("".join(line for line in lines if not line.startswith("#")))
    plain = read_cameras(path, name, SIZE)
    mark(path)
    marked = read_cameras(path, name, SIZE)
    np.testing.assert_array_equal(marked.world_from_camera, plain.world_from_camera)
    assert len(marked) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keyframes", "keyframes:\n- {frame: 0}\n- {frame: 4, right: 1}\n"),
        ("keyframes", '{"keyframes": [{"frame": 0}, {"frame": 4, "right": 1}]}'),
        ("das", "trans 0.1 0 0; rot y 25 0 4"),
        ("trajectorycrafter", "0 10\n0 20\n0 0.2\n"),
        ("cognvs", "0 10\n0 20\n0 0.2\n"),
    ],
)
def test_motions_behind_a_byte_order_mark_are_read(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.json" if text.startswith("{") else "a.yaml")
    path.write_text(text)
    plain = load_trajectory(f"{name}:{path}", frames=5, pivot_depth=2.0)
    mark(path)
    marked = load_trajectory(f"{name}:{path}", frames=5, pivot_depth=2.0)
    np.testing.assert_array_equal(marked.target_from_source, plain.target_from_source)
