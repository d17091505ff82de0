"""RAFT (the paper's flow estimator, section 4.1) through torchvision."""

from __future__ import annotations

import hashlib
import urllib.error
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from .base import EstimatorError, check_image_pair, estimator_device

SIZES = ("large", "small")
_MULTIPLE = 8  # the feature maps are an eighth of the image
_SMALLEST_SIDE = 128  # the coarsest of four correlation levels must still hold two pixels


class RaftFlow:
    """Recurrent all-pairs flow (Teed and Deng 2020)."""

    def __init__(
        self,
        size: str = "large",
        *,
        weights: str | Path = "hub",
        iterations: int = 12,
        batch_size: int = 4,
        device: str | torch.device = "cpu",
        mixed_precision: bool = False,
        compile_model: bool = False,
    ) -> None:
        """Load the network.

        Args:
            size: ``large`` or ``small``.
            weights: ``hub`` downloads torchvision's default weights; a path reads a local
                ``.safetensors``, ``.pth`` or ``.pt`` state dict; ``random`` leaves the network
                untrained, for tests and timings only.
            iterations: refinement steps (torchvision's default is 12).
            batch_size: pairs per forward pass.
            device: where the network runs.
            mixed_precision: run under autocast in float16 (CUDA) or bfloat16 (CPU).
            compile_model: pass the parts of the network through ``torch.compile``, at their first
                use for each image size.

        Raises:
            EstimatorError: if the size or the device is unknown, or the weights cannot be had or do
                not fit.
        """
        if size not in SIZES:
            raise EstimatorError(f"the RAFT size must be one of {SIZES}, got {size!r}")
        if iterations < 1 or batch_size < 1:
            raise EstimatorError(
                f"iterations and batch_size must be at least 1, got {iterations} and {batch_size}"
            )
        self.name = f"raft_{size}"
        self.device = estimator_device(device)
        self.iterations = iterations
        self.batch_size = batch_size
        self.mixed_precision = mixed_precision
        network = _network(size, weights).eval().requires_grad_(False).to(self.device)
        if compile_model:
            _compile_parts(network)
        self.network: Any = network

    @torch.no_grad()  # inference mode would bar its results from training
    def __call__(
        self,
        first: UInt8[Tensor, "pairs 3 height width"],
        second: UInt8[Tensor, "pairs 3 height width"],
    ) -> Float[Tensor, "pairs 2 height width"]:
        """Return the flow in pixels (see `FlowEstimator`).

        Images are replicate-padded, centred, to a multiple of 8 and at least 128 pixels a side.

        Raises:
            EstimatorError: if the images differ in shape or are not 8-bit RGB.
        """
        check_image_pair(first, second)
        pairs, _, height, width = first.shape
        left, right, top, bottom = padding = _padding(height, width)
        flow = torch.empty((pairs, 2, height, width), dtype=torch.float32, device=first.device)
        half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        for start in range(0, pairs, self.batch_size):
            part = slice(start, start + self.batch_size)
            images = [self._prepare(video[part], padding) for video in (first, second)]
            with torch.autocast(self.device.type, dtype=half, enabled=self.mixed_precision):
                # One prediction per iteration; the last is the finest.
                refined = self.network(*images, num_flow_updates=self.iterations)[-1]
            padded_height, padded_width = refined.shape[2:]
            flow[part] = refined[:, :, top : padded_height - bottom, left : padded_width - right]
        return flow

    @property
    def settings(self) -> dict[str, Any]:
        """What the flow depends on beside the images: weights (a digest) and how they are run."""
        digest = hashlib.blake2b(digest_size=16)
        for value in self.network.state_dict().values():
            digest.update(value.cpu().numpy().tobytes())
        return {
            "weights": digest.hexdigest(),
            "iterations": self.iterations,
            "mixed_precision": self.mixed_precision,
        }

    def _prepare(self, images: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
        scaled = images.to(self.device).float() / 127.5 - 1
        return functional.pad(scaled, padding, mode="replicate")


def _padding(height: int, width: int) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) pixels that bring the image to a size RAFT accepts."""

    def missing(side: int) -> int:
        return max(-side % _MULTIPLE, _SMALLEST_SIDE - side)

    across, down = missing(width), missing(height)
    return across // 2, across - across // 2, down // 2, down - down // 2


def _network(size: str, weights: str | Path) -> nn.Module:
    from torchvision.models import optical_flow

    build, published = {
        "large": (optical_flow.raft_large, optical_flow.Raft_Large_Weights.DEFAULT),
        "small": (optical_flow.raft_small, optical_flow.Raft_Small_Weights.DEFAULT),
    }[size]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # initial weights come from torch's global generator, kept as it was
        network: nn.Module = build(weights=None)
    if weights == "random":
        return network
    state = _hub_state(published) if weights == "hub" else _local_state(Path(weights))
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:  # other tensors, no dict, no tensors
        raise EstimatorError(
            f"{weights} does not hold weights of torchvision's raft_{size}: "
            "give the state dict of the matching size"
        ) from error
    return network


def _compile_parts(network: Any) -> None:
    """Compile what holds the work in place; the loop of refinements around it stays Python.

    As one graph the loop is unrolled: it took five minutes to compile two refinements of the small
    network on a CPU, and takes in proportion to their number.
    """
    parts = ("feature_encoder", "context_encoder", "update_block", "mask_predictor")
    for part in filter(None, (getattr(network, name) for name in parts)):
        part.compile()


def _hub_state(published: Any) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = published.get_state_dict(progress=False, check_hash=True)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise EstimatorError(
            f"the RAFT weights could not be downloaded from {published.url} ({error}): download "
            "that file elsewhere and pass weights='path/to/file.pth', or choose the estimator "
            "'dis', which needs no weights"
        ) from error
    return state


def _local_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise EstimatorError(
            f"no RAFT weights at {path}: give a .pth, .pt or .safetensors file, or weights='hub'"
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises whatever its bytes happen to ask for
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise EstimatorError(
            f"{path} cannot be read as RAFT weights ({reason}): copy or download it again"
        ) from error
    return state
