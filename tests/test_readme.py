"""The README says what is true: its tree, its commands, its Python."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from tests.readme_tree import PACKAGES, first_sentence, section


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_tree_lists_every_file_with_its_own_first_sentence(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    assert section() in readme, "run `python -m tests.readme_tree`"


def test_every_module_says_what_it_holds(repository: Path) -> None:
    silent = [
        path
        for package in PACKAGES
        for path in (repository / package).rglob("*.py")
        if path.name != "__init__.py" and not first_sentence(path)
    ]
    assert not silent


@pytest.mark.parametrize("document", ["README.md", "train/README.md", "houdini_pdg/README.md"])
def test_every_command_shown_exists(repository: Path, document: str) -> None:
    text = (repository / document).read_text()
    modules = set(re.findall(r"python -m ([a-z_0-9.]+)", text))
    assert modules
    for module in modules:
        path = repository / module.replace(".", "/")
        assert (path / "__main__.py").exists() or path.with_suffix(".py").exists(), module


def test_every_make_target_shown_exists(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:^|`)make ([a-z-]+)", (repository / "README.md").read_text(), re.M))
    assert {"quickstart", "test"} <= shown <= targets | {"setup"}


def test_the_python_shown_calls_generate_as_it_is(repository: Path) -> None:
    from scaling4d.inference.generate import generate

    (code,) = fenced((repository / "README.md").read_text(), "python")
    known = set(generate.__annotations__)
    calls = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "scaling4d.generate"
    ]
    assert calls
    for call in calls:
        assert {keyword.arg for keyword in call.keywords} <= known


def test_the_system_packages_named_are_those_that_are_checked(repository: Path) -> None:
    from scaling4d.system_check import DEBIAN_PACKAGE

    (line,) = re.findall(r"^apt-get install (.*)$", (repository / "README.md").read_text(), re.M)
    assert shlex.split(line) == sorted(set(DEBIAN_PACKAGE.values()))
