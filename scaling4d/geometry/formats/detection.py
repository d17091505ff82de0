"""Which format a path has, told by its name and by what only one format holds."""

from __future__ import annotations

import re
from pathlib import Path

from scaling4d.geometry.formats.files import archive_names, read_json, read_text
from scaling4d.geometry.formats.registry import FORMATS
from scaling4d.geometry.presets import PRESETS


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


_ARRAYS = {
    "vista4d": {"cam_c2w", "intrinsics"},
    "megasam": {"cam_c2w", "intrinsic"},
    "ex4d": {"extrinsics", "intrinsics"},
    "gen3c": {"w2c", "intrinsics"},
}


def _detect_folder(path: Path) -> str | None:
    marks = {
        "images.txt": "colmap",
        "images.bin": "colmap",
        "transforms.json": "nerfstudio",
        "poses.npy": "spatialvid",
        "camera.npz": "gen3c",
        "pose": "vipe",
    }
    return next((name for mark, name in marks.items() if (path / mark).exists()), None)


def _detect_file(path: Path) -> str | None:
    """Look inside JSON, npz and text files for what only one format has."""
    if path.name in ("images.txt", "images.bin"):
        return "colmap"
    if path.suffix == ".npz":
        if path.parent.name == "pose":
            return "vipe"
        held = set(archive_names(path, "cameras"))
        return next((name for name, arrays in _ARRAYS.items() if arrays <= held), None)
    if path.suffix == ".json":
        document = read_json(path, "a trajectory")
        if any(re.fullmatch(r"frame\d+", key) for key in document):
            return "recammaster"
        if "frames" in document and "keyframes" not in document:
            return "nerfstudio"
        keys = document.get("keyframes")
        first = keys[0] if isinstance(keys, list) and keys else None
        own = isinstance(first, dict) and bool({"frame", "time"} & first.keys())
        return "keyframes" if own else "neoverse"
    if path.suffix == ".txt":
        lines = [line.split() for line in read_text(path, "a trajectory").splitlines()]
        lines = [line for line in lines if line and not line[0].startswith("#")]
        if lines and lines[0][0].lower() in ("trans", "rot", "spiral"):
            return "das"
        widths = {len(line) for line in lines[1:]}
        by_width = {19: "re10k", 12: "kitti", 8: "tum"}  # three lines of keys name no tool
        return by_width.get(widths.pop()) if len(widths) == 1 else None
    return None


def split_name(text: str) -> tuple[str, Path]:
    """Return format and path of "format:path", or of a path whose format can be told.

    Raises:
        ValueError: if it cannot be told, or for a camera preset, which is no file.
    """
    name, colon, rest = text.partition(":")
    if colon and name in FORMATS:
        return name, Path(rest)
    if name in PRESETS and not Path(text).exists():
        raise ValueError(
            f"{text!r} is a camera preset, the motion of a new camera: here a file is needed, as "
            f"FORMAT:PATH (`python -m scaling4d trajectory formats` lists the formats)"
        )
    return detect_format(Path(text)), Path(text)


def output_format(text: str) -> tuple[str, Path]:
    """Return format and path of "format:path", or of a path, not yet there, by its ending.

    Raises:
        ValueError: if the ending does not tell the format.
    """
    name, colon, rest = text.partition(":")
    if colon and name in FORMATS:
        return name, Path(rest)
    path = Path(text)
    known = "nerfstudio" if path.name == "transforms.json" else _BY_SUFFIX.get(path.suffix.lower())
    if known is None:
        example = {".json": "keyframes", ".txt": "re10k", ".npz": "vista4d"}.get(
            path.suffix.lower()
        )
        raise ValueError(
            f"cannot tell which format {text} should have: write it in front, as in "
            f"`{example or 'colmap'}:{text}`; known are {', '.join(FORMATS)}"
        )
    return known, path
