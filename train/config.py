"""What a run is made of: recipes (YAML) and overrides become one typed configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from scaling4d.data.cache_limit import parse_bytes
from scaling4d.data.mixture import Mix
from scaling4d.data.sources import DataConfig
from scaling4d.models.model_config import ModelConfig
from scaling4d.storage.atomic import write_text_atomic
from train.settings import ConfigError, apply_overrides, build
from train.step import LossConfig, OptimizerConfig

RECIPES = Path(__file__).parent / "recipes"

QUICKSTART_DATA = Path("quickstart") / "data"
"""Where a source is looked for last, below the current folder: what `make quickstart` produced."""

_FREE_TO_CHANGE = (
    "steps",
    "run",
    "data.sources",
    "data.skip_broken",
    "data.flow.device",
    "data.flow.batch",
    "model.backbone.path",
)
"""Settings that a resumed run may change: they do not alter what step n computes.

The backbone's folder is one of them, since weights may be moved; they must stay the same ones.
"""

_FIXED_IN_RUN = ("run.precision",)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """On what and in which portions a run trains."""

    batch: int = 1
    """Samples per process and pass."""
    accumulate: int = 1
    """Passes per step; a step sees batch x accumulate x processes samples (the paper's: 256)."""
    checkpoint_every: int = 500
    """Steps between checkpoints; one is also written at the end and when stopped."""
    keep_checkpoints: int = 2
    """How many of the newest checkpoints stay on the disk."""
    log_every: int = 10
    """Steps between printed lines where there is no terminal."""
    workers: int = 0
    """Processes that prepare pairs; 0 prepares them between the steps."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision of accelerate; no = float32."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more time."""
    compile: bool = False
    """Each block through torch.compile: a minute or more at the start, faster steps after it; the
    projector and codecs stay as they are."""
    device: Literal["auto", "cpu"] = "auto"
    """auto takes the accelerator that is there."""
    cache: str = ""
    """Folder of decoded frames, flows and pairs; empty = ``cache`` in the output folder, none =
    nothing is kept and all is made again whenever it is drawn."""
    cache_limit: int | str = "none"
    """Bytes that the cache may take, such as 200GB: what was used least recently makes room. none =
    no bound; `train/README.md` says how much a clip takes."""

    def __post_init__(self) -> None:
        for name in (
            "batch",
            "accumulate",
            "checkpoint_every",
            "keep_checkpoints",
            "log_every",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        self.cache_bytes  # noqa: B018 -- refuses what is no size now
        if self.workers < 0:
            raise ValueError(f"workers must be at least 0, got {self.workers}")

    @property
    def cache_bytes(self) -> int | None:
        """``cache_limit`` in bytes, None for no bound."""
        return None if self.cache_limit == "none" else parse_bytes(self.cache_limit)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole run; ``OUT/config.yaml`` holds it resolved."""

    mix: str
    """Sources and weights, such as real:0.9,syn:0.1; a weight counts samples drawn."""
    steps: int
    """Optimizer steps; 0 writes the untrained model."""
    seed: int = 0
    """Everything random follows from it."""
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        Mix.parse(self.mix)
        if self.steps < 0:
            raise ValueError(f"steps must be at least 0, got {self.steps}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must lie in [0, 2**63), got {self.seed}")


def resolve(
    recipe: str, *, mix: str, folders: Mapping[str, str], overrides: Sequence[str]
) -> TrainConfig:
    """Read a recipe and put the command line's choices in.

    Args:
        recipe: a name in `train/recipes` or a path to a YAML file.
        mix: text of ``--mix``; checked first.
        folders: folder of each source given by ``--data.NAME``.
        overrides: ``key=value`` texts.

    Raises:
        ValueError: for anything that does not parse or fit, in one sentence.
    """
    names = Mix.parse(mix).names
    unused = sorted(set(folders) - set(names))
    if unused:
        raise ConfigError(f"--data.{unused[0]} is given, but the mix {mix} names no {unused[0]!r}")
    values = apply_overrides(read_recipe(recipe), overrides)
    values["mix"] = mix
    data = values.setdefault("data", {})
    if not isinstance(data, dict):
        raise ConfigError(f"data must be a section of settings, got {data!r}")
    known = data.get("sources", {})
    data["sources"] = {name: str(find_folder(name, folders, known)) for name in names}
    return build(TrainConfig, values)


def find_folder(name: str, given: Mapping[str, str], recipe: Mapping[str, str]) -> Path:
    """Return a source's folder: the option, else the recipe's, else the quickstart's output.

    Raises:
        ConfigError: naming the option, if there is none.
    """
    if name in given:
        folder = Path(given[name])
    elif name in recipe:
        folder = Path(recipe[name])
    else:
        folder = QUICKSTART_DATA / name
        if not folder.is_dir():
            raise ConfigError(
                f"the mix names the source {name!r} and no data is known for it (neither in the "
                f"recipe nor in {folder}): add --data.{name} DIR"
            )
    if not folder.is_dir():
        raise ConfigError(f"no folder at {folder} for the source {name!r}: check --data.{name}")
    return folder.resolve()


def read_recipe(recipe: str) -> dict[str, Any]:
    """Read a recipe's YAML.

    Raises:
        ConfigError: if there is no such recipe, or it is no YAML mapping.
    """
    path = RECIPES / f"{recipe}.yaml"
    if not path.is_file():
        path = Path(recipe)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in RECIPES.glob("*.yaml")))
        raise ConfigError(f"no recipe {recipe!r}: use one of {names}, or a path to a YAML file")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold a mapping of settings")
    return values


def write_config(config: TrainConfig, path: Path) -> None:
    """Save every setting, defaults included."""
    text = yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False)
    write_text_atomic(path, f"# resolved configuration of a training run\n{text}")


def check_same_run(config: TrainConfig, path: Path) -> None:
    """Compare with the configuration that a run was started with.

    Raises:
        ConfigError: naming the first setting that differs and would change what is computed.
    """
    old = _flat(yaml.safe_load(path.read_text(encoding="utf-8")))
    new = _flat(_plain(dataclasses.asdict(config)))
    for key in sorted(old.keys() | new.keys()):
        free = any(key == name or key.startswith(f"{name}.") for name in _FREE_TO_CHANGE)
        if (free and key not in _FIXED_IN_RUN) or old.get(key) == new.get(key):
            continue
        raise ConfigError(
            f"the run in {path.parent} was started with {key}={old.get(key)!r}, now it is "
            f"{new.get(key)!r}: resume with the old value, or choose another --out"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        flat |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat
