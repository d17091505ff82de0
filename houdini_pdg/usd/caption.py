"""A sentence or two that describe a scene, for a text-conditioned model's prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from houdini_pdg.layout.model import Layout

_ROOM_SIGNS = (
    ("bed", "bedroom"),
    ("stove", "kitchen"),
    ("sofa", "living room"),
    ("dining_table", "dining room"),
    ("desk", "study"),
)
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
    "bookcase": "bookcase",
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
    "carry": "carrying something",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
_UNNAMED = {"curtain", "ceiling_light", "ornaments", "books", "vase", "basket", "wall_cabinet"}
_FLOORS = {"planks": "wooden floor", "carpet": "carpeted floor", "tiles": "tiled floor"}
_MAX_THINGS = 7


def write_caption(
    layout: Layout,
    characters: Mapping[str, Any],
    *,
    time_of_day: str,
    lamps_on: bool,
    finishes: Mapping[str, str],
) -> str:
    """Return the caption: room, furniture, finishes, light, and what the people do."""
    counts = Counter(box.category for box in layout.boxes)
    room = next((name for sign, name in _ROOM_SIGNS if counts[sign]), "room")
    things = [
        _counted(category, count)
        for category, count in counts.most_common()
        if category not in _UNNAMED
    ]
    floor = _FLOORS.get(finishes["floor"].split("_")[0], "stone floor")
    colour = finishes["wall"].removeprefix("wall_")
    text = f"A {room} with {_joined(things[:_MAX_THINGS])}" if things else f"An empty {room}"
    text += f", {colour} walls and a {floor}, "
    text += _light(time_of_day, lamps_on) + "."
    people = Counter(str(person["motion"]) for person in characters["characters"])
    if people:
        deeds = _joined([_deed(motion, count) for motion, count in people.items()])
        text += f" {deeds[0].upper()}{deeds[1:]}."
    return text


def _deed(motion: str, count: int) -> str:
    verb = _VERBS.get(motion, f"doing: {motion.replace('_', ' ')}")
    return f"{_number(count)} {'person is' if count == 1 else 'people are'} {verb}"


def _light(time_of_day: str, lamps_on: bool) -> str:
    if time_of_day == "night":
        return "lit by lamps at night"
    return f"in {time_of_day} light" + (" with the lamps on" if lamps_on else "")


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
