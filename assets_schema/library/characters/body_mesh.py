"""A body's own meshes: skin and eyes, and which skin an outfit covers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pxr import Sdf, Usd, UsdGeom, Vt

from .garments import GARMENTS
from .human import HumanTemplate
from .skinned_mesh import SkinnedMesh, geometry_path, polygons, skinned
from .tailor import Tailor

__all__ = ["body_meshes", "uncovered_faces", "write_shown_skin"]

_TUCKED = 0.035  # how far inside a garment's border skin must lie to be left out, metres


def body_meshes(template: HumanTemplate, points: np.ndarray) -> list[SkinnedMesh]:
    """Skin and eyes of the body with these base-mesh positions (S, 3)."""
    used, faces = _skin(template)
    skin = skinned(
        "skin",
        points[used],
        faces,
        template.uv[template.group_uvs["body"]],
        template.weights[used],
        slot="skin",
    )
    return [skin, _eye_mesh(template, points)]


def _skin(template: HumanTemplate) -> tuple[np.ndarray, np.ndarray]:
    """Base-mesh index per skin point, and the faces over these points."""
    faces = template.groups["body"]
    used, inverse = np.unique(faces, return_inverse=True)
    return used, inverse.reshape(faces.shape)


def _eye_mesh(template: HumanTemplate, points: np.ndarray) -> SkinnedMesh:
    """Both eyeballs, textured by the direction of the gaze."""
    parts, faces, uvs, start = [], [], [], 0
    for side in "lr":
        group = template.groups[f"helper-{side}-eye"]
        used, inverse = np.unique(group, return_inverse=True)
        ball = points[used]
        centre = (ball.min(axis=0) + ball.max(axis=0)) / 2
        offset = (ball - centre) / np.abs(ball - centre).max()
        parts.append(ball)
        faces.append(inverse.reshape(group.shape) + start)
        uvs.append(np.clip(offset[:, [0, 2]] * 0.5 + 0.5, 0, 1))
        start += len(used)
    weights = np.zeros((start, len(template.joints)))
    weights[:, template.joints.index("Head")] = 1.0
    return skinned(
        "eyes",
        np.concatenate(parts),
        np.concatenate(faces),
        np.concatenate(uvs),
        weights,
        slot="eyes",
    )


def uncovered_faces(tailor: Tailor, garments: Sequence[str]) -> np.ndarray:
    """Mask (F,) of skin faces that are not wholly under a garment, borders left a margin."""
    template = tailor.template
    used, faces = _skin(template)
    place = tailor.place(
        tailor.template_points[used], template.weights[used], tailor.template_points
    )
    shown = np.ones(len(faces), bool)
    for name in garments:
        shown &= ~(GARMENTS[name].covers(place) > _TUCKED)[faces].all(axis=1)
    return shown


def write_shown_skin(
    stage: Usd.Stage, root: Usd.Prim, template: HumanTemplate, shown: np.ndarray | None = None
) -> None:
    """Author the faces of the skin that are in `shown` (F,), None for all.

    Texture coordinates go by index; their values are authored with the whole skin alone.
    """
    _, faces = _skin(template)
    chosen = np.ones(len(faces), bool) if shown is None else shown
    counts, indices, keep = polygons(faces[chosen])
    corners, mapped = np.unique(template.group_uvs["body"], return_inverse=True)
    mesh = UsdGeom.Mesh(stage.OverridePrim(geometry_path(root, "body", "skin")))
    mesh.CreateFaceVertexCountsAttr(_int_array(counts))
    mesh.CreateFaceVertexIndicesAttr(_int_array(indices))
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying
    )
    primvar.SetIndices(_int_array(mapped.reshape(len(faces), -1)[chosen][keep]))
    if shown is None:
        primvar.Set(Vt.Vec2fArray.FromNumpy(template.uv[corners].astype(np.float32)))


def _int_array(values: np.ndarray) -> Vt.IntArray:
    return Vt.IntArray.FromNumpy(np.ascontiguousarray(values, dtype=np.int32))
