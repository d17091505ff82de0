"""Tiny backbones of every family, saved once a session and loaded through the real path."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from scaling4d.models import (
    BackboneConfig,
    InjectionConfig,
    ModelConfig,
    ProjectorConfig,
    VNVSModel,
)
from scaling4d.models.backbones import Backbone, TextCondition, make_backbone
from scaling4d.models.injection import vnvs_blocks
from scaling4d.models.vnvs_block import VNVSBlockConfig
from tests.models import tiny_pipelines

MINI = {"dim": 32, "depth": 2, "heads": 2, "patch": 8, "frequencies": 16}
FAMILIES = ("mini", *tiny_pipelines.BUILDERS)
MODULATED = "_modulated"
"""Ends the names of cases whose VNVS Blocks depend on the noise level too."""


@dataclasses.dataclass
class Case:
    """One backbone with inputs it can take."""

    config: ModelConfig
    loaded: Backbone
    noisy: torch.Tensor
    sigma: torch.Tensor
    text: TextCondition
    control: torch.Tensor

    def backbone(self) -> Backbone:
        """A fresh copy, without VNVS Blocks."""
        return copy.deepcopy(self.loaded)

    def model(self, *, awake: bool = False, **changes: object) -> VNVSModel:
        """A fresh model; awake: its blocks' outputs are no longer zero."""
        config = dataclasses.replace(self.config, **changes)  # type: ignore[arg-type]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = VNVSModel(config, self.backbone())
        if awake:
            generator = torch.Generator().manual_seed(5)
            for block in vnvs_blocks(model.backbone).values():
                torch.nn.init.normal_(block.output.weight, std=0.2, generator=generator)
                if block.modulation is not None:
                    torch.nn.init.normal_(block.modulation.weight, std=0.02, generator=generator)
        return model

    def velocity(self, model: VNVSModel) -> torch.Tensor:
        return model.velocity(self.noisy, self.sigma, self.text, self.control)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are faster without threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Make the case of a family, once a session."""
    cases: dict[str, Case] = {}

    def make(name: str) -> Case:
        if name not in cases:
            cases[name] = _make(name, tmp_path_factory.mktemp(name))
        return cases[name]

    return make


@pytest.fixture(params=(*FAMILIES, f"mini{MODULATED}", f"wan22_a14b{MODULATED}"))
def case(request: pytest.FixtureRequest, case_of: Callable[[str], Case]) -> Case:
    return case_of(request.param)


def _make(name: str, folder: Path) -> Case:
    modulated, name = name.endswith(MODULATED), name.removesuffix(MODULATED)
    if name == "mini":
        backbone = BackboneConfig(options=MINI)
    else:
        family, builder = tiny_pipelines.BUILDERS[name]
        tiny_pipelines.seeded(builder).save_pretrained(folder)
        backbone = BackboneConfig(name=family, path=str(folder), options={"local_files_only": True})
    config = ModelConfig(
        backbone=backbone,
        projector=ProjectorConfig(width=16, depth=1, frequencies=8),
        injection=InjectionConfig(block=VNVSBlockConfig(modulation=modulated)),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loaded = make_backbone(backbone)
    geometry = loaded.geometry
    frames = 2 * geometry.frame_compression + 1
    side = 2 * geometry.size_multiple
    generator = torch.Generator().manual_seed(2)
    shape = (2, loaded.latent_channels, *geometry.latent_grid(frames, side, side))
    with torch.no_grad():
        text = loaded.encode_text(["a chair in a sunny room", ""])
    return Case(
        config,
        loaded,
        torch.randn(shape, generator=generator),
        torch.tensor([0.4, 0.9]),
        text,
        torch.rand((2, frames, 9, side, side), generator=generator) * 2 - 1,
    )
