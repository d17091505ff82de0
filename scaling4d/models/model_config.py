"""Everything that decides the network's shape, as typed settings."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from .backbones import BackboneConfig
from .control_variants import control_channels
from .correspondence_projector import ProjectorConfig
from .field_types import check_field_types
from .injection import InjectionConfig
from .vnvs_block import VNVSBlockConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """Low-rank adapters on the backbone's own attention, trained beside the VNVS Blocks."""

    rank: int = 16
    """Rank of each adapter."""
    alpha: int = 16
    """Scale: the adapter counts alpha / rank."""
    targets: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")
    """Ends of the names of adapted layers."""

    def __post_init__(self) -> None:
        check_field_types(self)
        if self.rank < 1 or self.alpha < 1 or not self.targets:
            raise ValueError(
                "lora needs a rank and an alpha of at least 1 and names of layers, got rank "
                f"{self.rank}, alpha {self.alpha}, targets {list(self.targets)} (alpha 0 would "
                "switch it off: leave lora out)"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything that decides the network's shape."""

    backbone: BackboneConfig = dataclasses.field(default_factory=BackboneConfig)
    """The foundation model."""
    projector: ProjectorConfig = dataclasses.field(default_factory=ProjectorConfig)
    """Size of the Correspondence Projector."""
    injection: InjectionConfig = dataclasses.field(default_factory=InjectionConfig)
    """Which blocks are followed by VNVS Blocks."""
    control: str = "correspondence"
    """What steers the model: ours, or one of the comparisons of §4.1."""
    freeze_backbone: bool | None = None
    """Train the projector and the VNVS Blocks alone; None: freeze what has pretrained weights."""
    lora: LoraConfig | None = None
    """Low-rank adapters on a frozen backbone; None for none."""

    def __post_init__(self) -> None:
        check_field_types(self)
        control_channels(self.control)
        if self.lora is not None and self.backbone.name == "mini":
            raise ValueError("lora needs a pretrained backbone; mini is trained whole")

    @property
    def frozen(self) -> bool:
        """Whether the backbone's own weights stay as they are."""
        if self.freeze_backbone is None:
            return self.backbone.path is not None
        return self.freeze_backbone

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
    (ModelConfig, "lora"): LoraConfig,
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
