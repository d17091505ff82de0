"""People: bodies as anny makes them, feet that stay, skinning as USD does it, free combination."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdSkel
from scipy.spatial.transform import Rotation

from assets_schema import apply_selection, choose_variants, describe
from assets_schema.entry import Entry
from assets_schema.library.characters.bodies import BODIES
from assets_schema.library.characters.body_mesh import uncovered_faces
from assets_schema.library.characters.cast import Cast
from assets_schema.library.characters.garments import GARMENTS, OUTFITS
from assets_schema.library.characters.hair import HAIR_STYLES
from assets_schema.library.characters.human import Phenotype
from assets_schema.library.characters.looks import LOOKS
from assets_schema.library.characters.motion import solve
from assets_schema.library.characters.motions import MOTIONS
from assets_schema.library.characters.person import write_person
from assets_schema.library.characters.props import carried_box, place_box
from assets_schema.library.characters.skeleton import SIDES, Skeleton, between
from assets_schema.library.finishes import FinishShelf
from assets_schema.scene_geometry import SceneGeometry

pytest.importorskip("anny", reason="characters need the extra [library]")

MOST_SLIDE = 0.0005  # metres a planted sole may move between two frames


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def person(tmp_path_factory) -> Entry:
    out = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(describe, "MOST_MEASURED", 0)  # boxes of posed people take long, unused here
        return write_person(
            out / "person",
            FinishShelf(tmp_path_factory.mktemp("shelf")),
            library_root=out,
            bodies=("man_average", "woman_curvy", "man_heavy", "woman_slim"),
            outfits=("tee_jeans", "dress", "coat", "sport"),
            hair=("short", "long", "bun"),
            motions={name: MOTIONS[name] for name in ("walk", "sit", "carry")},
            looks=("autumn", "navy"),
        )


def test_the_cast_is_as_large_as_promised() -> None:
    assert len(BODIES) >= 8
    assert len(OUTFITS) >= 6
    assert len(GARMENTS) >= 6
    assert len(HAIR_STYLES) >= 6
    assert len(MOTIONS) >= 10
    assert len(LOOKS) >= 4


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_adults_on_the_floor(cast: Cast, name: str) -> None:
    body = cast.body(name)
    skin = body.points[np.unique(cast.template.groups["body"])]
    assert 1.45 < np.ptp(skin[:, 2]) < 2.05
    assert skin[:, 2].min() == pytest.approx(0, abs=1e-6)
    toes, heels = (
        body.skeleton.heads[body.skeleton.index(f"Left{j}")] for j in ("ToeBase", "Foot")
    )
    assert toes[1] < heels[1]  # facing -y
    assert heels[0] > 0  # its left is +x


def test_a_childs_age_is_refused() -> None:
    with pytest.raises(ValueError, match="adult"):
        Phenotype(gender=0.5, age=0.4)


@pytest.mark.full
def test_bodies_equal_those_of_anny(cast: Cast) -> None:
    import anny
    import torch

    model = anny.Anny(rig="mixamo", topology="makehuman", phenotypes="all")
    p = BODIES["woman_curvy"]
    values = {label: torch.tensor([getattr(p, label)]) for label in model.phenotype_labels}
    theirs = model(phenotype_kwargs=values)["rest_vertices"][0].numpy()
    ours = cast.template.shaped(replace(p, features={}))[: len(theirs)]
    offset = (theirs - ours).mean(axis=0)
    assert np.abs(theirs - ours - offset).max() < 1e-4


def soles(skeleton: Skeleton, quaternions: np.ndarray, root: np.ndarray, side: str) -> np.ndarray:
    """Heel and ball (T, 2, 3) in the world."""
    frames, count = quaternions.shape[:2]
    matrices = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    place, turn = skeleton.forward(matrices.reshape(frames, count, 3, 3), root)
    ankle = skeleton.index(f"{side}Foot")
    points = [skeleton.heel[side], skeleton.ball[side]]
    offsets = np.stack(points) - skeleton.heads[ankle]
    return place[:, ankle, None] + np.einsum("tij,kj->tki", turn[:, ankle], offsets)


@pytest.mark.parametrize("body", ["man_average", "woman_slim", "man_heavy"])
@pytest.mark.parametrize("name", MOTIONS)
def test_planted_feet_do_not_slide_or_sink(cast: Cast, name: str, body: str) -> None:
    skeleton = cast.body(body).skeleton
    movement = MOTIONS[name]()
    solved = solve(skeleton, movement)
    for side in SIDES:
        foot = movement.feet[side]
        points = soles(skeleton, solved.quaternions, solved.root, side)
        assert points[..., 2].min() > -1e-3
        down = foot.lift < 1e-6
        for index, carries in enumerate((foot.pitch <= 0, foot.pitch >= 0)):
            both = (down & carries)[1:] & (down & carries)[:-1]
            steps = np.linalg.norm(np.diff(points[:, index], axis=0), axis=1)
            assert steps[both].max(initial=0.0) < MOST_SLIDE


@pytest.mark.parametrize("name", [name for name, make in MOTIONS.items() if make().loop])
def test_loops_end_as_they_begin(cast: Cast, name: str) -> None:
    solved = solve(cast.body("man_average").skeleton, MOTIONS[name]())
    same = np.abs((solved.quaternions[0] * solved.quaternions[-1]).sum(axis=-1))
    assert same == pytest.approx(1, abs=1e-6)
    # Looping on: the step over the seam is like the steps inside.
    speed = np.linalg.norm(np.diff(solved.root, axis=0), axis=1)
    assert abs(speed[0] - speed[-1]) < 0.012


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_smooth(cast: Cast, name: str) -> None:
    solved = solve(cast.body("woman_average").skeleton, MOTIONS[name]())
    turns = np.abs((solved.quaternions[1:] * solved.quaternions[:-1]).sum(axis=-1)).clip(0, 1)
    degrees = np.degrees(2 * np.arccos(turns))
    assert degrees.max() < 26  # a joint at 24 frames a second: 620 degrees a second


def test_the_smallest_rotation_takes_one_direction_to_another() -> None:
    a, b = np.array([0.2, -0.4, 0.1]), np.array([-1.0, 0.3, 0.8])
    turned = between(a, b).apply(a / np.linalg.norm(a))
    assert turned == pytest.approx(b / np.linalg.norm(b))


def our_skinning(cast: Cast, prim: Usd.Prim, body: str, motion: str, frame: int) -> np.ndarray:
    """Linear blend skinning in numpy from the authored weights and our own solved motion."""
    skeleton = cast.body(body).skeleton
    solved = solve(skeleton, MOTIONS[motion]())
    matrices = Rotation.from_quat(solved.quaternions[frame]).as_matrix()[None]
    place, turn = skeleton.forward(matrices, solved.root[[frame]])
    points = np.asarray(UsdGeom.Mesh(prim).GetPointsAttr().Get(), np.float64)
    api = UsdGeom.PrimvarsAPI(prim)
    index = np.asarray(api.GetPrimvar("skel:jointIndices").Get()).reshape(len(points), -1)
    weight = np.asarray(api.GetPrimvar("skel:jointWeights").Get()).reshape(len(points), -1)
    bind = np.asarray(UsdSkel.BindingAPI(prim).GetGeomBindTransformAttr().Get())
    points = points @ bind[:3, :3] + bind[3, :3]
    moved = np.einsum("nkij,nkj->nki", turn[0][index], points[:, None] - skeleton.heads[index])
    return ((moved + place[0][index]) * weight[..., None]).sum(axis=1)


@pytest.mark.parametrize(
    ("body", "clothing", "hair", "motion"),
    [
        ("man_average", "tee_jeans", "short", "walk"),
        ("woman_curvy", "dress", "long", "sit"),
        ("man_heavy", "coat", "bun", "carry"),
    ],
)
def test_usds_own_baked_skinning_agrees_with_ours(
    cast: Cast, person: Entry, body: str, clothing: str, hair: str, motion: str
) -> None:
    stage = Usd.Stage.Open(str(person.file))
    root = stage.GetDefaultPrim()
    apply_selection(root, {"body": body, "clothing": clothing, "hair": hair, "motion": motion})
    stage.SetEditTarget(stage.GetSessionLayer())
    meshes = [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    frame = 17
    expected = {prim.GetPath(): our_skinning(cast, prim, body, motion, frame) for prim in meshes}
    assert UsdSkel.BakeSkinning(UsdSkel.Root(root), _at(frame))
    for path, points in expected.items():
        baked = UsdGeom.Mesh(stage.GetPrimAtPath(path)).GetPointsAttr().Get(frame)
        assert np.asarray(baked) == pytest.approx(points, abs=2e-5)


def _at(frame: int):
    from pxr import Gf

    return Gf.Interval(frame, frame)


def test_any_axis_combines_with_any_other(person: Entry) -> None:
    stage = Usd.Stage.Open(str(person.file))
    root = stage.GetDefaultPrim()
    generator = np.random.default_rng(0)
    for _ in range(24):
        selection = choose_variants(person, generator)
        apply_selection(root, selection)
        active = {prim.GetParent().GetName() for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)}
        body = selection["body"]
        prop = {"prop"} if selection["motion"] == "carry" else set()
        assert active == {"body", f"clothing_{body}", "hair"} | prop
        cache = UsdSkel.Cache()
        skel_root = UsdSkel.Root(root)
        cache.Populate(skel_root, Usd.PrimDefaultPredicate)
        bindings = cache.ComputeSkelBindings(skel_root, Usd.PrimDefaultPredicate)
        query = cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/person/Skeleton")))
        assert query.GetAnimQuery().GetPrim().GetName() == body
        assert len(bindings[0].GetSkinningTargets()) == len(
            [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
        )


def test_weights_sum_to_one_over_at_most_four_joints(person: Entry) -> None:
    stage = Usd.Stage.Open(str(person.file))
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Mesh):
            primvar = UsdGeom.PrimvarsAPI(prim).GetPrimvar("skel:jointWeights")
            weights = np.asarray(primvar.Get()).reshape(-1, primvar.GetElementSize())
            assert weights.shape[1] <= 4
            assert (weights.sum(axis=1) == 1).all()


@pytest.mark.parametrize("outfit", OUTFITS)
@pytest.mark.parametrize("body", ["man_heavy", "woman_slim"])
def test_clothes_lie_outside_the_tights_they_are_cut_from(
    cast: Cast, outfit: str, body: str
) -> None:
    points = cast.body(body).points
    for cloth in (cast.tailor.lay(garment, points) for garment in OUTFITS[outfit]):
        if cloth.slot == "shoe":
            continue  # soles are pressed flat onto the floor
        surface = cast.tailor._cuts[cloth.name].on(points)
        laid = cloth.points[: len(surface.points)]
        clearance = ((laid - surface.points) * surface.normals).sum(axis=1)
        assert np.quantile(clearance, 0.05) > 0
        assert np.isfinite(cloth.points).all()
        assert cloth.weights.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_the_swept_radius_holds_the_body_over_the_whole_motion(person: Entry, cast: Cast) -> None:
    assert person.character is not None
    for name, info in person.character.motions.items():
        for body in ("man_average", "woman_curvy"):
            solved = solve(cast.body(body).skeleton, MOTIONS[name]())
            reach = np.linalg.norm(solved.positions[..., :2], axis=-1).max()
            assert reach < info.swept_radius
        assert info.fps == 24.0
        assert info.end == MOTIONS[name]().frames - 1


@pytest.mark.parametrize("motion", ["walk", "sit", "carry"])
def test_the_swept_radius_holds_every_drawn_point(person: Entry, motion: str) -> None:
    assert person.character is not None
    info = person.character.motions[motion]
    stage = Usd.Stage.Open(str(person.file))
    selection = {"body": "man_heavy", "clothing": "coat", "hair": "long", "motion": motion}
    apply_selection(stage.GetDefaultPrim(), selection)
    geometry = SceneGeometry(stage, stage.GetDefaultPrim())
    reach = max(
        float(np.linalg.norm(surface.points_in_world()[:, :2], axis=1).max())
        for time in np.linspace(info.start, info.end, 5)
        for surface in geometry.surfaces(time)
    )
    assert 0.5 * info.swept_radius < reach < info.swept_radius


@pytest.mark.parametrize("body", ["man_heavy", "woman_slim"])
def test_a_carried_box_stays_between_the_hands(cast: Cast, body: str) -> None:
    skeleton = cast.body(body).skeleton
    solved = solve(skeleton, MOTIONS["carry"]())
    matrices = Rotation.from_quat(solved.quaternions.reshape(-1, 4)).as_matrix()
    place, turn = skeleton.forward(matrices.reshape(solved.frames, -1, 3, 3), solved.root)
    chest = skeleton.index("Spine2")
    size = np.ptp(carried_box(skeleton.joints).mesh.points, axis=0)
    box = place_box(skeleton)
    for side, sign in (("Left", 1), ("Right", -1)):
        hand = [skeleton.index(f"{side}{name}") for name in ("Hand", "HandMiddle1")]
        palm = place[:, hand].mean(axis=1)
        in_chest = np.einsum("tij,ti->tj", turn[:, chest], palm - place[:, chest])
        in_box = (in_chest + skeleton.heads[chest] - box[:3, 3]) @ np.linalg.inv(box[:3, :3]).T
        width = np.linalg.norm(box[:3, 0])
        gap = (sign * in_box[:, 0] - size[0] / 2) * width  # from a side to the bones of its hand
        assert gap == pytest.approx(0.022, abs=0.005)
        assert (np.abs(in_box[:, 1:]) < size[1:] / 2).all()


def test_an_outfit_leaves_out_the_skin_it_covers_and_no_more(cast: Cast) -> None:
    template = cast.template
    faces = template.groups["body"]
    share = template.weights[faces].mean(axis=1)
    names = [name for name in template.joints if "Hand" in name or name == "Head"]
    bare = share[:, [template.joints.index(name) for name in names]].sum(axis=1) > 0.95
    for outfit, least in (("coat", 0.35), ("sport", 0.3), ("dress", 0.15)):
        shown = uncovered_faces(cast.tailor, OUTFITS[outfit])
        assert shown[bare].all()
        assert least < 1 - shown.mean() < 0.6


def test_hands_are_relaxed_at_rest(cast: Cast) -> None:
    skeleton = cast.body("man_average").skeleton
    _, turn = skeleton.forward(
        np.stack([rest.as_matrix() for rest in skeleton.rest])[None], skeleton.heads[:1]
    )
    for side in SIDES:
        bend = turn[0, skeleton.index(f"{side}HandMiddle3")] @ skeleton.rest[0].as_matrix()
        degrees = np.degrees(Rotation.from_matrix(bend).magnitude())
        assert 50 < degrees < 90


def test_without_anny_the_error_names_the_extra(monkeypatch) -> None:
    import importlib.util

    from assets_schema.library.characters import human

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"scaling4d\[library\]"):
        human._data_folder()


def test_building_a_person_imports_no_torch(tmp_path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from assets_schema.library.characters.cast import Cast;"
        "Cast().body('man_average'); assert not {'torch', 'anny'} & set(sys.modules)"
    )
    repository = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=repository)
