"""Every key of a spec as a YAML text: its default, and above it the sentence of its dataclass."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
import typing
from collections.abc import Iterator
from typing import Any, Literal

from .configuration import to_mapping
from .spec import MintSpec

_WIDTH = 88


def spec_reference() -> str:
    """A spec that says nothing new: `scenes` is the one key that has no default."""
    return "\n".join(_lines(MintSpec, MintSpec(scenes=1), "")) + "\n"


def _lines(cls: type, values: Any, indent: str) -> Iterator[str]:
    hints, texts = typing.get_type_hints(cls), _field_texts(cls)
    for field in dataclasses.fields(cls):
        value, hint = getattr(values, field.name), hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield ""
            yield from _comment((inspect.getdoc(hint) or "").split("\n\n")[0], indent)
            yield f"{indent}{field.name}:"
            yield from _lines(typing.cast(type, hint), value, f"{indent}  ")
            continue
        text = texts.get(field.name, "")
        if typing.get_origin(hint) is Literal:
            text = f"{text} One of {', '.join(map(str, typing.get_args(hint)))}.".strip()
        yield from _comment(text, indent)
        yield f"{indent}{field.name}: {json.dumps(to_mapping(value))}"


def _comment(text: str, indent: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), _WIDTH - len(indent)):
        yield f"{indent}# {line}"


def _field_texts(cls: type) -> dict[str, str]:
    """The string below each field of a dataclass, which Python itself does not keep."""
    body = typing.cast(
        ast.ClassDef, ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    ).body
    texts: dict[str, str] = {}
    for field, below in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            texts[field.target.id] = str(below.value.value)
    return texts
