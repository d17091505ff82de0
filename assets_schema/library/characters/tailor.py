"""Laying garments over bodies: cut once on a template, eased, folded and hemmed on each body."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scaling4d.geometry.seeds import rng as named_rng

from .garments import GARMENTS, Garment, Place
from .human import HumanTemplate
from .surface import Surface, cut

__all__ = ["Cloth", "Tailor"]

TEXTURE_METRES = 0.35  # one repeat of a fabric finish
_ARM_JOINTS = ("Arm", "ForeArm", "Hand")  # and the fingers, whose names begin with Hand


@dataclass(frozen=True)
class Cloth:
    """A garment on one body: points (N, 3), faces (F, 4), uv (N, 2), weights (N, J), slot."""

    name: str
    slot: str
    points: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    weights: np.ndarray


@dataclass
class Tailor:
    """Cuts garments on the template body and lays them over others.

    `template_points` are base-mesh positions (S, 3) of the body on which regions are judged.
    """

    template: HumanTemplate
    template_points: np.ndarray
    _cuts: dict[str, Surface] = field(default_factory=dict)
    _uvs: dict[str, np.ndarray] = field(default_factory=dict)
    _weights: dict[str, np.ndarray] = field(default_factory=dict)

    def lay(self, name: str, base_points: np.ndarray) -> Cloth:
        """One garment of `GARMENTS` on the body with these base-mesh positions (S, 3)."""
        garment, pattern = GARMENTS[name], self._pattern(name)
        weights = self._weights[name]
        skin = pattern.on(base_points)
        skin_normals = skin.normals
        cloth = skin.moved_to(skin.points + garment.offset * skin_normals).relaxed(garment.relax)
        place = self.place(cloth.points, weights, base_points)
        clearance = ((cloth.points - skin.points) * skin_normals).sum(axis=1)
        outward = np.maximum(0.9 * garment.offset - clearance, 0.0)
        if garment.ease is not None:
            outward = outward + garment.ease(place)
        outward = outward + garment.folds * _bend_share(place) * _folds(pattern.points, name)
        points = cloth.points + cloth.normals * outward[:, None]
        if garment.shoe:
            points = _sole(points, place.joints)
        hemmed, faces, origin = cloth.moved_to(points).hemmed(garment.hem)
        return Cloth(name, garment.slot, hemmed, faces, self._uvs[name][origin], weights[origin])

    def _pattern(self, name: str) -> Surface:
        """The garment's surface on the template; its weights and texture coordinates go with it."""
        if name not in self._cuts:
            garment: Garment = GARMENTS[name]
            faces = self.template.groups[garment.base]
            used = np.unique(faces)
            inside = np.full(len(self.template_points), -1.0)
            place = self.place(
                self.template_points[used], self.template.weights[used], self.template_points
            )
            inside[used] = garment.region(place)
            surface = cut(self.template_points, faces, inside).subdivided()
            weights = np.asarray(surface.source @ self.template.weights)
            weights /= weights.sum(axis=1, keepdims=True)
            self._cuts[name], self._weights[name] = surface, weights
            self._uvs[name] = _texture(self.place(surface.points, weights, self.template_points))
        return self._cuts[name]

    def place(self, points: np.ndarray, weights: np.ndarray, base_points: np.ndarray) -> Place:
        """Where points (N, 3) with skin weights (N, J) lie on the body with these positions."""
        joints = self.template.joints
        arms = [
            i
            for i, name in enumerate(joints)
            if name.removeprefix("Left").removeprefix("Right").startswith(_ARM_JOINTS)
        ]
        heads = dict(zip(joints, self.template.joint_heads(base_points), strict=True))
        return Place(points, weights[:, arms].sum(axis=1), heads)


def _bend_share(place: Place) -> np.ndarray:
    """1 near elbows, knees, waist and hems, 0.35 elsewhere: where cloth folds."""
    near = np.exp(-(((place.arm - 1) / 0.35) ** 2)) + np.exp(-(((place.leg - 1) / 0.25) ** 2))
    near += np.exp(-(((place.leg - 1.85) / 0.2) ** 2)) + np.exp(
        -(((place.height - 0.2) / 0.12) ** 2)
    )
    return 0.35 + 0.65 * np.clip(near, 0, 1)


def _folds(points: np.ndarray, name: str) -> np.ndarray:
    """Smooth fold noise (N,) of deviation about 1: bent creases in many directions."""
    rng = named_rng(0, "folds", name)
    total = np.zeros(len(points))
    for _ in range(12):
        direction = rng.standard_normal(3) * (1.0, 1.0, 0.75)
        direction *= rng.uniform(24, 80) / np.linalg.norm(direction)
        bent = 1.5 * np.sin(points @ rng.normal(0, 9, 3) + rng.uniform(0, 6))
        total += np.sin(points @ direction + rng.uniform(0, 2 * np.pi) + bent)
    return total / np.sqrt(6.0)


def _texture(place: Place) -> np.ndarray:
    """Texture coordinates (N, 2) in repeats: around trunk or limb, mirrored behind, and down."""
    points = place.points
    on_leg = place.leg > 0.12
    centre = np.where(on_leg, np.sign(points[:, 0]) * abs(place.joints["LeftLeg"][0]), 0.0)
    radius = np.where(on_leg, 0.09, 0.15)
    around = np.abs(np.arctan2(points[:, 0] - centre, -points[:, 1])) * radius
    sleeve = place.limb > 0.5
    u = np.where(sleeve, points[:, 1] - 0.4 * points[:, 2], around)
    v = np.where(sleeve, -0.28 * place.arm, points[:, 2])
    return np.column_stack([u, v]) / TEXTURE_METRES


def _sole(points: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    """Shoes: a flat sole on the floor that stands out a little from the upper."""
    out = points.copy()
    low = np.clip(1 - out[:, 2] / 0.03, 0, 1)
    for side, mine in (("Left", out[:, 0] > 0), ("Right", out[:, 0] <= 0)):
        centre = (joints[f"{side}Foot"] + joints[f"{side}ToeBase"]) / 2
        out[mine, :2] += (out[mine, :2] - centre[:2]) * (0.045 * low[mine])[:, None]
    out[:, 2] = np.where(out[:, 2] < 0.012, 0.0, out[:, 2])
    return out
