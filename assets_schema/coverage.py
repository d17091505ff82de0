"""Which variant combinations to compose: all, or all pairs and a seeded sample."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from .entry import Entry
from .variants import (
    Selection,
    choose_variants,
    complete_selection,
    count_variants,
    enumerate_variants,
)

MOST_EXHAUSTIVE = 256
SAMPLED = 64
_MOST_LISTED = 100_000  # nested trees are listed to find their pairs; flat ones never are

Pair = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Plan:
    """Combinations to compose, of how many, and the share of variant pairs among them."""

    selections: list[Selection]
    combinations: int
    pair_coverage: float


def plan_selections(entry: Entry, *, most: int = MOST_EXHAUSTIVE, seed: int = 0) -> Plan:
    """Choose the combinations: all up to ``most``, else a pairwise cover plus a random sample."""
    total = count_variants(entry)
    if total <= most:
        return Plan(list(enumerate_variants(entry)), total, 1.0)
    cover = _pairwise(entry)
    seen = {tuple(sorted(each.items())) for each in cover}
    for number in range(SAMPLED):
        selection = choose_variants(entry, seed + number)
        key = tuple(sorted(selection.items()))
        if key not in seen:
            seen.add(key)
            cover.append(selection)
    wanted = _all_pairs(entry)
    covered = set().union(*(_pairs(each) for each in cover)) & wanted
    return Plan(cover, total, len(covered) / len(wanted) if wanted else 1.0)


def _pairwise(entry: Entry) -> list[Selection]:
    """Greedy all-pairs: start from an uncovered pair, complete it by what covers most others."""
    todo = _all_pairs(entry)
    selections: list[Selection] = []
    while todo:
        (first, second) = min(todo)
        partial = dict((first, second))
        selection = _extend(entry, partial, todo)
        covered = _pairs(selection)
        # A pair that no valid combination holds (nested sets) cannot be met; forget it.
        todo -= covered | {(first, second)}
        selections.append(selection)
    return selections


def _extend(entry: Entry, partial: Selection, todo: set[Pair]) -> Selection:
    """Complete a partial selection greedily by pairs that are still to be covered."""
    partial = _with_outer(entry, partial)
    try:
        base = complete_selection(entry, partial)
    except ValueError:
        return complete_selection(entry, {})
    for name in [name for name in base if name not in partial]:
        gains = {}
        for value in entry.variant_sets[name]:
            try:
                trial = complete_selection(entry, {**partial, name: value})
            except ValueError:  # retired or nested elsewhere
                continue
            chosen = {**partial, name: value}
            gains[value] = (len(_pairs(chosen) & todo), trial)
        if gains:
            partial[name] = max(gains, key=lambda value: gains[value][0])
    return complete_selection(entry, partial)


def _with_outer(entry: Entry, partial: Selection) -> Selection:
    """Add the outer choices that make nested sets of a partial selection exist."""
    if not any(variant.sets for each in entry.variants for variant in each.variants):
        return dict(partial)
    for selection in itertools.islice(enumerate_variants(entry), _MOST_LISTED):
        if all(selection.get(name) == value for name, value in partial.items()):
            outer = {each.name for each in entry.variants}
            return {
                name: value for name, value in selection.items() if name in partial or name in outer
            }
    return dict(partial)


def _all_pairs(entry: Entry) -> set[Pair]:
    nested = any(variant.sets for each in entry.variants for variant in each.variants)
    if nested:
        listed = itertools.islice(enumerate_variants(entry), _MOST_LISTED)
        return set().union(*(_pairs(selection) for selection in listed))
    axes = [
        [(each.name, variant.name) for variant in each.variants if not variant.retired]
        for each in entry.variants
    ]
    return {
        _ordered(a, b) for one, other in itertools.combinations(axes, 2) for a in one for b in other
    }


def _pairs(selection: Selection) -> set[Pair]:
    return {_ordered(a, b) for a, b in itertools.combinations(selection.items(), 2)}


def _ordered(a: tuple[str, str], b: tuple[str, str]) -> Pair:
    return (a, b) if a <= b else (b, a)
