"""Small videos of many codecs and containers for tests, made with PyAV alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CODECS = {
    "h264.mp4": ("libx264", {"x264-params": "open-gop=1:keyint=30:bframes=8"}),
    "h264.mkv": ("libx264", {"x264-params": "open-gop=1:keyint=30:bframes=8"}),
    "refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=30:bframes=0"}),
    "hevc.mp4": ("libx265", {"x265-params": "open-gop=1:keyint=30:bframes=4:log-level=none"}),
    "vp9.webm": ("libvpx-vp9", {"cpu-used": "8", "g": "30"}),
    "mpeg4.avi": ("mpeg4", {"bf": "2", "g": "30"}),
    "h264.avi": ("libx264", {"x264-params": "keyint=30:bframes=3"}),
}
"""Name of a file, its encoder and options: key frames are 30 frames apart at most."""


def drifting_texture(count: int, height: int = 64, width: int = 96) -> np.ndarray:
    """Frames that all differ and in which motion prediction has work to do, (T, H, W, 3) uint8."""
    blocks = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    image = blocks.repeat(8, 0).repeat(8, 1)
    return np.stack([np.roll(image, (i // 3, i), axis=(0, 1)) for i in range(count)])


def encode(
    path: Path,
    frames: np.ndarray,
    fps: float | Fraction = 30,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    times: Sequence[float] | np.ndarray | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """Write frames (T, H, W, 3) uint8, each shown at its time in seconds or at a constant rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.options = options or {}
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        clock = Fraction(1, 60_000)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = clock
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[index] / clock), clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def copy_stream(source: Path, path: Path, *, trim: int = 0, drop_keys: int = 0) -> Path:
    """Copy a video's packets without encoding them anew.

    Args:
        source: video to copy.
        path: copy; its suffix chooses the container.
        trim: frames hidden at the start by negative times (an edit list in mp4 and mov), as
            ``ffmpeg -ss ... -c copy`` leaves them.
        drop_keys: groups of pictures left out at the start.
    """
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copied = new.add_stream_from_template(stream)
        assert stream.average_rate is not None
        assert stream.time_base is not None
        shift = round(trim / stream.average_rate / stream.time_base)
        keys = -1
        for packet in old.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            keys += packet.is_keyframe
            if keys < drop_keys:
                continue
            if drop_keys and not shift:
                shift = packet.dts
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copied
            new.mux(packet)
    return path
