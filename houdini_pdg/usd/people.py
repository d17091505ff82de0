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
from assets_schema.variants import Selection, choose_variants, complete_selection
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import FloorRegion, Solids, floor_region, layout_solids
from scaling4d.geometry.seeds import child_seed
from scaling4d.geometry.seeds import rng as named_rng

from .config import CharactersConfig
from .footprint import Footprint, measure_footprint
from .objects import Choice
from .seats import Seat
from .sitting import Seated, needs_seat, sit
from .skinning import BakedCharacter, bake_character, motion_codes

logger = logging.getLogger(__name__)

_STEP_UP = 0.06  # metres of carpet that people stand on rather than collide with
_DOOR_ZONE = 0.3
_LOOKS = 8  # selections drawn per person, of which the one least like the others is worn


@dataclass(frozen=True)
class Part:
    """Who a person is and what it does, before it has a place."""

    choice: Choice
    motion: str
    offset: float
    codes: np.ndarray

    @property
    def info(self) -> MotionInfo:
        """The motion's record in the catalogue."""
        assert self.choice.entry.character is not None
        return self.choice.entry.character.motions[self.motion]


@dataclass(frozen=True)
class Person:
    """A person in its place; `baked` holds its points per frame, `seated` what it sits on."""

    name: str
    part: Part
    position: tuple[float, float, float]
    yaw: float
    footprint: Footprint
    baked: BakedCharacter
    seated: Seated | None = None

    @property
    def track(self) -> np.ndarray:
        """Axis of the person's cylinder in the world at each frame, (frames, 2)."""
        return _in_world(self.footprint.centres, self.position[:2], self.yaw)

    @property
    def asset(self) -> str:
        """Id of the person's entry in its catalogue."""
        return self.part.choice.entry.id

    def to_json(self) -> dict[str, Any]:
        floor = self.position[2]
        return {
            "name": self.name,
            "asset": self.asset,
            "library": self.part.choice.library,
            "variants": self.part.choice.variants,
            "motion": self.part.motion,
            "offset_seconds": self.part.offset,
            "time_codes": self.part.codes.tolist(),
            "seat": self.seated.to_json() if self.seated else None,
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
    seats: Sequence[Seat] = (),
) -> list[Person]:
    """Return the people of a scene; fewer than drawn where the floor has no room for more.

    Each person's random streams are its own, so more people change none of the first ones.

    Args:
        layout: where they stand.
        libraries: catalogues whose entries of kind "character" are drawn from.
        config: how many, which motions, how close.
        frames, fps: the clip.
        seed: 64-bit seed of the characters stage.
        seats: where people may sit; who finds no free one does something else, unless the config
            asks for nothing but sitting.
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
    cast = _who_can(cast, config.motions)
    room = _Room(layout, layout_solids(layout), floor_region(layout), seats, config)
    people: list[Person] = []
    for index in range(count):
        person_seed = child_seed(seed, "person", index)
        placed = _place_one(f"person_{index}", cast, room, people, frames, fps, person_seed)
        if placed is None:
            logger.info("person %d found no free place and is left out", index)
        else:
            people.append(placed)
    return people


def _who_can(cast: list[tuple[int, Entry]], motions: Sequence[str]) -> list[tuple[int, Entry]]:
    """Those of the cast who have one of the asked motions, or all when none is asked for."""
    have = [set(e.character.motions) if e.character else set() for _, e in cast]
    able = [each for each, own in zip(cast, have, strict=True) if own & set(motions)]
    if motions and not able:
        raise ValueError(
            f"characters.motions {list(motions)} are none of {sorted(set[str]().union(*have))}: "
            "name motions that the catalogue has"
        )
    return able if motions else cast


@dataclass(frozen=True)
class _Room:
    """Where people are placed, and by which rules."""

    layout: Layout
    solids: Solids
    region: FloorRegion
    seats: Sequence[Seat]
    config: CharactersConfig


def _place_one(
    name: str,
    cast: Sequence[tuple[int, Entry]],
    room: _Room,
    others: Sequence[Person],
    frames: int,
    fps: float,
    seed: int,
) -> Person | None:
    generator = named_rng(seed, "asset")
    weights = np.array([entry.weight for _, entry in cast])
    library, entry = cast[int(generator.choice(len(cast), p=weights / weights.sum()))]
    assert entry.character is not None
    motions = _motions_to_try(entry.character.motions, room, named_rng(seed, "motion"))
    drawn = _draw_look(entry, others, seed)
    for motion in motions:
        variants = complete_selection(entry, {**drawn, "motion": motion})
        info = entry.character.motions[motion]
        offset = _draw_offset(info, frames, fps, named_rng(seed, "offset"))
        codes = motion_codes(info, frames, fps, offset)
        part = Part(Choice(library, entry, variants), motion, offset, codes)
        place = _seat if needs_seat(motion) else _stand
        person = place(name, part, room, others, seed)
        if person is not None:
            return person
    return None


def _draw_look(entry: Entry, others: Sequence[Person], seed: int) -> Selection:
    """Of `_LOOKS` draws, the first of those that share the fewest variants with who is there.

    The first person of a scene wears its first draw, so weights hold; later ones avoid its clothes.
    """
    worn = [
        person.part.choice.variants.items() - {("motion", person.part.motion)}
        for person in others
        if person.asset == entry.id
    ]
    seeds = [child_seed(seed, "variants")]
    if worn:
        seeds += [child_seed(seed, "variants", index) for index in range(1, _LOOKS)]
    looks = [choose_variants(entry, each) for each in seeds]
    return min(looks, key=lambda look: sum(len(look.items() & each) for each in worn))


def _motions_to_try(
    motions: Mapping[str, MotionInfo], room: _Room, rng: np.random.Generator
) -> list[str]:
    """A motion, and one on foot for whoever draws a seated one and finds no free seat."""
    config = room.config
    asked = [name for name in sorted(motions) if name in config.motions]
    names = asked or sorted(motions)
    on_foot = [name for name in names if not needs_seat(name)]
    if not room.seats and not asked:
        names = on_foot or names
    first = names[int(rng.integers(len(names)))]
    if needs_seat(first) and on_foot:
        return [first, on_foot[int(rng.integers(len(on_foot)))]]
    return [first]


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


def _seat(name: str, part: Part, room: _Room, others: Sequence[Person], seed: int) -> Person | None:
    """On a free seat, tried in random order."""
    order = named_rng(seed, "seat").permutation(len(room.seats))
    taken = {other.seated.seat.box.name for other in others if other.seated is not None}
    seats = [room.seats[i] for i in order if room.seats[i].box.name not in taken]
    choice = part.choice
    seated = sit(
        choice.entry,
        choice.variants,
        part.info,
        part.codes,
        seats,
        room.solids,
        room.config.clearance,
    )
    if seated is None:
        return None
    footprint = measure_footprint(seated.baked)
    person = Person(name, part, seated.position, seated.yaw, footprint, seated.baked, seated)
    return person if _apart(person.track, footprint.radius, others, room.config) else None


def _stand(
    name: str, part: Part, room: _Room, others: Sequence[Person], seed: int
) -> Person | None:
    """On free floor: try positions and headings until the swept cylinder is free."""
    config, layout = room.config, room.layout
    choice = part.choice
    baked = _bake(choice.entry, choice.variants, part.info, part.codes)
    footprint = measure_footprint(baked)
    generator = named_rng(seed, "place")
    low, high = layout.bounds()
    floor = layout.floor_height
    radius = footprint.radius
    for _ in range(config.placements):
        position, yaw = generator.uniform(low, high), float(generator.uniform(-math.pi, math.pi))
        track = _in_world(footprint.centres, position, yaw)
        if not room.region.contains(track).all():
            continue
        gap = room.solids.plan_distance(track, floor + _STEP_UP, floor + footprint.high) - radius
        if (gap < config.clearance).any() or _near_door(track, layout, radius):
            continue
        if _apart(track, radius, others, config):
            place = (round(float(position[0]), 4), round(float(position[1]), 4), floor)
            return Person(name, part, place, round(yaw, 4), footprint, baked)
    return None


def _apart(
    track: np.ndarray, radius: float, others: Sequence[Person], config: CharactersConfig
) -> bool:
    """Whether a moving cylinder keeps clear of everyone else's."""
    gaps = (
        np.linalg.norm(track - other.track, axis=1) - radius - other.footprint.radius
        for other in others
    )
    return all((gap >= config.clearance).all() for gap in gaps)


def _near_door(track: np.ndarray, layout: Layout, radius: float) -> bool:
    """Whether a person stands in a doorway."""
    doors = [np.asarray(door.position[:2]) for door in layout.doors]
    return any((np.linalg.norm(track - door, axis=1) < radius + _DOOR_ZONE).any() for door in doors)


def _in_world(centres: np.ndarray, position: Any, yaw: float) -> np.ndarray:
    cos, sin = math.cos(yaw), math.sin(yaw)
    rotation = np.array([[cos, -sin], [sin, cos]])
    result: np.ndarray = centres @ rotation.T + np.asarray(position[:2])
    return result
