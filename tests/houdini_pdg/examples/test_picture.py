"""The showcase's specs load, and its picture shows each camera of each scene in its place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from houdini_pdg.examples.picture import main
from houdini_pdg.spec import load_spec
from scaling4d.storage.scene_file import CameraTrack, write_scene

EXAMPLES = Path(__file__).parents[3] / "houdini_pdg" / "examples"


def _scene(path: Path, level: int, cameras: int = 2) -> None:
    """Grey frames: `level` + 10 for each camera + 1 for each of two frames."""
    tracks = {
        f"cam{index}": CameraTrack(
            rgb=np.stack([np.full((6, 8, 3), level + 10 * index + f, np.uint8) for f in (0, 1)]),
            depth=np.ones((2, 6, 8), np.float32),
            intrinsics=np.tile(np.array([[8.0, 0, 4], [0, 8, 3], [0, 0, 1]]), (2, 1, 1)),
            world_from_camera=np.tile(np.eye(4), (2, 1, 1)),
            instance_id=None,
        )
        for index in range(cameras)
    }
    write_scene(path, cameras=tracks, fps=0.5, attributes={}, scene={}, paths={}, qa={})


@pytest.mark.parametrize("name", ["showcase", "showcase_clip"])
def test_the_specs_load(name: str) -> None:
    spec = load_spec(EXAMPLES / f"{name}.yaml")
    assert spec.name == name
    assert spec.render.cycles.samples == 64


def test_columns_are_scenes_and_rows_are_cameras_at_later_moments(tmp_path: Path) -> None:
    for index, level in enumerate((40, 120, 200)):
        _scene(tmp_path / "scenes" / f"scene_{index:06d}.h5", level)
    assert main([str(tmp_path), "--out", str(tmp_path / "a.png"), "--scenes", "2", "--tile=5"]) == 0
    picture = cv2.imread(str(tmp_path / "a.png"))
    shown = [[int(picture[6 + 9 * row, 6 + 9 * column, 0]) for column in (0, 1)] for row in (0, 1)]
    assert shown == [[40, 120], [51, 131]]
    assert picture.shape == (2 * 9 + 4, 2 * 9 + 4, 3)


def test_stills_fill_rows_of_the_asked_length(tmp_path: Path) -> None:
    for index, level in enumerate((40, 120, 200, 250)):
        _scene(tmp_path / "scenes" / f"scene_{index:06d}.h5", level, cameras=1)
    assert main([str(tmp_path), "--out", str(tmp_path / "a.png"), "--columns=2", "--tile=5"]) == 0
    picture = cv2.imread(str(tmp_path / "a.png"))
    shown = [[int(picture[6 + 9 * row, 6 + 9 * column, 0]) for column in (0, 1)] for row in (0, 1)]
    assert shown == [[40, 120], [200, 250]]


def test_what_cannot_be_shown_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path), "--out", str(tmp_path / "a.png")]
    assert main(arguments) == 2
    assert "mint it first" in capsys.readouterr().err
    _scene(tmp_path / "scenes" / "a.h5", 9, cameras=1)
    _scene(tmp_path / "scenes" / "b.h5", 9, cameras=2)
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.png").exists()
