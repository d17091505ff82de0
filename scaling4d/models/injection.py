"""Insert VNVS Blocks between the blocks of a backbone (§3.4) by wrapping, without changing them."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .backbones.base import Backbone
from .field_types import check_field_types
from .vnvs_block import VNVSBlock, VNVSBlockConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class InjectionConfig:
    """Where VNVS Blocks go and what they are."""

    blocks: tuple[int, ...] | None = None
    """Indices of the blocks to follow, counted over all block lists; None: see ``every``."""
    every: int = 1
    """Follow every n-th block: the n-th, 2n-th, ..."""
    block: VNVSBlockConfig = dataclasses.field(default_factory=VNVSBlockConfig)
    """The VNVS Block itself."""

    def __post_init__(self) -> None:
        check_field_types(self)

    def chosen(self, count: int) -> list[int]:
        """Indices of the wrapped blocks of a denoiser with ``count`` blocks.

        Raises:
            ValueError: if a listed block does not exist, or none is left.
        """
        if self.blocks is None:
            if not 1 <= self.every <= count:
                raise ValueError(
                    f"injection.every must lie in 1..{count} for this backbone, got {self.every}"
                )
            return list(range(self.every - 1, count, self.every))
        wrong = [index for index in self.blocks if not 0 <= index < count]
        if wrong or not self.blocks or len(set(self.blocks)) != len(self.blocks):
            raise ValueError(
                f"injection.blocks must be different indices in 0..{count - 1}, "
                f"got {list(self.blocks)}"
            )
        return sorted(self.blocks)


@dataclasses.dataclass(frozen=True)
class Control:
    """What VNVS Blocks need during one pass through the backbone."""

    tokens: Tensor
    """Control tokens, batch tokens dim."""
    grid: tuple[int, int, int]
    """Token frames, rows and columns."""
    noise_level: Tensor | None = None
    """Embedding of the noise level, batch dim, where blocks are modulated."""

    def of(self, rows: Tensor) -> Control:
        """The control of some samples of the batch, by index."""
        level = None if self.noise_level is None else self.noise_level[rows]
        return Control(self.tokens[rows], self.grid, level)


class ControlContext:
    """Carries the control past the backbone's own forward to the wrapped blocks."""

    def __init__(self) -> None:
        self.control: Control | None = None
        self.group: Any = None
        """Processes that share the tokens of a video (context parallelism); None: only this one."""

    def share(self, tokens: Tensor) -> Tensor:
        """This process's part of batch tokens dim, equal and in order.

        Raises:
            ValueError: if the tokens do not divide.
        """
        if self.group is None:
            return tokens
        parts = self.group.size()
        if tokens.shape[1] % parts:
            raise ValueError(
                f"{tokens.shape[1]} tokens do not divide among {parts} processes: choose another "
                "number of frames, height or width, or fewer processes"
            )
        return tokens.chunk(parts, dim=1)[self.group.rank()]

    @contextlib.contextmanager
    def use(self, control: Control | None) -> Iterator[None]:
        """Make the control visible to wrapped blocks inside the ``with`` block."""
        before, self.control = self.control, control
        try:
            yield
        finally:
            self.control = before

    def checkpoint(self, block: nn.Module, *arguments: Any) -> Any:
        """Gradient checkpointing that recomputes with the control of the first computation.

        The control is an argument, since the backward pass runs after `use` has ended and perhaps
        after other passes with another control.
        """

        def run(control: Control | None, *inner: Any) -> Any:
            with self.use(control):
                return block(*inner)

        return checkpoint(run, self.control, *arguments, use_reentrant=False)


class ControlledBlock(nn.Module):
    """A backbone block followed by a VNVS Block that updates its video tokens.

    Video tokens are the block's output, or the first of its outputs; all others pass untouched.
    Without a control in the context the backbone's block acts alone.
    """

    def __init__(
        self, block: nn.Module, vnvs: VNVSBlock, context: ControlContext, backbone: Backbone
    ) -> None:
        super().__init__()
        self.block = block
        self.vnvs = vnvs
        self.context = context
        self._to_rotary = backbone.rotary
        names = list(inspect.signature(block.forward).parameters)
        self._rotary_name = next((n for n in backbone.rotary_arguments if n in names), None)
        self._rotary_position = names.index(self._rotary_name) if self._rotary_name else -1

    def forward(self, *arguments: Any, **named: Any) -> Any:
        """Run the block, then Equation 6 on its video tokens."""
        output = self.block(*arguments, **named)
        control = self.context.control
        if control is None:
            return output
        video, rest = (output, None) if isinstance(output, Tensor) else (output[0], output[1:])
        video = self.vnvs(
            video,
            control.tokens,
            grid=control.grid,
            rotary=self._rotary(arguments, named),
            noise_level=control.noise_level,
            group=self.context.group,
        )
        return video if rest is None else (video, *rest)

    def _rotary(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self._rotary_name is None:
            return None
        if self._rotary_name in named:
            argument = named[self._rotary_name]
        elif self._rotary_position < len(arguments):
            argument = arguments[self._rotary_position]
        else:
            return None
        return self._to_rotary(argument, self.vnvs.heads)


def inject(
    backbone: Backbone, config: InjectionConfig, *, modulation_dim: int = 0
) -> ControlContext:
    """Wrap the chosen blocks of every expert of a backbone, in place.

    Returns:
        The context through which the wrapped blocks receive the control.
    """
    context = ControlContext()
    for transformer in backbone.transformers().values():
        lists = backbone.block_lists(transformer)
        chosen = set(config.chosen(sum(len(blocks) for blocks in lists)))
        index = 0
        for blocks in lists:
            for place, block in enumerate(blocks):
                if index in chosen:
                    vnvs = VNVSBlock(
                        config.block,
                        dim=backbone.token_dim,
                        heads=backbone.heads,
                        modulation_dim=modulation_dim,
                    )
                    blocks[place] = ControlledBlock(block, vnvs, context, backbone)
                index += 1
    return context


def vnvs_blocks(backbone: Backbone) -> dict[str, VNVSBlock]:
    """The inserted blocks by name: expert and index of the block that they follow."""
    found = {}
    for expert, transformer in backbone.transformers().items():
        index = 0
        for blocks in backbone.block_lists(transformer):
            for block in blocks:
                if isinstance(block, ControlledBlock):
                    found[f"{expert}.{index}"] = block.vnvs
                index += 1
    return found
