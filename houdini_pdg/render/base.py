"""What every renderer is given and what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .config import RenderConfig

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (frames finished, frames in all)."""


class RenderError(RuntimeError):
    """A renderer failed, hung or lied about its result; the same job may be tried again."""


@dataclass(frozen=True, kw_only=True)
class CameraMotion:
    """One pinhole camera over time: intrinsics (T, 3, 3) in pixels and world_from_camera (T, 4, 4),
    OpenCV axes, world z up in metres."""

    intrinsics: NDArray[np.float64]
    world_from_camera: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """Render ``frames`` frames of every camera of one composed stage into the folder ``out``.

    Frame i is the stage's time code ``start + i``. ``instances`` numbers the prims that the id
    pass tells apart, from 1; 0 is everything else.
    """

    stage: Path
    out: Path
    cameras: Mapping[str, CameraMotion]
    frames: int
    height: int
    width: int
    fps: float
    start: float
    seed: int
    instances: Mapping[str, int]
    config: RenderConfig

    @property
    def total(self) -> int:
        return self.frames * len(self.cameras)


@dataclass(frozen=True)
class Frame:
    """rgb (H, W, 3) uint8 sRGB, depth (H, W) float32 planar z in metres with +inf for nothing,
    instance_id (H, W) uint16 or None."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance_id: NDArray[np.uint16] | None


def keep_whole_frames(
    job: RenderJob,
    files: Callable[[str, int], tuple[Path, ...]],
    read: Callable[[str, int], object],
) -> int:
    """Count the frames that an earlier attempt left whole, and remove those that cannot be read.

    Args:
        job: what is rendered.
        files: the files of a camera's frame.
        read: reads a camera's frame, raising `RenderError` when it is damaged.
    """
    whole = 0
    for camera in job.cameras:
        for frame in range(job.frames):
            paths = files(camera, frame)
            if not all(path.exists() for path in paths):
                continue
            try:
                read(camera, frame)
                whole += 1
            except RenderError as error:
                log.warning("rendered again: %s", error)
                for path in paths:
                    path.unlink()
    return whole


class Renderer(Protocol):
    """A way from a composed USD stage to frames."""

    def version(self) -> str:
        """Name and version for the scene file."""
        ...

    def require(self) -> None:
        """Look for what the renderer needs on this machine.

        Raises:
            RenderError: something is missing; the message says what to install or set.
        """
        ...

    def render(self, job: RenderJob, progress: Progress) -> None:
        """Leave every frame in ``job.out``; frames that are there already are kept.

        Raises:
            RenderError: the renderer failed or a frame is missing or damaged.
            ValueError: this machine cannot do what is asked; trying again would not help.
        """
        ...

    def read_frame(self, folder: Path, camera: str, frame: int) -> Frame:
        """Read one frame that `render` left in ``folder``.

        Raises:
            RenderError: the frame is missing or damaged.
        """
        ...
