"""YAML and ``key=value`` texts to typed dataclasses, once, at the door."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

T = TypeVar("T")


class ConfigError(ValueError):
    """A recipe or an override that names an unknown key or holds a wrong value."""


def build(cls: type[T], values: object, where: str = "") -> T:
    """Make a dataclass from nested mappings.

    Raises:
        ConfigError: for an unknown key, a missing required one, a value of another type, or one
            that the dataclass itself refuses; the message names the key.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where or 'the recipe'} must be a mapping, got {values!r}")
    hints = get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    arguments = {}
    for key, value in values.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in names:
            raise ConfigError(f"unknown setting {path}{_hint(str(key), names)}")
        arguments[key] = convert(hints[key], value, path)
    try:
        return cls(**arguments)
    except TypeError as error:
        raise ConfigError(f"{where or 'the recipe'}: {error}") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{where + ': ' if where else ''}{error}") from None


def convert(kind: Any, value: Any, path: str) -> Any:
    """Check and convert one value to the annotated type.

    Raises:
        ConfigError: naming ``path``, the expected type and the value.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return build(kind, value, path)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, path)
    if origin is Literal:
        if value is False and "no" in arguments:
            return "no"  # which YAML 1.1 reads as false
        if value in arguments:
            return value
        raise ConfigError(f"{path} must be one of {', '.join(map(str, arguments))}, got {value!r}")
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {str(k): convert(arguments[1], v, f"{path}.{k}") for k, v in value.items()}
    if (
        origin in (tuple, list, Sequence)
        and isinstance(value, Sequence)
        and not isinstance(value, str)
    ):
        return _convert_items(origin, arguments, value, path)
    if kind is Any:
        return value
    return _convert_scalar(kind, value, path)


def _convert_union(options: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in options:
        return None
    problems = []
    for option in options:
        if option is not type(None):
            try:
                return convert(option, value, path)
            except ConfigError as error:
                problems.append(str(error))
    raise ConfigError(problems[0])


def _convert_items(origin: Any, arguments: tuple[Any, ...], value: Sequence[Any], path: str) -> Any:
    repeated = origin is not tuple or arguments[-1] is Ellipsis
    if not repeated and len(value) != len(arguments):
        raise ConfigError(f"{path} must have {len(arguments)} values, got {len(value)}")
    kinds = [arguments[0]] * len(value) if repeated else arguments
    items = [
        convert(kind, item, f"{path}[{i}]")
        for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
    ]
    return tuple(items) if origin is tuple else items


def _convert_scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 4e-5 as text
        except ValueError:
            pass
    elif (
        isinstance(kind, type)
        and isinstance(value, kind)
        and isinstance(value, bool) == (kind is bool)
    ):
        return value
    name = getattr(kind, "__name__", str(kind))
    raise ConfigError(f"{path} must be of type {name}, got {value!r}")


def apply_overrides(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a copy of nested mappings with ``section.key=value`` texts put in (values are YAML).

    Raises:
        ConfigError: for a text without ``=`` or a path through something that is no section.
    """
    result = _copy(values)
    for text in overrides:
        path, equals, value = text.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"an override is written key=value (optimizer.lr=1e-4), got {text!r}")
        section = result
        for key in keys[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):
                raise ConfigError(f"{text!r}: {key} is a value, not a section")
        try:
            section[keys[-1]] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"the value of {path} is not YAML: {value!r}") from None
    return result


def _copy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in values.items()}


def _hint(key: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, names, n=1)
    return f": did you mean {close[0]}?" if close else f": known here are {', '.join(names)}"
