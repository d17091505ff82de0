"""The whole network of §3.4: a video foundation model steered by correspondence."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .backbones import Backbone, BackboneConfig, TextCondition, make_backbone
from .backbones.mini import NoiseLevelEmbedding
from .correspondence_projector import CorrespondenceProjector, ProjectorConfig
from .injection import Control, InjectionConfig, inject, vnvs_blocks
from .vnvs_block import VNVSBlockConfig

_LOG = logging.getLogger(__name__)
FORMAT_VERSION = 1
_MODULATION_DIM = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything that decides the network's shape."""

    backbone: BackboneConfig = dataclasses.field(default_factory=BackboneConfig)
    """The foundation model."""
    projector: ProjectorConfig = dataclasses.field(default_factory=ProjectorConfig)
    """Size of the Correspondence Projector."""
    injection: InjectionConfig = dataclasses.field(default_factory=InjectionConfig)
    """Which blocks are followed by VNVS Blocks."""
    control_channels: int = 9
    """Channels of the control tensor."""
    freeze_backbone: bool = False
    """Train the projector and the VNVS Blocks alone; meant for pretrained backbones."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Build from plain nested mappings, as found in YAML and JSON.

        Raises:
            ValueError: for unknown keys.
        """
        return _build(cls, values, "model")

    def to_dict(self) -> dict[str, Any]:
        """Plain nested mappings, ready for JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


_NESTED = {
    (ModelConfig, "backbone"): BackboneConfig,
    (ModelConfig, "projector"): ProjectorConfig,
    (ModelConfig, "injection"): InjectionConfig,
    (InjectionConfig, "block"): VNVSBlockConfig,
}


def _build(kind: type, values: Mapping[str, Any], where: str) -> Any:
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"{where} has no setting {', '.join(unknown)}; it has {', '.join(sorted(known))}"
        )
    built = {}
    for name, value in values.items():
        nested = _NESTED.get((kind, name))
        if nested is not None and isinstance(value, Mapping):
            value = _build(nested, value, f"{where}.{name}")
        built[name] = tuple(value) if isinstance(value, list) else value
    return kind(**built)


class VNVSModel(nn.Module):
    """A backbone with its projector and VNVS Blocks.

    Build with `build` or `from_pretrained`. Latents are batch channels latent_frames rows columns;
    videos batch frames channels height width in [-1, 1].
    """

    def __init__(self, config: ModelConfig, backbone: Backbone) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone
        modulated = config.injection.block.modulation
        self.context = inject(
            backbone, config.injection, modulation_dim=_MODULATION_DIM if modulated else 0
        )
        self.projector = CorrespondenceProjector(
            config.projector,
            geometry=backbone.geometry,
            token_dim=backbone.token_dim,
            channels=config.control_channels,
        )
        self.noise_level = NoiseLevelEmbedding(_MODULATION_DIM) if modulated else None
        if config.freeze_backbone:
            self.backbone.requires_grad_(False)
            for block in vnvs_blocks(backbone).values():
                block.requires_grad_(True)

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
        """Encode a video in [-1, 1] to latents, without gradients."""
        self.check_size(video.shape[1], *video.shape[-2:])
        with torch.no_grad():
            return self.backbone.encode_video(video)

    def decode_video(
        self, latents: Float[Tensor, "batch channels latent_frames rows columns"]
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Decode latents to a video in [-1, 1], without gradients."""
        with torch.no_grad():
            return self.backbone.decode_video(latents).clamp(-1, 1)

    def encode_text(self, prompts: list[str]) -> TextCondition:
        """Encode prompts, without gradients."""
        with torch.no_grad():
            return self.backbone.encode_text(prompts)

    def velocity(
        self,
        noisy: Float[Tensor, "batch channels latent_frames rows columns"],
        sigma: Float[Tensor, " batch"],
        text: TextCondition,
        control: Float[Tensor, "batch frames control_channels height width"],
    ) -> Float[Tensor, "batch channels latent_frames rows columns"]:
        """Predict noise minus clean latents under the control (first frame to last)."""
        tokens = self.projector(control)
        grid = tuple(tokens.shape[1:4])
        tokens = tokens.flatten(1, 3)
        level = None if self.noise_level is None else self.noise_level(sigma.to(tokens))
        output = torch.zeros_like(noisy)
        for expert, rows in self.backbone.route(sigma).items():
            if not rows.any():
                continue
            part = Control(tokens[rows], grid, None if level is None else level[rows])  # type: ignore[arg-type]
            with self.context.use(part):
                predicted = self.backbone.velocity(
                    noisy[rows], sigma[rows], text.rows(rows), expert
                )
            output = output.index_put((rows.nonzero().squeeze(1),), predicted.to(output.dtype))
        return output

    def enable_gradient_checkpointing(self) -> None:
        """Recompute each block in the backward pass instead of keeping its activations."""
        self.backbone.enable_gradient_checkpointing(self.context.checkpoint)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` (and ``backbone/`` if it was trained)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        description = {"format_version": FORMAT_VERSION, "model": self.config.to_dict()}
        (folder / "config.json").write_text(json.dumps(description, indent=2) + "\n")
        weights = self.state_dict() if not self.config.freeze_backbone else self._own_state()
        save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")

    def _own_state(self) -> dict[str, Tensor]:
        names = {name for name, _ in self.trainable_parameters()}
        return {k: v for k, v in self.state_dict().items() if k in names}

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> VNVSModel:
        """Load what `save_pretrained` wrote.

        Raises:
            ValueError: if files are missing or weights do not fit.
        """
        folder = Path(folder)
        try:
            description = json.loads((folder / "config.json").read_text())
            weights = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise ValueError(
                f"no model in {folder}: {Path(error.filename or '').name} is missing; "
                "give the folder that training wrote (OUT/model)"
            ) from error
        model = cls.build(ModelConfig.from_dict(description["model"]))
        missing, unexpected = model.load_state_dict(weights, strict=False)
        needed = {name for name, _ in model.trainable_parameters()}
        missing = sorted(needed & set(missing))
        if missing or unexpected:
            raise ValueError(
                f"the weights in {folder} do not fit: missing {missing[:3]}, unknown "
                f"{unexpected[:3]}"
            )
        return model
