"""/World/Room: the shell's meshes with drawn finishes for walls, floor and woodwork."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdShade

from assets_schema.library.finishes import FinishShelf
from assets_schema.look_layer import TextureFolder, define_surface
from assets_schema.surface_shading import linear_from_srgb
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FloorRegion

from .shell import build_shell
from .stage import define_group, define_quads

_FLOORS = {
    "planks_oak": (3.0, 1.0),
    "planks_walnut": (1.5, 1.0),
    "planks_grey": (1.5, 1.0),
    "planks_pale": (2.0, 1.0),
    "carpet_beige": (0.8, 0.7),
    "carpet_grey": (0.8, 0.7),
    "tiles_slate": (0.6, 1.6),
    "tiles_white": (0.6, 1.6),
    "concrete": (0.4, 2.0),
}
"""Finish of a floor -> (weight, metres per repeat of its maps)."""
_WALLS = {
    "wall_white": 3.0,
    "wall_grey": 1.0,
    "wall_sage": 1.0,
    "wall_blue": 1.0,
    "wall_clay": 1.0,
    "wall_yellow": 1.0,
}
_REPEATS = {"wall": 0.4, "ceiling": 0.4}
"""Metres per repeat of the maps of plastered parts, whose grain is fine."""
_SHELL = {"wall": 0.5, "floor": 0.25, "ceiling": 0.25}
"""Part of the shell -> its share of a usual room's surface."""
_DOORS = ("white_wood", "oak", "walnut", "birch", "grey_wood")
_TRIMS = ("white_wood", "white_wood", "white_metal", "oak", "birch")


def draw_finishes(rng: np.random.Generator) -> dict[str, str]:
    """Draw the finish of each part of the shell; the record is the room's provenance."""

    def draw(weights: dict[str, float]) -> str:
        values = np.array(list(weights.values()))
        return list(weights)[int(rng.choice(len(weights), p=values / values.sum()))]

    trim = _TRIMS[int(rng.integers(len(_TRIMS)))]
    wall = draw(_WALLS)
    return {
        "floor": draw({name: weight for name, (weight, _) in _FLOORS.items()}),
        "wall": wall,
        "accent": draw(_WALLS) if rng.random() < 0.35 else wall,
        "ceiling": "ceiling_white",
        "trim": trim,
        "frame": trim,
        "door": _DOORS[int(rng.integers(len(_DOORS)))],
    }


def shell_albedo(finishes: dict[str, str], shelf: FinishShelf) -> float:
    """Share of light that walls, floor and ceiling of these finishes reflect, in a usual room."""
    return sum(
        share * _mean_colour(shelf.surface(finishes[part]).diffuse)
        for part, share in _SHELL.items()
    )


def _mean_colour(diffuse: object) -> float:
    """Mean of a surface's linear colour, from its image map if it has one."""
    if not isinstance(diffuse, Path):
        return float(np.mean(np.asarray(diffuse, dtype=float)))
    import cv2

    image = cv2.imread(str(diffuse))
    assert image is not None, f"{diffuse} is not a picture"
    return float(linear_from_srgb(image / 255.0).mean())


def author_room(
    stage: Usd.Stage,
    layout: Layout,
    region: FloorRegion,
    finishes: dict[str, str],
    *,
    textures: Path,
    texture_root: str,
    shelf: FinishShelf,
) -> None:
    """Author /World/Room and its materials.

    Args:
        stage: the stage to author into.
        layout, region: the flat and where its floor is.
        finishes: what `draw_finishes` returned.
        textures: folder that receives the image maps.
        texture_root: how the stage names that folder.
        shelf: where maps are drawn.
    """
    define_group(stage, "/World/Room")
    UsdGeom.Scope.Define(stage, "/World/Looks")
    folder = TextureFolder(textures)
    materials: dict[str, UsdShade.Material] = {}
    for finish in finishes.values():
        if finish not in materials:
            path = Sdf.Path("/World/Looks").AppendChild(finish)
            surface = shelf.surface(finish)
            materials[finish] = define_surface(stage, path, surface, folder, finish, texture_root)
    accent = _accent_wall(layout)
    for name, mesh in build_shell(layout, region).items():
        finish = finishes["accent" if name == accent else mesh.material]
        points, st = mesh.arrays()
        repeat = (
            _FLOORS[finish][1] if mesh.material == "floor" else _REPEATS.get(mesh.material, 1.0)
        )
        quads = define_quads(stage, f"/World/Room/{name}", points, st / repeat)
        UsdShade.MaterialBindingAPI.Apply(quads.GetPrim()).Bind(materials[finish])


def _accent_wall(layout: Layout) -> str:
    """The longest wall without a window; the only one that may have its own colour."""
    windows = {window.wall for window in layout.windows}
    plain = [wall for wall in layout.walls if wall.name not in windows] or list(layout.walls)
    return max(plain, key=lambda wall: (wall.length, wall.name)).name
