"""How far a data set is, in words: counts, what each stage costs, failures with their logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .describe import table
from .files import read_json
from .graph import SCENE_STAGES
from .mint import scene_state
from .plan import Plan, PlannedScene, read_item
from .quarantine import describe_failure, quarantine_path, read_failure
from .stages import read_marker

_BAR = 30
_LISTED = 20


def status_text(plan: Plan) -> str:
    """Counts of scenes by state, seconds and memory by stage, and why some were rejected or
    failed, with the commands and files that help."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    failed = {s.scene_id for s in plan.scenes if quarantine_path(plan.root, s.scene_id).exists()}
    others = [scene for scene in plan.scenes if scene.scene_id not in failed]
    states = [(scene, scene_state(plan, scene)) for scene in others]
    counts = Counter(state for _, state in states)
    spec = plan.spec
    yield (
        f"{plan.root}: {len(plan.scenes)} scenes planned, {spec.cameras} cameras x {spec.frames} "
        f"frames of {spec.width} x {spec.height} (width x height), {spec.render.renderer}"
    )
    rows = [("finished", counts["ok"]), ("rejected", counts["rejected"]), ("failed", len(failed))]
    rows += [(f"waits for {s.name}", counts[s.name]) for s in SCENE_STAGES if counts[s.name]]
    yield from (_bar(label, count, len(plan.scenes)) for label, count in rows)
    yield from _costs(plan)
    rejected = [scene for scene, state in states if state == "rejected"]
    yield from _some([_rejected_line(plan, scene) for scene in rejected], "rejected")
    failures = [read_failure(plan.root, scene_id) for scene_id in sorted(failed)]
    yield from _some([describe_failure(plan.root, each) for each in failures], "failed")
    index = "up to date" if plan.index_marker.exists() else "not written yet"
    yield f"index.jsonl: {index}"


def _bar(label: str, count: int, total: int) -> str:
    filled = -(-_BAR * count // total)  # never empty for one scene of thousands
    return f"  {label:20} {count:6}  {'#' * filled}".rstrip()


def _costs(plan: Plan) -> Iterator[str]:
    """Median seconds and memory of each stage over the scenes that the last index listed."""
    path = plan.root / "statistics.json"
    statistics: dict[str, Any] = read_json(path) if path.is_file() else {}
    seconds, memory = statistics.get("seconds") or {}, statistics.get("peak_memory_mb") or {}
    if not any(seconds.values()):
        return
    total = sum(spread["median"] for spread in seconds.values() if spread)
    rows: list[tuple[str, ...]] = [("stage", "seconds", "share", "peak MB")]
    for name, spread in ((stage.name, seconds.get(stage.name)) for stage in SCENE_STAGES):
        if spread:
            peak = memory.get(name)
            rows.append(
                (
                    name,
                    f"{spread['median']:.1f}",
                    f"{spread['median'] / max(total, 1e-9):.0%}",
                    f"{peak['greatest']:.0f}" if peak else "",
                )
            )
    yield from ("  " + line for line in table(rows))


def _some(lines: list[str], what: str) -> Iterator[str]:
    yield from lines[:_LISTED]
    if len(lines) > _LISTED:
        yield f"... and {len(lines) - _LISTED} more {what}"


def _rejected_line(plan: Plan, scene: PlannedScene) -> str:
    item = read_item(plan.item_path(scene.scene_id))
    report = read_marker(item.marker(SCENE_STAGES[-1].name))["report"]
    picture = plan.root / "rejected" / f"{scene.scene_id}.png"
    seen = f" (look: {picture})" if picture.is_file() else ""
    return f"rejected {scene.scene_id} in {report.get('stage', '?')}: {report['reason']}{seen}"
