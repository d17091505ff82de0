"""The formats by name: pose files hold cameras, motion files describe how to move one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import invert_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats import (
    archives,
    colmap,
    das,
    neoverse,
    nerfstudio,
    recammaster,
    results,
    spherical_lines,
    text_tables,
    usd_camera,
)
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.keyframes import read_keyframes, write_keyframes
from scaling4d.geometry.trajectory import Trajectory

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PoseFormat:
    """A file of cameras.

    Attributes:
        convention: in words.
        reader: path and what the file does not hold.
        write: path, cameras and what they do not hold.
        world_to_camera: the direction of its matrices.
        axes: camera axes of its matrices, see `scaling4d.geometry.axes`.
        upright: whether its world is known to be z up, so that a motion written to it must be too.
        lens: whether it holds intrinsics.
        timed: whether it holds times or frame numbers.
        seconds: whether it holds the time of each camera.
        sparse: whether it has a pose per key frame, numbered only with the video's length.
    """

    convention: str
    reader: Callable[[Path, Given], CameraPath]
    write: Callable[[Path, CameraPath, Given], None]
    world_to_camera: bool = False
    axes: str = "opencv"
    upright: bool = False
    lens: bool = True
    timed: bool = True
    seconds: bool = False
    sparse: bool = False

    def read(self, path: Path, given: Given) -> CameraPath:
        """Return the cameras of a file, and what it does not hold from what was given.

        Raises:
            ValueError: naming the file and what is wrong with it, or with what was given.
        """
        try:
            cameras = self.reader(path, given)
            given.refuse_another_lens(cameras)
            return given.completed(cameras)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if str(path) in text else f"{path}: {text}") from None

    @property
    def reading(self) -> str:
        """Direction and axes of `matrices`, in the words of `scaling4d.geometry.epipolar`."""
        axes = "opengl" if self.axes in ("opengl", "usd") else "opencv"
        return f"{'world-to-camera' if self.world_to_camera else 'camera-to-world'} {axes}"

    def matrices(self, cameras: CameraPath) -> FloatArray:
        """Return the poses (n, 4, 4) as the file has them; Unreal's are given in OpenCV axes."""
        axes = "opengl" if self.axes in ("opengl", "usd") else "opencv"
        poses = np.asarray(convert_axes(cameras.world_from_camera, "opencv", axes))
        return np.asarray(invert_pose(poses)) if self.world_to_camera else poses


@dataclass(frozen=True)
class MotionFormat:
    """A file that describes a motion relative to the source: its convention, reader and writer.

    ``read`` takes the path, the number of frames and the pivot depth, either of which may be None.
    """

    convention: str
    read: Callable[[Path, int | None, float | None], Trajectory]
    write: Callable[[Path, Trajectory], None]


def _read_lines(name: str) -> Callable[[Path, int | None, float | None], Trajectory]:
    def read(path: Path, frames: int | None, pivot_depth: float | None) -> Trajectory:
        lines = spherical_lines.read_spherical_lines(path, name)
        if pivot_depth is None:
            raise ValueError(
                f"{name} files place cameras about the point at the central depth, and measure "
                f"in it: give that depth, the pivot depth"
            )
        return lines.trajectory(49 if frames is None else frames, pivot_depth)  # as the tools do

    return read


def _write_lines(name: str) -> Callable[[Path, Trajectory], None]:
    def write(path: Path, trajectory: Trajectory) -> None:
        lines = trajectory.parameters
        if not isinstance(lines, spherical_lines.SphericalLines):
            raise _not_parametric(name, "theta, phi and r lines")
        spherical_lines.write_spherical_lines(path, lines, name)

    return write


def _read_das(path: Path, frames: int | None, pivot_depth: float | None) -> Trajectory:
    return das.read_das(path).trajectory(49 if frames is None else frames)  # the tool's own length


def _write_das(path: Path, trajectory: Trajectory) -> None:
    if not isinstance(trajectory.parameters, das.DasMotion):
        raise _not_parametric("das", "trans, rot and spiral motions")
    das.write_das(path, trajectory.parameters)


def _not_parametric(name: str, parameters: str) -> ValueError:
    return ValueError(
        f"{name} holds {parameters}, and this trajectory does not come from such: choose a format "
        f"that holds poses"
    )


FORMATS: dict[str, PoseFormat | MotionFormat] = {
    "keyframes": MotionFormat(
        "our YAML or JSON: amounts in degrees and metres, or 4x4 matrices of the camera in the "
        "source camera (mode relative) or the world, OpenCV axes; and a zoom of the source's lens",
        lambda path, frames, depth: read_keyframes(path, frames=frames, pivot_depth=depth),
        write_keyframes,
    ),
    "re10k": PoseFormat(
        text_tables.RE10K, text_tables.read_re10k, text_tables.write_re10k, True, seconds=True
    ),
    "recammaster": PoseFormat(
        recammaster.RECAMMASTER,
        recammaster.read_recammaster,
        recammaster.write_recammaster,
        axes="unreal",
        upright=True,
        lens=False,
    ),
    "trajectorycrafter": MotionFormat(
        spherical_lines.TRAJECTORYCRAFTER,
        _read_lines("trajectorycrafter"),
        _write_lines("trajectorycrafter"),
    ),
    "cognvs": MotionFormat(spherical_lines.COGNVS, _read_lines("cognvs"), _write_lines("cognvs")),
    "das": MotionFormat(das.DAS, _read_das, _write_das),
    "neoverse": MotionFormat(
        neoverse.NEOVERSE,
        lambda path, frames, depth: neoverse.read_neoverse(path),
        neoverse.write_neoverse,
    ),
    "vista4d": PoseFormat(
        archives.VISTA4D, archives.read_vista4d, archives.write_vista4d, timed=False
    ),
    "vipe": PoseFormat(archives.VIPE, archives.read_vipe, archives.write_vipe),
    "gen3c": PoseFormat(results.GEN3C, results.read_gen3c, results.write_gen3c, True, timed=False),
    "megasam": PoseFormat(
        results.MEGASAM, results.read_megasam, results.write_megasam, timed=False
    ),
    "ex4d": PoseFormat(
        results.EX4D, results.read_ex4d, results.write_ex4d, True, "opengl", timed=False
    ),
    "spatialvid": PoseFormat(
        archives.SPATIALVID,
        archives.read_spatialvid,
        archives.write_spatialvid,
        True,
        timed=False,
        sparse=True,
    ),
    "colmap": PoseFormat(colmap.COLMAP, colmap.read_colmap, colmap.write_colmap, True),
    "tum": PoseFormat(
        text_tables.TUM, text_tables.read_tum, text_tables.write_tum, lens=False, seconds=True
    ),
    "kitti": PoseFormat(
        text_tables.KITTI, text_tables.read_kitti, text_tables.write_kitti, lens=False, timed=False
    ),
    "nerfstudio": PoseFormat(
        nerfstudio.NERFSTUDIO,
        nerfstudio.read_nerfstudio,
        nerfstudio.write_nerfstudio,
        axes="opengl",
    ),
    "usd": PoseFormat(
        usd_camera.USD,
        usd_camera.read_usd_camera,
        usd_camera.write_usd_camera,
        axes="usd",
        upright=True,
    ),
}
