"""The static plan: every scene, seed, command and marker is known before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from scaling4d.geometry.seeds import child_seed

from .configuration import to_mapping
from .files import digest, file_digest, read_json, write_text
from .graph import SCENE_STAGES, StageDef, downstream
from .preflight import check_inputs
from .spec import MintSpec, SpecError, parse_spec, spec_to_mapping

SCHEMA = 1


@dataclass(frozen=True)
class PlannedScene:
    """One scene of the plan: its name, its seed and the input hash of each of its stages."""

    scene_id: str
    index: int
    seed: int
    hashes: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """A data set to be made in ``root``; ``hash`` names everything that decides its content."""

    root: Path
    spec: MintSpec
    hash: str
    scenes: tuple[PlannedScene, ...]

    def item_path(self, scene_id: str) -> Path:
        return self.root / "items" / f"{scene_id}.json"

    @property
    def index_marker(self) -> Path:
        return self.root / "done" / f"index.{self.hash}.json"


@dataclass(frozen=True)
class Item:
    """What a stage command is given: one scene, wholly described by its item file.

    Attributes:
        scene_id: name of the scene, for example ``scene_000003``.
        index: its number in the plan.
        seed: its 64-bit seed; stages draw from ``child_seed(item.seed, stage, ...)``.
        root: folder of the data set.
        spec_values: the resolved spec as JSON values, its paths relative to ``root``; `spec` is
            the typed form.
        hashes: input hash of each stage, part of its marker's name.
    """

    scene_id: str
    index: int
    seed: int
    root: Path
    spec_values: dict[str, Any]
    hashes: dict[str, str]

    @cached_property
    def spec(self) -> MintSpec:
        return parse_spec(self.spec_values, folder=self.root)

    @property
    def work(self) -> Path:
        """Folder that holds what the earlier stages of this scene wrote."""
        return self.root / "work" / self.scene_id

    def marker(self, stage: str) -> Path:
        """File whose existence says that ``stage`` is finished for exactly this input."""
        return self.work / "done" / f"{stage}.{self.hashes[stage]}.json"

    def scratch(self, stage: str) -> Path:
        """Folder that survives a killed attempt of ``stage`` and is removed when it finishes."""
        return self.work / "partial" / f"{stage}.{self.hashes[stage]}"

    def markers_from(self, stage: str) -> Iterator[Path]:
        """Existing markers, of any input, of ``stage`` and of the stages after it."""
        for name in (stage, *downstream(stage)):
            yield from (self.work / "done").glob(f"{name}.*.json")


def make_plan(spec: MintSpec, root: Path) -> Plan:
    """Derive the plan of ``spec`` without writing anything.

    Raises:
        SpecError: something that the spec names does not exist or cannot be used.
    """
    slices = {stage.name: _slice_digest(spec, stage) for stage in SCENE_STAGES}
    check_inputs(spec)
    scenes = tuple(_plan_scene(spec.seed, index, slices) for index in range(spec.scenes))
    content = digest([SCHEMA, spec.name, spec.seed, [scene.hashes["pack"] for scene in scenes]])
    return Plan(root.resolve(), replace(spec, output=None), content, scenes)


def write_plan(plan: Plan) -> None:
    """Write the item files, then ``plan.json`` last; unchanged item files are left alone.

    Paths are spelled relative to the data set, which may then be moved along with its libraries.
    """
    _refuse_awkward_root(plan.root)
    spec_text = json.dumps(spec_to_mapping(plan.spec, plan.root), sort_keys=True)
    for scene in plan.scenes:
        head = json.dumps(
            {
                "schema": SCHEMA,
                "scene_id": scene.scene_id,
                "index": scene.index,
                "seed": scene.seed,
                "hashes": scene.hashes,
            }
        )
        text = f'{head[:-1]},\n"spec": {spec_text}}}\n'
        path = plan.item_path(scene.scene_id)
        if not _holds(path, text):
            write_text(path, text, durable=False)
    rows = [[s.scene_id, s.index, s.seed, s.hashes] for s in plan.scenes]
    lines = ",\n".join(json.dumps(row) for row in rows)
    head = json.dumps({"schema": SCHEMA, "hash": plan.hash})
    write_text(
        plan.root / "plan.json", f'{head[:-1]},\n"spec": {spec_text},\n"scenes": [\n{lines}\n]}}\n'
    )


def read_plan(root: Path) -> Plan:
    """Read ``plan.json`` of a data set folder.

    Raises:
        ValueError: there is no plan, or it is of another version.
    """
    path = root / "plan.json"
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}: name the folder of a data set")
    if not path.is_file():
        raise ValueError(f"{root} holds no plan: run python -m houdini_pdg plan SPEC --out {root}")
    values = read_json(path)
    _check_schema(values, path)
    scenes = tuple(PlannedScene(*row) for row in values["scenes"])
    spec = parse_spec(values["spec"], folder=root.resolve())
    return Plan(root.resolve(), spec, values["hash"], scenes)


def read_item(path: Path) -> Item:
    """Read one item file; the data set's folder is the one two levels above it.

    Raises:
        ValueError: the file is missing, damaged or of another version.
    """
    values = read_json(path)
    _check_schema(values, path)
    try:
        return Item(
            scene_id=values["scene_id"],
            index=values["index"],
            seed=values["seed"],
            root=path.resolve().parent.parent,
            spec_values=values["spec"],
            hashes=values["hashes"],
        )
    except KeyError as error:
        raise ValueError(f"{path} is not an item file: it lacks {error}; plan again") from error


def _plan_scene(seed: int, index: int, slices: dict[str, str]) -> PlannedScene:
    scene_id = f"scene_{index:06d}"
    scene_seed = child_seed(seed, "scene", index)
    hashes: dict[str, str] = {}
    for stage in SCENE_STAGES:
        upstream = [hashes[need] for need in stage.needs]
        hashes[stage.name] = digest([slices[stage.name], scene_id, scene_seed, upstream])
    return PlannedScene(scene_id, index, scene_seed, hashes)


def _slice_digest(spec: MintSpec, stage: StageDef) -> str:
    content = {key: _content(getattr(spec, key), key) for key in stage.reads}
    return digest([stage.name, stage.version, content])


def _content(value: Any, where: str) -> Any:
    """Replace paths by what the files hold: a moved library is the same, an edited one is not."""
    if isinstance(value, Path):
        return _path_content(value, where)
    if isinstance(value, tuple):
        return [_content(item, where) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in fields(value) if f.metadata.get("hashed", True)]
        return {name: _content(getattr(value, name), f"{where}.{name}") for name in names}
    return to_mapping(value)


def _path_content(path: Path, where: str) -> Any:
    if path.is_file():
        return file_digest(path)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return [[p.relative_to(path).as_posix(), file_digest(p)] for p in files]
    raise SpecError(f"{where}: {path} does not exist")


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _check_schema(values: Any, path: Path) -> None:
    found = values.get("schema") if isinstance(values, dict) else None
    if found != SCHEMA:
        raise ValueError(f"{path} has schema {found}, expected {SCHEMA}: plan again")


def _refuse_awkward_root(root: Path) -> None:
    """PDG expands ``$`` and back-quotes in commands, and splits them at spaces."""
    if any(character in str(root) for character in " \t`$\"'"):
        raise ValueError(
            f"the output folder {str(root)!r} holds a space, quote, back-quote or $, which PDG "
            "would expand in its commands: choose another folder"
        )
