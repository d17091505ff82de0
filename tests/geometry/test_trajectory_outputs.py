"""What `trajectory convert` says of an output that holds less, or cannot be written there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.trajectory import parse_trajectory
from scaling4d.geometry.trajectory_io import load_trajectory, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, every_frame

LENS = ("--height", HEIGHT, "--width", WIDTH, "--intrinsics", 70, 70, 40, 30)


def convert(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return the exit status, the output and the errors of a conversion."""
    status = main(["trajectory", "convert", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("output", ["a.tum", "a.kitti", "a.usda", "colmap:a", "a.yaml"])
def test_a_start_away_from_the_source_is_said_to_be_lost(
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--pivot-depth", 3, "--fps", 24, "--frames", 5, *LENS)
    assert convert(capsys, "orbit:yaw=30", output, *given)[0] == 0
    assert not caplog.records
    assert convert(capsys, "arc:yaw=30", output, *given, "--force")[0] == 0
    if output == "a.yaml":
        assert not caplog.records
        expected = parse_trajectory("arc:yaw=30", frames=5, pivot_depth=3.0).target_from_source
        np.testing.assert_allclose(parse_trajectory(output).target_from_source, expected)
    else:
        assert "the first target camera is not the source camera" in caplog.text
        assert "keyframes and neoverse hold the source view too" in caplog.text


@pytest.mark.parametrize("depth", [-2.0, 0.0, np.nan, np.inf])
def test_a_pivot_behind_the_camera_turns_no_length_around(
    depth: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "d.kitti"
    status, _, error = convert(capsys, "dolly:distance=0.2p", out, f"--pivot-depth={depth}")
    assert (status, error) == (
        2,
        f"error: --pivot-depth must be finite and > 0, got {depth}\n",
    )
    assert not out.exists()
    keys = tmp_path / "keys.yaml"
    keys.write_text("keyframes: [{frame: 0}, {frame: 4, yaw: 10}]")
    with pytest.raises(ValueError, match="depth of that pivot in metres, > 0, got"):
        load_trajectory(str(keys), pivot_depth=depth)


def test_only_a_format_that_holds_a_zoom_is_said_to_hold_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cameras = every_frame(3)
    lenses = np.tile(cameras.intrinsics[0], (3, 1, 1))
    write_cameras(tmp_path / "still", cameras.replaced(intrinsics=lenses), "gen3c")
    zoomed = lenses.copy()
    zoomed[1:, :2, :2] *= 1.5
    write_cameras(tmp_path / "zoom", cameras.replaced(intrinsics=zoomed), "gen3c")
    for source, output, said in (
        ("zoom", "keyframes:zoom.yaml", "source's; its changes are held as a zoom"),
        ("still", "keyframes:still.yaml", "the first camera's lens is taken as the source's\n"),
        ("still", "neoverse:still.json", "the first camera's lens is taken as the source's\n"),
    ):
        name, _, file = output.partition(":")
        status, out, _ = convert(capsys, tmp_path / source, f"{name}:{tmp_path / file}")
        assert (status, said in out) == (0, True)
    status, out, error = convert(capsys, tmp_path / "zoom", f"neoverse:{tmp_path / 'n.json'}")
    assert (status, out) == (2, "")
    assert "cannot hold intrinsics or a zoom" in error


@pytest.mark.parametrize("name", ["colmap", "vipe", "spatialvid"])
def test_a_file_in_the_place_of_a_folder_is_named(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    status, _, error = convert(capsys, "static", f"{name}:{file}", *LENS, "--force")
    assert (status, f"{file} is a file, name another folder" in error) == (2, True)
    status, _, error = convert(capsys, "static", f"{name}:{file / 'below'}", *LENS)
    assert (status, f"{file} is a file, name another folder" in error) == (2, True)
    with pytest.raises(ValueError, match="is a file, name another folder"):
        write_cameras(file / "below", every_frame(), name)
    assert main(["trajectory", "plot", "static", str(file / "a.png")]) == 2
    assert "is a file, name another folder" in capsys.readouterr().err
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("output", "example"),
    [
        ("x.json", "keyframes:x.json"),
        ("x.txt", "re10k:x.txt"),
        ("x.npz", "vista4d:x.npz"),
        ("x", "colmap:x"),
    ],
)
def test_the_format_that_is_suggested_has_such_files(
    output: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, error = convert(capsys, "static", output)
    assert (status, f"as in `{example}`" in error) == (2, True)
