"""The cast: bodies of the shape space with their skeletons, and the shops that fit them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from .bodies import BODIES
from .hair import Barber
from .human import HumanTemplate, Phenotype, load_template
from .skeleton import SIDES, Skeleton, make_skeleton
from .tailor import Tailor

__all__ = ["Body", "Cast"]


@dataclass(frozen=True)
class Body:
    """One member of the cast: base-mesh positions (S, 3) and its skeleton."""

    name: str
    points: np.ndarray
    skeleton: Skeleton


@dataclass(eq=False)
class Cast:
    """Bodies and the shops that fit hair and clothes to them; everything is made once and kept."""

    template: HumanTemplate = field(default_factory=load_template)

    def __post_init__(self) -> None:
        self.neutral = self.template.shaped(Phenotype(gender=0.5))
        self.tailor = Tailor(self.template, self.neutral)
        self.barber = Barber(self.template, self.neutral)
        self.body = cache(self._body)

    def _body(self, name: str) -> Body:
        """A body of `BODIES`."""
        points = self.template.shaped(BODIES[name])
        skin = np.unique(self.template.groups["body"])
        soles = {}
        for side in SIDES:
            foot = [self.template.joints.index(side + part) for part in ("Foot", "ToeBase")]
            soles[side] = points[skin[self.template.weights[skin][:, foot].sum(axis=1) > 0.6]]
        heads = self.template.joint_heads(points)
        skeleton = make_skeleton(self.template.joints, self.template.parents, heads, soles)
        return Body(name, points, skeleton)
