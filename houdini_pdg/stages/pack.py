"""Gather the frames of a scene into its one HDF5 file, after measuring that they agree."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from houdini_pdg.files import file_digest, read_json
from houdini_pdg.quality.preview import write_previews
from houdini_pdg.quality.report import judge, measure
from houdini_pdg.render import make_renderer
from houdini_pdg.render.base import CameraMotion, Renderer
from scaling4d.storage.scene_file import CameraTrack, write_scene

from . import Item, StageRejected, read_marker
from .render import read_cameras


def run(item: Item, out: Path) -> dict[str, Any]:
    """Write ``scene.h5`` and the previews.

    Raises:
        StageRejected: the views do not agree with each other, or a view is black or clipped.
        RenderError: a frame of the render is missing or damaged.
    """
    spec = item.spec
    renderer = make_renderer(spec.render)
    cameras = read_cameras(item)
    tracks = {name: _read_track(renderer, item, name, motion) for name, motion in cameras.items()}
    report = measure(tracks, spec.pack)
    reason = judge(report, spec.pack)
    if spec.pack.previews:
        write_previews(out, tracks, spec.fps)
    if reason is not None:
        raise StageRejected(reason, {"qa": report})
    provenance = _provenance(item)
    write_scene(
        out / "scene.h5",
        cameras=tracks,
        fps=spec.fps,
        attributes={
            "generator": "scaling4d.houdini_pdg",
            "generator_version": _own_version(),
            "renderer": read_marker(item.marker("render"))["report"]["renderer"],
            "scene_id": item.scene_id,
            "dataset": spec.name,
            "seed": np.uint64(item.seed),
            "request_hash": item.hashes["pack"],
        },
        scene=provenance,
        paths=_paths(item),
        qa=report,
    )
    return {
        "qa": report,
        "bytes": (out / "scene.h5").stat().st_size,
        "digest": file_digest(out / "scene.h5"),
        "cameras": sorted(tracks),
        "caption": str(provenance.get("caption", "")),
    }


def _read_track(renderer: Renderer, item: Item, name: str, motion: CameraMotion) -> CameraTrack:
    folder = item.work / "render"
    frames = [renderer.read_frame(folder, name, frame) for frame in range(item.spec.frames)]
    ids = [frame.instance_id for frame in frames if frame.instance_id is not None]
    return CameraTrack(
        rgb=np.stack([frame.rgb for frame in frames]),
        depth=np.stack([frame.depth for frame in frames]),
        intrinsics=motion.intrinsics,
        world_from_camera=motion.world_from_camera,
        instance_id=np.stack(ids) if item.spec.render.instance_ids and ids else None,
    )


def _provenance(item: Item) -> dict[str, Any]:
    """Everything needed to say what is in the scene, and to mint it again alone."""
    compose = read_marker(item.marker("compose"))["report"]
    record: dict[str, Any] = {
        "layout": (item.work / "layout.txt").read_text(encoding="utf-8"),
        "characters": read_json(item.work / "characters.json"),
        "stage_digest": file_digest(item.work / "scene.usda"),
        "compose": compose,
        "caption": str(compose.get("caption", "")),
        "instances": read_json(item.work / "render" / "instances.json"),
        "request": {
            "scene_id": item.scene_id,
            "index": item.index,
            "seed": str(item.seed),
            "hashes": item.hashes,
            "spec": _what_decides(item.spec_values),
        },
    }
    return record


def _what_decides(spec_values: dict[str, Any]) -> dict[str, Any]:
    """The spec without what is kept beside the result, so that equal scenes are equal files."""
    pack = {key: value for key, value in spec_values["pack"].items() if key != "keep_work"}
    return {**spec_values, "pack": pack}


def _paths(item: Item) -> dict[str, dict[str, Any]]:
    cameras = read_json(item.work / "cameras.json")["cameras"]
    stored = ("intrinsics", "world_from_camera")
    return {
        name: {key: value for key, value in camera.items() if key not in stored}
        for name, camera in cameras.items()
    }


def _own_version() -> str:
    try:
        return version("scaling4d")
    except PackageNotFoundError:
        return "unknown"
