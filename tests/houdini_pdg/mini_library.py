"""A small asset library built in code: boxes for every category and one skinned puppet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt

from assets_schema.catalog import Catalog
from assets_schema.describe import content_hash
from assets_schema.entry import CharacterInfo, Entry, MotionInfo
from assets_schema.mesh_layer import MeshData
from assets_schema.package import AssetPackage, PreviewSurface
from assets_schema.read_variants import read_variant_sets
from houdini_pdg.layout.groups import GROUPS

CATEGORIES = [
    "bed",
    "nightstand",
    "table_lamp",
    "carpet",
    "painting",
    "sofa",
    "coffee_table",
    "potted_bonsai",
    "side_table",
    "chair",
    "tv_cabinet",
    "tv",
    "plants",
    "dining_table",
    "dining_chair",
    "desk",
    "computer",
    "refrigerator",
    "cupboard",
    "stove",
    "sink",
    "range_hood",
    "wall_cabinet",
    "micro-wave_oven",
    "wardrobe",
    "bookcase",
    "sideboard",
    "shoe_cabinet",
    "stool",
    "mirror",
    "curtain",
    "air_conditioner",
    "chandelier",
    "ceiling_light",
    "ornaments",
    "vase",
    "books",
    "floor-standing_lamp",
]
assert GROUPS

_FACES = np.array(
    [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
)
_WALK_SPEED = 1.0  # metres per second


def box_points(low: tuple[float, float, float], high: tuple[float, float, float]) -> np.ndarray:
    (x0, y0, z0), (x1, y1, z1) = low, high
    return np.array(
        [
            [x0, y0, z0],
            [x1, y0, z0],
            [x1, y1, z0],
            [x0, y1, z0],
            [x0, y0, z1],
            [x1, y0, z1],
            [x1, y1, z1],
            [x0, y1, z1],
        ]
    )


def write_mini_library(folder: Path) -> Path:
    """Write the library below `folder` and return its catalogue file."""
    catalog = Catalog(root=folder)
    for category in CATEGORIES:
        catalog.add(_write_box(folder, category))
    catalog.add(write_puppet(folder))
    catalog.save(folder / "catalog.yaml")
    return folder / "catalog.yaml"


def _write_box(folder: Path, category: str) -> Entry:
    name = f"box_{category}".replace("-", "_")
    package = AssetPackage(
        name, category, fit_mode="uniform" if category == "plants" else "stretch"
    )
    for shape, width in (("narrow", 0.5), ("wide", 1.0)):
        points = box_points((-width / 2, -0.25, 0.0), (width / 2, 0.25, 0.5))
        mesh = MeshData(
            "body",
            points,
            np.full(6, 4),
            _FACES.ravel(),
            np.tile(np.eye(4, 2), (6, 1)),
            None,
            "body",
        )
        package.add_geometry_variant("geometry", shape, [mesh])
    for look, colour in (("red", (0.6, 0.2, 0.2)), ("blue", (0.2, 0.3, 0.6))):
        package.add_look_variant("look", look, {"body": PreviewSurface(diffuse=colour)})
    return package.write(folder / category / name, library_root=folder)


def write_puppet(folder: Path) -> Entry:
    """A two-joint figure that faces -y: variant sets body, clothing, hair and motion."""
    file = folder / "character" / "puppet.usda"
    file.parent.mkdir(parents=True, exist_ok=True)
    stage = Usd.Stage.CreateNew(str(file))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(24)
    root = UsdGeom.Xform.Define(stage, "/puppet")
    stage.SetDefaultPrim(root.GetPrim())
    skel_root = UsdSkel.Root.Define(stage, "/puppet/figure")
    skeleton = UsdSkel.Skeleton.Define(stage, "/puppet/figure/skeleton")
    joints = Vt.TokenArray(["hips", "hips/chest"])
    rest = [Gf.Matrix4d().SetTranslate((0, 0, 0.9)), Gf.Matrix4d().SetTranslate((0, 0, 0.3))]
    bind = [rest[0], Gf.Matrix4d().SetTranslate((0, 0, 1.2))]
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateRestTransformsAttr(rest)
    skeleton.CreateBindTransformsAttr(bind)
    UsdSkel.BindingAPI.Apply(skel_root.GetPrim()).CreateSkeletonRel().SetTargets(
        [skeleton.GetPath()]
    )
    sets = root.GetPrim().GetVariantSets()
    for name, tall in (("average", 1.7), ("tall", 1.9)):
        with _edit(sets, "body", name):
            _skinned_box(stage, "/puppet/figure/body", (-0.2, -0.12, 0.0), (0.2, 0.12, tall))
    for name in ("coat", "shirt"):
        with _edit(sets, "clothing", name):
            width = 0.24 if name == "coat" else 0.22
            _skinned_box(stage, "/puppet/figure/cloth", (-width, -0.14, 0.9), (width, 0.14, 1.5))
    for name in ("none", "tuft"):
        with _edit(sets, "hair", name):
            if name == "tuft":
                _skinned_box(stage, "/puppet/figure/hair", (-0.1, -0.1, 1.6), (0.1, 0.1, 1.95))
    for name in ("idle", "walk", "sit"):
        with _edit(sets, "motion", name):
            _animate(stage, skeleton, joints, name)
    for name, value in (("body", "average"), ("clothing", "coat"), ("hair", "none")):
        sets.GetVariantSet(name).SetVariantSelection(value)
    sets.GetVariantSet("motion").SetVariantSelection("idle")
    stage.GetRootLayer().Save()
    entry = Entry("puppet", "character/puppet.usda", "character", kind="character", root=folder)
    entry.variants = read_variant_sets(stage)
    entry.content_hash = content_hash(file)
    entry.character = CharacterInfo(
        motions={
            "idle": MotionInfo(0, 48, loop=True, swept_radius=0.4),
            "walk": MotionInfo(0, 96, root_motion=True, swept_radius=4.3),
            "sit": MotionInfo(0, 24, swept_radius=0.4),
        }
    )
    return entry


def _edit(sets: Usd.VariantSets, name: str, variant: str) -> object:
    variant_set = sets.AddVariantSet(name)
    variant_set.AddVariant(variant)
    variant_set.SetVariantSelection(variant)
    return variant_set.GetVariantEditContext()


def _skinned_box(
    stage: Usd.Stage, path: str, low: tuple[float, float, float], high: tuple[float, float, float]
) -> None:
    mesh = UsdGeom.Mesh.Define(stage, path)
    points = box_points(low, high)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points.astype(np.float32)))
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr(_FACES.ravel().tolist())
    mesh.CreateSubdivisionSchemeAttr("none")
    normals = points - points.mean(axis=0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals.astype(np.float32)))
    mesh.SetNormalsInterpolation("vertex")
    mesh.CreateDisplayColorAttr([(0.5, 0.4, 0.6)])
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    joint = (points[:, 2] > 1.0).astype(int)
    binding.CreateJointIndicesPrimvar(False, 1).Set(Vt.IntArray(joint.tolist()))
    binding.CreateJointWeightsPrimvar(False, 1).Set(Vt.FloatArray([1.0] * len(points)))


def _animate(
    stage: Usd.Stage, skeleton: UsdSkel.Skeleton, joints: Vt.TokenArray, motion: str
) -> None:
    animation = UsdSkel.Animation.Define(stage, "/puppet/figure/animation")
    animation.CreateJointsAttr(joints)
    moves, turns, scales = (
        animation.CreateTranslationsAttr(),
        animation.CreateRotationsAttr(),
        animation.CreateScalesAttr(),
    )
    last = {"idle": 48, "walk": 96, "sit": 24}[motion]
    for code in range(last + 1):
        ahead = -_WALK_SPEED * code / 24 if motion == "walk" else 0.0
        drop = -0.4 * code / 24 if motion == "sit" else 0.0
        sway = 0.2 * np.sin(2 * np.pi * code / 24)
        moves.Set([Gf.Vec3f(0, ahead, 0.9 + drop), Gf.Vec3f(0, 0, 0.3)], code)
        half = sway / 2
        bend = Gf.Quatf(float(np.cos(half)), 0, float(np.sin(half)), 0)
        turns.Set(Vt.QuatfArray([Gf.Quatf(1), bend]), code)
        scales.Set(Vt.Vec3hArray([Gf.Vec3h(1), Gf.Vec3h(1)]), code)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
