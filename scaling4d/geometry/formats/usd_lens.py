"""The lens of a USD camera, and how renderers fit its aperture to an image of another aspect."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]

APERTURE = 20.955  # mm, horizontal; the default of the UsdGeomCamera schema
_SQUARE = 1e-6  # of a focal length: single precision, which apertures are held in, gives no more
_TOLD = 1e-3  # of the aspect: apertures typed with few digits are fitted without a word
_POLICIES = (
    "expandAperture",
    "cropAperture",
    "adjustApertureWidth",
    "adjustApertureHeight",
    "adjustPixelAspectRatio",
)


def read_lenses(camera: Any, codes: FloatArray, height: int, width: int, path: Path) -> FloatArray:
    """Return the intrinsics (n, 3, 3) in pixels with which the camera is rendered at time codes.

    Where the aperture has another aspect than the image, it is fitted to it about its middle, as
    renderers do: by the ``aspectRatioConformPolicy`` and ``pixelAspectRatio`` of the first render
    settings or product that names the camera, else of the stage's render settings, else the
    schema's defaults, which expand the aperture and keep pixels square. A line of the log tells.

    Raises:
        ValueError: for an attribute that is no number, an aperture that is not > 0, or a policy or
            pixel aspect that USD lacks.
    """
    policy, pixel_aspect = _fitting(camera, path)
    aspect = width * pixel_aspect / height
    lenses, told = np.empty((len(codes), 3, 3)), False
    for row, code in enumerate(codes):
        across = _number(camera.GetHorizontalApertureAttr(), code, path)
        down = _number(camera.GetVerticalApertureAttr(), code, path)
        if not (across > 0.0 and down > 0.0):
            raise ValueError(
                f"{path}: the camera {camera.GetPath()} has an aperture of {across:g} x {down:g} "
                f"(across x down), and both must be > 0: correct it"
            )
        wide, high = _fitted(across, down, aspect, policy)
        if not told and abs((wide * down) / (high * across) - 1.0) > _TOLD:
            told = True
            logger.info(
                "%s: the aperture %g x %g of %s has another aspect than the image, %d x %d (width "
                "x height): taken as %.6g x %.6g, as renderers fit it (%s)",
                path, across, down, camera.GetPath(), width, height, wide, high, policy,
            )  # fmt: skip
        focal = _number(camera.GetFocalLengthAttr(), code, path)
        right = _number(camera.GetHorizontalApertureOffsetAttr(), code, path)
        up = _number(camera.GetVerticalApertureOffsetAttr(), code, path)
        # An aperture moved right or up moves the axis left or down in the image.
        lenses[row] = intrinsics_matrix(
            focal / wide * width,
            focal / high * height,
            width / 2 - right / wide * width,
            height / 2 + up / high * height,
        )
    return lenses


def author_lens(
    stage: Any, camera: Any, lens: FloatArray, size: tuple[int, int], codes: list[int]
) -> None:
    """Set focal length and apertures from fx, fy, cx, cy in pixels (n, 4) at time codes.

    Pixels that are not square stand in the apertures, which have another aspect than the image
    then. Render settings beside the camera say that this is meant.
    """
    height, width = size
    fx, fy, cx, cy = lens.T
    focal = fx / width * APERTURE
    curves = (
        (camera.CreateFocalLengthAttr(), focal),
        (camera.CreateHorizontalApertureAttr(), np.full(len(focal), APERTURE)),
        (camera.CreateVerticalApertureAttr(), focal * height / fy),
        (camera.CreateHorizontalApertureOffsetAttr(), (width / 2 - cx) / width * APERTURE),
        (camera.CreateVerticalApertureOffsetAttr(), (cy - height / 2) / fy * focal),
    )
    for attribute, curve in curves:
        if np.all(curve == curve[0]):
            attribute.Set(float(curve[0]))
            continue
        for code, value in zip(codes, curve.tolist(), strict=True):
            attribute.Set(value, code)
    if not np.allclose(fx, fy, rtol=_SQUARE, atol=0.0):
        _author_settings(stage, camera, size)


def _author_settings(stage: Any, camera: Any, size: tuple[int, int]) -> None:
    """Say that the aperture covers the image as it is, whatever shape the pixels get."""
    from pxr import Gf, UsdRender

    # A name made from the camera's can be no camera's own.
    settings = UsdRender.Settings.Define(stage, f"/Render/{camera.GetPath().name}_settings")
    settings.CreateCameraRel().SetTargets([camera.GetPath()])
    settings.CreateResolutionAttr(Gf.Vec2i(size[1], size[0]))
    settings.CreateAspectRatioConformPolicyAttr("adjustPixelAspectRatio")
    stage.SetMetadata("renderSettingsPrimPath", str(settings.GetPath()))


def _fitting(camera: Any, path: Path) -> tuple[str, float]:
    """Return the policy and the pixel aspect (width / height) under which a camera is rendered."""
    from pxr import UsdRender

    stage = camera.GetPrim().GetStage()
    found = [UsdRender.SettingsBase(p) for p in stage.Traverse() if p.IsA(UsdRender.SettingsBase)]
    naming = [s for s in found if camera.GetPath() in s.GetCameraRel().GetForwardedTargets()]
    settings = naming[0] if naming else UsdRender.Settings.GetStageRenderSettings(stage)
    if not settings:
        return _POLICIES[0], 1.0
    policy = settings.GetAspectRatioConformPolicyAttr().Get()
    pixel_aspect = settings.GetPixelAspectRatioAttr().Get()
    if policy not in _POLICIES or not 0.0 < pixel_aspect < np.inf:
        raise ValueError(
            f"{path}: {settings.GetPath()} has the aspectRatioConformPolicy {policy!r} and the "
            f"pixelAspectRatio {pixel_aspect:g}: correct them to one of {', '.join(_POLICIES)} and "
            f"a number > 0"
        )
    return policy, pixel_aspect


def _number(attribute: Any, code: float, path: Path) -> float:
    value = attribute.Get(code)
    if not isinstance(value, float):  # none where the value is blocked, or of another type
        raise ValueError(f"{path}: {attribute.GetPath()} must be a number, got {value}: correct it")
    return value


def _fitted(across: float, down: float, aspect: float, policy: str) -> tuple[float, float]:
    """Return the width and height of an aperture fitted to an aspect (width / height)."""
    if policy == "adjustPixelAspectRatio":
        return across, down
    wider = across > down * aspect
    keeps_width = {
        "expandAperture": wider,
        "cropAperture": not wider,
        "adjustApertureWidth": False,
        "adjustApertureHeight": True,
    }[policy]
    return (across, across / aspect) if keeps_width else (down * aspect, down)
