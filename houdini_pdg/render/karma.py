"""Karma through husk: one call per camera for all missing frames, every frame checked on arrival.

husk writes under final names and may end with status 0 without an image (houdini.md section 3.1),
so it writes into a folder of its own; a frame moves beside the good ones only when it opens, has
the right size and holds usable depth. What a killed call finished is kept.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from houdini_pdg.process import TIMED_OUT, run

from .base import Frame, Progress, RenderError, RenderJob, keep_whole_frames
from .config import KarmaConfig
from .exr import ExrError, read_channels
from .husk import HuskOptions

log = logging.getLogger(__name__)

_FAR_AWAY = 1e9
_PERCENT = re.compile(r"ALF_PROGRESS\s+(\d+)%")
_LEAKING = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # would change husk's own Python
_PATIENCE = (0.5, 2.0)  # seconds: a network disk may show files after husk has returned
_LICENCE = "licen"  # in what husk says when it gets none, in either spelling
_LICENCE_WAITS = (15.0, 30.0, 60.0)  # seconds; schedulers try again at once, which helps nobody
_STAGE = "karma.usda"
_ARRIVALS = "arrivals"


class LicenceError(RenderError):
    """husk found no licence free."""


class KarmaRenderer:
    """Houdini's Karma, CPU or XPU; needs a licence, which one husk call holds while it runs."""

    def __init__(self, config: KarmaConfig) -> None:
        self._config = config

    def version(self) -> str:
        finished = run([self._executable(), "--version"], timeout=120)
        line = next((text for text in finished.tail if text.strip()), "unknown")
        return f"karma {self._config.engine} ({line.strip()})"

    def require(self) -> None:
        self._executable()

    def render(self, job: RenderJob, progress: Progress) -> None:
        from .karma_stage import write_karma_stage

        self.require()
        job.out.mkdir(parents=True, exist_ok=True)
        write_karma_stage(job.out / _STAGE, job)
        shutil.rmtree(job.out / _ARRIVALS, ignore_errors=True)
        keep_whole_frames(
            job,
            lambda camera, frame: (_frame_path(job.out, camera, frame),),
            lambda camera, frame: _read(_frame_path(job.out, camera, frame), exposure=0.0),
        )
        for position, camera in enumerate(job.cameras):
            missing = _missing(job, camera)
            progress(position * job.frames + job.frames - len(missing), job.total)
            if missing:
                self._with_licence(job, camera, progress)
        progress(job.total, job.total)

    def read_frame(self, folder: Path, camera: str, frame: int) -> Frame:
        return _read(_frame_path(folder, camera, frame), exposure=_read_exposure(folder))

    def _with_licence(self, job: RenderJob, camera: str, progress: Progress) -> None:
        """Render a camera, waiting for a licence that others hold; any other failure is raised."""
        for seconds in (*_LICENCE_WAITS, None):
            missing = _missing(job, camera)
            if not missing:  # it failed after the last frame
                return
            try:
                return self._render_camera(job, camera, missing[0], progress)
            except LicenceError as error:
                if seconds is None:
                    raise
                log.warning("%s: tried again in %g s", error, seconds)
                time.sleep(seconds)

    def _render_camera(self, job: RenderJob, camera: str, first: int, progress: Progress) -> None:
        """One husk call from the first missing frame to the end."""
        arrivals = job.out / _ARRIVALS / camera
        arrivals.mkdir(parents=True, exist_ok=True)
        (job.out / "exposure.txt").write_text(repr(job.config.exposure))
        count = job.frames - first
        options = HuskOptions(
            usd=job.out / _STAGE,
            settings="/Render/scaling4d",
            camera=f"/Render_cameras/{camera}",
            output=str(arrivals / "frame.%04d.exr"),
            first=int(job.start) + first,
            count=count,
            height=job.height,
            width=job.width,
            executable=self._executable(),
            engine=self._config.engine,
            pixel_samples=self._config.samples,
            threads=self._config.threads,
            verbose=self._config.verbose,
        )
        before = list(job.cameras).index(camera) * job.frames + first

        def on_line(line: str) -> None:
            if found := _PERCENT.search(line):
                progress(before + int(found[1]) * count // 100, job.total)
            else:
                log.debug("husk: %s", line)

        environment = {k: v for k, v in os.environ.items() if k not in _LEAKING}
        limit = job.config.timeout_minutes * 60
        finished = run(options.argv(), on_line=on_line, stall=limit, environment=environment)
        problem = self._collect(job, camera, first, arrivals)
        for seconds in _PATIENCE if finished.returncode == 0 else ():
            if problem is None:
                break
            time.sleep(seconds)
            problem = self._collect(job, camera, first, arrivals)
        if finished.returncode == TIMED_OUT:
            raise RenderError(f"husk said nothing for {limit / 60:g} minutes and was killed")
        if finished.returncode != 0:
            last = next((line for line in reversed(finished.tail) if line.strip()), "no output")
            kind = LicenceError if _LICENCE in last.lower() else RenderError
            raise kind(f"husk ended with status {finished.returncode}: {last}")
        if problem is not None:
            raise RenderError(f"husk ended with status 0, but {problem}")

    def _collect(self, job: RenderJob, camera: str, first: int, arrivals: Path) -> str | None:
        """Keep the frames that are whole; return what is wrong with the first one that is not."""
        problem = None
        for frame in range(first, job.frames):
            arrived = arrivals / f"frame.{int(job.start) + frame:04d}.exr"
            target = _frame_path(job.out, camera, frame)
            if target.exists() and not arrived.exists():  # kept before
                continue
            try:
                _check(_read(arrived, exposure=0.0), job, arrived)
            except RenderError as error:
                problem = problem or str(error)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(target)
        return problem

    def _executable(self) -> str:
        found = shutil.which(self._config.executable)
        if found is None:
            raise RenderError(
                f"the renderer karma needs husk, and {self._config.executable!r} is not on the "
                "PATH: source houdini_setup, or set render.karma.executable"
            )
        return found


def _missing(job: RenderJob, camera: str) -> list[int]:
    return [f for f in range(job.frames) if not _frame_path(job.out, camera, f).exists()]


def _frame_path(folder: Path, camera: str, frame: int) -> Path:
    return folder / camera / f"frame.{frame:04d}.exr"


def _read_exposure(folder: Path) -> float:
    try:
        return float((folder / "exposure.txt").read_text())
    except (OSError, ValueError) as error:
        raise RenderError(f"{folder} is not a finished Karma render ({error})") from error


def _read(path: Path, *, exposure: float) -> Frame:
    try:
        channels = read_channels(path)
    except ExrError as error:
        raise RenderError(str(error)) from error
    linear = np.stack([_channel(channels, "C", name, path) for name in "RGB"], -1)
    depth = np.abs(_channel(channels, "depth", None, path)).astype(np.float32)
    ids = _optional(channels, "instance")
    nothing = ~np.isfinite(depth) | (depth == 0) | (depth > _FAR_AWAY)
    return Frame(
        srgb_from_linear(linear.astype(np.float32) * np.float32(2.0**exposure)),
        np.where(nothing, np.float32(np.inf), depth),
        None if ids is None else np.where(nothing, 0, np.rint(ids)).astype(np.uint16),
    )


def _channel(channels: dict[str, Any], part: str, name: str | None, path: Path) -> NDArray[Any]:
    """A channel of a part (husk 20.5 and later) or with that prefix (the older single part)."""
    candidates = [key for key in channels if key.split(".")[0] == part]
    if name is not None:
        candidates = [key for key in candidates if key.endswith(f".{name}")]
        if not candidates and name in channels:  # the beauty of a single-part file has no prefix
            candidates = [name]
    if len(candidates) != 1:
        wanted = part if name is None else f"{part}.{name}"
        raise RenderError(f"{path} has no single channel {wanted}, it has {', '.join(channels)}")
    return np.asarray(channels[candidates[0]])


def _optional(channels: dict[str, Any], part: str) -> NDArray[Any] | None:
    found = [key for key in channels if key.split(".")[0] == part]
    return np.asarray(channels[found[0]]) if len(found) == 1 else None


def _check(frame: Frame, job: RenderJob, path: Path) -> None:
    if frame.depth.shape != (job.height, job.width):
        raise RenderError(
            f"{path} is {frame.depth.shape[0]} x {frame.depth.shape[1]} pixels (height, width), "
            f"expected {job.height} x {job.width}"
        )
    if not np.isfinite(frame.depth).any():
        raise RenderError(f"{path} holds no depth at all")


def srgb_from_linear(linear: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Encode linear Rec.709 (..., 3) as 8-bit sRGB (IEC 61966-2-1); NaN becomes black."""
    values = np.clip(np.nan_to_num(linear), 0.0, 1.0)
    curve = np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(curve * 255), dtype=np.uint8)
