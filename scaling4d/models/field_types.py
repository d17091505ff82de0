"""Types of settings, checked when they are made: a text where a number belongs is named at once."""

from __future__ import annotations

import dataclasses
import types
from typing import Any, Union, get_args, get_origin, get_type_hints


def check_field_types(settings: Any) -> None:
    """Compare a dataclass's values with its annotations.

    Raises:
        ValueError: naming the setting, its type and the value.
    """
    kind = type(settings)
    hints = get_type_hints(kind)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if not _fits(value, hints[field.name]):
            raise ValueError(
                f"{kind.__name__}.{field.name} must be of type {field.type}, got {value!r}"
            )


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in arguments)
    if origin is tuple and isinstance(value, tuple):
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, origin or hint)
