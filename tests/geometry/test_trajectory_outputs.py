"""What `trajectory convert` says of an output that holds less, or cannot be written there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.trajectory import parse_trajectory
from scaling4d.geometry.trajectory_io import load_trajectory
from tests.geometry.camera_paths import HEIGHT, WIDTH

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
        f"error: --pivot-depth must be finite and > 0 metres, got {depth:g}\n",
    )
    assert not out.exists()
    keys = tmp_path / "keys.yaml"
    keys.write_text("keyframes: [{frame: 0}, {frame: 4, yaw: 10}]")
    with pytest.raises(ValueError, match="pivot_depth must be finite and > 0"):
        load_trajectory(str(keys), pivot_depth=depth)
