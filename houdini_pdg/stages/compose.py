"""Stage `compose`: layout, assets and people become one USD stage, composed by reference."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from pxr import Sdf, Usd, UsdGeom, UsdUtils

from assets_schema.catalog import Catalog
from assets_schema.library.finishes import FinishShelf
from houdini_pdg.layout.grammar import parse_layout
from houdini_pdg.layout.solids import floor_region
from houdini_pdg.stages import Item
from houdini_pdg.usd.caption import write_caption
from houdini_pdg.usd.lights import author_lights, draw_rig
from houdini_pdg.usd.objects import (
    Choice,
    author_objects,
    choose_objects,
    objects_seed,
    reference_asset,
)
from houdini_pdg.usd.render_settings import author_render_settings
from houdini_pdg.usd.room import author_room, draw_finishes, shell_albedo
from houdini_pdg.usd.sky import draw_sky, write_sky
from houdini_pdg.usd.stage import define_group, new_stage, placement, set_matrix
from scaling4d.geometry.seeds import child_seed
from scaling4d.geometry.seeds import rng as named_rng


def run(item: Item, out: Path) -> dict[str, Any]:
    """Write ``scene.usda`` and ``textures/``; the report is the scene's provenance and caption.

    ``cameras.usda``, which the trajectory stage writes, and ``characters.usdc`` are sublayers.
    """
    spec, seed = item.spec, child_seed(item.seed, "compose")
    layout = parse_layout((item.work / "layout.txt").read_text(encoding="utf-8"))
    characters = json.loads((item.work / "characters.json").read_text(encoding="utf-8"))
    libraries = [Catalog.load(path) for path in spec.libraries]
    region = floor_region(layout)
    rig = draw_rig(spec.compose, named_rng(seed, "light"))
    finishes = draw_finishes(named_rng(seed, "finishes"))
    placed, missing = choose_objects(layout.boxes, libraries, objects_seed(item.seed))
    stage = new_stage(spec.frames, spec.fps)
    with tempfile.TemporaryDirectory() as scratch:
        shelf = FinishShelf(Path(scratch))
        albedo = shell_albedo(finishes, shelf)
        author_room(
            stage,
            layout,
            region,
            finishes,
            textures=out / "textures",
            texture_root="./textures",
            shelf=shelf,
        )
    lamps = author_objects(
        stage,
        placed,
        instancing=spec.compose.instancing,
        lamps=rig.lamps,
        kelvin=rig.lamp_temperature,
    )
    _author_people(stage, characters, libraries)
    sky = draw_sky(rig.time_of_day, overcast=rig.overcast, rng=named_rng(seed, "sky"))
    write_sky(out / "textures" / "sky.png", sky)
    exposure = author_lights(
        stage,
        rig,
        layout,
        region,
        lamps,
        sky="./textures/sky.png",
        albedo=albedo,
    )
    author_render_settings(stage, height=spec.height, width=spec.width, cameras=spec.cameras)
    caption = write_caption(
        replace(layout, boxes=tuple(each.box for each in placed)),
        characters,
        time_of_day=rig.time_of_day,
        overcast=rig.overcast,
        lamps_on=rig.lamps > 0,
        finishes=finishes,
    )
    stage.GetDefaultPrim().SetMetadata("comment", caption)
    people = bool(characters["characters"])
    _export(stage, out / "scene.usda", item.work, people=people)
    return {
        "caption": caption,
        "finishes": finishes,
        "lights": {**rig.provenance(), "stage_exposure": exposure},
        "objects": [
            {
                "prim": f"/World/Objects/{each.prim_name}",
                "box": each.box.name,
                "category": each.box.category,
                "asset": each.choice.entry.id,
                "version": each.choice.entry.version,
                "content_hash": each.choice.entry.content_hash,
                "license": each.choice.entry.license,
                "variants": each.choice.variants,
            }
            for each in placed
        ],
        "missing_categories": missing,
    }


def _author_people(stage: Usd.Stage, characters: dict[str, Any], libraries: list[Catalog]) -> None:
    """Reference each person; the points per frame come from the sublayer characters.usdc."""
    define_group(stage, "/World/Characters")
    for person in characters["characters"]:
        path = Sdf.Path("/World/Characters").AppendChild(person["name"])
        xform = UsdGeom.Xform.Define(stage, path)
        set_matrix(xform.GetPrim(), placement(person["position"], person["yaw"]))
        xform.GetPrim().SetCustomDataByKey("category", "character")
        xform.GetPrim().SetCustomDataByKey("asset", person["asset"])
        library = libraries[person["library"]]
        choice = Choice(person["library"], library[person["asset"]], person["variants"])
        reference_asset(stage, path.AppendChild("asset"), choice)


def _export(stage: Usd.Stage, path: Path, final_folder: Path, *, people: bool) -> None:
    """Write the root layer with asset paths relative to the folder it will be moved to."""
    layer = Sdf.Layer.CreateAnonymous(".usda")  # a copy, which no open stage recomposes
    layer.TransferContent(stage.GetRootLayer())
    layer.subLayerPaths.append("./cameras.usda")
    if people:
        layer.subLayerPaths.append("./characters.usdc")

    def relative(asset: str) -> str:
        if not Path(asset).is_absolute():
            return asset
        return Path(os.path.relpath(asset, final_folder.resolve())).as_posix()

    UsdUtils.ModifyAssetPaths(layer, relative)
    layer.Export(str(path))
