"""A camera on a USD stage, as Houdini, Blender and our own generator write it."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.axes import convert_axes, z_up_from_y_up
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.files import make_folder_of
from scaling4d.geometry.formats.given import Given, frame_numbers
from scaling4d.geometry.formats.text_tables import cleaned
from scaling4d.geometry.formats.usd_lens import author_lens, read_lenses
from scaling4d.geometry.frame_count import MOST_FRAMES

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]

USD = (
    "stage with a Camera prim: camera-to-world for row vectors, OpenGL axes (looks down -z, y up), "
    "the stage's up axis and metersPerUnit, lens as focal length and apertures in one unit, fitted "
    "to the image's aspect as renderers do (pixels are square unless render settings say otherwise)"
)
# Of a frame: how far times may lie from those of one rate. Frames taken out of a video at half its
# rate or less, each the nearest one, lie up to a quarter off.
_EVEN = 0.25


def read_usd_camera(path: Path, given: Given) -> CameraPath:
    """Read a perspective camera of a USD stage over its time range, in metres and z up.

    A stage without a time range has that of the samples on the camera and the prims above it. Frame
    numbers and times count from time code ``given.first_frame``, or 0: what a stage holds before it
    (handles of a shot) is left out, and one that ends before 0 has no frame numbers.
    ``given.camera`` is its prim path where the stage holds several. USD knows no pixels: the
    intrinsics need ``given.height`` and ``given.width``, and are None without them; for an aperture
    of another aspect than theirs see `scaling4d.geometry.formats.usd_lens.read_lenses`.

    Raises:
        ValueError: for a file that USD cannot read, and for a camera that is missing, no pinhole,
            or made of values that are none of a camera's.
    """
    from pxr import Tf

    if not path.exists():
        raise ValueError(f"cannot read {path} as USD: there is no such file")
    try:
        with np.errstate(all="ignore"):  # what comes out not finite is refused, see `CameraPath`
            return _read(path, given)
    except Tf.ErrorException as error:
        reasons = "; ".join(reason.commentary for reason in error.args)
        raise ValueError(f"cannot read {path} as USD: {reasons}") from None
    except TypeError as error:  # what a value of another type than the schema's ends in
        raise ValueError(
            f"cannot read {path} as USD: a value is of a type that the schema does not have "
            f"({error})"
        ) from None


def _read(path: Path, given: Given) -> CameraPath:
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.Open(str(path))
    camera = _find_camera(stage, path, given.camera)
    codes = _time_codes(stage, camera, path, given.first_frame)
    projection = camera.GetProjectionAttr().Get(codes[0])
    if projection != UsdGeom.Tokens.perspective:
        raise ValueError(
            f"{path}: the camera {camera.GetPath()} is {projection}, and only a perspective one is "
            f"a pinhole"
        )
    rows = [UsdGeom.XformCache(c).GetLocalToWorldTransform(camera.GetPrim()) for c in codes]
    poses: FloatArray = np.array(rows, dtype=np.float64).swapaxes(1, 2)
    poses[:, :3, :3] /= np.linalg.norm(poses[:, :3, :3], axis=1, keepdims=True)
    poses[:, :3, 3] *= UsdGeom.GetStageMetersPerUnit(stage)
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        poses = z_up_from_y_up() @ poses
    intrinsics = None
    if given.height is not None and given.width is not None:
        intrinsics = read_lenses(camera, codes, given.height, given.width, path)
    counted = codes - (given.first_frame or 0)
    whole = np.all(counted == np.rint(counted))
    return CameraPath(
        cleaned(convert_axes(poses, "usd", "opencv"), str(path)),
        intrinsics,
        given.height,
        given.width,
        times=counted / stage.GetTimeCodesPerSecond(),
        # Told even where they are 0, 1, 2...: a stage's rate is seldom the video's, and the codes
        # are frame numbers that its times must not replace.
        frame_index=counted.astype(np.int64) if whole and counted[0] >= 0.0 else None,
    )


def write_usd_camera(path: Path, cameras: CameraPath, given: Given) -> None:
    """Write a z-up stage in metres with one animated camera, by default at /cameras/camera.

    Frame i stands at time code i (its frame number), and the time codes per second are
    ``given.fps``, else the rate of the cameras' times, else 24. The lens is held in single
    precision, because the schema is.
    """
    from pxr import Sdf, Usd

    height, width = cameras.require_size("USD")
    lens = cameras.require_intrinsics("USD")
    if path.suffix not in (".usd", ".usda", ".usdc"):
        raise ValueError(f"a USD camera is written to .usda, .usdc or .usd, got {path.name}")
    numbers = frame_numbers(cameras)
    if np.any(np.diff(numbers) != 1):
        raise ValueError(
            f"a USD camera holds consecutive frames, and this path has gaps: resample it to "
            f"{np.ptp(numbers) + 1} frames (`trajectory convert --frames {np.ptp(numbers) + 1}`)"
        )
    name = _prim_path(given.camera or "cameras/camera")
    if not Sdf.Path.IsValidPathString(name) or not Sdf.Path(name).IsPrimPath():
        raise ValueError(
            f"{given.camera!r} is no path of a USD prim: give one of letters, digits and _, such "
            f"as /cameras/camera"
        )
    rate = _frame_rate(cameras, given)
    make_folder_of(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".usd") as folder:
        temporary = Path(folder) / path.name
        stage = Usd.Stage.CreateNew(str(temporary))
        stage.SetTimeCodesPerSecond(rate)
        _author(stage, cameras, lens, (height, width), name)
        stage.Save()
        del stage
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)


def _author(
    stage: Any, cameras: CameraPath, lens: FloatArray, size: tuple[int, int], name: str
) -> None:
    from pxr import Gf, Sdf, UsdGeom

    index = frame_numbers(cameras)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetStartTimeCode(float(index[0]))
    stage.SetEndTimeCode(float(index[-1]))
    prim_path = Sdf.Path(name)
    camera = UsdGeom.Camera.Define(stage, prim_path)
    stage.SetDefaultPrim(stage.GetPrimAtPath(prim_path.GetPrefixes()[0]))
    camera.CreateClippingRangeAttr(Gf.Vec2f(0.01, 1e4))
    operation = camera.AddTransformOp()
    poses = convert_axes(cameras.world_from_camera, "opencv", "usd").swapaxes(1, 2)
    for row, code in enumerate(index.tolist()):
        operation.Set(Gf.Matrix4d(poses[row]), code)
    author_lens(stage, camera, lens, size, index.tolist())


def _frame_rate(cameras: CameraPath, given: Given) -> float:
    """Return the time codes per second of a stage, see `write_usd_camera`."""
    times = cameras.times
    if given.fps is not None or times is None or len(times) == 1:
        return given.fps or 24.0
    even = np.linspace(times[0], times[-1], len(times))
    if np.abs(times - even).max() > _EVEN * (even[1] - even[0]):
        raise ValueError(
            "a USD camera has one frame rate, and the times of this path are not evenly spread: "
            "give fps to space the frames evenly"
        )
    return float(f"{1.0 / (even[1] - even[0]):.6g}")  # 24, where rounded times say 24.00002


def _prim_path(name: str) -> str:
    """Return the path of a prim, whose first slash may be left out."""
    return f"/{name.removeprefix('/')}"


def _time_codes(stage: Any, camera: Any, path: Path, first_frame: int | None) -> FloatArray:
    """Return the time codes, one apart, of the stage's range, or else of the camera's samples.

    Those before ``first_frame``, or 0, are left out, see `read_usd_camera`.
    """
    first, last = stage.GetStartTimeCode(), stage.GetEndTimeCode()
    if not stage.HasAuthoredTimeCodeRange():
        prims = [stage.GetPrimAtPath(prefix) for prefix in camera.GetPath().GetPrefixes()]
        attributes = [attribute for prim in prims for attribute in prim.GetAttributes()]
        samples = [code for attribute in attributes for code in attribute.GetTimeSamples()]
        first, last = min(samples, default=0.0), max(samples, default=0.0)
    if not 0.0 <= last - first < MOST_FRAMES:
        raise ValueError(
            f"{path} runs from time code {first:g} to {last:g}: its end must not lie before its "
            f"start, nor {MOST_FRAMES} frames or more after it"
        )
    codes = np.arange(first, last + 1e-6)
    if first_frame is not None and last < first_frame:
        raise ValueError(
            f"{path} ends at time code {last:g}, before the given first frame, {first_frame}: give "
            f"the time code of the video's first frame"
        )
    start = first_frame or 0
    if first < start <= last:
        shown = codes[codes >= start]
        logger.info("%s: left out %d time codes before %d", path, len(codes) - len(shown), start)
        return shown
    return codes


def _find_camera(stage: Any, path: Path, name: str | None) -> Any:
    from pxr import Usd, UsdGeom

    found = {
        str(prim.GetPath()): UsdGeom.Camera(prim)
        for prim in stage.Traverse(Usd.TraverseInstanceProxies())
        if prim.IsA(UsdGeom.Camera)
    }
    if not found:
        raise ValueError(
            f"{path} holds no camera: give a stage with a prim of type Camera that is loaded and "
            f"active"
        )
    if name is not None and _prim_path(name) in found:
        return found[_prim_path(name)]
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    wanted = "name the one you mean" if name is None else f"there is no {name}"
    raise ValueError(f"{path} holds the cameras {', '.join(found)}: {wanted}")
