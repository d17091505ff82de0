"""Wan 2.1 and 2.2 text-to-video (1.3B, 5B, 14B), including the two experts of Wan 2.2 A14B."""

from __future__ import annotations

from typing import Any, ClassVar

from jaxtyping import Bool, Float
from torch import Tensor, nn

from scaling4d.models.errors import BackboneMismatchError
from scaling4d.models.flow_matching import SigmaSampling

from .base import Rotary, TextCondition
from .pretrained import PretrainedBackbone, channel_statistics, pair_rotary

_TRAIN_TIMESTEPS = 1000


class WanBackbone(PretrainedBackbone):
    """`WanPipeline`: cross-attention DiT, umT5 text, flow matching with a time shift."""

    name: ClassVar[str] = "wan"
    pipeline_class: ClassVar[str] = "WanPipeline"
    transformer_class: ClassVar[str] = "WanTransformer3DModel"
    rotary_arguments = ("rotary_emb",)

    def __init__(self, pipeline: Any, *, source: str = "") -> None:
        super().__init__(pipeline, source=source)
        if len(self.transformers()) > 1 and pipeline.config.get("boundary_ratio") is None:
            raise BackboneMismatchError(
                f"{source or 'this checkpoint'} has two experts and no boundary_ratio in its "
                "model_index.json, so nothing says which noise levels each serves: Wan 2.2 A14B "
                "has 0.875"
            )

    @property
    def sampling_shift(self) -> float:  # type: ignore[override]
        """The checkpoint's own: 3 for 1.3B at 480p, 5 and more for larger sizes."""
        config = self.pipeline.scheduler.config
        return float(config.get("flow_shift") or config.get("shift") or 1.0)

    @property
    def sigma_sampling(self) -> SigmaSampling:  # type: ignore[override]
        """Logit-normal, shifted as the sampler is."""
        return SigmaSampling(shift=self.sampling_shift)

    def transformers(self) -> dict[str, Any]:
        """One denoiser, or two experts: transformer for high noise, transformer_2 for low."""
        found = {n: getattr(self, n, None) for n in ("transformer", "transformer_2")}
        return {name: module for name, module in found.items() if module is not None}

    def route(self, sigma: Float[Tensor, " batch"]) -> dict[str, Bool[Tensor, " batch"]]:
        """High noise to the first expert, from the checkpoint's boundary on."""
        if len(self.transformers()) == 1:
            return super().route(sigma)
        high = sigma >= self.pipeline.config["boundary_ratio"]
        return {"transformer": high, "transformer_2": ~high}

    def block_lists(self, transformer: Any) -> list[nn.ModuleList]:
        """The DiT blocks."""
        return [transformer.blocks]

    def context_parallel_plan(self, transformer: Any) -> dict[str, Any]:
        """That of Wan's denoiser in diffusers."""
        from diffusers import WanTransformer3DModel

        return WanTransformer3DModel._cp_plan

    def _patch(self) -> tuple[int, int, int]:
        return tuple(self._denoiser.config.patch_size)

    @property
    def latent_channels(self) -> int:
        """16, or 48 for the codec of Wan 2.2 5B."""
        return self.vae.config.z_dim

    def _scale(self, latents: Tensor) -> Tensor:
        mean = channel_statistics(self.vae.config.latents_mean, latents)
        return (latents - mean) / channel_statistics(self.vae.config.latents_std, latents)

    def _unscale(self, latents: Tensor) -> Tensor:
        std = channel_statistics(self.vae.config.latents_std, latents)
        return latents * std + channel_statistics(self.vae.config.latents_mean, latents)

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """umT5 states, zero after the prompt's end."""
        with self._resident(self.text_encoder) as device:
            embeddings, _ = self._text_pipeline().encode_prompt(
                prompts, do_classifier_free_guidance=False, max_sequence_length=512, device=device
            )
        return TextCondition(embeddings)

    def _text_pipeline(self) -> Any:
        return self.pipeline

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """The denoiser predicts the velocity itself."""
        transformer = self.transformers()[expert]
        dtype = transformer.dtype
        return transformer(
            hidden_states=noisy.to(dtype),
            timestep=sigma * _TRAIN_TIMESTEPS,
            encoder_hidden_states=text.embeddings.to(noisy.device, dtype),
            return_dict=False,
        )[0].to(noisy.dtype)

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Cosines and sines of interleaved pairs, one set for all heads."""
        return pair_rotary(argument, heads)
