"""Measure a rendered scene against itself, and judge it by the thresholds of the spec."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scaling4d.storage.scene_file import CameraTrack

from .config import PackConfig
from .residual import View, rgb_difference, round_trip


def measure(tracks: Mapping[str, CameraTrack], config: PackConfig) -> dict[str, Any]:
    """Statistics of every view and residuals of evenly spread pairs of views.

    Returns:
        JSON values: ``views`` (name -> statistics), ``pairs`` (list of one mapping per ordered
        pair) and the summary ``residual_px``, ``rgb_difference``, ``covisible``.
    """
    frames = len(next(iter(tracks.values())).rgb)
    chosen = evenly(range(frames), config.frames)
    pairs = list(itertools.permutations(tracks, 2))
    measured = [
        _measure_pair(tracks[source], tracks[target], chosen) | {"source": source, "target": target}
        for source, target in evenly(pairs, config.pairs or len(pairs))
    ]
    residuals = [pair["residual_px_median"] for pair in measured if pair["covisible"] > 0]
    return {
        "views": {name: _measure_view(track) for name, track in tracks.items()},
        "pairs": measured,
        "frames": list(chosen),
        "residual_px_median": max(residuals, default=None),
        "residual_px_p99": max(
            (pair["residual_px_p99"] for pair in measured if pair["covisible"] > 0), default=None
        ),
        "covisible": min(_best_shares(measured).values(), default=None),
    }


def judge(report: Mapping[str, Any], config: PackConfig) -> str | None:
    """Say in one sentence why a scene is rejected, or None when it is good."""
    for name, view in report["views"].items():
        if view["finite_depth"] < config.min_finite_depth:
            return (
                f"{name} sees a surface in {view['finite_depth']:.1%} of its pixels, "
                f"at least {config.min_finite_depth:.1%} are asked for"
            )
        if view["mean_rgb"] < config.min_mean_rgb:
            return f"{name} is black: its mean brightness is {view['mean_rgb']:.3f}"
        if view["clipped"] > config.max_clipped:
            return f"{name} is clipped to black or white in {view['clipped']:.1%} of its pixels"
    for pair in report["pairs"]:
        where = f"from {pair['source']} to {pair['target']}"
        if pair["covisible"] == 0:
            continue
        if pair["residual_px_median"] > config.max_residual_px:
            return (
                f"the round trip {where} is off by {pair['residual_px_median']:.3g} px "
                f"(median), at most {config.max_residual_px:g} are allowed"
            )
        if pair["rgb_difference"] > config.max_rgb_difference:
            return (
                f"the colours {where} differ by {pair['rgb_difference']:.3g} of full scale "
                f"(median), at most {config.max_rgb_difference:g} are allowed"
            )
    for name, share in _best_shares(report["pairs"]).items():
        if not share >= config.min_covisible:
            return (
                f"{name} shares at most {share:.1%} of the pixels with another view, "
                f"at least {config.min_covisible:.1%} are asked for"
            )
    return None


def _best_shares(pairs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """View -> what it shares in its best measured pair, in either direction.

    A close-up fills a small part of a wide view which fills all of the close-up: sharing is mutual
    and the larger share counts. Two views may share nothing as long as each shares with some other.
    """
    best: dict[str, float] = {}
    for pair in pairs:
        for name in (pair["source"], pair["target"]):
            best[name] = max(best.get(name, 0.0), pair["covisible"])
    return best


def evenly(values: Sequence[Any], count: int) -> list[Any]:
    """At most ``count`` of the values, spread evenly, first and last included."""
    if count >= len(values):
        return list(values)
    places = np.linspace(0, len(values) - 1, count)
    return [values[round(place)] for place in places]


def _measure_pair(
    source: CameraTrack, target: CameraTrack, frames: Sequence[int]
) -> dict[str, Any]:
    residuals, colours, covisible = [], [], []
    for frame in frames:
        first, second = _view(source, frame), _view(target, frame)
        trip = round_trip(first, second)
        covisible.append(trip.covisible.mean())
        residuals.append(trip.residual[trip.covisible])
        if trip.covisible.any():
            colours.append(rgb_difference(first, second, trip))
    every = np.concatenate(residuals)
    return {
        "covisible": round(float(np.mean(covisible)), 6),
        "residual_px_median": _rounded(np.median(every)) if every.size else None,
        "residual_px_p99": _rounded(np.percentile(every, 99)) if every.size else None,
        "rgb_difference": _rounded(np.median(colours)) if colours else None,
    }


def _measure_view(track: CameraTrack) -> dict[str, Any]:
    finite = np.isfinite(track.depth)
    depths = track.depth[finite]
    near, middle, far = np.percentile(depths, [1, 50, 99]) if depths.size else (0.0, 0.0, 0.0)
    luma = track.rgb.max(-1)
    return {
        "finite_depth": _rounded(finite.mean()),
        "depth_m_p1": _rounded(near),
        "depth_m_median": _rounded(middle),
        "depth_m_p99": _rounded(far),
        "mean_rgb": _rounded(track.rgb.mean() / 255),
        "clipped": _rounded(((track.rgb.min(-1) >= 255) | (luma <= 0)).mean()),
        "travel_m": _rounded(_travel(track)),
    }


def _travel(track: CameraTrack) -> float:
    steps = np.diff(track.world_from_camera[:, :3, 3], axis=0)
    return float(np.linalg.norm(steps, axis=1).sum())


def _view(track: CameraTrack, frame: int) -> View:
    return View(
        rgb=track.rgb[frame],
        depth=track.depth[frame],
        intrinsics=track.intrinsics[frame],
        world_from_camera=track.world_from_camera[frame],
    )


def _rounded(value: Any) -> float:
    return float(f"{float(value):.6g}")
