"""A camera on a USD stage, as Houdini, Blender and our own generator write it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes, z_up_from_y_up
from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given, frame_index_or_none, frame_numbers
from scaling4d.geometry.formats.text_tables import cleaned

FloatArray = npt.NDArray[np.float64]

USD = (
    "stage with a Camera prim: camera-to-world for row vectors, OpenGL axes (looks down -z, y up), "
    "the stage's up axis and metersPerUnit, lens as focal length and apertures in one unit"
)
_APERTURE = 20.955  # mm, horizontal; the default of the UsdGeomCamera schema


def read_usd_camera(path: Path, given: Given) -> CameraPath:
    """Read a camera of a USD stage over its time range, in metres and z up.

    ``given.camera`` is its prim path where the stage holds several. USD knows no pixels: the
    intrinsics need ``given.height`` and ``given.width``, and are None without them.
    """
    from pxr import Tf, Usd, UsdGeom

    if not path.exists():
        raise ValueError(f"cannot read {path} as USD: there is no such file")
    try:
        stage = Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        reasons = "; ".join(reason.commentary for reason in error.args)
        raise ValueError(f"cannot read {path} as USD: {reasons}") from None
    camera = _find_camera(stage, path, given.camera)
    codes = np.arange(stage.GetStartTimeCode(), stage.GetEndTimeCode() + 1e-6)
    rows = [UsdGeom.XformCache(c).GetLocalToWorldTransform(camera.GetPrim()) for c in codes]
    poses: FloatArray = np.array(rows, dtype=np.float64).swapaxes(1, 2)
    poses[:, :3, :3] /= np.linalg.norm(poses[:, :3, :3], axis=1, keepdims=True)
    poses[:, :3, 3] *= UsdGeom.GetStageMetersPerUnit(stage)
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        poses = z_up_from_y_up() @ poses
    intrinsics = None
    if given.height is not None and given.width is not None:
        intrinsics = np.stack([_lens(camera, c, given.height, given.width) for c in codes])
    return CameraPath(
        cleaned(convert_axes(poses, "usd", "opencv"), str(path)),
        intrinsics,
        given.height,
        given.width,
        times=codes / stage.GetTimeCodesPerSecond(),
        frame_index=frame_index_or_none(codes) if np.all(codes == np.rint(codes)) else None,
    )


def write_usd_camera(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a z-up stage in metres with one animated camera, by default at /cameras/camera.

    Frame i stands at time code i (its frame number). The lens is held in single precision, because
    the schema is.
    """
    from pxr import Usd

    height, width = cameras.require_size("USD")
    lens = cameras.require_intrinsics("USD")
    if path.suffix not in (".usd", ".usda", ".usdc"):
        raise ValueError(f"a USD camera is written to .usda, .usdc or .usd, got {path.name}")
    if np.any(np.diff(frame_numbers(cameras)) != 1):
        raise ValueError(
            "a USD camera holds consecutive frames, and this path has gaps: resample it"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".usd") as folder:
        temporary = Path(folder) / path.name
        stage = Usd.Stage.CreateNew(str(temporary))
        _author(stage, cameras, lens, (height, width), given)
        stage.Save()
        del stage
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)


def _author(
    stage: Any, cameras: CameraPath, lens: FloatArray, size: tuple[int, int], given: Given
) -> None:
    from pxr import Gf, Sdf, UsdGeom

    height, width = size
    index = frame_numbers(cameras)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(given.fps or 24.0)
    stage.SetStartTimeCode(float(index[0]))
    stage.SetEndTimeCode(float(index[-1]))
    prim_path = Sdf.Path(given.camera or "/cameras/camera")
    camera = UsdGeom.Camera.Define(stage, prim_path)
    stage.SetDefaultPrim(stage.GetPrimAtPath(prim_path.GetPrefixes()[0]))
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 1e4))
    operation = camera.AddTransformOp()
    attributes = (
        camera.CreateFocalLengthAttr(),
        camera.CreateHorizontalApertureAttr(),
        camera.CreateVerticalApertureAttr(),
        camera.CreateHorizontalApertureOffsetAttr(),
        camera.CreateVerticalApertureOffsetAttr(),
    )
    poses = convert_axes(cameras.world_from_camera, "opencv", "usd").swapaxes(1, 2)
    fx, fy, cx, cy = lens.T
    focal = fx / width * _APERTURE
    values = (
        focal,
        np.full(len(focal), _APERTURE),
        focal * height / fy,
        (width / 2 - cx) / width * _APERTURE,
        (cy - height / 2) / fy * focal,
    )
    for row, code in enumerate(index.tolist()):
        operation.Set(Gf.Matrix4d(poses[row]), code)
    for attribute, curve in zip(attributes, values, strict=True):
        if np.all(curve == curve[0]):
            attribute.Set(float(curve[0]))
            continue
        for code, value in zip(index.tolist(), curve.tolist(), strict=True):
            attribute.Set(value, code)


def _find_camera(stage: Any, path: Path, name: str | None) -> Any:
    from pxr import UsdGeom

    found = {
        str(prim.GetPath()): UsdGeom.Camera(prim)
        for prim in stage.Traverse()
        if prim.IsA(UsdGeom.Camera)
    }
    if name is not None and name in found:
        return found[name]
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(found) or "none"
    wanted = "name the one you mean" if name is None else f"there is no {name}"
    raise ValueError(f"{path} holds the cameras {names}: {wanted}")


def _lens(camera: Any, code: float, height: int, width: int) -> FloatArray:
    """Return the (3, 3) intrinsics of the camera at a time code."""
    focal = camera.GetFocalLengthAttr().Get(code)
    across, down = (
        camera.GetHorizontalApertureAttr().Get(code),
        camera.GetVerticalApertureAttr().Get(code),
    )
    right = camera.GetHorizontalApertureOffsetAttr().Get(code)
    up = camera.GetVerticalApertureOffsetAttr().Get(code)
    # An aperture moved right or up moves the axis left or down in the image.
    return intrinsics_matrix(
        focal / across * width,
        focal / down * height,
        width / 2 - right / across * width,
        height / 2 + up / down * height,
    )
