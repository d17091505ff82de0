"""One catalogue entry: everything that may be known about an asset without opening its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .variant_tree import Record, VariantSet, flat_names, parse_sets, sets_to_records, walk_sets

KINDS = ("asset", "character", "light", "room")
Corner = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class MotionInfo:
    """One motion of a character; times are time codes, the radius is in metres.

    ``swept_radius`` bounds the distance of any drawn point from the asset's own vertical axis (its
    origin) over the whole motion; ``root_motion`` says that the character travels.
    """

    start: float
    end: float
    fps: float = 24.0
    loop: bool = False
    root_motion: bool = False
    swept_radius: float = 0.0


@dataclass(frozen=True, slots=True)
class CharacterInfo:
    """What a composer must know of a character; ``motions`` maps names of the motion set."""

    motions: dict[str, MotionInfo]
    skeleton_family: str = "mixamo"
    axes: tuple[str, ...] = ("body", "clothing", "hair", "motion")
    fps: float = 24.0


@dataclass(frozen=True, slots=True)
class LightInfo:
    """Advice for a composer that varies lights: ranges of kelvin and of intensity as a factor."""

    color_temperature: tuple[float, float] = (2700.0, 6500.0)
    intensity: tuple[float, float] = (1.0, 1.0)


@dataclass(slots=True)
class Entry:
    """An asset as the catalogue knows it.

    Attributes:
        id: unique name.
        path: asset file relative to the catalogue's folder, with forward slashes.
        category: see `assets_schema.categories`.
        kind: "asset", "character", "light" or "room".
        front_axis, fit_mode, support, allowed_scale: see `AssetPackage`.
        content_hash: SHA-256 over every file that the asset needs, see `describe.content_hash`.
        variants: pinned variant sets of the default prim, nested.
        extent_sets: names of the sets that the box depends on.
        extents: cache, selection key of `extents_key` -> (smallest, largest corner) in metres.
        root: folder of the catalogue; ``file`` joins it with ``path``.
    """

    id: str
    path: str
    category: str
    kind: str = "asset"
    front_axis: str = "-y"
    fit_mode: str = "stretch"
    support: str = "floor"
    allowed_scale: tuple[float, float] = (0.5, 2.0)
    license: str = ""
    source: str = ""
    version: str = "1"
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    content_hash: str = ""
    variants: tuple[VariantSet, ...] = ()
    extent_sets: tuple[str, ...] = ()
    extents_cache: dict[str, tuple[Corner, Corner]] = field(default_factory=dict)
    character: CharacterInfo | None = None
    light: LightInfo | None = None
    root: Path = field(default_factory=Path)

    @property
    def file(self) -> Path:
        """Absolute or catalogue-relative path of the asset file, ready to open."""
        return self.root / self.path

    @property
    def variant_sets(self) -> dict[str, tuple[str, ...]]:
        """Pinned names per set; of a nested set the union over its outer variants."""
        return flat_names(self.variants)

    def extents_key(self, selection: Mapping[str, str]) -> str:
        """Return the cache key of a selection: the sets that matter for the box, in order."""
        pairs = [f"{name}={selection[name]}" for name in self.extent_sets if name in selection]
        return ",".join(pairs)

    def extents(self, selection: Mapping[str, str] | None = None) -> tuple[Corner, Corner]:
        """Return the box (smallest, largest corner) in metres, z up, of a variant selection.

        Missing sets take their first variant. A box that is not cached is measured in the file and
        kept; `Catalog.save` then stores it.

        Raises:
            VariantError: for a set or a name that the entry does not have.
            ValueError: when the file cannot be opened or holds no drawable prim.
        """
        from .variants import complete_selection

        full = complete_selection(self, selection or {})
        key = self.extents_key(full)
        if key not in self.extents_cache:
            from .extents import (
                measure_extents,
            )  # imports pxr, which a mere catalogue does not need

            self.extents_cache[key] = measure_extents(self.file, full)
        return self.extents_cache[key]

    def to_record(self) -> Record:
        """Return the JSON object that `catalog.schema.json` describes; defaults are left out."""
        record: Record = {"id": self.id, "path": self.path, "category": self.category}
        record["kind"] = self.kind
        default = _DEFAULT
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value != getattr(default, name):
                record[name] = list(value) if isinstance(value, tuple) else value
        if self.variants:
            record["variants"] = sets_to_records(self.variants)
        if self.extents_cache:
            record["extents"] = {
                key: [list(low), list(high)] for key, (low, high) in self.extents_cache.items()
            }
        if self.character is not None:
            record["character"] = _character_record(self.character)
        if self.light is not None:
            record["light"] = {
                "color_temperature": list(self.light.color_temperature),
                "intensity": list(self.light.intensity),
            }
        return record


_OPTIONAL = (
    "front_axis",
    "fit_mode",
    "support",
    "allowed_scale",
    "license",
    "source",
    "version",
    "tags",
    "weight",
    "content_hash",
    "extent_sets",
)
_DEFAULT = Entry("", "", "")
_KNOWN = {"id", "path", "category", "kind", "variants", "extents", "character", "light", *_OPTIONAL}


def parse_entry(record: Record, root: Path) -> Entry:
    """Build an entry from its JSON object.

    Raises:
        ValueError: for a missing or unknown key or a value of the wrong type, naming the entry.
    """
    try:
        unknown = record.keys() - _KNOWN
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        entry = Entry(record["id"], record["path"], record["category"], root=root)
        if not (type(entry.id) is type(entry.path) is type(entry.category) is str):
            raise ValueError("id, path and category must be texts")
        entry.kind = record.get("kind", "asset")
        if entry.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {entry.kind!r}")
        for name in _OPTIONAL:
            if name in record:
                value = record[name]
                setattr(entry, name, tuple(value) if isinstance(value, list) else value)
        if "variants" in record:
            entry.variants = parse_sets(record["variants"])
        if "extents" in record:
            entry.extents_cache = {
                key: (tuple(low), tuple(high)) for key, (low, high) in record["extents"].items()
            }
        if "character" in record:
            entry.character = _parse_character(record["character"])
        if "light" in record:
            entry.light = LightInfo(
                tuple(record["light"]["color_temperature"]), tuple(record["light"]["intensity"])
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = record.get("id", "?") if isinstance(record, dict) else "?"
        reason = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"catalogue entry {name!r}: {reason}") from error
    return entry


def all_set_names(entry: Entry) -> tuple[str, ...]:
    """Return the names of every set of the entry, nested ones included, outer first."""
    return tuple(dict.fromkeys(each.name for each in walk_sets(entry.variants)))


def _character_record(info: CharacterInfo) -> Record:
    motions = {
        name: {slot: getattr(motion, slot) for slot in MotionInfo.__slots__}
        for name, motion in info.motions.items()
    }
    return {
        "skeleton_family": info.skeleton_family,
        "axes": list(info.axes),
        "fps": info.fps,
        "motions": motions,
    }


def _parse_character(record: Record) -> CharacterInfo:
    return CharacterInfo(
        {name: MotionInfo(**motion) for name, motion in record["motions"].items()},
        record.get("skeleton_family", "mixamo"),
        tuple(record.get("axes", ("body", "clothing", "hair", "motion"))),
        record.get("fps", 24.0),
    )
