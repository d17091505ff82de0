"""Pipelines of the real classes at toy size, with tokenizers trained on a few sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import diffusers
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

SENTENCES = [
    "a camera moves slowly around a chair in a sunny room",
    "two people walk past a table while the light changes",
    "describe the video by detailing the color, shape, size and texture of the objects",
    'a sign that says "open" hangs over the door',
]


def _bpe(special: list[str], **options: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a byte-pair encoding."""
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        **options,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    state = _state(tokenizer)["model"]
    return state["vocab"], [tuple(pair) for pair in state["merges"]]


def _state(tokenizer: Tokenizer) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())


def t5_tokenizer() -> Any:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    vocab = [tuple(entry) for entry in _state(tokenizer)["model"]["vocab"]]
    return transformers.T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=512)


def llama_tokenizer() -> Any:
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    vocab, merges = _bpe(special)
    return transformers.LlamaTokenizer(vocab=vocab, merges=merges, pad_token="<pad>")


def clip_tokenizer() -> Any:
    special = ["<|startoftext|>", "<|endoftext|>"]
    vocab, merges = _bpe(special, end_of_word_suffix="</w>")
    return transformers.CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def qwen_tokenizer() -> Any:
    vocab, merges = _bpe(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer = transformers.Qwen2Tokenizer(vocab=vocab, merges=merges)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
        "{% endfor %}<|im_start|>assistant\n"
    )
    return tokenizer


def gemma_tokenizer() -> Any:
    vocab, merges = _bpe(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"])
    return transformers.GemmaTokenizer(vocab=vocab, merges=merges)


def t5_encoder(kind: str = "T5") -> Any:
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=200, d_model=32, d_ff=32, d_kv=8, num_layers=1, num_heads=2
    )
    return getattr(transformers, f"{kind}EncoderModel")(config).eval()


def wan_transformer(channels: int = 16, **options: Any) -> Any:
    return diffusers.WanTransformer3DModel(
        **{
            "num_attention_heads": 2,
            "attention_head_dim": 12,
            "in_channels": channels,
            "out_channels": channels,
            "text_dim": 32,
            "freq_dim": 32,
            "ffn_dim": 32,
            "num_layers": 2,
            "rope_max_seq_len": 32,
            **options,
        }
    )


def wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(base_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1)


def wan() -> Any:
    return diffusers.WanPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("UMT5"),
        vae=wan_vae(),
        transformer=wan_transformer(),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
    )


def wan22_5b() -> Any:
    vae = diffusers.AutoencoderKLWan(
        base_dim=4,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.1] * 48,
        latents_std=[1.5] * 48,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    )
    return diffusers.WanPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("UMT5"),
        vae=vae,
        transformer=wan_transformer(48),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0
        ),
        expand_timesteps=True,
    )


def wan22_a14b() -> Any:
    pipeline = wan()
    return diffusers.WanPipeline(
        **pipeline.components | {"transformer_2": wan_transformer()}, boundary_ratio=0.875
    )


def skyreels_v2() -> Any:
    transformer = diffusers.SkyReelsV2Transformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        text_dim=32,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        inject_sample_info=False,
    )
    return diffusers.SkyReelsV2Pipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("UMT5"),
        vae=wan_vae(),
        transformer=transformer,
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=8.0
        ),
    )


def hunyuan_video() -> Any:
    text = transformers.LlamaModel(
        transformers.LlamaConfig(
            vocab_size=400,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
        )
    )
    clip = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=400,
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            eos_token_id=1,
        )
    )
    vae = diffusers.AutoencoderKLHunyuanVideo(
        latent_channels=4, block_out_channels=(4, 4, 4, 4), layers_per_block=1, norm_num_groups=2
    )
    transformer = diffusers.HunyuanVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_single_layers=2,
        num_refiner_layers=1,
        text_embed_dim=16,
        pooled_projection_dim=8,
        rope_axes_dim=(4, 4, 4),
    )
    return diffusers.HunyuanVideoPipeline(
        text_encoder=text.eval(),
        tokenizer=llama_tokenizer(),
        transformer=transformer,
        vae=vae,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder_2=clip.eval(),
        tokenizer_2=clip_tokenizer(),
    )


def hunyuan_video15() -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        HunyuanVideo15Pipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from transformers import Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    text = Qwen2_5_VLTextModel(
        Qwen2_5_VLTextConfig(
            vocab_size=400,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=2,
            rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4},
        )
    )
    glyph = transformers.T5EncoderModel(
        transformers.T5Config(
            vocab_size=384, d_model=32, d_ff=32, d_kv=8, num_layers=1, num_heads=2
        )
    )
    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=2,
        num_refiner_layers=1,
        text_embed_dim=16,
        text_embed_2_dim=32,
        image_embed_dim=12,
        rope_axes_dim=(4, 4, 4),
        target_size=64,
        task_type="t2v",
    )
    return HunyuanVideo15Pipeline(
        text_encoder=text.eval(),
        tokenizer=qwen_tokenizer(),
        transformer=transformer,
        vae=AutoencoderKLHunyuanVideo15(
            latent_channels=4, block_out_channels=(16, 16, 16, 16, 16), layers_per_block=1
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=5.0),
        text_encoder_2=glyph.eval(),
        tokenizer_2=transformers.ByT5Tokenizer(),
        guider=diffusers.ClassifierFreeGuidance(guidance_scale=1.0),
    )


def _cogvideox(**options: Any) -> Any:
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=32,
        num_layers=2,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        max_text_seq_length=16,
        **options,
    )
    vae = diffusers.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    return diffusers.CogVideoXPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder(),
        vae=vae,
        transformer=transformer,
        scheduler=diffusers.CogVideoXDDIMScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            snr_shift_scale=3.0,
            timestep_spacing="trailing",
        ),
    )


def cogvideox_2b() -> Any:
    return _cogvideox()


def cogvideox_5b() -> Any:
    return _cogvideox(use_rotary_positional_embeddings=True)


def cogvideox15() -> Any:
    return _cogvideox(use_rotary_positional_embeddings=True, patch_size_t=2, patch_bias=False)


def ltx() -> Any:
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(4, 4, 4, 4),
        decoder_block_out_channels=(4, 4, 4, 4),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=32,
    )
    return diffusers.LTXPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(),
        transformer=transformer,
    )


def ltx2() -> Any:
    from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors

    gemma = transformers.Gemma3ForConditionalGeneration(
        transformers.Gemma3Config(
            text_config={
                "vocab_size": 400,
                "hidden_size": 16,
                "intermediate_size": 16,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "head_dim": 8,
            },
            vision_config={
                "hidden_size": 16,
                "intermediate_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "image_size": 16,
                "patch_size": 4,
            },
            mm_tokens_per_image=4,
        )
    )
    connectors = LTX2TextConnectors(
        caption_channels=16,
        text_proj_in_factor=3,
        video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=8,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=8,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
    )
    vae = diffusers.AutoencoderKLLTX2Video(
        latent_channels=8,
        block_out_channels=(8, 16, 32, 64),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )
    transformer = diffusers.LTX2VideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=8,
        audio_cross_attention_dim=16,
        num_layers=2,
        caption_channels=16,
        rope_double_precision=False,
        rope_type="split",
    )
    return diffusers.LTX2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        audio_vae=None,
        text_encoder=gemma.eval(),
        tokenizer=gemma_tokenizer(),
        connectors=connectors,
        transformer=transformer,
        vocoder=None,
    )


# Test name -> (family, builder).
BUILDERS: dict[str, tuple[str, Callable[[], Any]]] = {
    "wan": ("wan", wan),
    "wan22_5b": ("wan", wan22_5b),
    "wan22_a14b": ("wan", wan22_a14b),
    "skyreels_v2": ("skyreels_v2", skyreels_v2),
    "hunyuan_video": ("hunyuan_video", hunyuan_video),
    "hunyuan_video15": ("hunyuan_video15", hunyuan_video15),
    "cogvideox_2b": ("cogvideox", cogvideox_2b),
    "cogvideox_5b": ("cogvideox", cogvideox_5b),
    "cogvideox15": ("cogvideox", cogvideox15),
    "ltx": ("ltx", ltx),
    "ltx2": ("ltx2", ltx2),
}


def seeded(builder: Callable[[], Any]) -> Any:
    """Build with the same random weights every time, leaving the global generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipeline = builder()
    for module in _modules(pipeline):
        # Codecs and denoisers whose output starts at zero would hide mistakes.
        for parameter in module.parameters():
            if not parameter.any():
                torch.nn.init.normal_(
                    parameter, std=0.02, generator=torch.Generator().manual_seed(1)
                )
    return pipeline


def _modules(pipeline: Any) -> Iterator[torch.nn.Module]:
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            yield component
