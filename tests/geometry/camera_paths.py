"""Camera paths and files for tests: seeded ones, and strategies with the hard rotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import yaml
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath

HEIGHT, WIDTH = 60, 80


def camera_path(frames: int = 5, seed: int = 0) -> CameraPath:
    """Everything a file could hold: poses, changing intrinsics, size, times and frame numbers."""
    generator = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (frames, 1, 1))
    poses[:, :3, :3] = Rotation.random(frames, rng=seed).as_matrix()
    poses[:, :3, 3] = generator.normal(scale=3.0, size=(frames, 3))
    fx, fy, cx, cy = generator.uniform((60, 60, 30, 20), (90, 90, 50, 40), size=(frames, 4)).T
    return CameraPath(
        poses,
        intrinsics_matrix(fx, fy, cx, cy),
        HEIGHT,
        WIDTH,
        times=np.cumsum(generator.integers(1000, 90000, frames)) / 1e6,
        frame_index=np.cumsum(generator.integers(1, 5, frames)),
    )


def every_frame(frames: int = 5, seed: int = 0) -> CameraPath:
    """The same path with a camera for each frame, which every format can hold."""
    return camera_path(frames, seed).replaced(times=None, frame_index=None)


_coordinate = st.floats(-100.0, 100.0, allow_nan=False, width=64)
# Angles at which careless conversions lose digits: none, tiny, quarter and half turns, nearly.
_angle = st.one_of(
    st.sampled_from([0.0, 1e-12, 1e-8, 1e-4, np.pi / 2, np.pi, np.pi - 1e-8, np.pi - 1e-12]),
    st.floats(0.0, np.pi, allow_nan=False),
)
_axis = st.sampled_from(
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (-1, 2, 3), (1, 1, 1), (0, -1, 1e-3)]
)


@st.composite
def poses(draw: st.DrawFn) -> np.ndarray:
    """One rigid 4x4 matrix."""
    axis = np.asarray(draw(_axis), dtype=float)
    pose = np.eye(4)
    pose[:3, :3] = (
        Rotation.from_rotvec(draw(_angle) * axis / np.linalg.norm(axis)).as_matrix()
        @ Rotation.from_euler("z", draw(_angle)).as_matrix()
    )
    pose[:3, 3] = [draw(_coordinate) for _ in range(3)]
    return pose


@st.composite
def camera_paths(draw: st.DrawFn) -> CameraPath:
    """Paths of 1 to 4 cameras with every field set."""
    frames = draw(st.integers(1, 4))
    lens = st.tuples(
        st.floats(10.0, 800.0), st.floats(10.0, 600.0), st.floats(0.0, 80.0), st.floats(0.0, 60.0)
    )
    lenses = [draw(lens) for _ in range(frames)]
    if draw(st.booleans()):
        lenses = lenses[:1] * frames
    steps = [draw(st.integers(1, 100)) for _ in range(frames)]
    return CameraPath(
        np.stack([draw(poses()) for _ in range(frames)]),
        intrinsics_matrix(*np.array(lenses).T),
        HEIGHT,
        WIDTH,
        times=np.cumsum(steps) / 1000.0,
        frame_index=np.cumsum(steps),
    )


def written(tmp_path: Path, document: dict, name: str = "keys.yaml") -> Path:
    """Write a document as YAML, or by its ending JSON, and return its path."""
    path = tmp_path / name
    path.write_text(json.dumps(document) if name.endswith("json") else yaml.safe_dump(document))
    return path
