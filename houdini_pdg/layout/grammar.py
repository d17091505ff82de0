"""Parser and printer of the SpatialLM layout grammar.

    wall_0=Wall(ax,ay,az,bx,by,bz,height,thickness)
    door_0=Door(wall_0,x,y,z,width,height)
    window_0=Window(wall_0,x,y,z,width,height)
    bbox_0=Bbox(class,x,y,z,angle_z,scale_x,scale_y,scale_z)

Strict by default; `lenient=True` accepts all that the reference parser accepts (it skips what it
cannot read, ignores surplus arguments and takes the absolute value of scales) and logs each skip.
References are resolved after the whole text is read, so the order of lines never matters.
"""

from __future__ import annotations

import itertools
import logging
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from .model import Box, Layout, Opening, Wall

logger = logging.getLogger(__name__)

_LINE = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<kind>\w+)\s*\((?P<arguments>[^()]*)\)\s*$")
_FIELDS = {
    "Wall": ("ax", "ay", "az", "bx", "by", "bz", "height", "thickness"),
    "Door": ("wall", "x", "y", "z", "width", "height"),
    "Window": ("wall", "x", "y", "z", "width", "height"),
    "Bbox": ("class", "x", "y", "z", "angle_z", "scale_x", "scale_y", "scale_z"),
}
_TEXT_FIELDS = ("wall", "class")
_Entity = TypeVar("_Entity", Wall, Opening, Box)


class LayoutError(ValueError):
    """A layout text that does not follow the grammar; `line` and `column` count from 1."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class _Entry:
    """One parsed line with the column of each argument, for errors found later."""

    name: str
    values: dict[str, str | float]
    columns: dict[str, int]
    line: int

    def number(self, field: str) -> float:
        value = self.values[field]
        assert isinstance(value, float)
        return value

    def point(self, *fields: str) -> tuple[float, float, float]:
        x, y, z = (self.number(field) for field in fields)
        return x, y, z

    def error(self, field: str, message: str) -> LayoutError:
        return LayoutError(message, line=self.line, column=self.columns[field])


def parse_layout(text: str, *, lenient: bool = False) -> Layout:
    """Read a layout text.

    Args:
        text: lines of the grammar above; blank lines are allowed.
        lenient: skip (and log) lines that break the grammar instead of raising.

    Raises:
        LayoutError: with line and column of the first fault; never in lenient mode.
    """
    entries: dict[str, list[_Entry]] = {kind: [] for kind in _FIELDS}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            kind, entry = _parse_line(line, number, lenient=lenient)
            if entry.name in names and not lenient:
                raise LayoutError(f"the name {entry.name} is used twice", line=number, column=1)
        except LayoutError as error:
            if not lenient:
                raise
            logger.warning("skipped a layout line, %s", error)
            continue
        if entry.name in names:
            entry = replace(entry, name=_unused_name(kind, names))
        names.add(entry.name)
        entries[kind].append(entry)
    return Layout(
        walls=tuple(_collect(entries["Wall"], _wall, lenient)),
        doors=tuple(_openings(entries["Door"], entries["Wall"], lenient)),
        windows=tuple(_openings(entries["Window"], entries["Wall"], lenient)),
        boxes=tuple(_collect(entries["Bbox"], _box, lenient)),
    )


def print_layout(layout: Layout) -> str:
    """Write a layout as text; `parse_layout` of it returns an equal layout."""
    lines = [f"{w.name}=Wall({_numbers(*w.a, *w.b, w.height, w.thickness)})" for w in layout.walls]
    for kind, openings in (("Door", layout.doors), ("Window", layout.windows)):
        lines += [
            f"{o.name}={kind}({o.wall},{_numbers(*o.position, o.width, o.height)})"
            for o in openings
        ]
    lines += [
        f"{b.name}=Bbox({b.category},{_numbers(*b.position, b.angle_z, *b.scale)})"
        for b in layout.boxes
    ]
    return "\n".join(lines) + "\n"


def _unused_name(kind: str, names: set[str]) -> str:
    """A name for an entity whose own is taken: the reference writer repeats them after 1,000."""
    return next(name for i in itertools.count() if (name := f"{kind.lower()}_{i}") not in names)


def _numbers(*values: float) -> str:
    return ",".join(repr(float(value)) for value in values)


def _parse_line(line: str, number: int, *, lenient: bool) -> tuple[str, _Entry]:
    match = _LINE.match(line)
    if match is None:
        raise LayoutError(
            f"expected name=Class(arguments), got {line.strip()[:60]!r}",
            line=number,
            column=_fault_column(line),
        )
    kind, name = match["kind"], match["name"]
    if kind not in _FIELDS:
        raise LayoutError(
            f"unknown class {kind}; expected one of {', '.join(_FIELDS)}",
            line=number,
            column=match.start("kind") + 1,
        )
    if not lenient and not re.fullmatch(rf"{kind.lower()}_\d+", name):
        raise LayoutError(
            f"a {kind} is named {kind.lower()}_<number>, got {name!r}",
            line=number,
            column=match.start("name") + 1,
        )
    return kind, _entry(kind, name, match, number, lenient=lenient)


def _entry(kind: str, name: str, match: re.Match[str], number: int, *, lenient: bool) -> _Entry:
    fields = _FIELDS[kind]
    tokens = match["arguments"].split(",")
    start = match.start("arguments") + 1
    if len(tokens) < len(fields) or (len(tokens) > len(fields) and not lenient):
        raise LayoutError(
            f"{kind} takes {len(fields)} arguments ({', '.join(fields)}), got {len(tokens)}",
            line=number,
            column=start,
        )
    values: dict[str, str | float] = {}
    columns: dict[str, int] = {}
    for field, token in zip(fields, tokens, strict=False):
        columns[field] = start + len(token) - len(token.lstrip())
        values[field] = _value(field, token.strip(), number, columns[field])
        start += len(token) + 1
    return _Entry(name, values, columns, number)


def _value(field: str, token: str, line: int, column: int) -> str | float:
    if field in _TEXT_FIELDS:
        if not token:
            raise LayoutError(f"{field} is empty", line=line, column=column)
        return token
    try:
        value = float(token)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LayoutError(
            f"{field} must be a finite number, got {token!r}", line=line, column=column
        )
    return value


def _fault_column(line: str) -> int:
    """Column at which a line that does not match leaves the grammar."""
    column = len(line) - len(line.lstrip())
    for pattern in (r"\w+", r"\s*=\s*", r"\w+", r"\s*\(", r"[^()]*", r"\)"):
        match = re.compile(pattern).match(line, column)
        if match is None:
            break
        column = match.end()
    return column + 1


def _collect(
    entries: Iterable[_Entry], build: Callable[[_Entry, bool], _Entity], lenient: bool
) -> list[_Entity]:
    built = []
    for entry in entries:
        try:
            built.append(build(entry, lenient))
        except LayoutError as error:
            if not lenient:
                raise
            logger.warning("skipped a layout line, %s", error)
    return built


def _wall(entry: _Entry, lenient: bool) -> Wall:
    a, b = entry.point("ax", "ay", "az"), entry.point("bx", "by", "bz")
    height, thickness = entry.number("height"), entry.number("thickness")
    if a[:2] == b[:2]:
        raise entry.error("bx", f"{entry.name} has no length: both ends are at {a[:2]}")
    if height <= 0:
        raise entry.error("height", f"height must be positive, got {height}")
    if thickness < 0:
        raise entry.error("thickness", f"thickness must not be negative, got {thickness}")
    return Wall(entry.name, a, b, height, thickness)


def _openings(doors: list[_Entry], walls: list[_Entry], lenient: bool) -> list[Opening]:
    known = {wall.name for wall in walls}

    def build(entry: _Entry, lenient: bool) -> Opening:
        wall = str(entry.values["wall"])
        if wall not in known:
            raise entry.error("wall", f"{entry.name} names the wall {wall!r}, which is not given")
        for field in ("width", "height"):
            if entry.number(field) <= 0:
                raise entry.error(field, f"{field} must be positive, got {entry.number(field)}")
        width, height = entry.number("width"), entry.number("height")
        return Opening(entry.name, wall, entry.point("x", "y", "z"), width, height)

    return _collect(doors, build, lenient)


def _box(entry: _Entry, lenient: bool) -> Box:
    scale = entry.point("scale_x", "scale_y", "scale_z")
    for field, value in zip(("scale_x", "scale_y", "scale_z"), scale, strict=True):
        if value < 0 and not lenient:
            raise entry.error(field, f"{field} must not be negative, got {value}")
    width, depth, height = (abs(value) for value in scale)
    category = re.sub(r"\s+", "_", str(entry.values["class"]))
    position = entry.point("x", "y", "z")
    return Box(entry.name, category, position, entry.number("angle_z"), (width, depth, height))
