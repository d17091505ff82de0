"""The amounts of a preset as a user types them: "yaw=20,distance=0.2p,ease=in_out"."""

from __future__ import annotations

from scaling4d.geometry.moves import require_pivot
from scaling4d.geometry.presets import PRESETS


def parse_amounts(name: str, text: str, pivot_depth: float | None) -> tuple[str, dict[str, float]]:
    """Return the easing and the amounts in "yaw=20,pitch=5,ease=in_out", typed for a preset.

    Raises:
        ValueError: naming the part that is not an amount, that stands twice, or that needs the
            pivot depth, which is > 0.
    """
    given: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(
                f"{part!r} in {name}:{text} is not an amount: write name=number, for example yaw=20"
            )
        if key in given:
            raise ValueError(f"{name}:{text} gives {key} twice: leave one out")
        given[key] = value
    ease = given.pop("ease", "linear")
    return ease, {key: _parse_amount(name, key, value, pivot_depth) for key, value in given.items()}


def _parse_amount(name: str, key: str, value: str, pivot_depth: float | None) -> float:
    label, number = f"{name}:{key}", value.removesuffix("p")
    try:
        # A float would round large seeds.
        amount = int(number) if number.lstrip("+-").isdigit() else float(number)
    except ValueError:
        raise ValueError(
            f"{label} must be a number (degrees, metres, or pivot depths as in 0.2p), got {value!r}"
        ) from None
    if number == value:
        return amount
    known = PRESETS[name].amounts.get(key)
    if known is None:
        return amount  # refused with what the preset takes, see `preset_moves`
    if known.unit != "m":
        raise ValueError(
            f"{label}={value}: p measures metres in pivot depths, and {key} is in {known.unit!r}: "
            f"leave the p out"
        )
    if pivot_depth is None:
        raise ValueError(f"{label}={value} is measured in pivot depths: give the pivot depth")
    return float(number) * require_pivot(f"{label}={value}", pivot_depth)
