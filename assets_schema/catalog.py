"""The catalogue: pinned entries of a library in one text file that loads fast and diffs well.

``catalog.yaml`` is YAML whose entries are JSON objects, one a line. Such a file is read as
JSON (10,000 entries in under a second); one that a person re-formatted goes to the YAML parser.
`catalog.schema.json` beside this module describes both.
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from .categories import UNKNOWN, normalize_category
from .entry import Entry, parse_entry
from .variant_tree import Record, merge_sets

FORMAT = "scaling4d-catalog"
FORMAT_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("catalog.schema.json")


class CatalogError(ValueError):
    """A catalogue file that cannot be read, or an entry that breaks its rules."""


@dataclass
class Catalog:
    """The entries of one library, in file order.

    Attributes:
        entries: every entry; ids are unique.
        root: folder that entry paths are relative to.
    """

    entries: list[Entry] = field(default_factory=list)
    root: Path = field(default_factory=Path)

    @classmethod
    def load(cls, path: Path | str) -> Catalog:
        """Read a catalogue (``.yaml`` or ``.json``), or ``catalog.yaml`` of a folder.

        Raises:
            CatalogError: with the line or the entry that is wrong.
        """
        path = Path(path)
        path = path / "catalog.yaml" if path.is_dir() else path
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogError(f"cannot read catalogue {path}: {error}") from error
        with _without_garbage_collection():
            return cls._parse(text, path)

    @classmethod
    def _parse(cls, text: str, path: Path) -> Catalog:
        header, records = _parse_text(text, path)
        if header.get("format") != FORMAT or header.get("version") != FORMAT_VERSION:
            raise CatalogError(
                f"{path} is no catalogue of version {FORMAT_VERSION}: expected "
                f"'format: {FORMAT}' and 'version: {FORMAT_VERSION}', got {header}"
            )
        return cls(_build_entries(records, path), path.parent)

    def save(self, path: Path | str) -> None:
        """Write the catalogue atomically, as YAML, or as JSON if the name ends in ``.json``.

        Raises:
            CatalogError: when two entries share an id.
        """
        path = Path(path)
        self._check_unique()
        records = [
            json.dumps(entry.to_record(), ensure_ascii=False, allow_nan=False)
            for entry in self.entries
        ]
        if path.suffix == ".json":
            lines = ",\n".join(records)
            text = (
                f'{{"format": "{FORMAT}", "version": {FORMAT_VERSION}, "entries": [\n{lines}\n]}}\n'
            )
        else:
            head = f"format: {FORMAT}\nversion: {FORMAT_VERSION}\nentries:"
            text = head + ("".join(f"\n- {record}" for record in records) or " []") + "\n"
        write_atomically(path, text.encode("utf-8"))

    def _check_unique(self) -> None:
        seen: set[str] = set()
        for entry in self.entries:
            if entry.id in seen:
                raise CatalogError(f"two entries share the id {entry.id!r}; ids must be unique")
            seen.add(entry.id)

    def add(self, entry: Entry) -> None:
        """Append an entry, or put it in the place of the one with its id."""
        entry.root = self.root
        for position, existing in enumerate(self.entries):
            if existing.id == entry.id:
                self.entries[position] = entry
                return
        self.entries.append(entry)

    def merge(self, entry: Entry) -> None:
        """Add an entry made anew; if its id is known, what the catalogue pins stays.

        That is the order of the variants (new ones are appended, lost ones retired), their weights,
        and the entry's own weight and tags.
        """
        known = next((each for each in self.entries if each.id == entry.id), None)
        if known is not None:
            entry = replace(
                entry,
                variants=merge_sets(known.variants, entry.variants),
                weight=known.weight,
                tags=tuple(dict.fromkeys((*known.tags, *entry.tags))),
            )
        self.add(entry)

    def __getitem__(self, id: str) -> Entry:
        """Return the entry of an id; KeyError names close ids."""
        for entry in self.entries:
            if entry.id == id:
                return entry
        import difflib

        close = difflib.get_close_matches(id, [entry.id for entry in self.entries], n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise KeyError(f"the catalogue has no entry {id!r}{hint}")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def categories(self) -> list[str]:
        """Sorted categories that have at least one entry."""
        return sorted({entry.category for entry in self.entries})

    def by_category(self, category: str, *, kind: str | None = None) -> list[Entry]:
        """Return the entries of a category in file order; aliases and spaces are understood.

        A category that is in no table is looked up as it is spelled.
        """
        known = normalize_category(category)
        wanted = category if known == UNKNOWN else known
        return [
            entry
            for entry in self.entries
            if entry.category == wanted and (kind is None or entry.kind == kind)
        ]

    def by_kind(self, kind: str) -> list[Entry]:
        """Return the entries of a kind ("asset", "character", "light", "room") in file order."""
        return [entry for entry in self.entries if entry.kind == kind]


def _build_entries(records: list[Any], path: Path) -> list[Entry]:
    root = path.parent
    entries: list[Entry] = []
    seen: set[str] = set()
    try:
        for number, record in enumerate(records):
            if not isinstance(record, dict):
                raise CatalogError(f"{path}: entry {number} is no mapping but {record!r}")
            entry = parse_entry(record, root)
            if entry.id in seen:
                raise CatalogError(f"{path}: two entries share the id {entry.id!r}")
            seen.add(entry.id)
            entries.append(entry)
    except ValueError as error:
        if isinstance(error, CatalogError):
            raise
        raise CatalogError(f"{path}: {error}") from error
    return entries


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Ten thousand entries make a million small objects; a search for cycles only slows that."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _parse_text(text: str, path: Path) -> tuple[Record, list[Any]]:
    if path.suffix == ".json":
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            raise CatalogError(f"{path} line {error.lineno}: not JSON: {error.msg}") from error
    else:
        fast = _parse_lines(text)
        if fast is not None:
            return fast
        document = _parse_yaml(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise CatalogError(f"{path} is no catalogue: expected a mapping with a list 'entries'")
    return {k: v for k, v in document.items() if k != "entries"}, document["entries"]


def _parse_lines(text: str) -> tuple[Record, list[Any]] | None:
    """Read the layout that `Catalog.save` writes; None if the text has another one."""
    head, mark, body = text.partition("\nentries:\n")
    if not mark:
        return None
    lines = body.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not all(line.startswith("- {") and line.endswith("}") for line in lines):
        return None
    try:
        # One parse of the whole list is faster than one per line.
        records = json.loads("[" + ",".join([line[2:] for line in lines]) + "]")
        header = yaml.safe_load(head)
    except (json.JSONDecodeError, yaml.YAMLError):
        return None  # the YAML parser reads it, or says what is wrong and where
    return (header, records) if isinstance(header, dict) else None


def _parse_yaml(text: str, path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise CatalogError(
            f"{path}{where}: not YAML: {getattr(error, 'problem', error)}"
        ) from error


def schema_problems(document: Record) -> Iterable[str]:
    """Yield what the JSON Schema finds wrong with a whole catalogue document, path first."""
    import jsonschema

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path)) or 'catalogue'}: {error.message}"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name in its folder, flush it, then move it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}-", delete=False
    ) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            os.fchmod(temporary.fileno(), 0o644)
            Path(temporary.name).replace(path)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise
