"""Stage `trajectory`: synchronised cameras whose paths are proved clear and on their subject."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from houdini_pdg.camera_path.planner import PlanningFailed, plan_cameras
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.stages import Item, StageRejected
from houdini_pdg.usd.cameras import write_cameras
from scaling4d.geometry.seeds import child_seed


def run(item: Item, out: Path) -> dict[str, Any]:
    """Write ``cameras.json`` and ``cameras.usda``; the report holds each path's figures."""
    spec = item.spec
    layout = parse_layout((item.work / "layout.txt").read_text(encoding="utf-8"))
    characters = json.loads((item.work / "characters.json").read_text(encoding="utf-8"))
    clip = Clip(spec.frames, spec.fps, spec.height, spec.width)
    redrawn: list[str] = []
    try:
        paths = plan_cameras(
            layout,
            characters,
            spec.trajectory,
            cameras=spec.cameras,
            clip=clip,
            seed=child_seed(item.seed, "trajectory"),
            redrawn=redrawn,
        )
    except PlanningFailed as error:
        raise StageRejected(str(error), {"redrawn": redrawn}) from error
    cameras = {path.name: path.to_json(clip.times, spec.height, spec.width) for path in paths}
    document = {
        "fps": spec.fps,
        "height": spec.height,
        "width": spec.width,
        "cameras": cameras,
    }
    text = json.dumps(document, sort_keys=True, allow_nan=False) + "\n"
    (out / "cameras.json").write_text(text, encoding="utf-8", newline="\n")
    write_cameras(document, out / "cameras.usda", frames=spec.frames)
    figures = {
        path.name: {"style": path.style, "start_view": path.start_view, **path.statistics}
        for path in paths
    }
    return {"cameras": figures, "redrawn": redrawn}
