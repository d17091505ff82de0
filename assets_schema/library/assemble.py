"""From a recipe to an asset package: parts merged by material slot, set on the floor, written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pxr import Gf, Usd, UsdLux

from ..entry import Entry, LightInfo
from ..mesh_layer import MeshData
from ..package import AssetPackage
from ..package_writer import Author
from .finishes import FinishShelf
from .furniture.recipe import Glow, Recipe
from .mesh import Mesh, merge

__all__ = ["centred", "mesh_data", "write_recipe"]


def centred(parts: Iterable[Mesh]) -> list[Mesh]:
    """One mesh per slot, the joint box's bottom centre at the origin."""
    merged = list(merge(parts).values())
    low = np.min([mesh.bounds[0] for mesh in merged], axis=0)
    high = np.max([mesh.bounds[1] for mesh in merged], axis=0)
    shift = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return [replace(mesh, points=mesh.points - shift) for mesh in merged]


def mesh_data(mesh: Mesh, double_sided: bool = False) -> MeshData:
    """The package's form of a mesh, named after its slot."""
    triangle = mesh.faces[:, 2] == mesh.faces[:, 3]
    counts = np.where(triangle, 3, 4)
    keep = np.ones(mesh.faces.shape, bool)
    keep[triangle, 3] = False
    return MeshData(
        name=mesh.slot,
        points=mesh.points.astype(np.float32),
        face_counts=counts,
        face_indices=mesh.faces[keep],
        uvs=mesh.uv.astype(np.float32),
        normals=mesh.normals.astype(np.float32),
        material=mesh.slot,
        double_sided=double_sided,
    )


def write_recipe(
    recipe: Recipe, shelf: FinishShelf, out: Path, variants: int | None = None
) -> Entry:
    """Write an asset below ``out/<category>/<id>``; `variants` limits shapes and looks each."""
    package = AssetPackage(
        recipe.id,
        recipe.category,
        kind=recipe.kind,
        fit_mode=recipe.fit_mode,
        support=recipe.support,
        tags=recipe.tags,
        light=LightInfo((2700.0, 4000.0), (0.5, 2.0)) if recipe.glow else None,
    )
    used: set[str] = set()
    for name, shape in list(recipe.shapes.items())[:variants]:
        meshes = centred(shape())
        used |= {mesh.slot for mesh in meshes}
        data = [mesh_data(mesh, mesh.slot in recipe.thin) for mesh in meshes]
        height = max(float(mesh.bounds[1][2]) for mesh in meshes)
        light = _light_author(recipe.glow, height) if recipe.glow else None
        package.add_geometry_variant("geometry", name, data, author=light)
    for name, look in list(recipe.looks.items())[:variants]:
        missing = used - look.keys()
        if missing:
            raise ValueError(
                f"look {name} of {recipe.id} leaves slots {sorted(missing)} without a finish"
            )
        package.add_look_variant(
            "look",
            name,
            {slot: shelf.surface(finish) for slot, finish in look.items() if slot in used},
        )
    return package.write(out / recipe.category / recipe.id, library_root=out)


def _light_author(glow: Glow, height: float) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        light = UsdLux.SphereLight.Define(stage, root.GetPath().AppendPath("Geometry/Light"))
        light.AddTranslateOp().Set(Gf.Vec3d(0.0, 0.0, float(glow.z * height)))
        light.CreateRadiusAttr(glow.radius)
        light.CreateIntensityAttr(glow.power)
        light.CreateEnableColorTemperatureAttr(True)
        light.CreateColorTemperatureAttr(glow.kelvin)

    return author
