"""Seats are where the furniture has them, and people sit on them: not above, not inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, UsdSkel

from assets_schema import describe
from assets_schema.catalog import Catalog
from assets_schema.entry import Entry
from assets_schema.library.characters.motions import MOTIONS
from assets_schema.library.characters.person import write_person
from assets_schema.library.finishes import FinishShelf
from assets_schema.mesh_layer import MeshData
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.variants import complete_selection
from houdini_pdg.layout.model import Box, Layout, Wall
from houdini_pdg.layout.solids import layout_solids
from houdini_pdg.usd.baked_layer import author_baked
from houdini_pdg.usd.config import CharactersConfig
from houdini_pdg.usd.objects import Choice, choose_objects, reference_asset
from houdini_pdg.usd.people import Person, place_people
from houdini_pdg.usd.posing import hip_joint, joint_names, joint_places, skinning_transforms
from houdini_pdg.usd.seats import Seat, find_seats
from houdini_pdg.usd.skinning import bake_character
from houdini_pdg.usd.stage import new_stage
from tests.houdini_pdg.mini_library import _FACES, box_points

SEAT = 0.46  # metres, of the chair and the sofa made here
WALLS = tuple(
    Wall(f"wall_{i}", (*a, 0.0), (*b, 0.0), 2.6)
    for i, (a, b) in enumerate(
        [((-3, -3), (3, -3)), ((3, -3), (3, 3)), ((3, 3), (-3, 3)), ((-3, 3), (-3, -3))]
    )
)


def write_chair(folder: Path, category: str, width: float, depth: float) -> Entry:
    """A block to sit on, `SEAT` high, with a backrest 0.1 m deep behind it (at +y)."""
    half, back = width / 2, depth / 2
    blocks = {
        "block": box_points((-half, -back, 0.0), (half, back, SEAT)),
        "backrest": box_points((-half, back - 0.1, SEAT), (half, back, 0.9)),
    }
    package = AssetPackage(category, category)
    package.add_geometry_variant(
        "geometry",
        "plain",
        [
            MeshData(name, points, np.full(6, 4), _FACES.ravel(), material="wood")
            for name, points in blocks.items()
        ],
    )
    package.add_look_variant("look", "plain", {"wood": PreviewSurface(diffuse=(0.5, 0.4, 0.3))})
    return package.write(folder / category, library_root=folder)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    pytest.importorskip("anny", reason="characters need the extra [library]")
    folder = tmp_path_factory.mktemp("seating")
    entries = [write_chair(folder, "chair", 0.55, 0.6), write_chair(folder, "sofa", 1.9, 0.9)]
    entries.append(write_chair(folder, "coffee_table", 0.9, 0.6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(describe, "MOST_MEASURED", 0)
        person = write_person(
            folder / "person",
            FinishShelf(tmp_path_factory.mktemp("shelf")),
            library_root=folder,
            bodies=("woman_slim",),
            outfits=("tee_jeans",),
            hair=("buzz",),
            motions={name: MOTIONS[name] for name in ("sit", "sit_down", "idle")},
            looks=("autumn",),
        )
    return Catalog([*entries, person], folder)


def chair(x: float = 0.0, y: float = 0.0, yaw: float = 0.0, height: float = 0.9) -> Box:
    return Box("seat", "chair", (x, y, height / 2), yaw, (0.55, 0.6, height))


def seats_of(library: Catalog, *boxes: Box) -> list[Seat]:
    return find_seats(choose_objects(boxes, [library], 0)[0])


def seat_people(
    library: Catalog,
    *boxes: Box,
    motion: str = "sit",
    frames: int = 3,
    count: int = 1,
    seed: int = 0,
) -> list[Person]:
    layout = Layout(walls=WALLS, boxes=boxes)
    return place_people(
        layout,
        [library],
        CharactersConfig(count=(count, count), motions=(motion,)),
        frames=frames,
        fps=8.0,
        seed=0,
        seats=seats_of(library, *boxes),
    )


def world_points(person: Person) -> np.ndarray:
    cos, sin = np.cos(person.yaw), np.sin(person.yaw)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    return person.baked.points_in_root() @ turn.T + person.position


@pytest.mark.parametrize("yaw", [0.0, 1.1, -2.5])
def test_a_chairs_seat_is_measured_where_it_is(library: Catalog, yaw: float) -> None:
    (seat,) = seats_of(library, chair(0.7, -0.4, yaw))
    assert seat.height == pytest.approx(SEAT, abs=0.004)
    back_of_seat = 0.6 / 2 - 0.1
    expected = np.array([0.7, -0.4]) - seat.box.front * (back_of_seat - 0.17)
    assert seat.back == pytest.approx(expected, abs=0.025)
    assert seat.depth == pytest.approx(0.6 - 0.1 - 0.17, abs=0.025)


def test_a_stretched_chair_is_measured_stretched(library: Catalog) -> None:
    (seat,) = seats_of(library, chair(height=1.0))
    assert seat.height == pytest.approx(SEAT / 0.9, abs=0.004)


def test_sofas_seat_several_and_tables_none(library: Catalog) -> None:
    sofa = Box("sofa", "sofa", (0.0, 0.0, 0.45), 0.0, (1.9, 0.9, 0.9))
    table = Box("table", "coffee_table", (0.0, -2.0, 0.2), 0.0, (0.9, 0.6, 0.4))
    seats = seats_of(library, sofa, table)
    assert len(seats) == 3
    assert all(seat.box.name == "sofa" for seat in seats)
    across = np.diff([seat.back[0] for seat in seats])
    assert (across > 0.45).all()


@pytest.mark.parametrize("height", [0.82, 0.9, 0.98])
def test_people_sit_on_the_seat_and_not_in_it(library: Catalog, height: float) -> None:
    (person,) = seat_people(library, chair(0.5, 0.3, 0.8, height))
    assert person.seated is not None
    assert person.yaw == pytest.approx(0.8)
    seat = person.seated.seat
    record = person.to_json()["seat"]
    assert record["box"] == "seat"
    assert record["height"] == pytest.approx(SEAT * height / 0.9, abs=0.004)
    hips = seat.hips(0.42)
    assert hips is not None
    for points in world_points(person):
        near = np.linalg.norm(points[:, :2] - hips, axis=1) < 0.1
        assert -0.03 < points[near, 2].min() - seat.height < 0.02
        assert points[:, 2].min() == pytest.approx(0.0, abs=0.012)
        toes = points[points[:, 2] < 0.05, :2].mean(axis=0)
        assert (toes - hips) @ seat.box.front > 0.3


def test_sitting_down_begins_on_foot_and_ends_on_the_seat(library: Catalog) -> None:
    (person,) = seat_people(library, chair(height=0.98), motion="sit_down", frames=21)
    assert person.seated is not None
    heights = world_points(person)[..., 2].max(axis=1)
    assert heights[0] > heights[-1] + 0.3
    points = world_points(person)[-1]
    near = np.linalg.norm(points[:, :2] - person.seated.seat.hips(0.42), axis=1) < 0.1
    assert abs(points[near, 2].min() - person.seated.seat.height) < 0.03
    lowest = world_points(person)[..., 2].min(axis=1)
    assert np.abs(lowest).max() < 0.012  # feet stay on the floor while the legs adapt


def test_the_sweep_keeps_clear_of_everything_but_the_seat(library: Catalog) -> None:
    table = Box("table", "coffee_table", (0.0, -1.15, 0.2), 0.0, (0.9, 0.6, 0.4))
    boxes = (chair(), table)
    (person,) = seat_people(library, *boxes)
    solids = layout_solids(Layout(walls=WALLS, boxes=(table,)))
    points = world_points(person)
    above = points[points[..., 2] > 0.06]
    assert solids.distance(above).min() >= 0.05
    track, radius = person.track, person.footprint.radius
    assert (np.linalg.norm(points[..., :2] - track[:, None], axis=-1) <= radius + 1e-4).all()


def test_a_seat_without_room_for_legs_stays_empty(library: Catalog) -> None:
    table = Box("table", "coffee_table", (0.0, -0.65, 0.2), 0.0, (0.9, 0.6, 0.4))
    assert seat_people(library, chair(), table) == []


def test_one_seat_takes_one_person(library: Catalog) -> None:
    assert len(seat_people(library, chair(), count=3)) == 1


def test_lifting_a_skeleton_keeps_its_feet_and_its_bones(library: Catalog) -> None:
    entry = library["person"]
    stage = Usd.Stage.Open(str(entry.file))
    root = stage.GetDefaultPrim()
    for name, value in complete_selection(entry, {"motion": "sit"}).items():
        root.GetVariantSet(name).SetVariantSelection(value)
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root(root), Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/person/Skeleton")))
    names = joint_names(query)
    bind = np.array(UsdSkel.Skeleton(query.GetPrim()).GetBindTransformsAttr().Get())

    def places(lift: float) -> np.ndarray:
        skinning = np.array(skinning_transforms(query, 5.0, lift))
        return np.einsum("jk,jkl->jl", bind[:, 3], skinning)[:, :3]

    before, after = places(0.0), places(0.06)
    assert before == pytest.approx(joint_places(query, [5.0])[0], abs=1e-6)
    assert places(1e-9) == pytest.approx(before, abs=1e-6)
    assert after[hip_joint(query)] - before[hip_joint(query)] == pytest.approx([0, 0, 0.06])
    for side in ("Left", "Right"):
        hip, knee, ankle, toe = (
            names.index(side + part) for part in ("UpLeg", "Leg", "Foot", "ToeBase")
        )
        assert after[[ankle, toe]] == pytest.approx(before[[ankle, toe]], abs=1e-6)
        for a, b in ((hip, knee), (knee, ankle)):
            length = np.linalg.norm(before[b] - before[a])
            assert np.linalg.norm(after[b] - after[a]) == pytest.approx(length, abs=1e-6)


def test_baked_meshes_keep_nothing_of_their_binding(library: Catalog) -> None:
    """Renderers that bind what they can would move hair, whose bind transform is no identity."""
    entry = library["person"]
    variants = complete_selection(entry, {"motion": "idle"})
    stage = new_stage(1, 24.0)
    root = reference_asset(stage, Sdf.Path("/World/person"), Choice(0, entry, variants))
    hair = stage.GetPrimAtPath("/World/person/Geometry/hair/hair")
    bind = UsdSkel.BindingAPI(hair).GetGeomBindTransformAttr()
    assert not np.allclose(np.array(bind.Get()), np.eye(4))
    author_baked(stage, root.GetPath(), bake_character(entry, variants, [0.0]))
    meshes = [prim for prim in Usd.PrimRange(root) if UsdGeom.Mesh(prim)]
    assert {prim.GetName() for prim in meshes} >= {"skin", "hair", "eyes", "tee"}
    for prim in meshes:
        assert not prim.HasAPI(UsdSkel.BindingAPI)
        for name in ("jointIndices", "jointWeights", "geomBindTransform"):
            assert not prim.GetAttribute(f"primvars:skel:{name}").HasValue()
        used = np.unique(UsdGeom.Mesh(prim).GetFaceVertexIndicesAttr().Get())
        points = UsdGeom.Mesh(prim).GetPointsAttr().Get(0.0)
        assert used.tolist() == list(range(len(points)))  # skin under clothes is left out
