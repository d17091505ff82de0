"""Large files of a scene that serve its render alone: removed once packed, made again at need.

The people's points per frame (``characters.usdc``) are nearly all that a finished scene would keep
on the disk, and the stage that baked them gives the same bytes again.
"""

from __future__ import annotations

import importlib
import logging
import shutil
import tempfile
from pathlib import Path

from houdini_pdg.plan import Item
from houdini_pdg.spec import MintSpec

from .markers import CONSUMED, REMADE, read_marker

log = logging.getLogger(__name__)


def remove_bulk(work: Path, spec: MintSpec) -> None:
    """Remove what a packed scene needs no more from its work folder.

    Harmless when it was done before; a kill in the middle leaves files that the next run removes.
    """
    if spec.pack.keep_work:
        return
    shutil.rmtree(work / "partial", ignore_errors=True)  # also frames of a render given up
    if not spec.render.keep_frames:
        for folder in CONSUMED.values():
            shutil.rmtree(work / folder, ignore_errors=True)
    for files in REMADE.values():
        for name in files:
            (work / name).unlink(missing_ok=True)


def restore_bulk(item: Item, scratch: Path) -> None:
    """Make the files again that `remove_bulk` has removed, in ``scratch`` first.

    Raises:
        ValueError: they do not come out as they were; the scene then starts from their stage.
    """
    for stage, files in REMADE.items():
        recorded = read_marker(item.marker(stage))["outputs"]
        places = {name: f"work/{item.scene_id}/{name}" for name in files}
        missing = [n for n in files if places[n] in recorded and not (item.work / n).exists()]
        if not missing:
            continue
        log.info("%s: makes %s again, removed since it was packed", item.scene_id, missing[0])
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            out = Path(folder)
            importlib.import_module(f"houdini_pdg.stages.{stage}").run(item, out)
            if not _same(out, item, recorded):
                for marker in item.markers_from(stage):
                    marker.unlink()
                raise ValueError(
                    f"the stage {stage} gives something else than before, because the program or "
                    "a library has changed: run again, the scene starts from there"
                )
            for name in missing:
                (out / name).replace(item.work / name)


def _same(out: Path, item: Item, recorded: dict[str, int]) -> bool:
    """Whether a stage has made files of the recorded sizes again; those still there to the byte."""
    for place, size in recorded.items():
        there = item.root / place
        made = out / there.relative_to(item.work)
        if not made.is_file() or made.stat().st_size != size:
            return False
        if there.is_file() and there.read_bytes() != made.read_bytes():
            return False
    return True
