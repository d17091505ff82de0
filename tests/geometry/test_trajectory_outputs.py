"""What `trajectory convert` says of an output that holds less, or cannot be written there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.trajectory import parse_trajectory
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
