"""Common ground of backbones that live in a diffusers pipeline: loading, codec, memory, rotary."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from scaling4d.models.errors import BackboneMismatchError, MissingWeightsError
from scaling4d.models.hub import is_hub_id

from .base import Backbone, Rotary, TokenGeometry
from .loading import broken_files_named, check_parts, check_weights

_FAMILY_PARTS = (
    "transformer",
    "transformer_2",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "connectors",
)


class PretrainedBackbone(Backbone):
    """A backbone whose parts come from a diffusers pipeline.

    The pipeline is used for what it knows best: loading from the hub or a folder, and encoding
    prompts. Its denoising loop is not used.
    """

    pipeline_class: ClassVar[str]
    """Name of the pipeline in diffusers."""
    transformer_class: ClassVar[str]
    """Name of its denoiser, by which checkpoints of another family are told apart."""

    # Parts of the pipeline, of many classes of diffusers and transformers.
    transformer: Any
    vae: Any
    text_encoder: Any
    text_encoder_2: Any
    connectors: Any

    def __init__(self, pipeline: Any, *, source: str = "") -> None:
        """Take over a loaded pipeline.

        Args:
            pipeline: of the class `pipeline_class`.
            source: hub id or folder it came from, for messages and saved configs.

        Raises:
            BackboneMismatchError: if it expects other inputs than text.
        """
        super().__init__()
        self.pipeline = pipeline
        self.source = source
        self._offload_to: torch.device | None = None
        for part in _FAMILY_PARTS:
            module = getattr(pipeline, part, None)
            if isinstance(module, nn.Module):
                setattr(self, part, module)
        for transformer in self.transformers().values():
            channels = transformer.config.in_channels
            if channels != self._expected_input_channels():
                raise BackboneMismatchError(
                    f"{source or 'this checkpoint'} takes {channels} input channels where "
                    f"text-to-video needs {self._expected_input_channels()}; image-to-video "
                    "checkpoints do not fit, use the text-to-video one of the family"
                )

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        dtype: str = "float32",
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> PretrainedBackbone:
        """Load from a hub id or a local folder.

        Args:
            source: for example ``Wan-AI/Wan2.1-T2V-1.3B-Diffusers``.
            dtype: storage and compute type of the frozen weights, ``bfloat16`` for large models.
            revision: branch, tag or commit on the hub.
            local_files_only: never touch the network.

        Raises:
            MissingWeightsError: if a file is not there and cannot be fetched, or is broken.
            BackboneMismatchError: if they belong to another family.
        """
        import diffusers

        if not Path(source).is_dir() and not is_hub_id(str(source)):
            raise MissingWeightsError(
                f"cannot load backbone {cls.name}: there is no folder {source!r} (give a local "
                "folder in diffusers' layout, or a hub id such as owner/name with a network)"
            )
        where = {"revision": revision, "local_files_only": local_files_only}
        pipeline_class = getattr(diffusers, cls.pipeline_class)
        options = cls._loading_options()
        with broken_files_named(cls.name, str(source)):
            index = pipeline_class.load_config(str(source), **where)
            cls._check_family(index, str(source))
            if Path(source).is_dir():
                check_parts(cls.name, Path(source), index, unused=options)
            pipeline = pipeline_class.from_pretrained(
                str(source), dtype=getattr(torch, dtype), **where, **options
            )
        check_weights(cls.name, str(source), pipeline)
        return cls(pipeline, source=str(source))

    @classmethod
    def _check_family(cls, index: Any, source: str) -> None:
        if not isinstance(index, dict):
            raise TypeError(f"model_index.json must hold a mapping, got a {type(index).__name__}")
        found = index.get("transformer", [None, "no transformer"])[1]
        if found != cls.transformer_class:
            raise BackboneMismatchError(
                f"backbone {cls.name} needs a {cls.transformer_class}, but {source} has a {found} "
                f"({index.get('_class_name')}); choose the family that fits, or another checkpoint"
            )

    @classmethod
    def _loading_options(cls) -> dict[str, Any]:
        """Further arguments of the pipeline's ``from_pretrained``."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the pipeline in diffusers' layout.

        Raises:
            ModelError: if VNVS Blocks are inside, since their blocks' weights have other names then
                and would not be found again.
        """
        self.require_bare()
        self.pipeline.save_pretrained(folder)

    @property
    def geometry(self) -> TokenGeometry:
        """From the codec's compression and the denoiser's patch."""
        return TokenGeometry(
            frame_compression=self.pipeline.vae_scale_factor_temporal,
            pixel_compression=self.pipeline.vae_scale_factor_spatial,
            patch=self._patch(),
        )

    def _patch(self) -> tuple[int, int, int]:
        config = self._denoiser.config
        return config.patch_size_t or 1, config.patch_size, config.patch_size

    def _expected_input_channels(self) -> int:
        return self.latent_channels

    @property
    def _denoiser(self) -> Any:
        return next(iter(self.transformers().values()))

    @property
    def latent_channels(self) -> int:
        """Channels of the codec's latents."""
        return self.vae.config.latent_channels

    @property
    def heads(self) -> int:
        """Attention heads of the denoiser."""
        return self._denoiser.config.num_attention_heads

    @property
    def token_dim(self) -> int:
        """Heads times channels per head."""
        return self.heads * self._denoiser.config.attention_head_dim

    def transformers(self) -> dict[str, Any]:
        """The one denoiser."""
        return {"transformer": self.transformer}

    def block_lists(self, transformer: Any) -> list[nn.ModuleList]:
        """The denoiser's blocks."""
        return [transformer.transformer_blocks]

    def encode_video(
        self, video: Float[Tensor, "batch frames 3 height width"]
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Mode of the codec's posterior, scaled as the denoiser expects; float32."""
        with self._resident(self.vae) as device:
            pixels = video.transpose(1, 2).to(device, self.vae.dtype)
            # One at a time: codecs need far more memory than denoisers.
            each = [self.vae.encode(one).latent_dist.mode() for one in pixels.split(1)]
            latents = self._scale(torch.cat(each).float())
        return latents.to(video.device)

    def decode_video(
        self, latents: Float[Tensor, "batch channels latent_frames rows columns"]
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Decode to pixels in about [-1, 1], float32."""
        with self._resident(self.vae) as device:
            unscaled = self._unscale(latents.float().to(device)).to(self.vae.dtype)
            video = torch.cat([self._decode(one) for one in unscaled.split(1)]).float()
        return video.transpose(1, 2).to(latents.device)

    def _decode(self, latents: Tensor) -> Tensor:
        return self.vae.decode(latents, return_dict=False)[0]

    @abstractmethod
    def _scale(self, latents: Tensor) -> Tensor:
        """Bring the codec's latents to the denoiser's range."""

    @abstractmethod
    def _unscale(self, latents: Tensor) -> Tensor:
        """Undo `_scale`."""

    def offload(self, device: torch.device | str) -> None:
        """Keep codec and text encoders on the CPU; bring each to ``device`` only to run."""
        self._offload_to = torch.device(device)

    @contextlib.contextmanager
    def _resident(self, *modules: nn.Module) -> Iterator[torch.device]:
        """Bring modules to where they shall run, and back to the CPU if offloading is on."""
        if self._offload_to is None:
            yield next(modules[0].parameters()).device
            return
        for module in modules:
            module.to(self._offload_to)
        try:
            yield self._offload_to
        finally:
            for module in modules:
                module.to("cpu")


def pair_rotary(argument: tuple[Tensor, Tensor], heads: int) -> Rotary:
    """Bring (cos, sin) of interleaved pairs to the common form.

    Accepted: tokens head_dim (HunyuanVideo, CogVideoX), batch tokens 1 head_dim (Wan) and batch
    tokens heads*head_dim (LTX, which rotates before it splits the heads).
    """
    cos, sin = argument
    if cos.ndim == 2:
        return Rotary(cos[None, :, None], sin[None, :, None])
    if cos.ndim == 3:
        return Rotary(cos.unflatten(-1, (heads, -1)), sin.unflatten(-1, (heads, -1)))
    return Rotary(cos, sin)


def channel_statistics(values: Any, like: Tensor) -> Tensor:
    """Per-channel numbers of a codec's config, ready to broadcast over latents."""
    return torch.as_tensor(values).to(like).view(1, -1, 1, 1, 1)
