"""Fixtures that every test shares; shape checks of jaxtyping are switched on here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from jaxtyping import install_import_hook

# Installed before any project module is imported: a wrong shape then fails at the call.
# geometry and storage check their arguments themselves, with errors that users see, and stay out.
CHECKED_PACKAGES = [
    "scaling4d.correspondence",
    "scaling4d.data",
    "scaling4d.estimators",
    "scaling4d.evaluation",
    "scaling4d.inference",
    "scaling4d.models",
    "train",
]
_SHAPE_CHECKS = install_import_hook(CHECKED_PACKAGES, "beartype.beartype")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real files that this project did not make; tests skip where it is absent."""
    folder = Path(os.environ.get("SCALING4D_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real test files: set SCALING4D_TEST_DATA (looked in {folder})")
    return folder


@pytest.fixture
def without_shape_checks() -> Iterator[None]:
    """As users run it: mistakes that the shape checks would stop reach our own errors."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout, for tests that run the command lines or read the committed files."""
    return REPOSITORY
