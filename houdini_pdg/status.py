"""What a data set folder holds, in words: counts, failures with their logs, one scene in detail."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from .files import read_json
from .graph import SCENE_STAGES
from .mint import quarantine_path, scene_state
from .plan import Plan, read_item
from .stages import read_marker


def status_text(plan: Plan) -> str:
    """Counts of scenes by state, why some were rejected, and where the logs of failures are."""
    states = {scene.scene_id: scene_state(plan, scene) for scene in plan.scenes}
    counts = Counter(states.values())
    lines = [f"{plan.root}: {len(plan.scenes)} scenes planned"]
    for label, count in (("finished", counts["ok"]), ("rejected", counts["rejected"])):
        lines.append(f"  {label:10} {count}")
    lines += [
        f"  {'waiting':10} {counts[stage.name]} for {stage.name}"
        for stage in SCENE_STAGES
        if counts[stage.name]
    ]
    for scene_id, state in states.items():
        if state == "rejected":
            lines.append(f"rejected {scene_id}: {_reason(plan, scene_id)}")
        path = quarantine_path(plan, scene_id)
        if path.exists():
            record = read_json(path)
            lines.append(
                f"failed {scene_id} in {record['stage']} after {record['attempts']} attempts: "
                f"{record['message']} (log: {plan.root / record['log']})"
            )
    index = "up to date" if plan.index_marker.exists() else "not written yet"
    lines.append(f"index.jsonl: {index}")
    return "\n".join(lines)


def _reason(plan: Plan, scene_id: str) -> str:
    item = read_item(plan.item_path(scene_id))
    marker = read_marker(item.marker(SCENE_STAGES[-1].name))
    return str(marker["report"].get("reason", ""))


def inspect_text(path: Path) -> str:
    """Describe one scene file, or each stage of a planned scene (its item file).

    Raises:
        ValueError: the path is neither.
    """
    if path.suffix == ".h5":
        return json.dumps(_scene_values(path), indent=1, default=str)
    if path.is_file() and path.parent.name == "items":
        item = read_item(path)
        stages: dict[str, Any] = {}
        for stage in SCENE_STAGES:
            marker = item.marker(stage.name)
            stages[stage.name] = read_marker(marker) if marker.is_file() else "not finished"
        values = {"scene_id": item.scene_id, "seed": item.seed, "stages": stages}
        return json.dumps(values, indent=1)
    raise ValueError(f"{path} is neither a scene file (.h5) nor an item (DIR/items/<scene>.json)")


def _scene_values(path: Path) -> dict[str, Any]:
    from scaling4d.storage.scene_file import open_scene

    with open_scene(path) as scene:
        values = scene.scene
        values.pop("request", None)
        return {
            "attributes": scene.attributes,
            "cameras": {
                name: {
                    "intrinsics_of_frame_0": scene.intrinsics(name)[0].tolist(),
                    "position_of_frame_0_m": scene.world_from_camera(name)[0, :3, 3].tolist(),
                    "instance_id": scene.instance_id(name, 0) is not None,
                }
                for name in scene.camera_names
            },
            "scene": values,
            "qa": scene.qa,
        }
