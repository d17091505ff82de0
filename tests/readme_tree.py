"""The README's file tree, one line per file, taken from the files' own first sentences.

``python -m tests.readme_tree`` rewrites the section; `tests/test_readme.py` keeps it true.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("scaling4d", "train", "assets_schema", "houdini_pdg")
BEGIN, END = "<!-- tree: python -m tests.readme_tree -->", "<!-- end of tree -->"


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<!Eq)(?<!Fig)\.(?=\s|$)", paragraph)[0].strip()


def render_tree() -> str:
    """Return the tree as a block of text, folders before their files, sorted by name."""
    lines: list[str] = []
    for package in PACKAGES:
        folder_before: Path | None = None
        for path in sorted((REPOSITORY / package).rglob("*.py"), key=tree_order):
            if path.name == "__init__.py":
                continue
            folder = path.parent.relative_to(REPOSITORY)
            if folder != folder_before:
                lines.append(f"{folder}/")
                folder_before = folder
            lines.append(f"  {path.name:<28} {first_sentence(path)}")
    return "\n".join(lines)


def tree_order(path: Path) -> tuple[Path, str]:
    """Files of a folder stand together, before those of the folders below it."""
    return path.parent, path.name


def section() -> str:
    """Return the README's section with its markers."""
    return f"{BEGIN}\n```\n{render_tree()}\n```\n{END}"


def main() -> None:
    """Rewrite the section of the README."""
    readme = REPOSITORY / "README.md"
    text = readme.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    readme.write_text(text[:begin] + section() + text[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
