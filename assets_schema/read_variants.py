"""Read the variant sets of an asset file, nested ones included, by trying every outer choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pxr import Sdf, Tf, Usd

from .variant_tree import Variant, VariantSet

Selection = dict[str, str]


def open_variant(file: Path, selection: Mapping[str, str]) -> Usd.Stage:
    """Open an asset with the selection authored in its session layer.

    Raises:
        ValueError: when the file cannot be opened as USD or has no default prim.
    """
    stage = open_stage(file)
    apply_in_session(stage, selection)
    return stage


def open_stage(file: Path) -> Usd.Stage:
    """Open a file of any USD kind that has a default prim.

    Raises:
        ValueError: when the file is missing, is no USD, or has no default prim.
    """
    stage = open_layered_stage(file)
    if not stage.GetDefaultPrim():
        raise ValueError(f"{file} has no default prim; set one, or run validate --fix")
    return stage


def open_layered_stage(file: Path) -> Usd.Stage:
    """Open a file of any USD kind, with or without a default prim.

    Raises:
        ValueError: when the file is missing or USD cannot read it, with USD's reason.
    """
    if not Path(file).is_file():
        raise ValueError(f"asset file {file} does not exist")
    try:
        stage = Usd.Stage.Open(str(file))
    except Tf.ErrorException as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be opened as USD: {reason}") from error
    return stage


def apply_in_session(stage: Usd.Stage, selection: Mapping[str, str]) -> None:
    """Author variant selections of the default prim in the session layer, which is never saved."""
    prim_path = stage.GetDefaultPrim().GetPath()
    with Usd.EditContext(stage, stage.GetSessionLayer()), Sdf.ChangeBlock():
        spec = Sdf.CreatePrimInLayer(stage.GetSessionLayer(), prim_path)
        for name in list(spec.variantSelections.keys()):
            del spec.variantSelections[name]
        for name, value in selection.items():
            spec.variantSelections[name] = value


def read_variant_sets(
    stage: Usd.Stage, set_order: Mapping[str, Sequence[str]] | None = None
) -> tuple[VariantSet, ...]:
    """Return the variant tree of the default prim.

    A set is nested in a variant when it exists only while that variant is selected. The stage's
    session layer is left without selections.

    Args:
        stage: an open asset.
        set_order: names per set in the order wanted; others follow in USD's (sorted) order.
    """
    order = {name: list(names) for name, names in (set_order or {}).items()}
    tree = _read(stage, {}, frozenset(), order)
    apply_in_session(stage, {})
    return tree


def _read(
    stage: Usd.Stage, outer: Selection, known: frozenset[str], order: dict[str, list[str]]
) -> tuple[VariantSet, ...]:
    options = _options(stage, outer, known, order)
    controllers: dict[str, set[str]] = {name: set() for name in options}
    for other in options if len(options) > 1 else ():
        for value in options[other]:
            changed = _options(stage, {**outer, other: value}, known, order)
            for name in options:
                # A set whose names follow another set's choice is nested in that set.
                if name != other and changed.get(name) != options[name]:
                    controllers[name].add(other)
    free = [name for name in options if not controllers[name]] or list(options)[:1]
    sets = []
    for name in free:
        elsewhere = {name} | {each for each in options if name not in controllers[each]}
        variants = tuple(
            Variant(value, sets=_read(stage, {**outer, name: value}, known | elsewhere, order))
            for value in options[name]
        )
        sets.append(VariantSet(name, variants))
    return _hoist_shared(tuple(sets))


def _options(
    stage: Usd.Stage, outer: Selection, known: frozenset[str], order: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return the names of every set that is not ``known`` under a selection."""
    apply_in_session(stage, outer)
    sets = stage.GetDefaultPrim().GetVariantSets()
    options = {}
    for set_name in sets.GetNames():
        if set_name not in known:
            found = sets.GetVariantSet(set_name).GetVariantNames()
            wanted = [name for name in order.get(set_name, []) if name in found]
            options[set_name] = wanted + [name for name in found if name not in wanted]
    return options


def _hoist_shared(sets: tuple[VariantSet, ...]) -> tuple[VariantSet, ...]:
    """Nested sets must hang below one set only: with siblings, keep the first that reveals them."""
    seen: set[str] = set()
    result = []
    for each in sets:
        found = {inner.name for variant in each.variants for inner in variant.sets}
        variants = tuple(
            Variant(
                variant.name,
                variant.weight,
                variant.retired,
                tuple(inner for inner in variant.sets if inner.name not in seen),
            )
            for variant in each.variants
        )
        seen |= found
        result.append(VariantSet(each.name, variants))
    return tuple(result)
