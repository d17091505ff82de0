"""The stable codes of the validator; a code never changes its meaning and is never used again.

Families: 1 stage, 2 variants, 3 geometry, 4 look, 5 skeleton, 6 legal, 7 packaging, 8 USD's own
validators (optional).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong in a few words, how bad it is, and what to do about it."""

    code: str
    title: str
    help: str
    severity: str = "error"  # or "warning"
    fixable: bool = False


_RULES = (
    Rule(
        "S4D101", "file cannot be opened as USD", "Export it again; the file is missing or broken."
    ),
    Rule("S4D102", "no default prim", "Set defaultPrim in the root layer.", fixable=True),
    Rule(
        "S4D103",
        "not in metres",
        "Author metersPerUnit = 1; --fix scales the asset by an authored transform.",
        fixable=True,
    ),
    Rule(
        "S4D104",
        "up axis is not z",
        "Author upAxis = Z; --fix turns the asset by an authored transform.",
        fixable=True,
    ),
    Rule(
        "S4D105",
        "animated without time range",
        "Author startTimeCode, endTimeCode and timeCodesPerSecond.",
        fixable=True,
    ),
    Rule(
        "S4D106",
        "composition error",
        "Repair the reference, payload or sublayer that is named; cycles are never allowed.",
    ),
    Rule("S4D107", "kind is not component", "Set kind = component on the default prim."),
    Rule("S4D108", "no asset schema", "Apply S4DAssetAPI to the default prim (ingest does)."),
    Rule("S4D109", "schema value outside its list", "Use a token that the S4D schema allows."),
    Rule("S4D110", "unknown category", "Use a category of assets_schema.categories."),
    Rule("S4D190", "time limit exceeded", "The asset hangs USD or is far too heavy; simplify it."),
    Rule("S4D191", "validation did not finish", "The asset breaks USD; export it again."),
    Rule("S4D201", "pinned variant set is gone", "Restore the set, or run update to retire it."),
    Rule("S4D202", "pinned variant is gone", "Restore the variant, or run update to retire it."),
    Rule("S4D203", "no variant can be drawn", "Give one variant of the set a positive weight."),
    Rule("S4D204", "combination draws nothing", "Check the variant's payload and visibility."),
    Rule("S4D205", "variant is not in the catalogue", "Run update; new variants are appended."),
    Rule("S4D206", "nested variant sets differ", "Run update; the nesting in the file changed."),
    Rule("S4D207", "content hash differs", "Run update after checking what changed."),
    Rule("S4D208", "catalogue breaks its schema", "See catalog.schema.json; build rewrites it."),
    Rule("S4D301", "extent not authored", "Author extent on each mesh.", fixable=True),
    Rule("S4D302", "extent is not true", "Recompute extent and extentsHint.", fixable=True),
    Rule("S4D303", "point is not finite", "Remove NaN and infinite points."),
    Rule("S4D304", "faces do not fit the points", "Counts must add up and indices stay in range."),
    Rule("S4D305", "box is empty or huge", "Sides must lie in 1 mm to 100 m; check the units."),
    Rule("S4D306", "origin is not the bottom centre", "Move the asset so its box stands on z = 0."),
    Rule("S4D307", "catalogue box differs", "Run update; camera clearance relies on these boxes."),
    Rule("S4D308", "implicit surface", "Convert gprims to meshes; renderers disagree on them."),
    Rule("S4D309", "points outside the declared box", "extentsHint must hold every drawn point."),
    Rule("S4D401", "no material bound", "Bind a material to the mesh or to all of its faces."),
    Rule("S4D402", "no preview surface", "Give the material a UsdPreviewSurface output."),
    Rule("S4D403", "texture missing", "Add the file, or correct the path."),
    Rule("S4D404", "wrong colour space", "sRGB for colours, raw for everything else."),
    Rule("S4D405", "texture unreadable", "Save the image again as PNG or JPEG."),
    Rule("S4D406", "binding leads nowhere", "The bound material does not exist in this variant."),
    Rule("S4D407", "texture without coordinates", "Add the primvar that the texture reads (st)."),
    Rule("S4D501", "bind transforms missing", "Author one bind and rest transform per joint."),
    Rule("S4D502", "joint order does not match", "Animation joints must exist in the skeleton."),
    Rule("S4D503", "weights do not sum to one", "Normalise the joint weights of each point."),
    Rule("S4D504", "joint index out of range", "Indices must point at joints of the skeleton."),
    Rule("S4D505", "animation does not cover its range", "Samples must span motionRange."),
    Rule("S4D506", "swept radius exceeded", "Declare the radius that the motion really needs."),
    Rule("S4D507", "motion not declared", "Author S4DCharacterAPI inside each motion variant."),
    Rule("S4D601", "no licence", "State the licence (s4d:asset:license)."),
    Rule("S4D602", "licence not allowed", "Use a licence of the allow list, or extend the list."),
    Rule("S4D603", "no source", "State where the work comes from (s4d:asset:source)."),
    Rule("S4D701", "absolute path", "Use paths relative to the layer."),
    Rule("S4D702", "path leaves the package", "Copy the file into the package folder."),
    Rule("S4D703", "usdz not aligned", "Data must be uncompressed and aligned to 64 bytes."),
    Rule("S4D704", "path leads nowhere", "Add the file, or remove the reference.", "warning"),
    Rule("S4D801", "USD validator", "See the message; from UsdValidation.", "warning"),
)

CODES: dict[str, Rule] = {rule.code: rule for rule in _RULES}

ALLOWED_LICENSES = frozenset(
    {
        "Apache-2.0",
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "Unlicense",
        "LicenseRef-Public-Domain",
    }
)
