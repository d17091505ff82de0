"""Assets in boxes: choose an asset and its variants for each box, and fit it inside.

The fitted asset never leaves its box, which is what the camera certificate avoids.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Sdf, Usd, UsdGeom, UsdLux

from assets_schema.catalog import Catalog
from assets_schema.categories import default_support, normalize_category
from assets_schema.entry import Entry
from assets_schema.variants import apply_selection, choose_variants
from houdini_pdg.layout.model import Box
from scaling4d.geometry.seeds import child_seed

from .stage import define_group, placement, prim_name, set_matrix

logger = logging.getLogger(__name__)

_CANDIDATES = 6
_FRONT_YAW = {
    "-y": 0.0,
    "y": math.pi,
    "+y": math.pi,
    "x": -math.pi / 2,
    "+x": -math.pi / 2,
    "-x": math.pi / 2,
}

_STAND_INS = {
    "dining_chair": ("chair", "stool"),
    "chair": ("dining_chair", "stool"),
    "stool": ("chair",),
    "table_lamp": ("illumination", "floor-standing_lamp"),
    "floor-standing_lamp": ("table_lamp",),
    "ceiling_light": ("chandelier", "illumination"),
    "chandelier": ("ceiling_light", "illumination"),
    "nightstand": ("side_table", "cupboard"),
    "side_table": ("nightstand", "coffee_table", "stool"),
    "books": ("ornaments", "vase", "potted_bonsai", "plants"),
    "refrigerator": ("wardrobe", "cupboard"),
    "coffee_table": ("side_table", "dining_table"),
    "dining_table": ("desk", "coffee_table"),
    "desk": ("dining_table",),
    "sideboard": ("cupboard", "tv_cabinet"),
    "tv_cabinet": ("sideboard", "cupboard"),
    "cupboard": ("sideboard", "decorative_cabinet", "tv_cabinet", "nightstand", "wardrobe"),
    "wardrobe": ("cupboard", "bookcase"),
    "bookcase": ("wine_cabinet", "wardrobe", "cupboard"),
    "wine_cabinet": ("bookcase", "decorative_cabinet", "cupboard"),
    "shoe_cabinet": ("cupboard", "sideboard"),
    "dressing_table": ("desk",),
    "sink": ("cupboard", "hand_sink"),
    "stove": ("integrated_stove", "gas_stove", "cupboard"),
    "potted_bonsai": ("plants", "vase", "ornaments"),
    "plants": ("potted_bonsai",),
    "vase": ("ornaments", "potted_bonsai", "plants"),
    "ornaments": ("vase", "potted_bonsai", "plants"),
    "mirror": ("painting",),
    "painting": ("wall_decoration", "mirror"),
    "computer": ("tv", "screen"),
    "combination_sofa": ("sofa",),
    "clothes_rack": ("floor-standing_lamp",),
}


@dataclass(frozen=True)
class Choice:
    """An asset with the names of its chosen variants; the provenance of one object."""

    library: int
    entry: Entry
    variants: dict[str, str]


@dataclass(frozen=True)
class Placed:
    """A box with its asset and the transform that fits it."""

    box: Box
    choice: Choice
    world_from_asset: np.ndarray

    @property
    def prim_name(self) -> str:
        return prim_name(f"{self.box.name}_{self.box.category}")


def objects_seed(scene_seed: int) -> int:
    """Seed of a scene's objects: `characters` measures the seats that `compose` will place."""
    return child_seed(child_seed(scene_seed, "compose"), "objects")


def choose_objects(
    boxes: Sequence[Box], libraries: Sequence[Catalog], seed: int
) -> tuple[list[Placed], list[str]]:
    """Choose assets for boxes; boxes of one class and size are a set and get the same asset.

    Returns:
        The placed objects, and the sorted categories for which no library has anything.
    """
    chosen: dict[tuple[str, tuple[float, float, float]], Choice | None] = {}
    placed, missing = [], set()
    for box in boxes:
        key = (box.category, box.scale)
        if key not in chosen:
            sizes = [round(1e4 * s) for s in box.scale]
            chosen[key] = _choose(box, libraries, child_seed(seed, "object", box.category, *sizes))
        choice = chosen[key]
        if choice is None or min(box.scale[:2]) <= 0:
            missing.add(box.category)
        else:
            placed.append(Placed(box, choice, fit(box, choice.entry, choice.variants)))
    return placed, sorted(missing)


def _choose(box: Box, libraries: Sequence[Catalog], seed: int) -> Choice | None:
    """Draw a few weighted candidates and keep the one that must be distorted least."""
    for name in _names_to_try(box.category):
        pool = [
            (index, entry)
            for index, catalog in enumerate(libraries)
            for entry in catalog.by_category(name)
            if entry.kind in ("asset", "light") and entry.weight > 0
        ]
        if pool:
            return _best_fit(box, pool, seed)
    return None


def _names_to_try(category: str) -> list[str]:
    """The category, then its stand-ins, then theirs, nearest first."""
    known = normalize_category(category)
    names = [category if known == "unknown" else known]
    for name in names:  # grows while it is read
        names += [other for other in _STAND_INS.get(name, ()) if other not in names]
    return names


def _best_fit(box: Box, pool: list[tuple[int, Entry]], seed: int) -> Choice:
    weights = np.array([entry.weight for _, entry in pool])
    generator = np.random.Generator(np.random.PCG64(child_seed(seed, "asset")))
    picks = generator.choice(len(pool), size=_CANDIDATES, p=weights / weights.sum())
    best: tuple[float, Choice] | None = None
    for number, pick in enumerate(picks):
        library, entry = pool[int(pick)]
        variants = choose_variants(entry, child_seed(seed, "variants", number))
        cost = _distortion(box, entry, variants)
        if best is None or cost < best[0] - 1e-9:
            best = cost, Choice(library, entry, variants)
    assert best is not None
    return best[1]


def _turned_extents(entry: Entry, variants: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Corners (3,), (3,) of the asset's box after its front was turned to -y."""
    low, high = (np.asarray(corner, dtype=float) for corner in entry.extents(variants))
    turn = placement((0.0, 0.0, 0.0), _FRONT_YAW[entry.front_axis.lower()])[:3, :3]
    first, second = turn @ low, turn @ high
    return np.minimum(first, second), np.maximum(first, second)


def _ratios(box: Box, entry: Entry, variants: Mapping[str, str]) -> np.ndarray:
    low, high = _turned_extents(entry, variants)
    size = np.maximum(high - low, 1e-4)
    return np.maximum(np.asarray(box.scale), 1e-3) / size


def _distortion(box: Box, entry: Entry, variants: Mapping[str, str]) -> float:
    """How far from its own proportions and size the asset is taken; small differences are noise."""
    logs = np.log(_ratios(box, entry, variants))
    return round(float(np.ptp(logs) + 0.3 * abs(logs.mean())), 1)


def fit(box: Box, entry: Entry, variants: Mapping[str, str]) -> np.ndarray:
    """Return world_from_asset (4, 4) that puts the asset inside its box.

    `stretch` fills the box; `uniform` keeps proportions; `keep` keeps the size too, unless the
    asset is larger than the box. Things on the floor or on others stand on the box's bottom, things
    of the ceiling hang from its top, things of walls touch its back.
    """
    low, high = _turned_extents(entry, variants)
    ratios = _ratios(box, entry, variants)
    if entry.fit_mode == "uniform":
        scale = np.full(3, ratios.min())
    elif entry.fit_mode == "keep":
        scale = np.full(3, min(1.0, ratios.min()))
    else:
        scale = ratios
    scale = scale * (1 - 1e-6)  # rounding must not push the asset out of its box
    size, centre = (high - low) * scale, (low + high) / 2 * scale
    room = np.asarray(box.scale) - size
    support = entry.support or default_support(box.category)
    lift = {"ceiling": room[2] / 2, "wall": 0.0}.get(support, -room[2] / 2)
    back = room[1] / 2 if support == "wall" else 0.0
    local = placement((0.0, 0.0, 0.0), _FRONT_YAW[entry.front_axis.lower()])
    fitted = np.diag([*scale, 1.0])
    fitted[:3, 3] = np.array([0.0, back, lift]) - centre
    result: np.ndarray = placement(box.position, box.angle_z) @ fitted @ local
    return result


def author_objects(
    stage: Usd.Stage, placed: Sequence[Placed], *, instancing: bool, lamps: float, kelvin: float
) -> list[Usd.Prim]:
    """Author /World/Objects: one Xform per box with the asset referenced below it.

    Args:
        stage: the stage to author into.
        placed: what to author.
        instancing: make assets that occur more than once, and emit no light, instanceable.
        lamps: factor on the intensity of lights inside assets; 0 switches them off.
        kelvin: colour temperature of those lights.

    Returns:
        The lights inside assets, for the exposure and its correction.
    """
    define_group(stage, "/World/Objects")
    counts: dict[tuple[str, str], int] = {}
    for item in placed:
        key = (item.choice.entry.id, repr(sorted(item.choice.variants.items())))
        counts[key] = counts.get(key, 0) + 1
    lights: list[Usd.Prim] = []
    for item in placed:
        path = Sdf.Path("/World/Objects").AppendChild(item.prim_name)
        xform = UsdGeom.Xform.Define(stage, path)
        set_matrix(xform.GetPrim(), item.world_from_asset)
        prim = reference_asset(stage, path.AppendChild("asset"), item.choice)
        xform.GetPrim().SetCustomDataByKey("category", item.box.category)
        xform.GetPrim().SetCustomDataByKey("asset", item.choice.entry.id)
        inside = [p for p in Usd.PrimRange(prim) if UsdLux.LightAPI(p)]
        for light in inside:
            _tune_light(light, lamps, kelvin)
        lights += inside
        key = (item.choice.entry.id, repr(sorted(item.choice.variants.items())))
        if instancing and counts[key] > 1 and not inside:
            prim.SetInstanceable(True)
    return lights if lamps > 0 else []


def reference_asset(stage: Usd.Stage, path: Sdf.Path, choice: Choice) -> Usd.Prim:
    """Reference an asset by its absolute path and select its variants by name."""
    prim = stage.DefinePrim(path)
    prim.GetReferences().AddReference(Path(choice.entry.file).resolve().as_posix())
    apply_selection(prim, choice.variants)
    return prim


def _tune_light(light: Usd.Prim, lamps: float, kelvin: float) -> None:
    api = UsdLux.LightAPI(light)
    if lamps <= 0:
        UsdGeom.Imageable(light).MakeInvisible()
        return
    api.CreateIntensityAttr().Set(float(api.GetIntensityAttr().Get()) * lamps)
    api.CreateEnableColorTemperatureAttr().Set(True)
    api.CreateColorTemperatureAttr().Set(kelvin)
