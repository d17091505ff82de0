"""A fake Houdini to enter, in which the real modules that import ``hou`` and ``pdg`` are loaded."""

from __future__ import annotations

import importlib
import sys

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.tops.schedulers import NetworkOptions
from tests.houdini_pdg.tops.fake_houdini import Host

MODULES = ("houdini_pdg.tops.build", "houdini_pdg.tops.cook")


def run_in_process(argv: list[str]) -> int:
    assert argv[1:5] == ["-E", "-s", "-m", "houdini_pdg"]
    return main(argv[5:])


@pytest.fixture
def enter(monkeypatch):
    """Enter a fake Houdini of a version; its modules import ``hou`` and ``pdg`` afresh."""

    def _enter(version: str, run=run_in_process) -> Host:
        host = Host(version, run)
        for name, module in host.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        for name in MODULES:
            monkeypatch.delitem(sys.modules, name, raising=False)
        return host

    yield _enter
    for name in MODULES:
        sys.modules.pop(name, None)


def build(plan, **options):
    module = importlib.import_module("houdini_pdg.tops.build")
    return module.build_network(plan, NetworkOptions(python="/opt/venv/bin/python", **options))


def cook(network, expected):
    return importlib.import_module("houdini_pdg.tops.cook").cook(network, expected)
