"""Triangle and quad meshes of USD's implicit surfaces, for scenes that still hold gprims."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom

Mesh = tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]

_SEGMENTS = 48  # around an axis: chord error 0.2 % of the radius
_AXES = {"X": (1, 2, 0), "Y": (2, 0, 1), "Z": (0, 1, 2)}  # positions of (u, v, axis) in xyz


def gprim_mesh(prim: Usd.Prim, code: Usd.TimeCode) -> Mesh | None:
    """Return points (n, 3), face counts and indices of a gprim, or None if it has no surface."""
    kind = prim.GetTypeName()
    if kind == "Cube":
        return _cube(UsdGeom.Cube(prim).GetSizeAttr().Get(code))
    if kind == "Plane":
        plane = UsdGeom.Plane(prim)
        return _plane(plane.GetWidthAttr().Get(code), plane.GetLengthAttr().Get(code), _axis(prim))
    if kind == "Sphere":
        return _lathe(_arc(UsdGeom.Sphere(prim).GetRadiusAttr().Get(code), 0.0), "Z")
    if kind in ("Cylinder", "Cone", "Capsule"):
        schema = getattr(UsdGeom, kind)(prim)
        radius, half = schema.GetRadiusAttr().Get(code), schema.GetHeightAttr().Get(code) / 2
        if kind == "Cylinder":
            profile = np.array([[0, -half], [radius, -half], [radius, half], [0, half]])
        elif kind == "Cone":
            profile = np.array([[0, -half], [radius, -half], [0, half]])
        else:
            profile = _arc(radius, half)
        return _lathe(profile, _axis(prim))
    return None


def _axis(prim: Usd.Prim) -> str:
    return str(prim.GetAttribute("axis").Get())


def _cube(size: float) -> Mesh:
    corners = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * (size / 2)
    faces = np.array(
        [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [1, 3, 7, 5], [3, 2, 6, 7], [2, 0, 4, 6]]
    )
    return corners, np.full(6, 4, np.int32), faces.ravel().astype(np.int32)


def _plane(width: float, length: float, axis: str) -> Mesh:
    # UsdGeomPlane: width along x (z for axis X), length along y (z for axis Y).
    u, v = width / 2, length / 2
    flat = np.array([[-u, -v], [u, -v], [u, v], [-u, v]])
    points = np.zeros((4, 3))
    columns = {"X": (2, 1), "Y": (0, 2), "Z": (0, 1)}[axis]
    points[:, columns] = flat
    order = [0, 1, 2, 3] if axis == "Z" else [3, 2, 1, 0]
    return points, np.array([4], np.int32), np.array(order, np.int32)


def _arc(radius: float, half: float) -> NDArray[np.float64]:
    angles = np.linspace(-np.pi / 2, np.pi / 2, _SEGMENTS // 2 + 1)
    offset = np.where(angles < 0, -half, half)
    profile = np.stack([radius * np.cos(angles), radius * np.sin(angles) + offset], axis=1)
    if half > 0:  # the equator belongs to both caps of a capsule
        middle = len(angles) // 2
        profile = np.insert(profile, middle, [radius, -half], axis=0)
    profile[[0, -1], 0] = 0.0
    return profile


def _lathe(profile: NDArray[np.float64], axis: str) -> Mesh:
    """Turn an (n, 2) profile of (radius, height), bottom first, about an axis."""
    angles = np.arange(_SEGMENTS) * (2 * np.pi / _SEGMENTS)
    rings = len(profile)
    local = np.empty((rings, _SEGMENTS, 3))
    local[..., 0] = profile[:, :1] * np.cos(angles)
    local[..., 1] = profile[:, :1] * np.sin(angles)
    local[..., 2] = profile[:, 1:]
    points = np.empty_like(local)
    points[..., list(_AXES[axis])] = local
    ring, segment = np.meshgrid(np.arange(rings - 1), np.arange(_SEGMENTS), indexing="ij")
    after = (segment + 1) % _SEGMENTS
    quads = np.stack(
        [
            ring * _SEGMENTS + segment,
            ring * _SEGMENTS + after,
            (ring + 1) * _SEGMENTS + after,
            (ring + 1) * _SEGMENTS + segment,
        ],
        axis=-1,
    ).reshape(-1, 4)
    counts = np.full(len(quads), 4, np.int32)
    return points.reshape(-1, 3), counts, quads.ravel().astype(np.int32)
