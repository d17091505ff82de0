"""NaN and infinity pass no limit of the validator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom

from assets_schema.validate import validate_asset

from .broken_assets import (
    entry_edit,
    hint,
    mesh_edit,
    person_edit,
    set_motion,
    stage_edit,
    torso_of,
    write_person,
)
from .builders import write_stool


def move(prim: Usd.Prim, offset: tuple[float, ...], *time: float) -> None:
    UsdGeom.Xformable(prim).AddTranslateOp().Set(Gf.Vec3d(*offset), *time)


def fly_away(stage: Usd.Stage, prim: Usd.Prim) -> None:
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(24)
    stage.SetTimeCodesPerSecond(24)
    move(prim, (0, 0, 0), 0)
    prim.GetAttribute("xformOp:translate").Set(Gf.Vec3d(0, np.nan, 0), 24)


# A NaN fails every comparison, so each limit needs its own case.
NOT_FINITE = {
    "transform": (write_stool, stage_edit(lambda _, prim: move(prim, (0, np.inf, 0))), "S4D303"),
    "nan transform": (write_stool, stage_edit(lambda _, prim: move(prim, (np.nan,) * 3)), "S4D303"),
    "later transform": (write_stool, stage_edit(fly_away), "S4D303"),
    "extent": (
        write_stool,
        mesh_edit(lambda mesh: mesh.GetExtentAttr().Set([(np.nan,) * 3, (0.2, 0.2, 0.4)])),
        "S4D302",
    ),
    "hint": (write_stool, stage_edit(lambda stage, _: hint(stage, np.nan, np.nan)), "S4D302"),
    "infinite hint": (
        write_stool,
        stage_edit(lambda stage, _: hint(stage, -np.inf, np.inf)),
        "S4D302",
    ),
    "catalogue": (
        write_stool,
        entry_edit(lambda e: replace(e, extents_cache={"geometry=low": ((np.nan,) * 3,) * 2})),
        "S4D307",
    ),
    "skin weights": (
        write_person,
        person_edit(
            "payload/body_plain.usdc",
            lambda s: torso_of(s).GetJointWeightsPrimvar().Set([0.5, 0.5] * 7 + [np.nan, 0.5]),
        ),
        "S4D503",
    ),
    "swept radius": (write_person, set_motion("sweptRadius", np.nan), "S4D506"),
    "motion range": (write_person, set_motion("motionRange", Gf.Vec2d(0, np.nan)), "S4D505"),
}


@pytest.mark.parametrize("name", NOT_FINITE)
def test_values_that_are_not_finite_are_findings(tmp_path, name) -> None:
    make, spoil, code = NOT_FINITE[name]
    file, spoiled = spoil(tmp_path, make(tmp_path))
    assert code in {finding.code for finding in validate_asset(file, spoiled).findings}
