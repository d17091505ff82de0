"""Preview renderer and depth oracle: Embree ray casting of a USD stage through a pinhole camera.

Depth is the exact planar z of the first surface at each pixel centre: Embree finds the triangle,
its plane is then met in float64. Shading is simple and fixed to the world, so that a surface point
has one colour in every camera.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Usd

from .extents import metres_z_up_from_stage
from .scene_geometry import SceneGeometry
from .surface_shading import ImageMap, Shading, srgb_from_linear
from .triangle_soup import SoupBuilder, TriangleSoup, join

_CUT_OUT_LAYERS = 8  # sheets of holes that a ray may pass
_KEY_DIRECTION = np.array([0.35, -0.55, 0.76])  # towards the light; front faces look along -y
_KEY, _FILL, _SKY, _GROUND = 0.62, 0.18, 0.42, 0.22
_BACKGROUND = np.array([0.78, 0.80, 0.83])  # linear RGB behind everything


@dataclass(frozen=True)
class PreviewFrame:
    """One rendered frame.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB.
        depth: (H, W) float32 planar z in metres, +inf where no surface is.
        instance_id: (H, W) uint16, index into ``instance_paths``; 0 is nothing.
        instance_paths: prim path per id; the first is "".
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance_id: NDArray[np.uint16]
    instance_paths: tuple[str, ...]


class PreviewRenderer:
    """Renders one stage; what does not move is kept between frames.

    Args:
        stage: composed stage of any unit and up axis; cameras are given in metres, z up.
        instance_roots: prim paths, each one instance. Default: the nearest ancestor of kind
            component, else the mesh itself; each copy of a point instancer is one instance.
        root: draw only this prim and what is below it.

    Raises:
        ImportError: when embreex is not installed, naming the extra.
    """

    def __init__(
        self,
        stage: Usd.Stage,
        instance_roots: Iterable[str] | None = None,
        root: Usd.Prim | None = None,
    ) -> None:
        _embree()
        self._geometry = SceneGeometry(stage, root)
        self._builder = SoupBuilder(metres_z_up_from_stage(stage), instance_roots)
        self._static: TriangleSoup | None = None
        self._static_paths: set[str] = set()
        self._static_caster: _Caster | None = None

    @property
    def instance_paths(self) -> tuple[str, ...]:
        """Prim path per instance id seen so far; ids never change while the renderer lives."""
        return tuple(self._builder.instance_paths)

    def render(
        self,
        intrinsics: NDArray[Any],
        world_from_camera: NDArray[Any],
        height: int,
        width: int,
        time_code: float | None = None,
        *,
        samples: int = 1,
        ambient_occlusion: int = 0,
    ) -> PreviewFrame:
        """Render one frame.

        Args:
            intrinsics: (3, 3) pixels, pixel centres at +0.5.
            world_from_camera: (4, 4) OpenCV axes (x right, y down, z forward), metres, z up.
            height, width: pixels.
            time_code: None is the first authored sample.
            samples: colour samples per pixel, a square number; depth and ids use the centre.
            ambient_occlusion: rays per hit that darken corners; 0 is off.

        Raises:
            ValueError: for matrices of the wrong shape or a sample count that is no square.
        """
        intrinsics, pose = np.asarray(intrinsics, float), np.asarray(world_from_camera, float)
        side = round(samples**0.5)
        if intrinsics.shape != (3, 3) or pose.shape != (4, 4):
            raise ValueError(
                f"expected intrinsics (3, 3) and world_from_camera (4, 4), "
                f"got {intrinsics.shape} and {pose.shape}"
            )
        if side < 1 or side * side != samples:
            raise ValueError(f"samples must be a square number (1, 4, 9), got {samples}")
        caster = self._scene_at(time_code)
        centre = _rays(intrinsics, pose, height, width, 0.5, 0.5)
        triangle, depth = caster.cast(pose[:3, 3], centre)
        instance = (
            np.where(triangle >= 0, caster.soup.instances[triangle], 0)
            if len(caster.soup)
            else np.zeros(len(triangle), np.int32)
        )
        footprint = 1.0 / max(intrinsics[0, 0], intrinsics[1, 1])
        total = np.zeros((height * width, 3))
        for row in range(side):
            for column in range(side):
                if side == 1:
                    rays, hit, z = centre, triangle, depth
                else:
                    dx, dy = (column + 0.5) / side, (row + 0.5) / side
                    rays = _rays(intrinsics, pose, height, width, dx, dy)
                    hit, z = caster.cast(pose[:3, 3], rays)
                total += caster.shade(pose[:3, 3], rays, hit, z, footprint, ambient_occlusion)
        rgb = srgb_from_linear(total / samples)
        return PreviewFrame(
            (rgb * 255 + 0.5).astype(np.uint8).reshape(height, width, 3),
            depth.astype(np.float32).reshape(height, width),
            instance.astype(np.uint16).reshape(height, width),
            self.instance_paths,
        )

    def _scene_at(self, time: float | None) -> _Caster:
        code = Usd.TimeCode.EarliestTime() if time is None else Usd.TimeCode(time)
        if self._static is None:
            static: list[TriangleSoup] = []
            moving: list[TriangleSoup] = []
            for surface in self._geometry.surfaces(time):
                soup = self._builder.build(surface, code)
                (moving if surface.animated else static).append(soup)
                if not surface.animated:
                    self._static_paths.add(surface.path)
            self._static = join(static)
            self._static_caster = _Caster([self._static], self._builder.shadings)
        else:
            moving = [
                self._builder.build(surface, code)
                for surface in self._geometry.surfaces(time, skip=self._static_paths)
            ]
        assert self._static_caster is not None
        if not moving:
            return self._static_caster
        return _Caster([self._static, join(moving)], self._builder.shadings, self._static_caster)


class _Caster:
    """Embree scenes over soups; hits are indices into the joined soup."""

    def __init__(
        self, soups: list[TriangleSoup], shadings: list[Shading], reuse: _Caster | None = None
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
            rows = rows[
                ~self._is_opaque(origins[rows], directions[rows], triangle[rows], depth[rows])
            ]
            if len(rows) == 0:
                break
            step = depth[rows] * (1 + 1e-6) + 1e-6
            behind = origins[rows] + step[:, None] * directions[rows]
            triangle[rows], further = self._first(behind, directions[rows])
            depth[rows] = step + further
        return triangle, depth

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
        corners = self.soup.corners[triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        from_origin = corners - origins[:, None]
        along = np.einsum("ni,ni->n", normal, directions)
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.einsum("ni,ni->n", normal, from_origin[:, 0]) / along
        # A grazing plane is ill-conditioned; the corners bound where the surface can be.
        squared = np.einsum("ni,ni->n", directions, directions)
        at_corners = np.einsum("nki,ni->nk", from_origin, directions) / squared[:, None]
        low, high = at_corners.min(axis=1), at_corners.max(axis=1)
        reach = np.linalg.norm(from_origin, axis=2).max(axis=1) / np.sqrt(squared)
        usable = np.isfinite(depth) & (depth > 0) & (depth <= reach * (1 + 1e-9))
        return np.where(usable, depth, np.maximum(0.5 * (low + high), 1e-9))

    def _barycentric(
        self, triangles: NDArray[np.int64], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        a, b, c = (self.soup.corners[triangles, k] for k in range(3))
        u, v, w = b - a, c - a, points - a
        uu, uv, vv = (np.einsum("ni,ni->n", p, q) for p, q in ((u, u), (u, v), (v, v)))
        wu, wv = np.einsum("ni,ni->n", w, u), np.einsum("ni,ni->n", w, v)
        determinant = np.maximum(uu * vv - uv * uv, 1e-300)
        second = (vv * wu - uv * wv) / determinant
        third = (uu * wv - uv * wu) / determinant
        return np.clip(np.stack([1 - second - third, second, third], axis=1), 0.0, 1.0)

    def _is_opaque(
        self,
        origins: NDArray[np.float64],
        directions: NDArray[np.float64],
        triangles: NDArray[np.int64],
        depth: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        points = origins + depth[:, None] * directions
        weights = self._barycentric(triangles, points)
        st = np.einsum("nk,nkc->nc", weights, self.soup.uvs[triangles])
        opaque = np.ones(len(triangles), bool)
        materials = self.soup.materials[triangles]
        for material in np.unique(materials):
            shading, rows = self.shadings[material], materials == material
            assert isinstance(shading.opacity, ImageMap)
            alpha = shading.opacity.sample(st[rows], np.zeros(int(rows.sum())))
            opaque[rows] = alpha >= (shading.opacity_threshold or 0.5)
        return opaque

    def shade(
        self,
        origin: NDArray[np.float64],
        directions: NDArray[np.float64],
        triangle: NDArray[np.int64],
        depth: NDArray[np.float64],
        footprint: float,
        ambient_occlusion: int,
    ) -> NDArray[np.float64]:
        """Return (n, 3) linear radiance; ``footprint`` is a pixel's size at depth 1."""
        color = np.broadcast_to(_BACKGROUND, directions.shape).copy()
        rows = np.flatnonzero(triangle >= 0)
        if len(rows) == 0:
            return color
        hit, rays = triangle[rows], directions[rows]
        points = origin + depth[rows, None] * rays
        weights = self._barycentric(hit, points)
        normals = np.einsum("nk,nkc->nc", weights, self.soup.normals[hit])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        # Both sides of a sheet are lit as they are seen.
        normals[np.einsum("ni,ni->n", normals, rays) > 0] *= -1
        diffuse, emissive = self._colors(hit, weights, depth[rows] * footprint)
        light = _irradiance(normals)
        if ambient_occlusion:
            light *= self._openness(points, normals, ambient_occlusion)[:, None]
        color[rows] = diffuse * light + np.minimum(emissive, 4.0)
        return color

    def _colors(
        self, hit: NDArray[np.int64], weights: NDArray[np.float64], pixel: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        soup = self.soup
        display = np.einsum("nk,nkc->nc", weights, soup.colors[hit])
        st = np.einsum("nk,nkc->nc", weights, soup.uvs[hit])
        st_per_metre = _texel_density(soup.corners[hit], soup.uvs[hit])
        diffuse, emissive = display.copy(), np.zeros_like(display)
        materials = soup.materials[hit]
        for material in np.unique(materials):
            shading, rows = self.shadings[material], materials == material
            for channel, out in ((shading.diffuse, diffuse), (shading.emissive, emissive)):
                if isinstance(channel, ImageMap):
                    out[rows] = channel.sample(st[rows], (st_per_metre * pixel)[rows])
                elif channel is not None:
                    out[rows] = channel
        return diffuse, emissive

    def _openness(
        self, points: NDArray[np.float64], normals: NDArray[np.float64], count: int
    ) -> NDArray[np.float64]:
        """Share of a cosine-weighted bundle that gets half a metre far, eased to [0.35, 1]."""
        tangent = np.cross(
            normals, np.where(np.abs(normals[:, 2:]) < 0.9, [[0, 0, 1.0]], [[1.0, 0, 0]])
        )
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        bitangent = np.cross(normals, tangent)
        start = np.ascontiguousarray(points + 1e-3 * normals, np.float32)
        reach = np.full(len(points), 0.5, np.float32)
        blocked = np.zeros(len(points))
        for index in range(count):
            radius = np.sqrt((index + 0.5) / count)
            angle = index * 2.399963229728653  # golden angle: an even spiral
            x, y = radius * np.cos(angle), radius * np.sin(angle)
            ray = x * tangent + y * bitangent + np.sqrt(1 - radius**2) * normals
            ray = np.ascontiguousarray(ray, np.float32)
            occluded = np.zeros(len(points), bool)
            for scene in self._scenes:
                if scene is not None:
                    occluded |= scene.run(start, ray, reach, query="OCCLUDED") >= 0
            blocked += occluded
        return 1.0 - 0.65 * blocked / count


def _irradiance(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """A key light, a fill from the other side and a hemisphere, all fixed to the world."""
    key = np.maximum(normals @ (_KEY_DIRECTION / np.linalg.norm(_KEY_DIRECTION)), 0.0)
    fill_direction = np.array([-0.8, -0.3, 0.2]) / np.linalg.norm([-0.8, -0.3, 0.2])
    fill = np.maximum(normals @ fill_direction, 0.0)
    up = 0.5 + 0.5 * normals[:, 2]
    total = _KEY * key + _FILL * fill + _SKY * up + _GROUND * (1 - up)
    return np.repeat(total[:, None], 3, axis=1)


def _texel_density(corners: NDArray[np.float64], uvs: NDArray[Any]) -> NDArray[np.float64]:
    """Units of ``st`` per metre of each triangle, from the two areas."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    e1, e2 = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    st_area = np.abs(e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0])
    return np.sqrt(st_area / np.maximum(area, 1e-30))


def _rays(
    intrinsics: NDArray[np.float64],
    pose: NDArray[np.float64],
    height: int,
    width: int,
    dx: float,
    dy: float,
) -> NDArray[np.float64]:
    """World directions (H W, 3) of unit camera z through the point (dx, dy) of every pixel."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x + dx, y + dy, np.ones_like(x)], axis=-1).reshape(-1, 3)
    rays: NDArray[np.float64] = pixels @ np.linalg.inv(intrinsics).T @ pose[:3, :3].T
    return rays


def _embree_scene(soup: TriangleSoup) -> Any:
    if len(soup) == 0:
        return None
    rtcore_scene, mesh_construction = _embree()
    scene = rtcore_scene.EmbreeScene(robust=True)
    mesh_construction.TriangleMesh(scene, np.ascontiguousarray(soup.corners, np.float32))
    return scene


def _embree() -> tuple[Any, Any]:
    try:
        from embreex import mesh_construction, rtcore_scene
    except ImportError as error:
        raise ImportError(
            "the preview renderer needs embreex; install it with "
            "pip install 'scaling4d[render]' (or [library])"
        ) from error
    return rtcore_scene, mesh_construction
