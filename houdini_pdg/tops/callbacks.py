"""What the network's Python Processor calls while it generates: one work item per scene.

Attribute names follow SideFX Labs' ML CV nodes where the meaning is the same: ``variant`` and
``v_seed`` number and seed a scene, ``ds_dir`` is the data set's folder, ``res`` its resolution.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from houdini_pdg.engine.tasks import scene_task
from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.mint import unfinished_tasks
from houdini_pdg.plan import read_plan

if TYPE_CHECKING:
    import pdg

_SEED_LIMIT = 1 << 31  # integer attributes and Labs' seeds; the whole seed travels as text


def add_scenes(
    item_holder: pdg.WorkItemHolder, plan_path: str, first: int = 0, last: int | None = None
) -> int:
    """Add one static work item per planned scene; returns how many.

    The items follow from the plan alone, so that the same come out on every cook. PDG takes a stage
    whose marker is there for cached: those of damaged files are removed first, as other engines do.
    """
    plan = read_plan(Path(plan_path).parent)
    chosen = plan.scenes[first:last]
    for scene in chosen:
        unfinished_tasks(plan, scene)
        item = item_holder.addWorkItem(name=scene.scene_id, index=scene.index)
        item.setStringAttrib("scene_id", scene.scene_id)
        item.setIntAttrib("scene_index", scene.index)
        item.setStringAttrib("scene_seed", str(scene.seed))
        item.setIntAttrib("variant", scene.index)
        item.setIntAttrib("v_seed", scene.seed % _SEED_LIMIT)
        item.setStringAttrib("ds_dir", plan.root.as_posix())
        item.setIntAttrib("res", [plan.spec.width, plan.spec.height])
        item.setStringAttrib("item_json", plan.item_path(scene.scene_id).as_posix())
        for stage in SCENE_STAGES:
            marker = scene_task(plan, scene, stage).marker
            item.setStringAttrib(f"done_{stage.name}", marker.as_posix())
    return len(chosen)
