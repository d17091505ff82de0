"""The layer that Karma renders: cameras, settings and render variables over a composed stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Usd, UsdGeom, UsdRender

from .base import CameraMotion, RenderJob

SETTINGS = "/Render/scaling4d"
CAMERAS = "/Render_cameras"
DEPTH, INSTANCE = "depth", "instance"
_FOCAL = 50.0  # tenths of a stage unit; only its ratio to the apertures means anything
_NEAR, _FAR = 0.01, 1000.0
# OpenCV's camera looks down +z with y down, USD's down -z with y up.
_OPENCV_FROM_USD = np.diag([1.0, -1.0, -1.0, 1.0])

# name, sourceName, sourceType, dataType, EXR format, Karma pixel filter (houdini.md section 3.3)
_VARIABLES = (
    ("C", "C.*", "lpe", "color4f", "color4h", None),
    (DEPTH, "ray:hitPz", "raw", "float", "float", '["minmax",{"mode":"zmin"}]'),
    (INSTANCE, "scaling4d_id", "primvar", "float", "float", '["minmax",{"mode":"idcover"}]'),
)


def write_karma_stage(path: Path, job: RenderJob) -> None:
    """Author cameras, settings and id primvars in a layer over ``job.stage``."""
    layer = Sdf.Layer.CreateNew(str(path))
    layer.subLayerPaths.append(job.stage.resolve().as_posix())
    stage = Usd.Stage.Open(layer)
    source = Sdf.Layer.FindOrOpen(str(job.stage))
    layer.defaultPrim = source.defaultPrim
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(job.fps)
    stage.SetStartTimeCode(job.start)
    stage.SetEndTimeCode(job.start + job.frames - 1)
    for name, camera in job.cameras.items():
        define_camera(stage, f"{CAMERAS}/{name}", camera, job)
    _number(stage, job.instances)
    _settings(stage, job)
    layer.Save()


def define_camera(stage: Usd.Stage, path: str, motion: CameraMotion, job: RenderJob) -> None:
    """A UsdGeom camera whose frustum is exactly the pinhole of each frame.

    With ``l = -aperture / 2 + offset`` as the left edge of the film window, the principal point is
    at pixel ``-l / aperture * width``; likewise from the top edge.
    """
    camera = UsdGeom.Camera.Define(stage, path)
    camera.CreateFocalLengthAttr(_FOCAL)
    camera.CreateClippingRangeAttr(Gf.Vec2f(_NEAR, _FAR))
    camera.CreateFStopAttr(0.0)
    camera.CreateShutterOpenAttr(0.0)
    camera.CreateShutterCloseAttr(0.0)
    matrix = camera.AddTransformOp()
    horizontal = camera.CreateHorizontalApertureAttr()
    vertical = camera.CreateVerticalApertureAttr()
    right = camera.CreateHorizontalApertureOffsetAttr()
    up = camera.CreateVerticalApertureOffsetAttr()
    for frame in range(job.frames):
        time = job.start + frame
        k = motion.intrinsics[frame]
        wide, high = job.width * _FOCAL / k[0, 0], job.height * _FOCAL / k[1, 1]
        horizontal.Set(float(wide), time)
        vertical.Set(float(high), time)
        right.Set(float(wide * (0.5 - k[0, 2] / job.width)), time)
        up.Set(float(high * (k[1, 2] / job.height - 0.5)), time)
        matrix.Set(_gf(motion.world_from_camera[frame] @ _OPENCV_FROM_USD), time)


def _gf(matrix: NDArray[np.float64]) -> Gf.Matrix4d:
    return Gf.Matrix4d(*matrix.T.ravel().tolist())  # Gf takes row vectors


def _number(stage: Usd.Stage, instances: Mapping[str, int]) -> None:
    for path, number in instances.items():
        api = UsdGeom.PrimvarsAPI(stage.OverridePrim(path))
        primvar = api.CreatePrimvar(
            "scaling4d_id", Sdf.ValueTypeNames.Float, UsdGeom.Tokens.constant
        )
        primvar.Set(float(number))


def _settings(stage: Usd.Stage, job: RenderJob) -> None:
    settings = UsdRender.Settings.Define(stage, SETTINGS)
    stage.SetMetadata("renderSettingsPrimPath", SETTINGS)
    product = UsdRender.Product.Define(stage, f"{SETTINGS}/product")
    product.CreateProductTypeAttr("raster")
    settings.CreateProductsRel().SetTargets([product.GetPath()])
    first = sorted(job.cameras)[0]
    for base in (settings, product):
        base.CreateResolutionAttr(Gf.Vec2i(job.width, job.height))
        base.CreateCameraRel().SetTargets([f"{CAMERAS}/{first}"])
        base.CreateDisableMotionBlurAttr(True)
        base.CreateDisableDepthOfFieldAttr(True)
        # Pixels may be other than square: keep the frustum, let the aspect be what it is.
        base.CreateAspectRatioConformPolicyAttr("adjustPixelAspectRatio")
    wanted = [v for v in _VARIABLES if v[0] != INSTANCE or job.instances]
    targets = [_variable(stage, *values).GetPath() for values in wanted]
    product.CreateOrderedVarsRel().SetTargets(targets)


def _variable(
    stage: Usd.Stage, name: str, source: str, kind: str, data: str, form: str, how: str | None
) -> Any:
    variable = UsdRender.Var.Define(stage, f"{SETTINGS}/vars/{name}")
    variable.CreateSourceNameAttr(source)
    variable.CreateSourceTypeAttr(kind)
    variable.CreateDataTypeAttr(data)
    driver = {"aov:name": name, "aov:husk:format": form}
    if how is not None:
        driver["aov:karma:filter"] = how
    for key, value in driver.items():
        token = key == "aov:husk:format"
        attribute = variable.GetPrim().CreateAttribute(
            f"driver:parameters:{key}",
            Sdf.ValueTypeNames.Token if token else Sdf.ValueTypeNames.String,
        )
        attribute.Set(value)
    return variable
