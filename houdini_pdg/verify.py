"""Check finished scenes again from their files alone: whole, consistent, and clear of obstacles."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from scaling4d.storage.scene_file import SceneFile, SceneFileError, open_scene

from .configuration import from_mapping
from .files import file_digest
from .layout.grammar import LayoutError, parse_layout
from .plan import Plan, PlannedScene, read_item, read_plan
from .quality.config import PackConfig
from .quality.preview import write_previews
from .quality.report import judge, measure
from .stages import read_marker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Findings:
    """How many scene files are good, and one sentence per problem."""

    good: int
    problems: tuple[str, ...]


def verify(path: Path) -> Findings:
    """Read every frame of one scene file, or of every scene of a data set, and judge it again.

    For a data set the index must list exactly the finished scenes, with their sizes.

    Raises:
        ValueError: there is nothing to verify at ``path``.
    """
    if path.suffix == ".h5":
        if not path.is_file():
            raise ValueError(f"there is no scene file {path}")
        problems = list(verify_scene(path))
        return Findings(int(not problems), tuple(problems))
    plan = read_plan(path)
    entries, found = _index_entries(plan.root)
    good = 0
    for number, scene in enumerate(tqdm(plan.scenes, unit="scene", disable=None)):
        if number and number % 100 == 0:
            log.info("%d of %d scenes looked at", number, len(plan.scenes))
        file = plan.root / "scenes" / f"{scene.scene_id}.h5"
        record = _packed(plan, scene) or entries.get(scene.scene_id)
        if record is None:
            continue
        if not file.is_file() or file.stat().st_size != record["bytes"]:
            found.append(f"{file} is missing or not of the size it was written with: run again")
            continue
        if file_digest(file) != record["digest"]:
            found.append(f"{file} has changed since it was written: delete it and run again")
            continue
        problems = list(verify_scene(file, request_hash=scene.hashes["pack"]))
        found += problems
        good += not problems
    return Findings(good, tuple(found))


def _packed(plan: Plan, scene: PlannedScene) -> dict[str, Any] | None:
    """Size and digest that the pack stage has noted; None of a scene that it has not finished, or
    where the work folder was left behind."""
    if not (plan.root / "work" / scene.scene_id / "done").is_dir():
        return None
    marker = read_item(plan.item_path(scene.scene_id)).marker("pack")
    try:
        values = read_marker(marker)
    except ValueError:  # absent or damaged
        return None
    return dict(values["report"]) if values["status"] == "ok" else None


def verify_scene(path: Path, request_hash: str | None = None) -> Iterator[str]:
    """Yield what is wrong with one scene file."""
    try:
        with open_scene(path) as scene:
            if request_hash and scene.attributes["request_hash"] != request_hash:
                yield f"{path} was made for another plan: run again"
            tracks = {name: scene.track(name) for name in scene.camera_names}
            for name, track in tracks.items():
                track.check(name)
            config = from_mapping(PackConfig, scene.scene["request"]["spec"]["pack"])
            reason = judge(measure(tracks, config), config)
            if reason:
                yield f"{path}: {reason}"
            yield from _clearance_problems(path, scene)
    except SceneFileError as error:
        yield str(error)
    except LayoutError as error:
        yield f"{path}: its layout cannot be read: {error}"
    except (OSError, LookupError, TypeError, ValueError) as error:  # a part that is not as written
        yield f"{path}: {error!r}"


def _clearance_problems(path: Path, scene: SceneFile) -> Iterator[str]:
    """Prove clearance and framing of every camera again, from what the file itself holds."""
    from .camera_path.config import TrajectoryConfig
    from .camera_path.path import verify_camera
    from .camera_path.scene import Clip

    values = scene.scene
    layout, characters = parse_layout(values["layout"]), values["characters"]
    config = from_mapping(TrajectoryConfig, values["request"]["spec"]["trajectory"])
    clip = Clip(scene.frames, scene.fps, scene.height, scene.width)
    for name in scene.camera_names:
        camera = {
            **scene.path_record(name),
            "intrinsics": scene.intrinsics(name),
            "world_from_camera": scene.world_from_camera(name),
        }
        for problem in verify_camera(camera, layout, characters, clip, config).problems:
            yield f"{path}: {name}: {problem}"


def _index_entries(root: Path) -> tuple[dict[str, Any], list[str]]:
    """Lines of the index by scene, and what is wrong with it."""
    path = root / "index.jsonl"
    if not path.is_file():
        return {}, [f"{path} is missing: run python -m houdini_pdg run {root}"]
    entries, problems = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            entries[entry["scene_id"]] = entry
            file = root / entry["file"]
        except (json.JSONDecodeError, KeyError, TypeError):
            problems.append(f"{path} line {number} is damaged: run again")
            continue
        if not file.is_file() or file.stat().st_size != entry["bytes"]:
            problems.append(
                f"{path} line {number} lists {entry['file']}, which is missing or changed"
            )
    return entries, problems


def write_previews_again(path: Path) -> Iterator[Path]:
    """Write mp4 and contact sheet of a scene file beside it, or of all into DIR/previews."""
    if path.suffix == ".h5":
        files, folder = [path], path.parent
    else:
        files, folder = sorted((path / "scenes").glob("scene_*.h5")), path / "previews"
    if not files:
        raise ValueError(f"{path} holds no finished scenes: name a data set or a scene file (.h5)")
    for file in files:
        with open_scene(file) as scene:
            tracks = {name: scene.track(name) for name in scene.camera_names}
            write_previews(folder, tracks, scene.fps, stem=file.stem)
        yield folder / f"{file.stem}.mp4"
