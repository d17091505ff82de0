"""Check finished scenes again from their files alone: whole, consistent, and clear of obstacles."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scaling4d.storage.scene_file import SceneFile, SceneFileError, open_scene

from .configuration import from_mapping
from .files import file_digest, read_json
from .layout.grammar import LayoutError, parse_layout
from .plan import read_item, read_plan
from .quality.config import PackConfig
from .quality.preview import write_previews
from .quality.report import judge, measure
from .stages import marker_is_valid

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
    found: list[str] = []
    good = 0
    for number, scene in enumerate(tqdm(plan.scenes, unit="scene", disable=None)):
        if number and number % 100 == 0:
            log.info("%d of %d scenes looked at", number, len(plan.scenes))
        if not (plan.root / "work" / scene.scene_id / "done").is_dir():
            continue
        item = read_item(plan.item_path(scene.scene_id))
        marker = item.marker("pack")
        if not marker.is_file() or read_json(marker)["status"] != "ok":
            continue
        file = plan.root / "scenes" / f"{scene.scene_id}.h5"
        if not marker_is_valid(item, "pack"):
            found.append(f"{file} is missing or not of the size it was written with: run again")
            continue
        if file_digest(file) != read_json(marker)["report"]["digest"]:
            found.append(f"{file} has changed since it was written: delete it and run again")
            continue
        problems = list(verify_scene(file, request_hash=scene.hashes["pack"]))
        found += problems
        good += not problems
    found += _index_problems(plan.root)
    return Findings(good, tuple(found))


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


def _index_problems(root: Path) -> Iterator[str]:
    path = root / "index.jsonl"
    if not path.is_file():
        yield f"{path} is missing: run python -m houdini_pdg run {root}"
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        entry = json.loads(line)
        file = root / entry["file"]
        if not file.is_file() or file.stat().st_size != entry["bytes"]:
            yield f"{path} line {number} lists {entry['file']}, which is missing or changed"


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
