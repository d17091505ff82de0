"""Time splines against scipy's B-splines; Bezier pieces against the curve they came from."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline

from houdini_pdg.camera_path.splines import TimeSpline, enclosing_balls, restrict, through_ends


def _random(pieces: int = 7, duration: float = 1.7, seed: int = 0) -> TimeSpline:
    return TimeSpline(np.random.default_rng(seed).normal(size=(pieces + 3, 3)), duration)


def test_values_equal_scipy() -> None:
    spline = _random()
    knots = (np.arange(spline.pieces + 7) - 3) * spline.step
    reference = BSpline(knots, spline.control, 3)
    times = np.linspace(0, spline.duration, 301)
    np.testing.assert_allclose(spline(times), reference(times), atol=1e-12)


def test_restricted_bezier_pieces_trace_the_curve() -> None:
    spline = _random(seed=1)
    low, high = np.full(spline.pieces, 0.3), np.full(spline.pieces, 0.8)
    pieces = restrict(spline.bezier(), low, high)
    u = np.linspace(0, 1, 9)
    weights = np.stack([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3], axis=1)
    points = np.einsum("uk,pkd->pud", weights, pieces)
    times = (np.arange(spline.pieces)[:, None] + 0.3 + 0.5 * u) * spline.step
    np.testing.assert_allclose(points, spline(times), atol=1e-12)


def test_balls_hold_their_piece() -> None:
    spline = _random(seed=2)
    centre, radius = enclosing_balls(spline.bezier())
    times = (np.arange(spline.pieces)[:, None] + np.linspace(0, 1, 50)) * spline.step
    gap = np.linalg.norm(spline(times) - centre[:, None], axis=-1)
    assert (gap <= radius[:, None] + 1e-12).all()


def test_speed_and_acceleration_bounds_hold_and_are_tight() -> None:
    spline = _random(seed=3)
    times = np.linspace(0, spline.duration, 40001)
    points, step = spline(times), times[1]
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1).max() / step
    acceleration = np.linalg.norm(np.diff(points, n=2, axis=0), axis=1).max() / step**2
    assert speed <= spline.speed_bound() * (1 + 1e-6)
    assert 0.98 * spline.acceleration_bound() < acceleration < 1.001 * spline.acceleration_bound()
    line = TimeSpline(np.arange(8)[:, None] * np.array([[0.1, 0.0, 0.0]]), 1.0)
    np.testing.assert_allclose([line.speed_bound(), line.acceleration_bound()], [0.5, 0], atol=1e-9)


def test_control_points_through_ends_start_and_stop_exactly_there() -> None:
    samples = np.random.default_rng(4).normal(size=(6, 3))
    spline = TimeSpline(through_ends(samples), 2.0)
    ends = spline(np.array([0.0, 2.0]))
    np.testing.assert_allclose(ends, samples[[0, -1]], atol=1e-12)
