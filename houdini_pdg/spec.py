"""The one YAML file that says what to mint, as typed dataclasses; unknown keys are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .camera_path.config import TrajectoryConfig
from .configuration import SpecError, from_mapping, to_mapping
from .layout.config import LayoutConfig
from .quality.config import PackConfig
from .render.config import RenderConfig
from .usd.config import CharactersConfig, ComposeConfig

__all__ = ["MintSpec", "SpecError", "load_spec", "parse_spec"]


@dataclass(frozen=True, kw_only=True)
class MintSpec:
    """Everything that decides the bytes of a data set, one section per stage."""

    name: str = "dataset"
    """Name of the data set, letters, digits, dash and underscore."""
    seed: int = 0
    """Seed of the run, 0 <= seed < 2**64; every scene and stage draws from a named child of it."""
    scenes: int
    """Number of scenes asked for; rejected ones are not replaced."""
    cameras: int = 4
    """Synchronised cameras per scene."""
    frames: int = 49
    """Frames per camera."""
    fps: float = 24.0
    """Frames per second; frame i is at time code i of the composed stage."""
    height: int = 480
    """Pixels."""
    width: int = 480
    """Pixels."""
    libraries: tuple[Path, ...] = ()
    """Asset catalogues (catalog.yaml) to choose from, relative to the spec's folder."""
    output: Path | None = None
    """Folder of the data set, relative to the spec's folder; ``--out`` goes before it."""
    layout: LayoutConfig = field(default_factory=LayoutConfig)
    characters: CharactersConfig = field(default_factory=CharactersConfig)
    compose: ComposeConfig = field(default_factory=ComposeConfig)
    trajectory: TrajectoryConfig = field(default_factory=TrajectoryConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    pack: PackConfig = field(default_factory=PackConfig)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise ValueError(f"name may hold letters, digits, '-' and '_' only, got {self.name!r}")
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed must lie in [0, 2**64), got {self.seed}")
        for key in ("scenes", "cameras", "frames", "height", "width"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1, got {getattr(self, key)}")
        if not 0 < self.fps < 1000:
            raise ValueError(f"fps must lie in (0, 1000), got {self.fps}")


def parse_spec(values: Mapping[str, Any], *, folder: Path | None = None) -> MintSpec:
    """Turn a mapping (YAML or JSON) into a checked spec; paths are relative to ``folder``.

    Raises:
        SpecError: one sentence that names the key, what was given and what was expected.
    """
    return from_mapping(MintSpec, values, folder=folder)


def load_spec(path: Path, overrides: tuple[str, ...] = ()) -> MintSpec:
    """Read a spec from YAML and apply ``section.key=value`` overrides (values are YAML).

    Raises:
        SpecError: the file is missing, is not YAML or holds something unusable.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
    except OSError as error:
        raise SpecError(f"cannot read the spec {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" line {place.line + 1} column {place.column + 1}" if place else ""
        raise SpecError(f"{path}{where} is not valid YAML: {_first_line(error)}") from error
    if not isinstance(values, dict):
        raise SpecError(f"{path} must hold a mapping of keys such as 'scenes: 3'")
    _refuse_repeats(yaml.compose(text, yaml.SafeLoader), path)
    apply_overrides(values, overrides)
    try:
        return parse_spec(values, folder=path.resolve().parent)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def spec_to_mapping(spec: MintSpec, folder: Path | None = None) -> dict[str, Any]:
    """Return the resolved spec as JSON values, its paths relative to ``folder``.

    `parse_spec` with the same folder reads it back unchanged.
    """
    return dict(to_mapping(spec, folder=folder))


def _refuse_repeats(node: Any, path: Path) -> None:
    """Raise for a key that one mapping gives twice: YAML would take the last in silence."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeats(item, path)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise SpecError(f"{path} line {line}: the key {key.value} is given twice")
            seen.add(key.value)
            _refuse_repeats(value, path)


def _first_line(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error)
    return str(problem).splitlines()[0]


def apply_overrides(values: dict[str, Any], overrides: tuple[str, ...]) -> None:
    """Set ``section.key=value`` (values are YAML) in a mapping read from a spec, in place.

    Raises:
        SpecError: an override is malformed.
    """
    for override in overrides:
        _apply_override(values, override)


def _apply_override(values: dict[str, Any], override: str) -> None:
    import yaml

    key, equals, text = override.partition("=")
    if not equals or not key:
        raise SpecError(f"an override must read section.key=value, got {override!r}")
    *sections, last = key.split(".")
    for section in sections:
        if values.get(section) is None:
            values[section] = {}
        values = values[section]
        if not isinstance(values, dict):
            raise SpecError(f"{key}: {section} is not a section")
    try:
        values[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(f"{key}: the value {text!r} is not valid YAML") from error
