"""Strict conversion of YAML mappings into dataclasses: unknown keys and wrong types are errors."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")

NOT_HASHED = {"hashed": False}
"""Metadata of a field that decides nothing of a result: changing it makes nothing run again."""


class SpecError(ValueError):
    """What a user wrote in a spec is unusable; the message is one sentence that says what to do."""


def from_mapping(cls: type[T], values: object, *, where: str = "", folder: Path | None = None) -> T:
    """Build the dataclass ``cls`` from a mapping read from YAML or JSON.

    Args:
        cls: a dataclass; nested dataclasses, tuples, dictionaries, ``Literal`` and ``X | None``
            are understood, and a dataclass's own ``__post_init__`` may raise ``ValueError``.
        values: the mapping; None stands for an empty one.
        where: dotted name of the section, put in front of key names in messages.
        folder: fields of type ``Path`` are taken relative to it and made absolute.

    Raises:
        SpecError: unknown key, missing required key, wrong type or a value that ``cls`` refuses.
    """
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        raise SpecError(f"{where or 'the spec'} must be a mapping of keys, got {values!r}")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls)) if f.init}
    for key in values:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(fields)}"
            raise SpecError(f"unknown key {_join(where, key)}: {hint}")
    built = {}
    for name, field in fields.items():
        if name in values:
            built[name] = _convert(hints[name], values[name], _join(where, name), folder)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SpecError(f"{_join(where, name)} is missing: add it to the spec")
    try:
        return cls(**built)
    except SpecError:
        raise
    except ValueError as error:
        raise SpecError(f"{where}: {error}" if where else str(error)) from error


def to_mapping(value: Any, *, folder: Path | None = None) -> Any:
    """Turn a dataclass tree into plain JSON values; `from_mapping` turns it back.

    With ``folder`` absolute paths are spelled relative to it, so that both may move together.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: to_mapping(item, folder=folder) for name, item in pairs}
    if isinstance(value, Mapping):
        return {str(key): to_mapping(item, folder=folder) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_mapping(item, folder=folder) for item in value]
    if isinstance(value, Path):
        return (relative_path(value, folder) if folder else value).as_posix()
    return value


def relative_path(path: Path, folder: Path) -> Path:
    """``path`` as seen from ``folder``; an absolute one where no way leads there (Windows)."""
    try:
        return Path(os.path.relpath(path.absolute(), folder))
    except ValueError:  # another drive
        return path.absolute()


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _convert(hint: Any, value: Any, where: str, folder: Path | None) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _convert_union(arguments, value, where, folder)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise SpecError(
                f"{where} must be one of {', '.join(map(str, arguments))}, got {value!r}"
            )
        return value
    if origin is tuple:
        return _convert_tuple(arguments, value, where, folder)
    if origin in (dict, Mapping) or hint is dict:
        if not isinstance(value, Mapping):
            raise SpecError(f"{where} must be a mapping, got {value!r}")
        inner = arguments[1] if arguments else Any
        return {str(k): _convert(inner, v, _join(where, k), folder) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast(type, hint), value, where=where, folder=folder)
    return _convert_scalar(hint, value, where, folder)


def _convert_union(options: tuple[Any, ...], value: Any, where: str, folder: Path | None) -> Any:
    if value is None and type(None) in options:
        return None
    problem: SpecError | None = None
    for option in options:
        if option is not type(None):
            try:
                return _convert(option, value, where, folder)
            except SpecError as error:
                problem = problem or error
    raise problem or SpecError(f"{where} has no usable value, got {value!r}")


def _convert_tuple(items: tuple[Any, ...], value: Any, where: str, folder: Path | None) -> Any:
    if not isinstance(value, (list, tuple)):
        raise SpecError(f"{where} must be a list, got {value!r}")
    if len(items) == 2 and items[1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise SpecError(f"{where} must have {len(items)} entries, got {len(value)}")
    pairs = enumerate(zip(items, value, strict=True))
    return tuple(_convert(hint, item, f"{where}[{i}]", folder) for i, (hint, item) in pairs)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


_NAMES = {int: "an integer", float: "a number", bool: "true or false", str: "text", Path: "a path"}


def _convert_scalar(hint: Any, value: Any, where: str, folder: Path | None) -> Any:
    if hint is Any or hint is object:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str) and _is_number(value):
        return float(value)  # YAML 1.1 reads 1e-4 as text
    if hint is Path and isinstance(value, str) and value:
        path = Path(value).expanduser()
        return (folder / path).resolve() if folder else path
    if hint is int and isinstance(value, bool):
        raise SpecError(f"{where} must be an integer, got {value!r}")
    if hint in _NAMES and hint is not Path and isinstance(value, hint):
        if isinstance(value, float) and math.isnan(value):
            raise SpecError(f"{where} must be a number, got nan")
        return value
    raise SpecError(f"{where} must be {_NAMES.get(hint, hint)}, got {value!r}")
