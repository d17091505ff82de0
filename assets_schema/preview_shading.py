"""Colour of hits: fixed lights, albedo from materials, optional darkening of corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .ray_caster import RayCaster, interpolate
from .surface_shading import ImageMap

_KEY_DIRECTION = np.array([0.35, -0.55, 0.76])  # towards the light; front faces look along -y
_FILL_DIRECTION = np.array([-0.8, -0.3, 0.2])
_KEY, _FILL, _SKY, _GROUND = 0.62, 0.18, 0.42, 0.22
_BACKGROUND = np.array([0.78, 0.80, 0.83], np.float32)  # linear RGB behind everything
_BRIGHTEST = 4.0  # linear; a lamp's surface may be thousands
_OCCLUSION_REACH, _OCCLUSION_DEPTH = 0.5, 0.65  # metres; share of light lost in a closed corner
_X_AXIS, _Z_AXIS = np.eye(3, dtype=np.float32)[[0, 2]]
_GOLDEN_ANGLE = 2.399963229728653


def shade(
    caster: RayCaster,
    origin: NDArray[np.float64],
    directions: NDArray[np.float64],
    triangle: NDArray[np.int64],
    depth: NDArray[np.float64],
    footprint: float,
    ambient_occlusion: int,
) -> NDArray[np.float32]:
    """Return (n, 3) linear radiance.

    Args:
        triangle, depth: hits as `RayCaster.cast` returns them.
        footprint: size of a pixel at depth 1, for the choice of texture level.
        ambient_occlusion: rays per hit, 0 for none.
    """
    color = np.broadcast_to(_BACKGROUND, directions.shape).copy()
    rows = np.flatnonzero(triangle >= 0)
    if len(rows) == 0:
        return color
    hit, rays = triangle[rows], directions[rows]
    points = origin + depth[rows, None] * rays
    weights = caster.barycentric(hit, points)
    normals = interpolate(weights, caster.soup.normals[hit])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # Both sides of a sheet are lit as they are seen.
    normals[(normals * rays).sum(axis=1) > 0] *= -1
    diffuse, emissive = _albedo(caster, hit, weights, depth[rows] * footprint)
    light = _irradiance(normals)
    if ambient_occlusion:
        light *= _openness(caster, points, normals, ambient_occlusion)
    color[rows] = diffuse * light[:, None] + np.minimum(emissive, _BRIGHTEST)
    return color


def _albedo(
    caster: RayCaster,
    hit: NDArray[np.int64],
    weights: NDArray[np.float32],
    pixel: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return diffuse and emissive colour; materials are looked up one after the other."""
    soup = caster.soup
    diffuse = np.empty((len(hit), 3), np.float32)
    emissive = np.zeros((len(hit), 3), np.float32)
    order = np.argsort(soup.materials[hit], kind="stable")
    numbers, starts = np.unique(soup.materials[hit][order], return_index=True)
    for material, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
        shading = caster.shadings[material]
        for channel, out in ((shading.diffuse, diffuse), (shading.emissive, emissive)):
            if isinstance(channel, ImageMap):
                st = interpolate(weights[rows], soup.uvs[hit[rows]])
                out[rows] = channel.sample(st, soup.st_per_metre[hit[rows]] * pixel[rows])
            elif channel is not None:
                out[rows] = channel
            elif out is diffuse:
                out[rows] = interpolate(weights[rows], soup.colors[hit[rows]])
    return diffuse, emissive


def _openness(
    caster: RayCaster, points: NDArray[np.float64], normals: NDArray[np.float32], count: int
) -> NDArray[np.float32]:
    """Light left, from the share of a cosine-weighted bundle that gets half a metre far."""
    steep = np.abs(normals[:, 2:]) >= 0.9
    helper = np.where(steep, _X_AXIS, _Z_AXIS)
    tangent = np.cross(normals, helper)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    bitangent = np.cross(normals, tangent)
    start = np.ascontiguousarray(points + 1e-3 * normals, np.float32)
    blocked = np.zeros(len(points), np.float32)
    for index in range(count):
        radius = np.sqrt((index + 0.5) / count)
        angle = index * _GOLDEN_ANGLE
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        ray = x * tangent + y * bitangent + np.sqrt(1 - radius**2) * normals
        blocked += caster.occluded(start, ray.astype(np.float32), _OCCLUSION_REACH)
    return np.float32(1.0) - np.float32(_OCCLUSION_DEPTH / count) * blocked


def _irradiance(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """A key light, a fill from the other side and a hemisphere, all fixed to the world."""
    key = normals @ np.float32(_KEY_DIRECTION / np.linalg.norm(_KEY_DIRECTION))
    fill = normals @ np.float32(_FILL_DIRECTION / np.linalg.norm(_FILL_DIRECTION))
    up = 0.5 + 0.5 * normals[:, 2]
    total = _KEY * np.maximum(key, 0) + _FILL * np.maximum(fill, 0)
    total += _SKY * up + _GROUND * (1 - up)
    return total.astype(np.float32)
