"""CogVideoX 2B and 5B, and CogVideoX 1.5: an MMDiT trained to predict v on a diffusion schedule."""

from __future__ import annotations

from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from scaling4d.models.flow_matching import DiffusionSchedule, SigmaSampling

from .base import Rotary, TextCondition
from .pretrained import PretrainedBackbone, pair_rotary


class CogVideoXBackbone(PretrainedBackbone):
    """`CogVideoXPipeline`: joint text-video blocks, T5 text, v-prediction, no flow matching.

    The diffusion schedule's noise level t has a twin on the straight path of flow matching with the
    same ratio of noise to signal; `DiffusionSchedule` converts both ways.
    """

    name: ClassVar[str] = "cogvideox"
    pipeline_class: ClassVar[str] = "CogVideoXPipeline"
    transformer_class: ClassVar[str] = "CogVideoXTransformer3DModel"
    rotary_arguments = ("image_rotary_emb",)

    def __init__(self, pipeline: Any, *, source: str = "") -> None:
        super().__init__(pipeline, source=source)
        self.schedule = DiffusionSchedule(pipeline.scheduler.alphas_cumprod)

    @property
    def sigma_sampling(self) -> SigmaSampling:  # type: ignore[override]
        """Uniform over the schedule's time steps, as the family was trained."""
        return SigmaSampling(kind="levels", levels=tuple(self.schedule.sigmas.tolist()))

    def loss_weight(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Turns the velocity's square error into that of v."""
        return self.schedule.v_loss_weight(sigma)

    def _scale(self, latents: Tensor) -> Tensor:
        return latents * self.vae.config.scaling_factor

    def _unscale(self, latents: Tensor) -> Tensor:
        return latents / self.vae.config.scaling_factor

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """T5 states of a fixed number of tokens."""
        length = self.transformer.config.max_text_seq_length
        with self._resident(self.text_encoder) as device:
            states, _ = self.pipeline.encode_prompt(
                prompts,
                do_classifier_free_guidance=False,
                max_sequence_length=length,
                device=device,
            )
        return TextCondition(states)

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Move to the diffusion path, predict v, and convert it to the straight path's velocity."""
        dtype = self.transformer.dtype
        padding = self.geometry.front_padding(noisy.shape[2])
        # Patches of two latent frames (CogVideoX 1.5 only) need an even number: repeat the first.
        padded = functional.pad(noisy, (0, 0, 0, 0, padding, 0), mode="replicate")
        v = self.transformer(
            hidden_states=self.schedule.diffusion_input(padded, sigma).transpose(1, 2).to(dtype),
            encoder_hidden_states=text.embeddings.to(noisy.device, dtype),
            timestep=self.schedule.timestep(sigma),
            image_rotary_emb=self._position(padded),
            return_dict=False,
        )[0]
        v = v.transpose(1, 2)[:, :, padding:].to(noisy.dtype)
        return self.schedule.velocity_from_v(v, noisy, sigma)

    def _position(self, latents: Tensor) -> tuple[Tensor, Tensor] | None:
        """The rotary embedding of the pipeline; the 2B model has sums of sines instead."""
        if not self.transformer.config.use_rotary_positional_embeddings:
            return None
        frames, rows, columns = latents.shape[2:]
        side = self.geometry.pixel_compression
        return self.pipeline._prepare_rotary_positional_embeddings(
            rows * side, columns * side, frames, latents.device
        )

    def rotary(self, argument: Any, heads: int) -> Rotary | None:
        """Cosines and sines of interleaved pairs, tokens head_dim."""
        return None if argument is None else pair_rotary(argument, heads)
