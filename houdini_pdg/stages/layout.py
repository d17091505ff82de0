"""Stage `layout`: a furnished flat in the SpatialLM grammar, drawn by seed or read from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from houdini_pdg.layout.generate import LayoutImpossible, generate_layout
from houdini_pdg.layout.grammar import print_layout
from houdini_pdg.stages import Item, StageRejected
from scaling4d.geometry.seeds import child_seed


def run(item: Item, out: Path) -> dict[str, Any]:
    """Write ``layout.txt``; the report counts what it holds, and the draws that were given up."""
    redrawn: list[str] = []
    try:
        layout = generate_layout(item.spec.layout, child_seed(item.seed, "layout"), redrawn)
    except LayoutImpossible as error:
        raise StageRejected(str(error), {"redrawn": redrawn}) from error
    (out / "layout.txt").write_text(print_layout(layout), encoding="utf-8", newline="\n")
    return {
        "walls": len(layout.walls),
        "doors": len(layout.doors),
        "windows": len(layout.windows),
        "boxes": len(layout.boxes),
        "categories": sorted({box.category for box in layout.boxes}),
        "redrawn": redrawn,
    }
