"""Rays against triangles: Embree finds the triangle, float64 arithmetic finds the point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surface_shading import ImageMap, Shading
from .triangle_soup import TriangleSoup, join

_CUT_OUT_LAYERS = 8  # sheets of holes that a ray may pass
_GRAZING = 1e-4  # sine of the angle between ray and plane below which the plane is ill-conditioned


class RayCaster:
    """Embree scenes over soups; hits are indices into the joined soup.

    Args:
        soups: triangles; one Embree scene each.
        shadings: of the soups' materials; a material with an opacity image is cut out by it.
        reuse: a caster whose scenes belong to the first soups.

    Raises:
        ImportError: when embreex is not installed, naming the extra.
    """

    def __init__(
        self, soups: list[TriangleSoup], shadings: list[Shading], reuse: RayCaster | None = None
    ) -> None:
        self.soup = soups[0] if len(soups) == 1 else join(soups)
        self.shadings = shadings
        self._scenes: list[Any] = list(reuse._scenes) if reuse else []
        for soup in soups[len(self._scenes) :]:
            self._scenes.append(_embree_scene(soup))
        self._offsets = np.cumsum([0, *(len(soup) for soup in soups)])
        self._cut_out = np.array(
            [isinstance(shading.opacity, ImageMap) for shading in shadings], dtype=bool
        )

    def cast(
        self, origin: NDArray[np.float64], directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the first opaque triangle (-1: none) and its ray parameter (+inf: none).

        ``directions`` have unit z in the camera, so the parameter is the planar depth.
        """
        origins = np.broadcast_to(origin, directions.shape)
        triangle, depth = self._first(origins, directions)
        if not self._cut_out.any():
            return triangle, depth
        for _ in range(_CUT_OUT_LAYERS):
            rows = np.flatnonzero(triangle >= 0)
            rows = rows[self._cut_out[self.soup.materials[triangle[rows]]]]
            points = origins[rows] + depth[rows, None] * directions[rows]
            rows = rows[~self._is_opaque(points, triangle[rows])]
            if len(rows) == 0:
                break
            step = depth[rows] * (1 + 1e-6) + 1e-6
            behind = origins[rows] + step[:, None] * directions[rows]
            triangle[rows], further = self._first(behind, directions[rows])
            depth[rows] = step + further
        return triangle, depth

    def occluded(
        self, origins: NDArray[np.float32], directions: NDArray[np.float32], reach: float
    ) -> NDArray[np.bool_]:
        """Say for each unit direction whether a triangle lies within ``reach`` metres."""
        distances = np.full(len(origins), reach, np.float32)
        blocked = np.zeros(len(origins), bool)
        for scene in self._scenes:
            if scene is not None:
                blocked |= scene.run(origins, directions, distances, query="OCCLUDED") >= 0
        return blocked

    def barycentric(
        self, triangles: NDArray[np.int64], points: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return the (n, 3) weights of the corners at points of their triangles."""
        from_first = points - self.soup.corners[triangles, 0]
        duals = self.soup.duals[triangles]
        weights = np.empty((len(triangles), 3), np.float32)
        weights[:, 1] = (from_first * duals[:, 0]).sum(axis=1)
        weights[:, 2] = (from_first * duals[:, 1]).sum(axis=1)
        weights[:, 0] = 1.0 - weights[:, 1] - weights[:, 2]
        return np.clip(weights, 0.0, 1.0, out=weights)

    def _first(
        self, origins: NDArray[np.float64], directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        best = np.full(len(directions), -1, np.int64)
        depth = np.full(len(directions), np.inf)
        starts = np.ascontiguousarray(origins, np.float32)
        rays = np.ascontiguousarray(directions, np.float32)
        for scene, offset in zip(self._scenes, self._offsets, strict=False):
            if scene is None:
                continue
            hit = scene.run(starts, rays).astype(np.int64)
            rows = np.flatnonzero(hit >= 0)
            found = self._plane_depth(hit[rows] + offset, origins[rows], directions[rows])
            nearer = found < depth[rows]
            best[rows[nearer]] = hit[rows[nearer]] + offset
            depth[rows[nearer]] = found[nearer]
        return best, depth

    def _plane_depth(
        self,
        triangles: NDArray[np.int64],
        origins: NDArray[np.float64],
        directions: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        normal = self.soup.planes[triangles]
        along = (normal[:, :3] * directions).sum(axis=1)
        above = (normal[:, :3] * origins).sum(axis=1) - normal[:, 3]
        squared = (directions * directions).sum(axis=1)
        steep = along * along > _GRAZING**2 * squared  # plane normals have unit length
        depth: NDArray[np.float64] = -above / np.where(steep, along, 1.0)
        rows = np.flatnonzero(~(steep & (depth > 0)))
        if len(rows):  # the corners bound where the surface can be
            towards = self.soup.corners[triangles[rows]] - origins[rows, None]
            at_corners = np.einsum("nki,ni->nk", towards, directions[rows]) / squared[rows, None]
            middle = 0.5 * (at_corners.min(axis=1) + at_corners.max(axis=1))
            depth[rows] = np.maximum(middle, 1e-9)
        return depth

    def _is_opaque(
        self, points: NDArray[np.float64], triangles: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        st = interpolate(self.barycentric(triangles, points), self.soup.uvs[triangles])
        opaque = np.ones(len(triangles), bool)
        materials = self.soup.materials[triangles]
        for material in np.unique(materials):
            shading, rows = self.shadings[material], materials == material
            assert isinstance(shading.opacity, ImageMap)
            alpha = shading.opacity.sample(st[rows], np.zeros(int(rows.sum())))
            opaque[rows] = alpha >= (shading.opacity_threshold or 0.5)
        return opaque


def interpolate(weights: NDArray[np.float32], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weigh (n, 3, c) corner values by (n, 3) barycentric weights."""
    result: NDArray[np.float32] = weights[:, :1] * corners[:, 0]
    result += weights[:, 1:2] * corners[:, 1]
    result += weights[:, 2:] * corners[:, 2]
    return result


def _embree_scene(soup: TriangleSoup) -> Any:
    if len(soup) == 0:
        return None
    rtcore_scene, mesh_construction = require_embree()
    scene = rtcore_scene.EmbreeScene(robust=True)
    mesh_construction.TriangleMesh(scene, np.ascontiguousarray(soup.corners, np.float32))
    return scene


def require_embree() -> tuple[Any, Any]:
    """Return embreex's two modules, or say which extra to install."""
    try:
        from embreex import mesh_construction, rtcore_scene
    except ImportError as error:
        raise ImportError(
            "the preview renderer needs embreex; install it with "
            "pip install 'scaling4d[render]' (or [library])"
        ) from error
    return rtcore_scene, mesh_construction
