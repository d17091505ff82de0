"""One broken asset per code of the validator, and the good asset that it was made from."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, Vt

from assets_schema import CharacterInfo, Entry, MotionInfo
from assets_schema.describe import describe_asset
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.variant_tree import Variant, VariantSet

from .builders import box_mesh, write_stool


@dataclass(frozen=True)
class Case:
    """``make`` writes a good asset; ``spoil`` breaks it and may return another file or entry."""

    code: str
    make: Callable[[Path], Entry]
    spoil: Callable[[Path, Entry], tuple[Path, Entry | None]]


def stage_edit(change: Callable[[Usd.Stage, Usd.Prim], None]) -> Callable[..., tuple[Path, None]]:
    """Spoil the interface layer through a stage."""

    def spoil(folder: Path, entry: Entry) -> tuple[Path, None]:
        stage = Usd.Stage.Open(str(entry.file))
        change(stage, stage.GetDefaultPrim())
        stage.GetRootLayer().Save()
        return entry.file, None

    return spoil


def layer_edit(name: str, change: Callable[[Sdf.Layer], None]) -> Callable[..., tuple[Path, None]]:
    """Spoil one layer of the package."""

    def spoil(folder: Path, entry: Entry) -> tuple[Path, None]:
        layer = Sdf.Layer.FindOrOpen(str(entry.file.parent / name))
        change(layer)
        layer.Save()
        return entry.file, None

    return spoil


def entry_edit(change: Callable[[Entry], Entry]) -> Callable[..., tuple[Path, Entry]]:
    """Spoil only what the catalogue says."""
    return lambda folder, entry: (entry.file, change(entry))


def mesh_edit(change: Callable[[UsdGeom.Mesh], None]) -> Callable[..., tuple[Path, None]]:
    """Spoil the seat of the low stool in its payload layer."""

    def spoil(folder: Path, entry: Entry) -> tuple[Path, None]:
        stage = Usd.Stage.Open(str(entry.file.parent / "payload/geometry_low.usdc"))
        change(UsdGeom.Mesh.Get(stage, "/stool_block/Geometry/geometry/seat"))
        stage.GetRootLayer().Save()
        return entry.file, None

    return spoil


def look_edit(
    change: Callable[[Usd.Stage, UsdShade.Shader], None],
) -> Callable[..., tuple[Path, None]]:
    """Spoil the material ``body`` of the painted look."""

    def spoil(folder: Path, entry: Entry) -> tuple[Path, None]:
        stage = Usd.Stage.Open(str(entry.file.parent / "looks/look_painted.usda"))
        change(stage, UsdShade.Shader.Get(stage, "/stool_block/Materials/body/diffuse_map"))
        stage.GetRootLayer().Save()
        return entry.file, None

    return spoil


def write_person(folder: Path) -> Entry:
    """A box on two joints that leans over, as a character with one motion."""

    def body(stage: Usd.Stage, root: Usd.Prim) -> None:
        path = root.GetPath()
        skeleton = UsdSkel.Skeleton.Define(stage, path.AppendChild("Skeleton"))
        skeleton.CreateJointsAttr(["hips", "hips/chest"])
        rest = [Gf.Matrix4d(1), Gf.Matrix4d().SetTranslate((0, 0, 1))]
        skeleton.CreateBindTransformsAttr(Vt.Matrix4dArray(rest))
        skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray(rest))
        mesh = stage.GetPrimAtPath(path.AppendPath("Geometry/body/torso"))
        binding = UsdSkel.BindingAPI.Apply(mesh)
        binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
        binding.CreateJointIndicesPrimvar(False, 2).Set([0, 1] * 8)
        binding.CreateJointWeightsPrimvar(False, 2).Set([1.0, 0.0] * 4 + [0.25, 0.75] * 4)

    def lean(stage: Usd.Stage, root: Usd.Prim) -> None:
        animation = UsdSkel.Animation.Define(stage, root.GetPath().AppendChild("Lean"))
        animation.CreateJointsAttr(["hips", "hips/chest"])
        animation.CreateTranslationsAttr([(0, 0, 0), (0, 0, 1)])
        animation.CreateScalesAttr([(1, 1, 1), (1, 1, 1)])
        rotations = animation.CreateRotationsAttr()
        for time, angle in ((0.0, 0.0), (24.0, 20.0)):
            turned = Gf.Quatf(Gf.Rotation((1, 0, 0), angle).GetQuat())
            rotations.Set(Vt.QuatfArray([Gf.Quatf(1), turned]), time)

    def play(stage: Usd.Stage, root: Usd.Prim) -> None:
        path = root.GetPath()
        skeleton = stage.OverridePrim(path.AppendChild("Skeleton"))
        UsdSkel.BindingAPI.Apply(skeleton).CreateAnimationSourceRel().SetTargets(
            [path.AppendChild("Lean")]
        )

    package = AssetPackage(
        "person",
        "character",
        kind="character",
        root_type="SkelRoot",
        character=CharacterInfo({"lean": MotionInfo(0, 24, swept_radius=1.0)}),
    )
    torso = box_mesh("torso", (-0.2, -0.1, 0), (0.2, 0.1, 1.8))
    package.add_geometry_variant("body", "plain", [torso], author=body)
    package.add_look_variant("clothing", "grey", {"body": PreviewSurface()})
    package.add_variant("motion", "lean", author=lean, interface=play)
    return package.write(folder / "person", library_root=folder)


def person_edit(
    name: str, change: Callable[[Usd.Stage], None]
) -> Callable[..., tuple[Path, Entry]]:
    """Spoil one payload of the person; the entry keeps its kind."""

    def spoil(folder: Path, entry: Entry) -> tuple[Path, Entry]:
        stage = Usd.Stage.Open(str(entry.file.parent / name))
        change(stage)
        stage.GetRootLayer().Save()
        return entry.file, None

    return spoil


def write_usdz(folder: Path) -> Entry:
    """A stool without variants or textures as a usdz."""
    from pxr import UsdUtils

    package = AssetPackage("cube", "stool")
    package.add_geometry([box_mesh("m", (-0.2, -0.2, 0), (0.2, 0.2, 0.4))])
    package.add_look_variant("look", "plain", {"body": PreviewSurface()})
    entry = package.write(folder / "cube", library_root=folder)
    target = folder / "cube.usdz"
    assert UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(entry.file)), str(target))
    return replace(entry, path="cube.usdz")


def misalign(folder: Path, entry: Entry) -> tuple[Path, None]:
    source, target = entry.file, folder / "bad.usdz"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as copy:
        for info in archive.infolist():
            copy.writestr(info.filename, archive.read(info))
    return target, None


def write_nested(folder: Path) -> Entry:
    """A stool whose look exists only below one geometry."""
    entry = write_stool(folder)
    stage = Usd.Stage.Open(str(entry.file))
    geometry = stage.GetDefaultPrim().GetVariantSet("geometry")
    geometry.SetVariantSelection("tall")
    with geometry.GetVariantEditContext():
        inner = stage.GetDefaultPrim().GetVariantSets().AddVariantSet("cap")
        for name in ("on", "off"):
            inner.AddVariant(name)
        inner.SetVariantSelection("on")
    geometry.SetVariantSelection("low")
    stage.GetRootLayer().Save()
    return describe_asset(entry.file, library_root=folder, kind="asset")


def set_points(values: np.ndarray) -> Callable[[UsdGeom.Mesh], None]:
    def change(mesh: UsdGeom.Mesh) -> None:
        mesh.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(values.astype(np.float32)))

    return change


def with_nan(mesh: UsdGeom.Mesh) -> None:
    points = np.array(mesh.GetPointsAttr().Get())
    points[3, 1] = np.nan
    set_points(points)(mesh)


def scale_everything(factor: float) -> Callable[..., tuple[Path, None]]:
    """Scale the default prim and keep the hint consistent in its own space."""

    def change(stage: Usd.Stage, prim: Usd.Prim) -> None:
        UsdGeom.Xformable(prim).AddScaleOp().Set(Gf.Vec3f(factor))

    return stage_edit(change)


def hint(stage: Usd.Stage, low: float, high: float) -> None:
    prim = stage.GetDefaultPrim()
    with prim.GetVariantSet("geometry").GetVariantEditContext():
        UsdGeom.ModelAPI(prim).SetExtentsHint([Gf.Vec3f(low, low, 0), Gf.Vec3f(high)])


def author(name: str, value: object) -> Callable[..., tuple[Path, None]]:
    return stage_edit(lambda stage, prim: prim.GetAttribute(f"s4d:asset:{name}").Set(value))


def animate_without_range(stage: Usd.Stage, prim: Usd.Prim) -> None:
    spin = UsdGeom.Xformable(prim).AddRotateZOp()
    spin.Set(0.0, 1.0)
    spin.Set(90.0, 10.0)


def hide(stage: Usd.Stage, prim: Usd.Prim) -> None:
    UsdGeom.Imageable(prim).MakeInvisible()


def add_gprim(stage: Usd.Stage, prim: Usd.Prim) -> None:
    cube = UsdGeom.Cube.Define(stage, prim.GetPath().AppendPath("Geometry/Cube"))
    cube.CreateSizeAttr(0.1)
    UsdGeom.Xformable(cube).AddTranslateOp().Set((0, 0, 0.2))
    # Bound, so that only the implicit surface is wrong.
    cube.GetPrim().AddAppliedSchema("MaterialBindingAPI")
    path = prim.GetPath().AppendPath("Materials/leg")
    cube.GetPrim().CreateRelationship("material:binding", False).SetTargets([path])


def unbind(mesh: UsdGeom.Mesh) -> None:
    mesh.GetPrim().RemoveProperty("material:binding")


def bind_nowhere(mesh: UsdGeom.Mesh) -> None:
    target = Sdf.Path("/stool_block/Materials/gold")
    mesh.GetPrim().GetRelationship("material:binding").SetTargets([target])


def drop_uvs(mesh: UsdGeom.Mesh) -> None:
    mesh.GetPrim().RemoveProperty("primvars:st")


def other_surface(stage: Usd.Stage, _: UsdShade.Shader) -> None:
    UsdShade.Shader.Get(stage, "/stool_block/Materials/body/Surface").GetIdAttr().Set("OtherBSDF")


def texture_gone(folder: Path, entry: Entry) -> tuple[Path, None]:
    (entry.file.parent / "textures" / "look_painted_body_diffuse.png").unlink()
    return entry.file, None


def texture_broken(folder: Path, entry: Entry) -> tuple[Path, None]:
    (entry.file.parent / "textures" / "look_painted_body_diffuse.png").write_bytes(b"no image")
    return entry.file, None


def no_usd(folder: Path, entry: Entry) -> tuple[Path, None]:
    file = folder / "note.usda"
    file.write_text("this is a letter, not a layer\n")
    return file, None


def cyclic(stage: Usd.Stage, prim: Usd.Prim) -> None:
    prim.GetReferences().AddReference("./asset.usda")


def absolute_path(folder: Path, entry: Entry) -> tuple[Path, None]:
    layer = Sdf.Layer.FindOrOpen(str(entry.file.parent / "looks/look_painted.usda"))
    spec = layer.GetAttributeAtPath("/stool_block/Materials/body/diffuse_map.inputs:file")
    name = (entry.file.parent / "textures/look_painted_body_diffuse.png").resolve()
    spec.default = Sdf.AssetPath(str(name))
    layer.Save()
    return entry.file, None


def escaping_path(folder: Path, entry: Entry) -> tuple[Path, None]:
    source = entry.file.parent / "textures/look_painted_body_diffuse.png"
    outside = entry.file.parent.parent / "shared.png"
    outside.write_bytes(source.read_bytes())
    layer = Sdf.Layer.FindOrOpen(str(entry.file.parent / "looks/look_painted.usda"))
    spec = layer.GetAttributeAtPath("/stool_block/Materials/body/diffuse_map.inputs:file")
    spec.default = Sdf.AssetPath("../../shared.png")
    layer.Save()
    return entry.file, None


def y_up(stage: Usd.Stage, prim: Usd.Prim) -> None:
    """Say y up, and lay the stool down so that it stands upright under that reading."""
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.Xformable(prim).AddRotateXOp().Set(-90.0)


def stray_path(stage: Usd.Stage, prim: Usd.Prim) -> None:
    card = prim.CreateAttribute("model:cardTextureXNeg", Sdf.ValueTypeNames.Asset)
    card.Set(Sdf.AssetPath("./cards/XNeg.png"))


def without(entry: Entry, set_name: str, variant_name: str) -> Entry:
    variants = tuple(
        VariantSet(s.name, tuple(v for v in s.variants if v.name != variant_name))
        if s.name == set_name
        else s
        for s in entry.variants
    )
    return replace(entry, variants=variants)


def with_extra(entry: Entry, set_name: str, variant: Variant) -> Entry:
    variants = tuple(
        VariantSet(s.name, (*s.variants, variant)) if s.name == set_name else s
        for s in entry.variants
    )
    return replace(entry, variants=variants)


def skeleton_of(stage: Usd.Stage) -> UsdSkel.Skeleton:
    return UsdSkel.Skeleton.Get(stage, "/person/Skeleton")


def torso_of(stage: Usd.Stage) -> UsdSkel.BindingAPI:
    return UsdSkel.BindingAPI(stage.GetPrimAtPath("/person/Geometry/body/torso"))


def foreign_joint(stage: Usd.Stage) -> None:
    animation = UsdSkel.Animation.Get(stage, "/person/Lean")
    animation.GetJointsAttr().Set(["hips", "hips/tail"])


def set_motion(name: str, value: object) -> Callable[..., tuple[Path, None]]:
    def change(stage: Usd.Stage, prim: Usd.Prim) -> None:
        with prim.GetVariantSet("motion").GetVariantEditContext():
            prim.GetAttribute(f"s4d:character:{name}").Set(value)

    return stage_edit(change)


def undeclare_motion(folder: Path, entry: Entry) -> tuple[Path, None]:
    layer = Sdf.Layer.FindOrOpen(str(entry.file))
    prim = layer.GetPrimAtPath("/person{motion=lean}")
    del prim.properties["s4d:character:motionRange"]
    layer.Save()
    return entry.file, None


def clear_metadata(*keys: str) -> Callable[..., tuple[Path, None]]:
    def change(layer: Sdf.Layer) -> None:
        for key in keys:
            layer.pseudoRoot.ClearInfo(key)

    return layer_edit("asset.usda", change)


def rename_set(entry: Entry) -> Entry:
    look = next(each for each in entry.variants if each.name == "look")
    return replace(entry, variants=(*entry.variants, replace(look, name="finish")))


CASES = (
    Case("S4D101", write_stool, no_usd),
    Case("S4D102", write_stool, clear_metadata("defaultPrim")),
    Case("S4D103", write_stool, clear_metadata("metersPerUnit")),
    Case(
        "S4D104",
        write_stool,
        stage_edit(y_up),
    ),
    Case("S4D105", write_stool, stage_edit(animate_without_range)),
    Case("S4D106", write_stool, stage_edit(cyclic)),
    Case("S4D107", write_stool, stage_edit(lambda s, p: Usd.ModelAPI(p).SetKind("group"))),
    Case("S4D108", write_stool, stage_edit(lambda s, p: p.RemoveAppliedSchema("S4DAssetAPI"))),
    Case("S4D109", write_stool, author("frontAxis", "forward")),
    Case("S4D110", write_stool, author("category", "spaceship")),
    Case("S4D201", write_stool, entry_edit(rename_set)),
    Case("S4D202", write_stool, entry_edit(lambda e: with_extra(e, "look", Variant("gold")))),
    Case(
        "S4D203",
        write_stool,
        entry_edit(
            lambda e: replace(
                e,
                variants=(
                    e.variants[0],
                    VariantSet(
                        "look", tuple(replace(v, weight=0.0) for v in e.variants[1].variants)
                    ),
                ),
            )
        ),
    ),
    Case("S4D204", write_stool, stage_edit(hide)),
    Case("S4D205", write_stool, entry_edit(lambda e: without(e, "look", "red"))),
    Case(
        "S4D206",
        write_nested,
        entry_edit(
            lambda e: replace(
                e,
                variants=tuple(
                    VariantSet(s.name, tuple(replace(v, sets=()) for v in s.variants))
                    for s in e.variants
                ),
            )
        ),
    ),
    Case("S4D207", write_stool, entry_edit(lambda e: replace(e, content_hash="0" * 64))),
    Case("S4D301", write_stool, mesh_edit(lambda m: m.GetPrim().RemoveProperty("extent"))),
    Case("S4D302", write_stool, mesh_edit(lambda m: m.GetExtentAttr().Set([(-9,) * 3, (9,) * 3]))),
    Case("S4D303", write_stool, mesh_edit(with_nan)),
    Case(
        "S4D304",
        write_stool,
        mesh_edit(lambda m: m.GetFaceVertexIndicesAttr().Set([99, *[0] * 23])),
    ),
    Case("S4D305", write_stool, scale_everything(500.0)),
    Case(
        "S4D306",
        write_stool,
        stage_edit(lambda s, p: UsdGeom.Xformable(p).AddTranslateOp().Set((0, 0, 1))),
    ),
    Case(
        "S4D307",
        write_stool,
        entry_edit(lambda e: replace(e, extents_cache={"geometry=low": ((-1, -1, 0), (1, 1, 1))})),
    ),
    Case("S4D308", write_stool, stage_edit(add_gprim)),
    Case("S4D309", write_stool, stage_edit(lambda s, p: hint(s, -0.1, 0.1))),
    Case("S4D401", write_stool, mesh_edit(unbind)),
    Case("S4D402", write_stool, look_edit(other_surface)),
    Case("S4D403", write_stool, texture_gone),
    Case(
        "S4D404",
        write_stool,
        look_edit(lambda s, t: t.GetInput("sourceColorSpace").Set("raw")),
    ),
    Case("S4D405", write_stool, texture_broken),
    Case("S4D406", write_stool, mesh_edit(bind_nowhere)),
    Case("S4D407", write_stool, mesh_edit(drop_uvs)),
    Case(
        "S4D501",
        write_person,
        person_edit(
            "payload/body_plain.usdc",
            lambda s: skeleton_of(s).GetRestTransformsAttr().Clear(),
        ),
    ),
    Case("S4D502", write_person, person_edit("payload/motion_lean.usdc", foreign_joint)),
    Case(
        "S4D503",
        write_person,
        person_edit(
            "payload/body_plain.usdc",
            lambda s: torso_of(s).GetJointWeightsPrimvar().Set([0.5, 0.25] * 8),
        ),
    ),
    Case(
        "S4D504",
        write_person,
        person_edit(
            "payload/body_plain.usdc",
            lambda s: torso_of(s).GetJointIndicesPrimvar().Set([0, 7] * 8),
        ),
    ),
    Case("S4D505", write_person, set_motion("motionRange", Gf.Vec2d(0, 48))),
    Case("S4D506", write_person, set_motion("sweptRadius", 0.1)),
    Case("S4D507", write_person, undeclare_motion),
    Case("S4D601", write_stool, author("license", "")),
    Case("S4D602", write_stool, author("license", "CC-BY-NC-4.0")),
    Case("S4D603", write_stool, author("source", "")),
    Case("S4D701", write_stool, absolute_path),
    Case("S4D702", write_stool, escaping_path),
    Case("S4D703", write_usdz, misalign),
    Case("S4D704", write_stool, stage_edit(stray_path)),
)
