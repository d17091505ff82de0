"""A short film and a contact sheet of a scene, for the eye."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaling4d.storage.scene_file import CameraTrack
from scaling4d.storage.video import contact_sheet, write_image, write_video

from .report import evenly

_SHOWN_FRAMES = 4


def write_previews(
    out: Path, tracks: Mapping[str, CameraTrack], fps: float, *, stem: str = "preview"
) -> None:
    """Write ``<stem>.mp4`` (RGB above depth, cameras side by side) and ``<stem>.png``.

    In the picture each camera is two rows of evenly spread frames: RGB, and depth below it.
    """
    shades = {name: shade_depth(track.depth) for name, track in tracks.items()}
    rows = [np.concatenate([tracks[name].rgb, shades[name]], axis=1) for name in tracks]
    write_video(out / f"{stem}.mp4", np.concatenate(rows, axis=2), fps)
    pictures: list[NDArray[np.uint8]] = []
    for name, track in tracks.items():
        shown = evenly(range(len(track.rgb)), _SHOWN_FRAMES)
        pictures += [track.rgb[frame] for frame in shown]
        pictures += [shades[name][frame] for frame in shown]
    columns = min(_SHOWN_FRAMES, len(next(iter(tracks.values())).rgb))
    write_image(out / f"{stem}.png", contact_sheet(pictures, columns=columns))


def shade_depth(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour depth maps (T, H, W) by inverse depth over the clip's range, near red, far blue;
    no surface is black. Returns (T, H, W, 3) uint8 RGB."""
    import cv2

    finite = np.isfinite(depth)
    inverse = np.where(finite, 1.0 / np.where(finite, depth, 1.0), 0.0)
    low, high = np.percentile(inverse[finite], [1, 99]) if finite.any() else (0.0, 1.0)
    level = np.clip((inverse - low) / max(high - low, 1e-9), 0, 1)
    flat = (level * 255).astype(np.uint8).reshape(len(depth), -1)
    colours = cv2.applyColorMap(flat, cv2.COLORMAP_TURBO)[..., ::-1].reshape(*depth.shape, 3)
    return np.ascontiguousarray(np.where(finite[..., None], colours, 0).astype(np.uint8))
