"""One scene in words: a finished scene file, or how far a planned scene has come."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scaling4d.storage.scene_file import SceneFile, open_scene

from .graph import SCENE_STAGES
from .plan import Item, read_item
from .stages import marker_is_valid, read_marker


def describe(path: Path, *, everything: bool = False) -> str:
    """Describe a scene file (``.h5``) or an item file; ``everything`` gives all of it as JSON.

    Raises:
        ValueError: the path is neither, or is damaged.
    """
    if path.suffix == ".h5":
        with open_scene(path) as scene:
            if everything:
                return json.dumps(_scene_values(scene), indent=1, default=str)
            return "\n".join(_scene_lines(path, scene))
    if path.is_file() and path.parent.name == "items":
        item = read_item(path)
        if everything:
            return json.dumps(_item_values(item), indent=1)
        return "\n".join(_item_lines(item))
    if not path.exists():
        raise ValueError(f"there is no file {path}")
    raise ValueError(
        f"{path} is neither a scene file (.h5) nor an item (DIR/items/<scene>.json); "
        "of a whole data set see the command status"
    )


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of text as lines with aligned columns, two spaces apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _scene_lines(path: Path, scene: SceneFile) -> Iterator[str]:
    values, qa, attributes = scene.scene, scene.qa, scene.attributes
    yield f"{path}  {path.stat().st_size / 1e6:.1f} MB"
    if caption := values.get("caption"):
        yield f"  {caption}"
    seed, renderer = attributes.get("seed", "?"), attributes.get("renderer", "?")
    yield f"  {renderer}, seed {seed}, data set {attributes.get('dataset', '?')}"
    yield (
        f"  {len(scene.camera_names)} cameras x {scene.frames} frames of "
        f"{scene.width} x {scene.height} (width x height) at {scene.fps:g} fps"
    )
    yield ""
    yield from table([_CAMERA_HEAD, *(_camera_row(scene, name, qa) for name in scene.camera_names)])
    if qa.get("pairs"):
        yield ""
        yield (
            f"between views: round trip {qa['residual_px_median']:.2g} px median, "
            f"{qa['residual_px_p99']:.2g} px 99th percentile, in the worst pair of "
            f"{len(qa['pairs'])}; up to {qa['covisible']:.0%} seen by both"
        )
    yield from _content_lines(values)


_CAMERA_HEAD = ("camera", "style", "start", "travel", "lens", "clear by", "in frame", "depth (m)")


def _camera_row(scene: SceneFile, name: str, qa: dict[str, Any]) -> tuple[str, ...]:
    record, view = scene.path_record(name), qa.get("views", {}).get(name)
    stats, lens = record.get("stats", {}), record.get("lens", {})

    def shown(values: dict[str, Any], key: str, form: str) -> str:
        return form.format(values[key]) if key in values else "-"

    depth = "-"
    if view:
        depth = " .. ".join(f"{view[f'depth_m_{part}']:.1f}" for part in ("p1", "median", "p99"))
    return (
        name,
        str(record.get("style", "-")),
        str(record.get("start_view", "-")),
        shown(stats, "length", "{:.2f} m"),
        shown(lens, "horizontal_fov_degrees", "{:.0f} deg"),
        shown(stats, "min_clearance", "{:.2f} m"),
        shown(stats, "in_frame", "{:.0%}"),
        depth,
    )


def _content_lines(values: dict[str, Any]) -> Iterator[str]:
    people = values.get("characters", {}).get("characters", [])
    objects = values.get("compose", {}).get("objects", [])
    if people:
        yield ""
        yield from table([("person", "motion", "variants"), *(_person_row(p) for p in people)])
    if objects:
        yield ""
        counts = Counter((o["category"], o["asset"], _chosen(o["variants"])) for o in objects)
        rows = [(str(count), *what) for what, count in sorted(counts.items())]
        yield from table([("n", "category", "asset", "variants"), *rows])
    if missing := values.get("compose", {}).get("missing_categories"):
        yield f"no asset in the libraries for: {', '.join(missing)}"


def _person_row(person: dict[str, Any]) -> tuple[str, str, str]:
    rest = {key: value for key, value in person["variants"].items() if key != "motion"}
    return person["name"], person["motion"], _chosen(rest)


def _chosen(variants: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(variants.items()))


def _item_lines(item: Item) -> Iterator[str]:
    yield f"{item.scene_id}, number {item.index} of the plan, seed {item.seed}"
    yield ""
    rows: list[tuple[str, ...]] = [("stage", "state", "seconds", "peak MB", "")]
    rows += [_stage_row(item, stage.name) for stage in SCENE_STAGES]
    yield from table(rows)
    command = "python -m houdini_pdg stage <name> --item"
    yield f"\nrun one alone: {command} {item.root / 'items' / item.scene_id}.json"


def _stage_row(item: Item, name: str) -> tuple[str, ...]:
    if not item.marker(name).is_file():
        return name, "waiting", "", "", ""
    if not marker_is_valid(item, name):
        return name, "damaged", "", "", "is made again by the next run"
    marker = read_marker(item.marker(name))
    seconds, memory = marker.get("seconds", 0.0), marker.get("peak_memory_mb")
    reason = str(marker["report"].get("reason", ""))
    return name, marker["status"], f"{seconds:.1f}", str(memory or ""), reason


def _item_values(item: Item) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    for stage in SCENE_STAGES:
        marker = item.marker(stage.name)
        stages[stage.name] = read_marker(marker) if marker.is_file() else "not finished"
    return {"scene_id": item.scene_id, "seed": item.seed, "stages": stages}


def _scene_values(scene: SceneFile) -> dict[str, Any]:
    return {
        "attributes": scene.attributes,
        "cameras": {
            name: {
                "intrinsics_of_frame_0": scene.intrinsics(name)[0].tolist(),
                "position_of_frame_0_m": scene.world_from_camera(name)[0, :3, 3].tolist(),
                "instance_id": scene.instance_id(name, 0) is not None,
                "path": scene.path_record(name),
            }
            for name in scene.camera_names
        },
        "scene": scene.scene,
        "qa": scene.qa,
    }
