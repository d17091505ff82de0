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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pxr import Gf, Kind, Sdf, Tf, Usd, UsdGeom

from .describe import describe_asset
from .entry import CharacterInfo, Entry, LightInfo
from .look_layer import PreviewSurface as PreviewSurface
from .look_layer import TextureFolder, write_look
from .mesh_layer import MeshData as MeshData
from .mesh_layer import write_meshes
from .schema import (
    apply_asset_schema,
    apply_light_schema,
    apply_motion_schema,
    set_canonical_extent,
)
from .variant_tree import Variant, VariantSet

Author = Callable[[Usd.Stage, Usd.Prim], None]

INTERFACE_NAME = "asset.usda"

_OVERHEAD = 1.35  # fingertips of raised arms, in body heights


@dataclass(frozen=True)
class _VariantPart:
    """What one variant of one set adds; exactly one of the layers' contents is given."""

    meshes: Sequence[MeshData] = ()
    look: dict[str, PreviewSurface] | None = None
    author: Author | None = None
    interface: Author | None = None


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
        allowed_scale: smallest and largest factor per axis under "stretch" and "uniform".
        license, source: SPDX name and where the work comes from.
        root_type: prim type of the default prim, "Xform" or "SkelRoot".
        extra_schemas: names of further API schemas to apply on the default prim.
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
    _sets: dict[str, dict[str, _VariantPart]] = field(default_factory=dict)
    _common: list[_VariantPart] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not Tf.IsValidIdentifier(self.id):
            raise ValueError(
                f"asset id {self.id!r} is no prim name: use letters, digits and underscores"
            )

    def add_geometry(self, meshes: Sequence[MeshData], *, author: Author | None = None) -> None:
        """Add meshes that every variant shares (a payload on the default prim).

        ``author(stage, root)`` may add further prims to the payload layer, after the meshes.
        """
        self._common.append(_VariantPart(meshes=tuple(meshes), author=author))

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
        self._add(set_name, variant_name, _VariantPart(tuple(meshes), None, author, interface))

    def add_look_variant(
        self, set_name: str, variant_name: str, materials: dict[str, PreviewSurface]
    ) -> None:
        """Add one look: material slot -> surface. Every slot that a mesh names must be filled."""
        if not materials:
            raise ValueError(f"look {set_name}={variant_name} of {self.id} fills no material slot")
        self._add(set_name, variant_name, _VariantPart(look=dict(materials)))

    def add_variant(
        self,
        set_name: str,
        variant_name: str,
        *,
        author: Author | None = None,
        interface: Author | None = None,
    ) -> None:
        """Add a variant of another axis (a motion); callbacks as in `add_geometry_variant`."""
        self._add(set_name, variant_name, _VariantPart((), None, author, interface))

    def _add(self, set_name: str, variant_name: str, part: _VariantPart) -> None:
        for name in (set_name, variant_name):
            if not Tf.IsValidIdentifier(name):
                raise ValueError(
                    f"variant name {name!r} of {self.id} is invalid: letters, digits, underscores"
                )
        variants = self._sets.setdefault(set_name, {})
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
            self._write_files(staging)
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
                for name, variants in self._sets.items()
            ),
            geometry_sets=self._extent_sets(),
        )

    def _check_slots(self) -> None:
        used = {
            mesh.material
            for part in self._parts()
            for mesh in part.meshes
            if mesh.material is not None
        }
        look_sets = [v for v in self._sets.values() if any(p.look is not None for p in v.values())]
        filled: set[str] = set()
        for variants in look_sets:
            per_look = [set(part.look or {}) for part in variants.values()]
            filled |= set.intersection(*per_look)
        if used - filled:
            raise ValueError(
                f"{self.id}: material slots {sorted(used - filled)} are not filled by every look; "
                f"each variant of a look set must fill them"
            )

    def _parts(self) -> list[_VariantPart]:
        parts = [part for variants in self._sets.values() for part in variants.values()]
        return [*self._common, *parts]

    def _write_files(self, folder: Path) -> None:
        stage = Usd.Stage.CreateNew(str(folder / INTERFACE_NAME))
        root = self._write_root(stage)
        for index, part in enumerate(self._common):
            name = "common" if len(self._common) == 1 else f"common_{index}"
            self._write_payload(folder, name, "common", part)
            root.GetPayloads().AddPayload(f"./payload/{name}.usdc")
        textures = TextureFolder(folder / "textures")
        # Sets are listed in the order they were added, and the first variant is the default.
        for set_name, variants in self._sets.items():
            self._write_set(stage, root, set_name, variants, folder, textures)
        self._write_union_hint(stage, root)
        stage.GetRootLayer().Save()

    def _write_root(self, stage: Usd.Stage) -> Usd.Prim:
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        if self.character is not None:
            stage.SetTimeCodesPerSecond(self.character.fps)
            stage.SetFramesPerSecond(self.character.fps)
            stage.SetStartTimeCode(min(motion.start for motion in self.character.motions.values()))
            stage.SetEndTimeCode(max(motion.end for motion in self.character.motions.values()))
        stage.CreateClassPrim(f"/_class_{self.id}")
        root = stage.DefinePrim(f"/{self.id}", self.root_type)
        stage.SetDefaultPrim(root)
        root.GetInherits().AddInherit(f"/_class_{self.id}")
        model = Usd.ModelAPI(root)
        model.SetKind(Kind.Tokens.component)
        model.SetAssetName(self.id)
        model.SetAssetVersion(self.version)
        model.SetAssetIdentifier(Sdf.AssetPath(f"./{INTERFACE_NAME}"))
        UsdGeom.ModelAPI.Apply(root)
        for name in self.extra_schemas:
            root.AddAppliedSchema(name)
        apply_asset_schema(
            root,
            category=self.category,
            front_axis=self.front_axis,
            fit_mode=self.fit_mode,
            support=self.support,
            allowed_scale=self.allowed_scale,
            license=self.license,
            source=self.source,
            version=self.version,
        )
        if self.light is not None:
            apply_light_schema(root, self.light)
        return root

    def _write_set(
        self,
        stage: Usd.Stage,
        root: Usd.Prim,
        set_name: str,
        variants: dict[str, _VariantPart],
        folder: Path,
        textures: TextureFolder,
    ) -> None:
        variant_set = root.GetVariantSets().AddVariantSet(
            set_name, Usd.ListPositionBackOfPrependList
        )
        for variant_name, part in variants.items():
            variant_set.AddVariant(variant_name)
            variant_set.SetVariantSelection(variant_name)
            file_name = f"{set_name}_{variant_name}"
            with variant_set.GetVariantEditContext():
                if part.look is not None:
                    layer = folder / "looks" / f"{file_name}.usda"
                    write_look(layer, self.id, file_name, part.look, textures)
                    root.GetReferences().AddReference(f"./looks/{file_name}.usda")
                if part.meshes or part.author is not None:
                    box = self._write_payload(folder, file_name, set_name, part)
                    root.GetPayloads().AddPayload(f"./payload/{file_name}.usdc")
                    if self._hint_follows(set_name):
                        _write_extents_hint(root, box)
                motions = self.character.motions if self.character else {}
                if self.character and set_name == "motion" and variant_name in motions:
                    apply_motion_schema(root, self.character, variant_name)
                    _write_extents_hint(root, self._reach(motions[variant_name].swept_radius))
                if part.interface is not None:
                    part.interface(stage, root)
        variant_set.SetVariantSelection(next(iter(variants)))

    def _extent_sets(self) -> list[str]:
        """Every set but the looks may move points: a motion or an authored part does."""
        return [
            name
            for name, variants in self._sets.items()
            if any(part.look is None for part in variants.values())
        ]

    def _geometry_sets(self) -> list[str]:
        return [
            name
            for name, variants in self._sets.items()
            if any(part.meshes for part in variants.values())
        ]

    def _write_payload(
        self, folder: Path, file_name: str, scope: str, part: _VariantPart
    ) -> np.ndarray:
        """Write one payload layer; return its (2, 3) box, empty boxes as (+inf, -inf)."""
        path = folder / "payload" / f"{file_name}.usdc"
        path.parent.mkdir(exist_ok=True)
        stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        if self.character is not None:
            stage.SetTimeCodesPerSecond(self.character.fps)
        root = stage.DefinePrim(f"/{self.id}", self.root_type)
        stage.SetDefaultPrim(root)
        box = write_meshes(stage, root, scope, part.meshes)
        if part.author is not None:
            part.author(stage, root)
        stage.GetRootLayer().Save()
        return box

    def _hint_follows(self, set_name: str) -> bool:
        """Say whether the box of a still asset depends on this set alone."""
        still = self.character is None and not self._common
        return still and self._geometry_sets() == [set_name]

    def _reach(self, radius: float) -> np.ndarray:
        """Return a (2, 3) box that holds a moving body: raised arms add a third of the height."""
        heights = [mesh.extent()[:, 2] for part in self._parts() for mesh in part.meshes]
        top = max((float(height[1]) for height in heights), default=0.0)
        bottom = min((float(height[0]) for height in heights), default=0.0)
        reach = _OVERHEAD * (top - bottom)
        return np.array([[-radius, -radius, bottom - 0.1 * reach], [radius, radius, reach]])

    def _write_union_hint(self, stage: Usd.Stage, root: Usd.Prim) -> None:
        """With several geometry sets no single variant knows the box, so the hint is the union."""
        if self.character is not None or self._hint_follows(next(iter(self._geometry_sets()), "")):
            return
        boxes = [box for part in self._parts() for mesh in part.meshes for box in [mesh.extent()]]
        if boxes:
            stacked = np.stack(boxes)
            union = np.stack([stacked[:, 0].min(axis=0), stacked[:, 1].max(axis=0)])
            _write_extents_hint(root, union)


def _write_extents_hint(root: Usd.Prim, box: np.ndarray) -> None:
    if np.isfinite(box).all():
        corners = [Gf.Vec3f(*map(float, corner)) for corner in box]
        UsdGeom.ModelAPI(root).SetExtentsHint(corners)
        set_canonical_extent(root, corners[1] - corners[0])
