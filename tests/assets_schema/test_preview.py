"""The preview renderer is the depth oracle of the project, so it is held to closed forms."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, Vt

from assets_schema.preview import PreviewRenderer
from assets_schema.scene_geometry import SceneGeometry

from .builders import write_stool

K = np.array([[120.0, 0, 40], [0, 110.0, 30], [0, 0, 1]])
HEIGHT, WIDTH = 60, 80


def make_stage() -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    return stage


def camera_at(eye: tuple[float, float, float], target: tuple[float, float, float]) -> np.ndarray:
    forward = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose


def add_quad(stage: Usd.Stage, path: str, points: list[tuple[float, float, float]]) -> UsdGeom.Mesh:
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*p) for p in points])
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    mesh.CreateSubdivisionSchemeAttr("none")
    return mesh


def wall(stage: Usd.Stage, path: str, y: float, half: float = 50.0) -> UsdGeom.Mesh:
    corners = [(-half, y, -half), (half, y, -half), (half, y, half), (-half, y, half)]
    return add_quad(stage, path, corners)


def render(stage: Usd.Stage, pose: np.ndarray, time: float | None = None, **options: object):
    return PreviewRenderer(stage).render(K, pose, HEIGHT, WIDTH, time, **options)


def test_depth_of_a_slanted_plane_is_planar_z_at_pixel_centres() -> None:
    stage = make_stage()
    points = [(-20, 4, -20), (20, 9, -20), (20, 9, 20), (-20, 4, 20)]
    add_quad(stage, "/Wall", points)
    pose = camera_at((0.3, -1, 0.2), (0.5, 4, 0.4))
    normal = np.cross([40, 5, 0], [0, 0, 40.0])
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([(x - 40) / 120, (y - 30) / 110, np.ones_like(x)], -1) @ pose[:3, :3].T
    expected = (np.array([-20, 4, -20]) - pose[:3, 3]) @ normal / (rays @ normal)
    np.testing.assert_allclose(render(stage, pose).depth, expected, rtol=1e-6)


def test_depth_of_a_sphere_matches_the_closed_form_within_its_facets() -> None:
    stage = make_stage()
    UsdGeom.Sphere.Define(stage, "/Ball").CreateRadiusAttr(1.0)
    pose = camera_at((0, -5, 0), (0, 0, 0))
    frame = render(stage, pose)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([(x - 40) / 120, (y - 30) / 110, np.ones_like(x)], -1)
    a, b, c = (rays**2).sum(-1), -10 * rays[..., 2], 24.0
    discriminant = b * b - 4 * a * c
    expected = np.where(discriminant > 0, (-b - np.sqrt(np.abs(discriminant))) / (2 * a), np.inf)
    inner = discriminant > 2.0  # the silhouette of the facets lies a little inside
    assert np.abs(frame.depth[inner] - expected[inner]).max() < 0.01
    assert np.isinf(frame.depth[discriminant < 0]).all()


def test_pixels_without_a_surface_have_infinite_depth_and_id_zero() -> None:
    frame = render(make_stage(), np.eye(4))
    assert np.isinf(frame.depth).all()
    assert (frame.instance_id == 0).all()


def test_references_and_native_instances_are_drawn_with_their_own_ids(tmp_path) -> None:
    entry = write_stool(tmp_path)
    stage = make_stage()
    for name, x in (("Left", -0.5), ("Right", 0.5)):
        prim = stage.DefinePrim(f"/World/{name}", "Xform")
        prim.GetReferences().AddReference(str(entry.file))
        prim.SetInstanceable(True)
        UsdGeom.Xformable(prim).AddTranslateOp().Set(Gf.Vec3d(x, 0, 0))
    frame = render(stage, camera_at((0, -3, 0.3), (0, 0, 0.3)))
    left, right = (frame.instance_paths.index(f"/World/{name}") for name in ("Left", "Right"))
    assert (frame.instance_id[:, :40] == left).any()
    assert (frame.instance_id[:, 40:] == right).any()
    assert not (frame.instance_id[:, 40:] == left).any()
    assert frame.depth[np.isfinite(frame.depth)].min() == pytest.approx(2.8, abs=1e-6)


def test_point_instancer_places_each_copy() -> None:
    stage = make_stage()
    instancer = UsdGeom.PointInstancer.Define(stage, "/Clutter")
    cube = UsdGeom.Cube.Define(stage, "/Clutter/Prototypes/Cube")
    cube.CreateSizeAttr(0.5)
    instancer.CreatePrototypesRel().AddTarget(cube.GetPath())
    instancer.CreateProtoIndicesAttr([0, 0, 0])
    instancer.CreatePositionsAttr([(-1, 0, 0), (1, 0, 0), (0, 0, 50)])
    UsdGeom.Xformable(instancer).AddTranslateOp().Set(Gf.Vec3d(0, 2, 0))
    frame = render(stage, camera_at((0, -4, 0), (0, 0, 0)))
    assert frame.instance_paths[1:] == ("/Clutter[0]", "/Clutter[1]", "/Clutter[2]")
    assert set(np.unique(frame.instance_id)) == {0, 1, 2}
    assert frame.depth.min() == pytest.approx(5.75, rel=1e-6)


def test_visibility_and_purpose_hide_surfaces() -> None:
    stage = make_stage()
    wall(stage, "/Far", 8.0)
    hidden = wall(stage, "/Hidden", 2.0)
    UsdGeom.Imageable(hidden).MakeInvisible()
    UsdGeom.Imageable(wall(stage, "/Guide", 3.0)).CreatePurposeAttr("guide")
    assert render(stage, camera_at((0, 0, 0), (0, 1, 0))).depth.min() == pytest.approx(8.0)


def test_time_sampled_points_transforms_and_visibility_follow_the_time_code() -> None:
    stage = make_stage()
    wall(stage, "/Back", 30.0)
    moving = wall(stage, "/Moving", 5.0, half=2.0)
    moving.GetPointsAttr().Set(moving.GetPointsAttr().Get(), 0.0)
    moved = [Gf.Vec3f(p[0], p[1] + 2, p[2]) for p in moving.GetPointsAttr().Get(0.0)]
    moving.GetPointsAttr().Set(moved, 10.0)
    translate = UsdGeom.Xformable(moving).AddTranslateOp()
    translate.Set(Gf.Vec3d(0, 0, 0), 0.0)
    translate.Set(Gf.Vec3d(0, 3, 0), 10.0)
    visibility = UsdGeom.Imageable(moving).CreateVisibilityAttr()
    visibility.Set("inherited", 0.0)
    visibility.Set("invisible", 20.0)
    renderer = PreviewRenderer(stage)
    pose = camera_at((0, 0, 0), (0, 1, 0))
    for time, expected in ((0.0, 5.0), (5.0, 7.5), (10.0, 10.0), (20.0, 30.0), (0.0, 5.0)):
        depth = renderer.render(K, pose, HEIGHT, WIDTH, time).depth
        assert depth[30, 40] == pytest.approx(expected, rel=1e-6)


def test_subset_materials_colour_their_faces_only() -> None:
    stage = make_stage()
    mesh = UsdGeom.Mesh.Define(stage, "/Wall")
    xs = (-50.0, 0.0, 50.0)
    mesh.CreatePointsAttr([Gf.Vec3f(x, 5, z) for z in (-50, 50) for x in xs])
    mesh.CreateFaceVertexCountsAttr([4, 4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 4, 3, 1, 2, 5, 4])
    for name, face, color in (("Red", 0, (1, 0, 0)), ("Blue", 1, (0, 0, 1))):
        material = UsdShade.Material.Define(stage, f"/{name}")
        shader = UsdShade.Shader.Define(stage, f"/{name}/S")
        shader.CreateIdAttr("UsdPreviewSurface")
        shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(color)
        material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
        subset = UsdGeom.Subset.CreateGeomSubset(mesh, name, "face", [face], "materialBind")
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    rgb = render(stage, camera_at((0, 0, 0), (0, 1, 0))).rgb
    assert (rgb[:, :39, 0] > 0).all()
    assert (rgb[:, :39, 1:] == 0).all()
    assert (rgb[:, 41:, 2] > 0).all()
    assert (rgb[:, 41:, :2] == 0).all()


def test_texture_appears_upright_and_unmirrored(tmp_path) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4, :4] = (0, 0, 255)  # BGR: red in the upper left
    image[:4, 4:] = (0, 255, 0)
    cv2.imwrite(str(tmp_path / "corner.png"), image)
    stage = make_stage()
    mesh = wall(stage, "/Wall", 5.0, half=2.0)
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying"
    )
    primvar.Set([(0, 0), (1, 0), (1, 1), (0, 1)])
    material = UsdShade.Material.Define(stage, "/M")
    shader = UsdShade.Shader.Define(stage, "/M/S")
    shader.CreateIdAttr("UsdPreviewSurface")
    texture = UsdShade.Shader.Define(stage, "/M/T")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(str(tmp_path / "corner.png"))
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(
        texture.ConnectableAPI(), "rgb"
    )
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    rgb = render(stage, camera_at((0, 0, 0), (0, 1, 0))).rgb.astype(int)
    assert rgb[20, 25, 0] > 100 > rgb[20, 25, 1] + 90
    assert rgb[20, 55, 1] > 100 > rgb[20, 55, 0] + 90
    assert rgb[45, 25].max() == 0


def test_colour_of_a_point_does_not_depend_on_the_camera() -> None:
    stage = make_stage()
    UsdGeom.Cube.Define(stage, "/Cube").CreateDisplayColorAttr([(0.5, 0.4, 0.3)])
    colors = [
        render(stage, camera_at(eye, (0.0, -1.0, 0.0))).rgb[30, 40]
        for eye in ((0.0, -6.0, 0.0), (3.0, -5.0, 1.0), (-2.0, -4.0, -1.0))
    ]
    assert np.ptp(np.array(colors, int), axis=0).max() <= 1


def test_y_up_centimetres_are_drawn_in_metres_z_up() -> None:
    stage = make_stage()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)
    cube = UsdGeom.Cube.Define(stage, "/Cube")
    cube.CreateSizeAttr(20.0)
    UsdGeom.Xformable(cube).AddTranslateOp().Set(Gf.Vec3d(0, 0, 100))  # 1 m towards a y-up front
    frame = render(stage, camera_at((0, -4, 0), (0, 0, 0)))
    assert frame.depth.min() == pytest.approx(4 - 1 - 0.1, rel=1e-6)


def test_skinned_points_equal_usd_baked_skinning() -> None:
    stage = skinned_stage()
    geometry = SceneGeometry(stage)
    posed = {t: next(iter(geometry.surfaces(t))).points_in_world() for t in (0.0, 5.0, 10.0)}
    assert UsdSkel.BakeSkinning(UsdSkel.Root.Get(stage, "/Root"), Gf.Interval(0, 10))
    baked = UsdGeom.Mesh.Get(stage, "/Root/Arm").GetPointsAttr()
    for time in (0.0, 10.0):
        np.testing.assert_allclose(posed[time], np.array(baked.Get(time)), atol=1e-6)
    assert np.abs(posed[10.0] - posed[0.0]).max() > 0.5


def skinned_stage() -> Usd.Stage:
    """A strip of two joints whose upper one turns by 90 degrees over ten time codes."""
    stage = make_stage()
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(10)
    UsdSkel.Root.Define(stage, "/Root")
    skeleton = UsdSkel.Skeleton.Define(stage, "/Root/Skeleton")
    skeleton.CreateJointsAttr(["a", "a/b"])
    lower, upper = Gf.Matrix4d(1), Gf.Matrix4d().SetTranslate((0, 0, 1))
    skeleton.CreateBindTransformsAttr(Vt.Matrix4dArray([lower, upper]))
    skeleton.CreateRestTransformsAttr(Vt.Matrix4dArray([lower, upper]))
    animation = UsdSkel.Animation.Define(stage, "/Root/Skeleton/Turn")
    animation.CreateJointsAttr(["a", "a/b"])
    animation.CreateTranslationsAttr([(0, 0, 0), (0, 0, 1)])
    animation.CreateScalesAttr([(1, 1, 1), (1, 1, 1)])
    rotations = animation.CreateRotationsAttr()
    for time, angle in ((0.0, 0.0), (10.0, 90.0)):
        quaternion = Gf.Quatf(Gf.Rotation((0, 1, 0), angle).GetQuat())
        rotations.Set(Vt.QuatfArray([Gf.Quatf(1), quaternion]), time)
    mesh = add_quad(stage, "/Root/Arm", [(0, 0, 0), (0.2, 0, 0), (0.2, 0, 2), (0, 0, 2)])
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().AddTarget(skeleton.GetPath())
    binding.CreateJointIndicesPrimvar(False, 1).Set([0, 0, 1, 1])
    binding.CreateJointWeightsPrimvar(False, 1).Set([1.0, 1.0, 1.0, 1.0])
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().AddTarget(
        animation.GetPath()
    )
    return stage


def test_wrong_matrix_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected intrinsics \(3, 3\)"):
        PreviewRenderer(make_stage()).render(np.eye(4), np.eye(4), 4, 4)
