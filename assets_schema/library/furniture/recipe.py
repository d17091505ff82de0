"""What an asset of the built-in library is made of: shapes, looks and how a layout uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ..mesh import Mesh

Shape = Callable[[], list[Mesh]]
Look = Mapping[str, str]

__all__ = ["Glow", "Look", "Recipe", "Shape", "looks", "styles"]


@dataclass(frozen=True)
class Glow:
    """The light inside a lamp: a UsdLux sphere of `radius` at height share `z` of the asset.

    `power` is the luminous strength in UsdLux intensity times square metres of lamp surface.
    """

    z: float
    radius: float = 0.04
    power: float = 12.0
    kelvin: float = 3000.0


@dataclass(frozen=True)
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
    thin: tuple[str, ...] = field(default=("leaf",))


def looks(common: Look | None = None, **named: Look) -> dict[str, dict[str, str]]:
    """Named looks (slot -> finish) on top of finishes that all of them share."""
    return {name: {**(common or {}), **slots} for name, slots in named.items()}


def styles(make: Callable[[str], list[Mesh]], *names: str) -> dict[str, Shape]:
    """One geometry variant per style that `make` knows."""
    return {name: partial(make, name) for name in names}
