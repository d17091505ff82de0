"""USD cameras: the stage's time range and rate, names of prims, projections that are no pinhole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom

from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import read_cameras, write_cameras
from tests.geometry.camera_paths import camera_path

SIZE = Given(height=480, width=640)


def stage_at(path: Path, *, on_parent: bool = False) -> Usd.Stage:
    """A stage whose camera, or its parent, moves along x, at x = code for the codes 1 to 24."""
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    rig = UsdGeom.Xform.Define(stage, "/rig")
    camera = UsdGeom.Camera.Define(stage, "/rig/cam")
    operation = (rig if on_parent else camera).AddTransformOp()
    for code in range(1, 25):
        operation.Set(Gf.Matrix4d().SetTranslate(Gf.Vec3d(code, 0, 0)), code)
    return stage


@pytest.mark.parametrize("on_parent", [False, True])
@pytest.mark.parametrize("authored", [False, True])
def test_every_sample_is_read_with_and_without_a_time_range(
    authored: bool, on_parent: bool, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "a.usda", on_parent=on_parent)
    if authored:
        stage.SetStartTimeCode(1)
        stage.SetEndTimeCode(24)
    stage.Save()
    cameras = read_cameras(tmp_path / "a.usda")
    np.testing.assert_allclose(cameras.world_from_camera[:, 0, 3], np.arange(1, 25))
    np.testing.assert_array_equal(cameras.frame_index, np.arange(1, 25))


@pytest.mark.parametrize(("first", "last"), [(10, 5), (0, 1e9), (0, float("inf"))])
def test_an_impossible_time_range_is_refused(first: float, last: float, tmp_path: Path) -> None:
    stage = stage_at(tmp_path / "a.usda")
    stage.SetStartTimeCode(first)
    stage.SetEndTimeCode(last)
    stage.Save()
    with pytest.raises(ValueError, match=rf"a\.usda runs from time code {first} to "):
        read_cameras(tmp_path / "a.usda")


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("projection", "orthographic", "/rig/cam is orthographic, and only a perspective one"),
        ("horizontalAperture", 0.0, "/rig/cam has an aperture of 0 x"),
        ("verticalAperture", 0.0, "/rig/cam has an aperture of .* x 0"),
        ("focalLength", 0.0, "focal lengths must be > 0"),
    ],
)
def test_a_camera_that_is_no_pinhole_is_refused(
    attribute: str, value: str | float, message: str, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "a.usda")
    stage.GetPrimAtPath("/rig/cam").GetAttribute(attribute).Set(value)
    stage.Save()
    with pytest.raises(ValueError, match=message):
        read_cameras(tmp_path / "a.usda", given=SIZE)


@pytest.mark.parametrize(("name", "path"), [("cam", "/cam"), ("/a/b", "/a/b"), ("a/b", "/a/b")])
def test_a_prim_may_be_named_without_its_first_slash(name: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / "a.usda"
    cameras = camera_path(3).replaced(frame_index=None, times=None)
    write_cameras(file, cameras, "usd", Given(camera=name))
    assert Usd.Stage.Open(str(file)).GetPrimAtPath(Sdf.Path(path)).IsA(UsdGeom.Camera)
    assert len(read_cameras(file, given=Given(camera=name))) == 3


@pytest.mark.parametrize("name", ["/ca m", "/a.b", "/", "a/", "../x", "/1st"])
def test_a_name_that_is_no_prim_is_refused(name: str, tmp_path: Path) -> None:
    cameras = camera_path(3).replaced(frame_index=None, times=None)
    with pytest.raises(ValueError, match="is no path of a USD prim: give one of letters"):
        write_cameras(tmp_path / "sub" / "a.usda", cameras, "usd", Given(camera=name))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [30.0, 23.976, 0.5])
def test_the_rate_of_the_times_is_kept(rate: float, tmp_path: Path) -> None:
    file = tmp_path / "a.usda"
    times = np.round(100.0 + np.arange(5) / rate, 6)  # as RealEstate10K rounds them
    cameras = camera_path(5).replaced(frame_index=None, times=times)
    write_cameras(file, cameras, "usd")
    assert Usd.Stage.Open(str(file)).GetTimeCodesPerSecond() == pytest.approx(rate, rel=1e-4)
    np.testing.assert_allclose(read_cameras(file).times, np.arange(5) / rate, rtol=1e-4)
    write_cameras(file, cameras, "usd", Given(fps=25.0))
    assert Usd.Stage.Open(str(file)).GetTimeCodesPerSecond() == 25.0


def test_every_so_many_frames_of_a_video_have_one_rate(tmp_path: Path) -> None:
    file = tmp_path / "a.usda"
    times = np.rint(np.arange(16) * 8.53) / 29.97  # 8 or 9 frames apart
    write_cameras(file, camera_path(16).replaced(frame_index=None, times=times), "usd")
    np.testing.assert_allclose(read_cameras(file).times, times, atol=1.0 / 29.97)


def test_uneven_times_need_a_rate(tmp_path: Path) -> None:
    file = tmp_path / "a.usda"
    cameras = camera_path(4).replaced(frame_index=None, times=np.array([0, 0.1, 0.5, 2.0]))
    with pytest.raises(ValueError, match="not evenly spread: give fps"):
        write_cameras(file, cameras, "usd")
    write_cameras(file, cameras, "usd", Given(fps=10.0))
    np.testing.assert_allclose(read_cameras(file).times, np.arange(4) / 10)


def test_handles_before_time_code_0_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = stage_at(tmp_path / "a.usda")
    stage.SetStartTimeCode(-8)
    stage.SetEndTimeCode(20)
    stage.Save()
    with caplog.at_level("INFO", logger="scaling4d"):
        cameras = read_cameras(tmp_path / "a.usda")
    np.testing.assert_array_equal(cameras.frame_index, np.arange(21))
    assert "left out 8 time codes before 0" in caplog.text
    stage.SetEndTimeCode(-2)
    stage.Save()
    assert len(read_cameras(tmp_path / "a.usda")) == 7
    assert read_cameras(tmp_path / "a.usda").frame_index is None
