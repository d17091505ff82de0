"""The cast: adult builds over anny's shape space."""

from __future__ import annotations

from .human import Phenotype

__all__ = ["BODIES"]

BODIES: dict[str, Phenotype] = {
    "man_average": Phenotype(
        gender=0.0, age=0.70, muscle=0.55, weight=0.50, height=0.42, proportions=0.6
    ),
    "woman_average": Phenotype(
        gender=1.0, age=0.70, muscle=0.45, weight=0.48, height=0.46, proportions=0.6
    ),
    "man_athletic": Phenotype(
        gender=0.05, age=0.68, muscle=0.85, weight=0.50, height=0.52, proportions=0.85, african=1.6
    ),
    "woman_slim": Phenotype(
        gender=0.95,
        age=0.68,
        muscle=0.45,
        weight=0.34,
        height=0.50,
        proportions=0.8,
        cupsize=0.4,
        asian=1.8,
    ),
    "man_slim": Phenotype(
        gender=0.05, age=0.68, muscle=0.40, weight=0.32, height=0.44, proportions=0.5, asian=1.8
    ),
    "woman_curvy": Phenotype(
        gender=1.0,
        age=0.74,
        muscle=0.42,
        weight=0.72,
        height=0.42,
        proportions=0.5,
        cupsize=0.65,
        african=1.6,
    ),
    "man_heavy": Phenotype(
        gender=0.0, age=0.78, muscle=0.50, weight=0.82, height=0.40, proportions=0.4, caucasian=1.8
    ),
    "woman_athletic": Phenotype(
        gender=0.95, age=0.69, muscle=0.80, weight=0.45, height=0.58, proportions=0.8, african=1.8
    ),
    "man_older": Phenotype(
        gender=0.05, age=0.97, muscle=0.40, weight=0.55, height=0.38, proportions=0.5, caucasian=1.4
    ),
    "woman_older": Phenotype(
        gender=0.95, age=0.95, muscle=0.38, weight=0.56, height=0.38, proportions=0.4, caucasian=1.4
    ),
}
