from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.runs import run, write_sample_data, write_wan_recipe


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``real`` videos and ``syn`` scenes; its cache fills up as tests run."""
    return write_sample_data(tmp_path_factory.mktemp("train") / "data")


@pytest.fixture(scope="session")
def straight_run(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of ten uninterrupted steps."""
    out = tmp_path_factory.mktemp("straight") / "out"
    assert run(sample_data, out) == 0
    return out


@pytest.fixture(scope="session")
def two_experts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipe of a toy Wan 2.2 A14B."""
    return write_wan_recipe(tmp_path_factory.mktemp("experts"), "wan22_a14b")
