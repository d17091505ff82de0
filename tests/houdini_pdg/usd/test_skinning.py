"""Baked people equal USD's own baked skinning, and stand where their cylinder says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel

from assets_schema.catalog import Catalog
from assets_schema.entry import Entry, MotionInfo
from assets_schema.variants import apply_selection
from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import generate_layout
from houdini_pdg.layout.solids import layout_solids
from houdini_pdg.usd.baked_layer import author_baked
from houdini_pdg.usd.config import CharactersConfig
from houdini_pdg.usd.footprint import measure_footprint
from houdini_pdg.usd.people import _bake, place_people
from houdini_pdg.usd.skinning import bake_character, motion_codes
from houdini_pdg.usd.stage import new_stage

WALK = {"body": "tall", "clothing": "shirt", "hair": "tuft", "motion": "walk"}


@pytest.fixture
def puppet(mini_library: Path) -> Entry:
    return Catalog.load(mini_library)["puppet"]


def _usd_baked(entry: Entry, variants: dict[str, str], codes: range) -> dict[str, np.ndarray]:
    """Points per mesh and code by UsdSkel.BakeSkinning, the reference implementation."""
    stage = Usd.Stage.CreateInMemory()
    root = stage.DefinePrim("/Character")
    root.GetReferences().AddReference(entry.file.resolve().as_posix())
    apply_selection(root, variants)
    skel_root = UsdSkel.Root(stage.GetPrimAtPath("/Character/figure"))
    assert UsdSkel.BakeSkinning(skel_root, Gf.Interval(codes.start, codes.stop - 1))
    return {
        prim.GetPath().name: np.stack(
            [np.array(UsdGeom.Mesh(prim).GetPointsAttr().Get(code)) for code in codes]
        )
        for prim in Usd.PrimRange(root)
        if UsdGeom.Mesh(prim)
    }


@pytest.mark.parametrize("motion", ["idle", "walk", "sit"])
def test_points_equal_usds_baked_skinning(puppet: Entry, motion: str) -> None:
    variants = {**WALK, "motion": motion}
    codes = range(20)
    expected = _usd_baked(puppet, variants, codes)
    baked = bake_character(puppet, variants, list(codes))
    assert {mesh.path.rsplit("/", 1)[-1] for mesh in baked.meshes} == set(expected)
    for mesh in baked.meshes:
        np.testing.assert_allclose(mesh.points, expected[mesh.path.rsplit("/", 1)[-1]], atol=2e-6)


def test_normals_turn_with_their_joint(puppet: Entry) -> None:
    baked = bake_character(puppet, WALK, [0.0, 6.0])
    for mesh in baked.meshes:
        assert mesh.normals is not None
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=-1), 1.0, atol=1e-5)
        rigid = mesh.points[0, :, 2] > 1.0  # every vertex above 1 m follows the chest alone
        for frame in (0, 1):
            offsets = mesh.points[frame][rigid] - mesh.points[frame][rigid].mean(axis=0)
            inner = offsets @ mesh.normals[frame][rigid].T
            if frame == 0:
                first = inner
        np.testing.assert_allclose(inner, first, atol=1e-5)


def test_authored_points_are_not_skinned_again(puppet: Entry) -> None:
    baked = bake_character(puppet, WALK, [0.0, 12.0])
    stage = new_stage(2, 24.0)
    root = stage.DefinePrim("/World/asset")
    root.GetReferences().AddReference(puppet.file.resolve().as_posix())
    apply_selection(root, WALK)
    author_baked(stage, Sdf.Path("/World/asset"), baked)
    assert not [prim for prim in stage.Traverse() if UsdSkel.Root(prim) or UsdSkel.Skeleton(prim)]
    for mesh in baked.meshes:
        prim = UsdGeom.Mesh(stage.GetPrimAtPath(f"/World/asset/{mesh.path}"))
        for frame in (0, 1):
            np.testing.assert_array_equal(
                np.array(prim.GetPointsAttr().Get(frame)), mesh.points[frame]
            )
            extent = np.array(prim.GetExtentAttr().Get(frame))
            np.testing.assert_allclose(extent[1], mesh.points[frame].max(axis=0))
        assert not UsdSkel.BindingAPI(prim).GetInheritedSkeleton()


def test_the_footprint_holds_every_point(puppet: Entry) -> None:
    baked = bake_character(puppet, WALK, list(range(30)))
    footprint = measure_footprint(baked)
    points = baked.points_in_root()
    across = np.linalg.norm(points[..., :2] - footprint.centres[:, None], axis=-1)
    assert (across <= footprint.radius).all()
    assert footprint.radius < across.max() + 2e-3
    assert points[..., 2].max() <= footprint.high + 1e-9
    assert footprint.centres[0, 1] - footprint.centres[-1, 1] > 1.0  # it walks towards -y


def test_motion_times_loop_or_hold() -> None:
    loop = MotionInfo(10, 34, fps=24, loop=True)
    np.testing.assert_allclose(motion_codes(loop, 5, 4.0, 0.5), [22, 28, 10, 16, 22])
    once = MotionInfo(0, 12, fps=24)
    np.testing.assert_allclose(motion_codes(once, 4, 8.0, 0.25), [6, 9, 12, 12])
    np.testing.assert_allclose(motion_codes(MotionInfo(3, 3), 3, 24.0, 0.0), [3, 3, 3])


def test_a_travelling_loop_goes_on_where_it_ended(puppet: Entry) -> None:
    motion = MotionInfo(0, 24, loop=True, root_motion=True)
    codes = motion_codes(motion, 61, 24.0, 0.0)
    baked = _bake(puppet, WALK, motion, codes)
    y = measure_footprint(baked).centres[:, 1]
    np.testing.assert_allclose(y, -np.arange(61) / 24, atol=2e-2)


@pytest.mark.parametrize("seed", range(6))
def test_people_stand_free_of_furniture_and_of_each_other(mini_library: Path, seed: int) -> None:
    layout = generate_layout(LayoutConfig(density=(0.3, 0.6)), seed)
    people = place_people(
        layout,
        [Catalog.load(mini_library)],
        CharactersConfig(count=(3, 3)),
        frames=30,
        fps=24.0,
        seed=seed,
    )
    assert people
    solids = layout_solids(layout)
    for person in people:
        points = person.baked.points_in_root()
        cos, sin = np.cos(person.yaw), np.sin(person.yaw)
        world = points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]]) + person.position
        above = world[world[..., 2] > 0.1]
        assert solids.distance(above).min() > 0.0
        gap = np.linalg.norm(world[..., :2] - person.track[:, None], axis=-1)
        assert (gap <= person.footprint.radius + 1e-4).all()
    for i, a in enumerate(people):
        for b in people[:i]:
            apart = np.linalg.norm(a.track - b.track, axis=1)
            assert (apart > a.footprint.radius + b.footprint.radius).all()


def test_more_people_change_none_of_the_first(mini_library: Path) -> None:
    layout = generate_layout(LayoutConfig(density=(0.2, 0.3)), 1)
    libraries = [Catalog.load(mini_library)]

    def place(count: int) -> list[dict]:
        config = CharactersConfig(count=(count, count))
        people = place_people(layout, libraries, config, frames=10, fps=24.0, seed=9)
        return [person.to_json() for person in people]

    assert place(3)[:1] == place(1)


def test_people_of_a_scene_look_unlike_each_other(mini_library: Path) -> None:
    """A draw without regard to the other would share two or all three parts half of the time."""
    layout = generate_layout(LayoutConfig(density=(0.2, 0.3)), 1)
    config = CharactersConfig(count=(2, 2), motions=("idle",))
    for seed in range(8):
        libraries = [Catalog.load(mini_library)]
        people = place_people(layout, libraries, config, frames=2, fps=24.0, seed=seed)
        first, second = (person.part.choice.variants for person in people)
        assert sum(first[name] == second[name] for name in ("body", "clothing", "hair")) <= 1


def test_an_asked_motion_is_played_by_who_has_it(mini_library: Path, puppet: Entry) -> None:
    """Another library's people need not know it."""
    assert puppet.character is not None
    idle = replace(puppet.character, motions={"idle": puppet.character.motions["idle"]})
    other = Catalog([replace(puppet, id="statue", character=idle)], mini_library.parent)
    config = CharactersConfig(count=(1, 1), motions=("walk",))
    libraries = [other, Catalog.load(mini_library)]
    layout = generate_layout(LayoutConfig(density=(0.2, 0.3)), 1)
    for seed in range(4):
        people = place_people(layout, libraries, config, frames=10, fps=24.0, seed=seed)
        assert [person.part.motion for person in people] == ["walk"]


def test_motions_can_be_asked_for_and_unknown_ones_are_refused(mini_library: Path) -> None:
    layout = generate_layout(LayoutConfig(), 1)
    libraries = [Catalog.load(mini_library)]
    config = CharactersConfig(count=(2, 2), motions=("walk",))
    people = place_people(layout, libraries, config, frames=10, fps=24.0, seed=0)
    assert {person.part.motion for person in people} == {"walk"}
    config = CharactersConfig(count=(2, 2), motions=("sit",))
    assert place_people(layout, libraries, config, frames=10, fps=24.0, seed=0) == []  # no seats
    config = CharactersConfig(count=(1, 1), motions=("fly",))
    with pytest.raises(ValueError, match="name motions that the catalogue has"):
        place_people(layout, libraries, config, frames=10, fps=24.0, seed=0)
