"""Other controls for comparison (§4.1), fed through the same projector and VNVS Blocks.

| variant | method | channels | learns from |
|---|---|---|---|
| `correspondence` | ours | I^s, C^r, I^r, M^r | clips of any video; two views of a scene |
| `inpainting` | TrajectoryCrafter | I^r, M^r | a video moved to another view and back |
| `aligned` | GEN3C, Voyager | I^r, M^r | one frame moved to the video's other cameras |
| `camera` | ReCamMaster | I^s, the 3 x 4 of target_from_source | two views of a scene |

All four are cut from the one control of `scaling4d.correspondence.control`; what differs in the
data is `scaling4d.data.synthetic_pairs.Pairing`. At inference all see the same warp and cameras.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from scaling4d.correspondence.control import CONTROL_CHANNELS, CORRESPONDENCE_LIMIT

ControlVariant = Literal["correspondence", "inpainting", "aligned", "camera"]

_PARTS: dict[str, tuple[str, ...]] = {
    "correspondence": tuple(CONTROL_CHANNELS),
    "inpainting": ("warped", "mask"),
    "aligned": ("warped", "mask"),
    "camera": ("source",),
}
_CAMERA_CHANNELS = 12  # the first three rows of target_from_source


def control_channels(variant: str) -> int:
    """Channels of the control tensor of a variant.

    Raises:
        ValueError: for an unknown variant.
    """
    if variant not in get_args(ControlVariant):
        raise ValueError(
            f"control variant must be one of {', '.join(get_args(ControlVariant))}, got {variant!r}"
        )
    parts = (CONTROL_CHANNELS[name] for name in _PARTS[variant])
    channels = sum(part.stop - part.start for part in parts)
    return channels + (_CAMERA_CHANNELS if variant == "camera" else 0)


def control_limits(variant: str) -> list[float]:
    """Largest magnitude that each channel of a variant's control may have, inf for poses."""
    limits: list[float] = []
    for name in _PARTS[variant]:
        part = CONTROL_CHANNELS[name]
        limit = CORRESPONDENCE_LIMIT if name == "correspondence" else 1.0
        limits += [limit] * (part.stop - part.start)
    return limits + [math.inf] * (control_channels(variant) - len(limits))


def select_control(
    variant: str,
    control: Float[Tensor, "batch frames 9 height width"],
    target_from_source: Float[Tensor, "batch frames 4 4"] | None = None,
) -> Float[Tensor, "batch frames channels height width"]:
    """Take a variant's control out of the full one.

    Args:
        variant: which comparison.
        control: of `scaling4d.correspondence.control.build_control`.
        target_from_source: poses (metres), for `camera` alone; every pixel of a frame gets its 12
            numbers.

    Raises:
        ValueError: if `camera` has no poses.
    """
    if variant == "correspondence":
        return control
    parts = [control[:, :, CONTROL_CHANNELS[name]] for name in _PARTS[variant]]
    if variant == "camera":
        if target_from_source is None:
            raise ValueError(
                "the control variant camera needs target_from_source for every frame; real clips "
                "without cameras cannot train it (use synthetic pairs)"
            )
        numbers = target_from_source[..., :3, :].flatten(-2).to(control)
        parts.append(numbers[..., None, None].expand(*numbers.shape, *control.shape[-2:]))
    return torch.cat(parts, dim=2)
