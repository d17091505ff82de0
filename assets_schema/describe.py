"""Turn an asset file into its catalogue entry: schema values, variant tree, boxes, content hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pxr import Ar, Sdf, Tf, Usd, UsdUtils

from .entry import CharacterInfo, Entry, LightInfo
from .extents import stage_extents
from .quiet import quiet_usd
from .read_variants import apply_in_session, open_stage, read_variant_sets
from .schema import read_attributes, read_motion
from .variant_tree import VariantSet, flat_names, walk_sets
from .variants import count_variants, enumerate_variants

MOST_MEASURED = 256  # combinations whose boxes are measured up front; above, on demand


def describe_asset(
    file: Path,
    *,
    library_root: Path,
    id: str | None = None,
    category: str | None = None,
    kind: str | None = None,
    tags: Sequence[str] = (),
    weight: float = 1.0,
    set_order: Mapping[str, Sequence[str]] | None = None,
    variants: tuple[VariantSet, ...] | None = None,
    geometry_sets: Sequence[str] | None = None,
) -> Entry:
    """Read an asset file and return its entry.

    Args:
        file: asset file, any kind of USD.
        library_root: folder of the catalogue.
        id, category, kind: override what the file says (a foreign file says nothing).
        set_order: names per set in the order to pin.
        variants: the variant tree, when the caller knows it; else it is read from the file.
        geometry_sets: sets that the box depends on, when known; else they are found by measuring,
            or all sets count when there are too many combinations.

    Raises:
        ValueError: when the file cannot be opened, has no default prim or draws nothing.
    """
    stage = open_stage(file)
    prim = stage.GetDefaultPrim()
    values = read_attributes(prim, "asset")
    scale = values.get("allowedScale", (0.5, 2.0))
    entry = Entry(
        id=id or prim.GetName(),
        path=Path(os.path.relpath(file, library_root)).as_posix(),
        category=category or str(values.get("category", "")) or "unknown",
        kind=kind or "asset",
        front_axis=str(values.get("frontAxis", "-y")),
        fit_mode=str(values.get("fitMode", "stretch")),
        support=str(values.get("supportSurface", "floor")),
        allowed_scale=(round(float(scale[0]), 6), round(float(scale[1]), 6)),
        license=str(values.get("license", "")),
        source=str(values.get("source", "")),
        version=str(values.get("version", "1")),
        tags=tuple(tags),
        weight=weight,
        content_hash=content_hash(file),
        variants=variants if variants is not None else read_variant_sets(stage, set_order),
        root=Path(library_root),
    )
    entry.character = _read_character(stage, entry)
    entry.light = _read_light(prim)
    if kind is None and entry.character is not None:
        entry.kind = "character"
    _measure(stage, entry, geometry_sets)
    return entry


def _measure(stage: Usd.Stage, entry: Entry, geometry_sets: Sequence[str] | None) -> None:
    names = tuple(dict.fromkeys(each.name for each in walk_sets(entry.variants)))
    entry.extent_sets = names if geometry_sets is None else tuple(geometry_sets)
    if geometry_sets is None and count_variants(entry) > MOST_MEASURED:
        return
    selections = {entry.extents_key(each): each for each in enumerate_variants(entry)}
    if len(selections) > MOST_MEASURED:
        return
    for key, selection in selections.items():
        apply_in_session(stage, selection)
        entry.extents_cache[key] = stage_extents(stage)
    apply_in_session(stage, {})
    if geometry_sets is None:
        _drop_idle_sets(entry, list(selections.values()))


def _drop_idle_sets(entry: Entry, selections: list[dict[str, str]]) -> None:
    """Forget the sets that no box depends on (looks), so the cache stays small."""
    boxes = [entry.extents_cache[entry.extents_key(selection)] for selection in selections]
    for name in reversed(entry.extent_sets):  # inner sets go first: outer ones decide the shape
        kept = entry.extent_sets
        entry.extent_sets = tuple(each for each in kept if each != name)
        merged: dict[str, object] = {}
        keys = [entry.extents_key(selection) for selection in selections]
        if any(merged.setdefault(key, box) != box for key, box in zip(keys, boxes, strict=True)):
            entry.extent_sets = kept
    entry.extents_cache = {
        entry.extents_key(selection): box for selection, box in zip(selections, boxes, strict=True)
    }


def _read_character(stage: Usd.Stage, entry: Entry) -> CharacterInfo | None:
    """Collect what each variant of the set ``motion`` declares."""
    motions = {}
    for name in flat_names(entry.variants).get("motion", ()):
        apply_in_session(stage, {"motion": name})
        info = read_motion(stage.GetDefaultPrim())
        if info is not None:
            motions[name] = info
    if not motions:
        apply_in_session(stage, {})
        return None
    values = read_attributes(stage.GetDefaultPrim(), "character")
    apply_in_session(stage, {})
    return CharacterInfo(
        motions,
        str(values.get("skeletonFamily", "")),
        tuple(str(axis) for axis in values.get("axes", ())),
        next(iter(motions.values())).fps,
    )


def _read_light(prim: Usd.Prim) -> LightInfo | None:
    values = read_attributes(prim, "light")
    if not values:
        return None
    ranges = [
        tuple(round(float(value), 6) for value in values.get(name, default))
        for name, default in (
            ("colorTemperatureRange", (2700.0, 6500.0)),
            ("intensityRange", (1.0, 1.0)),
        )
    ]
    return LightInfo((ranges[0][0], ranges[0][1]), (ranges[1][0], ranges[1][1]))


def content_hash(file: Path) -> str:
    """Return the SHA-256 of an asset: every layer and texture that any variant can reach.

    Each file counts with its path relative to the asset file, so a moved library keeps its hashes.
    References that do not resolve count with their text.

    Raises:
        ValueError: when the file is no USD.
    """
    digest = hashlib.sha256()
    paths, unresolved = dependencies(file)
    for path in paths:
        digest.update(Path(os.path.relpath(path, file.parent)).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in unresolved:
        digest.update(b"unresolved\0" + text.encode() + b"\0")
    return digest.hexdigest()


def dependencies(file: Path) -> tuple[list[Path], list[str]]:
    """Return the files that an asset needs, itself included and sorted, and unresolved paths.

    Raises:
        ValueError: when the file is no USD.
    """
    try:
        with quiet_usd():
            layers, assets, unresolved = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(str(file)))
    except Tf.ErrorException as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be opened as USD: {reason}") from error
    named = [layer.realPath for layer in layers if layer.realPath] + list(assets)
    # What lies inside a usdz counts with the package.
    paths = {Path(Ar.SplitPackageRelativePathOuter(name)[0]) for name in named}
    return sorted(path for path in paths if path.is_file()), sorted(unresolved)
