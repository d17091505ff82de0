"""S4D2xx: the catalogue's pinned variants against the file's."""

from __future__ import annotations

from assets_schema.describe import content_hash
from assets_schema.read_variants import read_variant_sets
from assets_schema.variant_tree import VariantSet

from .asset import AssetUnderTest


def check_pins(asset: AssetUnderTest) -> None:
    """Every pinned name resolves, every name of the file is pinned, nesting and hash agree."""
    found = read_variant_sets(asset.stage)
    _compare(asset, asset.entry.variants, found, "")
    if asset.entry.content_hash:
        actual = content_hash(asset.file)
        if actual != asset.entry.content_hash:
            asset.report(
                "S4D207",
                f"the catalogue says {asset.entry.content_hash[:12]}, the files give {actual[:12]}",
                always=True,
            )


def check_weights(asset: AssetUnderTest) -> None:
    """A set in which nothing has a positive weight cannot be drawn from."""
    _check_weights(asset, asset.entry.variants)


def _check_weights(asset: AssetUnderTest, sets: tuple[VariantSet, ...]) -> None:
    for each in sets:
        live = [variant for variant in each.variants if not variant.retired]
        if live and not any(variant.weight > 0 for variant in live):
            asset.report("S4D203", f"every variant of set {each.name!r} has weight 0", always=True)
        for variant in live:
            _check_weights(asset, variant.sets)


def _compare(
    asset: AssetUnderTest,
    pinned: tuple[VariantSet, ...],
    found: tuple[VariantSet, ...],
    outer: str,
) -> None:
    by_name = {each.name: each for each in found}
    where = f" below {outer}" if outer else ""
    for each in pinned:
        live = [variant for variant in each.variants if not variant.retired]
        match = by_name.pop(each.name, None)
        if match is None:
            if live:
                code = "S4D206" if outer or _is_nested_in(found, each.name) else "S4D201"
                asset.report(code, f"set {each.name!r} does not exist{where}", always=True)
            continue
        actual = {variant.name: variant for variant in match.variants}
        for variant in live:
            inner = actual.pop(variant.name, None)
            if inner is None:
                message = f"set {each.name!r}{where} has no variant {variant.name!r}"
                asset.report("S4D202", message, always=True)
            else:
                _compare(asset, variant.sets, inner.sets, f"{each.name}={variant.name}")
        for name in actual:
            message = f"variant {name!r} of set {each.name!r}{where} is not pinned"
            asset.report("S4D205", message, always=True)
    for name in by_name:
        code = "S4D206" if outer else "S4D205"
        asset.report(code, f"set {name!r}{where} is not pinned", always=True)


def _is_nested_in(sets: tuple[VariantSet, ...], name: str) -> bool:
    return any(
        inner.name == name or _is_nested_in((inner,), name)
        for each in sets
        for variant in each.variants
        for inner in variant.sets
    )


def check_drawable(asset: AssetUnderTest) -> None:
    """Every combination composes to at least one drawable prim."""
    if not asset.surfaces:
        asset.report("S4D204", "no mesh is drawn under this selection")
