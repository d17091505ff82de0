"""Foreign meshes and foreign USD come out upright, in metres, on the ground, with their looks."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Gf, Sdf, Usd, UsdGeom, UsdUtils

from assets_schema import Catalog, choose_variants, count_variants, enumerate_variants
from assets_schema.contact_sheet import render_asset
from assets_schema.ingest import IngestRequest, ingest
from assets_schema.ingest.request import library_from_source
from assets_schema.read_variants import open_variant
from assets_schema.validate import validate_asset

from .builders import box_mesh, write_stool


def wedge() -> trimesh.Trimesh:
    """1 x 2 x 3 box with one corner pulled out along +x +y +z, so that every axis is told apart."""
    mesh = trimesh.creation.box((1.0, 2.0, 3.0))
    corner = np.argmax(mesh.vertices.sum(axis=1))
    mesh.vertices[corner] += (0.5, 0.25, 0.125)
    mesh.apply_translation((7, -3, 2))
    return mesh


def request(source: Path, **options: object) -> IngestRequest:
    return IngestRequest(**{"source": source, "category": "vase", "license": "MIT", **options})


@pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "glb", "gltf"])
def test_mesh_formats_stand_on_the_ground_and_validate(tmp_path, suffix) -> None:
    (tmp_path / "in").mkdir()
    wedge().export(tmp_path / "in" / f"wedge.{suffix}")
    entry = ingest(request(tmp_path / "in" / f"wedge.{suffix}"), tmp_path / "library")
    low, high = np.array(entry.extents())
    y_up = suffix in ("obj", "glb", "gltf")
    np.testing.assert_allclose(high - low, (1.5, 3.125, 2.25) if y_up else (1.5, 2.25, 3.125))
    np.testing.assert_allclose((low + high)[:2], 0, atol=1e-6)
    assert low[2] == 0
    assert validate_asset(entry.file, entry).findings == []
    assert entry.path == "vase/wedge/asset.usda"


def test_axis_rules_turn_the_front_towards_minus_y() -> None:
    for up, front in (("+y", "+z"), ("+z", "-y"), ("+y", "-x"), ("+z", "+x"), ("-y", "+z")):
        matrix = library_from_source(up, front, 0.01)
        assert np.linalg.det(matrix) == pytest.approx(1e-6)
        axes = {"x": 0, "y": 1, "z": 2}
        vector = np.zeros(3)
        vector[axes[up[1]]] = 1 if up[0] == "+" else -1
        np.testing.assert_allclose(matrix @ vector, (0, 0, 0.01), atol=1e-15)
        vector[:] = 0
        vector[axes[front[1]]] = 1 if front[0] == "+" else -1
        np.testing.assert_allclose(matrix @ vector, (0, -0.01, 0), atol=1e-15)
    with pytest.raises(ValueError, match="parallel"):
        library_from_source("+y", "-y", 1.0)


def test_units_up_and_front_flags_apply(tmp_path) -> None:
    wedge().export(tmp_path / "wedge.stl")
    options = {"metres_per_unit": 0.1, "up": "+x", "front": "-z"}
    entry = ingest(request(tmp_path / "wedge.stl", **options), tmp_path / "library")
    low, high = np.array(entry.extents())
    np.testing.assert_allclose(high - low, (0.225, 0.3125, 0.15), rtol=1e-6)


def test_vertex_colours_survive(tmp_path) -> None:
    mesh = trimesh.creation.box((1, 1, 1))
    mesh.visual.vertex_colors = np.tile([200, 30, 20, 255], (8, 1)).astype(np.uint8)
    mesh.export(tmp_path / "red.ply")
    entry = ingest(request(tmp_path / "red.ply"), tmp_path / "library")
    picture = render_asset(open_variant(entry.file, {}), 48, samples=1)
    red, green, blue = picture[24, 24].astype(int)
    assert red > 2 * green
    assert red > 2 * blue


def test_textures_and_factors_of_gltf_survive(tmp_path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    mesh = trimesh.creation.box((1, 1, 1))
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[..., 2] = 230
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=image_module.fromarray(pixels), roughnessFactor=0.25, metallicFactor=0.5
    )
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    mesh.export(tmp_path / "blue.glb")
    entry = ingest(request(tmp_path / "blue.glb"), tmp_path / "library")
    assert validate_asset(entry.file, entry).findings == []
    assert len(list((entry.file.parent / "textures").iterdir())) == 1
    picture = render_asset(open_variant(entry.file, {}), 48, samples=1)
    assert picture[24, 24, 2] > 100 > picture[24, 24, 0] + 90
    look = (entry.file.parent / "looks" / "look_source.usda").read_text()
    assert "float inputs:roughness = 0.25" in look
    assert "float inputs:metallic = 0.5" in look


def test_folder_of_files_becomes_one_variant_set(tmp_path) -> None:
    folder = tmp_path / "vases"
    folder.mkdir()
    for number in (2, 10, 1):
        trimesh.creation.box((0.1, 0.1, 0.1 * number)).export(folder / f"vase_{number}.stl")
    (folder / "notes.txt").write_text("not a mesh")
    entry = ingest(request(folder, variant_set="shape"), tmp_path / "library")
    assert entry.variant_sets["shape"] == ("vase_1", "vase_10", "vase_2")
    assert entry.extents({"shape": "vase_10"})[1][2] == pytest.approx(1.0)
    assert validate_asset(entry.file, entry).findings == []
    assert choose_variants(entry, 5)["shape"] in entry.variant_sets["shape"]


def foreign_stool(folder: Path, *, up: str = "Y", metres: float = 0.01) -> Path:
    """A stool as another studio would hand it over: other units and axis, off the origin."""
    folder.mkdir(parents=True)
    stage = Usd.Stage.CreateNew(str(folder / "stool.usd"))
    UsdGeom.SetStageUpAxis(stage, up)
    UsdGeom.SetStageMetersPerUnit(stage, metres)
    root = UsdGeom.Xform.Define(stage, "/Stool")
    stage.SetDefaultPrim(root.GetPrim())
    root.AddTranslateOp().Set(Gf.Vec3d(300, 50, 20))
    mesh = UsdGeom.Mesh.Define(stage, "/Stool/Seat")
    box = box_mesh("m", (-20, 0, -25), (20, 60, 25))
    mesh.CreatePointsAttr([Gf.Vec3f(*map(float, point)) for point in box.points])
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr([int(i) for i in box.face_indices])
    stage.GetRootLayer().Save()
    return folder / "stool.usd"


def test_foreign_usd_is_corrected_by_an_authored_transform(tmp_path) -> None:
    source = foreign_stool(tmp_path / "in")
    entry = ingest(request(source, category="stool"), tmp_path / "library")
    low, high = np.array(entry.extents())
    np.testing.assert_allclose(low, (-0.2, -0.25, 0), atol=1e-6)
    np.testing.assert_allclose(high, (0.2, 0.25, 0.6), atol=1e-6)
    findings = {finding.code for finding in validate_asset(entry.file, entry).findings}
    assert findings == {"S4D401"}  # the source brings no material, and nobody invents one
    stage = Usd.Stage.Open(str(entry.file))
    order = UsdGeom.Xformable(stage.GetDefaultPrim()).GetXformOpOrderAttr().Get()
    assert list(order)[:2] == [
        "xformOp:translate:toBottomCentre",
        "xformOp:transform:toMetresZUp",
    ]


def test_front_flag_turns_foreign_usd(tmp_path) -> None:
    source = foreign_stool(tmp_path / "in")
    entry = ingest(request(source, category="stool", front="+x"), tmp_path / "library")
    low, high = np.array(entry.extents())
    np.testing.assert_allclose(high - low, (0.5, 0.4, 0.6), atol=1e-6)


def test_real_teapot_is_ingested_with_its_nested_variants(test_data, tmp_path) -> None:
    source = test_data / "usd" / "Teapot" / "Teapot.usd"
    entry = ingest(request(source, license="CC0-1.0", origin="usd-wg/assets"), tmp_path)
    assert count_variants(entry) == 7
    assert entry.extent_sets == ("modelVariant",)
    report = validate_asset(entry.file, entry)
    assert report.errors == 0
    assert {finding.code for finding in report.findings} == {"S4D704"}  # card images that it lost
    for name in ("Fancy", "Utah"):
        low, high = np.array(entry.extents({"modelVariant": name}))
        np.testing.assert_allclose((low + high)[:2], 0, atol=1e-6)
        assert low[2] == pytest.approx(0, abs=1e-6)


def test_real_teapot_shows_seven_different_pictures(test_data, tmp_path) -> None:
    source = test_data / "usd" / "Teapot" / "Teapot.usd"
    entry = ingest(request(source, license="CC0-1.0"), tmp_path)
    pictures = {}
    for selection in enumerate_variants(entry):
        picture = render_asset(open_variant(entry.file, selection), 64, samples=1)
        background = picture[0, 0]
        assert (picture != background).any(axis=-1).mean() > 0.15, selection
        pictures[selection["shadingVariant"]] = picture
    assert len(pictures) == 7
    for one, other in itertools.combinations(pictures.values(), 2):
        assert np.abs(one.astype(float) - other).mean() > 1
    means = {shade: each[28:44, 24:40].mean(axis=(0, 1)) for shade, each in pictures.items()}
    assert means["CeramicRed"].argmax() == 0
    assert means["CeramicBlue"].argmax() == 2
    assert means["CeramicBlack"].max() < 80


def test_several_usd_files_become_one_variant_set(tmp_path) -> None:
    folder = tmp_path / "stools"
    folder.mkdir()
    for name, metres in (("big", 0.02), ("small", 0.01)):
        foreign_stool(tmp_path / name, metres=metres)
        shutil.copy(tmp_path / name / "stool.usd", folder / f"{name}.usd")
    entry = ingest(request(folder, category="stool", variant_set="size"), tmp_path / "library")
    assert entry.variant_sets == {"size": ("big", "small")}
    assert entry.extents({"size": "big"})[1][2] == pytest.approx(1.2)
    assert entry.extents({"size": "small"})[1][2] == pytest.approx(0.6)
    codes = {finding.code for finding in validate_asset(entry.file, entry).findings}
    assert codes == {"S4D401"}


def test_usdz_is_ingested_whole(tmp_path) -> None:
    stool = write_stool(tmp_path / "made")
    assert UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(stool.file)), str(tmp_path / "s.usdz"))
    entry = ingest(request(tmp_path / "s.usdz", category="stool"), tmp_path / "library")
    assert count_variants(entry) == 6
    assert validate_asset(entry.file, entry).errors == 0
    picture = render_asset(open_variant(entry.file, {"look": "painted"}), 64, samples=1)
    assert np.ptp(picture[20:30, 25:40].reshape(-1, 3), axis=0).max() > 60  # the image in the usdz


def test_ingest_twice_replaces_the_package(tmp_path) -> None:
    wedge().export(tmp_path / "wedge.stl")
    first = ingest(request(tmp_path / "wedge.stl"), tmp_path / "library")
    second = ingest(request(tmp_path / "wedge.stl"), tmp_path / "library")
    assert first == second
    catalog = Catalog([], tmp_path / "library")
    catalog.add(first)
    catalog.add(second)
    assert len(catalog) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.obj", b"v 0 0 0\n", "no triangles|cannot be read"),
        ("a.glb", b"glTF nonsense", "cannot be read"),
        ("a.stl", b"", "cannot be read|no triangles"),
        ("a.ply", b"ply\nformat ascii 1.0\nend_header\n", "cannot be read|no triangles"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n", "not finite"),
        ("a.usda", b"not usd", "cannot be opened"),
        ("a.txt", b"hello", "unknown type"),
    ],
)
def test_unreadable_sources_are_refused_by_name(tmp_path, name, content, message) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        ingest(request(tmp_path / name), tmp_path / "library")
    assert str(tmp_path / name) in str(caught.value)
    assert not list((tmp_path / "library").rglob("asset.usda"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"category": "spaceship"}, "unknown category"),
        ({"license": ""}, "licence is needed"),
        ({"up": "y"}, "up must be one of"),
        ({"metres_per_unit": 0.0}, "must be positive"),
        ({"fit_mode": "squash"}, "fit_mode must be"),
        ({"support": "moon"}, "support must be"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        request(tmp_path / "a.obj", **options)


def test_missing_source_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        ingest(request(tmp_path / "nothing.obj"), tmp_path / "library")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no file of a known type"):
        ingest(request(tmp_path / "empty"), tmp_path / "library")
