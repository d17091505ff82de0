"""Hair as meshes: the cap that hides the scalp, and ribbons along the paths of locks."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..mesh import Mesh
from ..soft import sheet
from .hair_paths import Style
from .scalp import Scalp

__all__ = ["cap", "ribbons"]


def cap(style: Style, scalp: Scalp) -> Mesh:
    """A thin cap along the hairline that hides the scalp between the locks."""
    turn = np.linspace(0, 2 * np.pi, 73)
    rows = np.linspace(0, 1, 22)
    levels = np.linspace(-0.95, 0.9, 200)
    ring = np.sqrt(1 - levels**2)
    lowest = []
    for x, y in np.stack([np.sin(turn), -np.cos(turn)], axis=1):
        grows = scalp.hairy(np.stack([x * ring, y * ring, levels], axis=1), style.hairline) > 0
        lowest.append(levels[np.argmax(grows)] if grows.any() else 0.5)
    start = np.arcsin(lowest)
    angle = start + (np.pi / 2 - start) * rows[:, None]
    grid = np.stack(
        [np.sin(turn) * np.cos(angle), -np.cos(turn) * np.cos(angle), np.sin(angle)], axis=2
    )
    outward = scalp.skin - scalp.centre
    length = np.linalg.norm(outward, axis=1)
    distance, nearest = cKDTree(outward / length[:, None]).query(grid.reshape(-1, 3), k=4)
    share = 1 / np.maximum(distance, 1e-6)
    share /= share.sum(axis=1, keepdims=True)
    reach = (length[nearest] * share).sum(axis=1).reshape(grid.shape[:2])
    lift = style.cap * np.minimum(1.0, rows / 0.1)[:, None] + 0.0012
    points = scalp.centre + grid * (reach + lift)[..., None]
    uv = np.stack(np.broadcast_arrays(rows[:, None] * 0.6, turn[None] * 1.2), -1)
    return sheet(points[:, ::-1], uv[:, ::-1], "hair", 0.0)


def ribbons(paths: np.ndarray, widths: np.ndarray, centre: np.ndarray) -> Mesh:
    """Tapering ribbons along paths (n, steps, 3), flat against the head.

    Normals are the head's, leaning a little to each ribbon's sides as if it were arched: many locks
    then shade as one mass.
    """
    count, steps = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    outward = paths - centre
    outward -= tangent * (outward * tangent).sum(axis=2, keepdims=True)
    outward /= np.maximum(np.linalg.norm(outward, axis=2, keepdims=True), 1e-9)
    side = np.cross(tangent, outward)
    along = np.linspace(0, 1, steps)
    taper = widths[:, None] * np.clip(1.15 - along**3, 0.12, 1.0)
    across = np.array([-1.0, 1.0])
    points = paths[:, :, None] + taper[..., None, None] * across[:, None] * side[:, :, None]
    normals = outward[:, :, None] + 0.55 * across[:, None] * side[:, :, None]
    normals /= np.maximum(np.linalg.norm(normals, axis=3, keepdims=True), 1e-9)
    index = np.arange(count * steps * 2).reshape(count, steps, 2)
    faces = np.stack(
        [index[:, :-1, 0], index[:, :-1, 1], index[:, 1:, 1], index[:, 1:, 0]], axis=-1
    )
    tone = np.arange(count) * 0.618 % 1.0
    uv = np.stack(
        np.broadcast_arrays(
            0.9 * along[None, :, None], tone[:, None, None] + 0.04 * across[None, None]
        ),
        axis=-1,
    )
    return Mesh(
        points.reshape(-1, 3),
        faces.reshape(-1, 4),
        normals.reshape(-1, 3),
        uv.reshape(-1, 2),
        "hair",
    )
