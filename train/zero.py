"""DeepSpeed's ZeRO, stages 1 and 2: settings from the recipe, whole moments for checkpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import DeepSpeedPlugin, InitProcessGroupKwargs, is_deepspeed_available
from torch import Tensor, nn

from train.settings import ConfigError

if TYPE_CHECKING:
    from train.config import TrainConfig

MOMENTS = ("exp_avg", "exp_avg_sq")
_SET_BY_RECIPE = ("optimizer", "scheduler", "fp16", "bf16", "amp", "torch_autocast")


def is_asked_for() -> bool:
    """Say whether ``accelerate launch`` was told to use DeepSpeed."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"


def make_accelerator(config: TrainConfig) -> Accelerator:
    """Join the processes of a DeepSpeed launch.

    Raises:
        ConfigError: if DeepSpeed is not installed, or for a ZeRO that this loop does not support.
    """
    if not is_deepspeed_available():
        raise ConfigError(
            "DeepSpeed is asked for, but the package deepspeed is not installed: "
            "pip install 'scaling4d[deepspeed]', or launch with train/accelerate/fsdp2.yaml"
        )
    plugin = make_plugin(config)
    # Without accelerators accelerate finds no backend by itself.
    handlers = [InitProcessGroupKwargs(backend="gloo")] if config.run.device == "cpu" else []
    return Accelerator(mixed_precision="no", deepspeed_plugin=plugin, kwargs_handlers=handlers)


def make_plugin(config: TrainConfig) -> DeepSpeedPlugin:
    """Complete what the launch file says of ZeRO by what the recipe says of a step.

    Weights stay float32 and layers run under torch's autocast, as with the other launch files;
    DeepSpeed's own ``bf16`` mode would convert norms and time embeddings too.

    Raises:
        ConfigError: for stages, offload or settings that the loop does not support.
    """
    run = config.run
    if run.precision == "fp16":
        raise ConfigError("run.precision=fp16 does not go with DeepSpeed here: use bf16 or no")
    plugin = DeepSpeedPlugin()
    settings = plugin.deepspeed_config
    doubled = sorted(settings.keys() & set(_SET_BY_RECIPE))
    if doubled:
        raise ConfigError(
            f"the DeepSpeed file sets {', '.join(doubled)}, which the recipe decides "
            "(sections optimizer and run): remove it there"
        )
    sharing = settings["zero_optimization"]
    if sharing.get("stage") not in (1, 2):
        raise ConfigError(
            f"DeepSpeed's ZeRO works here in stages 1 and 2, got {sharing.get('stage')}: launch "
            "with train/accelerate/deepspeed.yaml, or with fsdp2.yaml, which shares weights too"
        )
    for part, known in (("offload_optimizer", ("none", "cpu")), ("offload_param", ("none",))):
        if (device := sharing.get(part, {}).get("device", "none")) not in known:
            raise ConfigError(
                f"DeepSpeed's {part} to {device} is not supported here: leave it out, or keep the "
                "moments alone on the CPU with --offload_optimizer_device cpu"
            )
    settings["zero_force_ds_cpu_optimizer"] = False  # torch's own AdamW steps on the CPU too
    settings["train_batch_size"] = "auto"  # accelerate multiplies by the processes
    settings["train_micro_batch_size_per_gpu"] = run.batch
    settings["gradient_accumulation_steps"] = 1  # the loop divides, and says where a step ends
    settings["gradient_clipping"] = config.optimizer.max_grad_norm
    if run.precision == "bf16":
        settings["torch_autocast"] = {
            "enabled": True,
            "dtype": "bfloat16",
            "lower_precision_safe_modules": [],  # gradients are exchanged as float32
        }
    return plugin


def skip_resting(optimizer: torch.optim.Optimizer) -> None:
    """Let AdamW leave weights and moments of groups that rest as they are.

    DeepSpeed gives it a gradient of zeros for weights that had none, or one of an earlier step.
    """
    held: dict[Tensor, Tensor | None] = {}

    def hide(*_: Any) -> None:
        for group in optimizer.param_groups:
            for flat in group["params"] if group.get("rests") else ():
                held[flat], flat.grad = flat.grad, None

    def restore(*_: Any) -> None:
        for flat, gradient in held.items():
            flat.grad = gradient
        held.clear()

    optimizer.register_step_pre_hook(hide)
    optimizer.register_step_post_hook(restore)


def make_moments(engine: Any, optimizer: torch.optim.Optimizer) -> None:
    """Let AdamW make its moments now: a step without gradient and rate changes no weight.

    DeepSpeed links weights to moments once, after the first step of the first group; moments that
    later groups make then would stay unknown to it.
    """
    held = {}  # with offload, the memory that gradients are copied to
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
        for flat in group["params"]:
            held[flat], flat.grad = flat.grad, torch.zeros_like(flat)
    optimizer.step()
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
        for flat in group["params"]:
            flat.grad = held[flat]
            optimizer.state[flat]["step"].zero_()
    engine.optimizer._lazy_init_hp_params_optimizer_state()


def gather_moments(
    engine: Any, module: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Whole moments by weight, as `torch.distributed.checkpoint` names them.

    Every process must call it; the first one gets them, on the CPU.
    """
    whole = import_module("deepspeed.utils").safe_get_full_optimizer_state
    state: dict[str, dict[str, Tensor]] = {}
    groups = []
    for group, flat, named in _groups(engine, module, optimizer):
        groups.append({**group, "params": list(named)})
        for name, weight in named.items():
            for key in MOMENTS:
                moment = whole(weight, key)  # summed over the processes
                if engine.global_rank == 0:
                    state.setdefault(name, {})[key] = moment.cpu()
            if engine.global_rank == 0:
                state[name]["step"] = optimizer.state[flat]["step"].cpu().clone()
    return {"state": state, "param_groups": groups}


@torch.no_grad()
def restore_moments(
    moments: Mapping[str, Any], engine: Any, module: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Share whole moments out again, after the module got its weights back."""
    share = import_module("deepspeed.utils").safe_set_full_optimizer_state
    engine.optimizer.refresh_fp32_params()  # the weights that AdamW steps, from the module's
    saved: Mapping[str, Mapping[str, Tensor]] = moments["state"]
    for _, flat, named in _groups(engine, module, optimizer):
        steps = [float(saved[name]["step"]) for name in named if name in saved]
        optimizer.state[flat]["step"].fill_(max(steps, default=0.0))
        for name, weight in named.items():
            for key in MOMENTS if name in saved else ():
                share(weight, saved[name][key].to(weight.device), key)


def _groups(
    engine: Any, module: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[dict[str, Any], Tensor, dict[str, Tensor]]]:
    """Each group's settings, this process's piece of it, and the group's whole weights by name."""
    names = {id(weight): name for name, weight in module.named_parameters()}
    for group, weights in zip(optimizer.param_groups, engine.optimizer.bit16_groups, strict=True):
        (flat,) = group["params"]
        yield group, flat, {names[id(weight)]: weight for weight in weights}
