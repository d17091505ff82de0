"""What may enter the network, checked at its doors so that a mistake is named where it was made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .backbones.base import TextCondition, TokenGeometry
from .control_variants import control_limits
from .errors import ModelInputError

_SLACK = 0.01
"""How far beyond [-1, 1] values may lie: rounding to half precision, not another range."""


def check_video(video: Tensor) -> None:
    """Refuse what is not batch frames 3 height width of finite numbers in [-1, 1].

    Values are read on the CPU alone: elsewhere the host would wait for the device at every step.

    Raises:
        ModelInputError: saying what was given and how to bring it to the range.
    """
    if video.ndim != 5 or video.shape[2] != 3:
        raise ModelInputError(
            f"a video must be batch frames 3 height width, got {tuple(video.shape)}"
        )
    _check_floating("a video", video)
    if video.device.type != "cpu":
        return
    peak = _peaks(video, dims=(0, 1, 2, 3, 4))[0]
    if not peak <= 1 + _SLACK:
        raise ModelInputError(
            f"a video must hold finite numbers in [-1, 1], got {_magnitude(peak)}: levels of 0 to "
            "255 become `video / 127.5 - 1`"
        )


def check_prompts(prompts: Any) -> None:
    """Refuse what is not a list of texts.

    Raises:
        ModelInputError: saying what was given.
    """
    listed = isinstance(prompts, Sequence) and not isinstance(prompts, str)
    if not listed or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise ModelInputError(
            f"prompts must be a list of texts, one for each video, got {prompts!r}"
        )


def check_latents(latents: Tensor, channels: int) -> None:
    """Refuse what is not batch channels latent_frames rows columns of floating point numbers.

    Raises:
        ModelInputError: saying what was given and where the shape is to be had.
    """
    if latents.ndim != 5 or latents.shape[1] != channels:
        raise ModelInputError(
            f"latents must be batch {channels} latent_frames rows columns for this "
            f"backbone, got {tuple(latents.shape)}: see VNVSModel.latent_shape"
        )
    _check_floating("the latents", latents)


def check_velocity_inputs(
    noisy: Tensor,
    sigma: Tensor,
    text: TextCondition,
    control: Tensor,
    *,
    geometry: TokenGeometry,
    latent_channels: int,
) -> None:
    """Refuse latents, noise levels, prompts and control that do not belong together.

    Shapes and types alone: reading values would make the host wait for the device at every step.

    Raises:
        ModelInputError: saying what was given, what was expected and what to do.
    """
    check_latents(noisy, latent_channels)
    if control.ndim != 5:
        raise ModelInputError(
            f"the control must be batch frames channels height width, got {tuple(control.shape)}"
        )
    for name, tensor in (("sigma", sigma), ("the control", control)):
        _check_floating(name, tensor)
    batch = len(noisy)
    if sigma.shape != (batch,) or len(text) != batch or len(control) != batch:
        raise ModelInputError(
            f"{batch} latents need as many noise levels, prompts and controls, got sigma of shape "
            f"{tuple(sigma.shape)}, {len(text)} prompts and {len(control)} controls"
        )
    frames, _, height, width = control.shape[1:]
    geometry.check_size(frames, height, width)
    grid = geometry.latent_grid(frames, height, width)
    if tuple(noisy.shape[2:]) != grid:
        raise ModelInputError(
            f"a control of {frames} frames of {height}x{width} (height x width) steers latents of "
            f"{_by(grid)} (frames x rows x columns), got {_by(noisy.shape[2:])}: make both for "
            "one size of video"
        )


def check_control_values(variant: str, control: Tensor) -> None:
    """Refuse a control whose images, correspondence or mask leave their ranges.

    The host waits for the device here, so this is not for every step.

    Raises:
        ModelInputError: naming the channel, its value and its range.
    """
    limits = control_limits(variant)
    for channel, (peak, limit) in enumerate(
        zip(_peaks(control, dims=(0, 1, 3, 4)), limits, strict=True)
    ):
        if not peak <= limit + _SLACK or math.isinf(peak):
            expected = "must be finite" if math.isinf(limit) else f"must lie in +-{limit:g}"
            raise ModelInputError(
                f"channel {channel} of the control ({variant}) {expected}, got {_magnitude(peak)}: "
                "build it with scaling4d.correspondence.control.build_control from images in "
                "[-1, 1]"
            )


def _check_floating(name: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point():
        raise ModelInputError(
            f"{name} must be floating point, got {tensor.dtype}: 8-bit levels become "
            "`x.float() / 127.5 - 1`"
        )


def _peaks(tensor: Tensor, *, dims: tuple[int, ...]) -> list[float]:
    """Largest magnitudes over ``dims``, NaN where there is one."""
    values = tensor.detach()
    return torch.maximum(values.amax(dims), -values.amin(dims)).reshape(-1).tolist()


def _magnitude(peak: float) -> str:
    return "NaN" if math.isnan(peak) else f"values up to {peak:g}"


def _by(sizes: Sequence[int]) -> str:
    return "x".join(str(size) for size in sizes)
