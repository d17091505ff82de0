"""Walks: the gait cycle along a path, with free arms or with a box in them.

60 % of the cycle is stance (heel strike, flat foot, heel off over the ball), 40 % swing; the hips
move at an even pace over feet that are planted: the part of a sole that carries weight moves less
than 0.5 mm between two frames (tested on every motion).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .curves import ease, turn
from .motion import Foot, Movement

__all__ = ["ARM_OUT", "CARRYING", "carry", "walk", "walk_circle"]

ARM_OUT = 9.0  # degrees by which relaxed arms stand off the body


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
