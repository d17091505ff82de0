"""Render every camera and frame of a composed scene; a killed attempt goes on where it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from houdini_pdg.files import read_json, write_json
from houdini_pdg.render import make_renderer
from houdini_pdg.render.base import CameraMotion, RenderJob
from scaling4d.geometry.seeds import child_seed

from . import Item
from .bulk import restore_bulk

log = logging.getLogger(__name__)


def run(item: Item, out: Path) -> dict[str, Any]:
    """Render into the scratch folder, which survives a kill, and hand the whole frames over.

    Reads ``scene.usda`` and ``cameras.json``; writes ``render/`` with the frames of every camera
    and ``render/instances.json``, which names the prim behind each instance id.

    Raises:
        RenderError: the renderer failed; the same job may be tried again.
        ValueError: the cameras do not fit the spec, or the people, removed since the scene was
            packed, do not come out as before.
    """
    from pxr import Usd

    from houdini_pdg.render.instances import number_instances

    restore_bulk(item, out)
    spec = item.spec
    scratch = item.scratch("render")
    scratch.mkdir(parents=True, exist_ok=True)
    stage_path = item.work / "scene.usda"
    stage = Usd.Stage.Open(str(stage_path))
    numbers = number_instances(stage) if spec.render.instance_ids else {}
    job = RenderJob(
        stage=stage_path,
        out=scratch,
        cameras=read_cameras(item),
        frames=spec.frames,
        height=spec.height,
        width=spec.width,
        fps=spec.fps,
        start=stage.GetStartTimeCode(),
        seed=child_seed(item.seed, "render"),
        instances=numbers,
        config=spec.render,
    )
    del stage
    renderer = make_renderer(spec.render)
    started, first = time.monotonic(), -1

    def progress(done: int, total: int) -> None:
        nonlocal first
        first = done if first < 0 else first
        log.info("%s render %d/%d frames", item.scene_id, done, total)

    renderer.render(job, progress)
    seconds = time.monotonic() - started
    scratch.rename(out / "render")
    write_json(out / "render" / "instances.json", numbers)
    return {
        "renderer": renderer.version(),
        "frames": job.total,
        "frames_resumed": first,
        "seconds_per_frame": round(seconds / max(1, job.total - first), 4),
        "objects": len(numbers),
    }


def read_cameras(item: Item) -> dict[str, CameraMotion]:
    """Read ``cameras.json`` of the trajectory stage.

    Raises:
        ValueError: number, length or size of the cameras differ from the spec's.
    """
    spec, path = item.spec, item.work / "cameras.json"
    values = read_json(path)
    for key in ("height", "width"):
        if values[key] != getattr(spec, key):
            raise ValueError(f"{path}: {key} is {values[key]}, the spec says {getattr(spec, key)}")
    cameras: Mapping[str, Any] = values["cameras"]
    if len(cameras) != spec.cameras:
        raise ValueError(f"{path} holds {len(cameras)} cameras, the spec asks for {spec.cameras}")
    motions = {
        name: CameraMotion(
            intrinsics=np.asarray(camera["intrinsics"], dtype=np.float64),
            world_from_camera=np.asarray(camera["world_from_camera"], dtype=np.float64),
        )
        for name, camera in sorted(cameras.items())
    }
    for name, motion in motions.items():
        if motion.intrinsics.shape != (spec.frames, 3, 3):
            raise ValueError(
                f"{path}: {name} has intrinsics of shape {motion.intrinsics.shape}, "
                f"expected {(spec.frames, 3, 3)}"
            )
        if motion.world_from_camera.shape != (spec.frames, 4, 4):
            raise ValueError(
                f"{path}: {name} has poses of shape {motion.world_from_camera.shape}, "
                f"expected {(spec.frames, 4, 4)}"
            )
    return motions
