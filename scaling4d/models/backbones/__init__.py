"""Backbones by name; each adapter imports diffusers only when it is used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .base import Backbone, TextCondition, TokenGeometry

__all__ = [
    "BACKBONES",
    "Backbone",
    "BackboneConfig",
    "TextCondition",
    "TokenGeometry",
    "make_backbone",
]

BACKBONES = ("mini",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Which foundation model to attach to."""

    name: str = "mini"
    """Family: one of `BACKBONES`."""
    path: str | None = None
    """Hub id or local folder of pretrained weights; only `mini` can do without."""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Keyword arguments of the family, for `mini` the fields of `MiniConfig`."""

    def __post_init__(self) -> None:
        if self.name not in BACKBONES:
            raise ValueError(
                f"unknown backbone {self.name!r}; choose one of {', '.join(BACKBONES)}"
            )


def make_backbone(config: BackboneConfig) -> Backbone:
    """Load a backbone, or build `mini` from its options.

    Raises:
        ValueError: for unknown options or a family that needs a path.
    """
    from .mini import MiniBackbone, MiniConfig

    if config.path is not None:
        return MiniBackbone.load(Path(config.path))
    known = {field.name for field in dataclasses.fields(MiniConfig)}
    unknown = sorted(set(config.options) - known)
    if unknown:
        raise ValueError(
            f"mini has no option {', '.join(unknown)}; its options are {', '.join(sorted(known))}"
        )
    return MiniBackbone(MiniConfig(**config.options))
