"""Stage `characters`: people with random parts and motions on floor and seats, baked to points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pxr import Sdf

from assets_schema.catalog import Catalog
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.stages import Item
from houdini_pdg.usd.baked_layer import author_baked
from houdini_pdg.usd.objects import choose_objects, objects_seed
from houdini_pdg.usd.people import Person, place_people
from houdini_pdg.usd.seats import find_seats
from houdini_pdg.usd.stage import new_stage
from scaling4d.geometry.seeds import child_seed


def run(item: Item, out: Path) -> dict[str, Any]:
    """Write ``characters.json`` and, if there are people, ``characters.usdc`` with their points."""
    spec = item.spec
    layout = parse_layout((item.work / "layout.txt").read_text(encoding="utf-8"))
    libraries = [Catalog.load(path) for path in spec.libraries]
    # The very objects that the stage `compose` will place: their seats are real ones.
    placed, _ = choose_objects(layout.boxes, libraries, objects_seed(item.seed))
    people = place_people(
        layout,
        libraries,
        spec.characters,
        frames=spec.frames,
        fps=spec.fps,
        seed=child_seed(item.seed, "characters"),
        seats=find_seats(placed),
    )
    document = {
        "fps": spec.fps,
        "frames": spec.frames,
        "characters": [person.to_json() for person in people],
    }
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"
    (out / "characters.json").write_text(text, encoding="utf-8", newline="\n")
    if people:
        _write_points(people, out / "characters.usdc", spec.frames, spec.fps)
    return {"people": len(people), "motions": [person.part.motion for person in people]}


def _write_points(people: list[Person], path: Path, frames: int, fps: float) -> None:
    stage = new_stage(frames, fps)
    for person in people:
        author_baked(stage, Sdf.Path(f"/World/Characters/{person.name}/asset"), person.baked)
    stage.GetRootLayer().Export(str(path))
