"""Run the first four stages of one scene in a folder, as the pipeline does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from houdini_pdg.plan import Item, make_plan, read_item, write_plan
from houdini_pdg.spec import parse_spec
from houdini_pdg.stages import run_stage

STAGES = ("layout", "characters", "compose", "trajectory")


def mint(
    root: Path, libraries: list[Path], stages: tuple[str, ...] = STAGES, **values: Any
) -> tuple[Item, dict[str, dict[str, Any]]]:
    """Plan one small scene below `root`, run its stages, and return its item and their reports."""
    spec = {
        "scenes": 1,
        "seed": 3,
        "frames": 9,
        "height": 60,
        "width": 80,
        "cameras": 3,
        "libraries": [str(path) for path in libraries],
        **values,
    }
    plan = make_plan(parse_spec(spec), root)
    write_plan(plan)
    path = plan.item_path(plan.scenes[0].scene_id)
    reports = {name: run_stage(name, path).report for name in stages}
    return read_item(path), reports
