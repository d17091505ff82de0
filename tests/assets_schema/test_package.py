"""The package writer: structure on disk, composition, atomic replacement, refusals."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from pxr import Kind, Sdf, Usd, UsdGeom, UsdLux, UsdShade

from assets_schema import CharacterInfo, LightInfo, MotionInfo, apply_selection
from assets_schema.mesh_layer import MeshData
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.schema import read_attributes, read_motion
from assets_schema.validate import validate_asset

from .builders import box_mesh, checker, stool_package, write_stool


def test_interface_layer_is_light_and_geometry_lies_behind_payloads(tmp_path) -> None:
    entry = write_stool(tmp_path)
    folder = entry.file.parent
    text = entry.file.read_text()
    assert "point3f[] points" not in text
    assert "payload = @./payload/geometry_low.usdc@" in text
    assert (folder / "payload" / "geometry_tall.usdc").read_bytes()[:8] == b"PXR-USDC"
    assert (folder / "looks" / "look_painted.usda").exists()
    unloaded = Usd.Stage.Open(str(entry.file), Usd.Stage.LoadNone)
    assert not [prim for prim in unloaded.Traverse() if prim.IsA(UsdGeom.Mesh)]
    prim = unloaded.GetDefaultPrim()
    assert UsdGeom.ModelAPI(prim).GetExtentsHintAttr().Get()[1][2] == pytest.approx(0.4)


def test_default_prim_carries_kind_asset_info_class_and_schema(tmp_path) -> None:
    stage = Usd.Stage.Open(str(write_stool(tmp_path).file))
    prim = stage.GetDefaultPrim()
    model = Usd.ModelAPI(prim)
    assert model.GetKind() == Kind.Tokens.component
    assert model.GetAssetName() == "stool_block"
    assert prim.GetInherits().GetAllDirectInherits() == [Sdf.Path("/_class_stool_block")]
    values = read_attributes(prim, "asset")
    assert values["category"] == "stool"
    assert values["license"] == "Apache-2.0"
    np.testing.assert_allclose(values["canonicalExtent"], (0.4, 0.4, 0.4), atol=1e-6)
    assert list(prim.GetAttribute("semantics:labels:category").Get()) == ["stool"]


def test_broadcast_override_through_the_class_reaches_every_reference(tmp_path) -> None:
    entry = write_stool(tmp_path)
    stage = Usd.Stage.CreateInMemory()
    for name in "ab":
        stage.DefinePrim(f"/{name}").GetReferences().AddReference(str(entry.file))
    override = stage.CreateClassPrim("/_class_stool_block")
    override.CreateAttribute("userProperties:dusty", Sdf.ValueTypeNames.Bool).Set(True)
    for name in "ab":
        assert stage.GetPrimAtPath(f"/{name}").GetAttribute("userProperties:dusty").Get() is True


def test_any_geometry_goes_with_any_look(tmp_path) -> None:
    entry = write_stool(tmp_path)
    stage = Usd.Stage.Open(str(entry.file))
    for geometry in entry.variant_sets["geometry"]:
        for look in entry.variant_sets["look"]:
            apply_selection(stage.GetDefaultPrim(), {"geometry": geometry, "look": look})
            seat = stage.GetPrimAtPath("/stool_block/Geometry/geometry/seat")
            material = UsdShade.MaterialBindingAPI(seat).ComputeBoundMaterial()[0]
            shader = material.ComputeSurfaceSource()[0]
            assert shader.GetIdAttr().Get() == "UsdPreviewSurface"
            assert bool(shader.GetInput("diffuseColor").HasConnectedSource()) == (look == "painted")


def test_equal_images_are_stored_once(tmp_path) -> None:
    package = AssetPackage("cube", "stool")
    package.add_geometry_variant("geometry", "a", [box_mesh("m", (-1, -1, 0), (1, 1, 2))])
    for name in ("one", "two"):
        package.add_look_variant("look", name, {"body": PreviewSurface(diffuse=checker())})
    entry = package.write(tmp_path / "cube")
    assert len(list((entry.file.parent / "textures").iterdir())) == 1


def test_writing_twice_gives_identical_bytes_and_replaces_the_folder(tmp_path) -> None:
    def digest() -> dict[str, str]:
        folder = write_stool(tmp_path).file.parent
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    first = digest()
    (tmp_path / "stool" / "stool_block" / "stale.txt").write_text("old")
    assert digest() == first
    assert [path.name for path in (tmp_path / "stool").iterdir()] == ["stool_block"]


def test_failed_write_leaves_the_old_package_alone(tmp_path) -> None:
    entry = write_stool(tmp_path)
    before = entry.file.read_bytes()
    package = stool_package()

    def explode(stage: Usd.Stage, root: Usd.Prim) -> None:
        raise RuntimeError("author failed")

    package.add_variant("extra", "bad", author=explode)
    with pytest.raises(RuntimeError, match="author failed"):
        package.write(tmp_path / "stool" / "stool_block")
    assert entry.file.read_bytes() == before
    assert [path.name for path in (tmp_path / "stool").iterdir()] == ["stool_block"]


def test_lamp_carries_lights_and_ranges(tmp_path) -> None:
    def bulb(stage: Usd.Stage, root: Usd.Prim) -> None:
        light = UsdLux.SphereLight.Define(stage, root.GetPath().AppendChild("Bulb"))
        light.CreateRadiusAttr(0.03)
        light.CreateIntensityAttr(50.0)

    package = AssetPackage("lamp", "table_lamp", light=LightInfo((2700, 4000), (0.5, 2.0)))
    package.add_geometry_variant(
        "geometry", "a", [box_mesh("m", (-0.1, -0.1, 0), (0.1, 0.1, 0.3))], author=bulb
    )
    glow = PreviewSurface(diffuse=(1, 1, 1), emissive=(3.0, 2.5, 2.0))
    package.add_look_variant("look", "on", {"body": glow})
    entry = package.write(tmp_path / "lamp")
    assert entry.light == LightInfo((2700.0, 4000.0), (0.5, 2.0))
    assert Usd.Stage.Open(str(entry.file)).GetPrimAtPath("/lamp/Bulb").IsA(UsdLux.SphereLight)
    assert validate_asset(entry.file, entry).findings == []


def test_motion_variants_declare_their_facts(tmp_path) -> None:
    motions = {
        "idle": MotionInfo(0, 24, swept_radius=1.0, loop=True),
        "walk": MotionInfo(0, 48, swept_radius=2.0, root_motion=True),
    }
    package = AssetPackage(
        "person", "character", kind="character", character=CharacterInfo(motions)
    )
    package.add_geometry_variant("body", "a", [box_mesh("m", (-0.3, -0.2, 0), (0.3, 0.2, 1.8))])
    package.add_look_variant("clothing", "plain", {"body": PreviewSurface()})
    for name in motions:
        package.add_variant("motion", name)
    entry = package.write(tmp_path / "person")
    assert entry.character is not None
    assert entry.character.motions == motions
    stage = Usd.Stage.Open(str(entry.file))
    assert stage.GetEndTimeCode() == 48
    apply_selection(stage.GetDefaultPrim(), {"motion": "walk"})
    assert read_motion(stage.GetDefaultPrim()) == motions["walk"]


def test_slot_that_a_look_leaves_empty_is_refused(tmp_path) -> None:
    package = stool_package()
    package.add_look_variant("look", "half", {"body": PreviewSurface()})
    with pytest.raises(ValueError, match=r"slots \['leg'\] are not filled by every look"):
        package.write(tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.full((8, 3), np.nan)}, "must be finite"),
        ({"face_counts": np.full(6, 3)}, "add up to 18"),
        ({"face_indices": np.full(24, 9)}, r"leave 0\.\.7"),
        ({"uvs": np.zeros((5, 2))}, "uvs must be"),
        ({"name": "two words"}, "no prim name"),
        ({"face_counts": np.array([2, 22])}, "3 or more corners"),
    ],
)
def test_malformed_mesh_is_refused(change, message) -> None:
    good = box_mesh("m", (-1, -1, 0), (1, 1, 2))
    fields = {name: getattr(good, name) for name in good.__dataclass_fields__}
    with pytest.raises(ValueError, match=message):
        MeshData(**{**fields, **change})


def test_names_that_usd_refuses_and_repeats_are_refused() -> None:
    with pytest.raises(ValueError, match="no prim name"):
        AssetPackage("4 legs", "chair")
    package = stool_package()
    with pytest.raises(ValueError, match="invalid"):
        package.add_variant("look", "dark oak")
    with pytest.raises(ValueError, match="already has"):
        package.add_variant("look", "red")


def test_unknown_schema_token_is_refused(tmp_path) -> None:
    package = stool_package()
    package.front_axis = "forward"
    with pytest.raises(ValueError, match="front_axis must be one of"):
        package.write(tmp_path / "x")
