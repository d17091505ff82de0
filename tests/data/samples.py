"""Small real training data for tests: scene files and videos of the analytic scenes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from scaling4d.storage.scene_file import CameraTrack, write_scene
from scaling4d.storage.video import write_video
from tests.scenes import Camera, Scene, moving_box


def write_sample_scene(
    path: Path,
    *,
    frames: int = 9,
    height: int = 48,
    width: int = 64,
    scene: Scene | None = None,
    fovs: tuple[float, float, float] = (60, 60, 60),
    zoom: float = 1.0,
) -> Path:
    """Write a scene file of three synchronised cameras around a moving box.

    Their fields of view in degrees are those of the first frame; focal lengths grow by ``zoom``.
    """
    scene = scene or moving_box()
    tracks = {}
    for number, (side, fov) in enumerate(zip((-0.6, 0.0, 0.8), fovs, strict=True)):
        camera = Camera.look_at(height, width, eye=(side, -4.0, 1.5), target=(0, 0, 0.5), fov=fov)
        cameras = camera.orbit(frames, yaw=5 * (number + 1), pivot=(0, 0, 0.5))
        factors = np.linspace(1.0, zoom, frames)
        lens = np.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 0]])  # where focal lengths stand
        cameras = [
            replace(one, intrinsics=one.intrinsics * (1 + (factor - 1) * lens))
            for one, factor in zip(cameras, factors, strict=True)
        ]
        clip = scene.clip(cameras, fps=8)
        tracks[f"cam{number}"] = CameraTrack(
            rgb=clip.rgb,
            depth=clip.depth.astype(np.float32),
            intrinsics=clip.intrinsics,
            world_from_camera=clip.world_from_camera,
        )
    write_scene(
        path,
        cameras=tracks,
        fps=8,
        attributes={"generator": "tests", "renderer": "closed form", "seed": 0},
        scene={"caption": "a box on a table"},
        paths={},
        qa={},
    )
    return path


def write_sample_video(
    path: Path, *, frames: int = 40, height: int = 64, width: int = 64, fps: float = 16
) -> Path:
    """Write a video of a camera that orbits a moving box."""
    camera = Camera.look_at(height, width, eye=(0.0, -4.0, 1.5), target=(0, 0, 0.5), fov=60)
    clip = moving_box().clip(camera.orbit(frames, yaw=40, pivot=(0, 0, 0.5)), fps=fps)
    write_video(path, clip.rgb, fps)
    return path


def put_header_first(path: Path) -> Path:
    """Move an mp4's header before its frames, as on the web: a file cut short still opens."""
    last = path.with_suffix(".last.mp4")
    path.rename(last)
    with (
        av.open(str(last)) as old,
        av.open(str(path), "w", options={"movflags": "faststart"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:  # the last one is empty and flushes
                packet.stream = stream
                new.mux(packet)
    last.unlink()
    return path
