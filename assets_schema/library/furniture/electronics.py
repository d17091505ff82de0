"""Screens, computers and air conditioners."""

from __future__ import annotations

from ..arrange import along, both
from ..mesh import Mesh
from ..solids import box, panel, rounded_rectangle, slab
from ..turned import sphere, tube
from .fronts import button


def tv(style: str) -> list[Mesh]:
    """Televisions: feet, pedestal, wall."""
    width, height, lift = {
        "feet": (1.23, 0.71, 0.07),
        "pedestal": (1.45, 0.83, 0.09),
        "wall": (1.66, 0.95, 0.0),
    }[style]
    z = lift + height / 2
    parts = [
        box((width, 0.03, height), (0, 0, z), 0.006, 3, "plastic"),
        box((width * 0.6, 0.045, height * 0.5), (0, 0.03, z - 0.08), 0.012, slot="plastic"),
        panel(width - 0.02, height - 0.03, (0, -0.0155, z + 0.004), 0.002, "screen"),
        box((0.03, 0.004, 0.004), (0, -0.016, lift + 0.006), 0.001, 1, "metal"),
    ]
    if style == "feet":
        hip, toe = width * 0.36, width * 0.40
        parts += both(
            *(tube([(hip, 0, lift + 0.02), (toe, y, 0.008)], 0.009, 8) for y in (-0.12, 0.12))
        )
    elif style == "pedestal":
        parts += [
            slab(rounded_rectangle(0.5, 0.26, 0.05), 0.014, 0, 0.005, "metal"),
            box((0.1, 0.04, 0.2), (0, 0.02, 0.1), 0.008, slot="metal"),
        ]
    return parts


def computer(style: str) -> list[Mesh]:
    """Computers: laptop, desktop (monitor, keyboard, mouse), all_in_one."""
    if style == "laptop":
        return _laptop()
    tower = style == "desktop"
    wide, high, chin = (0.61, 0.36, 0.0) if tower else (0.55, 0.40, 0.025)
    key = box((0.018, 0.018, 0.005), (0, 0, 0), 0.0015, 1, "key")
    keys = [(-0.19 + 0.0222 * c, -0.115 - 0.0225 * r, 0.018) for r in range(5) for c in range(18)]
    parts = [
        slab(rounded_rectangle(0.24, 0.19, 0.03), 0.012, 0, 0.004, "metal").moved(0, 0.06),
        tube([(0, 0.09, 0.01), (0, 0.064, 0.28)], [0.03, 0.02], 12, flat=0.5),
        box((wide, 0.028, high), (0, 0.04, 0.14 + high / 2), 0.008, 3, "metal"),
        panel(
            wide - 0.016,
            high - 0.02 - 2 * chin,
            (0, 0.0255, 0.14 + high / 2 + chin),
            0.001,
            "screen",
        ),
        box((0.43, 0.13, 0.014), (0, -0.16, 0.009), 0.005, slot="plastic"),
        *along(key, *keys),
        sphere(1.0, slot="plastic").scaled(0.03, 0.052, 0.018).moved(0.29, -0.16, 0.017),
    ]
    if tower:
        slot = box((0.15, 0.004, 0.006), (0.46, -0.182, 0.06), 0.001, 1, "metal")
        parts += [
            box((0.19, 0.40, 0.40), (0.46, 0.02, 0.2), 0.01, slot="plastic"),
            *along(slot, *((0, 0, 0.014 * k) for k in range(8))),
            button(0.012, 0.004, (0.46, -0.18, 0.35)),
        ]
    return parts


def _laptop() -> list[Mesh]:
    key = box((0.016, 0.016, 0.002), (0, 0, 0), 0.0006, 1, "key")
    keys = [(-0.135 + 0.0193 * c, 0.075 - 0.02 * r, 0.0155) for r in range(5) for c in range(15)]
    lid = [
        slab(rounded_rectangle(0.34, 0.235, 0.012), 0.006, 0, 0.002, "metal")
        .turned(90, "x")
        .moved(z=0.1175),
        panel(0.32, 0.205, (0, -0.0075, 0.12), 0.001, "screen"),
    ]
    return [
        slab(rounded_rectangle(0.34, 0.24, 0.012), 0.013, 0, 0.003, "metal"),
        box((0.29, 0.105, 0.002), (0, 0.035, 0.0135), 0.0005, 1, "plastic"),
        box((0.11, 0.07, 0.001), (0, -0.07, 0.0135), 0.0003, 1, "metal"),
        *along(key, *keys),
        *(part.turned(-18, "x").moved(0, 0.118, 0.013) for part in lid),
    ]


def air_conditioner(style: str) -> list[Mesh]:
    """Air conditioners: split (wall), tower, slim (wall)."""
    if style == "tower":
        louvre = box((0.24, 0.02, 0.008), (0, -0.168, 1.15), 0.002, 1, "plastic")
        return [
            slab(rounded_rectangle(0.36, 0.34, 0.15), 1.7, 0.03, 0.03, "body"),
            slab(rounded_rectangle(0.34, 0.32, 0.14), 0.03, 0, 0.004, "plastic"),
            *along(louvre, *((0, 0, 0.028 * k) for k in range(16))),
            box((0.1, 0.006, 0.05), (0, -0.17, 1.0), 0.002, 1, "led"),
        ]
    wide, high = (0.9, 0.30) if style == "split" else (1.05, 0.26)
    louvre = box((wide - 0.1, 0.006, 0.008), (0, -0.103, 0.03), 0.001, 1, "dark")
    return [
        box((wide, 0.21, high), (0, 0, high / 2), 0.045, 5, "body"),
        box((wide - 0.08, 0.012, 0.05), (0, -0.095, 0.045), 0.005, slot="plastic"),
        *along(louvre, *((0, 0, 0.016 * k) for k in range(3))),
        box((wide - 0.06, 0.1, 0.004), (0, 0.02, high), 0.001, 1, "dark"),
        box((0.06, 0.004, 0.02), (wide * 0.36, -0.104, 0.16), 0.001, 1, "led"),
    ]
