"""Named camera moves: orbit, arc, dolly, crane, pan, zoom, spiral, bullet time, random and more."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.frame_count import require_frame_count
from scaling4d.geometry.interpolation import cubic_spline
from scaling4d.geometry.moves import Moves, require_pivot
from scaling4d.geometry.seeds import rng

FloatArray = npt.NDArray[np.float64]

_LARGEST = sys.float_info.max  # whole numbers may lie beyond it
_MOST_POINTS = 1000  # of a random path, which is noise long before

EASINGS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "linear": lambda t: t,
    "in": lambda t: t * t,
    "out": lambda t: t * (2.0 - t),
    "in_out": lambda t: t * t * (3.0 - 2.0 * t),  # the cubic smoothstep: at rest at both ends
}


@dataclass(frozen=True)
class Amount:
    """One setting of a preset.

    Attributes:
        default: value when the user gives none; None means that it must be given.
        unit: "deg", "m", "x" (a factor), "turns", "frame", "seed" (whole), "count" (whole) or
            "flag" (0 or 1).
        help: one phrase for the user.
    """

    default: float | None
    unit: str
    help: str


@dataclass(frozen=True)
class Preset:
    """A named move: its curves as a function of eased time, amounts and pivot depth."""

    help: str
    amounts: Mapping[str, Amount]
    curves: Callable[[FloatArray, Mapping[str, float], float], Moves]


def _orbit(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    turns = a["yaw"] != 0.0 or a["pitch"] != 0.0
    if turns and 0.0 < pivot_depth <= a["forward"]:  # beyond it shows the other side
        raise ValueError(
            f"this move circles around the pivot, {pivot_depth} m away, and cannot move forward="
            f"{a['forward']} m towards it, through it: move less far, or give a larger pivot depth"
        )
    return Moves(yaw=t * a["yaw"], pitch=t * a["pitch"], forward=t * a["forward"])


def _arc(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(yaw=(t - 0.5) * a["yaw"], pitch=(t - 0.5) * a["pitch"])


def _dolly(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(forward=t * a["distance"])


def _dolly_zoom(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    require_pivot("dolly_zoom", pivot_depth)
    if not a["distance"] < pivot_depth:
        raise ValueError(
            f"dolly_zoom keeps the size of what is at the pivot, {pivot_depth} m away, and cannot "
            f"move {a['distance']} m towards it: move less far"
        )
    forward = t * a["distance"]
    return Moves(forward=forward, zoom=(pivot_depth - forward) / pivot_depth)


def _truck(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(right=t * a["distance"], aim=bool(a["aim"]))


def _crane(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(up=t * a["height"], aim=bool(a["aim"]))


def _pan(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(pan=t * a["angle"])


def _tilt(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(tilt=t * a["angle"])


def _roll(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(roll=t * a["angle"])


def _zoom(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    if not a["factor"] > 0.0:
        raise ValueError(f"zoom needs a factor > 0, got {a['factor']}")
    return Moves(zoom=a["factor"] ** t)  # equal ratios in equal times look like a steady zoom


def _static(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    return Moves(yaw=0.0 * t)


def _spiral(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    angle = 2.0 * np.pi * a["turns"] * t
    radius = a["radius"] * t  # grows from 0, so that the first frame is the source view
    return Moves(
        right=radius * np.cos(angle),
        up=radius * np.sin(angle),
        forward=t * a["forward"],
        aim=bool(a["aim"]),
    )


def _random(t: FloatArray, a: Mapping[str, float], pivot_depth: float) -> Moves:
    """Spline from the source view through waypoints drawn uniformly about the pivot.

    The paper evaluates on "randomly sampled camera trajectories" (section 4.2) and says no more;
    waypoints joined by smooth curves, with the point of interest kept in view, are its section 3.3.
    """
    require_pivot("random", pivot_depth)
    points = int(a["waypoints"])
    if not 0.0 <= a["distance"] < 1.0:
        raise ValueError(
            f"random moves by a share of the pivot depth, 0 <= distance < 1, got {a['distance']}"
        )
    generator = rng(int(a["seed"]), "trajectory", "random")
    limits = np.array([a["yaw"], a["pitch"], a["distance"] * pivot_depth])
    keys = np.zeros((points + 1, 3))
    keys[1:] = generator.uniform(-1.0, 1.0, (points, 3)) * limits
    curves = cubic_spline(keys, np.linspace(0.0, 1.0, points + 1), t)
    # A spline may swing a little beyond its keys; the limits are a promise.
    yaw, pitch, forward = np.clip(curves, -limits, limits).T
    return Moves(yaw=yaw, pitch=pitch, forward=forward)


_YAW = Amount(20.0, "deg", "travel to the right around the pivot")
_PITCH = Amount(0.0, "deg", "travel up around the pivot")
_AIM = Amount(0.0, "flag", "1 keeps the pivot in the middle of the image")

PRESETS: dict[str, Preset] = {
    "static": Preset("stay at the source camera", {}, _static),
    "orbit": Preset(
        "circle around the pivot, starting at the source view",
        {"yaw": _YAW, "pitch": _PITCH, "forward": Amount(0.0, "m", "approach the pivot")},
        _orbit,
    ),
    "arc": Preset(
        "circle around the pivot from -yaw/2 to +yaw/2, through the source view at half time",
        {"yaw": Amount(30.0, "deg", "whole angle, to the right"), "pitch": _PITCH},
        _arc,
    ),
    "dolly": Preset(
        "move along the viewing direction",
        {"distance": Amount(0.5, "m", "forward; negative moves back")},
        _dolly,
    ),
    "dolly_zoom": Preset(
        "move forward and zoom out (or back and in), so that the pivot keeps its size",
        {"distance": Amount(0.5, "m", "forward; negative moves back")},
        _dolly_zoom,
    ),
    "truck": Preset(
        "move sideways",
        {"distance": Amount(0.3, "m", "to the right; negative moves left"), "aim": _AIM},
        _truck,
    ),
    "crane": Preset(
        "move up or down",
        {"height": Amount(0.3, "m", "up; negative moves down"), "aim": _AIM},
        _crane,
    ),
    "pan": Preset(
        "turn in place to the side", {"angle": Amount(15.0, "deg", "to the right")}, _pan
    ),
    "tilt": Preset("turn in place up or down", {"angle": Amount(10.0, "deg", "up")}, _tilt),
    "roll": Preset(
        "turn in place about the viewing direction",
        {"angle": Amount(10.0, "deg", "clockwise")},
        _roll,
    ),
    "zoom": Preset(
        "change the focal length alone", {"factor": Amount(1.5, "x", "of the source's")}, _zoom
    ),
    "spiral": Preset(
        "circle in the image plane with a growing radius",
        {
            "radius": Amount(0.3, "m", "at the end"),
            "turns": Amount(2.0, "turns", "anticlockwise as the camera sees it"),
            "forward": Amount(0.0, "m", "moved forward at the end"),
            "aim": Amount(1.0, "flag", "1 keeps the pivot in the middle of the image"),
        },
        _spiral,
    ),
    "bullet_time": Preset(
        "hold one source frame and circle around the pivot",
        {
            "yaw": Amount(40.0, "deg", "travel to the right around the pivot"),
            "pitch": _PITCH,
            "forward": Amount(0.0, "m", "approach the pivot"),
            "frame": Amount(0.0, "frame", "index of the source frame that is held"),
        },
        _orbit,
    ),
    "random": Preset(
        "smooth seeded path around the pivot, starting at the source view",
        {
            "seed": Amount(0.0, "seed", "which path"),
            "yaw": Amount(30.0, "deg", "largest turn to either side"),
            "pitch": Amount(12.0, "deg", "largest turn up or down"),
            "distance": Amount(
                0.25, "x", "largest move along the view, as a share of the pivot depth"
            ),
            "waypoints": Amount(2.0, "count", "points the path passes"),
        },
        _random,
    ),
}


def preset_moves(
    name: str,
    frames: int,
    *,
    pivot_depth: float,
    ease: str = "linear",
    amounts: Mapping[str, float] | None = None,
) -> tuple[Moves, dict[str, float]]:
    """Return the curves of a preset and the full set of its amounts.

    Raises:
        ValueError: naming the preset, amount or easing that is unknown or out of range.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown camera preset {name!r}: choose one of {', '.join(PRESETS)}")
    require_frame_count(frames, f"the number of frames of {name!r}")
    if ease not in EASINGS:
        raise ValueError(f"unknown easing {ease!r}: choose one of {', '.join(EASINGS)}")
    preset = PRESETS[name]
    given = dict(amounts or {})
    for key, value in given.items():
        if key not in preset.amounts:
            known = ", ".join((*preset.amounts, "ease"))
            raise ValueError(f"camera preset {name!r} has no amount {key!r}: it takes {known}")
        if not isinstance(value, Real) or not abs(value) <= _LARGEST:
            raise ValueError(f"{name}:{key} must be a finite number, got {value!r}")
        unit = preset.amounts[key].unit
        if unit == "flag" and value not in (0, 1):
            raise ValueError(f"{name}:{key} must be 0 (no) or 1 (yes), got {value}")
        if unit in ("seed", "count") and value != int(value):
            raise ValueError(f"{name}:{key} must be a whole number, got {value}")
        if unit == "count" and not 1 <= value <= _MOST_POINTS:
            raise ValueError(
                f"{name}:{key} must be a whole number >= 1 and <= {_MOST_POINTS}, got {value}"
            )
    settings = {key: float(a.default) for key, a in preset.amounts.items() if a.default is not None}
    settings.update(given)
    time = np.linspace(0.0, 1.0, frames) if frames > 1 else np.zeros(1)
    return preset.curves(EASINGS[ease](time), settings, pivot_depth), settings
