"""The miniature library, built once for the tests of composed stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.houdini_pdg.mini_library import write_mini_library


@pytest.fixture(scope="session")
def mini_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Catalogue file of the miniature library."""
    return write_mini_library(tmp_path_factory.mktemp("library"))
