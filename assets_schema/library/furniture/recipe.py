"""What the furniture of the library is made of: ``assets.yaml`` and ``looks.yaml`` as recipes."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ..mesh import Mesh

__all__ = ["Glow", "Look", "Recipe", "Shape", "load_recipes"]

Shape = Callable[[], list[Mesh]]
Look = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Glow:
    """The light inside a lamp: a UsdLux sphere of `radius` at height share `z` of the asset.

    `power` is the luminous strength in UsdLux intensity times square metres of lamp surface.
    """

    z: float
    radius: float = 0.04
    power: float = 12.0
    kelvin: float = 3000.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One asset: geometry variants by name, looks by name, and its place in a room."""

    id: str
    category: str
    shapes: Mapping[str, Shape]
    looks: Mapping[str, Look]
    support: str = "floor"
    fit_mode: str = "stretch"
    tags: tuple[str, ...] = ()
    kind: str = "asset"
    glow: Glow | None = None
    quickstart: bool = False
    thin: tuple[str, ...] = ("leaf", "petal")


@functools.cache
def load_recipes() -> tuple[Recipe, ...]:
    """Every recipe of ``assets.yaml`` in the order of the catalogue."""
    looks = _looks(_read("looks.yaml"))
    return tuple(_recipe(name, row, looks) for name, row in _read("assets.yaml").items())


def _read(name: str) -> dict[str, Any]:
    rows: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
    )
    return rows


def _looks(families: dict[str, Any]) -> dict[str, dict[str, Look]]:
    """Each family's looks, with what is common to the family filled in."""
    whole: dict[str, dict[str, Look]] = {}
    for family, named in families.items():
        common = named.pop("common", {})
        whole[family] = {name: {**common, **look} for name, look in named.items()}
    return whole


def _recipe(name: str, row: dict[str, Any], looks: dict[str, dict[str, Look]]) -> Recipe:
    module, function = row.pop("shape").split(".")
    make = getattr(importlib.import_module(f".{module}", __package__), function)
    variants = row.pop("variants")
    if isinstance(variants, list):  # names of styles that the function knows
        variants = {style: {"style": style} for style in variants}
    glow = row.pop("glow", None)
    return Recipe(
        id=name,
        category=row.pop("category", name),
        shapes={each: partial(make, **arguments) for each, arguments in variants.items()},
        looks=looks[row.pop("looks")],
        tags=tuple(row.pop("tags", ())),
        glow=Glow(**glow) if glow else None,
        **row,
    )
