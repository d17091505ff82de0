"""Hair: a cap over the scalp and locks that are combed over the head and fall with gravity.

Styles are made on the template's head and laid over another body's by the box of its head; hair is
skinned to the head, and what hangs below the chin is shared with the upper spine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from ..mesh import Mesh, merge
from .hair_mesh import cap, ribbons
from .hair_paths import Style, bun, fall, resampled, scatter, tail, to_tie
from .human import HumanTemplate
from .scalp import Scalp, head_skin

__all__ = ["HAIR_STYLES", "Barber", "Hair"]

HAIR_STYLES: dict[str, Style] = {
    "short": Style(length=0.052, volume=0.010, count=760, fringe=True, fade=0.62),
    "side_part": Style(length=0.085, volume=0.013, count=760, part=1.0, fade=0.66, hairline=0.03),
    "bob": Style(length=0.23, volume=0.012, count=620, part=-0.6, thick=0.0085),
    "long": Style(length=0.44, volume=0.011, count=520, part=0.4, thick=0.010),
    "ponytail": Style(length=0.13, volume=0.005, count=620, tie="tail", thick=0.0075),
    "bun": Style(length=0.13, volume=0.005, count=620, tie="bun", thick=0.0075),
    "curly": Style(length=0.085, volume=0.022, count=760, curl=0.010, thick=0.0062, fringe=True),
    "buzz": Style(length=0.0, count=0, cap=0.0022),
}


@dataclass(frozen=True)
class Hair:
    """Hair on the template's head.

    Points (N, 3), faces (F, 4), normals (N, 3), uv (N, 2) and skin weights (N, J).
    """

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    weights: np.ndarray


class Barber:
    """Makes styles on the template's head and says how they are laid over other heads."""

    def __init__(self, template: HumanTemplate, template_points: np.ndarray) -> None:
        self.template = template
        self.skin = head_skin(template)
        self.scalp = Scalp.of(template, template_points)

    def cut(self, style: str) -> Hair:
        """A style of `HAIR_STYLES` on the template's head."""
        mesh = self._grow(HAIR_STYLES[style], named_rng(0, "hair", style))
        chin = self.scalp.skin[:, 2].min() + 0.02
        hang = np.clip((chin - mesh.points[:, 2]) / 0.25, 0, 0.75)
        weights = np.zeros((len(mesh.points), len(self.template.joints)))
        weights[:, self.template.joints.index("Head")] = 1 - hang
        weights[:, self.template.joints.index("Spine2")] = hang
        return Hair(mesh.points, mesh.faces, mesh.normals, mesh.uv, weights)

    def fit(self, base_points: np.ndarray) -> np.ndarray:
        """Matrix (4, 4) that lays hair over the head of the body with these positions (S, 3)."""
        ours, theirs = self.scalp.skin, base_points[self.skin]
        low, target = ours.min(axis=0), theirs.min(axis=0)
        scale = np.ptp(theirs, axis=0) / np.ptp(ours, axis=0)
        matrix = np.diag([*scale, 1.0])
        matrix[:3, 3] = target - low * scale
        return matrix

    def _grow(self, style: Style, rng: np.random.Generator) -> Mesh:
        scalp = self.scalp
        parts = [cap(style, scalp)]
        directions = scatter(style.count, rng)
        directions = directions[scalp.hairy(directions, style.hairline) > 0.02]
        knot = scalp.radii * {"tail": (0, 1.0, 0.0), "bun": (0, 0.75, 0.70)}.get(style.tie, 0)
        knot = scalp.centre + knot + ((0, 0.012, 0.035) if style.tie == "tail" else 0)
        locks = [
            to_tie(direction, knot, scalp, style)
            if style.tie
            else fall(direction, scalp, style, rng)
            for direction in directions
        ]
        if locks:
            steps = 7 if style.length < 0.1 else 9
            paths = np.stack([resampled(path, steps) for path in locks])
            widths = style.thick * rng.uniform(0.75, 1.25, len(paths))
            parts.append(ribbons(paths, widths, scalp.centre))
        if style.tie:
            extra = tail(knot, rng) if style.tie == "tail" else bun(knot, rng)
            parts.append(ribbons(extra, np.full(len(extra), 0.009), knot))
        return merge(parts)["hair"]
