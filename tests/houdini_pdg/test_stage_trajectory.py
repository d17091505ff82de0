"""Stage `trajectory`: cameras.json by its contract, certificates that anyone can check again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from houdini_pdg.camera_path.config import TrajectoryConfig
from houdini_pdg.camera_path.path import verify_camera
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.stages import read_marker
from tests.houdini_pdg.mini_library import write_mini_library
from tests.houdini_pdg.minting import mint


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mini_library(tmp_path_factory.mktemp("library"))


def test_cameras_json_holds_what_the_next_stages_read(tmp_path: Path, library: Path) -> None:
    item, reports = mint(tmp_path, [library])
    document = json.loads((item.work / "cameras.json").read_text())
    assert (document["fps"], document["height"], document["width"]) == (24.0, 60, 80)
    assert (
        list(document["cameras"])
        == ["cam0", "cam1", "cam2"]
        == list(reports["trajectory"]["cameras"])
    )
    layout = parse_layout((item.work / "layout.txt").read_text())
    characters = json.loads((item.work / "characters.json").read_text())
    clip = Clip(9, 24.0, 60, 80)
    for camera in document["cameras"].values():
        assert np.array(camera["intrinsics"]).shape == (9, 3, 3)
        assert np.array(camera["world_from_camera"]).shape == (9, 4, 4)
        assert {"lens", "style", "poi", "certificate", "spline", "stats"} <= set(camera)
        assert verify_camera(camera, layout, characters, clip, TrajectoryConfig()).ok
        moved = json.loads(json.dumps(camera))
        moved["world_from_camera"][4][0][3] += 0.01
        problems = verify_camera(moved, layout, characters, clip, TrajectoryConfig()).problems
        assert any("differ from the certified curve" in text for text in problems)
        moved = json.loads(json.dumps(camera))
        moved["spline"]["eye"][3][0] += 0.01
        problems = verify_camera(moved, layout, characters, clip, TrajectoryConfig()).problems
        assert any("not the one that was certified" in text for text in problems)


def test_a_room_without_a_path_is_a_rejection_not_a_crash(tmp_path: Path, library: Path) -> None:
    trajectory = {"clearance": 1.9, "attempts": 2}
    item, reports = mint(tmp_path, [library], trajectory=trajectory)
    assert read_marker(item.marker("trajectory"))["status"] == "rejected"
    assert "allow less clearance" in reports["trajectory"]["reason"]
    assert [text.split(":")[0] for text in reports["trajectory"]["redrawn"]] == [
        "attempt 0",
        "attempt 1",
    ]
    assert not (item.work / "cameras.json").exists()
