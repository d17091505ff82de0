"""What would fail every scene of a plan, told before anything is written or run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from .camera_path.config import parse_point
from .layout.grammar import LayoutError, parse_layout
from .layout.model import Layout
from .spec import MintSpec, SpecError

_NAME = re.compile(r"(bbox|person)_\d+")


def check_inputs(spec: MintSpec) -> None:
    """Read what the spec names: layout files, catalogues, motions, points of interest.

    Raises:
        SpecError: saying which of it is missing or cannot be used.
    """
    layouts = [_read_layout(path, lenient=spec.layout.lenient) for path in spec.layout.files]
    motions, categories = set[str](), set[str]()
    for path in spec.libraries:
        _read_catalogue(path, motions, categories)
    if unknown := [name for name in spec.characters.motions if name not in motions]:
        known = f"have {', '.join(sorted(motions))}" if motions else "hold no people"
        raise SpecError(f"characters.motions: unknown {', '.join(unknown)}: the libraries {known}")
    _check_points(spec.trajectory.points_of_interest, layouts, categories)


def _read_layout(path: Path, *, lenient: bool) -> Layout:
    try:
        layout = parse_layout(path.read_text(encoding="utf-8"), lenient=lenient)
    except OSError as error:
        raise SpecError(f"layout.files: {path} cannot be read: {error.strerror}") from error
    except LayoutError as error:
        raise SpecError(f"layout.files: {path}, {error}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"layout.files: {path} is not a text in UTF-8") from error
    if not layout.walls:
        boxes = len(layout.boxes)
        raise SpecError(f"layout.files: {path} holds {boxes} boxes and no wall: add its walls")
    return layout


def _read_catalogue(path: Path, motions: set[str], categories: set[str]) -> None:
    """Add to what the libraries have."""
    from assets_schema.catalog import Catalog, CatalogError  # needs more than Houdini's Python has

    try:
        entries = list(Catalog.load(path))
    except CatalogError as error:
        raise SpecError(f"libraries: {error}") from error
    for entry in entries:
        categories.add(entry.category)
        if entry.kind == "character" and entry.weight > 0 and entry.character is not None:
            motions |= set(entry.character.motions)


def _check_points(wishes: tuple[str, ...], layouts: list[Layout], categories: set[str]) -> None:
    """Refuse a class that no layout can have: each scene would be rejected for the lack of it."""
    named = [wish for wish in wishes if parse_point(wish) is None and not _NAME.fullmatch(wish)]
    if not named:
        return
    from assets_schema.categories import CATEGORIES, normalize_category

    known = {"person", *CATEGORIES, *categories, *_names_in(layouts)}
    for wish in named:
        if wish not in known:
            meant = normalize_category(wish)
            near = [meant] if meant in known else difflib.get_close_matches(wish, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "name a class, a box or a person"
            raise SpecError(f"trajectory.points_of_interest: unknown {wish!r}: {hint}")


def _names_in(layouts: list[Layout]) -> Iterator[str]:
    for layout in layouts:
        for box in layout.boxes:
            yield from (box.name, box.category)
