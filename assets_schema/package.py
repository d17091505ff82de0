"""Write one asset in the structure that the validator checks and every renderer reads.

::

    <folder>/asset.usda                   light interface: default prim, kind, assetInfo, class,
                                          S4D schemas, variant sets, extents hints
    <folder>/payload/<set>_<variant>.usdc heavy geometry, one payload per geometry variant
    <folder>/looks/<set>_<variant>.usda   materials (UsdPreviewSurface), one layer per look variant
    <folder>/textures/*                   image maps, shared by content, reached by relative paths

A mesh names a *material slot*; each look variant fills every slot. Any geometry therefore goes with
any look, and adding one file and one variant extends the asset.

Example::

    package = AssetPackage("stool_round", "stool", tags=("wood",))
    package.add_geometry_variant(
        "geometry", "low", [MeshData("seat", points, face_counts, face_indices, uvs, None, "wood")]
    )
    package.add_look_variant("look", "oak", {"wood": PreviewSurface(diffuse=oak_image)})
    package.add_look_variant("look", "white", {"wood": PreviewSurface(diffuse=(0.9, 0.9, 0.88))})
    entry = package.write(Path("library/stool/stool_round"), library_root=Path("library"))

Asset space: z up, metres, origin at the bottom centre of the box, front faces -y, width along x.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Tf

from .describe import describe_asset
from .entry import CharacterInfo, Entry, LightInfo
from .look_layer import PreviewSurface as PreviewSurface
from .mesh_layer import MeshData as MeshData
from .package_writer import INTERFACE_NAME as INTERFACE_NAME
from .package_writer import Author, PackageWriter, Part
from .variant_tree import Variant, VariantSet


@dataclass
class AssetPackage:
    """An asset being put together; nothing touches the disk before `write`.

    Args:
        id: name of the asset and of its default prim; letters, digits, underscores.
        category: a category of `assets_schema.categories` (SpatialLM's spelling with underscores).
        kind: "asset", "character", "light" or "room".
        front_axis: "-y" (the convention), "+y", "-x" or "+x".
        fit_mode: how a layout box is filled: "stretch", "uniform" or "keep".
        support: surface that carries it: "floor", "wall", "ceiling" or "on_top".
        allowed_scale: advice for a composer: smallest and largest factor per axis that looks right.
        light: advice likewise: ranges of temperature and intensity; the lights have own values.
        license, source: SPDX name and where the work comes from.
        root_type: prim type of the default prim, "Xform" or "SkelRoot".
        extra_schemas: names of further API schemas to apply on the default prim.

    Attributes:
        sets: what was added, set name -> variant name -> part, in pinned order.
        shared: payloads outside the sets, file name -> (geometry scope, part).
        common: names of the shared payloads that every variant has.
    """

    id: str
    category: str
    kind: str = "asset"
    front_axis: str = "-y"
    fit_mode: str = "stretch"
    support: str = "floor"
    allowed_scale: tuple[float, float] = (0.5, 2.0)
    license: str = "Apache-2.0"
    source: str = "scaling4d procedural library"
    version: str = "1"
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    root_type: str = "Xform"
    character: CharacterInfo | None = None
    light: LightInfo | None = None
    extra_schemas: tuple[str, ...] = ()
    sets: dict[str, dict[str, Part]] = field(default_factory=dict, init=False)
    shared: dict[str, tuple[str, Part]] = field(default_factory=dict, init=False)
    common: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if not Tf.IsValidIdentifier(self.id):
            raise ValueError(
                f"asset id {self.id!r} is no prim name: use letters, digits and underscores"
            )

    def add_geometry(
        self, meshes: Sequence[MeshData], *, scope: str = "common", author: Author | None = None
    ) -> None:
        """Add meshes that every variant shares (a payload on the default prim).

        Their prims lie at ``/<id>/Geometry/<scope>/<mesh name>``; ``author(stage, root)`` may add
        further prims to the payload layer, after the meshes.
        """
        name = f"common_{len(self.common)}" if self.common else "common"
        self.common.append(name)
        self.shared[name] = (scope, Part(meshes=tuple(meshes), author=author))

    def add_payload(self, name: str, author: Author) -> None:
        """Add a payload that variants may share by its name (a garment of several outfits)."""
        if not Tf.IsValidIdentifier(name) or name in self.shared:
            raise ValueError(f"payload name {name!r} of {self.id} is invalid or taken")
        self.shared[name] = ("", Part(author=author))

    def add_geometry_variant(
        self,
        set_name: str,
        variant_name: str,
        meshes: Sequence[MeshData],
        *,
        author: Author | None = None,
        interface: Author | None = None,
    ) -> None:
        """Add one geometry variant: its meshes go to ``payload/<set>_<variant>.usdc``.

        Args:
            meshes: meshes in asset space; names are unique within the variant. The prims lie at
                ``/<id>/Geometry/<set_name>/<mesh name>``.
            author: called as ``author(stage, root)`` on the open payload layer after the meshes are
                written, for lights, skeletons, skin bindings; ``root`` is the prim ``/<id>``.
            interface: called as ``interface(stage, root)`` on the light interface layer inside the
                variant's edit context, for opinions that must not hide behind the payload.

        Raises:
            ValueError: for a name that USD refuses or that the set holds already.
        """
        self._add(set_name, variant_name, Part(tuple(meshes), None, author, interface))

    def add_look_variant(
        self, set_name: str, variant_name: str, materials: dict[str, PreviewSurface]
    ) -> None:
        """Add one look: material slot -> surface. Every slot that a mesh names must be filled."""
        if not materials:
            raise ValueError(f"look {set_name}={variant_name} of {self.id} fills no material slot")
        self._add(set_name, variant_name, Part(look=dict(materials)))

    def add_variant(
        self,
        set_name: str,
        variant_name: str,
        *,
        author: Author | None = None,
        interface: Author | None = None,
        payloads: Sequence[str] = (),
    ) -> None:
        """Add a variant of another axis (a motion); callbacks as in `add_geometry_variant`.

        `payloads` names payloads of `add_payload` that the variant brings in.
        """
        missing = set(payloads) - set(self.shared)
        if missing:
            raise ValueError(f"{self.id} has no payload {sorted(missing)}: add it first")
        part = Part((), None, author, interface, tuple(payloads))
        self._add(set_name, variant_name, part)

    def _add(self, set_name: str, variant_name: str, part: Part) -> None:
        for name in (set_name, variant_name):
            if not Tf.IsValidIdentifier(name):
                raise ValueError(
                    f"variant name {name!r} of {self.id} is invalid: letters, digits, underscores"
                )
        variants = self.sets.setdefault(set_name, {})
        if variant_name in variants:
            raise ValueError(f"{self.id} already has a variant {set_name}={variant_name}")
        variants[variant_name] = part

    def write(self, folder: Path, *, library_root: Path | None = None) -> Entry:
        """Write the package and return its catalogue entry.

        The folder appears complete or not at all; an older one of that name is replaced.

        Args:
            folder: package folder to create.
            library_root: folder of the catalogue; ``entry.path`` is relative to it. Default: the
                parent of ``folder``.

        Raises:
            ValueError: for a mesh that is malformed, or a material slot that a look leaves empty.
        """
        self._check_slots()
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{self.id}-") as temporary:
            staging = Path(temporary) / folder.name
            staging.mkdir()
            PackageWriter(self, staging).write()
            if folder.exists():
                folder.rename(Path(temporary) / "replaced")
            staging.rename(folder)
        return describe_asset(
            folder / INTERFACE_NAME,
            library_root=library_root or folder.parent,
            kind=self.kind,
            tags=self.tags,
            weight=self.weight,
            variants=tuple(
                VariantSet(name, tuple(Variant(each) for each in variants))
                for name, variants in self.sets.items()
            ),
            geometry_sets=_moving_sets(self.sets),
        )

    def _check_slots(self) -> None:
        parts = self.parts()
        used = {mesh.material for part in parts for mesh in part.meshes if mesh.material}
        filled: set[str] = set()
        for variants in self.sets.values():
            looks = [part.look for part in variants.values()]
            if any(look is not None for look in looks):
                filled |= set.intersection(*(set(look or {}) for look in looks))
        if used - filled:
            raise ValueError(
                f"{self.id}: material slots {sorted(used - filled)} are not filled by every look; "
                f"each variant of a look set must fill them"
            )

    def parts(self) -> list[Part]:
        """Everything that was added."""
        variants = [part for each in self.sets.values() for part in each.values()]
        return [*(part for _, part in self.shared.values()), *variants]


def _moving_sets(sets: dict[str, dict[str, Part]]) -> list[str]:
    """Every set but the looks may move points: a motion or an authored part does."""
    return [
        name
        for name, variants in sets.items()
        if any(part.look is None for part in variants.values())
    ]
