"""The pinned variant sets of an asset: ordered names, weights and sets nested inside variants.

USD sorts variant names (``Ball_1, Ball_10, Ball_2``) and re-sorts them when one is added, so an
index into USD's list changes its meaning. The catalogue pins the order instead: new names are
appended, removed ones stay in place marked retired, and an index means the same for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

Record = dict[str, Any]  # one parsed JSON object


@dataclass(frozen=True, slots=True)
class Variant:
    """One alternative of a set; ``sets`` are variant sets that exist only while it is selected."""

    name: str
    weight: float = 1.0  # relative chance in random choices; 0 keeps it selectable by name only
    retired: bool = False  # gone from the file; holds its index, never chosen
    sets: tuple[VariantSet, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantSet:
    """A named axis of choice with its alternatives in pinned order."""

    name: str
    variants: tuple[Variant, ...]
    _draws: tuple[tuple[Variant, int, float], ...] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @property
    def draws(self) -> tuple[tuple[Variant, int, float], ...]:
        """Variants that random choice may take: (variant, 64-bit hash of its names, weight)."""
        if self._draws is None:
            prefix = self.name.encode() + b"\0"
            drawable = tuple(
                (variant, _hash64(prefix + variant.name.encode()), variant.weight)
                for variant in self.variants
                if not variant.retired and variant.weight > 0
            )
            object.__setattr__(self, "_draws", drawable)
            return drawable
        return self._draws

    @property
    def names(self) -> tuple[str, ...]:
        """Every pinned name, retired ones included, so that positions are stable indices."""
        return tuple(variant.name for variant in self.variants)

    def find(self, name: str) -> Variant | None:
        """Return the variant called ``name``, or None."""
        return next((variant for variant in self.variants if variant.name == name), None)


def _hash64(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def parse_sets(records: list[Record]) -> tuple[VariantSet, ...]:
    """Build variant sets from their catalogue records (a plain string is a variant of weight 1)."""
    return tuple(
        VariantSet(
            record["name"],
            tuple(
                Variant(item) if isinstance(item, str) else _parse_variant(item)
                for item in record["variants"]
            ),
        )
        for record in records
    )


def _parse_variant(record: Record) -> Variant:
    return Variant(
        record["name"],
        float(record.get("weight", 1.0)),
        bool(record.get("retired", False)),
        parse_sets(record.get("sets", [])),
    )


def sets_to_records(sets: tuple[VariantSet, ...]) -> list[Record]:
    """Inverse of `parse_sets`; defaults are left out."""
    return [
        {"name": each.name, "variants": [_variant_record(variant) for variant in each.variants]}
        for each in sets
    ]


def _variant_record(variant: Variant) -> str | Record:
    record: Record = {"name": variant.name}
    if variant.weight != 1.0:
        record["weight"] = variant.weight
    if variant.retired:
        record["retired"] = True
    if variant.sets:
        record["sets"] = sets_to_records(variant.sets)
    return variant.name if len(record) == 1 else record


def walk_sets(sets: tuple[VariantSet, ...]) -> Iterator[VariantSet]:
    """Yield every set of the tree, outer before inner; a set nested in two variants comes twice."""
    for each in sets:
        yield each
        for variant in each.variants:
            yield from walk_sets(variant.sets)


def flat_names(sets: tuple[VariantSet, ...]) -> dict[str, tuple[str, ...]]:
    """Map each set to its pinned names; for a nested set the union over the outer variants."""
    names: dict[str, dict[str, None]] = {}
    for each in walk_sets(sets):
        names.setdefault(each.name, {}).update(dict.fromkeys(each.names))
    return {name: tuple(values) for name, values in names.items()}


def merge_sets(
    pinned: tuple[VariantSet, ...], found: tuple[VariantSet, ...]
) -> tuple[VariantSet, ...]:
    """Bring a pinned tree up to date with the sets found in a file.

    Pinned order and weights stay; names that are new are appended in the order found; names that
    are gone are marked retired, and revived when they come back. Sets follow the same rule: a set
    that is gone keeps its names, all retired.
    """
    by_name = {each.name: each for each in found}
    kept = tuple(_merge_set(each, by_name.pop(each.name, None)) for each in pinned)
    return kept + tuple(by_name.values())


def _merge_set(pinned: VariantSet, found: VariantSet | None) -> VariantSet:
    new = {variant.name: variant for variant in found.variants} if found else {}
    variants = []
    for variant in pinned.variants:
        match = new.pop(variant.name, None)
        inner = merge_sets(variant.sets, match.sets if match else ())
        variants.append(replace(variant, retired=match is None, sets=inner))
    return VariantSet(pinned.name, (*variants, *new.values()))
