"""Context parallelism: one video's tokens shared among processes, through diffusers' own plans.

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
    if not backbone.context_parallel:
        raise BackboneMismatchError(
            f"diffusers cannot share the tokens of backbone {backbone.name} among processes: use "
            "wan, or spread samples instead of tokens (accelerate launch)"
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

    for transformer in backbone.transformers().values():
        config: Any = ContextParallelConfig(ulysses_degree=ulysses, ring_degree=ring)
        transformer.enable_parallelism(config=config, cp_plan=_plan_around(transformer))
        context.group = config._flattened_mesh.get_group()


def _plan_around(transformer: Any) -> dict[str, Any]:
    """diffusers' plan, with the names that wrapped blocks have now."""
    plan = {}
    for name, entry in transformer._cp_plan.items():
        wrapped = isinstance(transformer.get_submodule(name), ControlledBlock)
        plan[f"{name}.block" if wrapped else name] = entry
    return plan
