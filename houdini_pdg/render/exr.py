"""OpenEXR files as channels: one part or many, as Blender and husk write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ExrError(ValueError):
    """An EXR file is missing, damaged or lacks what was expected."""


def read_channels(path: Path) -> dict[str, NDArray[Any]]:
    """Read every channel of every part, named ``part.channel`` for files of several parts.

    Returns:
        Name -> (H, W) array, top row first.

    Raises:
        ExrError: the file is missing, cut short or not an EXR.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise ExrError("reading renders needs OpenEXR: pip install 'scaling4d[render]'") from error
    if not path.is_file():
        raise ExrError(f"{path} is missing")
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            several = len(file.parts) > 1
            channels = {
                f"{part.name()}.{name}" if several else name: np.array(channel.pixels)
                for part in file.parts
                for name, channel in part.channels.items()
            }
    except Exception as error:  # OpenEXR raises bare RuntimeError subclasses of its own
        raise ExrError(f"{path} is not a whole EXR file ({error})") from error
    if not channels:  # parts of a file cut short are left out without a word
        raise ExrError(f"{path} is not a whole EXR file (none of its parts can be read)")
    return channels
