"""The asset under test: its stage, the selection in force, and the findings so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pxr import Usd

from assets_schema.entry import Entry
from assets_schema.scene_geometry import Surface
from assets_schema.variants import Selection

from .finding import Finding


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

    def report(self, code: str, message: str, prim: str = "", *, always: bool = False) -> None:
        """Add a finding once; the same again only counts. ``always``: it is not of a selection."""
        key = (code, prim, message)
        known = self.findings.get(key)
        if known is not None:
            self.findings[key] = replace(known, count=known.count + 1)
            return
        selection = {} if always else dict(self.selection)
        self.findings[key] = Finding(code, self.entry.id, str(self.file), message, prim, selection)

    def first_time(self, *key: object) -> bool:
        """Return True the first time that a key comes up in this asset."""
        if key in self.seen:
            return False
        self.seen.add(key)
        return True


RuleFunction = Callable[[AssetUnderTest], None]
