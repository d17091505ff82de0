"""Smooth camera paths through given poses: slerp and linear, or a spline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.rotation import rotation_from_vector, rotation_vector, slerp

FloatArray = npt.NDArray[np.float64]
METHODS = ("slerp", "spline")


def interpolate_poses(
    poses: npt.ArrayLike, times: npt.ArrayLike, new_times: npt.ArrayLike, method: str = "slerp"
) -> FloatArray:
    """Return poses (m, 4, 4) at ``new_times`` on a path through ``poses`` at ``times``.

    Interpolate poses whose translation is the camera's centre (``world_from_camera`` or
    ``source_from_target``): the centre then moves as intended.

    Args:
        poses: (n, 4, 4) rigid motions.
        times: (n,) strictly increasing.
        new_times: (m,) within [times[0], times[-1]].
        method: "slerp": constant speed between neighbours, linear centres, a corner at each key.
            "spline": centres on the natural cubic spline (C2), rotations on the cumulative Hermite
            curve of Kim, Kim and Shin 1995 (C1); both pass through every key.

    Raises:
        ValueError: on an unknown method, times that do not increase, or times outside the range.
    """
    poses = np.asarray(poses, dtype=np.float64)
    times, new_times = _check_times(poses.shape[0], times, new_times)
    if method not in METHODS:
        raise ValueError(f"unknown interpolation {method!r}: choose one of {', '.join(METHODS)}")
    result = np.tile(np.eye(4), (len(new_times), 1, 1))
    if len(times) == 1:
        result[:] = poses[0]
        return result
    if method == "slerp":
        segment, fraction, _ = _locate(times, new_times)
        result[:, :3, :3] = slerp(poses[segment, :3, :3], poses[segment + 1, :3, :3], fraction)
        result[:, :3, 3] = linear(poses[:, :3, 3], times, new_times)
    else:
        result[:, :3, :3] = _rotation_spline(poses[:, :3, :3], times, new_times)
        result[:, :3, 3] = cubic_spline(poses[:, :3, 3], times, new_times)
    return result


def linear(values: npt.ArrayLike, times: npt.ArrayLike, new_times: npt.ArrayLike) -> FloatArray:
    """Return values (m, k) at ``new_times``, linear between ``values`` (n, k) at ``times``."""
    values = np.asarray(values, dtype=np.float64)
    times, new_times = _check_times(len(values), times, new_times)
    if len(times) == 1:
        return np.repeat(values, len(new_times), axis=0)
    segment, fraction, _ = _locate(times, new_times)
    weight = fraction[:, None]
    return values[segment] * (1.0 - weight) + values[segment + 1] * weight


def cubic_spline(
    values: npt.ArrayLike, times: npt.ArrayLike, new_times: npt.ArrayLike
) -> FloatArray:
    """Return values (m, k) at ``new_times`` on the natural cubic spline through the keys (n, k)."""
    values = np.asarray(values, dtype=np.float64)
    times, new_times = _check_times(len(values), times, new_times)
    if len(times) < 3:  # the natural spline through two points is their line
        return linear(values, times, new_times)
    step = np.diff(times)
    slope = np.diff(values, axis=0) / step[:, None]
    # Second derivatives m: continuity of the first derivative inside, zero at both ends.
    curvature = np.zeros_like(values)
    curvature[1:-1] = _solve_tridiagonal(
        2.0 * (step[:-1] + step[1:]), step[1:-1], 6.0 * np.diff(slope, axis=0)
    )
    segment, fraction, _ = _locate(times, new_times)
    h = step[segment][:, None]
    b = fraction[:, None]
    a = 1.0 - b
    bend = (a**3 - a) * curvature[segment] + (b**3 - b) * curvature[segment + 1]
    return a * values[segment] + b * values[segment + 1] + bend * h**2 / 6.0


def _solve_tridiagonal(diagonal: FloatArray, beside: FloatArray, right: FloatArray) -> FloatArray:
    """Return x (n, k) of A x = ``right`` for the symmetric A with ``diagonal`` (n,) and ``beside``
    (n - 1,) next to it, whose diagonal outweighs the rest of each row.

    Eliminating row by row needs n numbers where the whole matrix has n x n, and such a matrix needs
    no pivoting. Houdini's Python has no scipy to ask.
    """
    share = np.zeros(len(diagonal))  # of the next unknown in this row, after elimination
    solution = np.empty_like(right)
    pivot = diagonal[0]
    solution[0] = right[0] / pivot
    for row in range(1, len(diagonal)):
        share[row - 1] = beside[row - 1] / pivot
        pivot = diagonal[row] - beside[row - 1] * share[row - 1]
        solution[row] = (right[row] - beside[row - 1] * solution[row - 1]) / pivot
    for row in range(len(diagonal) - 2, -1, -1):
        solution[row] -= share[row] * solution[row + 1]
    return solution


def _rotation_spline(rotations: FloatArray, times: FloatArray, new_times: FloatArray) -> FloatArray:
    step = np.diff(times)
    turn = rotation_vector(rotations[:-1].swapaxes(-1, -2) @ rotations[1:])
    rate = turn / step[:, None]
    # Angular velocity at each key in the key's own frame: the parabola through three keys, in which
    # the nearer neighbour weighs more; the plain difference at both ends.
    share = (step[:-1] / (step[:-1] + step[1:]))[:, None]
    velocity = np.concatenate((rate[:1], (1.0 - share) * rate[:-1] + share * rate[1:], rate[-1:]))
    segment, t, h = _locate(times, new_times)
    leave = velocity[segment] * h[:, None] / 3.0
    arrive = velocity[segment + 1] * h[:, None] / 3.0
    between = rotations[segment].swapaxes(-1, -2) @ rotations[segment + 1]
    middle = rotation_vector(rotation_from_vector(-leave) @ between @ rotation_from_vector(-arrive))
    weights = (1.0 - (1.0 - t) ** 3, 3.0 * t**2 - 2.0 * t**3, t**3)  # cumulative Bernstein basis
    result = rotations[segment]
    for weight, vector in zip(weights, (leave, middle, arrive), strict=True):
        result = result @ rotation_from_vector(weight[:, None] * vector)
    return result


def _locate(
    times: FloatArray, new_times: FloatArray
) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
    """Return the segment of each new time, the fraction of the way through it and its length."""
    segment = np.clip(np.searchsorted(times, new_times, side="right") - 1, 0, len(times) - 2)
    length = times[segment + 1] - times[segment]
    return segment, (new_times - times[segment]) / length, length


def _check_times(
    count: int, times: npt.ArrayLike, new_times: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    times = np.asarray(times, dtype=np.float64)
    new_times = np.asarray(new_times, dtype=np.float64)
    if times.shape != (count,) or count == 0:
        raise ValueError(f"expected one time for each of {count} keys, got {times.shape}")
    if not (np.isfinite(times).all() and np.all(np.diff(times) > 0.0)):
        raise ValueError("the times of the keys must be finite and strictly increasing")
    inside = (new_times >= times[0]) & (new_times <= times[-1])
    if not inside.all():
        raise ValueError(
            f"time {new_times[~inside][0]} lies outside the keys, {times[0]} to {times[-1]}"
        )
    return times, new_times
