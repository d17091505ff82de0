"""From an authored movement to joint rotations: spine and arms forward, legs by inverse kinematics.

Axes of authored angles (degrees): the figure faces -y, its left is +x. Positive x leans forward and
bends a knee; negative x swings a limb forward or bends an elbow. Feet are placed, not turned: the
part of the sole that carries weight stays where it is, which is why they cannot slide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from .skeleton import SIDES, Skeleton

__all__ = ["Foot", "Movement", "SolvedMotion", "continuous", "solve"]

FPS = 24.0


@dataclass
class Foot:
    """Where a foot is per frame, on a figure of leg length 1 (scaled to each body).

    Attributes:
        contact: (T, 2) ground position x, y under the ankle were the foot flat.
        lift: (T,) height of the carrying part of the sole above the floor.
        heading: (T,) degrees about z the foot points away from -y.
        pitch: (T,) degrees: positive raises the heel (turning about the ball), negative the toes
            (turning about the heel).
    """

    contact: np.ndarray
    lift: np.ndarray
    heading: np.ndarray
    pitch: np.ndarray


@dataclass
class Movement:
    """A movement of T frames on a figure of leg length 1.

    Attributes:
        hips: (T, 3) hip centre; x, y in leg lengths, z as a share of the standing height.
        hips_turn: (T, 3) degrees about x, y, z, applied in that order.
        angles: joint name -> (T, 3) degrees relative to its parent in the neutral stance.
        feet: side -> Foot.
        knee_out: degrees by which knees point outwards.
        loop: whether the last frame is the first one again (further along where it travels).
        travels: whether the figure leaves its place.
    """

    hips: np.ndarray
    hips_turn: np.ndarray
    angles: dict[str, np.ndarray]
    feet: dict[str, Foot]
    knee_out: float = 4.0
    loop: bool = False
    travels: bool = False
    frames: int = field(init=False)

    def __post_init__(self) -> None:
        self.frames = len(self.hips)


@dataclass(frozen=True)
class SolvedMotion:
    """Joint rotations of a body: quaternions (T, J, 4) as x, y, z, w; hip positions (T, 3)."""

    quaternions: np.ndarray
    root: np.ndarray
    positions: np.ndarray
    loop: bool
    travels: bool

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.root)


def euler(degrees: np.ndarray) -> np.ndarray:
    """Rotation matrices (T, 3, 3) of turns (T, 3) about fixed x, then y, then z."""
    return Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()


def solve(skeleton: Skeleton, movement: Movement) -> SolvedMotion:
    """The joint rotations that make `skeleton` perform `movement`."""
    frames, count = movement.frames, len(skeleton.joints)
    scale = skeleton.leg_length
    ankles, foot_turns, toe_bends = _place_feet(skeleton, movement, scale)
    root = _hip_positions(skeleton, movement, ankles, scale)
    stance = [rotation.as_matrix() for rotation in skeleton.stance]
    authored = np.broadcast_to(np.eye(3), (count, frames, 3, 3)).copy()
    authored[skeleton.index("Hips")] = euler(movement.hips_turn)
    for name, degrees in movement.angles.items():
        authored[skeleton.index(name)] = euler(degrees)
    turned = np.empty((count, frames, 3, 3))  # world rotation relative to the neutral stance
    for j, parent in enumerate(skeleton.parents):
        turned[j] = authored[j] if parent < 0 else turned[parent] @ authored[j]
    for side in SIDES:
        thigh, shin = _bend_leg(skeleton, side, root, turned[0], ankles[side], movement.knee_out)
        turned[skeleton.index(side + "UpLeg")] = thigh
        turned[skeleton.index(side + "Leg")] = shin
        turned[skeleton.index(side + "Foot")] = foot_turns[side]
        turned[skeleton.index(side + "ToeBase")] = toe_bends[side]
    world = np.stack([turned[j] @ stance[j] for j in range(count)], axis=1)
    local = world.copy()
    for j, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[:, j] = np.swapaxes(world[:, parent], 1, 2) @ world[:, j]
    quaternions = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat().reshape(frames, count, 4)
    positions, _ = skeleton.forward(local, root)
    return SolvedMotion(continuous(quaternions), root, positions, movement.loop, movement.travels)


def continuous(quaternions: np.ndarray) -> np.ndarray:
    """The same rotations with signs chosen so that neighbours in time interpolate the short way."""
    out = quaternions.copy()
    for t in range(1, len(out)):
        flip = (out[t] * out[t - 1]).sum(axis=-1) < 0
        out[t, flip] *= -1
    return out


def _place_feet(
    skeleton: Skeleton, movement: Movement, scale: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Ankle positions (T, 3) and world turns of foot and toes; the pivot keeps its place."""
    ankles, turns, toes = {}, {}, {}
    for side in SIDES:
        foot = movement.feet[side]
        rest = skeleton.heads[skeleton.index(side + "Foot")]
        stance = skeleton.stance[skeleton.index(side + "Foot")]
        heading = euler(np.stack([0 * foot.heading, 0 * foot.heading, foot.heading], axis=1))
        tilt = euler(np.stack([foot.pitch, 0 * foot.pitch, 0 * foot.pitch], axis=1))
        ball = stance.apply(skeleton.ball[side] - rest)
        heel = stance.apply(skeleton.heel[side] - rest)
        pivot = np.where((foot.pitch > 0)[:, None], ball, heel)
        ground = np.column_stack([foot.contact * scale, foot.lift * scale])
        under = np.array([0.0, 0.0, -rest[2]])
        carried = np.einsum("tij,tj->ti", heading, pivot - under)
        back = -np.einsum("tij,tjk,tk->ti", heading, tilt, pivot)
        ankles[side] = ground + carried + back
        turns[side] = heading @ tilt
        # Toes stay flat on the floor while the heel rises and follow the foot once it is lifted.
        lifted = np.clip(foot.lift * scale / 0.03, 0.0, 1.0)
        toe_pitch = np.where(foot.pitch > 0, 0.65 * lifted * foot.pitch, foot.pitch)
        toes[side] = heading @ euler(np.stack([toe_pitch, 0 * toe_pitch, 0 * toe_pitch], axis=1))
    return ankles, turns, toes


def _hip_positions(
    skeleton: Skeleton, movement: Movement, ankles: dict[str, np.ndarray], scale: float
) -> np.ndarray:
    """Hip positions (T, 3), lowered where a leg would otherwise have to stretch."""
    hips = skeleton.heads[skeleton.index("Hips")]
    root = np.column_stack([movement.hips[:, :2] * scale, movement.hips[:, 2] * hips[2]])
    turn = euler(movement.hips_turn)
    reach = 0.9975 * scale
    ceiling = np.full(movement.frames, np.inf)
    for side in SIDES:
        socket = np.einsum("tij,j->ti", turn, skeleton.bone("Hips", side + "UpLeg"))
        flat = np.linalg.norm((root + socket - ankles[side])[:, :2], axis=1)
        highest = ankles[side][:, 2] + np.sqrt(np.maximum(reach**2 - flat**2, 0.0)) - socket[:, 2]
        ceiling = np.minimum(ceiling, highest)
    excess = np.maximum(root[:, 2] - ceiling, 0.0)
    if excess.max() > 0:
        root[:, 2] -= _spread(excess, movement.loop)
    return root


def _spread(excess: np.ndarray, loop: bool) -> np.ndarray:
    """A smooth curve on or above `excess`."""
    width = 2
    if loop:  # the last frame is the first one again
        padded = np.pad(excess[:-1], (2 * width, 2 * width + 1), mode="wrap")
    else:
        padded = np.pad(excess, 2 * width, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1)
    highest = windows.max(axis=1)
    kernel = np.hanning(2 * width + 3)[1:-1]
    return np.convolve(highest, kernel / kernel.sum(), mode="valid")[: len(excess)]


def _bend_leg(
    skeleton: Skeleton,
    side: str,
    root: np.ndarray,
    hips_turn: np.ndarray,
    ankle: np.ndarray,
    knee_out: float,
) -> tuple[np.ndarray, np.ndarray]:
    """World turns of thigh and shin from the neutral stance: two-bone inverse kinematics."""
    socket = root + np.einsum("tij,j->ti", hips_turn, skeleton.bone("Hips", side + "UpLeg"))
    thigh = float(np.linalg.norm(skeleton.bone(side + "UpLeg", side + "Leg")))
    shin = float(np.linalg.norm(skeleton.bone(side + "Leg", side + "Foot")))
    span = ankle - socket
    distance = np.clip(
        np.linalg.norm(span, axis=1), abs(thigh - shin) + 1e-4, 0.9999 * (thigh + shin)
    )
    axis = span / np.linalg.norm(span, axis=1, keepdims=True)
    out = np.radians(knee_out) * (1 if side == "Left" else -1)
    forward = np.einsum("tij,j->ti", hips_turn, np.array([np.sin(out), -np.cos(out), 0.0]))
    knee_side = forward - axis * (forward * axis).sum(axis=1, keepdims=True)
    # A thigh that points forward (sitting) leaves no forward component: the knee then rises.
    weak = np.linalg.norm(knee_side, axis=1) < 0.15
    knee_side[weak] += np.array([0.0, 0.0, 0.3]) - axis[weak] * axis[weak, 2:] * 0.3
    knee_side /= np.linalg.norm(knee_side, axis=1, keepdims=True)
    cosine = (thigh**2 + distance**2 - shin**2) / (2 * thigh * distance)
    along = thigh * np.clip(cosine, -1, 1)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    knee = socket + axis * along[:, None] + knee_side * aside[:, None]
    lateral = np.cross(knee_side, axis)
    return _aim(knee - socket, lateral), _aim(socket + axis * distance[:, None] - knee, lateral)


def _aim(direction: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    """Rotations taking -z to `direction` with +x kept near `lateral`, (T, 3, 3)."""
    down = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    x = lateral - down * (lateral * down).sum(axis=1, keepdims=True)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    z = -down
    return np.stack([x, np.cross(z, x), z], axis=-1)
