"""A small furnished room, authored in code, that stands in for the stages before render.

Everything that the renderers must get right is in it: a textured floor, a moving box, a body whose
points are animated, two instances of one prototype, a lamp, a sun, a sky and an emissive panel.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade, Vt

from houdini_pdg.camera_path.certificate import certify
from houdini_pdg.camera_path.lens import cone_in_image
from houdini_pdg.camera_path.path import poses
from houdini_pdg.camera_path.scene import Clip, Scene
from houdini_pdg.camera_path.splines import TimeSpline, through_ends
from houdini_pdg.camera_path.subjects import Subject
from houdini_pdg.files import write_json
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.plan import Item, Plan, make_plan, read_item, write_plan
from houdini_pdg.spec import parse_spec

LAYOUT = "wall_0=Wall(-2.5,-2.5,0,2.5,-2.5,0,2.6,0)\n"
UPSTREAM = ("layout", "characters", "compose", "trajectory")


def plan_of(root: Path, **values: object) -> Plan:
    """Plan a data set of this room and pretend that its stages before render have run."""
    spec = {"scenes": 1, "cameras": 3, "frames": 3, "height": 48, "width": 64, "fps": 8, **values}
    plan = make_plan(parse_spec(spec), root)
    write_plan(plan)
    for scene in plan.scenes:
        item = read_item(plan.item_path(scene.scene_id))
        author(item)
        for stage in UPSTREAM:
            write_json(item.marker(stage), {"status": "ok", "report": {}, "outputs": {}})
    return plan


def author(item: Item) -> None:
    """Write scene.usda, its texture, cameras.json and the small text files into the work folder."""
    spec, work = item.spec, item.work
    work.mkdir(parents=True, exist_ok=True)
    characters: dict[str, object] = {"fps": spec.fps, "characters": []}
    clip = Clip(spec.frames, spec.fps, spec.height, spec.width)
    scene = Scene(parse_layout(LAYOUT), characters, clip, spec.trajectory)
    (work / "layout.txt").write_text(LAYOUT)
    write_json(work / "characters.json", characters)
    write_json(work / "scene.json", {"caption": "a room with a box that slides", "assets": {}})
    _texture(work / "floor.png")
    _stage(work / "scene.usda", spec.frames, spec.fps)
    write_json(
        work / "cameras.json",
        {
            "fps": spec.fps,
            "height": spec.height,
            "width": spec.width,
            "cameras": {f"cam{k}": _camera(k, scene) for k in range(spec.cameras)},
        },
    )


def intrinsics(height: int, width: int, camera: int = 0) -> NDArray[np.float64]:
    """An uneven pinhole: pixels that are not square and a principal point off the centre."""
    f = 0.9 * width
    fy = f * (1.0 + 0.06 * camera)
    return np.array(
        [[f, 0, width / 2 + 1.5 * camera], [0, fy, height / 2 - 0.75 * camera], [0, 0, 1.0]]
    )


def _camera(index: int, scene: Scene) -> dict[str, object]:
    """An orbit of 3 degrees a frame about the middle of the room, with its proof."""
    clip = scene.clip
    joints = np.arange(max(clip.frames, 2))
    angle = np.radians(-90 + 22 * index + 3 * joints)
    height = np.full(len(joints), 1.3 + 0.1 * index)
    eyes = np.stack([1.9 * np.cos(angle), 1.9 * np.sin(angle), height], axis=1)
    middle = np.tile([0.1, 0.3, 0.6], (len(joints), 1))
    eye, aim, roll = (
        TimeSpline(through_ends(samples), clip.duration)
        for samples in (eyes, middle, np.zeros((len(joints), 1)))
    )
    matrices = np.repeat(intrinsics(clip.height, clip.width, index)[None], clip.frames, 0)
    subject = Subject("middle", middle[: clip.frames], clip.fps)
    certificate = certify(
        eye,
        aim,
        [subject],
        solids=scene.solids,
        people=scene.people,
        clearance=scene.config.clearance,
        half_angle=cone_in_image(matrices, clip.height, clip.width, scene.config.frame_margin),
        layout=scene.layout,
        characters=scene.characters,
    )
    curves = {"eye": eye, "aim": aim, "roll": roll}
    return {
        "intrinsics": matrices.tolist(),
        "world_from_camera": poses(
            eye(clip.times), aim(clip.times), roll(clip.times)[:, 0]
        ).tolist(),
        "style": "orbit",
        "poi": [{"name": subject.name, "track": subject.track.tolist()}],
        "spline": {
            "duration": clip.duration,
            **{name: curve.control.tolist() for name, curve in curves.items()},
        },
        "certificate": certificate,
    }


def _texture(path: Path) -> None:
    rng = np.random.default_rng(5)
    coarse = rng.integers(60, 230, (16, 16, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), image)


def _stage(path: Path, frames: int, fps: float) -> None:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(frames - 1)
    world = UsdGeom.Xform.Define(stage, "/World")
    stage.SetDefaultPrim(world.GetPrim())
    for scope in ("Room", "Objects", "Characters", "Lights"):
        UsdGeom.Xform.Define(stage, f"/World/{scope}")
    floor = material(stage, "floor", (0.5, 0.5, 0.5), texture="./floor.png")
    wall = material(stage, "wall", (0.72, 0.70, 0.66))
    red = material(stage, "red", (0.7, 0.12, 0.1))
    blue = material(stage, "blue", (0.1, 0.25, 0.65))
    glow = material(stage, "glow", (0.0, 0.0, 0.0), emission=(4.0, 3.4, 2.6))
    size = 2.5
    quad(
        stage,
        "/World/Room/floor",
        floor,
        [(-size, -size, 0), (size, -size, 0), (size, size, 0), (-size, size, 0)],
    )
    quad(
        stage,
        "/World/Room/ceiling",
        wall,
        [(-size, -size, 2.6), (-size, size, 2.6), (size, size, 2.6), (size, -size, 2.6)],
    )
    quad(
        stage,
        "/World/Room/wall_0",
        floor,
        [(-size, size, 0), (size, size, 0), (size, size, 2.6), (-size, size, 2.6)],
    )
    quad(
        stage,
        "/World/Room/wall_1",
        wall,
        [(-size, -size, 0), (-size, size, 0), (-size, size, 2.6), (-size, -size, 2.6)],
    )
    quad(
        stage,
        "/World/Room/wall_2",
        wall,
        [(size, size, 0), (size, -size, 0), (size, -size, 2.6), (size, size, 2.6)],
    )
    quad(
        stage,
        "/World/Room/panel",
        glow,
        [
            (0.4, size - 0.01, 1.2),
            (1.2, size - 0.01, 1.2),
            (1.2, size - 0.01, 2.0),
            (0.4, size - 0.01, 2.0),
        ],
    )
    mover = box(stage, "/World/Objects/mover", red, (0.5, 0.5, 0.5))
    translate = mover.AddTranslateOp()
    for frame in range(frames):
        translate.Set(Gf.Vec3d(-0.9 + 0.25 * frame, 0.4, 0.25), frame)
    _instances(stage, blue)
    _bending_body(stage, wall, frames)
    _lights(stage)
    stage.GetRootLayer().Save()


def material(
    stage: Usd.Stage,
    name: str,
    colour: tuple[float, float, float],
    *,
    texture: str | None = None,
    emission: tuple[float, float, float] | None = None,
) -> UsdShade.Material:
    """A UsdPreviewSurface, with its diffuse colour from a texture when one is named."""
    look = UsdShade.Material.Define(stage, f"/World/Looks/{name}")
    shader = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(0.7)
    diffuse = shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    diffuse.Set(Gf.Vec3f(*colour))
    if emission:
        shader.CreateInput("emissiveColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*emission))
    if texture:
        reader = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/st")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        image = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/image")
        image.CreateIdAttr("UsdUVTexture")
        image.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(texture)
        image.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
        image.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
            reader.ConnectableAPI(), "result"
        )
        diffuse.ConnectToSource(image.ConnectableAPI(), "rgb")
    look.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return look


def quad(
    stage: Usd.Stage,
    path: str,
    look: UsdShade.Material,
    corners: list[tuple[float, float, float]],
) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*corner) for corner in corners])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    mesh.CreateSubdivisionSchemeAttr("none")
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
    )
    st.Set([Gf.Vec2f(0, 0), Gf.Vec2f(1, 0), Gf.Vec2f(1, 1), Gf.Vec2f(0, 1)])
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(look)
    return mesh


_CUBE_FACES = [0, 3, 2, 1, 4, 5, 6, 7, 0, 1, 5, 4, 1, 2, 6, 5, 2, 3, 7, 6, 3, 0, 4, 7]


def box(
    stage: Usd.Stage, path: str, look: UsdShade.Material, extent: tuple[float, float, float]
) -> UsdGeom.Xform:
    """A box mesh centred on its Xform."""
    x, y, z = (e / 2 for e in extent)
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    points = [Gf.Vec3f(a, b, c) for c in (-z, z) for a, b in corners]
    transform = UsdGeom.Xform.Define(stage, path)
    mesh = UsdGeom.Mesh.Define(stage, f"{path}/geometry")
    mesh.CreatePointsAttr(points)
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr(_CUBE_FACES)
    mesh.CreateSubdivisionSchemeAttr("none")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(look)
    return transform


def _instances(stage: Usd.Stage, look: UsdShade.Material) -> None:
    """Two instanceable references to one class, so that they share a prototype."""
    stage.CreateClassPrim("/Prototypes")
    box(stage, "/Prototypes/stool", look, (0.35, 0.35, 0.4))
    for index, (x, y) in enumerate([(-1.3, 1.2), (1.2, 0.9)]):
        prim = stage.DefinePrim(f"/World/Objects/stool_{index}", "Xform")
        prim.GetReferences().AddInternalReference("/Prototypes/stool")
        prim.SetInstanceable(True)
        UsdGeom.Xformable(prim).AddTranslateOp().Set(Gf.Vec3d(x, y, 0.2))


def _bending_body(stage: Usd.Stage, look: UsdShade.Material, frames: int) -> None:
    """A column whose points sway: what a character baked to points looks like to a renderer."""
    UsdGeom.Xform.Define(stage, "/World/Characters/person_0")
    mesh = UsdGeom.Mesh.Define(stage, "/World/Characters/person_0/body")
    rings, sides = 9, 12
    angles = np.arange(sides) * (2 * math.pi / sides)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1) * 0.18
    counts = [4] * ((rings - 1) * sides)
    faces = [
        index
        for r in range(rings - 1)
        for s in range(sides)
        for index in (
            r * sides + s,
            r * sides + (s + 1) % sides,
            (r + 1) * sides + (s + 1) % sides,
            (r + 1) * sides + s,
        )
    ]
    mesh.CreateFaceVertexCountsAttr(counts)
    mesh.CreateFaceVertexIndicesAttr(faces)
    mesh.CreateSubdivisionSchemeAttr("none")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(look)
    attribute = mesh.CreatePointsAttr()
    for frame in range(frames):
        points = []
        for ring in range(rings):
            z = 1.6 * ring / (rings - 1)
            lean = 0.12 * frame * (z / 1.6) ** 2
            points.append(
                np.column_stack([circle + np.array([0.6 + lean, 1.4]), np.full(sides, z)])
            )
        attribute.Set(Vt.Vec3fArray.FromNumpy(np.concatenate(points).astype(np.float32)), frame)


def _lights(stage: Usd.Stage) -> None:
    sky = UsdLux.DomeLight.Define(stage, "/World/Lights/sky")
    sky.CreateIntensityAttr(0.5)
    sky.CreateColorAttr(Gf.Vec3f(0.7, 0.8, 1.0))
    lamp = UsdLux.RectLight.Define(stage, "/World/Lights/ceiling")
    lamp.CreateWidthAttr(0.8)
    lamp.CreateHeightAttr(0.8)
    lamp.CreateIntensityAttr(14.0)
    lamp.CreateColorAttr(Gf.Vec3f(1.0, 0.9, 0.78))
    UsdGeom.Xformable(lamp).AddTranslateOp().Set(Gf.Vec3d(0, 0, 2.55))
    sun = UsdLux.DistantLight.Define(stage, "/World/Lights/sun")
    sun.CreateIntensityAttr(1.0)
    sun.CreateAngleAttr(0.53)
    sun.CreateNormalizeAttr(True)
    UsdGeom.Xformable(sun).AddRotateXYZOp().Set(Gf.Vec3f(40, 0, 30))


def camera_arrays(work: Path, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intrinsics (T, 3, 3) and world_from_camera (T, 4, 4) of one camera of ``cameras.json``."""
    camera = json.loads((work / "cameras.json").read_text())["cameras"][name]
    return np.array(camera["intrinsics"]), np.array(camera["world_from_camera"])
