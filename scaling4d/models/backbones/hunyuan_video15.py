"""HunyuanVideo 1.5: dual-stream MMDiT over a 16x codec, patch 1."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from scaling4d.models.flow_matching import SigmaSampling

from .base import Rotary, TextCondition
from .pretrained import PretrainedBackbone, pair_rotary

_TRAIN_TIMESTEPS = 1000


class HunyuanVideo15Backbone(PretrainedBackbone):
    """`HunyuanVideo15Pipeline`: Qwen2.5-VL and glyph ByT5 text, flow matching with a time shift."""

    name: ClassVar[str] = "hunyuan_video15"
    pipeline_class: ClassVar[str] = "HunyuanVideo15Pipeline"
    transformer_class: ClassVar[str] = "HunyuanVideo15Transformer3DModel"
    rotary_arguments = ("freqs_cis",)

    @property
    def sampling_shift(self) -> float:  # type: ignore[override]
        """The checkpoint's own."""
        return float(self.pipeline.scheduler.config.get("shift") or 1.0)

    @property
    def sigma_sampling(self) -> SigmaSampling:  # type: ignore[override]
        """Logit-normal, shifted as the sampler is."""
        return SigmaSampling(shift=self.sampling_shift)

    def __init__(self, pipeline: Any, *, source: str = "") -> None:
        super().__init__(pipeline, source=source)
        # The denoiser hands its time embedding on in the dtype of the time step, here float32.
        self.transformer.time_embed.timestep_embedder.register_forward_pre_hook(_in_own_dtype)

    def _expected_input_channels(self) -> int:
        # Latents, the (absent) image's latents and their mask.
        return 2 * self.latent_channels + 1

    def _scale(self, latents: Tensor) -> Tensor:
        return latents * self.vae.config.scaling_factor

    def _unscale(self, latents: Tensor) -> Tensor:
        return latents / self.vae.config.scaling_factor

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Qwen states and ByT5 states of quoted text, each with its mask."""
        with self._resident(self.text_encoder, self.text_encoder_2) as device:
            states, mask, glyphs, glyph_mask = self.pipeline.encode_prompt(
                prompts, batch_size=len(prompts), device=device
            )
        return TextCondition(states, {"mask": mask, "glyphs": glyphs, "glyph_mask": glyph_mask})

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """The denoiser predicts the velocity itself; image inputs are zero, as for text alone."""
        dtype = self.transformer.dtype
        text = text.map(lambda tensor: tensor.to(noisy.device, dtype))
        batch, _, *grid = noisy.shape
        no_image = noisy.new_zeros(batch, self.latent_channels + 1, *grid)
        # The pipeline's 729 empty image tokens are masked out; one is enough.
        no_embedding = noisy.new_zeros(batch, 1, self.transformer.config.image_embed_dim)
        return self.transformer(
            hidden_states=torch.cat((noisy, no_image), dim=1).to(dtype),
            timestep=sigma * _TRAIN_TIMESTEPS,  # bf16 would round it to multiples of 4
            encoder_hidden_states=text.embeddings,
            encoder_attention_mask=text.extra["mask"],
            encoder_hidden_states_2=text.extra["glyphs"],
            encoder_attention_mask_2=text.extra["glyph_mask"],
            image_embeds=no_embedding.to(dtype),
            return_dict=False,
        )[0].to(noisy.dtype)

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Cosines and sines of interleaved pairs, tokens head_dim."""
        return pair_rotary(argument, heads)


def _in_own_dtype(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    from diffusers.models.modeling_utils import get_parameter_dtype

    return tuple(tensor.to(get_parameter_dtype(module)) for tensor in inputs)
