"""Every trajectory and camera file that we read and write, by name, with its convention.

`FORMATS` lists them. Pose files hold cameras (`read_cameras`, `write_cameras`); parametric files
hold a description of a motion, and are written only from a description of the same kind
(`write_trajectory`), because poses alone do not say which parameters made them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera import resize_intrinsics
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats import (
    archives,
    colmap,
    das,
    neoverse,
    nerfstudio,
    recammaster,
    spherical_lines,
    text_tables,
    usd_camera,
)
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.keyframes import read_keyframes, write_keyframes
from scaling4d.geometry.presets import PRESETS
from scaling4d.geometry.trajectory import Trajectory

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PoseFormat:
    """A file of cameras.

    Attributes:
        convention: in words.
        read, write: path, what the file does not hold, and in between the cameras.
        world_to_camera: the direction of its matrices.
        axes: camera axes of its matrices, see `scaling4d.geometry.axes`.
    """

    convention: str
    read: Callable[[Path, Given], CameraPath]
    write: Callable[[Path, CameraPath, Given], None]
    world_to_camera: bool = False
    axes: str = "opencv"

    @property
    def reading(self) -> str:
        """Direction and axes of `matrices`, in the words of `scaling4d.geometry.epipolar`."""
        axes = "opengl" if self.axes in ("opengl", "usd") else "opencv"
        return f"{'world-to-camera' if self.world_to_camera else 'camera-to-world'} {axes}"

    def matrices(self, cameras: CameraPath) -> FloatArray:
        """Return the poses (n, 4, 4) as the file has them; Unreal's are given in OpenCV axes."""
        if self.world_to_camera:
            return cameras.camera_from_world
        axes = "opengl" if self.axes in ("opengl", "usd") else "opencv"
        return np.asarray(convert_axes(cameras.world_from_camera, "opencv", axes))


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
        if frames is None or pivot_depth is None:
            raise ValueError(f"{name} files need a number of frames and the central depth")
        return spherical_lines.read_spherical_lines(path, name).trajectory(frames, pivot_depth)

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
        "source camera (mode relative) or the world, OpenCV axes",
        lambda path, frames, depth: read_keyframes(path, frames=frames, pivot_depth=depth),
        write_keyframes,
    ),
    "re10k": PoseFormat(text_tables.RE10K, text_tables.read_re10k, text_tables.write_re10k, True),
    "recammaster": PoseFormat(
        recammaster.RECAMMASTER,
        recammaster.read_recammaster,
        recammaster.write_recammaster,
        axes="unreal",
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
    "vista4d": PoseFormat(archives.VISTA4D, archives.read_vista4d, archives.write_vista4d),
    "vipe": PoseFormat(archives.VIPE, archives.read_vipe, archives.write_vipe),
    "spatialvid": PoseFormat(
        archives.SPATIALVID, archives.read_spatialvid, archives.write_spatialvid, True
    ),
    "colmap": PoseFormat(colmap.COLMAP, colmap.read_colmap, colmap.write_colmap, True),
    "tum": PoseFormat(text_tables.TUM, text_tables.read_tum, text_tables.write_tum),
    "kitti": PoseFormat(text_tables.KITTI, text_tables.read_kitti, text_tables.write_kitti),
    "nerfstudio": PoseFormat(
        nerfstudio.NERFSTUDIO,
        nerfstudio.read_nerfstudio,
        nerfstudio.write_nerfstudio,
        axes="opengl",
    ),
    "usd": PoseFormat(
        usd_camera.USD, usd_camera.read_usd_camera, usd_camera.write_usd_camera, axes="usd"
    ),
}


def detect_format(path: Path) -> str:
    """Return the name of the format that a path's name and structure tell.

    Raises:
        ValueError: if they do not tell it, saying how to name the format.
    """
    if not path.exists():
        raise ValueError(
            f"{str(path)!r} is neither a camera preset ({', '.join(PRESETS)}) nor an existing "
            f"trajectory file"
        )
    if path.is_dir():
        name = _detect_folder(path)
    else:
        name = _BY_SUFFIX.get(path.suffix.lower()) or _detect_file(path)
    if name is None:
        raise ValueError(
            f"cannot tell the format of {path}: write it in front, as in `tum:{path}`; known are "
            f"{', '.join(FORMATS)}"
        )
    return name


_BY_SUFFIX = {
    ".yaml": "keyframes",
    ".yml": "keyframes",
    ".usd": "usd",
    ".usda": "usd",
    ".usdc": "usd",
    ".tum": "tum",
    ".kitti": "kitti",
}


def _detect_folder(path: Path) -> str | None:
    marks = {
        "images.txt": "colmap",
        "transforms.json": "nerfstudio",
        "poses.npy": "spatialvid",
        "pose": "vipe",
    }
    return next((name for mark, name in marks.items() if (path / mark).exists()), None)


def _detect_file(path: Path) -> str | None:
    """Look inside JSON, npz and text files for what only one format has."""
    if path.suffix == ".npz":
        return "vipe" if path.parent.name == "pose" else "vista4d"
    if path.suffix == ".json":
        from scaling4d.geometry.formats.files import read_json

        document = read_json(path, "a trajectory")
        if any(re.fullmatch(r"frame\d+", key) for key in document):
            return "recammaster"
        if "frames" in document and "keyframes" not in document:
            return "nerfstudio"
        keys = document.get("keyframes")
        own = isinstance(keys, list) and keys and {"frame", "time"} & set(keys[0])
        return "keyframes" if own else "neoverse"
    if path.suffix == ".txt":
        from scaling4d.geometry.formats.files import read_text

        lines = [line.split() for line in read_text(path, "a trajectory").splitlines()]
        lines = [line for line in lines if line and not line[0].startswith("#")]
        if lines and lines[0][0].lower() in ("trans", "rot", "spiral"):
            return "das"
        widths = {len(line) for line in lines[1:]}
        by_width = {19: "re10k", 12: "kitti", 8: "tum"}  # three lines of keys name no tool
        return by_width.get(widths.pop()) if len(widths) == 1 else None
    return None


def split_name(text: str) -> tuple[str, Path]:
    """Return format and path of "format:path", or of a path whose format can be told."""
    name, colon, rest = text.partition(":")
    if colon and name in FORMATS:
        return name, Path(rest)
    return detect_format(Path(text)), Path(text)


def read_cameras(
    path: str | Path, name: str | None = None, given: Given | None = None
) -> CameraPath:
    """Read a file of cameras.

    Args:
        path: the file or folder.
        name: a pose format of `FORMATS`, or None: as the path tells.
        given: what the file does not hold.

    Raises:
        ValueError: for another kind of format, or a file that does not follow it.
    """
    path = Path(path)
    name = detect_format(path) if name is None else name
    return _pose_format(name).read(path, given or Given())


def write_cameras(
    path: str | Path, cameras: CameraPath, name: str, given: Given | None = None
) -> None:
    """Write cameras to a file of a pose format of `FORMATS`, as a whole or not at all.

    Raises:
        ValueError: if the format cannot hold them, saying what is missing.
    """
    _pose_format(name).write(Path(path), cameras, given or Given())


def write_trajectory(
    path: str | Path, trajectory: Trajectory, name: str, given: Given | None = None
) -> None:
    """Write a trajectory to a file of any format of `FORMATS`.

    Pose formats receive the cameras in the frame of the source camera (mode "world": the world).

    Raises:
        ValueError: if the format cannot hold it.
    """
    given = given or Given()
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        kind.write(Path(path), trajectory)
        return
    if trajectory.source_index is not None:
        raise ValueError(
            f"{name} cannot hold source frames (bullet time): use keyframes or neoverse"
        )
    cameras = trajectory.cameras(given.matrix(), given.height, given.width)
    kind.write(Path(path), given.completed(cameras), given)


def load_trajectory(
    text: str,
    *,
    frames: int | None = None,
    pivot_depth: float | None = None,
    given: Given | None = None,
    mode: str = "relative",
) -> Trajectory:
    """Read a trajectory from "format:path", or a path alone where it tells the format.

    Args:
        text: see above.
        frames: length, for formats that do not fix their own.
        pivot_depth: metres to the pivot, for formats that turn about it.
        given: what a pose file does not hold; with a size, intrinsics are fitted to it.
        mode: how a pose file is meant, see `Trajectory.from_cameras`.

    Raises:
        ValueError: if there is no such file or it does not follow its format.
    """
    name, path = split_name(text)
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        return kind.read(path, frames, pivot_depth)
    given = given or Given()
    return Trajectory.from_cameras(_fitted(kind.read(path, given), given), mode)


def _fitted(cameras: CameraPath, given: Given) -> CameraPath:
    """Return the cameras with intrinsics for images of the given size, where both are known."""
    if cameras.intrinsics is None or cameras.height is None or cameras.width is None:
        return cameras
    if given.height is None or given.width is None:
        return cameras
    intrinsics = resize_intrinsics(
        cameras.intrinsics,
        height=cameras.height,
        width=cameras.width,
        new_height=given.height,
        new_width=given.width,
    )
    return cameras.replaced(intrinsics=intrinsics, height=given.height, width=given.width)


def _format(name: str) -> PoseFormat | MotionFormat:
    if name not in FORMATS:
        raise ValueError(f"unknown trajectory format {name!r}: choose one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _pose_format(name: str) -> PoseFormat:
    kind = _format(name)
    if isinstance(kind, MotionFormat):
        raise ValueError(f"{name} describes a motion and holds no cameras of its own")
    return kind
