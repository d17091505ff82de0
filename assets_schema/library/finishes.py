"""Named surface finishes: what a look puts into a material slot.

Colours are sRGB 0..255 as a person would read them off a swatch; constants become linear values in
the UsdPreviewSurface. Patterned finishes carry albedo, normal and roughness maps.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from ..look_layer import PreviewSurface, encode_png
from .artwork import paint_artwork
from .textures import draw

__all__ = ["Finish", "FinishShelf", "finishes", "linear"]

Swatch = Sequence[int]


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


@functools.cache
def finishes() -> Mapping[str, Finish]:
    """Every finish of ``finishes.yaml`` by its name."""
    rows = yaml.safe_load(Path(__file__).with_name("finishes.yaml").read_text(encoding="utf-8"))
    return {name: Finish(**row) for name, row in rows.items()}


class FinishShelf:
    """Finishes made once: maps are drawn and encoded on first use and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ready: dict[str, PreviewSurface] = {}

    def surface(self, name: str) -> PreviewSurface:
        """The surface of a named finish; raises ValueError for an unknown name."""
        if name not in finishes():
            raise ValueError(f"unknown finish {name!r}; known finishes: {sorted(finishes())}")
        if name not in self._ready:
            self._ready[name] = self._make(name, finishes()[name])
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
