"""The data set's index: one JSON line per finished scene, readable without opening any HDF5."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from houdini_pdg.files import write_json, write_text
from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.plan import Plan, PlannedScene, read_item, read_plan

from . import StageResult, marker_is_valid, read_marker


def run_index(root: Path) -> StageResult:
    """Write ``index.jsonl`` and ``statistics.json`` from the markers of the planned scenes.

    Only scenes whose file is in place with its recorded size are listed; rejected and unfinished
    ones are counted in the statistics.

    Raises:
        ValueError: the folder holds no plan.
    """
    plan = read_plan(root)
    lines, counts, rejections = [], Counter[str](), []
    for scene in plan.scenes:
        state, entry = _scene_entry(plan, scene)
        counts[state] += 1
        if state == "rejected":
            rejections.append(entry)
        elif state == "ok":
            lines.append(entry)
    write_text(
        plan.root / "index.jsonl", "".join(json.dumps(x, sort_keys=True) + "\n" for x in lines)
    )
    statistics = {"scenes": dict(counts), "rejections": rejections, **_summary(lines)}
    write_json(plan.root / "statistics.json", statistics)
    write_json(
        plan.index_marker,
        {
            "stage": "index",
            "status": "ok",
            "report": {"scenes": len(lines), "planned": len(plan.scenes), "states": dict(counts)},
            "outputs": {
                name: (plan.root / name).stat().st_size
                for name in ("index.jsonl", "statistics.json")
            },
            "seconds": 0.0,
            "python": sys.version.split()[0],
        },
    )
    return StageResult("ok", plan.index_marker, {"scenes": len(lines), **counts})


def _scene_entry(plan: Plan, scene: PlannedScene) -> tuple[str, dict[str, Any]]:
    """State ("ok", "rejected" or "unfinished") and index line of one scene."""
    item_path = plan.item_path(scene.scene_id)
    if not (plan.root / "work" / scene.scene_id / "done").is_dir():
        return "unfinished", {}
    item = read_item(item_path)
    if not marker_is_valid(item, "pack"):
        return "unfinished", {}
    marker = read_marker(item.marker("pack"))
    report = marker["report"]
    if marker["status"] == "rejected":
        return "rejected", {
            "scene_id": scene.scene_id,
            "stage": report.get("stage", ""),
            "reason": report.get("reason", ""),
        }
    markers = {stage.name: read_marker(item.marker(stage.name)) for stage in SCENE_STAGES}
    spec = plan.spec
    qa = report["qa"]
    return "ok", {
        "scene_id": scene.scene_id,
        "file": f"scenes/{scene.scene_id}.h5",
        "bytes": report["bytes"],
        "digest": report["digest"],
        "request_hash": scene.hashes["pack"],
        "seed": str(scene.seed),
        "cameras": report["cameras"],
        "frames": spec.frames,
        "height": spec.height,
        "width": spec.width,
        "fps": spec.fps,
        "caption": report["caption"],
        "residual_px_median": qa["residual_px_median"],
        "residual_px_p99": qa["residual_px_p99"],
        "views": qa["views"],
        "pairs": [
            {key: pair[key] for key in ("source", "target", "covisible")} for pair in qa["pairs"]
        ],
        "seconds": {name: marker.get("seconds", 0.0) for name, marker in markers.items()},
        "peak_memory_mb": {name: marker.get("peak_memory_mb") for name, marker in markers.items()},
    }


def _summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Distributions over the listed scenes."""
    views = [view for line in lines for view in line["views"].values()]
    return {
        "bytes": sum(line["bytes"] for line in lines),
        "depth_m": _spread([view["depth_m_median"] for view in views]),
        "travel_m": _spread([view["travel_m"] for view in views]),
        "mean_rgb": _spread([view["mean_rgb"] for view in views]),
        "covisible": _spread([pair["covisible"] for line in lines for pair in line["pairs"]]),
        **{
            key: _spread([line[key] for line in lines if line[key] is not None])
            for key in ("residual_px_median", "residual_px_p99")
        },
        "seconds": _by_stage([line["seconds"] for line in lines]),
        "peak_memory_mb": _by_stage([line["peak_memory_mb"] for line in lines]),
    }


def _by_stage(values: list[dict[str, float | None]]) -> dict[str, dict[str, float] | None]:
    names = values[0] if values else {}
    return {
        name: _spread([v for value in values if (v := value[name]) is not None]) for name in names
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, middle, high = np.percentile(values, [0, 50, 100])
    return {"least": float(low), "median": float(middle), "greatest": float(high)}
