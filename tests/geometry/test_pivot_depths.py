"""Lengths in pivot depths need a pivot in front of the camera, or they would turn about."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling4d.geometry.trajectory import parse_trajectory
from scaling4d.geometry.trajectory_io import load_trajectory

DEPTHS = [-2.0, 0.0, float("nan"), float("inf")]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "text", ["dolly:distance=0.2p", "crane:height=-1p", "orbit:yaw=20", "orbit:yaw=0,forward=0.1p"]
)
def test_a_preset_needs_its_pivot_in_front(text: str, depth: float) -> None:
    with pytest.raises(ValueError, match=rf"metres, > 0, got {depth}"):
        parse_trajectory(text, frames=3, pivot_depth=depth)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keyframes", "units: pivot\nkeyframes:\n- {frame: 0}\n- {frame: 4, forward: 0.2}\n"),
        ("trajectorycrafter", "0\n0\n0 0.2\n"),
        ("cognvs", "0\n0\n0 0.2\n"),
    ],
)
def test_a_file_in_pivot_depths_needs_its_pivot_in_front(
    name: str, text: str, depth: float, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"needs the depth of its pivot .*, > 0, got {depth}"):
        load_trajectory(f"{name}:{path}", frames=5, pivot_depth=depth)
