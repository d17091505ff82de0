"""A small polygon mesh: what the procedural library models with before anything becomes USD.

Points are metres in the asset frame (z up, front faces -y). Faces are rows of four indices; a
triangle repeats its last index. Normals and texture coordinates are per point, so a primitive
splits points where a crease or a texture seam runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Mesh", "merge", "smooth_normals"]


@dataclass(frozen=True)
class Mesh:
    """Points (N, 3), faces (F, 4), unit normals (N, 3), uv (N, 2) and the material slot's name."""

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    slot: str = "wood"

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """This mesh shifted by (x, y, z) metres."""
        return replace(self, points=self.points + np.array([x, y, z]))

    def turned(self, degrees: float, axis: str = "z") -> Mesh:
        """This mesh turned about an axis through the origin, right-handed."""
        return self.transformed(rotation(degrees, axis))

    def transformed(self, matrix: np.ndarray) -> Mesh:
        """This mesh under a 3x3 matrix (column vectors); a mirror also flips the faces."""
        inverse_transpose = np.linalg.inv(matrix).T
        normals = self.normals @ inverse_transpose.T
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        faces = self.faces
        if np.linalg.det(matrix) < 0:
            is_triangle = faces[:, 2] == faces[:, 3]
            faces = np.where(is_triangle[:, None], faces[:, [2, 1, 0, 0]], faces[:, ::-1])
        return replace(self, points=self.points @ matrix.T, normals=normals, faces=faces)

    def scaled(self, x: float, y: float, z: float) -> Mesh:
        """This mesh scaled about the origin; a negative factor mirrors."""
        return self.transformed(np.diag([x, y, z]))

    def mirrored(self) -> Mesh:
        """The mirror image across the plane x = 0."""
        return self.scaled(-1.0, 1.0, 1.0)

    def painted(self, slot: str) -> Mesh:
        """This mesh in another material slot."""
        return replace(self, slot=slot)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest corner, metres."""
        return self.points.min(axis=0), self.points.max(axis=0)


def rotation(degrees: float, axis: str) -> np.ndarray:
    """The 3x3 right-handed rotation about "x", "y" or "z"."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix


def merge(meshes: Iterable[Mesh]) -> dict[str, Mesh]:
    """One mesh per material slot, slots in order of first use."""
    groups: dict[str, list[Mesh]] = {}
    for mesh in meshes:
        groups.setdefault(mesh.slot, []).append(mesh)
    return {slot: _concatenate(group, slot) for slot, group in groups.items()}


def _concatenate(group: list[Mesh], slot: str) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.points) for mesh in group[:-1])])
    return Mesh(
        points=np.concatenate([mesh.points for mesh in group]),
        faces=np.concatenate(
            [mesh.faces + start for mesh, start in zip(group, starts, strict=True)]
        ),
        normals=np.concatenate([mesh.normals for mesh in group]),
        uv=np.concatenate([mesh.uv for mesh in group]),
        slot=slot,
    )


def smooth_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted normals (N, 3); points at one position share a normal whatever their seam."""
    corner = points[faces]
    face_normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    triangle = faces[:, 2] == faces[:, 3]
    face_normal[triangle] = np.cross(
        corner[triangle, 1] - corner[triangle, 0], corner[triangle, 2] - corner[triangle, 0]
    )
    _, welded = np.unique(np.round(points * 1e5).astype(np.int64), axis=0, return_inverse=True)
    welded = welded.reshape(-1)
    sums = np.zeros((welded.max() + 1, 3))
    for column in range(4):
        valid = np.ones(len(faces), bool) if column < 3 else ~triangle
        for axis in range(3):
            sums[:, axis] += np.bincount(
                welded[faces[valid, column]], face_normal[valid, axis], minlength=len(sums)
            )
    normals = sums[welded]
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
