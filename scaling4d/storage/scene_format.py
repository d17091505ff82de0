"""Names, version and conventions of the scene file: the writer states them, the reader checks."""

from __future__ import annotations

from typing import Any

import h5py

SCHEMA = "scaling4d.scene"
SCHEMA_VERSION = 1

CONVENTIONS: dict[str, str] = {
    "world": "right-handed, z up, metres",
    "camera_axes": "OpenCV: x right, y down, z forward",
    "pose": "world_from_camera, 4x4 float64, column vectors",
    "intrinsics": "pixels, 3x3; centre of the top-left pixel at (0.5, 0.5), image corner at (0, 0)",
    "depth": "planar z in metres, float32; no surface = +inf",
    "sizes": "height, width; pixel positions are (x, y)",
    "rgb": "RGB, sRGB, uint8",
    "time": "frame i of every camera is the same instant",
}
"""Stated as attributes ``convention_<key>`` in every file (DESIGN section 4)."""


class SceneFileError(ValueError):
    """A scene file cannot be written as asked, or what was read is not a whole scene file."""


def frame_filter(name: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the compression filter's name and its h5py dataset options.

    Args:
        name: ``"zstd3+shuffle"``, ``"gzip4+shuffle"``, or None for zstd where hdf5plugin is
            installed and gzip, which every HDF5 reads, where it is not.

    Raises:
        SceneFileError: for another name, or zstd without hdf5plugin.
    """
    if name not in (None, "zstd3+shuffle", "gzip4+shuffle"):
        raise SceneFileError(f"unknown filter {name!r}: choose 'zstd3+shuffle' or 'gzip4+shuffle'")
    if name != "gzip4+shuffle":
        try:
            import hdf5plugin
        except ImportError:
            if name is not None:
                raise SceneFileError(
                    "filter 'zstd3+shuffle' needs hdf5plugin: pip install hdf5plugin, "
                    "or choose 'gzip4+shuffle'"
                ) from None
        else:
            return "zstd3+shuffle", {"shuffle": True, **hdf5plugin.Zstd(clevel=3)}
    return "gzip4+shuffle", {"shuffle": True, "compression": "gzip", "compression_opts": 4}


def check_header(handle: h5py.File, path: object) -> None:
    """Refuse a file that is another format, a newer version, unfinished, or not decodable here.

    Raises:
        SceneFileError: naming the path, what was found and what to do.
    """
    schema = handle.attrs.get("schema")
    if schema != SCHEMA:
        raise SceneFileError(
            f"{path} is an HDF5 file with schema {schema!r}, expected {SCHEMA!r}: "
            "give a scene file made by `python -m houdini_pdg`"
        )
    version = int(handle.attrs.get("schema_version", 0))
    if version > SCHEMA_VERSION:
        raise SceneFileError(
            f"{path} has schema version {version}, this program reads up to {SCHEMA_VERSION}: "
            "update scaling4d"
        )
    if not bool(handle.attrs.get("complete", False)):
        raise SceneFileError(
            f"{path} is unfinished (attribute 'complete' is not set): mint it again"
        )
    if str(handle.attrs.get("filter", "")).startswith("zstd"):
        try:
            import hdf5plugin  # noqa: F401  (registers the filter)
        except ImportError:
            raise SceneFileError(
                f"{path} is compressed with zstd, which needs hdf5plugin: pip install hdf5plugin"
            ) from None
