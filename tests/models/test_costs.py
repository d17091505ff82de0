"""The table of costs has every family, counted with what its adapter feeds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling4d.models import costs
from scaling4d.models.backbones import PRETRAINED
from scaling4d.models.backbones.mini import MiniBackbone, MiniConfig
from tests.models.conftest import Case

README = Path(costs.__file__).with_name("README.md").read_text()


def test_every_family_has_a_row() -> None:
    classes = {backbone.transformer_class for backbone in costs.PUBLISHED.values()}
    assert classes == {"MiniTransformer"} | {f.transformer_class for f in PRETRAINED.values()}
    rows = [line.split("|")[1].strip() for line in README.splitlines() if line.count("|") == 12]
    assert rows[2:] == list(costs.PUBLISHED)


def test_mini_is_counted_at_its_default_size() -> None:
    with torch.device("meta"):
        mini = MiniBackbone(MiniConfig())
    counted = costs.count_costs(costs.PUBLISHED["mini"])
    assert counted.token_grid == mini.geometry.token_grid(49, 480, 480)
    assert counted.backbone_parameters == sum(p.numel() for p in mini.parameters())
    assert counted.blocks == MiniConfig().depth


def test_hunyuan_video15_is_counted_with_the_text_that_it_gets(
    case_of: Callable[[str], Case],
) -> None:
    text = case_of("hunyuan_video15").text
    image = 1
    fed = text.embeddings.shape[1] + text.extra["glyphs"].shape[1] + image
    assert fed == costs._HUNYUAN15_TEXT_TOKENS


@pytest.mark.full
def test_table_in_the_readme_is_the_counted_one() -> None:
    assert costs.costs_table() in README
