"""What people carry: one box for all, placed between each body's hands by its bind transform."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..solids import box
from ..textures import fractal
from .motion import solve
from .skeleton import SIDES, Skeleton
from .skinned_mesh import SkinnedMesh, skinned
from .walking import carry

__all__ = ["cardboard_texture", "carried_box", "place_box"]

HOLDER = "Spine2"  # the arms keep still below it, so the box moves with it
_SIZE = np.array([0.34, 0.28, 0.22])  # metres: across, away from the body, up
_PALM = 0.022  # from a hand's bones to the surface of its palm, metres


def carried_box(joints: tuple[str, ...]) -> SkinnedMesh:
    """A cardboard box of size `_SIZE` about the origin, moving with the chest."""
    mesh = box(_SIZE.tolist(), bevel=0.004, slot="prop")
    weights = np.zeros((len(mesh.points), len(joints)))
    weights[:, joints.index(HOLDER)] = 1.0
    return skinned(
        "box", mesh.points, mesh.faces, mesh.uv, weights, slot="prop", normals=mesh.normals
    )


def place_box(skeleton: Skeleton) -> np.ndarray:
    """Matrix (4, 4) that puts the box between the hands of a body, in its bind pose."""
    movement = carry()
    solved = solve(skeleton, movement)
    turns = Rotation.from_quat(solved.quaternions[0]).as_matrix()[None]
    place, world = skeleton.forward(turns, solved.root[:1])
    chest, hands = skeleton.index(HOLDER), []
    for side in SIDES:
        palm = [skeleton.index(f"{side}{name}") for name in ("Hand", "HandMiddle1")]
        in_chest = (place[0, palm] - place[0, chest]) @ world[0, chest]
        hands.append(in_chest.mean(axis=0))
    left, right = hands
    across = left - right
    width = np.linalg.norm(across) - 2 * _PALM
    x = across / np.linalg.norm(across)
    up = world[0, chest].T @ (0.0, 0.0, 1.0)
    y = np.cross(up, x)
    y /= np.linalg.norm(y)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x * width / _SIZE[0], y, np.cross(x, y)], axis=1)
    # Palms lie on the sides, a little below the middle and nearer to the body.
    matrix[:3, 3] = (left + right) / 2 - 0.03 * y + 0.02 * np.cross(x, y) + skeleton.heads[chest]
    return matrix


def cardboard_texture() -> np.ndarray:
    """Albedo (128, 128, 3) uint8 of cardboard, faintly ribbed along v."""
    rng = np.random.default_rng(2)
    ribs = 0.5 * np.sin(np.arange(128) * 2 * np.pi / 8)[None]
    gain = 1 + 0.02 * (ribs + fractal(rng, 128, 1.4, low=4))
    return np.clip(np.array([182, 140, 96.0]) * gain[..., None], 0, 255).round().astype(np.uint8)
