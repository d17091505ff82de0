"""Stage `characters`: the document, and points that agree with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd, UsdGeom

from tests.houdini_pdg.mini_library import write_mini_library
from tests.houdini_pdg.minting import mint


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mini_library(tmp_path_factory.mktemp("library"))


def test_every_person_names_its_variants_and_has_a_track(tmp_path: Path, library: Path) -> None:
    item, reports = mint(
        tmp_path, [library], ("layout", "characters"), characters={"count": [2, 2]}
    )
    document = json.loads((item.work / "characters.json").read_text())
    assert (document["fps"], document["frames"]) == (24.0, 9)
    assert reports["characters"]["people"] == len(document["characters"]) > 0
    for person in document["characters"]:
        assert set(person["variants"]) == {"body", "clothing", "hair", "motion"}
        assert np.array(person["track"]).shape == (9, 2)
        assert person["high"] - person["low"] > 1.0
    stage = Usd.Stage.Open(str(item.work / "characters.usdc"))
    for person in document["characters"]:
        mesh = UsdGeom.Mesh(
            stage.GetPrimAtPath(f"/World/Characters/{person['name']}/asset/figure/body")
        )
        assert mesh.GetPointsAttr().GetTimeSamples() == list(range(9))


def test_no_people_is_a_scene_too(tmp_path: Path, library: Path) -> None:
    item, _ = mint(tmp_path, [library], characters={"count": [0, 0]})
    assert json.loads((item.work / "characters.json").read_text())["characters"] == []
    assert not (item.work / "characters.usdc").exists()
    stage = Usd.Stage.Open(str(item.work / "scene.usda"))
    assert stage.GetPrimAtPath("/World/Characters").GetChildren() == []


def test_the_same_seed_gives_the_same_people(tmp_path: Path, library: Path) -> None:
    texts = [
        (
            mint(tmp_path / name, [library], ("layout", "characters"))[0].work / "characters.json"
        ).read_bytes()
        for name in ("a", "b")
    ]
    assert texts[0] == texts[1]
