"""Choose variants by seed, by name or by pinned index, and enumerate what an entry can be.

Random choices are keyed by (seed, entry id, set): every variant draws an exponential clock from a
hash and the earliest, divided by its weight, wins. Appending a variant therefore changes only those
choices that the new variant wins, and adding a set changes no other set's choice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from .variant_tree import Variant, VariantSet

if TYPE_CHECKING:
    from pxr import Usd

    from .entry import Entry

Selection = dict[str, str]

_MASK = (1 << 64) - 1


class VariantError(ValueError):
    """A set or a name that does not exist; ``code`` is the validator's code for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def choose_variants(entry: Entry, seed: int | np.random.Generator) -> Selection:
    """Choose one variant of every set at random, respecting weights and nesting.

    Args:
        entry: catalogue entry.
        seed: integer in [0, 2**64), or a generator, of which exactly one number is drawn.

    Returns:
        Set name -> variant name, outer sets first; the provenance record of the sample.

    Raises:
        VariantError: S4D203 when a set has no variant with a positive weight.
        ValueError: for a seed outside the range.
    """
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(1 << 63))
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"a seed must lie in [0, 2**64), got {seed}")
    digest = hashlib.blake2b(seed.to_bytes(8, "little") + entry.id.encode(), digest_size=8)
    key = int.from_bytes(digest.digest(), "little")
    selection: Selection = {}
    _choose(entry, entry.variants, key, selection)
    return selection


def _choose(entry: Entry, sets: tuple[VariantSet, ...], key: int, selection: Selection) -> None:
    for each in sets:
        if each.name in selection:
            continue
        winner = _earliest(each, key)
        if winner is None:
            if all(variant.retired for variant in each.variants):
                continue
            raise VariantError(
                "S4D203", f"set {each.name!r} of {entry.id!r} has no variant with a positive weight"
            )
        selection[each.name] = winner.name
        if winner.sets:
            _choose(entry, winner.sets, key, selection)


def _earliest(variant_set: VariantSet, key: int) -> Variant | None:
    best, winner = math.inf, None
    for variant, name_hash, weight in variant_set.draws:
        # The finaliser of MurmurHash3 mixes the two hashes into 64 even bits.
        mixed = key ^ name_hash
        mixed = ((mixed ^ (mixed >> 33)) * 0xFF51AFD7ED558CCD) & _MASK
        mixed = ((mixed ^ (mixed >> 33)) * 0xC4CEB9FE1A85EC53) & _MASK
        arrival = -math.log(((mixed ^ (mixed >> 33)) + 0.5) * 2.0**-64) / weight
        if arrival < best:
            best, winner = arrival, variant
    return winner


def variants_by_index(entry: Entry, indices: Mapping[str, int]) -> Selection:
    """Select by pinned index per set; missing sets take their first live variant.

    Raises:
        VariantError: S4D201 for an unknown set, S4D202 for an index outside the list or of a
            retired variant.
    """
    return _complete(entry, entry.variants, dict(indices), {}, by_index=True)


def complete_selection(entry: Entry, selection: Mapping[str, str]) -> Selection:
    """Check names and fill missing sets with their first live variant.

    USD itself stays silent on a missing set or name and composes nothing; here each is an error.

    Raises:
        VariantError: S4D201 for a set that does not exist under the outer choices, S4D202 for a
            name that is not in its set or is retired.
    """
    return _complete(entry, entry.variants, {}, dict(selection), by_index=False)


def _complete(
    entry: Entry,
    sets: tuple[VariantSet, ...],
    indices: dict[str, int],
    names: Selection,
    *,
    by_index: bool,
) -> Selection:
    asked: dict[str, int] | Selection = indices if by_index else names
    full: Selection = {}
    stack = list(reversed(sets))
    while stack:
        each = stack.pop()
        if each.name in full or all(variant.retired for variant in each.variants):
            continue
        if by_index and each.name in indices:
            variant = _at_index(entry, each, indices[each.name])
        elif not by_index and each.name in names:
            variant = _by_name(entry, each, names[each.name])
        else:
            variant = next(variant for variant in each.variants if not variant.retired)
        full[each.name] = variant.name
        stack.extend(reversed(variant.sets))
    unknown = [name for name in asked if name not in full]
    if unknown:
        raise VariantError(
            "S4D201",
            f"{entry.id!r} has no variant set {unknown[0]!r} under {full}; it has {sorted(full)}",
        )
    return full


def _at_index(entry: Entry, variant_set: VariantSet, index: int) -> Variant:
    count = len(variant_set.variants)
    if not 0 <= index < count or variant_set.variants[index].retired:
        raise VariantError(
            "S4D202",
            f"index {index} of set {variant_set.name!r} of {entry.id!r} is "
            f"{'retired' if 0 <= index < count else f'outside 0..{count - 1}'}",
        )
    return variant_set.variants[index]


def _by_name(entry: Entry, variant_set: VariantSet, name: str) -> Variant:
    variant = variant_set.find(name)
    if variant is None or variant.retired:
        live = [each.name for each in variant_set.variants if not each.retired]
        raise VariantError(
            "S4D202",
            f"set {variant_set.name!r} of {entry.id!r} has no variant {name!r}; it has {live}",
        )
    return variant


def count_variants(entry: Entry) -> int:
    """Count the valid combinations of live variants, nested sets included, without listing them."""
    return _count(entry.variants)


def _count(sets: tuple[VariantSet, ...]) -> int:
    total = 1
    for each in sets:
        live = [variant for variant in each.variants if not variant.retired]
        if live:
            total *= sum(_count(variant.sets) for variant in live)
    return total


def enumerate_variants(entry: Entry) -> Iterator[Selection]:
    """Yield every valid combination of live variants; the last set runs fastest."""
    return _enumerate(entry.variants)


def _enumerate(sets: tuple[VariantSet, ...]) -> Iterator[Selection]:
    if not sets:
        yield {}
        return
    first, rest = sets[0], sets[1:]
    live = [variant for variant in first.variants if not variant.retired]
    if not live:
        yield from _enumerate(rest)
    for variant in live:
        for inner in _enumerate(variant.sets):
            for outer in _enumerate(rest):
                yield {first.name: variant.name, **inner, **outer}


def apply_selection(prim: Usd.Prim, selection: Mapping[str, str]) -> None:
    """Author a selection on a prim of an open stage, outer sets first.

    Each set is looked up after the ones before it were set, so nested sets resolve.

    Raises:
        VariantError: S4D201 or S4D202 for what USD would ignore in silence.
    """
    for set_name, variant_name in selection.items():
        sets = prim.GetVariantSets()
        if not sets.HasVariantSet(set_name):
            raise VariantError(
                "S4D201",
                f"{prim.GetPath()} has no variant set {set_name!r}; it has {sets.GetNames()}",
            )
        variant_set = sets.GetVariantSet(set_name)
        if variant_name not in variant_set.GetVariantNames():
            raise VariantError(
                "S4D202",
                f"set {set_name!r} of {prim.GetPath()} has no variant {variant_name!r}; "
                f"it has {variant_set.GetVariantNames()}",
            )
        variant_set.SetVariantSelection(variant_name)
