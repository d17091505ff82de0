"""Stage `compose`: one stage by reference that opens whole, and says what it was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, UsdShade, UsdSkel, UsdUtils

from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.plan import Item
from tests.houdini_pdg.mini_library import write_mini_library
from tests.houdini_pdg.minting import mint

Minted = tuple[Item, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mini_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def minted(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Minted:
    return mint(tmp_path_factory.mktemp("set"), [library], characters={"count": [2, 2]})


@pytest.fixture(scope="module")
def stage(minted: Minted) -> Usd.Stage:
    return Usd.Stage.Open(str(minted[0].work / "scene.usda"))


@pytest.fixture(scope="module")
def layout(minted: Minted) -> Layout:
    return parse_layout((minted[0].work / "layout.txt").read_text())


def test_the_stage_states_its_conventions(stage: Usd.Stage) -> None:
    assert stage.GetDefaultPrim().GetPath() == Sdf.Path("/World")
    assert UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.z
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 8)
    assert stage.GetTimeCodesPerSecond() == 24.0


def test_nothing_is_missing_and_every_path_is_relative(minted: Minted) -> None:
    scene = minted[0].work / "scene.usda"
    _, _, unresolved = UsdUtils.ComputeAllDependencies(str(scene))
    assert unresolved == []
    layer = Sdf.Layer.FindOrOpen(str(scene))
    paths = layer.GetExternalReferences() if hasattr(layer, "GetExternalReferences") else []
    assert not [path for path in paths if Path(path).is_absolute()]
    assert str(minted[0].root) not in scene.read_text()


def test_every_object_is_drawn_inside_its_box(
    minted: Minted, stage: Usd.Stage, layout: Layout
) -> None:
    boxes = {box.name: box for box in layout.boxes}
    cache = UsdGeom.XformCache()
    objects = minted[1]["compose"]["objects"]
    assert len(objects) + 3 > len(boxes)
    for entry in objects:
        box = boxes[entry["box"]]
        cos, sin = np.cos(box.angle_z), np.sin(box.angle_z)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        parts = Usd.PrimRange(stage.GetPrimAtPath(entry["prim"]), Usd.TraverseInstanceProxies())
        meshes = [UsdGeom.Mesh(prim) for prim in parts if UsdGeom.Mesh(prim)]
        assert meshes
        for mesh in meshes:
            matrix = np.array(cache.GetLocalToWorldTransform(mesh.GetPrim()))
            world = np.array(mesh.GetPointsAttr().Get()) @ matrix[:3, :3] + matrix[3, :3]
            local = np.abs((world - box.position) @ turn)
            assert (local <= np.array(box.scale) / 2 + 1e-6).all(), entry


def test_selections_are_authored_by_name_and_recorded(minted: Minted, stage: Usd.Stage) -> None:
    layer = stage.GetRootLayer()
    for entry in minted[1]["compose"]["objects"]:
        spec = layer.GetPrimAtPath(f"{entry['prim']}/asset")
        assert dict(spec.variantSelections) == entry["variants"]
        assert spec.referenceList.prependedItems
    document = json.loads((minted[0].work / "characters.json").read_text())
    for person in document["characters"]:
        spec = layer.GetPrimAtPath(f"/World/Characters/{person['name']}/asset")
        assert dict(spec.variantSelections) == person["variants"]


def test_only_meshes_are_drawn_and_all_have_a_look(stage: Usd.Stage) -> None:
    drawn = [
        prim
        for prim in stage.Traverse(Usd.TraverseInstanceProxies())
        if UsdGeom.Gprim(prim) and not UsdGeom.Camera(prim)
    ]
    assert len(drawn) > 20
    for prim in drawn:
        assert UsdGeom.Mesh(prim), prim.GetPath()
        if not str(prim.GetPath()).startswith("/World/Characters"):
            material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
            assert material, prim.GetPath()


def test_people_move_inside_their_cylinder_and_are_skinned_no_more(
    minted: Minted, stage: Usd.Stage
) -> None:
    document = json.loads((minted[0].work / "characters.json").read_text())
    assert document["characters"]
    for person in document["characters"]:
        root = stage.GetPrimAtPath(f"/World/Characters/{person['name']}")
        meshes = [UsdGeom.Mesh(prim) for prim in Usd.PrimRange(root) if UsdGeom.Mesh(prim)]
        assert meshes
        assert not [prim for prim in Usd.PrimRange(root) if UsdSkel.Skeleton(prim)]
        for frame, centre in enumerate(person["track"]):
            cache = UsdGeom.XformCache(frame)
            for mesh in meshes:
                matrix = np.array(cache.GetLocalToWorldTransform(mesh.GetPrim()))
                points = np.array(mesh.GetPointsAttr().Get(frame)) @ matrix[:3, :3] + matrix[3, :3]
                across = np.linalg.norm(points[:, :2] - centre, axis=1)
                assert (across <= person["radius"] + 1e-4).all()
                assert points[:, 2].max() <= person["high"] + 1e-4


def test_cameras_are_sublayered(minted: Minted, stage: Usd.Stage) -> None:
    cameras = json.loads((minted[0].work / "cameras.json").read_text())["cameras"]
    children = stage.GetPrimAtPath("/World/Cameras").GetChildren()
    assert {prim.GetName() for prim in children} == set(cameras) == {"cam0", "cam1", "cam2"}
    for name, entry in cameras.items():
        prim = UsdGeom.Camera(stage.GetPrimAtPath(f"/World/Cameras/{name}"))
        matrix = np.array(prim.ComputeLocalToWorldTransform(5.0)).T
        flip = np.diag([1.0, -1.0, -1.0, 1.0])
        np.testing.assert_allclose(matrix @ flip, entry["world_from_camera"][5], atol=1e-9)


def test_the_report_is_provenance_with_a_caption(minted: Minted) -> None:
    report = minted[1]["compose"]
    assert report["caption"].startswith("A")
    assert "person" in report["caption"] or "people" in report["caption"]
    assert report["missing_categories"] == sorted(report["missing_categories"])
    assert all(entry["content_hash"] for entry in report["objects"])
    assert report["lights"]["time_of_day"] in report["caption"]


def test_the_same_seed_gives_the_same_bytes(minted: Minted, library: Path) -> None:
    first = minted[0]
    again = mint(first.root.parent / "again", [library], characters={"count": [2, 2]})[0]
    for name in ("layout.txt", "characters.json", "scene.usda", "cameras.json", "cameras.usda"):
        assert (first.work / name).read_bytes() == (again.work / name).read_bytes(), name
    for texture in sorted((first.work / "textures").iterdir()):
        assert texture.read_bytes() == (again.work / "textures" / texture.name).read_bytes()
    assert _drawn(first) == _drawn(again)


def _drawn(item: Item) -> list[tuple[str, bytes, bytes]]:
    """Path, points and place of every mesh at the last frame; USD names prototypes at random."""
    stage = Usd.Stage.Open(str(item.work / "scene.usda"))
    places = UsdGeom.XformCache(8.0)
    return [
        (
            str(prim.GetPath()),
            np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get(8.0)).tobytes(),
            np.array(places.GetLocalToWorldTransform(prim)).tobytes(),
        )
        for prim in stage.Traverse(Usd.TraverseInstanceProxies())
        if UsdGeom.Mesh(prim)
    ]


def test_what_one_stage_is_asked_changes_no_other_stage(minted: Minted, library: Path) -> None:
    first = minted[0]
    other = mint(
        first.root.parent / "other",
        [library],
        characters={"count": [2, 2]},
        compose={"times_of_day": {"night": 1.0}},
    )[0]
    for name in ("layout.txt", "characters.json", "cameras.json"):
        assert (first.work / name).read_bytes() == (other.work / name).read_bytes(), name
    assert (first.work / "scene.usda").read_bytes() != (other.work / "scene.usda").read_bytes()
