"""The whole network of §3.4: a video foundation model steered by correspondence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .backbones import Backbone, TextCondition, make_backbone
from .backbones.mini import NoiseLevelEmbedding
from .control_variants import control_channels, select_control
from .correspondence_projector import CorrespondenceProjector
from .errors import MissingWeightsError
from .injection import Control, inject, vnvs_blocks
from .input_checks import (
    check_control_values,
    check_latents,
    check_prompts,
    check_velocity_inputs,
    check_video,
)
from .model_config import LoraConfig, ModelConfig
from .persistence import load_weights, push_model, read_model, save_model
from .placement import WeightPlacement
from .precision import without_autocast

_MODULATION_DIM = 256


class VNVSModel(WeightPlacement):
    """A backbone with its projector and VNVS Blocks.

    Build with `build` or `from_pretrained`. Latents are batch channels latent_frames rows columns;
    videos batch frames channels height width in [-1, 1].
    """

    def __init__(self, config: ModelConfig, backbone: Backbone) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        modulated = config.injection.block.modulation
        for part in _codecs(backbone):
            part.requires_grad_(False)
        if config.lora is not None:
            _add_lora(backbone, config.lora)
        self.context = inject(
            backbone, config.injection, modulation_dim=_MODULATION_DIM if modulated else 0
        )
        self.projector = CorrespondenceProjector(
            config.projector,
            geometry=backbone.geometry,
            token_dim=backbone.token_dim,
            channels=control_channels(config.control),
        )
        self.noise_level = NoiseLevelEmbedding(_MODULATION_DIM) if modulated else None
        if config.frozen:
            self._freeze()

    def _freeze(self) -> None:
        """Leave the projector, the VNVS Blocks and LoRA trainable, and nothing else."""
        self.backbone.requires_grad_(False)
        for block in vnvs_blocks(self.backbone).values():
            block.requires_grad_(True)
        for name, parameter in self.backbone.named_parameters():
            if ".lora_" in name:
                parameter.requires_grad_(True)

    def train(self, mode: bool = True) -> VNVSModel:
        """As of `nn.Module`; text encoder and codec, which are not trained, keep no dropout."""
        super().train(mode)
        for part in _codecs(self.backbone):
            part.eval()
        return self

    @classmethod
    def build(cls, config: ModelConfig, seed: int = 0) -> VNVSModel:
        """Build the network; new weights are drawn from ``seed``, whatever was drawn before."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % (1 << 63))
            return cls(config, make_backbone(config.backbone))

    @property
    def device(self) -> torch.device:
        """Where the trainable weights live."""
        return next(self.projector.parameters()).device

    def trainable_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters that training changes."""
        return [(name, p) for name, p in self.named_parameters() if p.requires_grad]

    def check_size(self, frames: int, height: int, width: int) -> None:
        """Raise ValueError with the nearest legal size if the backbone cannot take this one."""
        self.backbone.geometry.check_size(frames, height, width)

    def latent_shape(
        self, batch: int, frames: int, height: int, width: int
    ) -> tuple[int, int, int, int, int]:
        """Shape of the latents of such videos: batch channels latent_frames rows columns."""
        self.check_size(frames, height, width)
        grid = self.backbone.geometry.latent_grid(frames, height, width)
        return batch, self.backbone.latent_channels, *grid

    def encode_video(
        self, video: Float[Tensor, "batch frames 3 height width"]
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Encode a video in [-1, 1] to latents, without gradients.

        Raises:
            ValueError: for other numbers than these, or a size that the backbone cannot take.
        """
        check_video(video)
        self.check_size(video.shape[1], *video.shape[-2:])
        with torch.no_grad():
            return self.backbone.encode_video(video)

    def decode_video(
        self, latents: Float[Tensor, "batch channels latent_frames rows columns"]
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Decode latents to a video in [-1, 1], without gradients.

        Raises:
            ModelInputError: for other latents than this backbone's.
        """
        check_latents(latents, self.backbone.latent_channels)
        with torch.no_grad():
            return self.backbone.decode_video(latents).clamp(-1, 1)

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Encode prompts, without gradients.

        Raises:
            ModelInputError: for anything but a list of texts.
        """
        check_prompts(prompts)
        with torch.no_grad():
            return self.backbone.encode_text(prompts)

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        control: Float[Tensor, "batch frames control_channels height width"],
        tokens: Float[Tensor, "batch token_frames token_rows token_columns dim"] | None = None,
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Predict noise minus clean latents under the control (first frame to last).

        Args:
            noisy: latents at noise level ``sigma``.
            sigma: noise levels, 0..1.
            text: what `encode_text` made of the prompts.
            control: what `select_control` made of the full control.
            tokens: what `project` made of the control before, so that a sampler does it once.

        Raises:
            ValueError: if these do not belong together, or the backbone cannot take their size. The
                control's values are checked on the CPU alone (elsewhere, see `select_control`).
        """
        check_velocity_inputs(
            noisy,
            sigma,
            text,
            control,
            geometry=self.backbone.geometry,
            latent_channels=self.backbone.latent_channels,
        )
        if tokens is None:
            tokens = self.project(control)
        grid = (tokens.shape[1], tokens.shape[2], tokens.shape[3])
        whole = Control(self.context.share(tokens.flatten(1, 3)), grid, self._level(sigma))
        experts = list(self.backbone.transformers())
        if len(experts) == 1:  # nothing is picked out, so nothing waits for the device
            with self.context.use(whole):
                return self.backbone.velocity(noisy, sigma, text, experts[0]).to(noisy.dtype)
        output = torch.zeros_like(noisy)
        for expert, chosen in self.backbone.route(sigma).items():
            rows = chosen.nonzero().squeeze(1)
            if not len(rows):
                continue
            with self.context.use(whole.of(rows)):
                predicted = self.backbone.velocity(
                    noisy[rows], sigma[rows], text.rows(rows), expert
                )
            output = output.index_put((rows,), predicted.to(output.dtype))
        return output

    def project(
        self, control: Float[Tensor, "batch frames control_channels height width"]
    ) -> Float[Tensor, "batch token_frames token_rows token_columns dim"]:
        """Control tokens by the Correspondence Projector.

        Raises:
            ValueError: if the control is of another variant or size, or, on the CPU, if a value is
                out of its range.
        """
        tokens: Tensor = self.projector(control)
        if control.device.type == "cpu":  # elsewhere it would stall every step
            check_control_values(self.config.control, control)
        return tokens

    def _level(self, sigma: Tensor) -> Tensor | None:
        """Embedded noise levels, where blocks are modulated; bf16 has too few of them."""
        if self.noise_level is None:
            return None
        weight = next(self.noise_level.parameters())
        with without_autocast(sigma.device):
            level: Tensor = self.noise_level(sigma.to(weight.dtype))
            return level

    def select_control(
        self,
        control: Float[Tensor, "batch frames 9 height width"],
        target_from_source: Float[Tensor, "batch frames 4 4"] | None = None,
    ) -> Float[Tensor, "batch frames control_channels height width"]:
        """Take this model's control variant out of the full control.

        Raises:
            ValueError: if a value is out of its range, or `camera` has no poses.
        """
        selected = select_control(self.config.control, control, target_from_source)
        check_control_values(self.config.control, selected)
        return selected

    def enable_gradient_checkpointing(self) -> None:
        """Recompute each block in the backward pass instead of keeping its activations."""
        self.backbone.enable_gradient_checkpointing(self.context.checkpoint)

    def save_pretrained(
        self, folder: str | Path, *, weights: Mapping[str, Tensor] | None = None
    ) -> None:
        """Write what was trained, see `scaling4d.models.persistence.save_model`."""
        save_model(self, Path(folder), weights=weights)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, backbone_path: str | None = None) -> VNVSModel:
        """Load what `save_pretrained` wrote.

        Args:
            folder: local folder, or a hub id.
            backbone_path: where the backbone's weights are on this machine, if not where they were.

        Raises:
            MissingWeightsError: if files are missing.
            BackboneMismatchError: if the backbone differs from the one trained with.
            ControlMismatchError: if it was trained on a control that is encoded in another way.
        """
        description, weights = read_model(folder)
        config = ModelConfig.from_dict(description["model"])
        if backbone_path is not None:
            sizes = {} if config.backbone.name == "mini" else config.backbone.options
            backbone = dataclasses.replace(config.backbone, path=backbone_path, options=sizes)
            frozen = config.frozen
            config = dataclasses.replace(config, backbone=backbone, freeze_backbone=frozen)
        try:
            model = cls.build(config)
        except MissingWeightsError as error:
            if config.backbone.path is None or backbone_path is not None:
                raise
            raise MissingWeightsError(
                f"the model in {folder} was trained on {config.backbone.path}: {error}; if these "
                "weights lie elsewhere now, say where (backbone_path, or --backbone of generate)"
            ) from error
        load_weights(model, description, weights, source=str(folder))
        return model

    def push_to_hub(self, repository: str, *, private: bool = True) -> None:
        """Upload what `save_pretrained` writes to a model repository on the hub."""
        push_model(self, repository, private=private)


def _add_lora(backbone: Backbone, config: LoraConfig) -> None:
    try:
        import peft
    except ImportError as error:
        raise ImportError("LoRA needs peft: pip install 'scaling4d[lora]'") from error
    for transformer in backbone.transformers().values():
        transformer.add_adapter(
            peft.LoraConfig(
                r=config.rank,
                lora_alpha=config.alpha,
                target_modules=list(config.targets),
                exclude_modules="|".join(f".*{part}.*" for part in backbone.unused_modules) or None,
            )
        )
        for name, parameter in transformer.named_parameters():
            if ".lora_" in name:  # half precision would lose most of the small steps of training
                parameter.data = parameter.data.float()


def _codecs(backbone: Backbone) -> list[nn.Module]:
    """The parts beside the denoisers: text encoders and the video codec."""
    denoisers = {id(transformer) for transformer in backbone.transformers().values()}
    return [part for part in backbone.children() if id(part) not in denoisers]
