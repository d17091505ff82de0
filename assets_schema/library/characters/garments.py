"""What people wear: garments as regions of the body with offset, ease and folds, and outfits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["GARMENTS", "OUTFITS", "Garment", "Place"]


@dataclass(frozen=True)
class Place:
    """Where points (N, 3) of a body lie: along its limbs and up its trunk.

    `limb` (N,) is the share of skin weight that arm joints hold; `joints` are the body's.
    """

    points: np.ndarray
    limb: np.ndarray
    joints: dict[str, np.ndarray]

    def _along(self, start: str, end: str) -> np.ndarray:
        a, b = self.joints[start], self.joints[end]
        return (self.points - a) @ (b - a) / ((b - a) @ (b - a))

    @cached_property
    def arm(self) -> np.ndarray:
        """How far along an arm: 0 at the shoulder, 1 elbow, 2 wrist; below 0 off the arms."""
        value = np.empty(len(self.points))
        for name, mine in (("Left", self.points[:, 0] > 0), ("Right", self.points[:, 0] <= 0)):
            upper = self._along(f"{name}Arm", f"{name}ForeArm")
            lower = self._along(f"{name}ForeArm", f"{name}Hand")
            along = np.where(lower > 0, 1 + lower, np.minimum(upper, 1.0))
            value[mine] = np.maximum(along, 0.0)[mine]
        return np.where(self.limb > 0.5, value, (self.limb - 0.5) * 0.5)

    @cached_property
    def leg(self) -> np.ndarray:
        """How far down the legs: 0 at the hip joint, 1 knee, 2 ankle; negative above the hips."""
        hip, knee, ankle = (self.joints[f"Left{part}"][2] for part in ("UpLeg", "Leg", "Foot"))
        z = self.points[:, 2]
        return np.where(z > knee, (hip - z) / (hip - knee), 1 + (knee - z) / (knee - ankle))

    @cached_property
    def height(self) -> np.ndarray:
        """Height on the trunk: 0 at the hip joints, 1 at the base of the neck."""
        low, high = self.joints["LeftUpLeg"][2], self.joints["Neck"][2]
        return (self.points[:, 2] - low) / (high - low)


SKIRT = "helper-skirt"
Field = Callable[[Place], np.ndarray]


@dataclass(frozen=True)
class Garment:
    """A piece of clothing cut from `base`.

    `region` is positive inside the garment; `offset` metres off the tights; `ease` adds metres per
    point; `relax` rounds of smoothing let it bridge hollows; `folds` is the depth of its folds.
    """

    slot: str
    region: Field
    offset: float = 0.006
    ease: Field | None = None
    relax: int = 2
    folds: float = 0.003
    base: str = "helper-tights"
    hem: float = 0.004
    shoe: bool = False

    @property
    def covers(self) -> Field:
        """Where skin is hidden under it: its region, but no more than the hips under a skirt."""
        return _hips if self.base == SKIRT else self.region


def _hips(place: Place) -> np.ndarray:
    trunk = np.minimum((0.2 - place.height) * 0.6, 0.4 - place.limb)
    return np.minimum(trunk, (0.3 - place.leg) * 0.45)


def _neckline(place: Place, depth: float) -> np.ndarray:
    """Positive below a round neckline `depth` metres under the neck, deeper in front."""
    neck, points = place.joints["Neck"], place.points
    front = np.clip((neck[1] + 0.02 - points[:, 1]) / 0.12, 0, 1)
    near = np.exp(-((points[:, 0] / 0.11) ** 2))
    return neck[2] + 0.035 - depth * near * (0.45 + 0.9 * front) - points[:, 2]


def top(sleeve: float, hem: float, neckline: float = 0.03) -> Field:
    """Region of a top: `sleeve` 0 none .. 2 wrist; `hem` as trunk height (0 at the hip joints)."""

    def region(place: Place) -> np.ndarray:
        trunk = np.minimum((place.height - hem) * 0.6, _neckline(place, neckline))
        return np.minimum(np.where(place.limb > 0.5, 1.0, trunk), (sleeve - place.arm) * 0.28)

    return region


def bottom(length: float, waist: float = 0.26) -> Field:
    """Region of trousers: `length` 1 knee, 2 ankle; `waist` as trunk height."""

    def region(place: Place) -> np.ndarray:
        inside = np.minimum((waist - place.height) * 0.6, (length - place.leg) * 0.45)
        return np.minimum(inside, 0.4 - place.limb)

    return region


def band(low: float, high: float) -> Field:
    """Region of a belt between two trunk heights."""

    def region(place: Place) -> np.ndarray:
        inside = np.minimum(place.height - low, high - place.height) * 0.6
        return np.minimum(inside, 0.4 - place.limb)

    return region


def skirt(length: float) -> Field:
    """Region of the helper skirt down to `length` (1 knee, 2 ankle)."""
    return lambda place: (length - place.leg) * 0.45


def footwear(above_ankle: float) -> Field:
    """Region of shoes up to a height over the ankle joint, metres."""
    return lambda place: place.joints["LeftFoot"][2] + above_ankle - place.points[:, 2]


def loose_trunk(waist: float, chest: float = 0.004, sleeve: float = 0.008) -> Field:
    """Ease that grows from the chest towards the hem, and along sleeves."""

    def ease(place: Place) -> np.ndarray:
        trunk = chest + (waist - chest) * np.clip((0.75 - place.height) / 0.6, 0, 1)
        arm = -0.003 + (sleeve + 0.003) * np.clip((place.arm - 0.15) / 0.6, 0, 1)
        return trunk + (arm - trunk) * np.clip(place.limb * 2 - 0.5, 0, 1)

    return ease


def loose_leg(thigh: float, hem: float) -> Field:
    """Ease of trouser legs from the hip to the hem."""

    def ease(place: Place) -> np.ndarray:
        t = np.clip(place.leg, -0.2, 2) / 2
        return np.where(t < 0, 0.001, thigh * np.clip(t / 0.12, 0, 1) + (hem - thigh) * t)

    return ease


def flare(amount: float, start: float = 0.0) -> Field:
    """Ease of a skirt that opens towards its hem."""
    return lambda place: start + amount * np.clip(place.leg, 0, 2) ** 1.2


GARMENTS: dict[str, Garment] = {
    "tee": Garment(
        "cloth_top", top(0.62, 0.02), 0.008, loose_trunk(0.016, 0.003, 0.014), 5, 0.0030
    ),
    "shirt": Garment(
        "cloth_top", top(1.95, -0.03, 0.012), 0.009, loose_trunk(0.016, 0.003, 0.009), 4, 0.0032
    ),
    "sweater": Garment(
        "cloth_top",
        top(1.96, 0.03, 0.008),
        0.013,
        loose_trunk(0.022, 0.008, 0.014),
        7,
        0.0042,
        hem=0.008,
    ),
    "tank": Garment(
        "cloth_top", top(-0.04, 0.02, 0.075), 0.006, loose_trunk(0.014, 0.002, 0.0), 3, 0.002
    ),
    "coat": Garment(
        "cloth_coat",
        top(1.97, 0.08, 0.02),
        0.017,
        loose_trunk(0.030, 0.008, 0.012),
        6,
        0.0025,
        hem=0.006,
    ),
    "coat_skirt": Garment(
        "cloth_coat", skirt(0.72), 0.022, flare(0.022, 0.008), 3, 0.0035, SKIRT, hem=0.009
    ),
    "belt": Garment("cloth_coat", band(0.085, 0.165), 0.050, None, 6, 0.0, hem=0.003),
    "jeans": Garment("cloth_bottom", bottom(1.95), 0.005, loose_leg(0.004, 0.008), 2, 0.0028),
    "trousers": Garment(
        "cloth_bottom", bottom(1.97, 0.28), 0.005, loose_leg(0.010, 0.018), 4, 0.0026
    ),
    "wide_trousers": Garment(
        "cloth_bottom", bottom(1.97, 0.28), 0.005, loose_leg(0.018, 0.045), 5, 0.004
    ),
    "shorts": Garment("cloth_bottom", bottom(0.82), 0.005, loose_leg(0.014, 0.022), 4, 0.003),
    "leggings": Garment("cloth_bottom", bottom(1.94), 0.003, None, 0, 0.0004),
    "skirt": Garment("cloth_bottom", skirt(0.95), 0.008, flare(0.05), 2, 0.006, SKIRT),
    "long_skirt": Garment("cloth_bottom", skirt(1.75), 0.008, flare(0.03), 2, 0.009, SKIRT),
    "dress_skirt": Garment("cloth_top", skirt(1.15), 0.010, flare(0.045), 2, 0.008, SKIRT),
    "dress_top": Garment(
        "cloth_top", top(0.42, 0.07, 0.07), 0.007, loose_trunk(0.004, 0.002, 0.010), 3, 0.0015
    ),
    "shoes": Garment("shoe", footwear(0.012), 0.007, None, 3, 0.0, shoe=True),
    "boots": Garment("shoe", footwear(0.10), 0.009, None, 3, 0.0008, shoe=True),
}

OUTFITS: dict[str, tuple[str, ...]] = {
    "tee_jeans": ("jeans", "tee", "shoes"),
    "shirt_trousers": ("trousers", "shirt", "shoes"),
    "dress": ("dress_skirt", "dress_top", "shoes"),
    "sweater_chinos": ("trousers", "sweater", "boots"),
    "tank_shorts": ("shorts", "tank", "shoes"),
    "shirt_skirt": ("skirt", "shirt", "boots"),
    "coat": ("jeans", "coat_skirt", "coat", "belt", "boots"),
    "sport": ("leggings", "tee", "shoes"),
    "summer": ("wide_trousers", "tank", "shoes"),
    "long_skirt_sweater": ("long_skirt", "sweater", "boots"),
}
