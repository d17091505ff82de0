"""The 9-channel control (I^s, C^r, I^r, M^r) of section 3.2."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .field import CorrespondenceField

CONTROL_CHANNELS: dict[str, slice] = {
    "source": slice(0, 3),
    "correspondence": slice(3, 5),
    "warped": slice(5, 8),
    "mask": slice(8, 9),
}
"""Place of each part in the control, by name."""

CORRESPONDENCE_LIMIT = 2.0
"""Bound of the scaled C^r, and its value where a pixel has no correspondence."""


def scale_correspondence(
    displacement: Float[Tensor, "*frames 2 height width"],
) -> Float[Tensor, "*frames 2 height width"]:
    """Scale pixels by (2 / width, 2 / height), clamp to +-2, and write (2, 2) for NaN.

    The value then does not depend on the resolution: 2 is a whole image. Our choice; the paper is
    silent on the scaling.
    """
    height, width = displacement.shape[-2:]
    size = displacement.new_tensor([width, height])[:, None, None]
    limit = CORRESPONDENCE_LIMIT
    scaled = (displacement * 2 / size).clamp(-limit, limit)
    missing = torch.isnan(scaled).any(dim=-3, keepdim=True)
    return scaled.masked_fill(missing, limit)


def build_control(
    source: Float[Tensor, "frames 3 height width"],
    displacement: Float[Tensor, "frames 2 height width"],
    warped: Float[Tensor, "frames 3 height width"],
    mask: Float[Tensor, "frames 1 height width"],
) -> Float[Tensor, "frames 9 height width"]:
    """Stack the control in the order of `CONTROL_CHANNELS`, the same for depth and for flow.

    Args:
        source: I^s, RGB in [-1, 1].
        displacement: C^r in pixels (see `CorrespondenceField`), NaN where there is none.
        warped: I^r, RGB in [-1, 1], 0 where the mask is 0.
        mask: M^r, 1 where a pixel was rendered, else 0.

    Returns:
        (frames, 9, height, width) in the dtype of ``source``.

    Raises:
        ValueError: if a part has other channels, frames or another size, or ``source`` is not
            floating point.
    """
    if not source.is_floating_point():
        raise ValueError(
            f"the control's source must be floating point RGB in [-1, 1], got {source.dtype}: "
            "convert 8-bit frames by frames / 127.5 - 1"
        )
    frames, _, height, width = source.shape
    for name, part, channels in (
        ("source", source, 3),
        ("displacement", displacement, 2),
        ("warped", warped, 3),
        ("mask", mask, 1),
    ):
        if tuple(part.shape) != (frames, channels, height, width):
            raise ValueError(
                f"the control's {name} must be ({frames}, {channels}, {height}, {width}), got "
                f"{tuple(part.shape)}"
            )
    scaled = scale_correspondence(displacement)
    return torch.cat([part.to(source.dtype) for part in (source, scaled, warped, mask)], dim=1)


def control_metadata() -> dict[str, object]:
    """What a reader needs to understand a control and undo its scaling, as JSON values.

    Saved models hold it (``control_encoding`` in their ``config.json``), and `GenerationResult`
    beside its arrays.
    """
    return {
        "channels": {name: [part.start, part.stop] for name, part in CONTROL_CHANNELS.items()},
        "correspondence": CorrespondenceField.convention,
        "correspondence_scale": ["2 / width", "2 / height"],
        "correspondence_limit": CORRESPONDENCE_LIMIT,
        "missing_correspondence": [CORRESPONDENCE_LIMIT, CORRESPONDENCE_LIMIT],
        "mask": "1 = rendered",
        "fill": 0.0,
    }
