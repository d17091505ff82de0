"""The layers of an asset package: light interface, payloads, looks and extents hints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pxr import Gf, Kind, Sdf, Usd, UsdGeom

from .look_layer import PreviewSurface, TextureFolder, write_look
from .mesh_layer import MeshData, write_meshes
from .schema import (
    apply_asset_schema,
    apply_light_schema,
    apply_motion_schema,
    set_canonical_extent,
)

if TYPE_CHECKING:
    from .package import AssetPackage

__all__ = ["INTERFACE_NAME", "Author", "PackageWriter", "Part"]

Author = Callable[[Usd.Stage, Usd.Prim], None]

INTERFACE_NAME = "asset.usda"

_OVERHEAD = 1.35  # fingertips of raised arms, in body heights


@dataclass(frozen=True)
class Part:
    """What one variant, or one payload, adds.

    `meshes` and `author` fill a payload of its own, `payloads` names payloads that are shared,
    `look` fills material slots, and `interface` authors on the light interface layer.
    """

    meshes: Sequence[MeshData] = ()
    look: dict[str, PreviewSurface] | None = None
    author: Author | None = None
    interface: Author | None = None
    payloads: tuple[str, ...] = ()

    @property
    def has_payload(self) -> bool:
        """Whether it has a payload of its own."""
        return bool(self.meshes) or self.author is not None


@dataclass(frozen=True)
class PackageWriter:
    """Writes one package into an empty folder."""

    package: AssetPackage
    folder: Path

    def write(self) -> None:
        """Write every file."""
        package = self.package
        stage = Usd.Stage.CreateNew(str(self.folder / INTERFACE_NAME))
        root = self._write_root(stage)
        for name, (scope, part) in package.shared.items():
            self._write_payload(name, scope, part)
        for name in package.common:
            root.GetPayloads().AddPayload(f"./payload/{name}.usdc")
        textures = TextureFolder(self.folder / "textures")
        # Sets are listed in the order they were added, and the first variant is the default.
        for set_name, variants in package.sets.items():
            self._write_set(stage, root, set_name, variants, textures)
        self._write_union_hint(root)
        stage.GetRootLayer().Save()

    def _write_root(self, stage: Usd.Stage) -> Usd.Prim:
        package = self.package
        _set_units(stage)
        if package.character is not None:
            motions = package.character.motions.values()
            stage.SetTimeCodesPerSecond(package.character.fps)
            stage.SetFramesPerSecond(package.character.fps)
            stage.SetStartTimeCode(min(motion.start for motion in motions))
            stage.SetEndTimeCode(max(motion.end for motion in motions))
        stage.CreateClassPrim(f"/_class_{package.id}")
        root = stage.DefinePrim(f"/{package.id}", package.root_type)
        stage.SetDefaultPrim(root)
        root.GetInherits().AddInherit(f"/_class_{package.id}")
        model = Usd.ModelAPI(root)
        model.SetKind(Kind.Tokens.component)
        model.SetAssetName(package.id)
        model.SetAssetVersion(package.version)
        model.SetAssetIdentifier(Sdf.AssetPath(f"./{INTERFACE_NAME}"))
        UsdGeom.ModelAPI.Apply(root)
        for name in package.extra_schemas:
            root.AddAppliedSchema(name)
        apply_asset_schema(
            root,
            category=package.category,
            front_axis=package.front_axis,
            fit_mode=package.fit_mode,
            support=package.support,
            allowed_scale=package.allowed_scale,
            license=package.license,
            source=package.source,
            version=package.version,
        )
        if package.light is not None:
            apply_light_schema(root, package.light)
        return root

    def _write_set(
        self,
        stage: Usd.Stage,
        root: Usd.Prim,
        set_name: str,
        variants: dict[str, Part],
        textures: TextureFolder,
    ) -> None:
        variant_set = root.GetVariantSets().AddVariantSet(
            set_name, Usd.ListPositionBackOfPrependList
        )
        for variant_name, part in variants.items():
            variant_set.AddVariant(variant_name)
            variant_set.SetVariantSelection(variant_name)
            with variant_set.GetVariantEditContext():
                self._write_variant(root, set_name, variant_name, part, textures)
                if part.interface is not None:
                    part.interface(stage, root)
        variant_set.SetVariantSelection(next(iter(variants)))

    def _write_variant(
        self, root: Usd.Prim, set_name: str, variant_name: str, part: Part, textures: TextureFolder
    ) -> None:
        """Author one variant inside its edit context; its files lie beside the interface."""
        package, file_name = self.package, f"{set_name}_{variant_name}"
        if part.look is not None:
            layer = self.folder / "looks" / f"{file_name}.usda"
            write_look(layer, package.id, file_name, part.look, textures)
            root.GetReferences().AddReference(f"./looks/{file_name}.usda")
        if part.has_payload:
            box = self._write_payload(file_name, set_name, part)
            root.GetPayloads().AddPayload(f"./payload/{file_name}.usdc")
            if self._hint_follows(set_name):
                _write_extents_hint(root, box)
        for shared in part.payloads:
            root.GetPayloads().AddPayload(f"./payload/{shared}.usdc")
        motions = package.character.motions if package.character else {}
        if package.character and set_name == "motion" and variant_name in motions:
            apply_motion_schema(root, package.character, variant_name)
            _write_extents_hint(root, self._reach(motions[variant_name].swept_radius))

    def _write_payload(self, file_name: str, scope: str, part: Part) -> np.ndarray:
        """Write one payload layer; return its (2, 3) box, empty boxes as (+inf, -inf)."""
        package = self.package
        path = self.folder / "payload" / f"{file_name}.usdc"
        path.parent.mkdir(exist_ok=True)
        stage = Usd.Stage.CreateNew(str(path))
        _set_units(stage)
        if package.character is not None:
            stage.SetTimeCodesPerSecond(package.character.fps)
        root = stage.DefinePrim(f"/{package.id}", package.root_type)
        stage.SetDefaultPrim(root)
        box = write_meshes(stage, root, scope, part.meshes)
        if part.author is not None:
            part.author(stage, root)
        stage.GetRootLayer().Save()
        return box

    def _hint_follows(self, set_name: str) -> bool:
        """Say whether the box of a still asset depends on this set alone."""
        package = self.package
        sets = [name for name, variants in package.sets.items() if _has_meshes(variants)]
        return package.character is None and not package.shared and sets == [set_name]

    def _reach(self, radius: float) -> np.ndarray:
        """Return a (2, 3) box that holds a moving body: raised arms add a third of the height."""
        heights = [mesh.extent()[:, 2] for part in self.package.parts() for mesh in part.meshes]
        top = max((float(height[1]) for height in heights), default=0.0)
        bottom = min((float(height[0]) for height in heights), default=0.0)
        reach = _OVERHEAD * (top - bottom)
        return np.array([[-radius, -radius, bottom - 0.1 * reach], [radius, radius, reach]])

    def _write_union_hint(self, root: Usd.Prim) -> None:
        """With several geometry sets no single variant knows the box, so the hint is the union."""
        package = self.package
        if package.character is not None or any(map(self._hint_follows, package.sets)):
            return
        boxes = [mesh.extent() for part in package.parts() for mesh in part.meshes]
        if boxes:
            stacked = np.stack(boxes)
            union = np.stack([stacked[:, 0].min(axis=0), stacked[:, 1].max(axis=0)])
            _write_extents_hint(root, union)


def _has_meshes(variants: dict[str, Part]) -> bool:
    return any(part.meshes for part in variants.values())


def _set_units(stage: Usd.Stage) -> None:
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)


def _write_extents_hint(root: Usd.Prim, box: np.ndarray) -> None:
    if np.isfinite(box).all():
        corners = [Gf.Vec3f(*map(float, corner)) for corner in box]
        UsdGeom.ModelAPI(root).SetExtentsHint(corners)
        set_canonical_extent(root, corners[1] - corners[0])
