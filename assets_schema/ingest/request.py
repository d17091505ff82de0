"""What to ingest and how, and the choice of reader by file type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Tf

from assets_schema.categories import CATEGORIES, default_support
from assets_schema.entry import Entry
from assets_schema.schema import FIT_MODES, SUPPORTS

MESH_SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl")
USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")

AXES = {
    "+x": (1.0, 0.0, 0.0),
    "-x": (-1.0, 0.0, 0.0),
    "+y": (0.0, 1.0, 0.0),
    "-y": (0.0, -1.0, 0.0),
    "+z": (0.0, 0.0, 1.0),
    "-z": (0.0, 0.0, -1.0),
}
# Rules when nothing is said. glTF 2.0 section 3.4: metres, y up, front +z. The others state
# nothing: y up, front +z is what modelling tools write as OBJ; z up is usual for scans and prints.
_UP_RULE = {".obj": "+y", ".glb": "+y", ".gltf": "+y", ".ply": "+z", ".stl": "+z"}


@dataclass(frozen=True, kw_only=True)
class IngestRequest:
    """One asset to make.

    Attributes:
        source: a file, or a folder whose files become the variants of one set, sorted by name.
        category: of `assets_schema.categories`.
        license: SPDX name; there is no default, somebody must look.
        id: name of the asset; default: the file's stem made a valid name.
        origin: where the work comes from; default: the file's name.
        variant_set: name of the set that a folder becomes.
        metres_per_unit: default: what the file says (USD, glTF), else 1.
        up, front: axes of the source that point up and to the front, like "+y"; default: what a USD
            file says and the format's rule.
        support, fit_mode, tags: see `AssetPackage`.
    """

    source: Path
    category: str
    license: str
    id: str = ""
    origin: str = ""
    variant_set: str = "model"
    metres_per_unit: float | None = None
    up: str | None = None
    front: str | None = None
    support: str | None = None
    fit_mode: str = "stretch"
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(
                f"unknown category {self.category!r}; see assets_schema.categories for the list"
            )
        if not self.license:
            raise ValueError("a licence is needed, for example --license CC0-1.0")
        for name, value in (("up", self.up), ("front", self.front)):
            if value is not None and value not in AXES:
                raise ValueError(f"{name} must be one of {', '.join(AXES)}, got {value!r}")
        if self.metres_per_unit is not None and not 0 < self.metres_per_unit < 1e6:
            raise ValueError(f"metres per unit must be positive, got {self.metres_per_unit}")
        if self.fit_mode not in FIT_MODES:
            raise ValueError(f"fit_mode must be one of {', '.join(FIT_MODES)}")
        if self.support is not None and self.support not in SUPPORTS:
            raise ValueError(f"support must be one of {', '.join(SUPPORTS)}")

    @property
    def asset_id(self) -> str:
        """Return the asset's name as a prim name."""
        return str(self.id or Tf.MakeValidIdentifier(self.source.stem.lower()))

    @property
    def resting_on(self) -> str:
        """Return the support surface: stated, or the category's."""
        return self.support or default_support(self.category)


def ingest(request: IngestRequest, library: Path) -> Entry:
    """Write ``<library>/<category>/<id>/`` and return its entry (not yet in any catalogue).

    Raises:
        ValueError: for a source that is missing, of an unknown type or unreadable, naming it.
    """
    files = source_files(request.source)
    folder = library / request.category / request.asset_id
    if all(file.suffix.lower() in MESH_SUFFIXES for file in files):
        from .meshes import ingest_meshes

        return ingest_meshes(request, files, folder, library)
    if all(file.suffix.lower() in USD_SUFFIXES for file in files):
        from .foreign_usd import ingest_usd

        return ingest_usd(request, files, folder, library)
    raise ValueError(f"{request.source} mixes mesh files and USD files; ingest them separately")


def source_files(source: Path) -> list[Path]:
    """Return the file itself, or the ingestible files of a folder, sorted by name.

    A sub-folder that holds ``<name>/<name>.usd*`` or ``<name>/asset.usda`` counts as one file.
    """
    if source.is_file():
        if source.suffix.lower() not in MESH_SUFFIXES + USD_SUFFIXES:
            raise ValueError(
                f"{source} has an unknown type; known are {', '.join(MESH_SUFFIXES + USD_SUFFIXES)}"
            )
        return [source]
    if not source.is_dir():
        raise ValueError(f"{source} does not exist")
    files = [
        file
        for file in sorted(source.iterdir())
        if file.is_file() and file.suffix.lower() in MESH_SUFFIXES + USD_SUFFIXES
    ]
    if not files:
        raise ValueError(f"{source} holds no file of a known type")
    return files


def variant_names(files: Sequence[Path]) -> list[str]:
    """Return one valid variant name per file.

    Raises:
        ValueError: when two files give one name.
    """
    names = [str(Tf.MakeValidIdentifier(file.stem)) for file in files]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"files must differ in their stems, repeated: {sorted(repeated)}")
    return names


def library_from_source(up: str, front: str | None, metres_per_unit: float) -> NDArray[np.float64]:
    """Return the (3, 3) matrix from source axes and units to metres, z up, front -y.

    Without ``front`` the rule is +z for y up (glTF) and -y for z up.

    Raises:
        ValueError: when front and up are parallel.
    """
    up_vector = np.array(AXES[up])
    rule = {"+y": "+z", "-y": "+z", "+z": "-y", "-z": "-y", "+x": "+z", "-x": "+z"}[up]
    front_vector = np.array(AXES[front or rule])
    if abs(up_vector @ front_vector) > 0.5:
        raise ValueError(f"front {front} cannot be parallel to up {up}")
    # Rows: where library x, y, z lie in the source; x = front cross up makes it right-handed.
    rotation = np.stack([np.cross(-front_vector, up_vector), -front_vector, up_vector])
    return metres_per_unit * rotation


def default_up(file: Path) -> str:
    """Return the up axis that the format's rule gives."""
    return _UP_RULE[file.suffix.lower()]
