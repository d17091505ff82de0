"""What `generate` returns, and how it is saved and shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaling4d.correspondence.control import control_metadata
from scaling4d.storage.atomic import atomic_path, write_text_atomic
from scaling4d.storage.video import write_video


@dataclass(frozen=True, kw_only=True)
class GenerationResult:
    """The novel view of a video and everything it was made from.

    Attributes:
        frames: (T, H, W, 3) uint8 sRGB, the generated video I^*.
        source: (T, H, W, 3) uint8, the source frames used, I^s.
        warped: (T, H, W, 3) uint8, the source moved into the new view, I^r; black where ``mask``
            is False.
        mask: (T, H, W) bool, True where ``warped`` holds a source pixel, M^r.
        correspondence: (T, 2, H, W) float32, C^r in pixels (x, y) on the source grid; NaN where a
            pixel has no place in the new view.
        depth: (T, H, W) float32, planar z of the source in metres (or its own unit), +inf = none.
        source_intrinsics: (T, 3, 3) float64 pixels.
        target_intrinsics: (T, 3, 3) float64 pixels.
        target_from_source: (T, 4, 4) float64, OpenCV axes.
        fps: frames per second.
        settings: how it was made: seed, steps, prompt, model, size; JSON values.
    """

    frames: NDArray[np.uint8]
    source: NDArray[np.uint8]
    warped: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    correspondence: NDArray[np.float32]
    depth: NDArray[np.float32]
    source_intrinsics: NDArray[np.float64]
    target_intrinsics: NDArray[np.float64]
    target_from_source: NDArray[np.float64]
    fps: float
    settings: dict[str, Any]

    def save(self, path: str | Path) -> Path:
        """Write the generated video as mp4 and return its path."""
        write_video(path, self.frames, self.fps)
        return Path(path)

    def side_by_side(self, truth: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Return source | warped | generated (| truth), (T, H, 3 W or 4 W, 3) uint8."""
        parts = [self.source, self.warped, self.frames]
        return np.concatenate(parts if truth is None else [*parts, truth], axis=2)

    def save_all(self, folder: str | Path) -> Path:
        """Write every part into a folder and return it.

        ``generated.mp4``, ``source.mp4``, ``warped.mp4``, ``side_by_side.mp4``, ``arrays.npz``
        (mask, correspondence, depth, cameras) and ``settings.json``.
        """
        folder = Path(folder)
        videos = {
            "generated": self.frames,
            "source": self.source,
            "warped": self.warped,
            "side_by_side": self.side_by_side(),
        }
        for name, video in videos.items():
            write_video(folder / f"{name}.mp4", video, self.fps)
        with atomic_path(folder / "arrays.npz") as partial:
            np.savez_compressed(
                partial,
                mask=self.mask,
                correspondence=self.correspondence,
                depth=self.depth,
                source_intrinsics=self.source_intrinsics,
                target_intrinsics=self.target_intrinsics,
                target_from_source=self.target_from_source,
            )
        settings = {**self.settings, "control_encoding": control_metadata()}
        write_text_atomic(folder / "settings.json", json.dumps(settings, indent=2) + "\n")
        return folder
