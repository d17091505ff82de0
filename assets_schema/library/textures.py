"""Procedural, seamless texture maps: wood, fabric, leather, stone, metal, carpet, paint and more.

Every pattern is a periodic height or tone field, so its maps tile without a seam. Maps are uint8:
albedo (H, W, 3) sRGB, normal (H, W, 3) tangent space with +y up (OpenGL), roughness (H, W).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

__all__ = ["PATTERNS", "TextureMaps", "draw", "fractal"]

Field = np.ndarray


@dataclass(frozen=True)
class TextureMaps:
    """The three image maps of a finish."""

    albedo: np.ndarray
    normal: np.ndarray
    roughness: np.ndarray


@dataclass(frozen=True)
class Pattern:
    """What a pattern yields before colouring: tone -1..1, height in texels, roughness offset."""

    tone: Field
    height: Field
    roughness: Field


def fractal(
    rng: np.random.Generator,
    size: int,
    slope: float = 2.0,
    stretch: Sequence[float] = (1.0, 1.0),
    low: float = 1.0,
) -> Field:
    """Periodic noise (size, size) with power ~ frequency^-slope, mean 0 and deviation 1.

    `stretch` (along rows, along columns) lengthens features; `low` is the lowest frequency kept,
    in cycles per texture.
    """
    white = np.fft.rfft2(rng.standard_normal((size, size)))
    fy = np.fft.fftfreq(size, 1 / size)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(size, 1 / size)[None] * stretch[1]
    frequency = np.hypot(fy, fx)
    gain = np.where(frequency >= low, np.maximum(frequency, 1e-9) ** (-slope / 2), 0.0)
    field = np.fft.irfft2(white * gain, s=(size, size))
    return field / max(float(field.std()), 1e-12)


def _axes(size: int) -> tuple[Field, Field]:
    t = np.arange(size) / size
    return t[:, None] * np.ones((1, size)), t[None] * np.ones((size, 1))


def _sample(field: Field, dy: Field, dx: Field) -> Field:
    """The periodic field read at positions displaced by (dy, dx) texels (nearest)."""
    size = len(field)
    rows, columns = np.indices(field.shape)
    return field[np.rint(rows + dy).astype(int) % size, np.rint(columns + dx).astype(int) % size]


def wood(rng: np.random.Generator, size: int) -> Pattern:
    """Plain-sawn boards: growth rings stretched along u, pores and a soft figure."""
    v, u = _axes(size)
    warp = fractal(rng, size, 3.4, (1.0, 5.0))
    cathedral = (
        0.55 * np.exp(-(((v - 0.5) / 0.22) ** 2)) * np.sin(2 * np.pi * u + rng.uniform(0, 6))
    )
    rings = 9 * v + 0.42 * warp + cathedral
    ring = np.sin(2 * np.pi * rings) * 0.5 + np.sin(4 * np.pi * rings + 1) * 0.18
    ring = np.sign(ring) * np.abs(ring) ** 0.8
    fibre = fractal(rng, size, 1.2, (1.0, 24.0))
    pores = np.clip(fractal(rng, size, 0.7, (1.0, 14.0)) - 1.25, 0, 2)
    figure = fractal(rng, size, 3.0, (1.5, 3.0))
    tone = 0.42 * ring + 0.20 * fibre + 0.22 * figure - 0.55 * pores
    return Pattern(tone, 0.18 * fibre - 0.9 * pores + 0.12 * ring, 0.03 * fibre + 0.05 * ring)


def planks(rng: np.random.Generator, size: int) -> Pattern:
    """A floor of staggered boards, each with its own tone and a thin dark joint."""
    base = wood(rng, size)
    v, u = _axes(size)
    rows = 8
    row = np.floor(v * rows).astype(int)
    shift = np.array([0.0, 0.46, 0.21, 0.71, 0.36, 0.87, 0.11, 0.59])[row % 8]
    along = (u + shift) % 1.0
    board = np.floor(along * 1.0).astype(int) + 2 * row
    tones = rng.normal(0, 0.42, 64)
    jump = rng.integers(0, size, 64)
    tone = _sample(base.tone, jump[board % 64] * 1.0, jump[(board + 7) % 64] * 1.0)
    height = _sample(base.height, jump[board % 64] * 1.0, jump[(board + 7) % 64] * 1.0)
    gap_v = np.abs((v * rows + 0.5) % 1.0 - 0.5) * size / rows
    gap_u = np.minimum(along, 1 - along) * size
    gap = np.exp(-((np.minimum(gap_v, gap_u) / 0.9) ** 2))
    tone = 0.75 * tone + tones[board % 64] - 1.9 * gap
    return Pattern(tone, height - 2.0 * gap, base.roughness + 0.1 * gap)


def fabric(rng: np.random.Generator, size: int) -> Pattern:
    """A plain weave with slubs."""
    return _weave(rng, size, threads=56, slub=0.30)


def linen(rng: np.random.Generator, size: int) -> Pattern:
    """A coarse weave with uneven threads, as linen or canvas."""
    return _weave(rng, size, threads=34, slub=0.55)


def _weave(rng: np.random.Generator, size: int, threads: int, slub: float) -> Pattern:
    v, u = _axes(size)
    warp_noise = fractal(rng, size, 1.6, (9.0, 1.0))
    weft_noise = fractal(rng, size, 1.6, (1.0, 9.0))
    a, b = np.pi * threads * u, np.pi * threads * v
    over = np.sin(a) * np.sin(b) > 0
    warp, weft = np.abs(np.sin(a)) ** 0.6, np.abs(np.sin(b)) ** 0.6
    height = np.where(
        over, warp * (1 + 0.35 * np.abs(np.cos(b))), weft * (1 + 0.35 * np.abs(np.cos(a)))
    )
    thread_tone = np.where(over, warp_noise, weft_noise)
    mottle = fractal(rng, size, 2.6)
    tone = 0.55 * (height - height.mean()) + slub * 0.42 * thread_tone + 0.12 * mottle
    return Pattern(tone, 1.1 * height + 0.2 * slub * thread_tone, 0.04 * thread_tone)


def knit(rng: np.random.Generator, size: int) -> Pattern:
    """Rows of knitted V stitches."""
    v, u = _axes(size)
    columns, rows = 22, 30
    cell = (u * columns) % 1.0
    slant = np.abs(cell - 0.5) * 1.5
    stitch = np.abs(np.sin(np.pi * (v * rows + slant)))
    rib = np.abs(np.sin(2 * np.pi * u * columns)) ** 0.5
    height = stitch**0.7 * rib
    fuzz = fractal(rng, size, 1.0)
    return Pattern(
        0.6 * (height - height.mean()) + 0.14 * fuzz, 2.0 * height + 0.2 * fuzz, 0.03 * fuzz
    )


def denim(rng: np.random.Generator, size: int) -> Pattern:
    """A twill: diagonal wales, light and dark threads, gentle wear."""
    v, u = _axes(size)
    wale = np.sin(2 * np.pi * 44 * (u + v))
    thread = fractal(rng, size, 1.2, (7.0, 1.0))
    wear = fractal(rng, size, 3.0)
    return Pattern(
        0.35 * wale + 0.40 * thread + 0.22 * wear, 0.7 * wale + 0.2 * thread, 0.03 * wear
    )


def _stripes(count: int, share: float) -> Callable[[np.random.Generator, int], Pattern]:
    def draw_stripes(rng: np.random.Generator, size: int) -> Pattern:
        base = fabric(rng, size)
        _, u = _axes(size)
        band = ((u * count) % 1.0 < share).astype(float)
        return Pattern(0.6 * base.tone + 2.2 * (band - 0.5), base.height, base.roughness)

    return draw_stripes


def check(rng: np.random.Generator, size: int) -> Pattern:
    """A woven gingham check."""
    base = fabric(rng, size)
    v, u = _axes(size)
    bands = ((u * 4) % 1.0 < 0.5).astype(float) + ((v * 4) % 1.0 < 0.5).astype(float)
    return Pattern(0.5 * base.tone + 1.5 * (bands - 1.0), base.height, base.roughness)


def leather(rng: np.random.Generator, size: int) -> Pattern:
    """Grained hide: periodic cells with soft valleys."""
    near, second = _cells(rng, size, 420)
    valley = np.clip((second - near) / (0.35 / np.sqrt(420)), 0, 1) ** 0.6
    age = fractal(rng, size, 2.8)
    return Pattern(0.45 * (valley - 0.8) + 0.22 * age, 1.5 * valley, -0.10 * valley + 0.04 * age)


def _cells(rng: np.random.Generator, size: int, count: int) -> tuple[Field, Field]:
    """Distances to the nearest and second nearest of `count` random points on the torus."""
    from scipy.spatial import cKDTree

    tree = cKDTree(rng.uniform(0, 1, (count, 2)), boxsize=1.0)
    v, u = _axes(size)
    distance, _ = tree.query(np.stack([v, u], -1).reshape(-1, 2), k=2)
    return distance[:, 0].reshape(size, size), distance[:, 1].reshape(size, size)


def marble(rng: np.random.Generator, size: int) -> Pattern:
    """Polished stone with branching veins."""
    cloud = fractal(rng, size, 3.2)
    vein = np.zeros((size, size))
    for slope, width, weight in ((3.3, 0.05, 1.0), (2.8, 0.035, 0.7), (2.4, 0.03, 0.4)):
        ridge = fractal(rng, size, slope, low=1.0)
        vein += (
            weight * np.exp(-np.abs(ridge) / width) * np.clip(fractal(rng, size, 3.2) + 0.6, 0, 1.5)
        )
    tone = 0.22 * cloud - 1.25 * np.clip(vein, 0, 1.2)
    return Pattern(tone, np.zeros_like(cloud), 0.02 * cloud)


def granite(rng: np.random.Generator, size: int) -> Pattern:
    """Speckled stone: grains of several tones."""
    grain = fractal(rng, size, 0.9, low=14)
    big = fractal(rng, size, 1.6, low=5)
    dark = np.clip(fractal(rng, size, 1.0, low=10) - 1.1, 0, 1.5)
    return Pattern(0.5 * grain + 0.3 * big - 1.0 * dark, 0.05 * grain, 0.05 * dark)


def concrete(rng: np.random.Generator, size: int) -> Pattern:
    """Cast concrete: clouds, pits and trowel streaks."""
    cloud, streak = fractal(rng, size, 2.6), fractal(rng, size, 1.8, (1.0, 3.0))
    pits = np.clip(fractal(rng, size, 0.8, low=20) - 2.1, 0, 1)
    tone = 0.38 * cloud + 0.15 * streak - 1.2 * pits
    return Pattern(tone, 0.2 * streak - 2.5 * pits, 0.05 * cloud)


def brushed(rng: np.random.Generator, size: int) -> Pattern:
    """Metal brushed along u."""
    line = fractal(rng, size, 0.6, (1.0, 60.0), low=2)
    smudge = fractal(rng, size, 3.0)
    return Pattern(0.35 * line + 0.1 * smudge, 0.10 * line, 0.06 * line + 0.05 * smudge)


def carpet(rng: np.random.Generator, size: int) -> Pattern:
    """Cut pile: tufts with shade that follows brushing."""
    tuft = fractal(rng, size, 0.7, low=18)
    shade = fractal(rng, size, 2.8, low=2)
    return Pattern(0.50 * tuft + 0.22 * shade, 2.0 * tuft, np.zeros_like(tuft))


def paint(rng: np.random.Generator, size: int) -> Pattern:
    """Rolled wall paint: a faint orange-peel relief."""
    peel = fractal(rng, size, 1.4, low=8)
    cloud = fractal(rng, size, 3.0)
    return Pattern(0.05 * cloud + 0.02 * peel, 0.30 * peel, 0.03 * cloud)


def tiles(rng: np.random.Generator, size: int) -> Pattern:
    """Glazed square tiles with recessed grout, four by four."""
    v, u = _axes(size)
    count = 4
    index = (np.floor(v * count) * count + np.floor(u * count)).astype(int)
    tone = rng.normal(0, 0.18, count * count)[index]
    edge = (
        np.minimum(
            np.minimum((u * count) % 1, 1 - (u * count) % 1),
            np.minimum((v * count) % 1, 1 - (v * count) % 1),
        )
        * size
        / count
    )
    grout = (edge < 1.6).astype(float)
    bevel = np.clip(edge / 4.0, 0, 1)
    glaze = fractal(rng, size, 3.0)
    return Pattern(tone + 0.10 * glaze - 1.3 * grout, 2.5 * bevel, 0.45 * grout)


def wicker(rng: np.random.Generator, size: int) -> Pattern:
    """Woven cane or rattan."""
    base = _weave(rng, size, threads=20, slub=0.5)
    return Pattern(1.3 * base.tone, 2.2 * base.height, base.roughness)


PATTERNS: dict[str, Callable[[np.random.Generator, int], Pattern]] = {
    "wood": wood,
    "planks": planks,
    "fabric": fabric,
    "linen": linen,
    "knit": knit,
    "denim": denim,
    "stripes": _stripes(6, 0.5),
    "pinstripes": _stripes(14, 0.22),
    "check": check,
    "leather": leather,
    "marble": marble,
    "granite": granite,
    "concrete": concrete,
    "brushed": brushed,
    "carpet": carpet,
    "paint": paint,
    "tiles": tiles,
    "wicker": wicker,
}


def draw(
    pattern: str,
    dark: Sequence[float],
    light: Sequence[float],
    roughness: float,
    relief: float = 1.0,
    size: int = 256,
    seed: int = 0,
) -> TextureMaps:
    """The maps of a pattern between two colours.

    `dark`, `light`: sRGB 0..255 at tone -1 and +1; `roughness` 0..1 is the mean; `relief` scales
    the normal map. Raises ValueError for an unknown pattern.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"unknown texture pattern {pattern!r}; choose one of {sorted(PATTERNS)}")
    field = PATTERNS[pattern](named_rng(seed, "texture", pattern), size)
    mix = np.clip(0.5 + 0.5 * field.tone, -0.15, 1.15)[..., None]
    albedo = np.asarray(dark, float) * (1 - mix) + np.asarray(light, float) * mix
    dx = (np.roll(field.height, -1, 1) - np.roll(field.height, 1, 1)) / 2 * relief
    dy = (np.roll(field.height, -1, 0) - np.roll(field.height, 1, 0)) / 2 * relief
    # Image rows run down while texture v runs up, so +y of the normal follows +d/drow.
    normal = np.stack([-dx, dy, np.ones_like(dx)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    rough = np.clip(roughness + field.roughness, 0.03, 1.0)
    return TextureMaps(
        _stepped(albedo, 3), _stepped((normal * 0.5 + 0.5) * 255, 4), _stepped(rough * 255, 8)
    )


def _stepped(values: np.ndarray, step: int) -> np.ndarray:
    """uint8 in even steps: invisible in a texture, and half the bytes in a PNG.

    128 stays 128, so that a flat normal map is flat.
    """
    return np.clip(128 + np.round((values - 128) / step) * step, 0, 255).astype(np.uint8)
