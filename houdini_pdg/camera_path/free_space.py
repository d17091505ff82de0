"""Sampled free points and the roadmap that joins them (§3.3: sample points, connect them)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from houdini_pdg.layout.solids import FloorRegion

from .styles import PROPOSALS, SAMPLES

_NEIGHBOURS = 8
_EDGE_SAMPLES = 6
_LONGEST_EDGE = 1.2


@dataclass(frozen=True)
class FreeSpace:
    """Points (n, 3) whose clearance is at least `clearance`, and the function that measures it."""

    points: np.ndarray
    clearance: float
    distance: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def roadmap(self) -> csr_matrix:
        """Lengths of edges that keep `clearance` along their whole segment.

        Samples a step apart with distance >= clearance + step / 2 prove the segment, because the
        distance is 1-Lipschitz.
        """
        count = len(self.points)
        _, neighbours = cKDTree(self.points).query(self.points, k=min(_NEIGHBOURS + 1, count))
        start = np.repeat(np.arange(count), neighbours.shape[1] - 1)
        end = neighbours[:, 1:].ravel()
        keep = start != end
        start, end = start[keep], end[keep]
        a, b = self.points[start], self.points[end]
        length = np.linalg.norm(b - a, axis=1)
        u = (np.arange(_EDGE_SAMPLES) + 0.5) / _EDGE_SAMPLES
        along = a[:, None] + u[:, None] * (b - a)[:, None]
        need = self.clearance + length / (2 * _EDGE_SAMPLES)
        clear = (self.distance(along) >= need[:, None]).all(axis=1) & (length <= _LONGEST_EDGE)
        graph = csr_matrix((length[clear], (start[clear], end[clear])), shape=(count, count))
        return graph.maximum(graph.T)

    def routes(
        self, start: np.ndarray, travel: float, visible: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Curves (proposals, SAMPLES, 3) through free points, each `travel` long at most.

        Goals are reachable points whose route is at least half the travel; those that see the
        subject (`visible` (n,)) are preferred. Empty when nothing is reachable.
        """
        gap = np.linalg.norm(self.points - start, axis=1)
        first = int(gap.argmin())
        length, previous = dijkstra(self.roadmap, indices=first, return_predecessors=True)
        goals = np.flatnonzero(np.isfinite(length) & (length > 0.5 * travel))
        goals = goals[np.argsort(~visible[goals], kind="stable")]
        seen = int(visible[goals].sum())
        pool = goals[: max(seen, min(len(goals), 6))]
        curves = []
        for goal in rng.permutation(pool)[: PROPOSALS // 4]:
            nodes = [int(goal)]
            while nodes[-1] != first:
                nodes.append(int(previous[nodes[-1]]))
            route = np.concatenate([start[None], self.points[nodes[::-1]]])
            dense = _by_length(route, 4 * SAMPLES)
            curves += [_crop(_smooth(dense, sigma), travel) for sigma in (24.0, 12.0, 6.0, 2.0)]
        return np.stack(curves) if curves else np.empty((0, SAMPLES, 3))


def _by_length(points: np.ndarray, count: int) -> np.ndarray:
    """Resample a polyline to `count` points evenly by length."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    points = points[np.concatenate([[True], steps > 1e-9])]
    position = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0.0, position[-1], count)
    return np.stack([np.interp(at, position, points[:, k]) for k in range(3)], axis=1)


def _smooth(points: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing that leaves both ends in place."""
    mirrored = np.concatenate(
        [2 * points[:1] - points[:0:-1], points, 2 * points[-1:] - points[-2::-1]]
    )
    smooth = gaussian_filter1d(mirrored, sigma, axis=0)[len(points) - 1 : 2 * len(points) - 1]
    return smooth


def _crop(points: np.ndarray, travel: float) -> np.ndarray:
    """The first `travel` metres of a polyline, resampled to SAMPLES points."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    position = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, min(travel, position[-1]), SAMPLES)
    return np.stack([np.interp(at, position, points[:, k]) for k in range(3)], axis=1)


def sample_points(
    region: FloorRegion,
    low: np.ndarray,
    high: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the points over floor, (n, 3), of `count` drawn uniformly from a box."""
    points = rng.uniform(low, high, (count, 3))
    return points[region.contains(points[:, :2])]
