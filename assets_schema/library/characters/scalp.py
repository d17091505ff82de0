"""Where hair grows on a head: an ellipsoid about the cranium and the hairline drawn on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .human import HumanTemplate

__all__ = ["Scalp"]


@dataclass(frozen=True)
class Scalp:
    """The cranium of a head.

    `skin` (N, 3) are the head's own points; `centre` and `radii` (3,) of the ellipsoid, metres.
    """

    skin: np.ndarray
    centre: np.ndarray
    radii: np.ndarray

    @classmethod
    def of(cls, template: HumanTemplate, points: np.ndarray) -> Scalp:
        """The scalp of the body with these base-mesh positions (S, 3)."""
        skin = points[head_skin(template)]
        top = skin[:, 2].max()
        upper = skin[skin[:, 2] > top - 0.13]
        depth = (upper[:, 1].max() - upper[:, 1].min()) / 2
        radii = np.array([np.abs(upper[:, 0]).max(), depth, 0.118])
        centre = np.array([0.0, (upper[:, 1].max() + upper[:, 1].min()) / 2, top - 0.118])
        return cls(skin, centre, radii)

    def directions(self, points: np.ndarray) -> np.ndarray:
        """Unit directions (..., 3) of points (..., 3) from the centre, in radii."""
        offset = (points - self.centre) / self.radii
        return offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-9)

    def on_head(self, points: np.ndarray) -> np.ndarray:
        """Whether points (..., 3) lie on the cranium, not on the neck or the body."""
        offset = (points - self.centre) / self.radii
        return (np.linalg.norm(offset, axis=-1) < 1.35) & (points[..., 2] > self.centre[2] - 0.1)

    def hairy(self, directions: np.ndarray, hairline: float = 0.0) -> np.ndarray:
        """Positive where hair grows, for unit directions (..., 3) from the centre.

        `hairline` shifts the line back, in radii.
        """
        x, y, z = np.moveaxis(directions, -1, 0)
        front = np.clip(-y, 0, 1)
        back = np.clip(y, 0, 1)
        # Forehead to temple, round the ear, down to the nape; corners of the forehead recede.
        line = 0.51 * front**0.7 - 0.12 * (1 - front) * (1 - back) - 0.58 * back
        sideburn = 0.10 * np.exp(-(((y + 0.25) / 0.16) ** 2)) * (np.abs(x) > 0.6)
        corner = 0.07 * np.exp(-(((np.abs(x) - 0.5) / 0.16) ** 2)) * (y < 0)
        return z - (line - sideburn + corner + hairline)


def head_skin(template: HumanTemplate) -> np.ndarray:
    """Base-mesh indices of the skin that the head carries."""
    body = np.unique(template.groups["body"])
    return body[template.weights[body, template.joints.index("Head")] > 0.6]
