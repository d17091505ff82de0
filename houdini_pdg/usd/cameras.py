"""cameras.usda: the planned cameras as UsdGeomCamera prims, to be sublayered by the scene."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Gf, Usd, UsdGeom

from .stage import new_stage

CLIPPING_RANGE = (0.02, 200.0)
_USD_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])  # USD looks down -z with y up


def write_cameras(document: Mapping[str, Any], path: Path, *, frames: int) -> None:
    """Write the cameras of a cameras.json document; frame i is time code i.

    Focal length and apertures are in tenths of the stage's unit; their ratio is what counts.
    """
    stage = new_stage(frames, float(document["fps"]))
    stage.OverridePrim("/World").ClearMetadata("kind")
    UsdGeom.Scope.Define(stage, "/World/Cameras")
    height, width = int(document["height"]), int(document["width"])
    for name, camera in document["cameras"].items():
        _author_camera(stage, name, camera, height, width)
    stage.GetRootLayer().Export(str(path))


def _author_camera(
    stage: Usd.Stage, name: str, camera: Mapping[str, Any], height: int, width: int
) -> None:
    prim = UsdGeom.Camera.Define(stage, f"/World/Cameras/{name}")
    intrinsics = np.asarray(camera["intrinsics"], dtype=float)
    aperture = float(camera["lens"]["sensor_width_mm"])
    prim.CreateHorizontalApertureAttr(aperture)
    prim.CreateVerticalApertureAttr(aperture * height / width)
    prim.CreateClippingRangeAttr(Gf.Vec2f(*CLIPPING_RANGE))
    prim.CreateFStopAttr(0.0)
    focal = intrinsics[:, 0, 0] * aperture / width
    attribute = prim.CreateFocalLengthAttr()
    if np.ptp(focal) == 0:
        attribute.Set(float(focal[0]))
    else:
        for frame, value in enumerate(focal):
            attribute.Set(float(value), frame)
    operation = prim.MakeMatrixXform()
    for frame, pose in enumerate(np.asarray(camera["world_from_camera"], dtype=float)):
        operation.Set(Gf.Matrix4d(*(pose @ _USD_FROM_OPENCV).T.reshape(-1).tolist()), frame)
