"""Small assets built in code for the tests of `assets_schema`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assets_schema.entry import Entry
from assets_schema.mesh_layer import MeshData
from assets_schema.package import AssetPackage, PreviewSurface

_FACES = np.array(
    [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
)


def box_mesh(
    name: str,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    material: str | None = "body",
) -> MeshData:
    """A closed box of six outward quads with one unit uv square per face."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    points = np.array(
        [
            [x0, y0, z0],
            [x1, y0, z0],
            [x1, y1, z0],
            [x0, y1, z0],
            [x0, y0, z1],
            [x1, y0, z1],
            [x1, y1, z1],
            [x0, y1, z1],
        ]
    )
    uvs = np.tile([[0.0, 0], [1, 0], [1, 1], [0, 1]], (6, 1))
    return MeshData(name, points, np.full(6, 4), _FACES.ravel(), uvs, None, material)


def checker(size: int = 16, low: int = 40, high: int = 220) -> np.ndarray:
    """An RGB checkerboard of 4 x 4 fields."""
    cells = (np.arange(size) * 4 // size) % 2
    board = np.where(cells[:, None] ^ cells[None], high, low).astype(np.uint8)
    return np.stack([board, board // 2, 255 - board], axis=-1)


def stool_package(id: str = "stool_block") -> AssetPackage:
    """Two geometries (0.4 and 0.6 m tall), three looks, one of them with image maps."""
    package = AssetPackage(id, "stool", tags=("test",))
    for name, height in (("low", 0.4), ("tall", 0.6)):
        seat = box_mesh("seat", (-0.2, -0.2, height - 0.05), (0.2, 0.2, height))
        leg = box_mesh("leg", (-0.05, -0.05, 0.0), (0.05, 0.05, height - 0.05), "leg")
        package.add_geometry_variant("geometry", name, [seat, leg])
    package.add_look_variant(
        "look",
        "painted",
        {
            "body": PreviewSurface(diffuse=checker(), roughness=checker()[..., 0]),
            "leg": PreviewSurface(diffuse=(0.1, 0.1, 0.1)),
        },
    )
    for name, color in (("red", (0.8, 0.1, 0.1)), ("blue", (0.1, 0.1, 0.8))):
        surface = PreviewSurface(diffuse=color)
        package.add_look_variant("look", name, {"body": surface, "leg": surface})
    return package


def write_stool(library: Path, id: str = "stool_block") -> Entry:
    """Write the stool at ``<library>/stool/<id>``."""
    return stool_package(id).write(library / "stool" / id, library_root=library)
