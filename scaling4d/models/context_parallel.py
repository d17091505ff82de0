"""Context parallelism: one video's tokens shared among processes, cut and joined by diffusers.

diffusers cuts the video tokens before the first block and joins them after the last one. VNVS
Blocks see their process's part; for attention they trade tokens for heads (Ulysses, Jacobs et al.
2023), so that every scope works unchanged, whatever the backbone's own attention does.
"""

from __future__ import annotations

from typing import Any

from torch import distributed as dist

from .backbones.base import Backbone
from .errors import BackboneMismatchError
from .injection import ControlContext, ControlledBlock


def enable_context_parallel(
    backbone: Backbone, context: ControlContext, *, ulysses: int, ring: int
) -> None:
    """Share the tokens of every denoiser among ``ulysses * ring`` processes, see `VNVSModel`.

    Raises:
        BackboneMismatchError: if diffusers cannot do it for the backbone.
        ValueError: if the processes do not fit.
    """
    parts = ulysses * ring
    plans = {
        name: backbone.context_parallel_plan(transformer)
        for name, transformer in backbone.transformers().items()
    }
    if None in plans.values():
        raise BackboneMismatchError(
            f"diffusers cannot share the tokens of backbone {backbone.name} among processes: use "
            "wan, skyreels_v2, ltx or ltx2, or spread samples instead of tokens (accelerate launch)"
        )
    if min(ulysses, ring) < 1 or parts == 1:
        raise ValueError(
            f"ulysses and ring must be at least 1, and one of them more, got {ulysses} and {ring}"
        )
    if backbone.heads % parts:
        raise ValueError(
            f"ulysses * ring must divide the backbone's {backbone.heads} attention heads, "
            f"got {ulysses} * {ring}"
        )
    if not dist.is_initialized() or dist.get_world_size() % parts:
        raise ValueError(
            f"context parallelism over {parts} processes needs a multiple of as many: start with "
            f"torchrun --nproc-per-node {parts} and call torch.distributed.init_process_group()"
        )
    from diffusers import ContextParallelConfig

    for name, transformer in backbone.transformers().items():
        config: Any = ContextParallelConfig(ulysses_degree=ulysses, ring_degree=ring)
        plan = _plan_around(transformer, plans[name])
        transformer.enable_parallelism(config=config, cp_plan=plan)
        _keep_whole_keys_local(transformer)
        context.group = config._flattened_mesh.get_group()


def _plan_around(transformer: Any, plan: Any) -> dict[str, Any]:
    """The plan with the names that wrapped blocks have now."""
    renamed = {}
    for name, entry in plan.items():
        wrapped = isinstance(transformer.get_submodule(name), ControlledBlock)
        renamed[f"{name}.block" if wrapped else name] = entry
    return renamed


def _keep_whole_keys_local(transformer: Any) -> None:
    """Exchange nothing where every process holds all keys: in attention to text, and in sound."""
    for name, module in transformer.named_modules():
        processor: Any = getattr(module, "processor", None)
        if hasattr(processor, "_parallel_config") and name.rpartition(".")[2] != "attn1":
            processor._parallel_config = None
