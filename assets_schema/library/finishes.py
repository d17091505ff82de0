"""Named surface finishes: what a look puts into a material slot.

Colours are sRGB 0..255 as a person would read them off a swatch; constants become linear values in
the UsdPreviewSurface. Patterned finishes carry albedo, normal and roughness maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..look_layer import PreviewSurface, encode_png
from .artwork import paint_artwork
from .textures import draw

__all__ = ["FINISHES", "Finish", "FinishShelf", "linear"]

Swatch = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Finish:
    """A pattern between two colours, one plain colour, or a picture (`artwork`)."""

    light: Swatch
    dark: Swatch | None = None
    pattern: str = ""
    roughness: float = 0.5
    metallic: float = 0.0
    relief: float = 1.0
    opacity: float = 1.0
    clearcoat: float = 0.0
    emission: float = 0.0
    artwork: str = ""
    seed: int = 0
    size: int = 256

    def __post_init__(self) -> None:
        if self.pattern in ("paint", "brushed") and self.size == 256:
            object.__setattr__(self, "size", 128)  # their relief is too soft to need more


def linear(swatch: Sequence[float]) -> tuple[float, float, float]:
    """sRGB 0..255 to linear 0..1 (IEC 61966-2-1)."""
    value = np.asarray(swatch, float) / 255
    out = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return tuple(round(float(v), 4) for v in out)  # type: ignore[return-value]


def _wood(dark: Swatch, light: Swatch, roughness: float = 0.48, seed: int = 0) -> Finish:
    return Finish(pattern="wood", dark=dark, light=light, roughness=roughness, seed=seed)


def _cloth(dark: Swatch, light: Swatch, pattern: str = "fabric", relief: float = 0.8) -> Finish:
    return Finish(pattern=pattern, dark=dark, light=light, roughness=0.86, relief=relief)


def _metal(light: Swatch, roughness: float = 0.28) -> Finish:
    return Finish(light=light, roughness=roughness, metallic=1.0)


def _plain(light: Swatch, roughness: float = 0.45, **more: float) -> Finish:
    return Finish(light=light, roughness=roughness, **more)  # type: ignore[arg-type]


FINISHES: dict[str, Finish] = {
    # woods
    "oak": _wood((150, 108, 66), (206, 168, 120), seed=1),
    "walnut": _wood((62, 38, 24), (118, 80, 52), 0.42, seed=2),
    "dark_oak": _wood((48, 34, 25), (88, 66, 48), 0.5, seed=3),
    "cherry": _wood((106, 52, 30), (164, 94, 58), 0.4, seed=4),
    "birch": _wood((200, 172, 132), (232, 212, 178), 0.5, seed=5),
    "grey_wood": _wood((106, 100, 92), (158, 152, 142), 0.58, seed=6),
    "white_wood": Finish(
        pattern="paint", dark=(214, 211, 204), light=(238, 236, 230), roughness=0.42
    ),
    "black_wood": _wood((20, 19, 18), (40, 37, 35), 0.5, seed=7),
    "sage_paint": Finish(
        pattern="paint", dark=(128, 142, 122), light=(160, 172, 150), roughness=0.5
    ),
    "navy_paint": Finish(pattern="paint", dark=(30, 44, 68), light=(50, 66, 92), roughness=0.45),
    "rose_paint": Finish(
        pattern="paint", dark=(190, 140, 132), light=(218, 172, 162), roughness=0.5
    ),
    # cloth
    "fabric_teal": _cloth((18, 74, 80), (48, 122, 126)),
    "fabric_rust": _cloth((128, 54, 26), (182, 96, 56)),
    "fabric_mustard": _cloth((166, 116, 22), (220, 172, 66)),
    "fabric_navy": _cloth((22, 34, 66), (54, 72, 112)),
    "fabric_sage": _cloth((106, 120, 96), (156, 168, 142)),
    "fabric_blush": _cloth((190, 138, 128), (230, 188, 178)),
    "fabric_charcoal": _cloth((38, 39, 42), (80, 82, 86)),
    "fabric_white": _cloth((206, 204, 198), (244, 243, 239)),
    "linen_grey": _cloth((104, 106, 108), (164, 166, 166), "linen"),
    "linen_cream": _cloth((198, 184, 158), (238, 228, 208), "linen"),
    "linen_blue": _cloth((92, 118, 146), (158, 182, 204), "linen"),
    "check_blue": _cloth((70, 102, 146), (236, 236, 230), "check"),
    "check_red": _cloth((150, 40, 40), (236, 228, 214), "check"),
    "stripes_cream": _cloth((176, 128, 88), (240, 232, 214), "stripes"),
    "stripes_navy": _cloth((32, 46, 82), (232, 232, 228), "stripes"),
    "knit_cream": _cloth((206, 196, 176), (244, 238, 224), "knit", 1.0),
    "knit_red": _cloth((120, 24, 30), (186, 58, 58), "knit", 1.0),
    "knit_green": _cloth((34, 66, 48), (82, 120, 92), "knit", 1.0),
    "knit_grey": _cloth((80, 82, 86), (150, 152, 156), "knit", 1.0),
    "denim_blue": _cloth((30, 46, 78), (88, 114, 152), "denim"),
    "denim_black": _cloth((22, 23, 27), (62, 64, 70), "denim"),
    "leather_cognac": Finish(
        pattern="leather", dark=(104, 56, 26), light=(168, 104, 58), roughness=0.46, relief=0.5
    ),
    "leather_black": Finish(
        pattern="leather", dark=(16, 16, 17), light=(44, 43, 43), roughness=0.42, relief=0.5
    ),
    "leather_white": Finish(
        pattern="leather", dark=(196, 192, 184), light=(236, 232, 226), roughness=0.42, relief=0.5
    ),
    # stone, metal, ceramic
    "marble_white": Finish(
        pattern="marble", dark=(150, 150, 154), light=(246, 245, 242), roughness=0.16
    ),
    "marble_green": Finish(
        pattern="marble", dark=(196, 206, 196), light=(30, 62, 50), roughness=0.16
    ),
    "marble_black": Finish(
        pattern="marble", dark=(196, 190, 180), light=(26, 26, 28), roughness=0.16, seed=3
    ),
    "granite": Finish(pattern="granite", dark=(58, 56, 56), light=(156, 150, 146), roughness=0.25),
    "concrete": Finish(
        pattern="concrete", dark=(128, 127, 124), light=(178, 176, 172), roughness=0.75
    ),
    "terracotta": Finish(
        pattern="concrete", dark=(158, 84, 56), light=(206, 128, 94), roughness=0.85
    ),
    "steel": Finish(
        pattern="brushed", dark=(150, 152, 156), light=(206, 208, 210), roughness=0.34, metallic=1.0
    ),
    "chrome": _metal((222, 224, 228), 0.10),
    "brass": _metal((212, 170, 94), 0.26),
    "copper": _metal((206, 126, 92), 0.26),
    "black_metal": _plain((26, 26, 28), 0.42, metallic=0.6),
    "white_metal": _plain((226, 226, 224), 0.35),
    "gold": _metal((232, 190, 100), 0.22),
    "ceramic_white": _plain((240, 239, 236), 0.14, clearcoat=0.5),
    "ceramic_blue": _plain((58, 92, 132), 0.2, clearcoat=0.5),
    "ceramic_green": _plain((86, 118, 96), 0.25, clearcoat=0.5),
    "ceramic_sand": _plain((206, 180, 146), 0.45),
    "terracotta_plain": _plain((186, 108, 76), 0.85),
    "bottle_green": _plain((26, 58, 34), 0.08),
    "bottle_dark": _plain((42, 14, 20), 0.08),
    "ceramic_black": _plain((34, 34, 36), 0.22, clearcoat=0.5),
    "glass": _plain((214, 226, 228), 0.05, opacity=0.25),
    "glass_smoked": _plain((60, 62, 66), 0.05, opacity=0.45),
    "mirror": _metal((236, 238, 240), 0.02),
    "screen": _plain((10, 11, 14), 0.12),
    "dark_glass": _plain((14, 15, 18), 0.08),
    "plastic_white": _plain((232, 232, 230), 0.35),
    "plastic_black": _plain((26, 27, 29), 0.4),
    "plastic_grey": _plain((128, 130, 134), 0.4),
    "rubber": _plain((34, 34, 36), 0.8),
    "enamel_red": _plain((158, 32, 34), 0.2, clearcoat=0.5),
    "enamel_mint": _plain((150, 202, 184), 0.2, clearcoat=0.5),
    "enamel_cream": _plain((236, 224, 196), 0.2, clearcoat=0.5),
    "water": _plain((170, 200, 208), 0.03, opacity=0.35),
    # floors, walls, carpets
    "planks_oak": Finish(
        pattern="planks", dark=(126, 90, 56), light=(198, 160, 116), roughness=0.42, size=512
    ),
    "planks_walnut": Finish(
        pattern="planks", dark=(64, 42, 28), light=(126, 90, 60), roughness=0.4, size=512, seed=2
    ),
    "planks_grey": Finish(
        pattern="planks",
        dark=(112, 106, 98),
        light=(176, 170, 160),
        roughness=0.5,
        size=512,
        seed=3,
    ),
    "planks_pale": Finish(
        pattern="planks",
        dark=(178, 152, 118),
        light=(226, 208, 180),
        roughness=0.45,
        size=512,
        seed=4,
    ),
    "tiles_white": Finish(
        pattern="tiles", dark=(176, 176, 172), light=(236, 236, 232), roughness=0.15
    ),
    "tiles_slate": Finish(
        pattern="tiles", dark=(58, 62, 66), light=(106, 110, 114), roughness=0.3, seed=1
    ),
    "tiles_blue": Finish(
        pattern="tiles", dark=(96, 128, 150), light=(176, 204, 216), roughness=0.15, seed=2
    ),
    "wall_white": Finish(
        pattern="paint", dark=(220, 217, 210), light=(240, 238, 232), roughness=0.85
    ),
    "wall_sage": Finish(
        pattern="paint", dark=(160, 172, 150), light=(186, 196, 176), roughness=0.85
    ),
    "wall_blue": Finish(
        pattern="paint", dark=(140, 160, 178), light=(172, 190, 204), roughness=0.85
    ),
    "wall_clay": Finish(
        pattern="paint", dark=(196, 156, 132), light=(218, 182, 160), roughness=0.85
    ),
    "wall_grey": Finish(
        pattern="paint", dark=(160, 160, 158), light=(188, 188, 186), roughness=0.85
    ),
    "wall_yellow": Finish(
        pattern="paint", dark=(222, 200, 148), light=(240, 222, 178), roughness=0.85
    ),
    "ceiling_white": _plain((240, 239, 236), 0.9),
    "carpet_grey": Finish(
        pattern="carpet", dark=(92, 92, 94), light=(168, 166, 164), roughness=0.95
    ),
    "carpet_beige": Finish(
        pattern="carpet", dark=(160, 138, 108), light=(222, 204, 176), roughness=0.95
    ),
    "carpet_blue": Finish(
        pattern="carpet", dark=(34, 54, 88), light=(88, 114, 152), roughness=0.95
    ),
    "carpet_red": Finish(pattern="carpet", dark=(96, 22, 26), light=(166, 58, 54), roughness=0.95),
    "carpet_green": Finish(
        pattern="carpet", dark=(52, 72, 52), light=(110, 130, 104), roughness=0.95
    ),
    "carpet_cream": Finish(
        pattern="carpet", dark=(204, 192, 168), light=(242, 234, 218), roughness=0.95
    ),
    "carpet_black": Finish(pattern="carpet", dark=(26, 26, 28), light=(66, 64, 64), roughness=0.95),
    "wicker": Finish(pattern="wicker", dark=(122, 84, 48), light=(206, 164, 112), roughness=0.7),
    "wicker_dark": Finish(pattern="wicker", dark=(48, 34, 24), light=(104, 78, 56), roughness=0.7),
    # books, paper, plants
    "cloth_red": _plain((134, 38, 36), 0.7),
    "cloth_navy": _plain((34, 50, 88), 0.7),
    "cloth_cream": _plain((220, 206, 176), 0.7),
    "cloth_green": _plain((48, 84, 64), 0.7),
    "cloth_black": _plain((40, 40, 44), 0.65),
    "cloth_orange": _plain((202, 112, 48), 0.7),
    "paper": _plain((236, 230, 214), 0.9),
    "card": _plain((232, 230, 226), 0.8),
    "leaf_green": _plain((58, 106, 48), 0.5),
    "leaf_dark": _plain((30, 72, 40), 0.38),
    "leaf_olive": _plain((104, 122, 66), 0.55),
    "leaf_blue": _plain((86, 124, 108), 0.5),
    "stem_green": _plain((88, 116, 60), 0.6),
    "bark": _wood((72, 54, 40), (118, 94, 72), 0.85, seed=8),
    "soil": Finish(pattern="granite", dark=(28, 20, 14), light=(74, 56, 42), roughness=0.98),
    "petal_red": _plain((190, 40, 52), 0.55),
    "petal_white": _plain((240, 236, 228), 0.55),
    # pictures
    **{
        f"art_{name}": Finish(light=(255, 255, 255), artwork=name, roughness=0.7)
        for name in ("coast", "hills", "circles", "blocks", "bloom")
    },
    "screen_on": Finish(light=(255, 255, 255), artwork="desktop", roughness=0.15, emission=1.0),
    "screen_film": Finish(light=(255, 255, 255), artwork="coast", roughness=0.15, emission=1.0),
    # light
    "shade_white": Finish(light=(244, 236, 220), roughness=0.9, emission=2.2),
    "shade_linen": Finish(light=(228, 206, 168), roughness=0.9, emission=1.5),
    "shade_amber": Finish(light=(232, 158, 84), roughness=0.6, emission=1.6),
    "shade_paper": Finish(light=(246, 240, 228), roughness=0.95, emission=2.6),
    "bulb_warm": Finish(light=(255, 214, 160), roughness=0.5, emission=14.0),
    "bulb_cool": Finish(light=(236, 242, 255), roughness=0.5, emission=14.0),
    "bulb_neutral": Finish(light=(255, 236, 206), roughness=0.5, emission=14.0),
    "led_green": Finish(light=(60, 220, 110), roughness=0.4, emission=4.0),
}


class FinishShelf:
    """Finishes made once: maps are drawn and encoded on first use and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ready: dict[str, PreviewSurface] = {}

    def surface(self, name: str) -> PreviewSurface:
        """The surface of a named finish; raises ValueError for an unknown name."""
        if name not in FINISHES:
            raise ValueError(f"unknown finish {name!r}; known finishes: {sorted(FINISHES)}")
        if name not in self._ready:
            self._ready[name] = self._make(name, FINISHES[name])
        return self._ready[name]

    def _make(self, name: str, finish: Finish) -> PreviewSurface:
        color = linear(finish.light)
        glow = (
            tuple(finish.emission * channel for channel in color) if finish.emission else (0.0,) * 3
        )
        if finish.artwork:
            image = self._store(f"{name}_picture", paint_artwork(finish.artwork))
            lit = image if finish.emission else (0.0, 0.0, 0.0)
            return PreviewSurface(
                diffuse=image,
                roughness=finish.roughness,
                emissive=lit,
                emissive_scale=finish.emission or 1.0,
            )
        if not finish.pattern:
            return PreviewSurface(
                diffuse=color,
                roughness=finish.roughness,
                metallic=finish.metallic,
                opacity=finish.opacity,
                clearcoat=finish.clearcoat,
                emissive=glow,  # type: ignore[arg-type]
            )
        assert finish.dark is not None, f"patterned finish {name} needs a dark colour"
        maps = draw(
            finish.pattern,
            finish.dark,
            finish.light,
            finish.roughness,
            finish.relief,
            finish.size,
            finish.seed,
        )
        relief = f"{finish.pattern}_{finish.seed}_{finish.size}_{finish.relief:g}"
        return PreviewSurface(
            diffuse=self._store(f"{name}_albedo", maps.albedo),
            normal=self._store(f"{relief}_normal", maps.normal),
            roughness=self._store(f"{relief}_{finish.roughness:g}_roughness", maps.roughness),
            metallic=finish.metallic,
            clearcoat=finish.clearcoat,
        )

    def _store(self, name: str, image: np.ndarray) -> Path:
        path = self.folder / f"{name.replace('.', '_')}.png"
        if not path.exists():
            path.write_bytes(encode_png(image))
        return path
