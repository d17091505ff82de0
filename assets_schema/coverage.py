"""Which variant combinations to compose: all, or all pairs and a seeded sample."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from .entry import Entry
from .variant_tree import VariantSet
from .variants import (
    Selection,
    choose_variants,
    complete_selection,
    count_variants,
    enumerate_variants,
)

MOST_EXHAUSTIVE = 256
SAMPLED = 64

Choice = tuple[str, str]  # set, variant
Part = tuple[Choice, ...]  # one choice, or an ordered pair of choices from two sets


@dataclass(frozen=True)
class Plan:
    """Combinations to compose, of how many, and the share of variants and pairs among them."""

    selections: list[Selection]
    combinations: int
    pair_coverage: float


def plan_selections(entry: Entry, *, most: int = MOST_EXHAUSTIVE, seed: int = 0) -> Plan:
    """Choose the combinations: all up to ``most``, else a pairwise cover plus a random sample."""
    total = count_variants(entry)
    if total <= most:
        return Plan(list(enumerate_variants(entry)), total, 1.0)
    wanted = _possible_parts(entry.variants)
    cover = _pairwise(entry, wanted)
    seen = {tuple(sorted(each.items())) for each in cover}
    for number in range(SAMPLED):
        selection = choose_variants(entry, seed + number)
        key = tuple(sorted(selection.items()))
        if key not in seen:
            seen.add(key)
            cover.append(selection)
    covered = set().union(*(_parts(each) for each in cover)) & wanted.keys()
    return Plan(cover, total, len(covered) / len(wanted))


def _pairwise(entry: Entry, wanted: dict[Part, Selection]) -> list[Selection]:
    """Greedy all-pairs: start from an uncovered part, complete it by what covers most others."""
    todo = set(wanted)
    selections: list[Selection] = []
    while todo:
        part = min(todo)
        selection = _extend(entry, wanted[part], todo)
        # A part that no combination holds (one set nested in two others) cannot be met; forget it.
        todo -= _parts(selection) | {part}
        selections.append(selection)
    return selections


def _extend(entry: Entry, partial: Selection, todo: set[Part]) -> Selection:
    """Complete a partial selection greedily by parts that are still to be covered."""
    try:
        base = complete_selection(entry, partial)
    except ValueError:
        return complete_selection(entry, {})
    partial = dict(partial)
    for name in [name for name in base if name not in partial]:
        gains = {}
        for value in entry.variant_sets[name]:
            chosen = {**partial, name: value}
            try:
                complete_selection(entry, chosen)
            except ValueError:  # retired or nested elsewhere
                continue
            gains[value] = len(_parts(chosen) & todo)
        if gains:
            partial[name] = max(gains, key=lambda value: gains[value])
    return complete_selection(entry, partial)


def _possible_parts(sets: tuple[VariantSet, ...]) -> dict[Part, Selection]:
    """Return every live variant and every pair that may stand together, with what selects it.

    The tree is walked, so the number of combinations does not matter.
    """
    possible: dict[Part, Selection] = {}
    siblings: list[dict[Part, Selection]] = []
    for each in sets:
        parts: dict[Part, Selection] = {}
        for variant in each.variants:
            if variant.retired:
                continue
            choice = (each.name, variant.name)
            parts[(choice,)] = {each.name: variant.name}
            for inner, selection in _possible_parts(variant.sets).items():
                route = {each.name: variant.name, **selection}
                parts.setdefault(inner, route)
                if len(inner) == 1:
                    parts[_ordered(choice, inner[0])] = route
        for other in siblings:
            for (a, one), (b, two) in itertools.product(_singles(other), _singles(parts)):
                if a[0] != b[0]:
                    possible.setdefault(_ordered(a, b), {**one, **two})
        siblings.append(parts)
    for parts in siblings:
        for part, selection in parts.items():
            possible.setdefault(part, selection)
    return possible


def _singles(parts: dict[Part, Selection]) -> list[tuple[Choice, Selection]]:
    return [(part[0], selection) for part, selection in parts.items() if len(part) == 1]


def _parts(selection: Selection) -> set[Part]:
    choices = list(selection.items())
    pairs = {_ordered(a, b) for a, b in itertools.combinations(choices, 2)}
    return pairs | {(choice,) for choice in choices}


def _ordered(a: Choice, b: Choice) -> Part:
    return (a, b) if a <= b else (b, a)
