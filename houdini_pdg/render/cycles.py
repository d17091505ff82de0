"""Cycles through its worker process: job out, frames back."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from houdini_pdg.configuration import to_mapping
from houdini_pdg.files import write_json
from houdini_pdg.process import TIMED_OUT, run

from .base import Frame, Progress, RenderError, RenderJob, keep_whole_frames
from .instances import write_numbered_layer
from .lighting import read_lights, read_sky

log = logging.getLogger(__name__)

_BACKGROUND = 1e9  # Cycles writes 1e10 where a ray hits nothing
_START_SECONDS = 600.0  # import and first shader compilation come before the first frame


class CyclesRenderer:
    """Blender's path tracer. ``bpy`` is GPL-licensed and never imported: see `cycles_worker`."""

    def version(self) -> str:
        try:
            return f"cycles (bpy {version('bpy')})"
        except PackageNotFoundError:
            return "cycles"

    def require(self) -> None:
        if find_spec("bpy") is None:
            raise RenderError(
                "the renderer cycles needs Blender's module: pip install 'scaling4d[render]'"
            )

    def render(self, job: RenderJob, progress: Progress) -> None:
        self.require()
        job.out.mkdir(parents=True, exist_ok=True)
        _drop_partials(job.out)
        job_path = job.out / "job.json"
        write_json(job_path, _job_values(job))
        done = keep_whole_frames(
            job,
            lambda camera, frame: frame_paths(job.out, camera, frame),
            lambda camera, frame: self.read_frame(job.out, camera, frame),
        )
        progress(done, job.total)

        cannot: list[str] = []

        def on_line(line: str) -> None:
            nonlocal done
            if line.startswith("@cannot "):
                cannot.append(line.removeprefix("@cannot "))
            elif line.startswith("@frame "):
                done += 1
                progress(done, job.total)
            elif line and not line.startswith(("Fra:", "Saved:", " Time:")):
                log.debug("cycles: %s", line)

        worker = Path(__file__).with_name("cycles_worker.py")
        # -I: with this folder on the path, our cycles.py would hide Blender's package of that name.
        finished = run(
            [sys.executable, "-I", str(worker), str(job_path)],
            on_line=on_line,
            stall=max(_START_SECONDS, job.config.timeout_minutes * 60),
            environment=_environment(),
        )
        if cannot:
            raise ValueError(cannot[0])
        if finished.returncode == TIMED_OUT:
            raise RenderError("Cycles wrote nothing for too long and was killed")
        if finished.returncode != 0:
            last = next((line for line in reversed(finished.tail) if line.strip()), "no output")
            raise RenderError(f"Cycles ended with status {finished.returncode}: {last}")
        for camera in job.cameras:
            for frame in range(job.frames):
                self.read_frame(job.out, camera, frame)

    def read_frame(self, folder: Path, camera: str, frame: int) -> Frame:
        import cv2

        colour_path, geometry_path = frame_paths(folder, camera, frame)
        image = cv2.imread(str(colour_path), cv2.IMREAD_COLOR)
        if image is None:
            raise RenderError(f"{colour_path} is missing or damaged")
        depth, ids = _read_geometry(geometry_path)
        return Frame(np.ascontiguousarray(image[..., ::-1]), depth, ids)


def frame_paths(folder: Path, camera: str, frame: int) -> tuple[Path, Path]:
    """Where the worker writes colour and geometry of a frame."""
    name = folder / camera
    return name / f"rgb.{frame:04d}.png", name / f"geometry.{frame:04d}.exr"


def _read_geometry(path: Path) -> tuple[Any, Any]:
    from .exr import ExrError, read_channels

    try:
        channels = read_channels(path)
    except ExrError as error:
        raise RenderError(str(error)) from error
    depth = _channel(channels, "Depth.Z", path).astype(np.float32)
    ids = np.rint(_channel(channels, "IndexOB.X", path)).astype(np.uint16)
    return np.where(depth > _BACKGROUND, np.float32(np.inf), depth), ids


def _channel(channels: dict[str, Any], ending: str, path: Path) -> Any:
    for name, pixels in channels.items():
        if name.endswith(ending):
            return pixels
    raise RenderError(f"{path} has no channel {ending}, it has {', '.join(channels)}")


def _job_values(job: RenderJob) -> dict[str, Any]:
    from pxr import Usd

    stage = Usd.Stage.Open(str(job.stage))
    numbered = job.out / "numbered.usda"
    write_numbered_layer(numbered, job.stage, dict(job.instances))
    return {
        "stage": str(numbered),
        "out": str(job.out),
        "frames": job.frames,
        "start": int(job.start),
        "height": job.height,
        "width": job.width,
        "seed": job.seed % (2**31 - 1),
        "exposure": job.config.exposure,
        "cameras": {
            name: {
                "intrinsics": camera.intrinsics.tolist(),
                "world_from_camera": camera.world_from_camera.tolist(),
            }
            for name, camera in job.cameras.items()
        },
        "sky": read_sky(stage, job.start),
        "lights": read_lights(stage, job.start),
        "settings": to_mapping(job.config.cycles),
    }


def _drop_partials(folder: Path) -> None:
    for partial in folder.rglob(".*.png"):
        partial.unlink()
    for partial in folder.rglob(".*.exr"):
        partial.unlink()


def _environment() -> dict[str, str]:
    """Blender reads PYTHONPATH and would meet another copy of USD there."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "PXR_PLUGINPATH_NAME")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "HOUDINI_PDG_PARENT": str(os.getpid())}
