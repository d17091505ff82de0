"""ReCamMaster's camera_extrinsics.json: Unreal cameras, row vectors, centimetres."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import numbers, read_json, words, write_json
from scaling4d.geometry.formats.first_frame import from_first_frame
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.text_tables import cleaned

RECAMMASTER = (
    "JSON `frameI` -> `camJJ` -> four bracketed rows: camera-to-world for row vectors (the "
    "translation is the last row), Unreal axes, left-handed z-up world, centimetres, no intrinsics"
)


def read_recammaster(path: Path, given: Given) -> CameraPath:
    """Read one camera of a ReCamMaster file, in metres and a right-handed world.

    ``given.camera`` names it ("cam03") where the file holds several; its frames count from
    ``given.first_frame``, or 0.
    """
    document = read_json(path, "ReCamMaster")
    frames = {key: value for key, value in document.items() if re.fullmatch(r"frame\d+", key)}
    if not frames or not all(isinstance(value, dict) for value in frames.values()):
        raise ValueError(f"{path} is not ReCamMaster: expected frame0, frame1, ... at the top")
    names = sorted({name for cameras in frames.values() for name in cameras})
    camera = given.camera or (names[0] if len(names) == 1 else None)
    if camera not in names:
        raise ValueError(f"{path} holds the cameras {', '.join(names)}: name the one you mean")
    ordered = sorted(frames, key=lambda key: int(key[5:]))
    missing = [frame for frame in ordered if camera not in frames[frame]]
    if missing:
        raise ValueError(f"{path}: {missing[0]} lacks {camera}")
    rows = np.stack([_matrix(frames[frame][camera], f"{path} {frame}") for frame in ordered])
    unreal = rows.swapaxes(1, 2)  # column vectors
    poses = cleaned(convert_axes(unreal, "unreal", "opencv"), str(path))
    index = from_first_frame([int(frame[5:]) for frame in ordered], given.first_frame, path)
    return CameraPath(poses, frame_index=index)


def write_recammaster(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write one camera, named by ``given.camera`` or "cam01"; intrinsics and times are not held."""
    name = given.camera or "cam01"
    unreal = convert_axes(cameras.world_from_camera, "opencv", "unreal").swapaxes(1, 2)
    document = {
        f"frame{number}": {name: " ".join(f"[{words(row)}]" for row in matrix)}
        for number, matrix in zip(frame_numbers(cameras), unreal, strict=True)
    }
    write_json(path, document)


def _matrix(text: object, where: str) -> npt.NDArray[np.float64]:
    rows = re.findall(r"\[([^\[\]]*)\]", text) if isinstance(text, str) else []
    values = [numbers(row.replace(",", " ").split(), where) for row in rows]
    if len(values) != 4 or any(len(row) != 4 for row in values):
        raise ValueError(f"{where}: expected four bracketed rows of four numbers, got {text!r}")
    return np.stack(values)
