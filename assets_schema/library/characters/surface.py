"""Quad surfaces cut from the base mesh: clipped along a field, subdivided, relaxed, hemmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

__all__ = ["Surface", "Topology", "cut"]


@dataclass(frozen=True)
class Topology:
    """Faces (F, 4) over `count` points; a triangle repeats its last index."""

    faces: np.ndarray
    count: int

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Unique edges (E, 2) and how many faces use each."""
        pairs = np.concatenate([self.faces[:, [k, (k + 1) % 4]] for k in range(4)])
        pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
        return np.unique(pairs, axis=0, return_counts=True)

    @cached_property
    def border(self) -> np.ndarray:
        """Sorted indices of the points on an open border."""
        pairs, uses = self.edges
        return np.unique(pairs[uses == 1])

    @cached_property
    def rim(self) -> np.ndarray:
        """Directed border edges (E, 2), with the faces on their left."""
        pairs, uses = self.edges
        border = {tuple(pair) for pair in pairs[uses == 1].tolist()}
        directed = np.concatenate([self.faces[:, [k, (k + 1) % 4]] for k in range(4)]).tolist()
        rim = [edge for edge in directed if tuple(sorted(edge)) in border]
        return np.asarray(rim, int).reshape(-1, 2)

    @cached_property
    def mean(self) -> sparse.csr_matrix:
        """Each point's mean neighbour; a border point only has neighbours along the border."""
        pairs, uses = self.edges
        on_border = np.zeros(self.count, bool)
        on_border[self.border] = True
        rows, columns = [], []
        for start, end in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
            keep = ~on_border[start] | (uses == 1)
            rows.append(start[keep])
            columns.append(end[keep])
        row, column = np.concatenate(rows), np.concatenate(columns)
        matrix = sparse.csr_matrix((np.ones(len(row)), (row, column)), (self.count, self.count))
        degree = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)
        return (sparse.diags(1 / degree) @ matrix).tocsr()

    @cached_property
    def gather(self) -> sparse.csr_matrix:
        """Sums of face values at their corners, (N, F)."""
        triangle = self.faces[:, 2] == self.faces[:, 3]
        keep = np.ones(self.faces.shape, bool)
        keep[triangle, 3] = False
        rows = self.faces[keep]
        columns = np.nonzero(keep)[0]
        return sparse.csr_matrix(
            (np.ones(len(rows)), (rows, columns)), (self.count, len(self.faces))
        )

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Area-weighted unit normals (N, 3)."""
        corner = points[self.faces]
        face = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
        triangle = self.faces[:, 2] == self.faces[:, 3]
        face[triangle] = np.cross(
            corner[triangle, 1] - corner[triangle, 0], corner[triangle, 2] - corner[triangle, 0]
        )
        total = self.gather @ face
        return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)


@dataclass(frozen=True)
class Surface:
    """Points (N, 3) with their topology and where they come from.

    `source` (N, S): every point as a weighted mean of base-mesh points, so that the same cloth can
    be laid over another body and takes its skin weights from below.
    """

    points: np.ndarray
    topology: Topology
    source: sparse.csr_matrix

    @property
    def normals(self) -> np.ndarray:
        """Area-weighted unit normals (N, 3)."""
        return self.topology.normals(self.points)

    def on(self, base_points: np.ndarray) -> Surface:
        """The same surface over another body's base-mesh positions."""
        return replace(self, points=self.source @ base_points)

    def moved_to(self, points: np.ndarray) -> Surface:
        """The same surface with other positions."""
        return replace(self, points=points)

    def relaxed(self, rounds: int, amount: float = 0.5) -> Surface:
        """Laplacian smoothing of the points."""
        points = self.points
        for _ in range(rounds):
            points = points + amount * (self.topology.mean @ points - points)
        return self.moved_to(points)

    def subdivided(self) -> Surface:
        """One round of quad subdivision with half a step of smoothing."""
        topology, count = self.topology, self.topology.count
        pairs, _ = topology.edges
        lookup = {tuple(pair): count + i for i, pair in enumerate(pairs.tolist())}
        middles = sparse.csr_matrix(
            (np.full(2 * len(pairs), 0.5), (np.repeat(np.arange(len(pairs)), 2), pairs.ravel())),
            (len(pairs), count),
        )
        centres = topology.gather.T.tocsr()
        centres = sparse.diags(1 / np.asarray(centres.sum(axis=1)).ravel()) @ centres
        spread = sparse.vstack([sparse.identity(count, format="csr"), middles, centres]).tocsr()
        first_centre = count + len(pairs)
        quads = []
        for index, face in enumerate(topology.faces.tolist()):
            ring = face[:3] if face[2] == face[3] else face
            sides = [
                lookup[tuple(sorted((a, b)))]
                for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
            ]
            quads += [[a, sides[k], first_centre + index, sides[k - 1]] for k, a in enumerate(ring)]
        finer = Topology(np.asarray(quads), first_centre + len(topology.faces))
        smooth = 0.5 * (sparse.identity(finer.count, format="csr") + finer.mean) @ spread
        return Surface(smooth @ self.points, finer, (smooth @ self.source).tocsr())

    def hemmed(
        self, thickness: float, depth: float = 0.03
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The surface with its borders folded inwards, so that cloth shows a thickness.

        Returns points (M, 3), faces (G, 4) and the index (M,) of the point each came from.
        """
        topology, points = self.topology, self.points
        border, count = topology.border, topology.count
        if not len(border):
            return points, topology.faces, np.arange(count)
        normals = self.normals[border]
        inward = (self._inner_mean - points)[border]
        inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
        fold = points[border] - thickness * normals
        inside = fold + depth * inward - 0.3 * thickness * normals
        place = np.full(count, -1)
        place[border] = np.arange(len(border))
        start, end = place[topology.rim].T
        first, second = count, count + len(border)
        rim_a, rim_b = topology.rim.T
        strips = [
            np.stack([rim_b, rim_a, first + start, first + end], axis=1),
            np.stack([first + end, first + start, second + start, second + end], axis=1),
        ]
        return (
            np.concatenate([points, fold, inside]),
            np.concatenate([topology.faces, *strips]),
            np.concatenate([np.arange(count), border, border]),
        )

    @property
    def _inner_mean(self) -> np.ndarray:
        """For border points, the mean of the neighbours that are not on the border."""
        pairs, _ = self.topology.edges
        on_border = np.zeros(self.topology.count, bool)
        on_border[self.topology.border] = True
        total, weight = np.zeros_like(self.points), np.full(self.topology.count, 1e-12)
        for a, b in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
            chosen = on_border[a] & ~on_border[b]
            np.add.at(total, a[chosen], self.points[b[chosen]])
            np.add.at(weight, a[chosen], 1.0)
        return np.where(weight[:, None] > 0.5, total / weight[:, None], self.points)


def cut(points: np.ndarray, faces: np.ndarray, inside: np.ndarray) -> Surface:
    """The part of a base mesh where the field `inside` (S,) is positive.

    Faces with two positive corners stay; their outer corners slide along edges to the zero line,
    so the border is smooth however the faces lie.
    """
    chosen = faces[(inside[faces] > 0).sum(axis=1) >= 2]
    used, inverse = np.unique(chosen, return_inverse=True)
    topology = Topology(inverse.reshape(chosen.shape), len(used))
    value = inside[used]
    pairs, _ = topology.edges
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    outer = (value[pairs[:, 0]] <= 0) & (value[pairs[:, 1]] > 0)
    a, b = pairs[outer].T
    share = value[a] / (value[a] - value[b])  # how far to go from the outer point a to b
    total = np.maximum(np.bincount(a, minlength=len(used)), 1)
    rows = np.concatenate([np.arange(len(used)), a, a])
    columns = np.concatenate([np.arange(len(used)), a, b])
    alone = np.bincount(a, minlength=len(used)) == 0
    values = np.concatenate([alone.astype(float), (1 - share) / total[a], share / total[a]])
    source = sparse.csr_matrix((values, (rows, used[columns])), (len(used), len(points)))
    source.sum_duplicates()
    return Surface(source @ points, topology, source)
