"""What `trajectory plot` draws: axes that its labels name, and the lens that is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.plot import plot_cameras
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.geometry.trajectory_io import write_cameras
from tests.geometry.camera_paths import every_frame


def drawn(picture: Path, *arguments: object) -> np.ndarray:
    """The picture, RGB, that the command draws."""
    command = ["trajectory", "plot", str(arguments[0]), str(picture), *map(str, arguments[1:])]
    assert main([*command, "--force"]) == 0
    return cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2RGB)


def test_what_is_relative_is_drawn_in_the_axes_of_a_camera_in_either_mode(tmp_path: Path) -> None:
    picture, orbit = tmp_path / "a.png", ("orbit:yaw=40,pitch=10", "--pivot-depth", 3)
    expected = Trajectory.preset("orbit", 49, pivot_depth=3.0, yaw=40, pitch=10).cameras()
    for mode in ("relative", "world"):
        image = drawn(picture, *orbit, "--mode", mode)
        np.testing.assert_array_equal(image, plot_cameras(expected, "camera"))


@pytest.mark.parametrize("mode", ["relative", "world"])
def test_frusta_have_the_lens_and_size_of_the_file(mode: str, tmp_path: Path) -> None:
    cameras = every_frame(4)
    write_cameras(tmp_path / "sparse", cameras, "colmap")
    image = drawn(tmp_path / "a.png", tmp_path / "sparse", "--mode", mode)
    motion = Trajectory.from_cameras(cameras, mode).cameras(None, cameras.height, cameras.width)
    frame = "world" if mode == "world" else "camera"
    np.testing.assert_array_equal(image, plot_cameras(motion, frame))
    square = plot_cameras(motion.replaced(intrinsics=None), frame)
    assert (image != square).any()


def test_a_zoom_narrows_the_frusta_where_the_lens_is_known(tmp_path: Path) -> None:
    size = ("--height", 256, "--width", 384)
    image = drawn(tmp_path / "a.png", "zoom:factor=3", *size, "--intrinsics", 300, 300, 192, 128)
    red = (np.abs(image.astype(int) - (200, 0, 60)) < 8).all(-1)[30:450, :480]
    green = (np.abs(image.astype(int) - (0, 160, 60)) < 8).all(-1)[30:450, :480]
    first, last = (np.ptp(np.nonzero(color)[1]) for color in (green, red))
    assert first == pytest.approx(3 * last, rel=0.05)
