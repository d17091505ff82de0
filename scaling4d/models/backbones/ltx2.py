"""LTX-2: the video half of an audio-visual DiT, over a codec of 32 x 32 x 8."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from scaling4d.models.folding import fold, unfold

from .base import Rotary, TextCondition
from .ltx import LTXBackbone
from .pretrained import pair_rotary

_FPS = 24.0  # the model's rotary embedding runs in seconds; its own default


class LTX2Backbone(LTXBackbone):
    """`LTX2Pipeline` without sound: the two modalities are isolated, audio is one silent token."""

    name: ClassVar[str] = "ltx2"
    pipeline_class: ClassVar[str] = "LTX2Pipeline"
    transformer_class: ClassVar[str] = "LTX2VideoTransformer3DModel"
    rotary_arguments = ("video_rotary_emb",)
    # The stream of sound and both attentions between the streams: isolated from the video.
    unused_modules = ("audio",)

    @classmethod
    def _loading_options(cls) -> dict[str, Any]:
        unused = ("audio_vae", "vocoder", "processor", "prompt_enhancer", "duration_head")
        return dict.fromkeys(unused)

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Gemma states through the video and audio connectors, and their mask."""
        with self._resident(self.text_encoder, self.connectors) as device:
            states, mask, _, _ = self.pipeline.encode_prompt(
                prompts, do_classifier_free_guidance=False, device=device
            )
            side = getattr(self.pipeline.tokenizer, "padding_side", "left")
            video, audio, mask = self.connectors(states, mask, padding_side=side)
        return TextCondition(video, {"audio": audio, "mask": mask})

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        expert: str = "transformer",
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """The denoiser predicts the velocity itself, on flat tokens."""
        dtype = self.transformer.dtype
        config = self.transformer.config
        text = text.map(lambda tensor: tensor.to(noisy.device))
        patch = self._patch()
        tokens = fold(noisy, patch)
        frames, rows, columns = tokens.shape[1:4]
        timestep = sigma * config.timestep_scale_multiplier
        predicted, _ = self.transformer(
            hidden_states=tokens.flatten(1, 3).to(dtype),
            audio_hidden_states=noisy.new_zeros(
                len(noisy), 1, config.audio_in_channels, dtype=dtype
            ),
            encoder_hidden_states=text.embeddings.to(dtype),
            audio_encoder_hidden_states=text.extra["audio"].to(dtype),
            timestep=timestep,
            sigma=timestep,
            encoder_attention_mask=text.extra["mask"],
            audio_encoder_attention_mask=text.extra["mask"],
            num_frames=frames,
            height=rows,
            width=columns,
            fps=_FPS,
            audio_num_frames=1,
            isolate_modalities=True,
            return_dict=False,
        )
        return unfold(predicted.unflatten(1, (frames, rows, columns)), patch).to(noisy.dtype)

    def _rotary_axes(self) -> int:
        return 3 if self.transformer.config.rope_type == "interleaved" else 4

    def rotary(self, argument: Any, heads: int) -> Rotary:
        """Interleaved pairs as in LTX-Video, or split halves per head: batch heads tokens half."""
        if self.transformer.config.rope_type == "interleaved":
            return pair_rotary(argument, heads)
        cos, sin = (torch.cat((part, part), dim=-1).transpose(1, 2) for part in argument)
        return Rotary(cos, sin, halves=True)
