"""Sit a person on a seat: hips over it, facing its front, feet on the floor, all else untouched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assets_schema.entry import Entry, MotionInfo
from houdini_pdg.layout.solids import Solids

from .seats import Seat
from .skinning import BakedCharacter, bake_character, track_hips
from .stage import placement

_LIFT = 0.12  # metres by which hips may be raised or lowered to meet a seat
_CONTACT = 0.10  # radius in metres about the hips within which the underside is measured
_SINK = 0.012  # metres by which cushions and flesh give way
_LEGS = (0.25, 0.42)  # metres of seat that thighs bridge, least and most
_STEP_UP = 0.06  # metres of carpet that feet stand on rather than collide with
_CELL = 0.02  # metres to which swept points are gathered for the collision check


@dataclass(frozen=True)
class Seated:
    """A person on a seat: baked over the clip, its place, and how it came to sit there."""

    baked: BakedCharacter
    position: tuple[float, float, float]
    yaw: float
    seat: Seat
    lift: float

    def to_json(self) -> dict[str, Any]:
        return {
            "box": self.seat.box.name,
            "category": self.seat.box.category,
            "height": round(self.seat.height, 4),
            "lift": round(self.lift, 4),
        }


@dataclass(frozen=True)
class SittingPose:
    """What a seat must offer, in the character's root space.

    `hips` (3,) when seated; `standing` height of the hips at the motion's other end; `underside` z
    of what touches the seat; `legs` metres from the hips forward to behind the shins; `adapts`
    whether legs can be bent to another height.
    """

    hips: np.ndarray
    standing: float
    underside: float
    legs: float
    adapts: bool

    def share(self, heights: np.ndarray) -> np.ndarray:
        """How far seated (frames,) a person with hips at these heights is: 0 standing, 1 seated."""
        span = self.standing - self.hips[2]
        if span < 0.1:  # the motion is seated throughout
            return np.ones(len(heights))
        return np.clip((self.standing - heights) / span, 0.0, 1.0)


def needs_seat(motion: str) -> bool:
    """Whether a motion, by its name, is about sitting."""
    return "sit" in motion or "stand_up" in motion or "standup" in motion


def sitting_pose(entry: Entry, variants: Mapping[str, str], motion: MotionInfo) -> SittingPose:
    """Measure the seated end of a motion."""
    ends = [motion.start, motion.end]
    track = track_hips(entry, variants, ends)
    seated = int(track.places[:, 2].argmin())
    hips = track.places[seated]
    points = bake_character(entry, variants, [ends[seated]]).points_in_root()[0]
    across = np.linalg.norm(points[:, :2] - hips[:2], axis=1)
    below = np.sort(points[(across < _CONTACT) & (points[:, 2] < hips[2]), 2])
    underside = float(below[: max(1, len(below) // 20)].mean()) if len(below) else float(hips[2])
    shins = points[(points[:, 2] > 0.1) & (points[:, 2] < underside - 0.1), 1]
    legs = float(hips[1] - shins.max() - 0.01) if len(shins) else _LEGS[0]
    return SittingPose(
        hips,
        float(track.places[1 - seated, 2]),
        underside,
        float(np.clip(legs, *_LEGS)),
        track.adapts,
    )


def sit(
    entry: Entry,
    variants: Mapping[str, str],
    motion: MotionInfo,
    codes: np.ndarray,
    seats: Sequence[Seat],
    solids: Solids,
    clearance: float,
) -> Seated | None:
    """The person on the first of these seats that fits, None if none does.

    A seat fits if hips can meet it and the body, over the whole clip, keeps `clearance` to every
    solid but the seat itself.
    """
    pose = sitting_pose(entry, variants, motion)
    heights = track_hips(entry, variants, codes).places[:, 2]
    sample = np.append(codes[::4], codes[-1])  # enough to rule a seat out
    unlifted = swept_cells(bake_character(entry, variants, sample))
    for seat in seats:
        lift = seat.height - _SINK - solids.floor - pose.underside
        point = seat.hips(pose.legs)
        if point is None or abs(lift) > (_LIFT if pose.adapts else _SINK):
            continue
        yaw = seat.box.angle_z
        x, y = point - placement((0.0, 0.0, 0.0), yaw)[:2, :2] @ pose.hips[:2]
        position = (round(float(x), 4), round(float(y), 4), solids.floor)
        others = without(solids, seat.box.name)
        # Lifting moves no point further than itself; most seats are ruled out before baking again.
        if not is_free(unlifted, position, yaw, others, clearance - abs(lift)):
            continue
        lifts = lift * pose.share(heights) if pose.adapts else None
        baked = bake_character(entry, variants, codes, lifts)
        if is_free(swept_cells(baked), position, yaw, others, clearance):
            return Seated(baked, position, yaw, seat, lift if pose.adapts else 0.0)
    return None


def swept_cells(baked: BakedCharacter) -> np.ndarray:
    """Centres (n, 3) of the cells of size `_CELL` that any point enters at any frame."""
    cells = np.floor(baked.points_in_root().reshape(-1, 3) / _CELL).astype(np.int32)
    return (np.unique(cells, axis=0) + 0.5) * _CELL


def is_free(
    cells: np.ndarray,
    position: tuple[float, float, float],
    yaw: float,
    solids: Solids,
    clearance: float,
) -> bool:
    """Whether everything inside the cells (n, 3), placed in the world, keeps `clearance`."""
    world = placement(position, yaw)
    points = cells @ world[:3, :3].T + world[:3, 3]
    slack = clearance + _CELL * np.sqrt(3) / 2
    return bool((solids.distance(points) >= slack).all())


def without(solids: Solids, name: str) -> Solids:
    """The solids less one object, what feet step on, floor and ceiling."""
    tops = solids.centre[:, 2] + solids.half[:, 2]
    kept = (np.array(solids.names) != name) & (tops > solids.floor + _STEP_UP)
    return replace(
        solids,
        names=tuple(np.array(solids.names)[kept].tolist()),
        centre=solids.centre[kept],
        half=solids.half[kept],
        yaw=solids.yaw[kept],
        floor=-np.inf,
        ceiling=np.inf,
    )
