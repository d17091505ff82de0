"""True boxes of assets, measured from the points that are drawn, never from authored hints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

from .entry import Corner
from .read_variants import open_variant
from .scene_geometry import SceneGeometry

_MOST_SAMPLES = 24  # time codes at which an animated asset is measured


def measure_extents(file: Path, selection: Mapping[str, str]) -> tuple[Corner, Corner]:
    """Open an asset under a selection and return its box in metres, z up.

    Raises:
        ValueError: when the file cannot be opened or nothing in it is drawn.
    """
    return stage_extents(open_variant(file, selection))


def stage_extents(stage: Usd.Stage) -> tuple[Corner, Corner]:
    """Return the box (smallest, largest corner) of a stage's default prim in metres, z up.

    An animated asset is measured at up to 24 time codes over its range and the boxes are joined.
    """
    turn = metres_z_up_from_stage(stage)
    geometry = SceneGeometry(stage, stage.GetDefaultPrim())
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    animated = False
    for surface in geometry.surfaces():
        low, high = _grow(low, high, surface.points_in_world() @ turn.T)
        animated |= surface.animated
    if animated:
        for time in sample_times(stage):
            for surface in geometry.surfaces(time):
                if surface.animated:
                    low, high = _grow(low, high, surface.points_in_world() @ turn.T)
    if (low > high).any():
        raise ValueError(f"{stage.GetRootLayer().identifier} draws nothing under this selection")
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{stage.GetRootLayer().identifier} draws points that are not finite")
    return _corner(low), _corner(high)


def metres_z_up_from_stage(stage: Usd.Stage) -> NDArray[np.float64]:
    """Return the (3, 3) matrix that takes stage units and up axis to metres and z up."""
    scale = float(UsdGeom.GetStageMetersPerUnit(stage))
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        # Right-handed: y up becomes z up, and a front along +z becomes a front along -y.
        return scale * np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    return scale * np.eye(3)


def box_in_root(stage: Usd.Stage, box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take a (2, 3) box in metres, z up, into the default prim's own units, before its transform.

    That is the space of ``extentsHint``. Turned boxes grow to stay aligned with the axes.
    """
    turn = np.linalg.inv(metres_z_up_from_stage(stage))
    local = UsdGeom.Xformable(stage.GetDefaultPrim()).GetLocalTransformation()
    matrix = np.array(local, np.float64).T
    corners = np.array(np.meshgrid(*box.T, indexing="ij")).reshape(3, -1).T @ turn.T
    corners = (corners - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def sample_times(stage: Usd.Stage) -> list[float]:
    """Return up to 24 time codes over the stage's range, both ends included."""
    start, end = stage.GetStartTimeCode(), stage.GetEndTimeCode()
    if not stage.HasAuthoredTimeCodeRange() or end <= start:
        return [start]
    return [float(t) for t in np.unique(np.linspace(start, end, _MOST_SAMPLES).round())]


def _grow(
    low: NDArray[np.float64], high: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(points) == 0:
        return low, high
    return np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))


def _corner(values: NDArray[np.float64]) -> Corner:
    # Seven digits and a nanometre: float32 points carry no more, and catalogues stay readable.
    x, y, z = (round(float(f"{value:.7g}"), 9) + 0.0 for value in values)
    return x, y, z
