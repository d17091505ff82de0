"""Skin and eye textures, painted in 3D: every texel of the body's own unwrapping knows its place.

The base mesh is unwrapped once; lips, brows, cheeks, nails and the iris are then painted by
distance to landmarks of the template, so no image file is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from ..textures import fractal
from .human import HumanTemplate
from .scalp import Scalp

__all__ = ["Complexion", "eye_texture", "hair_texture", "skin_texture"]

SIZE = 512
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Complexion:
    """sRGB colours of a person: skin, lips, brows (hair) and iris."""

    skin: Color
    lips: Color
    hair: Color
    iris: Color


@lru_cache(maxsize=4)
def _places(template: HumanTemplate, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Per texel its template position (size, size, 3) and whether the unwrapping covers it."""
    faces, uvs = template.groups["body"], template.group_uvs["body"]
    place = np.zeros((size, size, 3), np.float32)
    covered = np.zeros((size, size), np.uint8)
    corner_uv = template.uv[uvs] * (size, -size) + (0, size)
    corner_point = template.points[faces]
    grid = np.linspace(0.0, 1.0, 7)
    a, b = (axis.ravel()[:, None] for axis in np.meshgrid(grid, grid, indexing="ij"))
    shares = np.stack([(1 - a) * (1 - b), a * (1 - b), a * b, (1 - a) * b])[:, :, 0]
    uv = np.einsum("cs,fck->fsk", shares, corner_uv).reshape(-1, 2)
    point = np.einsum("cs,fck->fsk", shares, corner_point).reshape(-1, 3)
    column, row = (np.clip(uv[:, k].astype(int), 0, size - 1) for k in (0, 1))
    place[row, column] = point
    covered[row, column] = 1
    # Texels between samples and beyond the charts take their nearest neighbour's place.
    _, label = cv2.distanceTransformWithLabels(
        1 - covered, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros((label.max() + 1, 3), np.float32)
    lookup[label[covered > 0]] = place[covered > 0]
    return lookup[label], covered > 0


def _near(place: np.ndarray, centre: np.ndarray, radii: tuple[float, float, float]) -> np.ndarray:
    """A soft ball (Gaussian) about a point, 1 at its centre."""
    offset = (place - np.asarray(centre, np.float32)) / np.asarray(radii, np.float32)
    return np.exp(-(offset**2).sum(axis=-1))


def skin_texture(template: HumanTemplate, colors: Complexion) -> np.ndarray:
    """Albedo (512, 512, 3) uint8 over the body's unwrapping."""
    place, _ = _places(template)
    rng = np.random.default_rng(0)
    mottle = 0.6 * fractal(rng, SIZE, 1.6, low=6) + 0.4 * fractal(rng, SIZE, 2.6)
    skin = np.asarray(colors.skin, float)
    base = skin * (1 + 0.018 * mottle[..., None])
    joints = dict(zip(template.joints, template.joint_heads(template.points), strict=True))
    eyes = {side: _centre(template, f"helper-{side}-eye") for side in "lr"}
    blush = skin * (1.03, 0.87, 0.84)
    for eye in eyes.values():
        cheek = eye + np.array([0.012 * np.sign(eye[0]), 0.0, -0.040])
        base = _blend(base, blush, 0.50 * _near(place, cheek, (0.020, 0.05, 0.016)))
        base = _blend(base, base * 0.80, 0.45 * _near(place, eye, (0.021, 0.04, 0.0105)))
    nose = np.array([0.0, eyes["l"][1] - 0.045, eyes["l"][2] - 0.036])
    base = _blend(base, blush, 0.40 * _near(place, nose, (0.014, 0.02, 0.012)))
    for name in ("LeftForeArm", "RightForeArm", "LeftLeg", "RightLeg"):
        base = _blend(base, blush, 0.35 * _near(place, joints[name], (0.06, 0.07, 0.05)))
    base = _paint_lips(base, place, template, colors)
    base = _paint_lashes(base, place, template, colors)
    for eye in eyes.values():
        base = _paint_brow(base, place, eye, colors, rng)
    base = _paint_scalp(base, place, template, colors, rng)
    return np.clip(base, 0, 255).round().astype(np.uint8)


def _centre(template: HumanTemplate, group: str) -> np.ndarray:
    return template.points[np.unique(template.groups[group])].mean(axis=0)


def _paint_lips(
    base: np.ndarray, place: np.ndarray, template: HumanTemplate, colors: Complexion
) -> np.ndarray:
    """Upper lip with its bow, fuller lower lip, and the dark line between at the teeth's edge."""
    teeth = template.points[np.unique(template.groups["helper-upper-teeth"])]
    x = np.abs(place[..., 0]) / 0.0265
    up = place[..., 2] - (teeth[:, 2].min() + 0.0008 * x**2)
    taper = np.clip(1 - x**2, 0, 1)
    bow = 0.0105 + 0.0016 * np.exp(-(((x - 0.22) / 0.14) ** 2)) - 0.0012 * np.exp(-((x / 0.1) ** 2))
    height = np.where(up > 0, bow * taper**0.55, 0.0105 * taper**0.6)
    front = (x < 1) * (place[..., 1] < teeth[:, 1].min() + 0.016)
    lips = front * np.clip(0.5 + (height - np.abs(up)) / 0.0024, 0, 1)
    base = _blend(base, np.asarray(colors.lips, float), 0.72 * lips)
    line = front * np.exp(-((up / 0.0011) ** 2)) * np.clip(1.15 - x**4, 0, 1)
    return _blend(base, np.asarray(colors.lips, float) * 0.45, 0.7 * line)


def _paint_lashes(
    base: np.ndarray, place: np.ndarray, template: HumanTemplate, colors: Complexion
) -> np.ndarray:
    """A dark edge along the lids, strong above and faint below the eye."""
    dark = np.asarray(colors.hair, float) * 0.25
    for group, share in (("eyelashes-2", 0.9), ("eyelashes-1", 0.40)):
        for side in "lr":
            lash = template.points[np.unique(template.groups[f"helper-{side}-{group}"])]
            eye = _centre(template, f"helper-{side}-eye")
            reach = np.linalg.norm(lash - eye, axis=1)
            root = lash[reach < np.quantile(reach, 0.5)]
            near = np.linalg.norm(place - eye.astype(np.float32), axis=2) < 0.035
            distance = np.full(place.shape[:2], 1.0)
            distance[near] = cKDTree(root).query(place[near])[0]
            base = _blend(base, dark, share * np.clip(1.5 - distance / 0.0022, 0, 1))
    return base


def _paint_brow(
    base: np.ndarray,
    place: np.ndarray,
    eye: np.ndarray,
    colors: Complexion,
    rng: np.random.Generator,
) -> np.ndarray:
    out = (place[..., 0] - eye[0]) * np.sign(eye[0])  # towards the temple
    arch = eye[2] + 0.0225 - 9.0 * np.maximum(out - 0.006, 0) ** 2 - 2.5 * np.minimum(out, 0) ** 2
    thick = 0.0034 * np.clip(1 - ((out - 0.003) / 0.0235) ** 2, 0, 1) ** 0.5
    hair = np.clip(1.5 - 1.2 * np.abs(place[..., 2] - arch) / np.maximum(thick, 1e-5), 0, 1)
    strands = 0.92 + 0.12 * fractal(rng, SIZE, 0.6, low=30)
    shown = hair * (np.abs(out) < 0.029) * (place[..., 1] < eye[1] + 0.012) * np.clip(strands, 0, 1)
    return _blend(base, np.asarray(colors.hair, float) * 0.7, 0.8 * shown)


def _paint_scalp(
    base: np.ndarray,
    place: np.ndarray,
    template: HumanTemplate,
    colors: Complexion,
    rng: np.random.Generator,
) -> np.ndarray:
    """Roots in the colour of the hair, fading out before the hairline, so that hair has no rim."""
    scalp = Scalp.of(template, template.points)
    inside = scalp.hairy(scalp.directions(place))
    edge = inside + 0.03 * fractal(rng, SIZE, 0.8, low=20)
    roots = np.clip(0.75 + edge / 0.10, 0, 1) * scalp.on_head(place)
    return _blend(base, np.asarray(colors.hair, float) * 0.85, 0.9 * roots)


def _blend(base: np.ndarray, color: np.ndarray, share: np.ndarray) -> np.ndarray:
    return base * (1 - share[..., None]) + color * share[..., None]


def eye_texture(colors: Complexion) -> np.ndarray:
    """Albedo (128, 128, 3) of an eyeball; the gaze is at the image's centre."""
    y, x = (np.mgrid[0:128, 0:128] + 0.5) / 64 - 1
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    white = np.stack([np.full_like(x, c) for c in (236.0, 232.0, 226.0)], -1)
    fibre = (
        0.85
        + 0.15 * np.sin(40 * angle + 3 * np.sin(7 * angle))
        - 0.5 * np.clip((radius - 0.33) / 0.1, 0, 1)
    )
    image = _blend(
        white,
        np.asarray(colors.iris, float) * fibre[..., None],
        np.clip((0.43 - radius) / 0.02, 0, 1),
    )
    return np.clip(
        _blend(image, np.full(3, 8.0), np.clip((0.19 - radius) / 0.02, 0, 1)), 0, 255
    ).astype(np.uint8)


def hair_texture(color: Color) -> np.ndarray:
    """Albedo (128, 128, 3): strands along u, roots a little darker, locks of differing tone."""
    rng = np.random.default_rng(1)
    strand = fractal(rng, 128, 0.5, (1.0, 30.0), low=2)
    tone = fractal(rng, 128, 1.5, (1.0, 60.0))
    root = 0.86 + 0.14 * np.sin(np.pi * np.linspace(0, 1, 128) * 0.9)[None]
    gain = (1 + 0.16 * strand + 0.10 * tone) * root
    return np.clip(np.asarray(color, float) * gain[..., None], 0, 255).round().astype(np.uint8)
