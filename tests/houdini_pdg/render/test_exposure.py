"""Rooms as minted are neither dark nor burnt out, at any hour and in any colours."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from houdini_pdg.render.base import RenderJob
from houdini_pdg.render.config import CyclesConfig, RenderConfig
from houdini_pdg.render.cycles import CyclesRenderer
from houdini_pdg.stages.render import read_cameras
from houdini_pdg.usd.config import TIMES_OF_DAY
from tests.houdini_pdg.mini_library import write_mini_library
from tests.houdini_pdg.minting import mint

pytestmark = pytest.mark.skipif(find_spec("bpy") is None, reason="needs the extra render (bpy)")


def _render(root: Path, hour: str, seed: int) -> list[np.ndarray]:
    library = write_mini_library(root / "library")
    item, _ = mint(
        root / "set",
        [library],
        seed=seed,
        frames=1,
        characters={"count": [1, 1]},
        compose={"times_of_day": {hour: 1.0}},
    )
    spec, cameras = item.spec, read_cameras(item)
    job = RenderJob(
        stage=item.work / "scene.usda",
        out=root / "frames",
        cameras=cameras,
        frames=1,
        height=spec.height,
        width=spec.width,
        fps=spec.fps,
        start=0.0,
        seed=0,
        instances={},
        config=RenderConfig(cycles=CyclesConfig(samples=8)),
    )
    CyclesRenderer().render(job, lambda done, total: None)
    return [CyclesRenderer().read_frame(job.out, name, 0).rgb for name in cameras]


def _check(images: list[np.ndarray]) -> None:
    for image in images:
        assert 55 < image.mean() < 185
        assert (image.min(axis=-1) >= 254).mean() < 0.25
        assert (image.max(axis=-1) <= 4).mean() < 0.25


def test_a_room_is_well_exposed_at_night(tmp_path: Path) -> None:
    _check(_render(tmp_path, "night", 4))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hour", TIMES_OF_DAY)
def test_rooms_are_well_exposed_at_every_hour(tmp_path: Path, hour: str, seed: int) -> None:
    _check(_render(tmp_path, hour, seed))
