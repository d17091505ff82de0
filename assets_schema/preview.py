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
from .preview_shading import shade
from .ray_caster import RayCaster, require_embree
from .scene_geometry import SceneGeometry
from .surface_shading import srgb_from_linear
from .triangle_soup import SoupBuilder, TriangleSoup, join


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
        require_embree()
        self._geometry = SceneGeometry(stage, root)
        self._builder = SoupBuilder(metres_z_up_from_stage(stage), instance_roots)
        self._static: TriangleSoup | None = None
        self._static_paths: set[str] = set()
        self._static_caster: RayCaster | None = None

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
        total = np.zeros((height * width, 3), np.float32)
        for row in range(side):
            for column in range(side):
                if side == 1:
                    rays, hit, z = centre, triangle, depth
                else:
                    dx, dy = (column + 0.5) / side, (row + 0.5) / side
                    rays = _rays(intrinsics, pose, height, width, dx, dy)
                    hit, z = caster.cast(pose[:3, 3], rays)
                total += shade(caster, pose[:3, 3], rays, hit, z, footprint, ambient_occlusion)
        rgb = srgb_from_linear(total / samples)
        return PreviewFrame(
            (rgb * 255 + 0.5).astype(np.uint8).reshape(height, width, 3),
            depth.astype(np.float32).reshape(height, width),
            instance.astype(np.uint16).reshape(height, width),
            self.instance_paths,
        )

    def _scene_at(self, time: float | None) -> RayCaster:
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
            self._static_caster = RayCaster([self._static], self._builder.shadings)
        else:
            moving = [
                self._builder.build(surface, code)
                for surface in self._geometry.surfaces(time, skip=self._static_paths)
            ]
        assert self._static_caster is not None
        if not moving:
            return self._static_caster
        return RayCaster([self._static, join(moving)], self._builder.shadings, self._static_caster)


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
