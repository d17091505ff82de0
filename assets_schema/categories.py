"""The 59 furniture classes of SpatialLM, the further ones that its layouts use, and their aliases.

Layout files write underscores for the spaces of SpatialLM's category tables
(manycore-research/SpatialLM, ``benchmark_categories.tsv``); so does everything here.
"""

from __future__ import annotations

import re


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SPATIALLM_CATEGORIES = _words(
    """
    curtain painting nightstand chandelier wardrobe bed carpet sofa dining_chair bathroom_cabinet
    tv toilet dining_table_combination chair shower plants tv_cabinet coffee_table illumination
    shoe_cabinet refrigerator shower_room wall_decoration cupboard side_table stool wine_cabinet
    bookcase combination_sofa air_conditioner washing_cabinet pillow stove dressing_table desk
    cushion floor-standing_lamp dining_table washing_machine hand_sink clothes_rack mirror sideboard
    computer potted_bonsai range_hood entrance_cabinet gas_stove
    multifunctional_combination_bed leisure_table_and_chair_combination bar_chair screen sink bar
    tub decorative_cabinet wall_cabinet integrated_stove micro-wave_oven
    """
)

# Seen in SpatialLM's example layouts beyond the 59, and what this library adds.
EXTRA_CATEGORIES = (
    "ornaments",
    "ceiling_light",
    "table_lamp",
    "books",
    "vase",
    "basket",
    "door",
    "window",
    "wall_lamp",
    "fireplace",
    "room",
    "character",
    "light_rig",
)

CATEGORIES = SPATIALLM_CATEGORIES + EXTRA_CATEGORIES
UNKNOWN = "unknown"

# Other data sets' and everyday names -> category.
ALIASES = {
    "armchair": "chair",
    "lounge_chair": "chair",
    "office_chair": "chair",
    "barstool": "bar_chair",
    "bar_stool": "bar_chair",
    "bathtub": "tub",
    "bonsai": "potted_bonsai",
    "bookshelf": "bookcase",
    "bed_frame": "bed",
    "bedside_table": "nightstand",
    "night_stand": "nightstand",
    "cabinet": "decorative_cabinet",
    "carpets": "carpet",
    "rug": "carpet",
    "ceiling_lamp": "ceiling_light",
    "clothes_hanger": "clothes_rack",
    "coat_rack": "clothes_rack",
    "couch": "sofa",
    "curtains": "curtain",
    "cushions": "cushion",
    "desktop_computer": "computer",
    "laptop": "computer",
    "monitor": "computer",
    "dining_table_set": "dining_table_combination",
    "dresser": "sideboard",
    "vanity": "dressing_table",
    "floor_lamp": "floor-standing_lamp",
    "floor_standing_lamp": "floor-standing_lamp",
    "fridge": "refrigerator",
    "hob": "gas_stove",
    "cooktop": "gas_stove",
    "cooker_hood": "range_hood",
    "extractor_hood": "range_hood",
    "kitchen_cabinet": "cupboard",
    "kitchen_sink": "sink",
    "lamp": "illumination",
    "pendant_lamp": "chandelier",
    "microwave": "micro-wave_oven",
    "microwave_oven": "micro-wave_oven",
    "micro_wave_oven": "micro-wave_oven",
    "oven": "stove",
    "ottoman": "stool",
    "pouf": "stool",
    "pillows": "pillow",
    "plant": "plants",
    "potted_plant": "plants",
    "picture": "painting",
    "poster": "painting",
    "room_divider": "screen",
    "folding_screen": "screen",
    "sectional_sofa": "combination_sofa",
    "corner_sofa": "combination_sofa",
    "shoe_rack": "shoe_cabinet",
    "shower_cabin": "shower_room",
    "shower_enclosure": "shower_room",
    "end_table": "side_table",
    "television": "tv",
    "tv_stand": "tv_cabinet",
    "tea_table": "coffee_table",
    "wash_basin": "hand_sink",
    "washbasin": "hand_sink",
    "washer": "washing_machine",
    "closet": "wardrobe",
    "wine_rack": "wine_cabinet",
    "ornament": "ornaments",
    "decoration": "wall_decoration",
    "person": "character",
    "human": "character",
    "walls": "room",
}

# Where an object of the category stands when nothing else is said.
WALL_CATEGORIES = _words(
    """
    curtain painting wall_decoration air_conditioner mirror range_hood wall_cabinet tv shower
    wall_lamp window door
    """
)
CEILING_CATEGORIES = _words("chandelier ceiling_light illumination")
ON_TOP_CATEGORIES = _words(
    "pillow cushion computer potted_bonsai micro-wave_oven gas_stove ornaments table_lamp books "
    "vase sink"
)


def normalize_category(name: str) -> str:
    """Return the category that a class name of a layout or a data set stands for.

    Case, spaces and repeated underscores do not matter; a plural ``s`` is dropped if that gives a
    known name. A name that is in no table gives "unknown".
    """
    plain = re.sub(r"[\s_]+", "_", name.strip().lower())
    for candidate in (plain, plain.replace("-", "_"), plain.removesuffix("s")):
        if candidate in _KNOWN:
            return candidate
        if candidate in ALIASES:
            return ALIASES[candidate]
    return UNKNOWN


def default_support(category: str) -> str:
    """Return "wall", "ceiling", "on_top" or "floor" for a category."""
    if category in WALL_CATEGORIES:
        return "wall"
    if category in CEILING_CATEGORIES:
        return "ceiling"
    return "on_top" if category in ON_TOP_CATEGORIES else "floor"


_KNOWN = frozenset(CATEGORIES)
