"""Surfaces as flat per-triangle arrays, with all that a hit needs for depth, id and colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pxr import Kind, Usd, UsdGeom, UsdShade

from .scene_geometry import Surface, triangulate
from .surface_shading import ImageMap, MaterialReader, Shading, display_color

_UNBOUND_GREY = 0.5


@dataclass(frozen=True)
class TriangleSoup:
    """m triangles in world space (metres, z up).

    Attributes:
        corners: (m, 3, 3) float64 vertices.
        normals: (m, 3, 3) float32 shading normals per corner, unit length.
        uvs: (m, 3, 2) float32 texture coordinates of the bound material's primvar.
        colors: (m, 3, 3) float32 linear displayColor per corner.
        materials: (m,) int32 index into the renderer's list of shadings.
        instances: (m,) int32 instance id, 1-based.
    """

    corners: NDArray[np.float64]
    normals: NDArray[np.float32]
    uvs: NDArray[np.float32]
    colors: NDArray[np.float32]
    materials: NDArray[np.int32]
    instances: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.corners)

    @cached_property
    def planes(self) -> NDArray[np.float64]:
        """(m, 4) unit normal n and offset d of each plane n . x = d."""
        cross = np.cross(
            self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        )
        normals = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-300)
        offsets = (normals * self.corners[:, 0]).sum(axis=1)
        return np.concatenate([normals, offsets[:, None]], axis=1)

    @cached_property
    def duals(self) -> NDArray[np.float64]:
        """(m, 2, 3) vectors whose products with x - corner 0 are the weights of corners 1 and 2."""
        u, v = self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        uu, uv, vv = ((p * q).sum(axis=1, keepdims=True) for p, q in ((u, u), (u, v), (v, v)))
        determinant = np.maximum(uu * vv - uv * uv, 1e-300)
        return np.stack([(vv * u - uv * v), (uu * v - uv * u)], axis=1) / determinant[:, None]

    @cached_property
    def st_per_metre(self) -> NDArray[np.float32]:
        """(m,) units of texture coordinates per metre, from the areas in both spaces."""
        cross = np.cross(
            self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0]
        )
        area = np.linalg.norm(cross, axis=1)
        e1, e2 = self.uvs[:, 1] - self.uvs[:, 0], self.uvs[:, 2] - self.uvs[:, 0]
        st_area = np.abs(e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0])
        return np.sqrt(st_area / np.maximum(area, 1e-30)).astype(np.float32)


def join(soups: Iterable[TriangleSoup]) -> TriangleSoup:
    """Concatenate; nothing gives an empty soup."""
    parts = [*soups, _EMPTY]
    return TriangleSoup(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS)
    )


class SoupBuilder:
    """Turns surfaces into triangles; numbers instances and materials across calls."""

    def __init__(self, world_from_stage: NDArray[np.float64], roots: Iterable[str] | None) -> None:
        self.world_from_stage = world_from_stage  # (3, 3)
        self.shadings: list[Shading] = [Shading(None, None, None, 0.0)]
        self.instance_paths: list[str] = [""]
        self._roots = None if roots is None else [str(root) for root in roots]
        self._instance_ids: dict[str, int] = {}
        self._material_ids: dict[str, int] = {}
        self._reader = MaterialReader()

    def build(self, surface: Surface, code: Usd.TimeCode) -> TriangleSoup:
        """Return the triangles of one surface at a time code.

        Raises:
            ValueError: for faces that do not fit the points, naming the prim.
        """
        counts, vertices = surface.face_counts, surface.face_indices
        if counts.sum() != len(vertices) or (
            len(vertices) and not 0 <= vertices.min() <= vertices.max() < len(surface.points)
        ):
            raise ValueError(f"{surface.path}: faces do not fit the points (S4D304)")
        indices, corners, face = triangulate(surface.face_counts, surface.face_indices)
        linear = self.world_from_stage @ surface.world_from_mesh[:3, :3]
        world = surface.points_in_world() @ self.world_from_stage.T
        points = world[indices]
        materials = self._materials(surface.prim, len(surface.face_counts))[face]
        return TriangleSoup(
            points,
            _normals(surface, linear, points, indices, corners, face, code),
            self._uvs(surface, materials, indices, corners, face, code),
            _colors(surface.prim, indices, corners, face, code),
            materials,
            np.full(len(face), self._instance(surface), np.int32),
        )

    def _instance(self, surface: Surface) -> int:
        path = self._instance_path(surface)
        if path not in self._instance_ids:
            self._instance_ids[path] = len(self.instance_paths)
            self.instance_paths.append(path)
        return self._instance_ids[path]

    def _instance_path(self, surface: Surface) -> str:
        if self._roots is not None:
            inside = [
                root
                for root in self._roots
                if surface.path == root
                or surface.path.startswith(f"{root}/")
                or surface.path.startswith(f"{root}[")
            ]
            return max(inside, key=len) if inside else surface.path
        if "[" in surface.path:  # one copy of a point instancer
            return surface.path[: surface.path.rindex("]") + 1]
        prim = surface.prim
        while prim and not prim.IsPseudoRoot():
            if Kind.Registry.IsA(Usd.ModelAPI(prim).GetKind(), Kind.Tokens.component):
                return str(prim.GetPath())
            prim = prim.GetParent()
        return surface.path

    def _materials(self, prim: Usd.Prim, faces: int) -> NDArray[np.int32]:
        binding = UsdShade.MaterialBindingAPI(prim)
        per_face = np.full(faces, self._material(binding.ComputeBoundMaterial()[0]), np.int32)
        for subset in binding.GetMaterialBindSubsets():
            rows = np.array(subset.GetIndicesAttr().Get() or [], np.int64)
            bound = UsdShade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()[0]
            per_face[rows[(rows >= 0) & (rows < faces)]] = self._material(bound)
        return per_face

    def _material(self, material: UsdShade.Material) -> int:
        if not material:
            return 0
        key = str(material.GetPath())
        if key not in self._material_ids:
            self._material_ids[key] = len(self.shadings)
            self.shadings.append(self._reader.read(material))
        return self._material_ids[key]

    def _uvs(
        self,
        surface: Surface,
        materials: NDArray[np.int32],
        indices: NDArray[np.int32],
        corners: NDArray[np.int32],
        face: NDArray[np.int32],
        code: Usd.TimeCode,
    ) -> NDArray[np.float32]:
        uvs = np.zeros((len(face), 3, 2), np.float32)
        for material in np.unique(materials):
            name = _primvar_name(self.shadings[material])
            if name is None:
                continue
            values = _corner_values(surface.prim, name, 2, indices, corners, face, code)
            if values is not None:
                rows = materials == material
                uvs[rows] = values[rows]
        return uvs


def _primvar_name(shading: Shading) -> str | None:
    for channel in (shading.diffuse, shading.emissive, shading.opacity):
        if isinstance(channel, ImageMap):
            return channel.primvar
    return None


def _colors(
    prim: Usd.Prim,
    indices: NDArray[np.int32],
    corners: NDArray[np.int32],
    face: NDArray[np.int32],
    code: Usd.TimeCode,
) -> NDArray[np.float32]:
    values = _corner_values(prim, "displayColor", 3, indices, corners, face, code)
    if values is not None:
        return values
    color = display_color(prim)
    plain = np.full(3, _UNBOUND_GREY, np.float32) if color is None else color
    return np.broadcast_to(plain, (len(face), 3, 3)).astype(np.float32)


def _corner_values(
    prim: Usd.Prim,
    name: str,
    width: int,
    indices: NDArray[np.int32],
    corners: NDArray[np.int32],
    face: NDArray[np.int32],
    code: Usd.TimeCode,
) -> NDArray[np.float32] | None:
    """Return a primvar at every triangle corner, (m, 3, width), or None if it does not fit."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance(name)
    flat = primvar.ComputeFlattened(code) if primvar else None
    if not flat:
        return None
    values = np.array(flat, np.float32).reshape(len(flat), -1)
    if values.shape[1] != width:
        return None
    rows = {
        UsdGeom.Tokens.faceVarying: corners,
        UsdGeom.Tokens.vertex: indices,
        UsdGeom.Tokens.varying: indices,
        UsdGeom.Tokens.uniform: np.repeat(face[:, None], 3, axis=1),
        UsdGeom.Tokens.constant: np.zeros_like(corners),
    }.get(primvar.GetInterpolation())
    if rows is None or (rows.size and rows.max() >= len(values)):
        return None
    return values[rows]


def _normals(
    surface: Surface,
    world_from_mesh: NDArray[np.float64],
    points: NDArray[np.float64],
    indices: NDArray[np.int32],
    corners: NDArray[np.int32],
    face: NDArray[np.int32],
    code: Usd.TimeCode,
) -> NDArray[np.float32]:
    """Authored normals, else smooth ones for subdivision and skinned meshes, else the faces'."""
    cross = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    if np.linalg.det(world_from_mesh) < 0:
        cross = -cross
    authored = None
    mesh = UsdGeom.Mesh(surface.prim)
    deformed = surface.animated and not mesh.GetNormalsAttr().ValueMightBeTimeVarying()
    if mesh and not deformed:
        authored = _authored_normals(mesh, indices, corners, face, code)
    if authored is not None:
        normals = authored @ np.linalg.inv(world_from_mesh)
    elif deformed or (mesh and mesh.GetSubdivisionSchemeAttr().Get() != UsdGeom.Tokens.none):
        summed = np.zeros((len(surface.points), 3))
        np.add.at(summed, indices, cross[:, None])
        normals = summed[indices]
    else:
        normals = np.repeat(cross[:, None], 3, axis=1)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return (normals / np.maximum(length, 1e-30)).astype(np.float32)


def _authored_normals(
    mesh: UsdGeom.Mesh,
    indices: NDArray[np.int32],
    corners: NDArray[np.int32],
    face: NDArray[np.int32],
    code: Usd.TimeCode,
) -> NDArray[np.float64] | None:
    values = mesh.GetNormalsAttr().Get(code)
    if not values:
        found = _corner_values(mesh.GetPrim(), "normals", 3, indices, corners, face, code)
        return None if found is None else found.astype(np.float64)
    normals = np.array(values, np.float64)
    rows = {
        UsdGeom.Tokens.faceVarying: corners,
        UsdGeom.Tokens.vertex: indices,
        UsdGeom.Tokens.varying: indices,
        UsdGeom.Tokens.uniform: np.repeat(face[:, None], 3, axis=1),
    }.get(mesh.GetNormalsInterpolation())
    if rows is None or (rows.size and rows.max() >= len(normals)):
        return None
    return normals[rows]


_FIELDS = ("corners", "normals", "uvs", "colors", "materials", "instances")
_EMPTY = TriangleSoup(
    np.zeros((0, 3, 3)),
    np.zeros((0, 3, 3), np.float32),
    np.zeros((0, 3, 2), np.float32),
    np.zeros((0, 3, 3), np.float32),
    np.zeros(0, np.int32),
    np.zeros(0, np.int32),
)
