"""Draw people from the catalogues and place them on free floor without collisions (§3.3)."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assets_schema.catalog import Catalog
from assets_schema.entry import Entry, MotionInfo
from assets_schema.variants import choose_variants, complete_selection
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import Solids, floor_region, layout_solids
from scaling4d.geometry.seeds import child_seed
from scaling4d.geometry.seeds import rng as named_rng

from .config import CharactersConfig
from .objects import Choice
from .skinning import (
    BakedCharacter,
    Footprint,
    bake_character,
    measure_footprint,
    motion_codes,
)

logger = logging.getLogger(__name__)

_STEP_UP = 0.06  # metres of carpet that people stand on rather than collide with
_DOOR_ZONE = 0.3


@dataclass(frozen=True)
class Person:
    """A character with its variants, motion and place; `baked` holds its points per frame."""

    name: str
    choice: Choice
    motion: str
    offset: float
    codes: np.ndarray
    position: tuple[float, float, float]
    yaw: float
    footprint: Footprint
    baked: BakedCharacter

    @property
    def track(self) -> np.ndarray:
        """Axis of the person's cylinder in the world at each frame, (frames, 2)."""
        return _in_world(self.footprint.centres, self.position[:2], self.yaw)

    def to_json(self) -> dict[str, Any]:
        floor = self.position[2]
        return {
            "name": self.name,
            "asset": self.choice.entry.id,
            "library": self.choice.library,
            "variants": self.choice.variants,
            "motion": self.motion,
            "offset_seconds": self.offset,
            "time_codes": self.codes.tolist(),
            "position": list(self.position),
            "yaw": self.yaw,
            "track": self.track.tolist(),
            "radius": self.footprint.radius,
            "low": floor + self.footprint.low,
            "high": floor + self.footprint.high,
        }


def place_people(
    layout: Layout,
    libraries: Sequence[Catalog],
    config: CharactersConfig,
    *,
    frames: int,
    fps: float,
    seed: int,
) -> list[Person]:
    """Return the people of a scene; fewer than drawn where the floor has no room for more.

    Each person's random streams are its own, so more people change none of the first ones.

    Args:
        layout: where they stand.
        libraries: catalogues whose entries of kind "character" are drawn from.
        config: how many, which motions, how close.
        frames, fps: the clip.
        seed: 64-bit seed of the characters stage.
    """
    cast = [
        (index, entry)
        for index, catalog in enumerate(libraries)
        for entry in catalog.entries
        if entry.kind == "character" and entry.weight > 0 and entry.character is not None
    ]
    count = int(named_rng(seed, "count").integers(config.count[0], config.count[1] + 1))
    if not cast or count == 0:
        if count:
            logger.warning("no library holds a character: the scene has no people")
        return []
    solids, region = layout_solids(layout), floor_region(layout)
    people: list[Person] = []
    for index in range(count):
        person_seed = child_seed(seed, "person", index)
        drawn = _draw_person(f"person_{index}", cast, config, frames, fps, person_seed)
        placed = _place(drawn, layout, solids, region, people, config, person_seed)
        if placed is None:
            logger.info("person %d found no free floor and is left out", index)
        else:
            people.append(placed)
    return people


def _draw_person(
    name: str,
    cast: Sequence[tuple[int, Entry]],
    config: CharactersConfig,
    frames: int,
    fps: float,
    seed: int,
) -> Person:
    generator = named_rng(seed, "asset")
    weights = np.array([entry.weight for _, entry in cast])
    library, entry = cast[int(generator.choice(len(cast), p=weights / weights.sum()))]
    assert entry.character is not None
    motion = _draw_motion(entry.character.motions, config, named_rng(seed, "motion"))
    variants = {**choose_variants(entry, child_seed(seed, "variants")), "motion": motion}
    variants = complete_selection(entry, variants)
    info = entry.character.motions[motion]
    offset = _draw_offset(info, frames, fps, named_rng(seed, "offset"))
    codes = motion_codes(info, frames, fps, offset)
    baked = _bake(entry, variants, info, codes)
    footprint = measure_footprint(baked)
    choice = Choice(library, entry, variants)
    return Person(name, choice, motion, offset, codes, (0.0, 0.0, 0.0), 0.0, footprint, baked)


def _draw_motion(
    motions: Mapping[str, MotionInfo], config: CharactersConfig, rng: np.random.Generator
) -> str:
    """Draw a motion; sitting needs a seat under it and is drawn only when asked for by name."""
    asked = [name for name in sorted(motions) if name in config.motions]
    if config.motions and not asked:
        raise ValueError(
            f"characters.motions {list(config.motions)} are none of {sorted(motions)}: "
            "name motions that the catalogue has"
        )
    names = asked or [name for name in sorted(motions) if not _needs_seat(name)] or sorted(motions)
    return names[int(rng.integers(len(names)))]


def _needs_seat(motion: str) -> bool:
    return "sit" in motion or "stand_up" in motion or "standup" in motion


def _draw_offset(motion: MotionInfo, frames: int, fps: float, rng: np.random.Generator) -> float:
    """Seconds into the motion: anywhere in a loop; early enough to end in the clip otherwise."""
    length = max(motion.end - motion.start, 0.0) / motion.fps
    latest = length if motion.loop else length - (frames - 1) / fps
    return round(float(rng.uniform(0.0, max(latest, 0.0))), 3)


def _bake(
    entry: Entry, variants: Mapping[str, str], motion: MotionInfo, codes: np.ndarray
) -> BakedCharacter:
    """Bake the clip; a loop that travels goes on from where its last cycle ended."""
    cycles = np.concatenate([[0], np.cumsum(np.diff(codes) < -1e-9)])
    baked = bake_character(entry, variants, codes)
    if not motion.root_motion or cycles[-1] == 0:
        return baked
    ends = bake_character(entry, variants, [motion.start, motion.end]).points_in_root()
    travel = (ends[1] - ends[0]).mean(axis=0) * (1.0, 1.0, 0.0)
    return baked.moved(cycles[:, None] * travel)


def _place(
    person: Person,
    layout: Layout,
    solids: Solids,
    region: Any,
    others: Sequence[Person],
    config: CharactersConfig,
    seed: int,
) -> Person | None:
    """Try positions and headings until the swept cylinder is free; None if none is."""
    generator = named_rng(seed, "place")
    low, high = layout.bounds()
    floor = layout.floor_height
    radius = person.footprint.radius
    for _ in range(config.placements):
        position, yaw = generator.uniform(low, high), float(generator.uniform(-math.pi, math.pi))
        track = _in_world(person.footprint.centres, position, yaw)
        if not region.contains(track).all():
            continue
        top = floor + person.footprint.high
        gap = solids.plan_distance(track, floor + _STEP_UP, top) - radius
        if (gap < config.clearance).any() or _near_door(track, layout, radius):
            continue
        apart = [
            np.linalg.norm(track - other.track, axis=1) - radius - other.footprint.radius
            for other in others
        ]
        if all((gap >= config.clearance).all() for gap in apart):
            place = (round(float(position[0]), 4), round(float(position[1]), 4), floor)
            return Person(
                person.name,
                person.choice,
                person.motion,
                person.offset,
                person.codes,
                place,
                round(yaw, 4),
                person.footprint,
                person.baked,
            )
    return None


def _near_door(track: np.ndarray, layout: Layout, radius: float) -> bool:
    """Whether a person stands in a doorway."""
    doors = [np.asarray(door.position[:2]) for door in layout.doors]
    return any((np.linalg.norm(track - door, axis=1) < radius + _DOOR_ZONE).any() for door in doors)


def _in_world(centres: np.ndarray, position: Any, yaw: float) -> np.ndarray:
    cos, sin = math.cos(yaw), math.sin(yaw)
    rotation = np.array([[cos, -sin], [sin, cos]])
    result: np.ndarray = centres @ rotation.T + np.asarray(position[:2])
    return result
