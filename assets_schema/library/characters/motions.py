"""Motions authored by hand as curves: standing, walking, turning, gestures, sitting, carrying.

All are written for a figure of leg length 1 in its neutral stance (see `motion`), 24 frames a
second. Walking follows the gait cycle: 60 % stance (heel strike, flat foot, heel off over the ball)
and 40 % swing; the hips move at an even pace over feet that are planted. The last frame of a loop
is its first one again, further along where the figure travels.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .motion import FPS, Foot, Movement

__all__ = ["CARRYING", "MOTIONS"]

STANCE_WIDTH = 0.115  # half the distance of the ankles, leg lengths
ARM_OUT = 9.0  # degrees by which relaxed arms stand off the body


def ease(t: np.ndarray) -> np.ndarray:
    """Smooth 0..1 with no speed and no acceleration at both ends (quintic)."""
    t = np.clip(t, 0.0, 1.0)
    return t**3 * (10 - 15 * t + 6 * t**2)


def keys(frames: int, *points: tuple[float, float]) -> np.ndarray:
    """A curve (T,) through (second, value) keys, eased between each two."""
    time = np.arange(frames) / FPS
    out = np.full(frames, float(points[0][1]))
    for (t0, v0), (t1, v1) in pairwise(points):
        out = np.where(time >= t0, v0 + (v1 - v0) * ease((time - t0) / (t1 - t0)), out)
    return out


def turn(
    frames: int,
    x: np.ndarray | float = 0.0,
    y: np.ndarray | float = 0.0,
    z: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Degrees (T, 3) from curves or constants."""
    return np.stack([np.broadcast_to(np.asarray(c, float), frames) for c in (x, y, z)], axis=1)


def breath(frames: int, seconds: float = 3.5, phase: float = 0.0) -> np.ndarray:
    """A breathing wave (T,) that closes over the clip."""
    cycles = max(1, round(frames / FPS / seconds))
    return np.sin(2 * np.pi * cycles * np.arange(frames) / (frames - 1) + phase)


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


def _gait(phase: np.ndarray, stride: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Foot travel along the path relative to a cycle's start, lift and pitch at gait phase (T,).

    Travel counts strides already made: it rests during stance and moves on by one in the swing.
    """
    whole, part = np.floor(phase), phase % 1.0
    swing = ease((part - 0.6) / 0.4)
    travel = (whole + swing) * stride
    lift = 0.045 * np.sin(np.pi * np.clip((part - 0.6) / 0.4, 0, 1)) ** 1.5
    knots = [(0.0, -17), (0.09, 0), (0.34, 0), (0.60, 44), (0.74, 30), (0.90, -14), (1.0, -17)]
    pitch = np.zeros_like(part)
    for (p0, v0), (p1, v1) in pairwise(knots):
        inside = (part >= p0) & (part <= p1)
        share = np.clip((part - p0) / (p1 - p0), 0, 1)
        pitch = np.where(inside, v0 + (v1 - v0) * share**2 * (3 - 2 * share), pitch)
    return travel, lift, pitch


def _walk(
    frames: int,
    cycles: float,
    stride: float,
    path: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    swing: float = 24.0,
) -> Movement:
    """A walk along `path(distance) -> (x y positions (T, 2), heading degrees (T,))`."""
    phase = cycles * np.arange(frames) / (frames - 1)
    distance = phase * stride
    centre, heading = path(distance)
    feet = {}
    for side, sign, shift in (("Left", 1.0, 0.0), ("Right", -1.0, 0.5)):
        travel, lift, pitch = _gait(phase + shift, stride)
        # A planted foot lies under the hips at mid stance, 30 % into its cycle.
        along = travel + (0.30 - shift) * stride
        place, foot_heading = path(along)
        angle = np.radians(foot_heading)
        out = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (sign * 0.085)
        feet[side] = Foot(place + out, lift, foot_heading + sign * 5, pitch)
    wave = 2 * np.pi * phase
    side_sway = 0.018 * np.sin(wave - 0.35)
    lateral = np.stack([np.cos(np.radians(heading)), np.sin(np.radians(heading))], axis=1)
    hips = np.column_stack(
        [centre + side_sway[:, None] * lateral, 0.984 - 0.016 * np.cos(2 * (wave - 0.35))]
    )
    angles = {
        "Spine": turn(
            frames, 3.0 + np.sin(2 * wave), 1.5 * np.sin(wave - 0.3), 3.0 * np.sin(wave + 1.2)
        ),
        "Spine1": turn(frames, 0.5, 1.2 * np.sin(wave - 0.3), 3.0 * np.sin(wave + 1.2)),
        "Spine2": turn(frames, -1.0, 0.8 * np.sin(wave - 0.3), 3.0 * np.sin(wave + 1.2)),
        "Neck": turn(frames, 2.0, 0.0, -2.0 * np.sin(wave + 1.2)),
        "Head": turn(
            frames,
            -3.0 + 0.6 * np.cos(2 * wave),
            -1.2 * np.sin(wave - 0.3),
            -2.5 * np.sin(wave + 1.2),
        ),
    }
    for side, sign, shift in (("Left", 1.0, 0.0), ("Right", -1.0, np.pi)):
        # The arm swings with the other side's leg: forward when this side's foot is behind.
        back = np.cos(wave + shift)
        angles[f"{side}Shoulder"] = turn(frames, 0, 0, -sign * 2.0 * back)
        angles[f"{side}Arm"] = turn(frames, 4.0 + swing * 0.9 * back - 2, -sign * (ARM_OUT - 2))
        angles[f"{side}ForeArm"] = turn(frames, -22 + 9 * np.cos(wave + shift - 0.5), 0.0)
        angles[f"{side}Hand"] = turn(frames, -4.0 + 4 * back)
    tilt = turn(frames, 1.5, 2.2 * np.cos(wave - 0.4), 0.0)
    tilt[:, 2] = heading - 4.5 * np.sin(wave + 1.2)
    return Movement(hips, tilt, angles, feet, knee_out=3.0, loop=True, travels=True)


def walk() -> Movement:
    """Two strides straight ahead, the path's middle over the origin."""
    stride, cycles = 1.24, 2.0

    def straight(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = stride * cycles / 2 - distance
        return np.stack([np.zeros_like(y), y], axis=1), np.zeros_like(y)

    return _walk(53, cycles, stride, straight)


def walk_circle() -> Movement:
    """A round walk that ends where it began: three strides about the origin, to the left."""
    stride, cycles = 1.2, 3.0
    radius = stride * cycles / (2 * np.pi)

    def circle(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angle = distance / radius
        return radius * np.stack([-np.cos(angle), -np.sin(angle)], axis=1), np.degrees(angle)

    return _walk(85, cycles, stride, circle, swing=20)


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


def carry() -> Movement:
    """Walking a round with a box held in front; the arms keep still, so that hands stay on it."""
    move = walk_circle()
    frames = move.frames
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        move.angles[f"{side}Shoulder"] = turn(frames, 0, sign * 1.0)
        move.angles[f"{side}Arm"] = turn(frames, -12, -sign * 9, 0)
        move.angles[f"{side}ForeArm"] = turn(frames, -66, 0, -sign * 6)
        move.angles[f"{side}Hand"] = turn(frames, -4, 0, 0)
    for name in ("Spine", "Spine1", "Spine2"):
        move.angles[name] = move.angles[name] * (1, 0.6, 0.25) + (-1.2, 0, 0)
    return move


CARRYING = ("carry",)  # motions that hold the box of `props`

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
