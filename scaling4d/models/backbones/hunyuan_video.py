"""HunyuanVideo: the MMDiT family that is nearest to the paper's."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from scaling4d.models.flow_matching import SigmaSampling

from .base import Rotary, TextCondition
from .pretrained import PretrainedBackbone, pair_rotary

_TRAIN_TIMESTEPS = 1000
# The published checkpoint is distilled for guidance: it takes the scale as an input. 1 asks for the
# plain velocity, which is what flow matching trains.
_GUIDANCE = 1.0


class HunyuanVideoBackbone(PretrainedBackbone):
    """`HunyuanVideoPipeline`: dual- then single-stream MMDiT, Llama and CLIP text."""

    name: ClassVar[str] = "hunyuan_video"
    pipeline_class: ClassVar[str] = "HunyuanVideoPipeline"
    transformer_class: ClassVar[str] = "HunyuanVideoTransformer3DModel"
    rotary_arguments = ("freqs_cis", "image_rotary_emb")

    @property
    def sampling_shift(self) -> float:  # type: ignore[override]
        """The checkpoint's own, 7 for the published one."""
        return float(self.pipeline.scheduler.config.get("shift") or 1.0)

    @property
    def sigma_sampling(self) -> SigmaSampling:  # type: ignore[override]
        """Logit-normal, shifted as the sampler is."""
        return SigmaSampling(shift=self.sampling_shift)

    def block_lists(self, transformer: Any) -> list[nn.ModuleList]:
        """Dual-stream blocks, then single-stream ones; both hand video and text on apart."""
        return [transformer.transformer_blocks, transformer.single_transformer_blocks]

    def _scale(self, latents: Tensor) -> Tensor:
        return latents * self.vae.config.scaling_factor

    def _unscale(self, latents: Tensor) -> Tensor:
        return latents / self.vae.config.scaling_factor

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Llama states with their mask, and CLIP's pooled vector."""
        with self._resident(self.text_encoder, self.text_encoder_2) as device:
            states, pooled, mask = self.pipeline.encode_prompt(prompts, device=device)
        return TextCondition(states, {"mask": mask, "pooled": pooled})

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """The denoiser predicts the velocity itself."""
        dtype = self.transformer.dtype
        text = text.map(lambda tensor: tensor.to(noisy.device))
        guidance = None
        if self.transformer.config.guidance_embeds:
            guidance = torch.full_like(sigma, _GUIDANCE * 1000).to(dtype)
        return self.transformer(
            hidden_states=noisy.to(dtype),
            timestep=sigma * _TRAIN_TIMESTEPS,  # bf16 would round it to multiples of 4
            encoder_hidden_states=text.embeddings.to(dtype),
            encoder_attention_mask=text.extra["mask"],
            pooled_projections=text.extra["pooled"].to(dtype),
            guidance=guidance,
            return_dict=False,
        )[0].to(noisy.dtype)

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Cosines and sines of interleaved pairs, tokens head_dim."""
        return pair_rotary(argument, heads)
