"""One training step: a batch of pairs to a flow-matching loss (Eq. 5), and the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from scaling4d.geometry.seeds import child_seed
from scaling4d.models.control_variants import select_control
from scaling4d.models.flow_matching import (
    SigmaSampling,
    add_noise,
    dropout_mask,
    flow_matching_loss,
    sample_sigmas,
)
from scaling4d.models.vnvs import VNVSModel
from train.processes import shared_like, whole


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What the network is asked to predict and from what."""

    sigma: SigmaSampling | None = None
    """Distribution of noise levels; empty = the backbone family's own."""
    drop_text: float = 0.1
    """Share of samples trained with the empty prompt (classifier-free guidance)."""
    drop_control: float = 0.05
    """Share of samples trained with a control of zeros."""

    def __post_init__(self) -> None:
        for name in ("drop_text", "drop_control"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, got {getattr(self, name)}")


class TrainingStep(nn.Module):
    """The model and its loss in one module, so that accelerate's wrappers see one forward."""

    def __init__(self, model: VNVSModel, config: LossConfig) -> None:
        super().__init__()
        self.model = model
        # FSDP2 makes a unit of each; accelerate reads the names here unless its config has others.
        self._no_split_modules = ["VNVSBlock", *model.backbone.block_kinds, *_frozen_units(model)]
        self.config = config
        self.sigma_sampling = config.sigma or model.backbone.sigma_sampling

    def forward(
        self,
        target: Float[Tensor, "batch frames 3 height width"],
        control: Float[Tensor, "batch frames 9 height width"],
        prompts: list[str],
        seeds: Sequence[int],
        target_from_source: Float[Tensor, "batch frames 4 4"] | None = None,
        expert: str | None = None,
    ) -> Float[Tensor, ""]:
        """Return the mean square error of the predicted velocity.

        Args:
            target: I^t in [-1, 1].
            control: see `scaling4d.correspondence.control`; the model takes its variant's share.
            prompts: captions.
            seeds: one per sample; noise, noise level and dropouts of a sample follow from its seed,
                whatever the batch size or number of processes.
            target_from_source: cameras, for the variant that is steered by them.
            expert: keeps noise levels to those that it serves, see `expert_of_step`.
        """
        device = target.device
        with torch.no_grad():
            latents = self.model.encode_video(target)
        backbone = self.model.backbone
        tokens = backbone.geometry.tokens(latents.shape[2:])
        levels = self.config.sigma or backbone.sigma_sampling_at(tokens)
        draws = [self.draw(seed, latents.shape[1:], expert, levels) for seed in seeds]
        noise = torch.stack([draw.noise for draw in draws]).to(latents)
        sigma = torch.cat([draw.sigma for draw in draws]).to(device)
        keep = torch.tensor([not draw.drop_control for draw in draws], device=device)
        # `VNVSModel.select_control` would read the values, and wait for the device, at every step.
        control = select_control(self.model.config.control, control, target_from_source)
        control = control * keep.view(-1, 1, 1, 1, 1).to(control)
        shown = ["" if draw.drop_text else p for p, draw in zip(prompts, draws, strict=True)]
        text = self.model.encode_text(shown)
        velocity = self.model.velocity(add_noise(latents, noise, sigma), sigma, text, control)
        weight = backbone.loss_weight(sigma)
        return flow_matching_loss(velocity, latents, noise, weight)

    def expert_of_step(self, seed: int, step: int) -> str | None:
        """Name the expert that all samples of step 0, 1, ... train; None where there is but one.

        An expert's chance is that of its noise levels, so over the steps a sample's level has the
        family's distribution. Within a step every process and pass runs the same layers, which
        sharing weights or gradients asks for, and the other expert stays as it is.
        """
        if len(self.model.backbone.transformers()) == 1:
            return None
        generator = torch.Generator().manual_seed(child_seed(seed, "expert", step) >> 1)
        routed = self.model.backbone.route(sample_sigmas(1, generator, self.sigma_sampling))
        return next(name for name, rows in routed.items() if rows.all())

    def draw(
        self,
        seed: int,
        shape: torch.Size,
        expert: str | None = None,
        levels: SigmaSampling | None = None,
    ) -> SampleDraw:
        """Draw what is random about a sample; arguments as for `forward`.

        ``levels`` is the distribution of noise levels where it depends on the size of the video.
        """
        levels = levels or self.sigma_sampling
        generator = torch.Generator().manual_seed(child_seed(seed, "noise") >> 1)
        sigma = sample_sigmas(1, generator, levels)
        while expert is not None and not self.model.backbone.route(sigma)[expert].all():
            sigma = sample_sigmas(1, generator, levels)
        return SampleDraw(
            sigma=sigma,
            drop_text=bool(dropout_mask(1, self.config.drop_text, generator)),
            drop_control=bool(dropout_mask(1, self.config.drop_control, generator)),
            noise=torch.randn(shape, generator=generator),
        )


def _frozen_units(model: VNVSModel) -> list[str]:
    """Kinds of layers of text encoders and codec that their authors keep whole.

    Without them every process would hold these networks whole through each pass.
    """
    parts = list(model.backbone.modules())
    kinds = {type(part).__name__ for part in parts}
    named = {kind for part in parts for kind in getattr(part, "_no_split_modules", None) or ()}
    return sorted(named & kinds - set(model.backbone.block_kinds))


@dataclass(frozen=True)
class SampleDraw:
    """What is random about one sample of one step."""

    sigma: Tensor
    drop_text: bool
    drop_control: bool
    noise: Tensor


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW (§4.1) and its schedule."""

    lr: float = 4e-5
    """Learning rate after the warm-up; the paper's is 4e-5."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the moments."""
    weight_decay: float = 0.01
    """Applied to matrices, not to biases, norms and other vectors."""
    warmup_steps: int = 0
    """Steps of linear rise from 0."""
    final_lr_share: float = 1.0
    """Learning rate at the last step as a share of ``lr``, reached by a cosine; 1 = constant."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm."""
    ema_decay: float = 0.0
    """Decay of the averaged weights that ``model/`` gets; 0 = no averaging."""

    def __post_init__(self) -> None:
        if not (self.lr > 0 and self.max_grad_norm > 0 and self.warmup_steps >= 0):
            raise ValueError("lr and max_grad_norm must be positive and warmup_steps at least 0")
        if not (0 <= self.final_lr_share <= 1 and 0 <= self.ema_decay < 1):
            raise ValueError("final_lr_share must lie in [0, 1] and ema_decay in [0, 1)")

    def lr_at(self, step: int, steps: int) -> float:
        """Learning rate of step 0, 1, ... of a run of ``steps`` steps."""
        if step < self.warmup_steps:
            return self.lr * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(steps - self.warmup_steps, 1)
        fade = 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * done, dtype=torch.float64))))
        return self.lr * (self.final_lr_share + (1 - self.final_lr_share) * fade)


def make_optimizer(module: TrainingStep, config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW over the trainable parameters, decaying matrices alone.

    Where a model has several experts each has groups of its own: ``expert`` is its name, and
    ``rests`` says that a step trains another one.
    """
    experts = module.model.backbone.transformers()
    own = {id(p): name for name, part in experts.items() for p in part.parameters()}
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for parameter in (p for p in module.parameters() if p.requires_grad):
        expert = own.get(id(parameter), "") if len(experts) > 1 else ""
        groups.setdefault((expert, parameter.ndim < 2), []).append(parameter)
    settings = []
    for (expert, vectors), params in sorted(groups.items(), key=lambda item: item[0]):
        decay = 0.0 if vectors else config.weight_decay
        settings.append({"params": params, "weight_decay": decay, "expert": expert, "rests": False})
    return torch.optim.AdamW(settings, lr=config.lr, betas=config.betas, fused=True)


@dataclass
class WeightAverage:
    """Exponential moving average of the trained weights, float32 on their own device."""

    decay: float
    weights: dict[str, Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def update(self, named: Iterator[tuple[str, nn.Parameter]], step: int) -> None:
        """Take the weights after step 0, 1, ... into account; early steps are forgotten faster."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, weight in named:
            if weight.requires_grad:
                value = weight.detach().float()
                if name in self.weights:
                    self.weights[name].lerp_(value, 1 - decay)
                else:
                    self.weights[name] = value.clone()

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Replace the module's weights by their averages; without averaging nothing changes."""
        own = dict(module.named_parameters())
        for name, value in self.weights.items():
            own[name].copy_(value)

    def gather(self) -> dict[str, Tensor]:
        """Whole averages, for saving; every process must call it."""
        return {name: whole(value) for name, value in self.weights.items()}

    def load(self, weights: Mapping[str, Tensor], module: nn.Module) -> None:
        """Go on from saved averages, laid out as the module's own weights."""
        own = dict(module.named_parameters())
        self.weights = {name: shared_like(value, own[name]) for name, value in weights.items()}
