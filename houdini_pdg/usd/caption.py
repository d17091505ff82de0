"""A sentence or two that describe a scene, for a text-conditioned model's prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import floor_region, is_passage

_ROOM_SIGNS = (
    (("bed", "sofa"), "studio apartment"),
    (("bed",), "bedroom"),
    (("stove",), "kitchen"),
    (("sofa", "tv"), "living room"),
    (("dining_table",), "dining room"),
    (("desk",), "study"),
    (("sofa",), "living room"),
)
"""Categories that a room must have -> its name; the first that fits."""
_WORDS = {
    "tv": "television",
    "tv_cabinet": "TV cabinet",
    "plants": "potted plant",
    "potted_bonsai": "small plant",
    "illumination": "lamp",
    "table_lamp": "table lamp",
    "floor-standing_lamp": "floor lamp",
    "micro-wave_oven": "microwave oven",
    "ceiling_light": "ceiling light",
}
_VERBS = {
    "idle": "standing",
    "walk": "walking",
    "walk_circle": "walking in a circle",
    "turn_around": "turning around",
    "wave": "waving",
    "sit": "sitting",
    "sit_down": "sitting down",
    "stand_up": "standing up",
    "reach": "reaching out",
    "point": "pointing",
    "stretch": "stretching",
    "carry": "carrying a box",
}
_LIGHTS = {
    "morning": "in soft morning light",
    "noon": "in bright noon light",
    "afternoon": "in clear afternoon light",
    "evening": "in warm evening light",
    "night": "lit by lamps at night",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_COLOURS = {"sage": "sage green", "clay": "clay-coloured"}
_UNNAMED = {"curtain", "ceiling_light", "ornaments", "books", "vase", "basket", "wall_cabinet"}
_FLOORS = {"planks": "wooden floor", "carpet": "carpeted floor", "tiles": "tiled floor"}
_MAX_THINGS = 7


def write_caption(
    layout: Layout,
    characters: Mapping[str, Any],
    *,
    time_of_day: str,
    overcast: bool,
    lamps_on: bool,
    finishes: Mapping[str, str],
) -> str:
    """Return the caption: room, finishes, furniture from the largest down, light, and people."""
    counts = Counter(box.category for box in layout.boxes if box.category not in _UNNAMED)
    largest: dict[str, float] = {}
    for box in layout.boxes:
        size = float(box.scale[0] * box.scale[1] * box.scale[2])
        largest[box.category] = max(size, largest.get(box.category, 0.0))
    things = sorted(counts, key=lambda category: (-largest[category], category))[:_MAX_THINGS]
    floor = _FLOORS.get(finishes["floor"].split("_")[0], "stone floor")
    paint = finishes["wall"].removeprefix("wall_")
    colour = _COLOURS.get(paint, paint)
    text = f"{_room(layout, counts)} with {colour} walls and a {floor}, "
    if things:
        text += f"furnished with {_joined([_counted(name, counts[name]) for name in things])}, "
    text += f"in grey {time_of_day} light" if overcast else _LIGHTS[time_of_day]
    if lamps_on and time_of_day != "night":
        text += " with the lamps on"
    return text + "." + _deeds([str(person["motion"]) for person in characters["characters"]])


def _room(layout: Layout, counts: Mapping[str, int]) -> str:
    """What kind of room it is, told by its furniture; several rooms make an apartment."""
    region = floor_region(layout)
    if any(is_passage(layout, door, region) for door in layout.doors):
        return "An apartment"
    kind = next((name for signs, name in _ROOM_SIGNS if all(counts[s] for s in signs)), "room")
    return f"{'A' if counts else 'An empty'} {kind}"


def _deeds(motions: Sequence[str]) -> str:
    """A sentence on what the people do, led by a space; nothing without people."""
    if not motions:
        return ""
    counts = Counter(motions)
    parts: list[str] = []
    for motion, count in counts.items():
        who = _number(count) + (" person" if count == 1 else " people")
        if parts and count == 1:
            who = "another"
        verb = _VERBS.get(motion, motion.replace("_", " "))
        parts.append(f"{who} {'is' if count == 1 else 'are'} {verb}")
    text = _joined(parts)
    return f" {text[0].upper()}{text[1:]}."


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else "several"


def _counted(category: str, count: int) -> str:
    word = _WORDS.get(category, category.replace("_", " "))
    if count == 1:
        return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
    plural = (
        word if word.endswith("s") else f"{word}es" if word.endswith(("sh", "ch")) else f"{word}s"
    )
    return f"{_number(count)} {plural}"


def _joined(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]
