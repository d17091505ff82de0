"""Where a model's weights lie, in which precision, and how they run: offloaded, compiled, shared"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from scaling4d.devices import usable_device

from .backbones import Backbone, PretrainedBackbone
from .backbones.mini import NoiseLevelEmbedding
from .context_parallel import enable_context_parallel
from .correspondence_projector import CorrespondenceProjector
from .errors import BackboneMismatchError
from .injection import ControlContext, vnvs_blocks
from .model_config import ModelConfig
from .precision import HALVES


class WeightPlacement(nn.Module):
    """The half of `VNVSModel` that changes how it runs and never what it computes."""

    config: ModelConfig
    backbone: Backbone
    context: ControlContext
    projector: CorrespondenceProjector
    noise_level: NoiseLevelEmbedding | None
    offloaded: bool = False
    """Whether `offload` decides where the model runs."""

    def store_frozen_weights(self, dtype: torch.dtype) -> None:
        """Keep the denoisers' large layers in ``dtype`` and compute in their present one.

        With torch.float8_e4m3fn weights need half the memory of bfloat16. Norms, embeddings, VNVS
        Blocks and LoRA are left alone. Meant and tested for sampling, not for training.

        Raises:
            BackboneMismatchError: for `mini`, which is trained whole and has no frozen weights.
            ValueError: for a dtype that is not floating point.
        """
        from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN

        if not isinstance(self.backbone, PretrainedBackbone):
            raise BackboneMismatchError(
                f"backbone {self.backbone.name} has no frozen weights to store small: choose a "
                "pretrained one"
            )
        if not dtype.is_floating_point:
            raise ValueError(
                f"weights are stored in a floating-point dtype such as torch.float8_e4m3fn, got "
                f"{dtype}"
            )

        for transformer in self.backbone.transformers().values():
            transformer.enable_layerwise_casting(
                storage_dtype=dtype,
                compute_dtype=transformer.dtype,
                skip_modules_pattern=(*DEFAULT_SKIP_MODULES_PATTERN, "vnvs", "lora_"),
            )

    def round_blocks(self) -> None:
        """Keep the matrices of VNVS Blocks in a half-precision backbone's dtype, for sampling.

        Each use rounds them to it anyway, so no result changes; they need half the memory. Training
        wants them in float32.
        """
        dtype = getattr(torch, self.config.backbone.options.get("dtype", "float32"))
        if dtype not in HALVES:
            return
        for block in vnvs_blocks(self.backbone).values():
            for layer in (block.qkv, block.output, block.modulation):
                if layer is not None:
                    layer.to(dtype)

    def compile_blocks(self, **options: Any) -> None:
        """Compile each block of the denoisers with torch.compile, VNVS Block included.

        One block is compiled per kind and reused, which takes far less time than the whole network.
        """
        for transformer in self.backbone.transformers().values():
            for blocks in self.backbone.block_lists(transformer):
                for block in blocks:
                    block.compile(**options)

    def enable_context_parallel(self, *, ulysses: int = 1, ring: int = 1) -> None:
        """Share the tokens of each video among ``ulysses * ring`` processes (long, large videos).

        Every process calls the model with the same inputs and gets the same, whole result. The
        gradient that a process gets is its tokens' share: add them up over the processes.

        Args:
            ulysses: degree of the backbone's own all-to-all attention, see diffusers.
            ring: degree of its ring attention.

        Raises:
            BackboneMismatchError: if diffusers cannot do it for this backbone.
            ValueError: if processes are missing or do not divide the attention heads.
        """
        enable_context_parallel(self.backbone, self.context, ulysses=ulysses, ring=ring)

    def offload(self, device: torch.device | str) -> None:
        """Keep weights on the CPU and bring each block to ``device`` only while it runs.

        For sampling on a small GPU. The projector lives on the device. From then on `offloaded` is
        true, and `to` would undo it.

        Raises:
            ValueError: if this machine has no such device.
        """
        from diffusers.hooks.group_offloading import apply_group_offloading

        device = usable_device(device)
        self.offloaded = True
        self.projector.to(device)
        if self.noise_level is not None:
            self.noise_level.to(device)
        if isinstance(self.backbone, PretrainedBackbone):
            self.backbone.offload(device)
        for transformer in self.backbone.transformers().values():
            apply_group_offloading(
                transformer,
                onload_device=device,
                offload_type="block_level",
                num_blocks_per_group=1,
            )
