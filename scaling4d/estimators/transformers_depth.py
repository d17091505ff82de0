"""Monocular depth through transformers' depth-estimation models (Depth Anything, ZoeDepth, ...)."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from scaling4d.geometry.camera import intrinsics_from_fov

from .base import DepthEstimate, DepthKind, EstimatorError, estimator_device

logger = logging.getLogger(__name__)

Output = Literal["auto", "metric", "inverse"]


class TransformersDepth:
    """Per-frame depth by any model of ``AutoModelForDepthEstimation``.

    Models give either metric depth in metres or a relative inverse depth (disparity up to scale and
    shift). Inverse depth d is turned into depth 1 / (scale * d + shift) with the caller's numbers,
    the same for the whole video. With the right shift the result is ``relative``; without one,
    0 is taken, a warning says so, and the result is ``affine_inverse`` (see `DepthEstimate`). These
    models know nothing of time: expect flicker that a video model does not have.
    """

    name = "transformers"

    def __init__(
        self,
        model: str | Path = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf",
        *,
        output: Output = "auto",
        scale: float = 1.0,
        shift: float | None = None,
        horizontal_fov: float | None = None,
        device: str | torch.device = "cpu",
        batch_size: int = 4,
        local_files_only: bool = False,
    ) -> None:
        """Load a model and its image processor.

        Args:
            model: name on the Hugging Face hub, or a local folder that ``save_pretrained`` wrote.
            output: what the model predicts: ``metric`` depth, ``inverse`` depth, or ``auto`` to
                read it from the model's configuration.
            scale: of the inverse depth, per metre where the result should be metres.
            shift: of the inverse depth, in its unit after ``scale``; None where it is not known.
            horizontal_fov: degrees; gives the intrinsics, which these models do not estimate.
            device: where the model runs.
            batch_size: frames per forward pass.
            local_files_only: never ask the network.

        Raises:
            EstimatorError: if an option is not one of those above, or the model cannot be had, is
                of another kind, or does not say what it predicts while ``output`` is ``auto``.
        """
        if output not in get_args(Output):
            raise EstimatorError(f"output must be one of {get_args(Output)}, got {output!r}")
        if scale <= 0 or batch_size < 1:
            raise EstimatorError(
                f"scale must be positive and batch_size at least 1, got {scale} and {batch_size}"
            )
        self.device = estimator_device(device)
        self.processor, self.model = _load(str(model), local_files_only)
        self.model.eval().requires_grad_(False).to(self.device)
        self.output = _predicted(self.model.config, output, str(model))
        self.scale, self.shift = scale, shift
        if self.output == "inverse" and shift is None:
            logger.warning(
                "%s gives inverse depth up to an unknown scale and shift; taking shift 0, which "
                "bends planes and leaves the unit unknown: use a metric model, or give the shift",
                model,
            )
        self.horizontal_fov = horizontal_fov
        self.batch_size = batch_size

    @torch.no_grad()  # inference mode would bar its results from training
    def __call__(self, video: UInt8[Tensor, "frames 3 height width"], fps: float) -> DepthEstimate:
        """Estimate the depth of each frame (see `DepthEstimator`); ``fps`` is not used."""
        frames, _, height, width = video.shape
        predicted = torch.cat([self._predict(part) for part in video.split(self.batch_size)])
        if self.output == "inverse":
            disparity = self.scale * predicted + (self.shift or 0.0)
            # A disparity of zero or less lies beyond every distance: a point at infinity.
            depth = torch.where(disparity > 0, 1 / disparity, torch.inf)
        else:
            depth = torch.where(predicted > 0, predicted, torch.nan)
        intrinsics = None
        if self.horizontal_fov is not None:
            one = torch.from_numpy(intrinsics_from_fov(height, width, self.horizontal_fov))
            intrinsics = one.expand(frames, 3, 3)
        return DepthEstimate(depth.to(video.device), intrinsics, self._kind())

    def _kind(self) -> DepthKind:
        if self.output == "metric":
            return "metric"
        return "affine_inverse" if self.shift is None else "relative"

    def _predict(self, frames: Tensor) -> Float[Tensor, "frames height width"]:
        sizes = [tuple(frames.shape[2:])] * len(frames)
        images = list(frames.permute(0, 2, 3, 1).cpu().numpy())
        outputs = self.model(**self.processor(images=images, return_tensors="pt").to(self.device))
        finish = self.processor.post_process_depth_estimation
        options = {"target_sizes": sizes}
        if "source_sizes" in inspect.signature(finish).parameters:  # ZoeDepth crops its own padding
            options["source_sizes"] = sizes
        finished = finish(outputs, **options)
        return torch.stack([frame["predicted_depth"].float().cpu() for frame in finished])


def _load(model: str, local_files_only: bool) -> tuple[Any, Any]:
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    try:
        processor = AutoImageProcessor.from_pretrained(model, local_files_only=local_files_only)
        network = AutoModelForDepthEstimation.from_pretrained(
            model, local_files_only=local_files_only
        )
    except (OSError, ValueError) as error:
        raise EstimatorError(
            f"no depth model could be loaded from {model!r} ({error}): give a local folder that "
            "holds one, or a hub name while there is a network"
        ) from error
    return processor, network


def _predicted(config: Any, output: Output, model: str) -> Literal["metric", "inverse"]:
    """What the model predicts, from its configuration when not told."""
    if output != "auto":
        return output
    declared = getattr(config, "depth_estimation_type", None)
    if declared in ("metric", "relative"):  # Depth Anything
        return "metric" if declared == "metric" else "inverse"
    if config.model_type in ("zoedepth", "depth_pro", "glpn"):
        return "metric"
    if config.model_type == "dpt":
        return "inverse"
    raise EstimatorError(
        f"{model!r} (type {config.model_type}) does not say whether it predicts metric or inverse "
        "depth: pass output='metric' or output='inverse'"
    )
