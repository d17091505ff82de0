"""The two protocols of this package: optical flow between images, depth of a video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from scaling4d.devices import usable_device

DepthKind = Literal["metric", "relative", "affine_inverse"]


class EstimatorError(ValueError):
    """An estimator cannot be built or cannot run on what it was given."""


@runtime_checkable
class FlowEstimator(Protocol):
    """Optical flow between pairs of images."""

    name: str

    def __call__(
        self,
        first: UInt8[Tensor, "pairs 3 height width"],
        second: UInt8[Tensor, "pairs 3 height width"],
    ) -> Float[Tensor, "pairs 2 height width"]:
        """Return float32 pixels, x then y: where each pixel of ``first`` lies in ``second``.

        The result is on the device of ``first``.
        """
        ...


@dataclass(frozen=True)
class DepthEstimate:
    """Depth of a video.

    Attributes:
        depth: (frames, height, width) float32 planar z, +inf = no surface, NaN = unknown.
        intrinsics: (frames, 3, 3) float64 pixels, or None where the estimator gives none.
        kind: ``metric`` = metres; ``relative`` = right up to one unknown scale; ``affine_inverse``
            = 1 / depth is right up to an unknown scale and shift, so planes bend and straight
            camera paths do not move points by the right amounts.
    """

    depth: Float[Tensor, "frames height width"]
    intrinsics: Float[Tensor, "frames 3 3"] | None = None
    kind: DepthKind = "metric"


@runtime_checkable
class DepthEstimator(Protocol):
    """Depth, and where it can intrinsics, of a video."""

    name: str

    def __call__(self, video: UInt8[Tensor, "frames 3 height width"], fps: float) -> DepthEstimate:
        """Estimate from RGB frames; ``fps`` is frames per second."""
        ...


def estimator_device(device: str | torch.device) -> torch.device:
    """Return the device, or raise EstimatorError naming those of this machine."""
    try:
        return usable_device(device)
    except ValueError as error:
        raise EstimatorError(str(error)) from error


def check_image_pair(first: Tensor, second: Tensor) -> None:
    """Raise EstimatorError unless both are uint8 tensors (pairs, 3, height, width) of one shape."""
    for name, images in (("first", first), ("second", second)):
        if not isinstance(images, Tensor):
            raise EstimatorError(
                f"{name} must be a torch tensor, got {type(images).__name__}: flow estimators take "
                "uint8 tensors (pairs, 3, height, width), see torch.from_numpy"
            )
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
            raise EstimatorError(
                f"{name} must be uint8 (pairs, 3, height, width), got {images.dtype} "
                f"{tuple(images.shape)}: flow estimators take 8-bit RGB, channels first"
            )
    if first.shape != second.shape:
        raise EstimatorError(
            f"both images must have one shape, got {tuple(first.shape)} and {tuple(second.shape)}"
        )
