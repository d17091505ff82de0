"""Motions authored by hand as curves: standing, turning, gestures, sitting, and the walks.

All are written for a figure of leg length 1 in its neutral stance (see `motion`), 24 frames a
second. The last frame of a loop is its first one again, further along where the figure travels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curves import breath, ease, keys, turn
from .motion import FPS, Foot, Movement
from .walking import ARM_OUT, carry, walk, walk_circle

__all__ = ["MOTIONS"]

STANCE_WIDTH = 0.115  # half the distance of the ankles, leg lengths


def standing(frames: int, sway: float = 1.0) -> Movement:
    """The base of every standing motion: relaxed arms, breathing, a slight shift of weight."""
    cycle = 2 * np.pi * np.arange(frames) / (frames - 1)
    wave, slow = breath(frames), np.sin(cycle)
    hips = np.stack(
        [0.012 * sway * slow, 0.004 * sway * np.sin(cycle + 1), 0.988 + 0.0012 * wave], axis=1
    )
    zero = np.zeros(frames)
    feet = {
        side: Foot(
            np.tile([sign * STANCE_WIDTH, 0.02 * sign], (frames, 1)), zero, zero + sign * 9, zero
        )
        for side, sign in (("Left", 1.0), ("Right", -1.0))
    }
    angles = {
        "Spine": turn(frames, 1.0 + 0.3 * wave, 0.8 * sway * slow, 1.0 * sway * slow),
        "Spine1": turn(frames, -0.5 - 0.5 * wave, 0.5 * sway * slow),
        "Spine2": turn(frames, -0.8 * wave, 0.4 * sway * slow),
        "Neck": turn(frames, 3.0, -0.5 * slow),
        "Head": turn(frames, -1.0 + 0.6 * wave, 0.0, 2.0 * sway * np.sin(cycle + 2)),
    }
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        angles[f"{side}Shoulder"] = turn(frames, 0, sign * 0.8 * wave)
        angles[f"{side}Arm"] = turn(frames, 3 + 0.8 * wave, -sign * ARM_OUT)
        angles[f"{side}ForeArm"] = turn(frames, -14 - wave, 0.0)
        angles[f"{side}Hand"] = turn(frames, -4.0)
    return Movement(
        hips, turn(frames, 0, 0.9 * sway * slow, 1.5 * sway * slow), angles, feet, loop=True
    )


def idle() -> Movement:
    """Standing at ease for four seconds: breathing, weight shifting, a look around."""
    frames = 97
    move = standing(frames, 1.5)
    look = keys(frames, (0, 0), (0.8, 0), (1.5, 16), (2.3, 16), (3.0, -8), (3.5, -8), (4.0, 0))
    move.angles["Head"] = move.angles["Head"] + turn(frames, 0, 0, look)
    move.angles["Neck"] = move.angles["Neck"] + turn(frames, 0, 0, 0.4 * look)
    return move


def _step_around(frames: int, total: float) -> Movement:
    """Turning on the spot by `total` degrees in small steps."""
    move = standing(frames, 0.4)
    steps = 6
    time = np.arange(frames) / (frames - 1)
    body = total * ease(np.clip((time - 0.04) / 0.9, 0, 1))
    lead = total * ease(np.clip(time / 0.84, 0, 1))
    for side, sign, offset in (("Left", 1.0, 0.0), ("Right", -1.0, 0.5)):
        heading, lift = np.zeros(frames), np.zeros(frames)
        for k in range(steps // 2):
            begin = 0.05 + 0.9 * (k + offset) / (steps / 2 + 0.5)
            share = ease((time - begin) / 0.13)
            heading += total / (steps / 2) * share
            lift += 0.035 * np.sin(np.pi * np.clip((time - begin) / 0.13, 0, 1))
        angle = np.radians(heading)
        place = np.stack([np.cos(angle), np.sin(angle)], axis=1) * sign * STANCE_WIDTH
        move.feet[side] = Foot(place, lift, heading + sign * 9, 0 * time + 0)
    move.hips_turn[:, 2] += body
    move.angles["Head"] = turn(frames, -2, 0, np.clip(lead - body, -40, 40) * 0.9)
    move.angles["Neck"] = turn(frames, 2, 0, np.clip(lead - body, -40, 40) * 0.5)
    move.angles["Spine1"] = turn(frames, 0, 0, 0.4 * (lead - body))
    move.loop = False
    return move


def turn_around() -> Movement:
    """Turning round to the left on the spot, 180 degrees."""
    return _step_around(60, 180.0)


def wave_hand() -> Movement:
    """Raising the right hand and waving three times."""
    frames = 73
    move = standing(frames, 0.6)
    up = keys(frames, (0, 0), (0.25, 0), (0.85, 1), (2.2, 1), (2.8, 0))
    time = np.arange(frames) / FPS
    beat = (
        up
        * np.sin(2 * np.pi * 2.1 * (time - 0.85))
        * ease((time - 0.7) / 0.3)
        * ease((2.4 - time) / 0.3)
    )
    move.angles["RightShoulder"] += turn(frames, 0, 9 * up)
    move.angles["RightArm"] = turn(frames, 3 - 22 * up, ARM_OUT + (58 + 3 * beat) * up, -12 * up)
    move.angles["RightForeArm"] = turn(frames, -14 - 14 * up, (104 + 17 * beat) * up, 0)
    move.angles["RightHand"] = turn(frames, -4 * (1 - up), 8 * beat, -40 * up)
    move.angles["Head"] += turn(frames, -3 * up, 5 * up, -6 * up)
    move.angles["Spine1"] += turn(frames, 0, -3 * up)
    move.hips[:, 0] += 0.012 * up
    return move


def _sitting(frames: int, down: np.ndarray) -> Movement:
    """Between standing (down = 0) and sitting on a 0.45 m seat behind the feet (down = 1)."""
    move = standing(frames, 0.25)
    lean = np.sin(np.pi * np.clip(down, 0, 1)) ** 1.2
    seat = 0.555  # hip height over standing hip height
    move.hips[:, 2] = 0.988 + (seat - 0.988) * down + 0.001 * breath(frames)
    move.hips[:, 1] = 0.50 * down - 0.05 * lean
    move.hips_turn = turn(frames, 2 * down + 24 * lean - 6 * down)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        move.feet[side].contact = np.column_stack(
            [np.full(frames, sign * (STANCE_WIDTH + 0.02)), 0.05 + 0 * down]
        )
        move.angles[f"{side}Arm"] = turn(
            frames, 3 - 30 * down - 16 * lean, -sign * (ARM_OUT - 1 * down), 0
        )
        move.angles[f"{side}ForeArm"] = turn(frames, -14 - 42 * down, 0, -sign * 14 * down)
        move.angles[f"{side}Hand"] = turn(frames, -4 + 22 * down)
    move.angles["Spine"] = turn(frames, 1 + 8 * lean + 2 * down + 0.4 * breath(frames))
    move.angles["Spine1"] = turn(frames, 6 * lean + 2 * down - 0.6 * breath(frames))
    move.angles["Neck"] = turn(frames, 3 - 12 * lean)
    move.angles["Head"] = turn(frames, -1 - 12 * lean + 2 * down)
    move.knee_out = 6.0
    return move


def sit_down() -> Movement:
    """Sitting down from standing on a seat of 0.45 m behind the figure."""
    frames = 61
    move = _sitting(frames, keys(frames, (0, 0), (0.3, 0), (1.75, 1), (2.5, 1)))
    move.loop = False
    return move


def stand_up() -> Movement:
    """Standing up from a seat."""
    frames = 61
    move = _sitting(frames, keys(frames, (0, 1), (0.4, 1), (1.9, 0), (2.5, 0)))
    move.loop = False
    return move


def sit() -> Movement:
    """Sitting, breathing and looking about; loops."""
    frames = 97
    move = _sitting(frames, np.ones(frames))
    look = keys(frames, (0, 0), (0.6, 0), (1.4, 20), (2.2, 20), (3.0, -10), (4.0, 0))
    move.angles["Head"] += turn(frames, 0.5 * look * 0.2, 0, look)
    move.angles["Neck"] += turn(frames, 0, 0, 0.4 * look)
    return move


def reach() -> Movement:
    """Reaching up and forward with the right hand, as to a shelf, and back."""
    frames = 73
    move = standing(frames, 0.4)
    up = keys(frames, (0, 0), (0.2, 0), (1.1, 1), (1.7, 1), (2.7, 0))
    for side, height in (("Left", 24.0), ("Right", 30.0)):
        move.feet[side].pitch = height * up
    move.hips[:, 1] -= 0.05 * up
    move.hips[:, 2] += 0.055 * up
    move.angles["RightShoulder"] += turn(frames, -6 * up, 14 * up)
    move.angles["RightArm"] = turn(frames, 3 - 148 * up, ARM_OUT - 4 * up)
    move.angles["RightForeArm"] = turn(frames, -14 + 4 * up - 30 * np.sin(np.pi * up) * (1 - up))
    move.angles["RightHand"] = turn(frames, -4 + 14 * up)
    move.angles["LeftArm"] += turn(frames, 10 * up, -8 * up)
    move.angles["Spine1"] += turn(frames, -3 * up, -6 * up)
    move.angles["Head"] += turn(frames, -18 * up)
    move.angles["Neck"] += turn(frames, -8 * up)
    return move


def point() -> Movement:
    """Pointing ahead to the left with the left arm, looking there, and back."""
    frames = 73
    move = standing(frames, 0.5)
    up = keys(frames, (0, 0), (0.2, 0), (0.8, 1), (2.0, 1), (2.7, 0))
    look = keys(frames, (0, 0), (0.1, 0), (0.6, 1), (2.1, 1), (2.8, 0))
    move.angles["LeftShoulder"] += turn(frames, 0, -6 * up)
    move.angles["LeftArm"] = turn(frames, 3 - 84 * up, -ARM_OUT, 26 * up)
    move.angles["LeftForeArm"] = turn(frames, -14 + 8 * up - 20 * np.sin(np.pi * up))
    move.angles["LeftHand"] = turn(frames, -4 + 4 * up, 0, 0)
    for finger in ("Middle", "Ring", "Pinky"):
        for bone in (1, 2, 3):
            move.angles[f"LeftHand{finger}{bone}"] = turn(frames, 0, 42 * up, 0)
    move.angles["Head"] += turn(frames, 0, 0, 24 * look)
    move.angles["Neck"] += turn(frames, 0, 0, 10 * look)
    move.angles["Spine1"] += turn(frames, 0, 0, 8 * up)
    return move


def stretch() -> Movement:
    """Stretching both arms over the head, leaning back a little, and relaxing."""
    frames = 85
    move = standing(frames, 0.3)
    up = keys(frames, (0, 0), (0.2, 0), (1.3, 1), (2.1, 1), (3.3, 0))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        move.angles[f"{side}Shoulder"] += turn(frames, 0, -sign * 16 * up)
        move.angles[f"{side}Arm"] = turn(frames, 3 - 20 * up, -sign * (ARM_OUT + 142 * up))
        move.angles[f"{side}ForeArm"] = turn(frames, -14 - 6 * up, -sign * 26 * up)
        move.angles[f"{side}Hand"] = turn(frames, -4, 0)
        move.feet[side].pitch = 16 * keys(frames, (0, 0), (0.7, 0), (1.5, 1), (2.0, 1), (2.6, 0))
    move.hips[:, 2] += 0.03 * up
    move.angles["Spine1"] += turn(frames, -8 * up)
    move.angles["Spine2"] += turn(frames, -6 * up)
    move.angles["Head"] += turn(frames, -14 * up)
    return move


MOTIONS: dict[str, Callable[[], Movement]] = {
    "idle": idle,
    "walk": walk,
    "walk_circle": walk_circle,
    "turn_around": turn_around,
    "wave": wave_hand,
    "sit_down": sit_down,
    "sit": sit,
    "stand_up": stand_up,
    "reach": reach,
    "point": point,
    "stretch": stretch,
    "carry": carry,
}
