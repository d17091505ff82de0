"""Make a catalogue from the assets below a folder, bring one up to date, and compare two."""

from __future__ import annotations

import logging
import os
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .catalog import Catalog, CatalogError
from .describe import content_hash, describe_asset
from .entry import Entry
from .package import INTERFACE_NAME
from .variant_tree import VariantSet, merge_sets

log = logging.getLogger(__name__)

_USD = (".usd", ".usda", ".usdc")


def find_assets(folder: Path) -> Iterator[Path]:
    """Yield the asset files below a folder in sorted order.

    An asset is ``asset.usda``, a file named like its folder (``Teapot/Teapot.usd``) or a ``.usdz``.
    Below an asset's folder no other asset is looked for.
    """
    for current, folders, files in os.walk(folder, followlinks=False):
        folders.sort()
        here = Path(current)
        named = [INTERFACE_NAME, *(f"{here.name}{suffix}" for suffix in _USD)]
        found = next((name for name in named if name in files), None)
        if found:
            folders.clear()
            yield here / found
        else:
            yield from (here / name for name in sorted(files) if name.endswith(".usdz"))


def build_catalog(folder: Path) -> Catalog:
    """Catalogue every asset below a folder; one that cannot be read is left out with a warning.

    Raises:
        CatalogError: when two assets give the same id.
    """
    return update_catalog(Catalog([], folder))


def update_catalog(catalog: Catalog) -> Catalog:
    """Return the catalogue brought up to date with the files below its folder.

    Pinned names keep their places, new ones are appended, missing ones retired; tags, weights and
    whatever the file does not state stay as they are. New assets are appended. An asset whose
    folder was moved or renamed is known by its id. An entry whose file is gone or cannot be read
    stays, with a warning: the validator reports it.

    Raises:
        CatalogError: when two assets give the same id, as a copied folder does.
    """
    known = {entry.file.resolve() for entry in catalog}
    new = _describe_new(catalog.root, known)
    updated = Catalog([], catalog.root)
    for entry in catalog:
        found = new.pop(entry.id, None)
        if found is not None:
            if entry.file.is_file():
                raise _same_id(found, entry)
            entry = replace(entry, path=found.path)
        updated.entries.append(refresh(entry))
    updated.entries += new.values()
    return updated


def _describe_new(folder: Path, known: Container[Path]) -> dict[str, Entry]:
    """Describe the assets below a folder whose files are not known, by id."""
    entries: dict[str, Entry] = {}
    for file in find_assets(folder):
        if file.resolve() in known:
            continue
        try:
            entry = describe_asset(file, library_root=folder)
        except ValueError as error:
            log.warning("left out of the catalogue: %s", error)
            continue
        if entry.id in entries:
            raise _same_id(entry, entries[entry.id])
        entries[entry.id] = entry
    return entries


def _same_id(one: Entry, other: Entry) -> CatalogError:
    return CatalogError(
        f"{one.file} and {other.file} both have the id {one.id!r}; "
        f"remove one, or rename its default prim"
    )


def refresh(entry: Entry) -> Entry:
    """Return the entry brought up to date with its file; kept, with a warning, if that fails."""
    if not entry.file.is_file():
        log.warning("%s: %s does not exist any more; the entry is kept", entry.id, entry.file)
        return entry
    try:
        if content_hash(entry.file) == entry.content_hash:
            return entry
        fresh = describe_asset(
            entry.file,
            library_root=entry.root,
            id=entry.id,
            kind=entry.kind,
            tags=entry.tags,
            weight=entry.weight,
            set_order=entry.variant_sets,
        )
    except ValueError as error:
        log.warning("%s: %s; the entry is kept", entry.id, error)
        return entry
    stated = {
        name: getattr(entry, name)
        for name in ("category", "license", "source")
        if getattr(fresh, name) in ("", "unknown")
    }
    return replace(fresh, variants=merge_sets(entry.variants, fresh.variants), **stated)


@dataclass(frozen=True)
class Change:
    """One difference between two catalogues; ``breaking`` ones change what an index means."""

    entry: str
    what: str
    breaking: bool = False

    def __str__(self) -> str:
        """Return the line that ``update`` and ``diff`` print."""
        return f"{self.entry}: {self.what}{' (breaking)' if self.breaking else ''}"


def diff_catalogs(old: Catalog, new: Catalog) -> list[Change]:
    """List what differs, entry by entry, in the old catalogue's order."""
    olds, news = ({entry.id: entry for entry in catalog} for catalog in (old, new))
    changes = [Change(id, "entry removed", True) for id in olds if id not in news]
    changes += [Change(id, "entry added") for id in news if id not in olds]
    for id, entry in olds.items():
        if id in news:
            changes += _diff_entries(entry, news[id])
    return changes


def _diff_entries(old: Entry, new: Entry) -> Iterator[Change]:
    for name in ("path", "category", "kind", "front_axis", "fit_mode", "support", "license"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(old.id, f"{name}: {before!r} became {after!r}")
    if old.content_hash != new.content_hash:
        yield Change(old.id, f"content: {old.content_hash[:12]} became {new.content_hash[:12]}")
    yield from _diff_sets(old.id, old.variants, new.variants)
    for key in old.extents_cache.keys() & new.extents_cache.keys():
        if old.extents_cache[key] != new.extents_cache[key]:
            yield Change(old.id, f"box {key or 'of the asset'} changed")


def _diff_sets(
    id: str, old: tuple[VariantSet, ...], new: tuple[VariantSet, ...]
) -> Iterator[Change]:
    news = {each.name: each for each in new}
    for each in old:
        match = news.pop(each.name, None)
        if match is None:
            yield Change(id, f"set {each.name} removed", True)
            continue
        if match.names[: len(each.names)] != each.names:
            yield Change(id, f"set {each.name}: pinned order changed to {list(match.names)}", True)
            continue
        for name in match.names[len(each.names) :]:
            yield Change(id, f"set {each.name}: {name} appended")
        for before, after in zip(each.variants, match.variants, strict=False):
            if before.retired != after.retired:
                state = "retired" if after.retired else "revived"
                yield Change(id, f"set {each.name}: {before.name} {state}", after.retired)
            if before.weight != after.weight:
                yield Change(id, f"set {each.name}: weight of {before.name} is {after.weight:g}")
            yield from _diff_sets(id, before.sets, after.sets)
    for name in news:
        yield Change(id, f"set {name} added")
