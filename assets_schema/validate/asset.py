"""The asset under test: its stage, the selection in force, and the findings so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Usd

from assets_schema.entry import Entry
from assets_schema.extents import metres_z_up_from_stage
from assets_schema.scene_geometry import SceneGeometry, Surface
from assets_schema.schema import read_motion
from assets_schema.variants import Selection

from .finding import Finding

SWEEP_SAMPLES = 6  # time codes at which a character is measured


@dataclass
class AssetUnderTest:
    """What every rule gets.

    Attributes:
        file: asset file.
        entry: catalogue entry, or one described on the spot when there is no catalogue.
        catalogued: True when ``entry`` comes from a catalogue and is itself checked.
        stage: composed stage; ``selection`` is in force in its session layer.
        surfaces: what is drawn under the selection at the first time code.
        seen: keys of opinions that a rule has checked, so that looks do not re-check points.
    """

    file: Path
    entry: Entry
    catalogued: bool
    stage: Usd.Stage
    selection: Selection = field(default_factory=dict)
    surfaces: list[Surface] = field(default_factory=list)
    seen: set[object] = field(default_factory=set)
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    _swept_for: Selection | None = None
    _sweep: tuple[NDArray[np.float64], float] | None = None

    def report(self, code: str, message: str, prim: str = "", *, always: bool = False) -> None:
        """Add a finding once; the same again only counts. ``always``: it is not of a selection."""
        key = (code, prim, message)
        known = self.findings.get(key)
        if known is not None:
            self.findings[key] = replace(known, count=known.count + 1)
            return
        selection = {} if always else dict(self.selection)
        self.findings[key] = Finding(code, self.entry.id, str(self.file), message, prim, selection)

    def report_unbounded(self) -> None:
        """Report points that are not finite once they move, unless the resting ones are known."""
        if not any(code == "S4D303" for code, _, _ in self.findings):
            self.report("S4D303", "moving points become NaN or infinite")

    def sweep(self) -> tuple[NDArray[np.float64], float] | None:
        """Return the (2, 3) box of a character over its motion and its largest radius, in metres.

        Hair and garments follow the body closely, so each body is swept through each motion once;
        None for the further combinations of the two, or when nothing finite is drawn.
        """
        pair = (self.selection.get("body"), self.selection.get("motion"))
        if self._swept_for != dict(self.selection):
            self._swept_for = dict(self.selection)
            self._sweep = self._compute_sweep() if self.first_time("sweep", *pair) else None
        return self._sweep

    def _compute_sweep(self) -> tuple[NDArray[np.float64], float] | None:
        motion = read_motion(self.stage.GetDefaultPrim())
        turn = metres_z_up_from_stage(self.stage)
        geometry = SceneGeometry(self.stage, self.stage.GetDefaultPrim())
        times: list[float | None] = [None]
        if motion is not None:
            times = [float(t) for t in np.linspace(motion.start, motion.end, SWEEP_SAMPLES)]
        clouds = [
            surface.points_in_world() @ turn.T
            for time in times
            for surface in geometry.surfaces(time)
            if len(surface.points)
        ]
        points = np.concatenate(clouds) if clouds else np.zeros((0, 3))
        if len(points) == 0:
            return None
        if not np.isfinite(points).all():
            self.report_unbounded()
            return None
        radius = float(np.sqrt((points[:, :2] ** 2).sum(axis=1).max()))
        return np.stack([points.min(axis=0), points.max(axis=0)]), radius

    def first_time(self, *key: object) -> bool:
        """Return True the first time that a key comes up in this asset."""
        if key in self.seen:
            return False
        self.seen.add(key)
        return True


RuleFunction = Callable[[AssetUnderTest], None]
