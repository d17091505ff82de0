"""LTX-Video: a DiT over a codec of 32 x 32 x 8, patch 1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from scaling4d.models.flow_matching import SigmaSampling, sampler_sigmas
from scaling4d.models.folding import fold, unfold

from .base import Rotary, TextCondition, TokenGeometry
from .pretrained import PretrainedBackbone, channel_statistics, pair_rotary

_TRAIN_TIMESTEPS = 1000
_FPS = 25.0  # the model's rotary embedding runs in seconds; its own default


class LTXBackbone(PretrainedBackbone):
    """`LTXPipeline`: cross-attention DiT, T5 text, flow matching."""

    name: ClassVar[str] = "ltx"
    pipeline_class: ClassVar[str] = "LTXPipeline"
    transformer_class: ClassVar[str] = "LTXVideoTransformer3DModel"
    rotary_arguments = ("image_rotary_emb",)

    @property
    def geometry(self) -> TokenGeometry:
        """From the codec's compression and the denoiser's patch."""
        return TokenGeometry(
            frame_compression=self.pipeline.vae_temporal_compression_ratio,
            pixel_compression=self.pipeline.vae_spatial_compression_ratio,
            patch=self._patch(),
        )

    def _expected_input_channels(self) -> int:
        return self.latent_channels * math.prod(self._patch())

    def sampler_sigmas(self, steps: int, tokens: int) -> Float[Tensor, " levels"]:
        """The pipeline's: shifted by the tokens, then stretched to the scheduler's last level."""
        sigmas = sampler_sigmas(steps, self._shift(tokens))
        terminal = self.pipeline.scheduler.config.get("shift_terminal")
        if terminal and steps > 1:
            sigmas[:-1] = 1 - (1 - sigmas[:-1]) * (1 - terminal) / (1 - sigmas[-2])
        return sigmas

    def sigma_sampling_at(self, tokens: int) -> SigmaSampling:
        """Logit-normal, shifted as the sampler is; all levels down to 0 are trained."""
        return SigmaSampling(shift=self._shift(tokens))

    def _shift(self, tokens: int) -> float:
        """The scheduler's constant, or as it follows from the number of tokens."""
        config = self.pipeline.scheduler.config
        if not config.use_dynamic_shifting:
            return float(config.shift)
        # mu is a straight line through the two published points.
        slope = (config.max_shift - config.base_shift) / (
            config.max_image_seq_len - config.base_image_seq_len
        )
        mu = config.base_shift + slope * (tokens - config.base_image_seq_len)
        return float(mu if config.time_shift_type == "linear" else math.exp(mu))

    def context_parallel_plan(self, transformer: Any) -> dict[str, Any]:
        """Video tokens and their rotary tables are cut; text and its mask stay whole."""
        from diffusers.models._modeling_parallel import ContextParallelInput, ContextParallelOutput

        # Of the tables' axes: batch tokens channels, or batch heads tokens channels.
        axes = self._rotary_axes()
        table = ContextParallelInput(split_dim=axes - 2, expected_dims=axes, split_output=True)
        return {
            "": {"hidden_states": ContextParallelInput(split_dim=1, expected_dims=3)},
            "rope": {0: table, 1: table},
            "proj_out": ContextParallelOutput(gather_dim=1, expected_dims=3),
        }

    def _rotary_axes(self) -> int:
        return 3

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        std = channel_statistics(self.vae.latents_std, like) / self.vae.config.scaling_factor
        return channel_statistics(self.vae.latents_mean, like), std

    def _scale(self, latents: Tensor) -> Tensor:
        mean, std = self._statistics(latents)
        return (latents - mean) / std

    def _unscale(self, latents: Tensor) -> Tensor:
        mean, std = self._statistics(latents)
        return latents * std + mean

    def _decode(self, latents: Tensor) -> Tensor:
        # Codecs that finish denoising take a noise level; 0 is the pipeline's own default.
        level = latents.new_zeros(len(latents)) if self.vae.config.timestep_conditioning else None
        return self.vae.decode(latents, level, return_dict=False)[0]

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """T5 states and their mask."""
        with self._resident(self.text_encoder) as device:
            states, mask, _, _ = self.pipeline.encode_prompt(
                prompts, do_classifier_free_guidance=False, device=device
            )
        return TextCondition(states, {"mask": mask})

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """The denoiser predicts the velocity itself, on flat tokens."""
        dtype = self.transformer.dtype
        text = text.map(lambda tensor: tensor.to(noisy.device))
        patch = self._patch()
        tokens = fold(noisy, patch)
        frames, rows, columns = tokens.shape[1:4]
        side = self.geometry.pixel_compression
        predicted = self.transformer(
            hidden_states=tokens.flatten(1, 3).to(dtype),
            encoder_hidden_states=text.embeddings.to(dtype),
            timestep=sigma * _TRAIN_TIMESTEPS,
            encoder_attention_mask=text.extra["mask"],
            num_frames=frames,
            height=rows,
            width=columns,
            rope_interpolation_scale=(self.geometry.frame_compression / _FPS, side, side),
            return_dict=False,
        )[0]
        return unfold(predicted.unflatten(1, (frames, rows, columns)), patch).to(noisy.dtype)

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Cosines and sines of interleaved pairs over all heads' channels."""
        return pair_rotary(argument, heads)
