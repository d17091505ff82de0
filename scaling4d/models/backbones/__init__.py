"""Backbones by name; diffusers is imported only when a pretrained one is loaded."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaling4d.models.errors import BackboneMismatchError
from scaling4d.models.field_types import check_field_types

from .base import Backbone, TextCondition, TokenGeometry
from .cogvideox import CogVideoXBackbone
from .hunyuan_video import HunyuanVideoBackbone
from .hunyuan_video15 import HunyuanVideo15Backbone
from .ltx import LTXBackbone
from .ltx2 import LTX2Backbone
from .mini import MiniBackbone, MiniConfig
from .pretrained import PretrainedBackbone
from .skyreels import SkyReelsV2Backbone
from .wan import WanBackbone

__all__ = [
    "PRETRAINED",
    "Backbone",
    "BackboneConfig",
    "MiniBackbone",
    "MiniConfig",
    "PretrainedBackbone",
    "TextCondition",
    "TokenGeometry",
    "make_backbone",
]

PRETRAINED: dict[str, type[PretrainedBackbone]] = {
    family.name: family
    for family in (
        WanBackbone,
        HunyuanVideoBackbone,
        HunyuanVideo15Backbone,
        CogVideoXBackbone,
        LTXBackbone,
        LTX2Backbone,
        SkyReelsV2Backbone,
    )
}

DTYPES = ("float32", "bfloat16", "float16")
"""Storage and compute types of frozen weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Which foundation model to attach to."""

    name: str = "mini"
    """Family: ``mini`` or one of `PRETRAINED`."""
    path: str | None = None
    """Hub id or local folder of pretrained weights; only `mini` can do without."""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The fields of `MiniConfig`, or for others the arguments of `PretrainedBackbone.load`."""

    def __post_init__(self) -> None:
        check_field_types(self)
        families = ("mini", *PRETRAINED)
        if self.name not in families:
            raise ValueError(f"unknown backbone {self.name!r}; choose one of {', '.join(families)}")
        if self.name != "mini" and self.path is None:
            raise ValueError(
                f"backbone {self.name} needs `path`: a hub id or a local folder of its weights"
            )
        if self.name == "mini":
            known = {field.name for field in dataclasses.fields(MiniConfig)}
        else:
            known = set(inspect.signature(PretrainedBackbone.load).parameters) - {"source"}
        unknown = sorted(set(self.options) - known)
        if unknown:
            raise ValueError(
                f"backbone {self.name} has no option {', '.join(unknown)}; "
                f"its options are {', '.join(sorted(known))}"
            )
        if self.options.get("dtype", DTYPES[0]) not in DTYPES:
            raise ValueError(
                f"backbone {self.name}: dtype must be one of {', '.join(DTYPES)}, "
                f"got {self.options['dtype']!r}"
            )


def make_backbone(config: BackboneConfig) -> Backbone:
    """Load a pretrained backbone, or build `mini` from its options.

    Raises:
        MissingWeightsError: if weights are not there and cannot be fetched.
        BackboneMismatchError: if they belong to another family.
    """
    if config.name != "mini":
        return PRETRAINED[config.name].load(str(config.path), **config.options)
    if config.path is not None:
        mini = MiniBackbone.load(Path(config.path))
        other = [key for key, value in config.options.items() if getattr(mini.config, key) != value]
        if other:
            raise BackboneMismatchError(
                f"backbone mini in {config.path} has other sizes than the options say: leave out "
                f"{', '.join(sorted(other))}, or path"
            )
        return mini
    return MiniBackbone(MiniConfig(**config.options))
