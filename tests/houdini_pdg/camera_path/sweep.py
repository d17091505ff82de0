"""Random rooms with people, and what the planner makes of them: used by tests and benchmarks.

`python -m tests.houdini_pdg.camera_path.sweep` makes the committed result of 1,000 rooms.
"""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from houdini_pdg.camera_path.config import TrajectoryConfig
from houdini_pdg.camera_path.path import CameraPath, verify_camera
from houdini_pdg.camera_path.planner import PlanningFailed, plan_cameras
from houdini_pdg.camera_path.scene import Clip
from houdini_pdg.layout.config import LayoutConfig
from houdini_pdg.layout.generate import generate_layout
from houdini_pdg.layout.model import Layout
from houdini_pdg.layout.solids import floor_region, layout_solids
from scaling4d.geometry.seeds import rng as named_rng

RESULT = Path(__file__).parent / "results" / "rooms_1000.json"
CLIP = Clip(frames=49, fps=24.0, height=480, width=480)
_RADIUS, _TALL = 0.35, 1.8


def stand_ins(layout: Layout, seed: int, clip: Clip = CLIP) -> dict[str, Any]:
    """A characters.json document of up to three people, standing or walking at up to 0.9 m/s."""
    rng = named_rng(seed, "people")
    region, solids = floor_region(layout), layout_solids(layout)
    low, high = layout.bounds()
    people: list[dict[str, Any]] = []
    for index in range(int(rng.integers(0, 4))):
        for _ in range(60):
            heading, speed = rng.uniform(0, 2 * np.pi), rng.choice([0.0, 0.5, 0.9])
            direction = np.array([np.cos(heading), np.sin(heading)])
            track = rng.uniform(low, high) + speed * clip.times[:, None] * direction
            free = solids.plan_distance(track, 0.06, _TALL) > _RADIUS + 0.05
            apart = [
                np.linalg.norm(np.asarray(other["track"]) - track, axis=1).min() > 2 * _RADIUS
                for other in people
            ]
            if region.contains(track).all() and free.all() and all(apart):
                person = {"name": f"person_{index}", "track": track.tolist(), "radius": _RADIUS}
                people.append({**person, "low": 0.0, "high": _TALL})
                break
    return {"fps": clip.fps, "frames": clip.frames, "characters": people}


def plan_room(
    seed: int, *, cameras: int = 4, config: TrajectoryConfig | None = None
) -> tuple[Layout, dict[str, Any], list[CameraPath]]:
    """Layout, people and paths of a seed; the paths are empty where planning failed."""
    layout = generate_layout(LayoutConfig(), seed)
    characters = stand_ins(layout, seed)
    try:
        paths = plan_cameras(
            layout,
            characters,
            config or TrajectoryConfig(),
            cameras=cameras,
            clip=CLIP,
            seed=seed,
        )
    except PlanningFailed:
        paths = []
    return layout, characters, paths


def sampled_clearance(
    path: CameraPath, layout: Layout, characters: dict[str, Any], samples: int = 801
) -> float:
    """Least clearance at densely sampled times, by code that shares nothing with the proof.

    Boxes by their eight-sided definition, people where they are at each instant.
    """
    times = np.linspace(0.0, path.eye.duration, samples)
    eyes = path.eye(times)
    solids = layout_solids(layout)
    least = min(
        float((eyes[:, 2] - solids.floor).min()), float((solids.ceiling - eyes[:, 2]).min())
    )
    for centre, half, yaw in zip(solids.centre, solids.half, solids.yaw, strict=True):
        cos, sin = np.cos(yaw), np.sin(yaw)
        local = (eyes - centre) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        least = min(least, float(np.linalg.norm(local - np.clip(local, -half, half), axis=1).min()))
    for person in characters["characters"]:
        track = np.asarray(person["track"])
        frames = np.arange(len(track)) / characters["fps"]
        x, y = (np.interp(times, frames, track[:, k]) for k in (0, 1))
        across = np.hypot(eyes[:, 0] - x, eyes[:, 1] - y) - person["radius"]
        over = np.maximum(eyes[:, 2] - person["high"], person["low"] - eyes[:, 2])
        gap = np.hypot(np.maximum(across, 0.0), np.maximum(over, 0.0))
        least = min(least, float(gap.min()))
    return least


@dataclass
class _Room:
    """What became of one room."""

    seed: int
    boxes: int
    seconds: float
    rows: list[dict[str, Any]]
    styles: list[str]
    problems: list[str]


def _plan_and_check(seed: int, cameras: int) -> _Room:
    """Plan one room and re-check each path; no rows where planning failed."""
    layout = generate_layout(LayoutConfig(), seed)
    characters = stand_ins(layout, seed)
    room = _Room(seed, len(layout.boxes), 0.0, [], [], [])
    started = time.process_time()
    try:
        paths = plan_cameras(
            layout, characters, TrajectoryConfig(), cameras=cameras, clip=CLIP, seed=seed
        )
    except PlanningFailed:
        paths = []
    room.seconds = time.process_time() - started
    for path in paths:
        entry = path.to_json(CLIP.times, CLIP.height, CLIP.width)
        report = verify_camera(entry, layout, characters, CLIP, TrajectoryConfig())
        room.problems += [f"seed {seed} {path.name}: {problem}" for problem in report.problems]
        sampled = sampled_clearance(path, layout, characters)
        if sampled < path.certificate["min_clearance"]:
            room.problems.append(f"seed {seed} {path.name}: sampled clearance {sampled:.4f} m")
        room.styles.append(path.style)
        room.rows.append({**path.statistics, "sampled_clearance": sampled})
    return room


def sweep(seeds: range, *, cameras: int = 4, workers: int | None = None) -> dict[str, Any]:
    """Plan every seed, re-check every path, and return the figures that issue 5 asks for."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        rooms = list(pool.map(partial(_plan_and_check, cameras=cameras), seeds, chunksize=5))
    rows = [row for room in rooms for row in room.rows]
    failed = [room.seed for room in rooms if not room.rows]
    return {
        "rooms": len(rooms),
        "cameras_per_room": cameras,
        "frames": CLIP.frames,
        "fps": CLIP.fps,
        "asked_clearance": TrajectoryConfig().clearance,
        "boxes": _spread([room.boxes for room in rooms]),
        "success": 1.0 - len(failed) / len(rooms),
        "failed_seeds": failed,
        "problems": [problem for room in rooms for problem in room.problems],
        "cpu_seconds_per_room": _spread([room.seconds for room in rooms]),
        "styles": dict(sorted(Counter(style for room in rooms for style in room.styles).items())),
        **{key: _spread([row[key] for row in rows]) for key in rows[0]},
    }


def main() -> None:
    """Plan 1,000 rooms and write the committed result."""
    result = sweep(range(1000))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _spread(values: list[float] | list[int]) -> dict[str, float]:
    low, median, high, top = np.percentile(np.asarray(values, dtype=float), [0, 50, 95, 100])
    return {
        "min": round(float(low), 4),
        "median": round(float(median), 4),
        "p95": round(float(high), 4),
        "max": round(float(top), 4),
    }


if __name__ == "__main__":
    main()
