"""COLMAP's model in one folder: read as text or binary, written as text."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix, invert_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats import colmap_binary
from scaling4d.geometry.formats.colmap_lenses import PINHOLES as PINHOLES
from scaling4d.geometry.formats.colmap_lenses import pinhole
from scaling4d.geometry.formats.files import numbers, read_text, words, write_text
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.image_names import natural, numbered
from scaling4d.geometry.rotation import quaternion_from_rotation, rotation_from_quaternion

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]

COLMAP = (
    "folder with images.txt (`id qw qx qy qz tx ty tz camera name` and a line of points), "
    "world-to-camera, OpenCV axes, and cameras.txt, pixels with the corner at 0; or images.bin and "
    "cameras.bin, which are read first; numbers in image names that start at 1 are shifted to 0"
)
# What we write counts from 0 even where frame 0 is missing; readers of COLMAP skip comments.
_FROM_ZERO = "# names count frames from 0"
# Files of a model that COLMAP would read instead of what we write, or with it.
_OTHERS = (
    *("images.bin", "cameras.bin", "points3D.bin", "rigs.bin", "frames.bin"),
    *("rigs.txt", "frames.txt"),
)


def read_colmap(path: Path, given: Given) -> CameraPath:
    """Read a COLMAP model; images come in the order of their names.

    Of a folder that holds both, the binary model is read, as COLMAP does; a line of the log says
    so, and the path of images.txt or images.bin itself tells which of them is meant.
    """
    folder = path.parent if path.is_file() else path
    first_frame = given.first_frame
    if _is_binary(path):
        images_path = folder / "images.bin"
        lenses_path = folder / "cameras.bin"
        lenses = colmap_binary.read_lenses(lenses_path)
        images = colmap_binary.read_images(images_path)
    else:
        images_path = folder / "images.txt"
        lenses_path = folder / "cameras.txt"
        lenses = _read_lenses(lenses_path)
        lines = read_text(images_path, "COLMAP").splitlines()
        images = _read_images(lines, images_path)
        first_frame = 0 if first_frame is None and _FROM_ZERO in lines else first_frame
    images = sorted(images, key=lambda image: natural(image[0]))
    if not images:
        raise ValueError(f"{folder} holds no registered images")
    names, rows, lens_ids = zip(*images, strict=True)
    missing = [lens for lens in lens_ids if lens not in lenses]
    if missing:
        raise ValueError(f"{lenses_path} lacks camera {missing[0]}")
    table = np.stack(rows)
    camera_from_world = np.tile(np.eye(4), (len(table), 1, 1))
    camera_from_world[:, :3, :3] = rotation_from_quaternion(table[:, :4])
    camera_from_world[:, :3, 3] = table[:, 4:]
    sizes = {lenses[lens][0] for lens in lens_ids}
    if len(sizes) > 1:
        raise ValueError(f"{folder}: images have different sizes, {sorted(sizes)} (height, width)")
    height, width = sizes.pop()
    intrinsics = intrinsics_matrix(*np.stack([lenses[lens][1] for lens in lens_ids]).T)
    index = numbered(names, images_path, first_frame)
    return CameraPath(invert_pose(camera_from_world), intrinsics, height, width, None, index)


def write_colmap(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a COLMAP text model: PINHOLE cameras, images named by frame number, no points.

    It replaces a model in the folder whole: COLMAP would read an old binary one in its place.
    """
    height, width = cameras.require_size("COLMAP")
    intrinsics = cameras.require_intrinsics("COLMAP")
    index = frame_numbers(cameras)
    lenses, lens_of_image = np.unique(intrinsics, axis=0, return_inverse=True)
    lens_rows = [
        f"{number} PINHOLE {width} {height} {words(lens)}"
        for number, lens in enumerate(lenses, start=1)
    ]
    digits = max(6, len(str(index.max())))
    image_rows = []
    for number, (frame, pose, lens) in enumerate(
        zip(index, cameras.camera_from_world, lens_of_image.ravel(), strict=True), start=1
    ):
        row = np.concatenate((quaternion_from_rotation(pose[:3, :3]), pose[:3, 3]))
        image_rows += [f"{number} {words(row)} {lens + 1} {frame:0{digits}d}.png", ""]
    write_text(
        path / "cameras.txt", "\n".join(["# CAMERA_ID MODEL WIDTH HEIGHT PARAMS", *lens_rows, ""])
    )
    write_text(path / "points3D.txt", "# no points\n")
    write_text(
        path / "images.txt",
        "\n".join(
            [
                "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then POINTS2D",
                _FROM_ZERO,
                *image_rows,
                "",
            ]
        ),
    )
    for other in (path / name for name in _OTHERS):
        if other.is_file():
            logger.info("%s belonged to the model that was replaced, and is removed", other)
            other.unlink()


def _is_binary(path: Path) -> bool:
    """Whether the path, a folder or one of its files, is read as a binary model."""
    if path.is_file():
        return path.suffix == ".bin"
    binary = all((path / name).is_file() for name in ("images.bin", "cameras.bin"))
    if binary and (path / "images.txt").is_file():
        logger.info(
            "%s holds a binary model and a text model: reading the binary one, as COLMAP does "
            "(%s names the other)", path, path / "images.txt",
        )  # fmt: skip
    return binary or ((path / "images.bin").is_file() and not (path / "images.txt").is_file())


def _read_lenses(path: Path) -> dict[str, tuple[tuple[int, int], FloatArray]]:
    lenses = {}
    for number, line in enumerate(read_text(path, "COLMAP").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        where = f"{path} line {number}"
        if len(fields) < 7:
            raise ValueError(f"{where}: expected `id model width height parameters`")
        width, height, *parameters = numbers(fields[2:], where)
        lenses[fields[0]] = ((int(height), int(width)), pinhole(fields[1], parameters, where))
    return lenses


def _read_images(lines: list[str], path: Path) -> list[tuple[str, FloatArray, str]]:
    """Return name, qw qx qy qz tx ty tz and camera id of each image.

    Every image takes two lines, of which the second, its points, may be empty.
    """
    images = []
    expect_points = False
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            continue
        if expect_points:
            _require_points(line, f"{path} line {number}")
            expect_points = False
            continue
        if not line.strip():
            continue
        fields = line.split(maxsplit=9)
        if len(fields) < 10:
            raise ValueError(
                f"{path} line {number}: expected `id qw qx qy qz tx ty tz camera name`"
            )
        images.append((fields[9].strip(), numbers(fields[1:8], f"{path} line {number}"), fields[8]))
        expect_points = True
    return images


def _require_points(line: str, where: str) -> None:
    """Check that a line can be the points of an image: x, y and a whole number for each.

    Without this a file whose empty lines were lost would be read as every second image.
    """
    fields = line.split()
    if fields and (len(fields) % 3 or not fields[-1].lstrip("-").isdigit()):
        raise ValueError(
            f"{where}: expected the points of the image in the line above, `x y id` for each, or "
            f"an empty line where it has none: write the file with its empty lines"
        )
