"""The index: what is finished is known without opening a file, and damage is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaling4d.storage.scene_format import SceneFileError
from scaling4d.storage.scene_index import read_index

LINE = {"file": "scenes/a.h5", "bytes": 3, "cameras": ["cam1", "cam0"], "frames": 9, "more": 1}


def write(folder: Path, *lines: str) -> Path:
    (folder / "scenes").mkdir()
    (folder / "scenes/a.h5").write_bytes(b"abc")  # never opened, so it may hold anything
    (folder / "index.jsonl").write_text("".join(line + "\n" for line in lines))
    return folder


def test_scenes_are_listed_without_opening_their_files(tmp_path):
    (scene,) = read_index(write(tmp_path, json.dumps(LINE)))
    assert (scene.path, scene.cameras) == (tmp_path / "scenes/a.h5", ("cam0", "cam1"))
    assert scene.frames == 9


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is damaged"),
        ("[]", "line 1 is damaged"),
        (json.dumps({"file": "scenes/a.h5"}), "line 1 is damaged"),
        (json.dumps({**LINE, "bytes": 4}), "missing or cut short"),
        (json.dumps({**LINE, "file": "scenes/b.h5"}), "missing or cut short"),
    ],
)
def test_damage_is_named(tmp_path, line, message):
    with pytest.raises(SceneFileError, match=message):
        read_index(write(tmp_path, line))


def test_a_folder_without_an_index_is_named(tmp_path):
    with pytest.raises(SceneFileError, match=r"cannot read the index .*index\.jsonl"):
        read_index(tmp_path)
