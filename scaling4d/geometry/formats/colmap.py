"""COLMAP's text model: cameras.txt and images.txt in one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix, invert_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import numbers, read_text, words, write_text
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.image_names import natural, numbered
from scaling4d.geometry.rotation import quaternion_from_rotation, rotation_from_quaternion

FloatArray = npt.NDArray[np.float64]

COLMAP = (
    "folder with images.txt (`id qw qx qy qz tx ty tz camera name` and a line of points), "
    "world-to-camera, OpenCV axes, and cameras.txt, pixels with the corner at 0; numbers in image "
    "names that start at 1 are shifted to 0"
)
# What we write counts from 0 even where frame 0 is missing; readers of COLMAP skip comments.
_FROM_ZERO = "# names count frames from 0"

# Camera models that are pinholes where their distortion is 0, and the positions of fx, fy, cx, cy
# among their parameters; what follows is distortion.
PINHOLES = {
    "SIMPLE_PINHOLE": (0, 0, 1, 2),
    "PINHOLE": (0, 1, 2, 3),
    "SIMPLE_RADIAL": (0, 0, 1, 2),
    "RADIAL": (0, 0, 1, 2),
    "OPENCV": (0, 1, 2, 3),
}


def read_colmap(path: Path, given: Given) -> CameraPath:
    """Read a COLMAP text model; images come in the order of their names."""
    folder = path.parent if path.is_file() else path
    lenses = _read_lenses(folder / "cameras.txt")
    lines = read_text(folder / "images.txt", "COLMAP").splitlines()
    images = sorted(_read_images(lines, folder / "images.txt"), key=lambda image: natural(image[0]))
    if not images:
        raise ValueError(f"{folder} holds no registered images")
    names, rows, lens_ids = zip(*images, strict=True)
    first_frame = 0 if given.first_frame is None and _FROM_ZERO in lines else given.first_frame
    missing = [lens for lens in lens_ids if lens not in lenses]
    if missing:
        raise ValueError(f"{folder / 'cameras.txt'} lacks camera {missing[0]}")
    table = np.stack(rows)
    camera_from_world = np.tile(np.eye(4), (len(table), 1, 1))
    camera_from_world[:, :3, :3] = rotation_from_quaternion(table[:, :4])
    camera_from_world[:, :3, 3] = table[:, 4:]
    sizes = {lenses[lens][0] for lens in lens_ids}
    if len(sizes) > 1:
        raise ValueError(f"{folder}: images have different sizes, {sorted(sizes)} (height, width)")
    height, width = sizes.pop()
    intrinsics = intrinsics_matrix(*np.stack([lenses[lens][1] for lens in lens_ids]).T)
    index = numbered(names, folder / "images.txt", first_frame)
    return CameraPath(invert_pose(camera_from_world), intrinsics, height, width, None, index)


def write_colmap(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a COLMAP text model: PINHOLE cameras, images named by frame number, no points."""
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


def _read_lenses(path: Path) -> dict[str, tuple[tuple[int, int], FloatArray]]:
    lenses = {}
    for number, line in enumerate(read_text(path, "COLMAP").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        where = f"{path} line {number}"
        if len(fields) < 7:
            raise ValueError(f"{where}: expected `id model width height parameters`")
        model = fields[1]
        if model not in PINHOLES:
            known = ", ".join(PINHOLES)
            raise ValueError(
                f"{where}: camera model {model} is not a pinhole, of which {known} are known: "
                f"undistort the images first"
            )
        order = PINHOLES[model]
        width, height, *parameters = numbers(fields[2:], where)
        if len(parameters) <= max(order):
            raise ValueError(f"{where}: {model} needs {max(order) + 1} parameters or more")
        if np.any(np.array(parameters[max(order) + 1 :]) != 0.0):
            raise ValueError(
                f"{where}: the lens is distorted; undistort the images with COLMAP first"
            )
        lenses[fields[0]] = ((int(height), int(width)), np.array([parameters[i] for i in order]))
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
