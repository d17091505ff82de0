"""What readers and writers say where a file, a folder or a name is not the one that is meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom

from scaling4d.__main__ import main
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import load_trajectory, read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path, every_frame

SIZE = Given(height=HEIGHT, width=WIDTH)


@pytest.mark.parametrize("name", [None, "/cam"])
def test_a_stage_without_a_camera_is_said_to_hold_none(name: str | None, tmp_path: Path) -> None:
    Usd.Stage.CreateNew(str(tmp_path / "a.usda")).Save()
    with pytest.raises(ValueError, match=r"a\.usda holds no camera: give a stage with"):
        read_cameras(tmp_path / "a.usda", given=Given(camera=name))


def test_a_camera_of_an_instance_is_found(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "a.usda"))
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    rig = stage.CreateClassPrim("/_rig")
    UsdGeom.Camera.Define(stage, "/_rig/cam").AddTranslateOp().Set((0, 0, 2))
    shot = UsdGeom.Xform.Define(stage, "/shot")
    shot.AddTranslateOp().Set((1, 0, 0))
    shot.GetPrim().GetReferences().AddInternalReference(Sdf.Path(rig.GetPath()))
    shot.GetPrim().SetInstanceable(True)
    stage.Save()
    cameras = read_cameras(tmp_path / "a.usda", given=SIZE)
    np.testing.assert_allclose(cameras.world_from_camera[0, :3, 3], (1, 0, 2))


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (None, r"holds 2 ViPE clips \(cameras, new\): name the one you mean"),
        ("nwe", r"holds 2 ViPE clips \(cameras, new\): there is no nwe"),
    ],
)
def test_the_clips_of_a_folder_are_listed(camera: str | None, message: str, tmp_path: Path) -> None:
    for name in ("cameras", "new"):
        write_cameras(tmp_path, camera_path(3), "vipe", Given(camera=name))
    with pytest.raises(ValueError, match=message):
        read_cameras(tmp_path, "vipe", Given(camera=camera))
    assert len(read_cameras(tmp_path, "vipe", Given(camera="new"))) == 3


def test_a_folder_without_clips_is_said_to_hold_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no ViPE clips: expected pose/NAME\.npz"):
        read_cameras(tmp_path, "vipe")


def test_a_lens_that_is_not_finite_is_told_from_one_of_another_shape(tmp_path: Path) -> None:
    write_cameras(tmp_path / "a.kitti", every_frame(3).replaced(intrinsics=None), "kitti")
    lens = Given(HEIGHT, WIDTH, intrinsics=(float("nan"), 80.0, 40.0, 30.0))
    with pytest.raises(ValueError, match="those of camera 0 hold a value that is not: correct"):
        read_cameras(tmp_path / "a.kitti", given=lens)


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("kitti", "folder", "folder: it is a folder, name a file"),
        ("usd", "a.usda", r"a\.usda: it is a folder, name a file"),
        ("kitti", "file/a.kitti", "file is a file, name another folder"),
        ("usd", "file/b/a.usda", "file is a file, name another folder"),
        ("vipe", "file", "file is a file, name another folder"),
    ],
)
def test_a_place_where_no_file_can_be_is_named(
    name: str, path: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.usda").mkdir()
    (tmp_path / "file").write_text("x")
    cameras = every_frame(3)
    if name == "kitti":
        cameras = cameras.replaced(intrinsics=None)
    with pytest.raises(ValueError, match=f"cannot write .*{message}"):
        write_cameras(tmp_path / path, cameras, name, SIZE)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.usda", "file", "folder"]


def test_lines_have_the_length_of_their_tools_and_ask_for_the_depth_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0 10\n0 20\n0 0.2\n")
    assert len(load_trajectory(f"trajectorycrafter:{path}", pivot_depth=2.0)) == 49
    command = ["trajectory", "convert", f"trajectorycrafter:{path}", f"cognvs:{tmp_path / 'b.txt'}"]
    assert main(command) == 2
    assert "give that depth, the pivot depth" in capsys.readouterr().err
    assert main([*command, "--pivot-depth", "2"]) == 0
    assert (tmp_path / "b.txt").read_text() == "0.0 20.0\n0.0 10.0\n0.0 0.2\n"
