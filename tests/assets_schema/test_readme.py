"""The how-to runs as it is printed, and the table of codes is the validator's."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from assets_schema import Catalog
from assets_schema.validate import CODES

TABLE_HEAD = "| code | what is wrong | what to do |\n|---|---|---|\n"


def code_table() -> str:
    """The README's table; `python -m tests.assets_schema.test_readme` prints it."""
    rows = [
        f"| {rule.code}{' (warning)' if rule.severity == 'warning' else ''} | {rule.title} "
        f"| {rule.help}{' `--fix`' if rule.fixable else ''} |\n"
        for rule in CODES.values()
    ]
    return TABLE_HEAD + "".join(rows)


@pytest.fixture
def readme(repository) -> str:
    return (repository / "assets_schema" / "README.md").read_text()


def test_example_builds_catalogues_and_validates_an_asset(readme, repository, tmp_path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "example.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(repository), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "4 combinations" in done.stdout
    assert "findings: []" in done.stdout
    assert Catalog.load(tmp_path / "my_library")["side_table_slab"].category == "side_table"


def test_table_of_codes_is_complete_and_current(readme) -> None:
    assert code_table() in readme


def test_every_command_of_the_readme_exists(readme, capsys) -> None:
    from assets_schema.__main__ import main

    commands = set(re.findall(r"python -m assets_schema ([a-z][a-z-]+)", readme))
    assert {"build-library", "ingest", "update", "diff", "validate", "preview"} <= commands
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
    capsys.readouterr()


def test_assets_that_the_readme_and_the_help_name_exist(readme, capsys) -> None:
    from assets_schema.__main__ import main
    from assets_schema.library.build import recipes

    with pytest.raises(SystemExit):
        main(["--help"])
    text = readme + capsys.readouterr().out
    named = set(re.findall(r"(?:preview|show) output/library (\w+)", text))
    assert named
    assert named <= {recipe.id for recipe in recipes()}


if __name__ == "__main__":
    print(code_table(), end="")
