"""The lens of USD cameras whose aperture has another aspect than the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdRender

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path

SIZE = Given(height=HEIGHT, width=WIDTH)
FOCAL, ACROSS, DOWN = 50.0, 36.0, 24.0


def stage_with_lens(path: Path, *, right: float = 0.0, up: float = 0.0) -> Usd.Stage:
    """A stage with one still camera, /cam, of aspect 3 : 2."""
    stage = Usd.Stage.CreateNew(str(path))
    camera = UsdGeom.Camera.Define(stage, "/cam")
    camera.CreateFocalLengthAttr(FOCAL)
    camera.CreateHorizontalApertureAttr(ACROSS)
    camera.CreateVerticalApertureAttr(DOWN)
    camera.CreateHorizontalApertureOffsetAttr(right)
    camera.CreateVerticalApertureOffsetAttr(up)
    return stage


@pytest.mark.parametrize(
    ("height", "width", "focal"),
    [
        (200, 300, FOCAL / ACROSS * 300),  # the aperture's aspect: as it is
        (200, 400, FOCAL / DOWN * 200),  # a wider image: the height is kept and the width grows
        (300, 300, FOCAL / ACROSS * 300),  # a taller one: the width is kept and the height grows
    ],
)
def test_an_aperture_of_another_aspect_is_expanded(
    height: int, width: int, focal: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The window grows about its middle, so that its offset stays the same length on the film.
    stage_with_lens(tmp_path / "a.usda", right=1.5, up=-0.5).Save()
    with caplog.at_level("INFO", logger="scaling4d"):
        cameras = read_cameras(tmp_path / "a.usda", given=Given(height=height, width=width))
    per_unit = focal / FOCAL
    expected = intrinsics_matrix(
        focal, focal, width / 2 - 1.5 * per_unit, height / 2 - 0.5 * per_unit
    )
    np.testing.assert_allclose(cameras.intrinsics, [expected], rtol=1e-6)
    assert ("has another aspect than the image" in caplog.text) == (width / height != 1.5)


def test_the_schemas_apertures_give_square_pixels_in_a_wide_image(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "a.usda"))
    UsdGeom.Camera.Define(stage, "/cam")
    stage.Save()
    lens = read_cameras(tmp_path / "a.usda", given=Given(height=720, width=1280)).intrinsics[0]
    np.testing.assert_allclose(lens[0, 0], 50.0 / 15.2908 * 720, rtol=1e-6)
    np.testing.assert_allclose(lens[1, 1], lens[0, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("policy", "across", "down"),  # in an image of aspect 2, beside the aperture's 1.5
    [
        ("expandAperture", 48.0, 24.0),
        ("cropAperture", 36.0, 18.0),
        ("adjustApertureWidth", 48.0, 24.0),
        ("adjustApertureHeight", 36.0, 18.0),
        ("adjustPixelAspectRatio", 36.0, 24.0),
    ],
)
@pytest.mark.parametrize("of_stage", [False, True])
def test_render_settings_say_how_the_aperture_is_fitted(
    policy: str, across: float, down: float, of_stage: bool, tmp_path: Path
) -> None:
    stage = stage_with_lens(tmp_path / "a.usda")
    other = UsdRender.Product.Define(stage, "/Render/a")
    other.CreateCameraRel().SetTargets(["/other"])
    settings = UsdRender.Settings.Define(stage, "/Render/b")
    settings.CreateAspectRatioConformPolicyAttr(policy)
    if of_stage:
        stage.SetMetadata("renderSettingsPrimPath", "/Render/b")
    else:
        settings.CreateCameraRel().SetTargets(["/cam"])
    stage.Save()
    lens = read_cameras(tmp_path / "a.usda", given=Given(height=200, width=400)).intrinsics[0]
    np.testing.assert_allclose(
        (lens[0, 0], lens[1, 1]), (FOCAL / across * 400, FOCAL / down * 200), rtol=1e-6
    )


def test_the_shape_of_pixels_is_taken_from_the_settings(tmp_path: Path) -> None:
    stage = stage_with_lens(tmp_path / "a.usda")
    settings = UsdRender.Settings.Define(stage, "/Render/a")
    settings.CreateCameraRel().SetTargets(["/cam"])
    settings.CreatePixelAspectRatioAttr(2.0)
    stage.Save()
    lens = read_cameras(tmp_path / "a.usda", given=Given(height=200, width=200)).intrinsics[0]
    assert lens[1, 1] == pytest.approx(2.0 * lens[0, 0], rel=1e-6)  # twice as wide as high
    settings.GetPixelAspectRatioAttr().Set(0.0)
    stage.Save()
    with pytest.raises(ValueError, match=r"/Render/a has .* pixelAspectRatio 0: correct them"):
        read_cameras(tmp_path / "a.usda", given=SIZE)


@pytest.mark.parametrize("square", [False, True])
def test_only_pixels_that_are_not_square_need_settings(square: bool, tmp_path: Path) -> None:
    cameras = camera_path(4, seed=1).replaced(frame_index=None, times=None)
    if square:
        lenses = cameras.intrinsics.copy()
        lenses[:, 1, 1] = lenses[:, 0, 0]
        cameras = cameras.replaced(intrinsics=lenses)
    write_cameras(tmp_path / "a.usda", cameras, "usd", Given(camera="/Render/settings"))
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    assert bool(UsdRender.Settings.GetStageRenderSettings(stage)) != square
    read = read_cameras(tmp_path / "a.usda", given=SIZE)
    np.testing.assert_allclose(read.intrinsics, cameras.intrinsics, rtol=1e-6)
